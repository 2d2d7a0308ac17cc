//! Where results come from, and in what two origins differ: data, settings, folds, code.

use std::collections::BTreeMap;

use medalist_search::{Attachment, Store, StudySpec, Trial};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::competition::{Competition, Config};
use crate::error::{Error, Result};
use crate::evaluate::{MADE_BY, MadeBy};
use crate::metric::Metric;
use crate::split::{self, Fold};

/// The name of the data's description among a study's attachments.
const DATA: &str = "data";

/// All that a trial's score depends on beside its parameters; none where a study was begun before it was written down.
#[derive(Clone, Debug, PartialEq)]
pub struct Origin {
    pub competition: String,
    /// Of the data and settings together.
    fingerprint: String,
    data: Option<Data>,
    metric: String,
    /// A fingerprint of the folds' rows.
    pub folds: String,
    seed: u64,
    look: u32,
    made_by: Option<MadeBy>,
}

/// A competition's files and settings, as a study keeps them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Data {
    /// The sha256 of each file, by its role.
    files: BTreeMap<String, String>,
    settings: Value,
}

/// One thing in which two origins differ.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// Such as `train file`, `setting folds.n`, `version`.
    pub what: String,
    pub before: Value,
    pub after: Value,
}

impl Data {
    fn of(competition: &Competition) -> Result<Data> {
        let files = competition.files.iter().map(|file| (file.role.to_string(), file.sha256.clone()));
        let untitled = Config { title: None, ..competition.config.clone() };
        let settings = serde_json::to_value(untitled).map_err(|error| Error::unexpected(error.to_string()))?;
        Ok(Data { files: files.collect(), settings })
    }
}

/// Writes into a study what its competition's files and settings are, once.
///
/// # Errors
/// When the store cannot be read or written.
pub fn keep_data(store: &dyn Store, spec: &StudySpec, competition: &Competition) -> Result<()> {
    if store.study_attachment(&spec.name, DATA)?.is_some() {
        return Ok(());
    }
    let bytes = serde_json::to_vec(&Data::of(competition)?).map_err(|error| Error::unexpected(error.to_string()))?;
    Ok(store.put_study_attachment(&spec.name, &Attachment { name: DATA.to_string(), bytes })?)
}

impl Origin {
    /// That of a stored trial.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn of(store: &dyn Store, spec: &StudySpec, trial: &Trial) -> Result<Origin> {
        let text = |key: &str| spec.problem[key].as_str().unwrap_or_default().to_string();
        let damaged =
            |error: serde_json::Error| Error::unexpected(format!("the data of study `{}`: {error}", spec.name));
        let data = store.study_attachment(&spec.name, DATA)?;
        let made_by = store.attachment(&spec.name, trial.number, MADE_BY)?;
        Ok(Origin {
            competition: text("competition"),
            fingerprint: text("data and settings"),
            data: data.map(|bytes| serde_json::from_slice(&bytes)).transpose().map_err(damaged)?,
            metric: text("metric"),
            folds: text("folds"),
            seed: spec.seed,
            look: trial.look(),
            made_by: made_by.map(|bytes| MadeBy::from_bytes(&bytes)).transpose()?,
        })
    }

    /// That of the same trial if it is evaluated by this program on the data as they are.
    ///
    /// # Errors
    /// When the settings cannot be written down.
    pub fn now(&self, competition: &Competition, metric: &dyn Metric, folds: &[Fold]) -> Result<Origin> {
        Ok(Origin {
            competition: competition.slug.clone(),
            fingerprint: competition.fingerprint.clone(),
            data: Some(Data::of(competition)?),
            metric: metric.name().to_string(),
            folds: split::fingerprint(folds),
            seed: self.seed,
            look: self.look,
            made_by: Some(MadeBy::current()),
        })
    }

    /// Whether scores of both are of the same rows by the same metric, so that they compare fold by fold.
    pub fn same_folds(&self, other: &Origin) -> bool {
        let of = |origin: &Origin| {
            let rows = (origin.competition.clone(), origin.fingerprint.clone(), origin.folds.clone());
            (rows, origin.metric.clone(), origin.look)
        };
        of(self) == of(other)
    }

    /// What is different in `after`. What one of them does not know is left out.
    pub fn differences(&self, after: &Origin) -> Vec<Difference> {
        let mut found = Vec::new();
        let mut compare = |what: &str, before: Value, after: Value| {
            if before != after {
                found.push(Difference { what: what.to_string(), before, after });
            }
        };
        compare("competition", json!(self.competition), json!(after.competition));
        match (&self.data, &after.data) {
            (Some(a), Some(b)) => {
                let roles: std::collections::BTreeSet<&String> = a.files.keys().chain(b.files.keys()).collect();
                for role in roles {
                    compare(&format!("{role} file"), json!(a.files.get(role)), json!(b.files.get(role)));
                }
                let mut settings = Vec::new();
                leaves("setting ", &a.settings, &b.settings, &mut settings);
                settings.into_iter().for_each(|(what, a, b)| compare(&what, a, b));
            }
            _ => compare("data and settings", json!(self.fingerprint), json!(after.fingerprint)),
        }
        compare("metric", json!(self.metric), json!(after.metric));
        compare("folds", json!(self.folds), json!(after.folds));
        compare("seed", json!(self.seed), json!(after.seed));
        compare("look", json!(self.look + 1), json!(after.look + 1));
        if let (Some(a), Some(b)) = (&self.made_by, &after.made_by) {
            compare("version", json!(a.version), json!(b.version));
            compare("code", json!(a.code), json!(b.code));
        }
        found
    }

    /// What is not known of it, in words.
    pub fn unknown(&self) -> Option<&'static str> {
        match (&self.data, &self.made_by) {
            (_, None) => Some("which code made it was not written down yet"),
            (None, _) => Some("its files were not written down one by one yet"),
            _ => None,
        }
    }
}

