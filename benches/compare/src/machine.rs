//! What a record says of where it was made.

use std::process::Command;

/// The machine, the day and the state of the sources.
#[derive(Clone, Debug)]
pub struct Machine {
    /// As the system names it.
    pub cpu: String,
    /// CPUs that a process may use.
    pub cores: usize,
    /// The kernel's release.
    pub kernel: String,
    /// The commit that is checked out, with `-dirty` where files were changed since.
    pub commit: String,
    /// The day in UTC, `YYYY-MM-DD`.
    pub date: String,
}

impl Machine {
    /// This machine, now. What the system doesn't say is `unknown`.
    #[must_use]
    pub fn here() -> Self {
        Self {
            cpu: cpu().unwrap_or_else(unknown),
            cores: std::thread::available_parallelism().map_or(1, Into::into),
            kernel: first_line("uname", &["-r"]),
            commit: first_line(
                "git",
                &["-C", env!("CARGO_MANIFEST_DIR"), "describe", "--always", "--dirty", "--exclude=*"],
            ),
            date: first_line("date", &["-u", "+%Y-%m-%d"]),
        }
    }
}

fn unknown() -> String {
    "unknown".to_owned()
}

fn cpu() -> Option<String> {
    let processors = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let model = processors.lines().find(|line| line.starts_with("model name"))?;
    Some(model.split_once(':')?.1.trim().to_owned())
}

fn first_line(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    text.lines().next().map_or_else(unknown, str::to_owned)
}

/// A name for a folder: lower case letters and digits, joined by `-`.
#[must_use]
pub fn slug(name: &str) -> String {
    let words = name.split(|character: char| !character.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_ascii_lowercase).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs() {
        assert_eq!(slug("Intel(R) Xeon(R) CPU @ 2.60GHz"), "intel-r-xeon-r-cpu-2-60ghz");
        assert_eq!(slug(" ../x "), "x");
    }

    #[test]
    fn the_date_is_one() {
        let date = Machine::here().date;
        assert_eq!(date.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect::<String>(), "0000-00-00");
    }
}
