//! Responsible for: the tests of [`tree`](super).

use super::*;
use crate::json::parse;

fn document(line: &str) -> Document {
    parse(line.as_bytes(), 128).unwrap_or_else(|fault| panic!("{line}: {fault:?}"))
}

/// The line after an edit of its outer object.
fn edited(line: &str, edit: impl Fn(&mut Object)) -> String {
    let mut document = document(line);
    edit(document.root.as_object_mut().expect("an object"));
    document.to_line()
}

#[test]
fn names_are_compared_after_unescaping() {
    assert!(Text { raw: "\\u0069d".into() }.is("id"));
    assert!(Text { raw: "\\u0049d".into() }.is_case_variant("id"));
    assert!(!Text { raw: "id".into() }.is_case_variant("id"));
    assert_eq!(Text { raw: "\\ud83d\\ude00".into() }.units(), Text { raw: "😀".into() }.units());
    assert_eq!(Text { raw: "\\ud83d".into() }.decoded(), None);
    assert_eq!(Text { raw: "\\b\\f\\n\\r\\t\\/\\\\\\\"".into() }.decoded().as_deref(), Some("\u{8}\u{c}\n\r\t/\\\""));
    let duplicates = |line: &str| document(line).root.as_object().is_some_and(Object::has_duplicates);
    assert!(duplicates("{\"id\":1,\"\\u0069d\":2}"));
    assert!(duplicates("{\"\\ud800\":1,\"\\uD800\":2}"));
    assert!(!duplicates("{\"id\":1,\"ID\":2,\"\\ud800\":1,\"\\ud801\":1}"));
}

#[test]
fn members_are_added_and_removed_as_the_contract_says() {
    let line = " { \"a\" : 1 , \"b\" : 2 , \"c\" : 3 } ";
    assert_eq!(edited(line, |object| object.remove(&["a"])), " { \"b\" : 2 , \"c\" : 3 } ");
    assert_eq!(edited(line, |object| object.remove(&["b"])), " { \"a\" : 1 , \"c\" : 3 } ");
    assert_eq!(edited(line, |object| object.remove(&["c"])), " { \"a\" : 1 , \"b\" : 2 } ");
    assert_eq!(edited(line, |object| object.remove(&["a", "b"])), " { \"c\" : 3 } ");
    assert_eq!(edited(line, |object| object.remove(&["a", "b", "c"])), " {  } ");
    assert_eq!(edited(line, |object| object.set("b", Json::Null)), " { \"a\" : 1 , \"b\" : null , \"c\" : 3 } ");
    assert_eq!(
        edited(line, |object| object.set("d", Json::Null)),
        " { \"a\" : 1 , \"b\" : 2 , \"c\" : 3,\"d\":null } "
    );
    assert_eq!(
        edited(line, |object| object.add_first("d", Json::Null)),
        " { \"d\":null,\"a\" : 1 , \"b\" : 2 , \"c\" : 3 } "
    );
    assert_eq!(edited("{ }", |object| object.set("d", Json::text("é\"\n"))), "{\"d\":\"é\\\"\\n\" }");
}

#[test]
fn order_and_spelling_count_and_white_space_does_not() {
    let same = |left: &str, right: &str| document(left).root.same(&document(right).root);
    assert!(same("{\"a\":[1,{}],\"b\":null}", " { \"a\" : [ 1 , { } ] , \"b\" : null } "));
    assert!(!same("{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}"));
    assert!(!same("{\"a\":1}", "{\"a\":1.0}"));
    assert!(!same("{\"a\":\"/\"}", "{\"a\":\"\\/\"}"));
    assert!(!same("{\"a\":[1]}", "{\"a\":[1,1]}"));
    assert!(!same("{\"a\":1}", "{\"\\u0061\":1}"));
}

#[test]
fn fresh_keys_are_checked_and_not_predicted() {
    let mut expected = document("{\"key\":\"old\" ,\"b\":1}");
    expected.root.as_object_mut().expect("an object").set("key", Json::Fresh);
    let line = |key: &str| format!("{{\"key\":\"{key}\" ,\"b\":1}}");
    let good = base64_simd::STANDARD.encode_to_string([7; 32]);
    let zero = base64_simd::STANDARD.encode_to_string([0; 32]);
    let check = |text: &str| {
        let by_line = matches_line(&expected, text.as_bytes(), 32);
        let by_tree = matches(&expected.root, &document(text).root, 32);
        assert_eq!(by_line.is_ok(), by_tree.is_ok(), "{text}: {by_line:?} {by_tree:?}");
        by_line.is_ok()
    };
    assert!(check(&line(&good)));
    assert!(!check(&line(&zero)));
    assert!(!check(&line("old")));
    assert!(!check(&line(&base64_simd::STANDARD.encode_to_string([7; 16]))));
    assert!(!check(&line(&good).replace(":1", ":2")));
    assert!(matches_line(&expected, line(&good).replace(" ,", ",").as_bytes(), 32).is_err());
    assert!(matches_line(&expected, format!("{} ", line(&good)).as_bytes(), 32).is_err());
    assert!(!expected.root.same(&document(&line(&good)).root));
}
