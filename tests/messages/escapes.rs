//! Responsible for: control and bidi characters of the input change nothing on a terminal, and stay in the data.

use crate::support::{Folder, json_lines, transform};

/// As they stand in a line, and what must be shown.
const HIDDEN: [(&str, &str); 9] = [
    ("\\u001b[31mred", "\\u{1b}[31mred"),
    ("\\u0007\\u0008\\u0000", "\\u{7}\\u{8}\\u{0}"),
    ("a\\r\\nerror[forged]: line 1", "a\\r\\nerror[forged]: line 1"),
    ("\u{202e}live", "\\u{202e}live"),
    ("\\u202E\\u2066x\\u2069", "\\u{202e}\\u{2066}x\\u{2069}"),
    ("\u{200b}\u{feff}zero", "\\u{200b}\\u{feff}zero"),
    ("\u{9b}31m\u{7f}", "\\u{9b}31m\\u{7f}"),
    ("\\u009b31m", "\\u{9b}31m"),
    ("\u{2028}\u{2029}", "\\u{2028}\\u{2029}"),
];

/// Fails where a text holds what a terminal would obey.
#[track_caller]
fn assert_plain(text: &str) {
    let obeyed = |letter: char| {
        letter.is_control() && letter != '\n'
            || matches!(letter, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    assert!(!text.contains(obeyed), "{text:?}");
    assert!(!text.lines().any(|line| line.starts_with("error[forged]")), "{text:?}");
}

#[test]
fn ids() {
    let folder = Folder::new();
    let (rejects, findings) = (folder.arg("rejects"), folder.arg("findings"));
    for (spelled, _) in HIDDEN {
        let input = format!("{{\"id\":\"{spelled}\"}}\n");
        let answer = transform(&["--rejects", &rejects, "--diagnostics", &findings], input.as_bytes());
        assert_eq!(answer.code, 1);
        assert_plain(&answer.stderr_text());
        assert!(answer.stderr_text().starts_with("error[id-charset]: line 1 (byte "), "{}", answer.stderr_text());
        assert_eq!(folder.text("rejects"), input);
        // The diagnostics hold the id itself, for programs.
        let id: String = serde_json::from_str(&format!("\"{spelled}\"")).expect("a string");
        assert_eq!(json_lines(&folder.read("findings"))[0]["id"], id);
    }
}

#[test]
fn an_escaped_id_shows_what_is_there() {
    for (spelled, shown) in HIDDEN {
        // A letter that is refused first, so that the whole id is in a message of its own kind.
        let answer = transform::<&str>(&[], format!("{{\"id\":\"~{spelled}\"}}\n").as_bytes());
        let stderr = answer.stderr_text();
        let shown_otherwise = shown.replace("\\u{0}", "\\0").replace("\\r\\n", "\\u{d}\\u{a}");
        let found = stderr.contains(shown) || stderr.contains(&shown_otherwise);
        assert!(found, "{shown} is not in {stderr}");
    }
}

#[test]
fn names_notices_and_lists() {
    let folder = Folder::new();
    for (spelled, _) in HIDDEN {
        let twice = format!("{{\"id\":\"a\",\"{spelled}\":1,\"{spelled}\":2}}\n");
        assert_plain(&transform::<&str>(&[], twice.as_bytes()).stderr_text());
        let inner = format!("{{\"id\":\"a\",\"authentication\":{{\"{spelled}\":1,\"{spelled}\":2}}}}\n");
        assert_plain(&transform(&["--strip-keys"], inner.as_bytes()).stderr_text());
        let text: String = serde_json::from_str(&format!("\"{spelled}\"")).expect("a string");
        assert_plain(&transform::<&str>(&[], format!("note {}\n", text.replace('\n', "")).as_bytes()).stderr_text());
        let list = folder.write("ids", text.replace('\n', ""));
        assert_plain(&transform(&["--ids", &list], b"").stderr_text());
    }
    assert_plain(&transform::<&str>(&[], b"{\"id\":\x1b[31m}\n{\"id\":\"\x1b]0;title\x07\"}\n").stderr_text());
}

#[test]
fn paths() {
    let folder = Folder::new();
    for name in ["no\u{1b}[31m", "no\u{202e}such", "no\nerror[forged]: such"] {
        let missing = folder.arg(name);
        for args in [[missing.as_str()].as_slice(), &["--ids", &missing], &["-o", &format!("{missing}/out")]] {
            let answer = transform(args, b"");
            assert_eq!(answer.code, 3);
            assert_plain(&answer.stderr_text());
        }
    }
}

#[test]
fn colours_are_the_only_controls() {
    for (spelled, _) in HIDDEN {
        let answer = transform(&["--color", "always"], format!("{{\"id\":\"{spelled}\"}}\n").as_bytes());
        let mut text = answer.stderr_text();
        assert!(text.contains('\u{1b}'), "{text:?}");
        for code in ["[0m", "[1m", "[31m", "[33m", "[36m"] {
            text = text.replace(&format!("\u{1b}{code}"), "");
        }
        assert_plain(&text);
    }
}

#[test]
fn a_long_id_is_cut() {
    let answer = transform::<&str>(&[], format!("{{\"id\":\"{} é\"}}\n", "x".repeat(500_000)).as_bytes());
    assert_eq!(answer.code, 1);
    assert!(answer.stderr_text().len() < 4000, "{} bytes", answer.stderr_text().len());
}
