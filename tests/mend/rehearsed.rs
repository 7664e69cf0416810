//! What `diff` and `undo` compute, applied by `hubmill plan --result`: the same answer from the same rules that a user can look at.

use crate::support::{Folder, hubmill};
use hubmill_testkit::generate::{Kind, line};
use hubmill_testkit::hub::Hub;
use hubmill_testkit::rng::Rng;

/// Lines of generated exports, by index.
fn lines(kind: Kind, indexes: impl Iterator<Item = u64>) -> Vec<String> {
    let one = |index| {
        let mut text = Vec::new();
        line(kind, 5, index, &mut text);
        String::from_utf8(text).expect("text")
    };
    // Without keys nothing can be told of a device's authentication.
    indexes.map(one).filter(|line| !line.contains("\"authentication\":null")).collect()
}

/// A file that has come from these lines: some changed, whole groups of an edge device and what belongs to it gone, some new.
fn changed(rng: &mut Rng, kind: Kind, lines_of: &[String]) -> String {
    let mut out = String::new();
    for group in lines_of.chunks(16) {
        if rng.chance(15) {
            continue;
        }
        for line in group {
            // The hub's own modules are not for an import to change.
            let line = match rng.below(6) {
                _ if line.contains("\"moduleId\":\"$") => line.clone(),
                0 => line.replace("\"status\":\"enabled\"", "\"status\":\"disabled\""),
                1 => line.replace("\"tags\":{", "\"tags\":{\"moved\":true,").replace(",}", "}"),
                2 => line.replace("\"desired\":{", "\"desired\":{\"target\":1.50,").replace(",}", "}"),
                _ => line.clone(),
            };
            out += &line;
            out.push('\n');
        }
    }
    let new = 1_600 + 16 * rng.below(5) as u64;
    out + &lines(kind, new..new + 32).join("\n") + "\n"
}

#[track_caller]
fn run(args: &[&str]) -> String {
    let answer = hubmill(args, b"");
    assert_eq!(answer.code, 0, "{args:?}: {}", answer.stderr_text());
    answer.stdout_text()
}

#[test]
fn a_diff_makes_one_registry_the_other() {
    for seed in 0..8 {
        let kind = [Kind::Identity, Kind::Twin][seed as usize % 2];
        let mut rng = Rng::new(seed);
        let from = lines(kind, 0..160);
        let to = changed(&mut rng, kind, &from);
        let from = from.join("\n") + "\n";
        let folder = Folder::new();
        let (a, b, import, result) =
            (folder.write("from", &from), folder.write("to", &to), folder.arg("import"), folder.arg("result"));
        run(&["diff", "--delete", "--reported", &a, &b, "-o", &import]);
        run(&["plan", "--registry", &a, &import, "--result", &result]);
        assert!(Hub::of(&from).canonical() != Hub::of(&to).canonical());
        assert_eq!(Hub::of(&folder.text("result")).canonical(), Hub::of(&to).canonical(), "seed {seed}");
        assert_eq!(run(&["diff", "--delete", "--reported", &result, &b]), "", "seed {seed}");
    }
}

#[test]
fn an_import_and_its_undo_give_the_registry_back() {
    for seed in 0..8 {
        let kind = [Kind::Identity, Kind::Twin][seed as usize % 2];
        let mut rng = Rng::new(seed);
        let backup = lines(kind, 0..160);
        let to = changed(&mut rng, kind, &backup);
        let backup = backup.join("\n") + "\n";
        let folder = Folder::new();
        let (a, b, import, after) =
            (folder.write("backup", &backup), folder.write("to", &to), folder.arg("import"), folder.arg("after"));
        run(&["diff", "--delete", "--reported", &a, &b, "-o", &import]);
        run(&["plan", "--registry", &a, &import, "--result", &after]);
        let (undo, again) = (folder.arg("undo"), folder.arg("again"));
        run(&["undo", "--registry", &a, &import, "-o", &undo]);
        run(&["plan", "--registry", &after, &undo, "--result", &again]);
        assert_eq!(Hub::of(&folder.text("again")).canonical(), Hub::of(&backup).canonical(), "seed {seed}");
    }
}
