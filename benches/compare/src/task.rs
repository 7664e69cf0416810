//! What is done to each line, by every program alike.

use clap::ValueEnum;

/// The work on each line. A line that is not JSON, or whose id is checked and not legal, is left out and counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Task {
    /// `importMode` becomes `delete`.
    ImportMode,
    /// Both symmetric keys become null where they stand.
    StripKeys,
    /// JSON and id are checked; the answer is the number of good lines.
    Check,
    /// Devices of type `sas` get two keys of 32 bytes from a CSPRNG.
    FreshKeys,
    /// `ImportMode`, `StripKeys` and the check of the id.
    All,
}

impl Task {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::ImportMode, Self::StripKeys, Self::Check, Self::FreshKeys, Self::All];

    /// Whether `importMode` is set.
    #[must_use]
    pub fn sets_mode(self) -> bool {
        matches!(self, Self::ImportMode | Self::All)
    }

    /// Whether keys become null.
    #[must_use]
    pub fn strips_keys(self) -> bool {
        matches!(self, Self::StripKeys | Self::All)
    }

    /// Whether keys are made.
    #[must_use]
    pub fn makes_keys(self) -> bool {
        self == Self::FreshKeys
    }

    /// Whether the id is checked.
    #[must_use]
    pub fn checks_id(self) -> bool {
        matches!(self, Self::Check | Self::All)
    }

    /// Whether the answer is a number and not the lines.
    #[must_use]
    pub fn counts(self) -> bool {
        self == Self::Check
    }

    /// Its name in tables and on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ImportMode => "import-mode",
            Self::StripKeys => "strip-keys",
            Self::Check => "check",
            Self::FreshKeys => "fresh-keys",
            Self::All => "all",
        }
    }
}

/// A column of the table: a task, and how the bytes come and go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// The task.
    pub task: Task,
    /// Through pipes, else from file to file.
    pub piped: bool,
}

impl Column {
    /// Every task from file to file, then the first one through pipes.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let files = Task::ALL.into_iter().map(|task| Self { task, piped: false });
        files.chain([Self { task: Task::ImportMode, piped: true }]).collect()
    }

    /// Its name in tables and records.
    #[must_use]
    pub fn name(self) -> String {
        format!("{}{}", self.task.name(), if self.piped { ", piped" } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_command_line() {
        for task in Task::ALL {
            assert_eq!(Task::from_str(task.name(), false), Ok(task));
        }
    }
}
