//! Writes a file of made-up devices: `cargo run --release -p hubmill-testkit --example generate -- identity 1000000 PATH`.

use std::path::Path;

use hubmill_testkit::generate::{Kind, write_file};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [kind, lines, path] = arguments.as_slice() else {
        panic!("usage: generate KIND LINES PATH");
    };
    let kind = Kind::ALL.into_iter().find(|known| format!("{known:?}").eq_ignore_ascii_case(kind)).expect(
        "a kind: identity, twin, everylineanother, deep, escapes, nonascii, manynames, allinvalid, tenbytes, huge",
    );
    write_file(kind, lines.parse().expect("a number of lines"), 1, Path::new(path)).expect("the path can be written");
}
