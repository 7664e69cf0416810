//! Responsible for: a run that is ended from outside leaves the target as it was, or whole.

use crate::support::{
    Folder, PATIENCE, Tap, assert_answer, device, devices, finish, script, transform, transform_command, wait,
};
use hubmill_testkit::rng::Rng;
use rustix::process::{Pid, Signal, kill_process};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use std::io::Write as _;
use std::process::Child;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::{Duration, Instant};

/// Where this process was started with signals ignored, as by `nohup` or as a script's background job, its children would
/// be, too, and that is another case. What has a handler here is as usual in a child.
fn as_usual() {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    for signal in [SIGHUP, SIGINT, SIGTERM] {
        if ignored & 1 << (signal - 1) != 0 {
            signal_hook::flag::register(signal, Arc::new(AtomicBool::new(false))).expect("a signal can be handled");
        }
    }
}

fn send(child: &Child, signal: Signal) {
    let process = Pid::from_child(child);
    kill_process(process, signal).expect("the process is there");
}

/// Waits until the run has made so many temporaries.
fn wait_for_temporaries(folder: &Folder, count: usize) {
    let started = Instant::now();
    while folder.names().iter().filter(|name| name.starts_with(".hubmill-")).count() < count {
        assert!(started.elapsed() < PATIENCE, "temporaries are made at the start: {:?}", folder.names());
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_signal_leaves_the_target_and_no_temporary() {
    as_usual();
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129)] {
        for old in [true, false] {
            let folder = Folder::new();
            let paths = ["out", "rejects", "filtered", "keys", "report", "findings"].map(|name| folder.arg(name));
            if old {
                folder.write("out", "old");
            }
            let flags = ["-o", "--rejects", "--filtered", "--keys-out", "--report", "--diagnostics"];
            let mut args = vec!["--regenerate-keys"];
            flags.iter().zip(&paths).for_each(|(flag, path)| args.extend([*flag, path.as_str()]));
            let mut child = transform_command(&args).spawn().expect("it starts");
            let mut stdin = child.stdin.take().expect("a pipe");
            stdin.write_all(devices(500).as_bytes()).expect("it reads");
            wait_for_temporaries(&folder, paths.len());
            send(&child, signal);
            assert_eq!(wait(&mut child, &mut |_| {}), code);
            drop(stdin);
            assert_eq!(folder.names(), if old { vec!["out"] } else { vec![] }, "{signal:?}");
            assert!(!old || folder.text("out") == "old");
        }
    }
}

#[test]
fn a_signal_ends_a_run_that_waits_for_its_reader() {
    as_usual();
    for signal in [Signal::INT, Signal::TERM] {
        let folder = Folder::new();
        let input = folder.write("in", devices(60_000));
        let rejects = folder.arg("rejects");
        let mut child = transform_command(&[&input, "--rejects", &rejects]).spawn().expect("it starts");
        wait_for_temporaries(&folder, 1);
        // Nobody reads its output.
        thread::sleep(Duration::from_millis(50));
        send(&child, signal);
        assert_eq!(wait(&mut child, &mut |_| {}), if signal == Signal::INT { 130 } else { 143 });
        assert_eq!(folder.names(), ["in"]);
    }
}

#[test]
fn a_signal_after_the_end_of_input_loses_no_finished_file() {
    // Whenever it comes: the target is not there, or it is there and whole.
    let wanted = devices(3000);
    let mut rng = Rng::new(41);
    for _ in 0..20 {
        let folder = Folder::new();
        let (input, output) = (folder.write("in", &wanted), folder.arg("out"));
        let mut child = transform_command(&[&input, "-o", &output]).spawn().expect("it starts");
        thread::sleep(Duration::from_micros(rng.below(25_000) as u64));
        send(&child, Signal::TERM);
        let code = finish(&mut child, b"", |_| {}).code;
        match code {
            0 => assert!(folder.text("out") == wanted),
            143 => assert!(!folder.has("out") || folder.text("out") == wanted),
            other => panic!("exit {other}"),
        }
        assert!(folder.names().iter().all(|name| !name.starts_with('.')), "{code}: {:?}", folder.names());
    }
}

#[test]
fn after_a_kill_the_target_is_old_or_new() {
    let (old, new) = (devices(2000).replace("device", "old"), devices(4000));
    let mut rng = Rng::new(42);
    let mut killed = 0;
    for round in 0..20 {
        let folder = Folder::new();
        let (input, output) = (folder.write("in", &new), folder.write("out", &old));
        let mut child = transform_command(&[&input, "-o", &output]).spawn().expect("it starts");
        thread::sleep(Duration::from_micros(rng.below(30_000) as u64));
        let _ = child.kill();
        killed += usize::from(finish(&mut child, b"", |_| {}).code == 137);
        let found = folder.text("out");
        assert!(found == old || found == new, "round {round}: {} bytes", found.len());
        let left = folder.names().into_iter().filter(|name| name != "in" && name != "out");
        for name in left {
            assert!(name.starts_with(".hubmill-") && name.ends_with(".partial"), "{name} can be recognised");
        }
        // And the next run is not hindered by what is left.
        assert_answer(&transform(&[&input, "-o", &output], b""), 0, "");
        assert!(folder.text("out") == new);
    }
    assert!(killed > 0, "all of them were too fast");
}

#[test]
fn signals_that_the_caller_ignores_stay_ignored() {
    // `nohup` and background jobs of a shell.
    for (name, signal) in [("HUP", Signal::HUP), ("INT", Signal::INT)] {
        let folder = Folder::new();
        let rejects = folder.arg("rejects");
        let text = format!("trap '' {name}; exec \"$0\" transform --rejects \"$1\"");
        let mut child = script(&text, &[&rejects]).spawn().expect("it starts");
        let mut stdin = child.stdin.take().expect("a pipe");
        let output = Tap::new(child.stdout.take().expect("a pipe"));
        stdin.write_all(device("before").as_bytes()).expect("it reads");
        output.read_at_least(device("before").len());
        send(&child, signal);
        thread::sleep(Duration::from_millis(50));
        let sent = stdin.write_all(device("after").as_bytes());
        drop(stdin);
        let code = wait(&mut child, &mut |_| {});
        assert!(code == 0 && sent.is_ok(), "{name}: exit {code}");
        assert_eq!(output.rest(), device("after").as_bytes(), "{name}");
    }
}