/// The places in two documents at which they differ. The checksums of files are compared as files.
fn leaves(path: &str, a: &Value, b: &Value, found: &mut Vec<(String, Value, Value)>) {
    match (a, b) {
        _ if a == b => {}
        (Value::Object(fields), Value::Object(others)) => {
            let names: std::collections::BTreeSet<&String> = fields.keys().chain(others.keys()).collect();
            for name in names.into_iter().filter(|name| *name != "sha256") {
                let at = if path.ends_with(' ') { format!("{path}{name}") } else { format!("{path}.{name}") };
                let of = |fields: &serde_json::Map<String, Value>| fields.get(name).cloned().unwrap_or_default();
                leaves(&at, &of(fields), &of(others), found);
            }
        }
        _ => found.push((path.to_string(), a.clone(), b.clone())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin() -> Origin {
        let settings = json!({ "folds": { "n": 5, "seed": 0 }, "files": { "train": { "sha256": "aa" } } });
        Origin {
            competition: "c".into(),
            fingerprint: "f".into(),
            data: Some(Data { files: [("train".to_string(), "aa".to_string())].into(), settings }),
            metric: "rmse".into(),
            folds: "x".into(),
            seed: 0,
            look: 0,
            made_by: Some(MadeBy { version: "1".into(), code: "k".into() }),
        }
    }

    #[track_caller]
    fn check(after: Origin, expected: &[&str]) {
        let found = origin().differences(&after);
        assert_eq!(found.iter().map(|difference| difference.what.as_str()).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn what_differs_is_named_one_by_one() {
        check(origin(), &[]);
        check(Origin { look: 1, seed: 4, ..origin() }, &["seed", "look"]);
        let other = Data {
            files: [("train".to_string(), "bb".to_string()), ("test".to_string(), "cc".to_string())].into(),
            settings: json!({ "folds": { "n": 7, "seed": 0 }, "files": { "train": { "sha256": "bb" } }, "drop": ["x"] }),
        };
        let after = Origin { fingerprint: "g".into(), data: Some(other), ..origin() };
        check(after, &["test file", "train file", "setting drop", "setting folds.n"]);
        check(
            Origin { made_by: Some(MadeBy { version: "2".into(), code: "l".into() }), ..origin() },
            &["version", "code"],
        );
    }

    #[test]
    fn what_is_not_known_is_no_difference_but_the_fingerprint_is() {
        check(Origin { made_by: None, data: None, ..origin() }, &[]);
        check(Origin { fingerprint: "g".into(), data: None, ..origin() }, &["data and settings"]);
    }
}
