//! Times hubmill and its peers in one run and prints a table. `../run` builds what this needs and calls it.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use clap::{Parser, ValueEnum};
use hubmill_compare::equality::{self, Difference, Mask};
use hubmill_compare::machine::Machine;
use hubmill_compare::measure::{self, Aim, Run, median};
use hubmill_compare::programs::{self, Files, Kind, Places, Program};
use hubmill_compare::record::{self, Measurement};
use hubmill_compare::table::{self, Show};
use hubmill_compare::task::Column;

/// Compare hubmill with programs that do the same work: their times as multiples of `cat`, and their outputs.
#[derive(Debug, Parser)]
#[command(name = "benches/compare/run")]
struct Arguments {
    /// The kind of data
    #[arg(long, value_name = "KIND", value_delimiter = ',', default_value = "identity")]
    data: Vec<Data>,
    /// Lines to generate
    #[arg(long, value_name = "N", default_value_t = 200_000)]
    lines: u64,
    /// Timed rounds; each program has its turn in each
    #[arg(long, value_name = "N", default_value_t = 7)]
    rounds: usize,
    /// Where data and outputs go, in a folder that goes at the end, unless the run is interrupted; default: /dev/shm, if it
    /// is there, else the folder for temporary files
    #[arg(long, value_name = "PATH")]
    dir: Option<PathBuf>,
    /// Append what was measured to benches/record
    #[arg(long)]
    record: bool,
    /// Compare outputs only, on 2,000 lines; fails if a library's or one of hubmill's differs
    #[arg(long)]
    smoke: bool,
    /// The hubmill to measure
    #[arg(long, value_name = "PATH", hide = true)]
    hubmill: PathBuf,
    /// The program that generates data
    #[arg(long, value_name = "PATH", hide = true)]
    generate: PathBuf,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Data {
    /// Devices without twins, some 350 bytes a line
    Identity,
    /// Devices with twins, some 3,200 bytes a line
    Twin,
}

impl Data {
    fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Twin => "twin",
        }
    }
}

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            eprintln!("error: an output is not equal to hubmill's");
            ExitCode::from(1)
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

/// Whether all outputs that must be equal are.
fn run(mut arguments: Arguments) -> io::Result<bool> {
    if arguments.smoke {
        (arguments.lines, arguments.rounds) = (2_000, 1);
    }
    let own = std::env::current_exe()?;
    let machine = Machine::here();
    let places = Places {
        hubmill: arguments.hubmill.clone(),
        peers: own.parent().map(Path::to_owned).unwrap_or_default(),
        threads: machine.cores,
    };
    let mut programs = vec![Program::cat()];
    programs.extend(programs::built(&places));
    let (tools, missing) = programs::tools(places.threads);
    programs.extend(tools);
    let folder = folder(arguments.dir.as_deref())?;
    let show = if arguments.smoke { Show::Outputs } else { Show::Everything };
    let mut equal = true;
    for data in &arguments.data {
        let bench = Bench::new(folder.path(), *data, &arguments)?;
        let measurements = bench.measure(&programs)?;
        println!("\n{} lines, `{}` ({} bytes); {}\n", arguments.lines, data.name(), bench.bytes()?, at(&machine));
        print!("{}", table::render(&measurements, &Column::all(), show));
        if show == Show::Everything {
            println!("\n{NOTES}\n");
            if programs.iter().any(|program| program.kind == Kind::Hubmill && !program.validates) {
                println!("- hubmill has no `validate` here: its `check` is `transform --check id --output /dev/null`");
            }
        }
        for missing in &missing {
            println!("- {}: not installed: {}", missing.0, missing.1);
        }
        equal &= measurements.iter().all(must_be_equal);
        if arguments.record {
            let records = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("record");
            let version = hubmill_version(&places.hubmill)?;
            let data = (data.name(), arguments.lines);
            let path = record::append(&records, &machine, &version, data, &measurements)?;
            eprintln!("recorded in {}", path.display());
        }
    }
    Ok(equal || !arguments.smoke)
}

