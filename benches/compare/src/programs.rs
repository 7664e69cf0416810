//! Who takes part, and how each is called for each task. Tools that are not there are named with how to install them.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::device::ID_PATTERN;
use crate::task::Task;

/// A program, ready to be run.
#[derive(Clone, Debug)]
pub struct Launch {
    program: PathBuf,
    arguments: Vec<OsString>,
    environment: Vec<(&'static str, String)>,
    /// It writes its output by name; others to standard output.
    pub writes_itself: bool,
}

impl Launch {
    /// A program that writes to standard output.
    pub fn new<A: Into<OsString>>(program: impl Into<PathBuf>, arguments: impl IntoIterator<Item = A>) -> Self {
        let arguments = arguments.into_iter().map(Into::into).collect();
        Self { program: program.into(), arguments, environment: Vec::new(), writes_itself: false }
    }

    fn with(mut self, arguments: impl IntoIterator<Item = impl Into<OsString>>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    fn writing_itself(mut self) -> Self {
        self.writes_itself = true;
        self
    }

    fn under(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.environment.push((name, value.into()));
        self
    }

    /// As a command.
    #[must_use]
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).env_remove("HUBMILL_SIMD").envs(self.environment.iter().cloned());
        command
    }
}

/// What kind of program it is: it decides how it is called and how often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `cat`, the yardstick.
    Cat,
    /// hubmill, in one of its ways.
    Hubmill,
    /// A program of this package.
    Library,
    /// It moves as many bytes as the task does, and looks at none: what a task costs at the least.
    NoLook,
    /// jq and its like. They take minutes for a million lines, and see a slice of the data once.
    Jq,
    /// DuckDB.
    DuckDb,
    /// polars.
    Polars,
}

/// Where a program finds and leaves things.
#[derive(Clone, Copy, Debug)]
pub struct Files<'a> {
    /// The lines.
    pub input: &'a Path,
    /// What it makes of them.
    pub output: &'a Path,
    /// What hubmill made of them.
    pub reference: &'a Path,
}

/// A program with its options.
#[derive(Clone, Debug)]
pub struct Program {
    /// With its version.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// Threads, where it was told how many.
    pub threads: Option<usize>,
    base: Launch,
    /// It has a command that only checks: hubmill's `validate`. Without one, it transforms into nothing.
    pub validates: bool,
}

impl Program {
    /// The yardstick: `cat INPUT`.
    #[must_use]
    pub fn cat() -> Self {
        Self::new("cat", Kind::Cat, Launch::new("cat", [] as [&str; 0]))
    }

    fn new(name: impl Into<String>, kind: Kind, base: Launch) -> Self {
        Self { name: name.into(), kind, threads: None, base, validates: false }
    }

    fn on_threads(&self, threads: usize) -> Self {
        Self { threads: Some(threads), ..self.clone() }
    }

    /// Timed rounds, of those that are wanted: few for those that take seconds for what others do in tenths.
    #[must_use]
    pub fn rounds(&self, wanted: usize) -> usize {
        match self.kind {
            Kind::Cat | Kind::Hubmill | Kind::Library | Kind::NoLook => wanted,
            Kind::DuckDb | Kind::Polars => wanted.min(3),
            Kind::Jq => 0,
        }
    }

    /// It sees only a slice of the data, once.
    #[must_use]
    pub fn is_slow(&self) -> bool {
        self.kind == Kind::Jq
    }

