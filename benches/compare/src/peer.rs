//! What the peers share: arguments, lines over threads, output in order. Not what happens to a line.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::thread;

use clap::Parser;
use crossbeam_channel::{Receiver, Sender, bounded, unbounded};

use crate::task::Task;

/// A JSON library at work. Each thread makes its own.
pub trait Peer: Default {
    /// Does the task to a line without its line end, and appends the new line, without one, to `out`.
    ///
    /// False for a line that is to be left out; what it wrote until then is taken back.
    fn line(&mut self, task: Task, line: &mut [u8], out: &mut Vec<u8>) -> bool;
}

#[derive(Debug, Parser)]
struct Arguments {
    #[arg(long)]
    task: Task,
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// Nothing: standard input
    input: Option<PathBuf>,
}

/// The whole program of a peer. The exit code is 1 if lines were left out, 2 if reading or writing failed.
pub fn main<P: Peer>() -> ExitCode {
    let arguments = Arguments::parse();
    match run::<P>(&arguments) {
        Ok(Tally { rejected: 0, .. }) => ExitCode::SUCCESS,
        Ok(Tally { rejected, .. }) => {
            eprintln!("{rejected} lines left out");
            ExitCode::from(1)
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

fn run<P: Peer>(arguments: &Arguments) -> io::Result<Tally> {
    let input: Box<dyn Read + Send> = match &arguments.input {
        Some(path) => Box::new(File::open(path)?),
        None => Box::new(io::stdin()),
    };
    let mut output = io::stdout().lock();
    let tally = transform::<P>(arguments.task, arguments.threads, input, &mut output)?;
    if arguments.task.counts() {
        writeln!(output, "{}", tally.good)?;
    }
    output.flush()?;
    Ok(tally)
}

/// Lines by what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Tally {
    good: u64,
    rejected: u64,
}

/// What is read at once: enough that threads meet rarely, and little enough for the second-level cache.
const BLOCK_BYTES: usize = 512 << 10;

/// Whole lines, block by block, each with its number.
struct Blocks<R> {
    input: R,
    /// The start of a line, read with the last block.
    rest: Vec<u8>,
    next: usize,
}

impl<R: Read> Blocks<R> {
    /// Puts the next whole lines into `block`; nothing at the end.
    fn fill(&mut self, block: &mut Vec<u8>) -> io::Result<Option<usize>> {
        block.clear();
        block.append(&mut self.rest);
        loop {
            let count = (&mut self.input).take(BLOCK_BYTES as u64).read_to_end(block)?;
            if count == 0 {
                break;
            }
            if let Some(end) = memchr::memrchr(b'\n', block) {
                self.rest.extend_from_slice(&block[end + 1..]);
                block.truncate(end + 1);
                break;
            }
        }
        if block.is_empty() {
            return Ok(None);
        }
        self.next += 1;
        Ok(Some(self.next - 1))
    }
}

/// Workers take blocks in turn; this thread writes what they make, in order. The buffers for output go round, which bounds
/// how far workers can run ahead: whoever has the oldest block has a buffer already.
fn transform<P: Peer>(
    task: Task,
    threads: usize,
    input: impl Read + Send,
    output: &mut impl Write,
) -> io::Result<Tally> {
    let blocks = Mutex::new(Blocks { input, rest: Vec::new(), next: 0 });
    let (done_sender, done) = unbounded();
    let (spare_sender, spare) = bounded(2 * threads + 2);
    for _ in 0..2 * threads + 2 {
        spare_sender.send(Vec::new()).expect("there is room for all");
    }
    thread::scope(|scope| {
        let (blocks, spare) = (&blocks, &spare);
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                let done = done_sender.clone();
                scope.spawn(move || work::<P>(task, blocks, spare, &done))
            })
            .collect();
        drop(done_sender);
        let written = write_in_order(done, spare_sender, output);
        let mut tally = Tally::default();
        for worker in workers {
            let part = worker.join().expect("a worker does not panic")?;
            tally.good += part.good;
            tally.rejected += part.rejected;
        }
        written.map(|()| tally)
    })
}

