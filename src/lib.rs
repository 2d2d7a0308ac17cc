//! Medalist: a harness that loads a competition, sweeps models over its folds, and writes leaderboards and submissions.
//!
//! The straight line, and the files that are its stations, is at the head of ARCHITECTURE.md.

extern crate self as medalist;

pub use medalist_derive::{ParamChoice, Tunable};
pub use medalist_search as search;

pub mod error;
pub mod sparse;
pub mod state;
pub mod target;
pub mod table;
pub mod metric;
pub mod model;
pub mod objective;
pub mod transform;
pub mod registry;
pub mod reader;
pub mod split;
pub mod competition;
pub mod metrics;
pub mod decode;
pub mod transforms;
pub mod models;
mod builtin;
pub mod prepare;
pub mod testing;
mod fold_cache;
pub mod predictions;
pub mod thresholds;
pub mod scoring;
pub mod estimate;
pub mod saved;
pub mod evaluate;
pub mod ensemble;
pub mod plan;
pub mod program;
pub mod space_file;
pub mod submission;
pub mod leaderboard;
pub mod results;
pub mod reporter;
pub mod workspace;
pub mod cli;

pub use error::{Error, Result};
pub use registry::Registry;

/// The known name nearest to what was typed, where one is near enough to be meant.
pub(crate) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let (name, limit) = (name.to_lowercase(), (name.chars().count() / 3).max(2));
    let distances = known.map(|known| (strsim::damerau_levenshtein(&name, &known.to_lowercase()), known));
    distances.filter(|(distance, _)| *distance <= limit).min_by_key(|(distance, _)| *distance).map(|(_, known)| known)
}

/// What is wrong with a TOML file, on one line: the place, and the message without a picture of the source.
pub(crate) fn toml_message(error: &toml::de::Error) -> String {
    let text = error.to_string();
    let mut message = error.message().trim().replace('\n', ", ");
    for kind in ["expected u64", "expected usize"] {
        message = message.replace(kind, "expected a whole number from 0 on");
    }
    match text.lines().next().and_then(|first| first.strip_prefix("TOML parse error ")) {
        Some(place) => format!("TOML error {place}: {message}"),
        None => format!("TOML error: {message}"),
    }
}

/// Lines of at most `width` letters, broken between words; a longer word stays whole.
pub(crate) fn broken(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().expect("there is always one");
        if line.is_empty() {
            line.push_str(word);
        } else if line.chars().count() + 1 + word.chars().count() <= width {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_string());
        }
    }
    lines
}