const NOTES: &str = "\
Times are medians as multiples of `cat INPUT > OUTPUT` in the same rounds (piped: of `cat INPUT | cat | cat > /dev/null`), of whole
processes, page cache warm; of several thread counts the best one. DuckDB and polars have at most three rounds; `≈`: run once on a
slice of the data and scaled up. A blank: the program can't do it. MiB: the most anonymous memory in any task. hubmill checks
each id in every task, the others in `check` and `all` only. Outputs are compared with those of `hubmill`, of fresh keys the
lengths.";

/// What stands over a table.
fn at(machine: &Machine) -> String {
    format!("{}, {} cores, kernel {}, {}, {}", machine.cpu, machine.cores, machine.kernel, machine.commit, machine.date)
}

fn must_be_equal(measured: &Measurement) -> bool {
    let own = matches!(measured.kind, Kind::Hubmill | Kind::Library);
    !own || measured.difference.is_some_and(|difference| difference.is_equal())
}

fn folder(wanted: Option<&Path>) -> io::Result<tempfile::TempDir> {
    let memory = Path::new("/dev/shm");
    let within = match wanted {
        Some(path) => path.to_owned(),
        None if memory.is_dir() => memory.to_owned(),
        None => std::env::temp_dir(),
    };
    tempfile::Builder::new().prefix("hubmill-compare-").tempdir_in(within)
}

fn hubmill_version(hubmill: &Path) -> io::Result<String> {
    let output = Command::new(hubmill).arg("--version").output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok(text.split_whitespace().last().unwrap_or_default().to_owned())
}

/// The data and where outputs go.
struct Bench {
    input: PathBuf,
    /// The first lines of the input, for programs that take minutes.
    slice: PathBuf,
    slice_lines: u64,
    lines: u64,
    rounds: usize,
    reference: PathBuf,
    output: PathBuf,
}

/// A program that has done the task once.
struct Contender<'p> {
    program: &'p Program,
    peak_bytes: u64,
    difference: Option<Difference>,
    seconds: Vec<f64>,
}

impl Bench {
    fn new(folder: &Path, data: Data, arguments: &Arguments) -> io::Result<Self> {
        let bench = Self {
            input: folder.join("devices.txt"),
            slice: folder.join("slice.txt"),
            slice_lines: arguments.lines.min((arguments.lines / 10).max(10_000)),
            lines: arguments.lines,
            rounds: arguments.rounds,
            reference: folder.join("reference"),
            output: folder.join("output"),
        };
        let lines = arguments.lines.to_string();
        let status = Command::new(&arguments.generate).args([data.name(), &lines]).arg(&bench.input).status()?;
        if !status.success() {
            return Err(io::Error::other(format!("no data: {status}")));
        }
        copy_lines(&bench.input, &bench.slice, bench.slice_lines)?;
        Ok(bench)
    }

