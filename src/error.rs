//! One error type for the whole program: what went wrong, where (file, column, row), and what to type to mend it.
//!
//! The kind decides the exit code; the exit codes are API and are documented in the README.

use std::fmt;
use std::path::{Path, PathBuf};

/// The result of everything in this crate that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What the reader must mend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A bug, or something of the system that nobody foresaw.
    Unexpected,
    /// The command line is wrong.
    Usage,
    /// A data file holds something it should not.
    Data,
    /// `competition.toml` or a plan is wrong.
    Config,
    /// A submission or solution file is not what the competition asks for.
    Submission,
    /// A model, transform or metric could not do its work: fails a trial, never the sweep.
    Model,
    /// No trial succeeded.
    NoTrial,
    /// A contract check failed.
    Check,
    /// The store cannot be read or written, or another process works on the study.
    Store,
    /// Ctrl-C, a signal, or the end of the time.
    Interrupted,
}

impl Kind {
    /// The process's exit code for an error of this kind.
    pub fn exit_code(self) -> u8 {
        match self {
            Kind::Unexpected => 1,
            Kind::Usage => 2,
            Kind::Data | Kind::Config | Kind::Submission => 3,
            Kind::Model | Kind::NoTrial | Kind::Check => 4,
            Kind::Store => 5,
            Kind::Interrupted => 130,
        }
    }

    /// The word that stands for the kind in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Unexpected => "unexpected",
            Kind::Usage => "usage",
            Kind::Data => "data",
            Kind::Config => "config",
            Kind::Submission => "submission",
            Kind::Model => "model",
            Kind::NoTrial => "no_trial",
            Kind::Check => "check",
            Kind::Store => "store",
            Kind::Interrupted => "interrupted",
        }
    }
}

/// An error with its place and its remedy. Built as `Error::data("...").file(path).column("Age").row(17).help("...")`.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub struct Error {
    pub kind: Kind,
    pub message: String,
    pub file: Option<PathBuf>,
    pub column: Option<String>,
    /// 1-based, the header not counted.
    pub row: Option<u64>,
    pub help: Option<String>,
}

impl Error {
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        let message = message.into();
        Error { kind, message, file: None, column: None, row: None, help: None }
    }

    pub fn usage(message: impl Into<String>) -> Self {
        Error::new(Kind::Usage, message)
    }

    pub fn data(message: impl Into<String>) -> Self {
        Error::new(Kind::Data, message)
    }

    pub fn config(message: impl Into<String>) -> Self {
        Error::new(Kind::Config, message)
    }

    pub fn submission(message: impl Into<String>) -> Self {
        Error::new(Kind::Submission, message)
    }

    pub fn model(message: impl Into<String>) -> Self {
        Error::new(Kind::Model, message)
    }

    pub fn unexpected(message: impl Into<String>) -> Self {
        Error::new(Kind::Unexpected, message)
    }

    /// A file that could not be opened, read or written.
    pub fn io(path: &Path, error: &std::io::Error) -> Self {
        let kind = if error.kind() == std::io::ErrorKind::NotFound { Kind::Data } else { Kind::Unexpected };
        Error::new(kind, error.to_string()).file(path)
    }

    pub fn file(mut self, file: impl AsRef<Path>) -> Self {
        self.file = Some(file.as_ref().to_path_buf());
        self
    }

    pub fn column(mut self, column: impl Into<String>) -> Self {
        self.column = Some(column.into());
        self
    }

    /// `row` is 1-based, the header not counted.
    pub fn row(mut self, row: usize) -> Self {
        self.row = Some(row as u64);
        self
    }

    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The documented JSON form: `{"error": {"kind", "message", "file", "column", "row", "help"}}`.
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!({ "error": {
            "kind": self.kind.name(),
            "message": self.message,
            "file": self.file.as_ref().map(|file| file.display().to_string()),
            "column": self.column,
            "row": self.row,
            "help": self.help,
        }})
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let mut place = Vec::new();
        if let Some(column) = &self.column {
            place.push(format!("column `{column}`"));
        }
        if let Some(file) = &self.file {
            let file = file.display();
            place.push(if place.is_empty() { file.to_string() } else { format!("of {file}") });
        }
        let mut place = place.join(" ");
        if let Some(row) = self.row {
            place.push_str(if place.is_empty() { "row " } else { ", row " });
            place.push_str(&row.to_string());
        }
        if !place.is_empty() {
            write!(f, "{place}: ")?;
        }
        write!(f, "{}", self.message)?;
        if let Some(help) = &self.help {
            write!(f, "; {help}")?;
        }
        Ok(())
    }
}

impl From<medalist_search::Error> for Error {
    fn from(error: medalist_search::Error) -> Self {
        use medalist_search::Error as Search;
        let kind = match &error {
            Search::Store { .. } | Search::StudyBusy { .. } => Kind::Store,
            _ => Kind::Usage,
        };
        Error::new(kind, error.to_string())
    }
}