type Done = (usize, Vec<u8>);

fn work<P: Peer>(
    task: Task,
    blocks: &Mutex<Blocks<impl Read>>,
    spare: &Receiver<Vec<u8>>,
    done: &Sender<Done>,
) -> io::Result<Tally> {
    let mut peer = P::default();
    let mut block = Vec::new();
    let mut tally = Tally::default();
    // The writer has gone where a channel is closed, and says why itself.
    while let Ok(mut out) = spare.recv() {
        let Some(number) = blocks.lock().unwrap_or_else(PoisonError::into_inner).fill(&mut block)? else {
            break;
        };
        out.clear();
        let mut rest = block.as_mut_slice();
        while !rest.is_empty() {
            let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
            let (line, after) = rest.split_at_mut(end);
            let length = out.len();
            if peer.line(task, line, &mut out) {
                tally.good += 1;
                if !task.counts() {
                    out.push(b'\n');
                }
            } else {
                out.truncate(length);
                tally.rejected += 1;
            }
            rest = after.get_mut(1..).unwrap_or_default();
        }
        if done.send((number, out)).is_err() {
            break;
        }
    }
    Ok(tally)
}

fn write_in_order(done: Receiver<Done>, spare: Sender<Vec<u8>>, output: &mut impl Write) -> io::Result<()> {
    let mut waiting = BTreeMap::new();
    let mut next = 0;
    for (number, out) in done {
        waiting.insert(number, out);
        while let Some(out) = waiting.remove(&next) {
            output.write_all(&out)?;
            next += 1;
            // At the end there is no one left to take it.
            drop(spare.send(out));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Copies lines, and leaves out those that hold an `x`.
    #[derive(Default)]
    struct Copy;

    impl Peer for Copy {
        fn line(&mut self, _: Task, line: &mut [u8], out: &mut Vec<u8>) -> bool {
            out.extend_from_slice(line);
            !line.contains(&b'x')
        }
    }

    fn copied(input: &[u8], threads: usize) -> (Vec<u8>, Tally) {
        let mut out = Vec::new();
        let tally = transform::<Copy>(Task::ImportMode, threads, input, &mut out).expect("memory can be written");
        (out, tally)
    }

    #[test]
    fn lines_come_out_in_order() {
        let lines: String = (0..200_000).map(|number| format!("line {number}\n")).collect();
        assert!(lines.len() > 4 * BLOCK_BYTES);
        for threads in [1, 2, 5] {
            let (out, tally) = copied(lines.as_bytes(), threads);
            assert!(out == lines.as_bytes(), "{threads} threads");
            assert_eq!(tally, Tally { good: 200_000, rejected: 0 });
        }
    }

    #[test]
    fn lines_longer_than_a_block_and_last_ones_without_end() {
        let mut lines = vec![b'a'; 3 * BLOCK_BYTES];
        lines.extend_from_slice(b"\nab\nb");
        let (out, tally) = copied(&lines, 2);
        lines.push(b'\n');
        assert!(out == lines);
        assert_eq!(tally.good, 3);
    }

    #[test]
    fn bad_lines_are_left_out() {
        assert_eq!(copied(b"a\nx\nb\n", 1), (b"a\nb\n".to_vec(), Tally { good: 2, rejected: 1 }));
        assert_eq!(copied(b"", 2), (Vec::new(), Tally::default()));
    }

    #[test]
    fn a_writer_that_fails_ends_the_run() {
        struct Full;
        impl Write for Full {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::Error::other("full"))
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let lines = b"line\n".repeat(1_000_000);
        let failed = transform::<Copy>(Task::ImportMode, 2, lines.as_slice(), &mut Full);
        assert_eq!(failed.expect_err("it is full").to_string(), "full");
    }
}