    /// How to do a task from file to file; nothing where the program can't.
    #[must_use]
    pub fn launch(&self, task: Task, files: Files<'_>) -> Option<Launch> {
        let base = self.base.clone();
        let Files { input, output, reference } = files;
        Some(match self.kind {
            Kind::Cat => base.with([input]),
            Kind::NoLook => {
                let like = (!task.counts()).then_some([Path::new("--like"), reference]);
                let threads = self.threads.unwrap_or(1).to_string();
                base.with(["--threads", &threads]).with(like.into_iter().flatten()).with([input])
            }
            Kind::Hubmill => self.hubmill(task, input, output),
            Kind::Library => self.library(task).with([input]),
            Kind::Jq => base.with(jq(task)?).with([input]),
            Kind::DuckDb => {
                let threads = self.threads.unwrap_or(1);
                base.with([format!("SET threads={threads}; {}", sql(task, input, output)?)]).writing_itself()
            }
            Kind::Polars => {
                let threads = self.threads.unwrap_or(1).to_string();
                let files = [input.as_os_str(), output.as_os_str()];
                let launch = base.with([(!task.makes_keys()).then(|| task.name())?]).with(files);
                launch.with([ID_PATTERN]).under("POLARS_MAX_THREADS", threads).writing_itself()
            }
        })
    }

    /// How to do a task from standard input to standard output; nothing where the program can't.
    #[must_use]
    pub fn launch_in_pipe(&self, task: Task) -> Option<Launch> {
        let base = self.base.clone();
        match self.kind {
            Kind::Cat | Kind::NoLook => Some(base),
            Kind::Hubmill => Some(self.hubmill_rules(task)),
            Kind::Library => Some(self.library(task)),
            Kind::Jq => Some(base.with(jq(task)?)),
            Kind::DuckDb | Kind::Polars => None,
        }
    }

    fn library(&self, task: Task) -> Launch {
        let threads = self.threads.unwrap_or(1).to_string();
        self.base.clone().with(["--task", task.name(), "--threads", &threads])
    }

    fn hubmill_rules(&self, task: Task) -> Launch {
        let rules: &[&str] = match task {
            Task::ImportMode => &["--import-mode", "delete"],
            Task::StripKeys => &["--strip-keys"],
            Task::Check => &["--check", "id"],
            Task::FreshKeys => &["--regenerate-keys"],
            Task::All => &["--import-mode", "delete", "--strip-keys"],
        };
        let command = if task.counts() && self.validates { "validate" } else { "transform" };
        let mut launch = self.base.clone();
        launch.arguments.insert(0, command.into());
        launch.with(rules).with(["--quiet"])
    }

    /// The answer to a check is the report: a summary in JSON.
    fn hubmill(&self, task: Task, input: &Path, output: &Path) -> Launch {
        let launch = self.hubmill_rules(task).with([input]).writing_itself();
        match (task.counts(), self.validates) {
            (true, true) => launch.with([Path::new("--report"), output]),
            (true, false) => {
                launch.with([Path::new("--output"), Path::new("/dev/null"), Path::new("--report"), output])
            }
            (false, _) => launch.with([Path::new("--no-sync"), Path::new("--output"), output]),
        }
    }
}

