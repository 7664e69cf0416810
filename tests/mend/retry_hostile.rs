//! `hubmill retry` with input that is not as it should be: garbage, pipes, repeats by the hundred thousand, secrets.

use crate::support::{Folder, PATIENCE, assert_answer, device, devices, hubmill, run, script, with_bad_bytes};
use hubmill_testkit::process::run_with_peak_memory;
use hubmill_testkit::rng::Rng;
use serde_json::json;
use std::time::Instant;

const KEY: &str = "pC7hQx+V2zT0rJ4/kWb9sYd3LmN8uGfAeXo1iRv5BtE=";

fn entry(id: &str, code: u32) -> String {
    format!("{{\"deviceId\":\"{id}\",\"errorCode\":{code},\"errorStatus\":\"{id}\"}}")
}

#[test]
fn line_ends_a_byte_order_mark_and_a_torn_end() {
    let folder = Folder::new();
    let import = folder.write("import", format!("\u{feff}{}", devices(5).replace('\n', "\r\n")));
    let log = format!(
        "\u{feff}{}\r\n\n{}\r{}",
        entry("device-1", 429_001),
        entry("device-3", 429_001),
        "\r\r\n{\"deviceId\":\"device-4\","
    );
    let log = folder.write("log", log);
    let answer = hubmill(&["retry", "--errors", &log, &import], b"");
    assert_answer(&answer, 1, [device("device-1"), device("device-3")].concat());
    assert!(answer.stderr_text().contains("line 4 of the log says nothing: the line is not JSON, or is cut off"));
}

#[test]
fn a_line_of_a_log_that_is_json_and_no_object_is_said_to_be_that() {
    let folder = Folder::new();
    let import = folder.write("import", devices(2));
    let log = folder.write("log", format!("[]\n{}\n\"x\"\n", entry("device-1", 429_001)));
    let answer = hubmill(&["retry", "--errors", &log, &import], b"");
    assert_answer(&answer, 1, device("device-1"));
    for line in [1, 3] {
        let text = format!("line {line} of the log says nothing: the line is JSON, but not an object");
        assert!(answer.stderr_text().contains(&text), "{}", answer.stderr_text());
    }
}

#[test]
fn garbage_for_a_log_is_said_and_nothing_is_made_up() {
    let folder = Folder::new();
    let import = folder.write("import", devices(20));
    let mut rng = Rng::new(7);
    for round in 0..60 {
        let bytes: Vec<u8> = match round % 4 {
            0 => (0..rng.below(3000)).map(|_| rng.below(256) as u8).collect(),
            1 => with_bad_bytes("{\"deviceId\":\"\u{fffd}\",\"errorCode\":1}\n[]\n\"x\"\n12\nnull\n"),
            2 => {
                b"{\"deviceId\":7,\"errorCode\":1}\n{\"errorCode\":{}}\n{\"errorCode\":[1]}\n{\"errorCode\":\"\"}\n{}\n"
                    .to_vec()
            }
            _ => {
                // A good log with one byte changed.
                let mut log = (0..20)
                    .map(|index| entry(&format!("device-{index}"), 429_001) + "\n")
                    .collect::<String>()
                    .into_bytes();
                let at = rng.below(log.len());
                log[at] = rng.below(256) as u8;
                log
            }
        };
        let log = folder.write("log", &bytes);
        let answer = hubmill(&["retry", "--errors", &log, &import], b"");
        assert!([0, 1].contains(&answer.code), "round {round}: exit {}: {}", answer.code, answer.stderr_text());
        let all = devices(20);
        for line in answer.stdout_text().lines() {
            assert!(all.contains(line), "round {round}: {line}");
        }
        if round % 4 == 1 || round % 4 == 2 {
            assert_answer(&answer, 1, "");
            assert_eq!(answer.stderr_text().matches("error[log-syntax]").count(), 5, "{}", answer.stderr_text());
        }
    }
}

