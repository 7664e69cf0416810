//! Runs fuzz targets without a fuzzer: inputs follow from a seed, so that every run can be had again.
//!
//!     drive [--seed N] [--executions N | --seconds N] [--keep FOLDER] TARGET...     all targets where none is named
//!     drive --replay FILE TARGET                                                    one input
//!     drive --seeds FOLDER [--executions N] TARGET                                  writes inputs for another fuzzer
//!
//! A failing input is made as small as can be, printed, and kept in the folder. The exit code is 1 then.

use std::cell::RefCell;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use hubmill_fuzz::inputs::Maker;
use hubmill_fuzz::{TARGETS, Target};

/// How long a failing input is made smaller at most.
const MINIMIZE: Duration = Duration::from_secs(20);
/// How often the rate is printed.
const SAY_EVERY: Duration = Duration::from_secs(30);

struct Options {
    seed: u64,
    executions: Option<u64>,
    seconds: Option<u64>,
    keep: Option<PathBuf>,
    replay: Option<PathBuf>,
    seeds: Option<PathBuf>,
    targets: Vec<Target>,
}

fn main() -> ExitCode {
    let options = match options() {
        Ok(options) => options,
        Err(why) => {
            eprintln!("drive: {why}");
            return ExitCode::from(2);
        }
    };
    quiet_panics();
    match act(&options) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("drive: {error}");
            ExitCode::from(3)
        }
    }
}

fn options() -> Result<Options, String> {
    let mut options = Options {
        seed: 1,
        executions: None,
        seconds: None,
        keep: None,
        replay: None,
        seeds: None,
        targets: Vec::new(),
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("{argument} takes a value"));
        let number = |text: String| text.replace('_', "").parse::<u64>().map_err(|error| format!("{text}: {error}"));
        match argument.as_str() {
            "--seed" => options.seed = number(value()?)?,
            "--executions" => options.executions = Some(number(value()?)?),
            "--seconds" => options.seconds = Some(number(value()?)?),
            "--keep" => options.keep = Some(value()?.into()),
            "--replay" => options.replay = Some(value()?.into()),
            "--seeds" => options.seeds = Some(value()?.into()),
            name => match TARGETS.iter().find(|target| target.name == name) {
                Some(target) => options.targets.push(*target),
                None => {
                    let names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
                    return Err(format!("no target {name}; there are {}", names.join(", ")));
                }
            },
        }
    }
    if options.targets.is_empty() {
        options.targets.extend(TARGETS);
    }
    Ok(options)
}

/// Whether all went well.
fn act(options: &Options) -> std::io::Result<bool> {
    let mut good = true;
    for target in &options.targets {
        good &= match (&options.replay, &options.seeds) {
            (Some(file), _) => {
                let data = fs::read(file)?;
                match failure(target, &data) {
                    None => true,
                    Some((_, message)) => {
                        println!("{}: {message}", target.name);
                        false
                    }
                }
            }
            (None, Some(folder)) => {
                fs::create_dir_all(folder)?;
                let mut maker = Maker::new(options.seed);
                for number in 0..options.executions.unwrap_or(500) {
                    fs::write(folder.join(format!("seed-{number}")), (target.make)(&mut maker))?;
                }
                true
            }
            (None, None) => drive(target, options)?,
        };
    }
    Ok(good)
}

/// Runs a target over made inputs.
fn drive(target: &Target, options: &Options) -> std::io::Result<bool> {
    let executions = options.executions.unwrap_or(if options.seconds.is_some() { u64::MAX } else { 100_000 });
    let seconds = options.seconds.map_or(Duration::MAX, Duration::from_secs);
    let started = Instant::now();
    let mut said = started;
    let mut maker = Maker::new(options.seed);
    let (mut done, mut lines, mut bytes) = (0u64, 0u64, 0u64);
    while done < executions {
        if done.is_multiple_of(64) {
            if started.elapsed() >= seconds {
                break;
            }
            if said.elapsed() >= SAY_EVERY {
                said = Instant::now();
                println!("{}", rate(target, done, lines, bytes, started));
            }
        }
        let data = (target.make)(&mut maker);
        if let Some((place, message)) = failure(target, &data) {
            println!("{}: execution {done} of seed {} fails: {message}", target.name, options.seed);
            let small = minimized(target, &data, &place);
            let (_, message) = failure(target, &small).unwrap_or_default();
            println!("smallest: {:?}\n{message}", String::from_utf8_lossy(&small));
            if let Some(folder) = &options.keep {
                fs::create_dir_all(folder)?;
                let file = folder.join(format!("{}-{}-{done}", target.name, options.seed));
                fs::write(&file, &small)?;
                println!("kept as {}", file.display());
            }
            println!("{}: FAILED", target.name);
            return Ok(false);
        }
        done += 1;
        lines += data.iter().filter(|byte| **byte == b'\n').count() as u64 + 1;
        bytes += data.len() as u64;
    }
    println!("{}: ok", rate(target, done, lines, bytes, started));
    Ok(true)
}

fn rate(target: &Target, done: u64, lines: u64, bytes: u64, started: Instant) -> String {
    let seconds = started.elapsed().as_secs_f64();
    format!(
        "{}: {done} executions, {lines} lines, {bytes} bytes in {seconds:.1} s, {:.0} executions per second",
        target.name,
        done as f64 / seconds.max(1e-9)
    )
}

thread_local! {
    /// Where the last panic was, and what it said.
    static PANIC: RefCell<(String, String)> = const { RefCell::new((String::new(), String::new())) };
}

/// Panics are caught and kept, not printed.
fn quiet_panics() {
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        PANIC.with(|panic| *panic.borrow_mut() = (place, info.to_string()));
    }));
}

/// Where a run of the target panics and what it says, if it does.
fn failure(target: &Target, data: &[u8]) -> Option<(String, String)> {
    let result = catch_unwind(AssertUnwindSafe(|| (target.run)(data)));
    result.err().map(|_| PANIC.with(|panic| panic.borrow().clone()))
}

/// A small input that fails at the same place.
fn minimized(target: &Target, data: &[u8], place: &str) -> Vec<u8> {
    let started = Instant::now();
    let mut small = data.to_vec();
    let fails = |data: &[u8]| failure(target, data).is_some_and(|(there, _)| there == place);
    loop {
        let before = small.len();
        let mut step = small.len() / 2;
        while step > 0 {
            let mut at = 0;
            while at < small.len() {
                if started.elapsed() > MINIMIZE {
                    return small;
                }
                let shorter = [&small[..at], &small[small.len().min(at + step)..]].concat();
                if fails(&shorter) { small = shorter } else { at += step }
            }
            step /= 2;
        }
        // Choices that do not matter become the first ones.
        for at in 0..small.len().min(64) {
            let mut plain = small.clone();
            plain[at] = 0;
            if plain != small && started.elapsed() < MINIMIZE && fails(&plain) {
                small = plain;
            }
        }
        if small.len() == before {
            return small;
        }
    }
}
