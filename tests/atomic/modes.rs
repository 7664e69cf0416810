//! Responsible for: who may read what was written, and that a file's mode and links stay.

use crate::support::{Folder, assert_answer, device, devices, run, script, transform};
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

fn mode(folder: &Folder, name: &str) -> u32 {
    fs::metadata(folder.path(name)).unwrap_or_else(|error| panic!("{name}: {error}")).permissions().mode() & 0o7777
}

fn set_mode(folder: &Folder, name: &str, mode: u32) {
    fs::set_permissions(folder.path(name), Permissions::from_mode(mode)).expect("the mode can be set");
}

#[test]
fn an_old_file_keeps_its_mode_but_keys_are_its_owners_alone() {
    let folder = Folder::new();
    for old in [0o644, 0o600, 0o640, 0o666, 0o400, 0o755] {
        for (name, flags, wanted) in [
            ("out", ["-o"].as_slice(), old),
            ("out", &["--regenerate-keys", "-o"], old & 0o700),
            ("keys", &["--regenerate-keys", "--keys-out"], old & 0o700),
            ("rejects", &["--rejects"], old & 0o700),
            ("filtered", &["--filtered"], old & 0o700),
        ] {
            let path = folder.write(name, "old");
            set_mode(&folder, name, old);
            let args = [flags, &[path.as_str()]].concat();
            let answer =
                transform(&args, b"{\"id\":\"a\",\"status\":\"enabled\",\"authentication\":{\"type\":\"none\"}}\n");
            assert_eq!(answer.code, 0, "{args:?} {}", answer.stderr_text());
            assert_eq!((mode(&folder, name), folder.names().len()), (wanted, 1), "{old:o} {args:?}");
            assert_ne!(folder.text(name), "old");
            fs::remove_file(folder.path(name)).expect("it was there");
        }
    }
}

#[test]
fn a_new_file_has_the_mode_of_the_umask() {
    for (umask, wanted) in [("022", 0o644), ("027", 0o640), ("000", 0o666), ("077", 0o600)] {
        let folder = Folder::new();
        let paths = ["out", "report", "findings"].map(|name| folder.arg(name));
        let text = format!("umask {umask}; exec \"$0\" transform -o \"$1\" --report \"$2\" --diagnostics \"$3\"");
        assert_answer(&run(script(&text, &paths), devices(2).as_bytes()), 0, "");
        for name in ["out", "report", "findings"] {
            assert_eq!(mode(&folder, name), wanted, "{name} under {umask}");
        }
    }
}

#[test]
fn secrets_are_for_the_owner_alone() {
    for umask in ["000", "022", "077"] {
        let folder = Folder::new();
        let paths = ["out", "keys", "rejects", "filtered"].map(|name| folder.arg(name));
        let text = format!(
            "umask {umask}; exec \"$0\" transform --regenerate-keys --devices-only \
             -o \"$1\" --keys-out \"$2\" --rejects \"$3\" --filtered \"$4\""
        );
        let input = format!("{}{{\n{{\"id\":\"a\",\"moduleId\":\"m\"}}\n", device("a"));
        assert_answer(&run(script(&text, &paths), input.as_bytes()), 1, "");
        for name in ["out", "keys", "rejects", "filtered"] {
            assert_eq!(mode(&folder, name), 0o600, "{name} under {umask}");
            assert!(!folder.read(name).is_empty(), "{name}");
        }
    }
}

#[test]
fn promoting_makes_secrets_and_swapping_does_not() {
    let folder = Folder::new();
    let output = folder.arg("out");
    for (rule, wanted) in [("--promote-secondary", 0o600), ("--regenerate-keys=primary", 0o600), ("--swap-keys", 0o644)]
    {
        let text = "umask 022; exec \"$0\" transform \"$1\" -o \"$2\"";
        assert_answer(&run(script(text, &[rule, &output]), device("a").as_bytes()), 0, "");
        assert_eq!(mode(&folder, "out"), wanted, "{rule}");
        fs::remove_file(folder.path("out")).expect("it was there");
    }
}

#[test]
fn what_is_being_written_is_not_readable_for_others() {
    // An old private file is replaced: the temporary beside it must be as private from its first byte.
    let folder = Folder::new();
    let output = folder.write("out", "old");
    set_mode(&folder, "out", 0o600);
    let text = "umask 000; exec \"$0\" transform -o \"$1\"";
    let mut child = script(text, &[&output]).spawn().expect("it starts");
    let started = std::time::Instant::now();
    let temporary = loop {
        if let Some(name) = folder.names().into_iter().find(|name| name != "out") {
            break name;
        }
        assert!(started.elapsed() < crate::support::PATIENCE, "a temporary is made at the start");
        std::thread::sleep(std::time::Duration::from_millis(2));
    };
    assert_eq!(mode(&folder, &temporary), 0o600);
    assert!(temporary.starts_with(".hubmill-"), "{temporary} can be recognised");
    assert_answer(&crate::support::finish(&mut child, device("a").as_bytes(), |_| {}), 0, "");
    assert_eq!((mode(&folder, "out"), folder.names()), (0o600, vec!["out".to_owned()]));
}

#[test]
fn a_symbolic_link_stays_and_its_file_is_replaced() {
    let folder = Folder::new();
    fs::create_dir(folder.path("elsewhere")).expect("a folder");
    for (index, target) in ["elsewhere/real", "./elsewhere/../elsewhere/real2", "elsewhere/new"].into_iter().enumerate()
    {
        let link = folder.arg(&format!("link-{index}"));
        symlink(target, &link).expect("a link");
        let chain = folder.arg(&format!("chain-{index}"));
        symlink(&link, &chain).expect("a link");
        if index < 2 {
            folder.write(target, "old");
        }
        assert_answer(&transform(&["-o", &chain], device("a").as_bytes()), 0, "");
        for link in [&link, &chain] {
            assert!(fs::symlink_metadata(link).expect("it is there").is_symlink(), "{link}");
        }
        assert_eq!(folder.text(target), device("a"));
    }
    let names: Vec<String> = folder.names().into_iter().filter(|name| name.starts_with('.')).collect();
    assert!(names.is_empty(), "{names:?}");
}

#[test]
fn a_new_file_takes_the_place_of_the_old_one() {
    // Another name of the old file keeps the old content: nothing is written into it.
    let folder = Folder::new();
    let output = folder.write("out", "old");
    fs::hard_link(&output, folder.path("other")).expect("a hard link");
    assert_answer(&transform(&["-o", &output], device("a").as_bytes()), 0, "");
    assert_eq!((folder.text("out"), folder.text("other")), (device("a"), "old".to_owned()));
    let inode = |name: &str| fs::metadata(folder.path(name)).expect("it is there").ino();
    assert_ne!(inode("out"), inode("other"));
}

#[test]
fn without_sync_the_result_is_the_same() {
    let folder = Folder::new();
    let paths = ["out", "rejects", "report"].map(|name| folder.arg(name));
    let args = ["--no-sync", "-o", &paths[0], "--rejects", &paths[1], "--report", &paths[2]];
    let input = format!("{}[]\n", devices(1000));
    assert_answer(&transform(&args, input.as_bytes()), 1, "");
    assert_eq!((folder.text("out"), folder.text("rejects")), (devices(1000), "[]\n".to_owned()));
    assert_eq!(folder.names(), ["out", "rejects", "report"]);
}