#[test]
fn garbage_for_an_import_is_not_lost_where_the_log_quotes_it() {
    let folder = Folder::new();
    let lines = ["not json at all", "{\"id\":\"a\"", "[1,2]", "{\"id\":\"a\"} x", "{'id':'q'}", "\u{7}"];
    let status = |line: &str| json!({"errorCode": 400_012, "errorStatus": format!("Invalid device format in line: {line}. No.")});
    let log: String = lines.iter().map(|line| format!("{}\n", status(line))).collect();
    let (log, import) = (folder.write("log", log), folder.write("import", lines.join("\n")));
    let answer = hubmill(&["retry", "--errors", &log, &import], b"");
    assert_answer(&answer, 0, lines.join("\n") + "\n");
    // And where it does not, such lines are no failures: the notice, too.
    let log = folder.write("log", entry("b", 429_001));
    let answer =
        hubmill(&["retry", "--errors", &log, "-"], format!("{}\n{}", lines.join("\n"), device("b")).as_bytes());
    assert_answer(&answer, 0, device("b"));
}

#[test]
fn hundreds_of_thousands_of_repeats_cost_what_the_different_entries_cost() {
    let folder = Folder::new();
    let one_pass: String = (0..500).map(|index| entry(&format!("device-{}", 2 * index), 429_001) + "\n").collect();
    let log = folder.write("log", one_pass.repeat(800));
    let import = folder.write("import", devices(1_000));
    let started = Instant::now();
    let args = ["retry", "--errors", &log, &import, "--report", "-", "-q", "-j", "2"];
    let (answer, memory) = run_with_peak_memory(&crate::support::binary(), args, b"").expect("it runs");
    assert!(started.elapsed() < PATIENCE);
    let want: String = (0..500).map(|index| device(&format!("device-{}", 2 * index))).collect();
    assert_answer(&answer, 0, want);
    assert!(answer.stderr_text().contains("\"lines\":400000,\"entries\":500,"), "{}", answer.stderr_text());
    assert!(memory < 64 << 20, "{memory} bytes");
}

#[test]
fn the_same_bytes_at_any_thread_count_and_source() {
    let folder = Folder::new();
    let log: String = (0..20_000).step_by(3).map(|index| entry(&format!("device-{index}"), 429_001) + "\n").collect();
    let (log, import) = (folder.write("log", log), devices(20_000));
    let path = folder.write("import", &import);
    let want: String = (0..20_000).step_by(3).map(|index| device(&format!("device-{index}"))).collect();
    for threads in ["1", "2", "5"] {
        for mmap in ["always", "never"] {
            let answer = hubmill(&["retry", "--errors", &log, &path, "-j", threads, "--mmap", mmap], b"");
            assert_answer(&answer, 0, &want);
        }
        let answer = hubmill(&["retry", "--errors", &log, "-j", threads], import.as_bytes());
        assert_answer(&answer, 0, &want);
    }
    // The log from a pipe.
    let text = folder.text("log");
    let answer = hubmill(&["retry", "--errors", "-", &path], text.as_bytes());
    assert_answer(&answer, 0, &want);
}

#[test]
fn wrong_calls_touch_nothing() {
    let folder = Folder::new();
    let (log, import, out) =
        (folder.write("log", entry("a", 1)), folder.write("import", device("a")), folder.arg("out"));
    for (args, names) in [
        (vec!["--errors", "-"], ["--errors", "standard input"]),
        (vec!["--errors", "-", "-"], ["--errors", "standard input"]),
        (vec!["--errors", &log, &log], ["--errors", "the import file"]),
        (vec!["--errors", &log, &import, "-o", &import], ["the import file", "--output"]),
        (vec!["--errors", &log, &import, "-o", &log], ["--errors", "--output"]),
        (vec!["--errors", &log, &import, "-o", &out, "--individually", &out], ["--output", "--individually"]),
        (vec!["--errors", &log, &import, "--individually", "-"], ["--output", "--individually"]),
        (vec!["--errors", &log, &import, "--all", "--code", "429001"], ["--all", "--code"]),
        (vec!["--errors", &log, &import, "--all", "--individually", &out], ["--all", "--individually"]),
        (vec![&import], ["--errors", "retry"]),
    ] {
        let answer = hubmill(&[vec!["retry"], args.clone()].concat(), b"");
        assert_answer(&answer, 2, "");
        assert!(names.iter().all(|name| answer.stderr_text().contains(name)), "{args:?}: {}", answer.stderr_text());
    }
    assert_eq!(folder.names(), ["import", "log"]);
    let answer = hubmill(&["retry", "--errors", &folder.arg("missing"), &import], b"");
    assert_answer(&answer, 3, "");
}