    fn files(&self) -> Files<'_> {
        Files { input: &self.input, output: &self.output, reference: &self.reference }
    }

    fn bytes(&self) -> io::Result<u64> {
        Ok(fs::metadata(&self.input)?.len())
    }

    fn measure(&self, programs: &[Program]) -> io::Result<Vec<Measurement>> {
        let mut measurements = Vec::new();
        for column in Column::all() {
            measurements.extend(self.measure_column(column, programs)?);
        }
        Ok(measurements)
    }

    /// Runs each program once, looks at its output, and then times them in turns.
    fn measure_column(&self, column: Column, programs: &[Program]) -> io::Result<Vec<Measurement>> {
        let hubmill = programs.iter().find(|program| program.kind == Kind::Hubmill).expect("it takes part");
        let launch = hubmill
            .launch(column.task, Files { output: &self.reference, ..self.files() })
            .expect("hubmill does every task");
        measure::to_file(&launch, &self.reference, Aim::Time)?;
        let mut contenders = Vec::new();
        for program in programs {
            eprintln!("{}: {}", column.name(), program.name);
            match self.try_out(program, column) {
                Ok(contender) => contenders.extend(contender),
                Err(error) if program.kind == Kind::Hubmill => return Err(error),
                Err(error) => eprintln!("{}, {}: {error}", program.name, column.name()),
            }
        }
        for round in 1..=self.rounds {
            eprintln!("{}: round {round} of {}", column.name(), self.rounds);
            for contender in contenders.iter_mut().filter(|contender| round <= contender.program.rounds(self.rounds)) {
                let run = self.run_once(contender.program, column, Aim::Time)?;
                contender.seconds.extend(run.map(|run| run.seconds));
            }
        }
        let cat = median(&contenders[0].seconds).unwrap_or(f64::NAN);
        Ok(contenders.iter().filter_map(|contender| contender.measured(column, cat)).collect())
    }

    /// The first run: for the memory and the output, and for the time where there is no other.
    fn try_out<'p>(&self, program: &'p Program, column: Column) -> io::Result<Option<Contender<'p>>> {
        let Some(run) = self.run_once(program, column, Aim::Answer)? else {
            return Ok(None);
        };
        let has_answer = !matches!(program.kind, Kind::Cat | Kind::NoLook);
        let difference = if has_answer { Some(self.difference(program, column)?) } else { None };
        let seconds = if program.is_slow() { vec![run.seconds * self.scale()] } else { Vec::new() };
        Ok(Some(Contender { program, peak_bytes: run.peak_bytes, difference, seconds }))
    }

    fn scale(&self) -> f64 {
        self.lines as f64 / self.slice_lines as f64
    }

    fn run_once(&self, program: &Program, column: Column, aim: Aim) -> io::Result<Option<Run>> {
        let input = if program.is_slow() { &self.slice } else { &self.input };
        // Not on its time: what another one wrote goes.
        if self.output.exists() {
            fs::remove_file(&self.output)?;
        }
        let launch = if column.piped {
            program.launch_in_pipe(column.task)
        } else {
            program.launch(column.task, Files { input, ..self.files() })
        };
        let Some(launch) = launch else {
            return Ok(None);
        };
        let run = if column.piped {
            measure::through_pipes(&launch, input, &self.output, aim)
        } else {
            measure::to_file(&launch, &self.output, aim)
        };
        run.map(Some)
    }

    fn difference(&self, program: &Program, column: Column) -> io::Result<Difference> {
        let lines = if program.is_slow() { self.slice_lines } else { u64::MAX };
        if column.task.counts() {
            let want = good_lines(&self.reference)?.map(|good| good.min(lines));
            let differs = want.is_none() || good_lines(&self.output)? != want;
            return Ok(Difference { lines: 1, bytes: differs.into(), values: differs.into(), ..Difference::default() });
        }
        let mask = if column.task.makes_keys() { Mask::Keys } else { Mask::None };
        equality::compare(&self.reference, &self.output, lines, mask)
    }
}

impl Contender<'_> {
    fn measured(&self, column: Column, cat: f64) -> Option<Measurement> {
        let seconds = median(&self.seconds)?;
        Some(Measurement {
            column,
            program: self.program.name.clone(),
            kind: self.program.kind,
            threads: self.program.threads,
            seconds,
            ratio: seconds / cat,
            peak_bytes: self.peak_bytes,
            difference: self.difference,
        })
    }
}

/// The answer to a check: a number, or hubmill's report, in which lines that are not rejected are good.
fn good_lines(path: &Path) -> io::Result<Option<u64>> {
    let answer: serde_json::Value = serde_json::from_str(&fs::read_to_string(path)?)?;
    let lines = |name: &str| answer.get(name).and_then(serde_json::Value::as_u64);
    Ok(answer.as_u64().or_else(|| lines("lines")?.checked_sub(lines("rejected")?)))
}

fn copy_lines(from: &Path, to: &Path, count: u64) -> io::Result<()> {
    let mut from = BufReader::new(File::open(from)?);
    let mut to = io::BufWriter::new(File::create(to)?);
    let mut line = Vec::new();
    for _ in 0..count {
        line.clear();
        from.read_until(b'\n', &mut line)?;
        to.write_all(&line)?;
    }
    to.flush()
}
