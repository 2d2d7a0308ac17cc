//! One error type for the crate: what is wrong, where, and how to mend it.

use std::path::PathBuf;

/// The result of everything in this crate that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What the reader must mend.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A point lacks a parameter that is active there.
    #[error("parameter `{name}` is missing: add `{name}=...`")]
    MissingParameter { name: String },
    /// A name that the space does not have.
    #[error("unknown parameter `{name}`; {}", hint(.nearest))]
    UnknownParameter { name: String, nearest: Option<String> },
    /// A value of another type than the parameter's.
    #[error("parameter `{name}`: `{value}` is not {expected}")]
    WrongType { name: String, value: String, expected: String },
    /// A value for a parameter that has no effect at this point.
    #[error("parameter `{name}` has no effect here: it needs {condition}; leave it out")]
    InactiveParameter { name: String, condition: String },
    /// A value that the parameter's domain does not hold.
    #[error("parameter `{name}`: {value} is outside its range {range}")]
    OutOfRange { name: String, value: String, range: String },
    /// A space that cannot be searched.
    #[error("search space: parameter `{name}` {message}")]
    InvalidSpace { name: String, message: String },
    /// A constraint that is no check on the points of its space.
    #[error("constraint `{constraint}` {message}")]
    InvalidConstraint { constraint: String, message: String },
    /// A filter that cannot be asked of its records.
    #[error("filter `{filter}` {message}")]
    InvalidFilter { filter: String, message: String },
    /// A point that a constraint leaves out.
    #[error("constraint `{constraint}` does not hold at {point}")]
    BrokenConstraint { constraint: String, point: String },
    /// No point was found at which all constraints hold.
    #[error(
        "no point at which {constraints} holds was found in {n_draws} draws: widen the ranges or loosen the constraint"
    )]
    NoPoint { constraints: String, n_draws: u64 },
    /// A study whose plan cannot be run.
    #[error("study `{study}`: {message}")]
    InvalidStudy { study: String, message: String },
    /// A study of this name exists with another plan.
    #[error("study `{study}` exists with another plan ({}): choose another name, or repeat the plan it has", .differences.join("; "))]
    StudyChanged { study: String, differences: Vec<String> },
    /// No study of this name.
    #[error("no study is called `{study}`; {}", hint(.nearest))]
    UnknownStudy { study: String, nearest: Option<String> },
    /// A stored trial has other parameters than this program proposes.
    #[error(
        "study `{study}`: trial {number} is stored with `{stored}` but this version of the program proposes `{proposed}`: continue with the version that began the study, or begin another under a new name"
    )]
    TrialChanged { study: String, number: u64, stored: String, proposed: String },
    /// A trial of an asynchronous study was proposed from results that are not there any more.
    #[error(
        "study `{study}`: trial {number} was proposed from results that the store does not hold: restore a copy of the store, or begin another study"
    )]
    ResultsMissing { study: String, number: u64 },
    /// The store cannot be opened, read or written.
    #[error("store {}: {message}", .path.display())]
    Store { path: PathBuf, message: String },
    /// Another process works on the study.
    #[error("study `{study}` is being worked on by {}: wait for it, or stop it", holder(.pid))]
    StudyBusy { study: String, pid: Option<u32> },
    /// The objective said that the study cannot go on.
    #[error("{message}")]
    Fatal { message: String },
    /// A sampler, pruner or store breaks its contract.
    #[error("{subject}: {message}")]
    Contract { subject: String, message: String },
}

fn hint(nearest: &Option<String>) -> String {
    match nearest {
        Some(name) => format!("did you mean `{name}`?"),
        None => "no known name is near it".to_string(),
    }
}

fn holder(pid: &Option<u32>) -> String {
    match pid {
        Some(pid) => format!("process {pid}"),
        None => "another process".to_string(),
    }
}