#[test]
fn output_is_there_whole_or_not_at_all_and_a_closed_pipe_is_no_error() {
    let folder = Folder::new();
    let log: String = (0..30_000).map(|index| entry(&format!("device-{index}"), 429_001) + "\n").collect();
    let (log, import, out) = (folder.write("log", log), folder.write("import", devices(30_000)), folder.arg("out"));
    let closed = run(
        script("\"$0\" \"$@\" | head -c 100 > /dev/null; exit ${PIPESTATUS:-0}", &["retry", "--errors", &log, &import]),
        b"",
    );
    assert_eq!(closed.code, 0, "{}", closed.stderr_text());
    let full = hubmill(&["retry", "--errors", &log, &import, "-o", "/dev/full"], b"");
    assert_answer(&full, 3, "");
    let answer = hubmill(&["retry", "--errors", &log, &import, "-o", &out], b"");
    assert_answer(&answer, 0, "");
    assert_eq!(folder.text("out"), devices(30_000));
    assert_eq!(folder.names(), ["import", "log", "out"]);
}

#[test]
fn keys_in_a_log_are_shown_nowhere() {
    let folder = Folder::new();
    let line = format!(
        "{{\"id\":\"{KEY}\",\"authentication\":{{\"symmetricKey\":{{\"primaryKey\":\"{KEY}\",\"secondaryKey\":\"{KEY}\"}}}}"
    );
    let token = format!("SharedAccessSignature sr=hub&sig={KEY}&se=17");
    let mut log = String::new();
    for status in
        [format!("Invalid device format in line: {line}. Error at {KEY}."), line.clone(), token.clone(), KEY.to_owned()]
    {
        log += &format!("{}\n", json!({"errorCode": 400_012, "errorStatus": status}));
        log += &format!("{}\n", json!({"deviceId": status, "errorCode": 409_001, "errorStatus": status}));
        log += &format!("{}\n", json!({"deviceId": "x", "moduleId": status, "errorCode": 409_001}));
        log += &format!("{}\n", json!({"deviceId": "y", "errorCode": status}));
        log += &format!(
            "{}\n",
            json!({"deviceId": "y", "errorCode": 1, "errorStatus": status}).to_string().replace('}', "")
        );
    }
    let log = folder.write("log", log);
    let import = format!("{line}\n{}\n", json!({"id": KEY, "moduleId": KEY}));
    let (report, findings) = (folder.arg("report"), folder.arg("findings"));
    let answer =
        hubmill(&["retry", "--errors", &log, "--report", &report, "--diagnostics", &findings], import.as_bytes());
    assert_eq!(answer.code, 1, "{}", answer.stderr_text());
    for text in [answer.stderr_text(), folder.text("report"), folder.text("findings")] {
        for window in KEY.as_bytes().windows(12) {
            let window = std::str::from_utf8(window).expect("ASCII");
            assert!(!text.contains(window), "{window} in {text}");
        }
    }
}

#[test]
fn a_line_too_long_is_said_and_costs_no_memory() {
    let folder = Folder::new();
    let long = format!("{{\"id\":\"a\",\"tags\":{{\"x\":\"{}\"}}}}\n", "y".repeat(5_000));
    let (log, import) = (folder.write("log", entry("b", 429_001)), format!("{long}{}", device("b")));
    let answer = hubmill(&["retry", "--errors", &log, "--max-line-bytes", "1000"], import.as_bytes());
    assert_answer(&answer, 1, device("b"));
    assert!(answer.stderr_text().contains("error[line-too-long]: line 1 (byte 0): longer than 1000 bytes"));
}
