//! What is left of a task where nobody looks at the lines: the input is read, and as many bytes are written as a program that does
//! the task has to write. From file to file all threads do both, block by block; from pipe to pipe pages are handed on. No program
//! that does the task can be much faster.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use clap::Parser;

/// As in the peers.
const BLOCK_BYTES: u64 = 512 << 10;
/// The most that a pipe may hold without special rights.
const PIPE_BYTES: usize = 1 << 20;

#[derive(Debug, Parser)]
struct Arguments {
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// A file that has as many bytes as are to be written to standard output; nothing: none are
    #[arg(long)]
    like: Option<PathBuf>,
    /// Nothing: from one pipe to another
    input: Option<PathBuf>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let moved = match &arguments.input {
        Some(input) => move_file(&arguments, input),
        None => hand_on(),
    };
    match moved {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

/// Reads a file and writes to the file that is standard output.
fn move_file(arguments: &Arguments, input: &PathBuf) -> io::Result<()> {
    let input = File::open(input)?;
    let output = File::from(io::stdout().as_fd().try_clone_to_owned()?);
    let bytes = input.metadata()?.len();
    let written = arguments.like.as_ref().map_or(Ok(0), |like| like.metadata().map(|file| file.len()))?;
    let blocks = bytes.div_ceil(BLOCK_BYTES);
    let next = AtomicU64::new(0);
    let work = || -> io::Result<()> {
        let mut buffer = Vec::new();
        loop {
            let block = next.fetch_add(1, Ordering::Relaxed);
            if block >= blocks {
                return Ok(());
            }
            let start = block * BLOCK_BYTES;
            let end = bytes.min(start + BLOCK_BYTES);
            let length = (end - start) as usize;
            let place = |at: u64| (u128::from(written) * u128::from(at) / u128::from(bytes)) as u64;
            let to = place(start)..place(end);
            let out = (to.end - to.start) as usize;
            buffer.resize(buffer.len().max(length).max(out), 0);
            input.read_exact_at(&mut buffer[..length], start)?;
            output.write_all_at(&buffer[..out], to.start)?;
        }
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..arguments.threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().expect("a worker does not panic"))
    })
}

/// Hands on what comes through standard input, page by page, without a copy.
#[cfg(target_os = "linux")]
fn hand_on() -> io::Result<()> {
    use rustix::pipe::{SpliceFlags, fcntl_setpipe_size, splice};

    let (input, output) = (io::stdin(), io::stdout());
    let (input, output) = (input.as_fd(), output.as_fd());
    for pipe in [input, output] {
        fcntl_setpipe_size(pipe, PIPE_BYTES)?;
    }
    while splice(input, None, output, None, PIPE_BYTES, SpliceFlags::MOVE)? > 0 {}
    Ok(())
}

/// Copies what comes through standard input.
#[cfg(not(target_os = "linux"))]
fn hand_on() -> io::Result<()> {
    io::copy(&mut io::stdin().lock(), &mut io::stdout().lock()).map(|_| ())
}