/// jq's arguments. It has no source of random keys.
fn jq(task: Task) -> Option<Vec<String>> {
    let mode = r#".importMode = "delete""#;
    let keys = "if .authentication.symmetricKey then \
                .authentication.symmetricKey |= (.primaryKey = null | .secondaryKey = null) else . end";
    let is_good = format!(r#"((.id | type) == "string" and (.id | test("\\A{ID_PATTERN}\\z")))"#);
    let arguments = |flag: &str, filter: String| Some(vec![flag.to_owned(), filter]);
    match task {
        Task::ImportMode => arguments("-c", mode.to_owned()),
        Task::StripKeys => arguments("-c", keys.to_owned()),
        Task::Check => arguments("-n", format!("reduce (inputs | select({is_good})) as $device (0; . + 1)")),
        Task::FreshKeys => None,
        Task::All => arguments("-c", format!("select({is_good}) | {mode} | {keys}")),
    }
}

/// DuckDB's statement. It has no source of random keys. A merge patch can't set null, so a text that stands nowhere else
/// is set and then replaced.
fn sql(task: Task, input: &Path, output: &Path) -> Option<String> {
    let quoted = |path: &Path| path.to_string_lossy().replace('\'', "''");
    let [input, output] = [quoted(input), quoted(output)];
    let lines = format!("read_json_objects('{input}', format='newline_delimited')");
    let good =
        format!(r#"regexp_full_match(json_extract(json, '$.id')::VARCHAR, '"{}"')"#, ID_PATTERN.replace('\'', "''"));
    let mode = |json: &str| format!(r#"json_merge_patch({json}, '{{"importMode":"delete"}}')"#);
    let keys = |json: &str| {
        format!(
            r#"CASE WHEN json_type(json, '$.authentication.symmetricKey') = 'OBJECT'
               THEN replace(json_merge_patch({json}, '{{"authentication":{{"symmetricKey":{{"primaryKey":"@null@","secondaryKey":"@null@"}}}}}}')::VARCHAR, '"@null@"', 'null')
               ELSE {json}::VARCHAR END"#
        )
    };
    let select = match task {
        Task::ImportMode => format!("SELECT {} FROM {lines}", mode("json")),
        Task::StripKeys => format!("SELECT {} FROM {lines}", keys("json")),
        Task::Check => {
            let id = format!("read_json('{input}', format='newline_delimited', columns={{id: 'JSON'}})");
            format!("SELECT count(*) FROM {id} WHERE {}", good.replace("json_extract(json, '$.id')", "id"))
        }
        Task::FreshKeys => return None,
        Task::All => format!("SELECT {} FROM {lines} WHERE {good}", keys(&mode("json"))),
    };
    let raw = r"FORMAT csv, HEADER false, DELIMITER E'\x01', QUOTE '', ESCAPE ''";
    Some(format!("COPY ({select}) TO '{output}' ({raw})"))
}

/// Where things are and what may be used.
#[derive(Clone, Debug)]
pub struct Places {
    /// The hubmill binary.
    pub hubmill: PathBuf,
    /// The folder with the peers' binaries.
    pub peers: PathBuf,
    /// The most threads to give to a program.
    pub threads: usize,
}

/// A tool that is not there, and how to get it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Missing(pub &'static str, pub &'static str);

/// hubmill in all its ways, its default first, then the libraries, then the bytes by themselves.
#[must_use]
pub fn built(places: &Places) -> Vec<Program> {
    let help = says(&places.hubmill, &["--help"]).unwrap_or_default();
    let validates = help.lines().any(|line| line.trim_start().starts_with("validate "));
    let hubmill = |name: &str, options: &[&str]| Program {
        validates,
        ..Program::new(name, Kind::Hubmill, Launch::new(&places.hubmill, options))
    };
    let mut programs = vec![
        hubmill("hubmill", &[]),
        hubmill("hubmill -j 1", &["-j", "1"]),
        hubmill("hubmill --mmap always", &["--mmap", "always"]),
        hubmill("hubmill --mmap never", &["--mmap", "never"]),
    ];
    programs[1].threads = Some(1);
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        let mut avx2 = hubmill("HUBMILL_SIMD=avx2 hubmill", &[]);
        avx2.base = avx2.base.under("HUBMILL_SIMD", "avx2");
        programs.push(avx2);
    }
    let libraries = [
        ("peer-raw-splice", "serde_json", "RawValue, spans spliced"),
        ("peer-raw-value", "serde_json", "RawValue, objects rewritten"),
        ("peer-sonic-rs", "sonic-rs", "LazyValue, spans spliced"),
        ("peer-simd-json", "simd-json", "borrowed value"),
        ("peer-serde-json", "serde_json", "Value"),
    ];
    for (binary, library, way) in libraries {
        let name = format!("{library} {} {way}", locked_version(library));
        let launch = Launch::new(places.peers.join(binary), [] as [&str; 0]);
        let program = Program::new(name, Kind::Library, launch);
        programs.extend(thread_counts(places.threads).into_iter().map(|threads| program.on_threads(threads)));
    }
    let launch = Launch::new(places.peers.join("no-look"), [] as [&str; 0]);
    let program = Program::new("as many bytes, without a look at them", Kind::NoLook, launch);
    programs.extend(thread_counts(places.threads).into_iter().map(|threads| program.on_threads(threads)));
    programs
}

/// The tools that are installed, and those that are not.
#[must_use]
pub fn tools(threads: usize) -> (Vec<Program>, Vec<Missing>) {
    let mut programs = Vec::new();
    let mut missing = Vec::new();
    for (name, install) in [("jq", "apt install jq"), ("jaq", "cargo install --locked jaq")] {
        match says(Path::new(name), &["--version"]) {
            Some(version) => {
                let versioned = format!("{name} {}", version_in(&version));
                programs.push(Program::new(versioned, Kind::Jq, Launch::new(name, [] as [&str; 0])));
            }
            None => missing.push(Missing(name, install)),
        }
    }
    let python = Path::new("python3");
    let duckdb = match says(Path::new("duckdb"), &["--version"]) {
        Some(version) => Some((version, Launch::new("duckdb", ["-c"]))),
        None => says(python, &["-c", "import duckdb; print(duckdb.__version__)"])
            .map(|version| (version, Launch::new(python, ["-c", "import duckdb, sys; duckdb.execute(sys.argv[1])"]))),
    };
    let polars = says(python, &["-c", "import polars; print(polars.__version__)"])
        .map(|version| (version, Launch::new(python, [concat!(env!("CARGO_MANIFEST_DIR"), "/polars_peer.py")])));
    let found = [
        ("DuckDB", Kind::DuckDb, duckdb, "pip install duckdb, or the command line tool from duckdb.org"),
        ("polars", Kind::Polars, polars, "pip install polars"),
    ];
    for (name, kind, tool, install) in found {
        let Some((version, launch)) = tool else {
            missing.push(Missing(name, install));
            continue;
        };
        let program = Program::new(format!("{name} {}", version_in(&version)), kind, launch);
        programs.extend(thread_counts(threads).into_iter().map(|threads| program.on_threads(threads)));
    }
    (programs, missing)
}

/// One thread, two, and all.
fn thread_counts(most: usize) -> Vec<usize> {
    let mut counts = vec![1, 2.min(most), most];
    counts.dedup();
    counts
}

/// What a program prints, if it can be run and succeeds.
fn says(program: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The first word with a digit in it, without what stands before the digit.
fn version_in(text: &str) -> &str {
    let word = text.split_whitespace().find(|word| word.contains(|c: char| c.is_ascii_digit())).unwrap_or_default();
    word.trim_start_matches(|c: char| !c.is_ascii_digit())
}

/// The version of a library in the lock file.
fn locked_version(library: &str) -> &'static str {
    let lock = include_str!("../Cargo.lock");
    let entry = lock.split_once(&format!("name = \"{library}\"\nversion = \"")).map_or("", |(_, after)| after);
    entry.split('"').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions() {
        for (text, version) in [("jq-1.6\n", "1.6"), ("jaq 3.1.2", "3.1.2"), ("v1.4.2 (Name) abc", "1.4.2"), ("", "")] {
            assert_eq!(version_in(text), version);
        }
        assert!(locked_version("serde_json").starts_with("1."));
        assert_eq!(locked_version("no such library"), "");
    }

    #[test]
    fn every_thread_count_once() {
        assert_eq!(thread_counts(1), [1]);
        assert_eq!(thread_counts(2), [1, 2]);
        assert_eq!(thread_counts(8), [1, 2, 8]);
    }

    #[test]
    fn pattern_and_table_of_ids_agree() {
        let legal = ID_PATTERN.strip_prefix('[').and_then(|rest| rest.strip_suffix("]{1,128}")).expect("one class");
        let listed = legal.strip_prefix("A-Za-z0-9").expect("letters and digits first");
        for byte in 0..128u8 {
            let character = char::from(byte);
            let in_pattern = character.is_ascii_alphanumeric() || listed.contains(character);
            assert_eq!(crate::device::is_legal_id(&character.to_string()), in_pattern, "{character}");
        }
    }
}
