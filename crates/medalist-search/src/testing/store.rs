//! The contract of stores.

use super::{fault, past_trial};
use crate::error::{Error, Result};
use crate::space::{Parameter, Params, SearchSpace, Value};
use crate::store::{Attachment, Catalogue, Remark, Remarks, Store};
use crate::study::StudySpec;
use crate::trial::{Direction, Seen, Stages, StepValue, Trial, TrialState};

/// Whether a store keeps what it was given, bit for bit, apart by study, the last write of a number winning. `open` must give an empty store each time.
///
/// # Errors
/// What was lost or changed, and what was probably forgotten.
pub fn check_store<S: Store>(open: impl Fn() -> S) -> Result<()> {
    check_studies(&open())?;
    check_trials(&open())?;
    check_attachments(&open())?;
    check_study_attachments(&open())
}

/// Whether a store keeps what people say of studies, sets them aside and deletes them whole. `open` must give an empty store each time.
///
/// # Errors
/// As of [`check_store`].
pub fn check_catalogue<S: Catalogue>(open: impl Fn() -> S) -> Result<()> {
    check_remarks(&open())?;
    check_delete(&open())
}

const SUBJECT: &str = "store";

fn study(name: &str) -> StudySpec {
    StudySpec {
        space: SearchSpace::new().with(Parameter::float("x", 0.1, 0.3).help("a tenth, three tenths")),
        problem: serde_json::json!({ "metric": "rmse", "folds": { "n": 5 } }),
        enqueued: vec![Params::from([("x", 0.1 + 0.2)])],
        ..StudySpec::new(name, Direction::Minimize)
    }
}

fn check_studies(store: &impl Store) -> Result<()> {
    store.put_study(&study("b"))?;
    store.put_study(&study("a"))?;
    if let Err(error) = store.put_study(&StudySpec { created: "later".to_string(), ..study("b") }) {
        return fault(SUBJECT, format!("refuses the same study a second time: {error}"));
    }
    let other = StudySpec { problem: serde_json::json!({ "metric": "mae", "folds": { "n": 5 } }), ..study("b") };
    match store.put_study(&other) {
        Err(Error::StudyChanged { differences, .. })
            if differences.iter().any(|field| field.contains("problem.metric")) => {}
        Err(error) => return fault(SUBJECT, format!("does not name the field in which two plans differ: {error}")),
        Ok(()) => return fault(SUBJECT, "overwrites a study with another plan: compare with `StudySpec::difference`"),
    }
    let found = store.studies()?;
    if found.iter().map(|study| study.name.as_str()).collect::<Vec<_>>() != ["a", "b"] {
        return fault(SUBJECT, "`studies` does not list all of them, sorted by name");
    }
    let differences = found[1].difference(&study("b"));
    if !differences.is_empty() {
        return fault(SUBJECT, format!("gives back another plan: {}", differences.join("; ")));
    }
    match store.trials("c") {
        Err(Error::UnknownStudy { .. }) => Ok(()),
        _ => fault(SUBJECT, "does not refuse a study that it does not have with `UnknownStudy`"),
    }
}

/// Trials with values that formats like to lose.
fn trials() -> Vec<(Trial, Vec<Attachment>)> {
    let floats = [0.1 + 0.2, -0.0, 5e-324, f64::MAX, 1.0, 1e23, -1.0 / 3.0];
    let trial = |number: u64| {
        let mut params = Params::from([("text", Value::Text("ü\"\n".to_string())), ("int", Value::Int(i64::MIN))]);
        params.insert("float", floats[number as usize % floats.len()]);
        params.insert("bool", number.is_multiple_of(2));
        let mut trial = past_trial(number, params, 1.0, 5);
        for (i, fold) in trial.folds.iter_mut().enumerate() {
            fold.score = floats[(number as usize + i) % floats.len()];
        }
        trial.score = (trial.state == TrialState::Complete).then_some(floats[number as usize % floats.len()]);
        if number.is_multiple_of(4) {
            trial.seen = vec![Seen { end: number, except: vec![1, 3] }, Seen { end: number + 5, except: Vec::new() }];
        }
        if number == 3 {
            let values = vec![Value::Int(1), Value::Int(2)];
            trial.stages = Some(Stages { parameter: "k".to_string(), values, scores: vec![floats.to_vec(); 2] });
        }
        if number % 4 == 1 {
            let step = |i: u64| StepValue { fold: (i / 4) as u32, step: i % 4 * 1000, value: floats[i as usize % 7] };
            trial.steps = (0..10).map(step).collect();
            trial.steps.push(StepValue { fold: 3, step: i64::MAX as u64, value: 0.0 });
        }
        if number == 5 {
            trial.others = vec![floats.to_vec(), floats.iter().rev().copied().collect()];
        }
        let attachments = vec![Attachment { name: "oof".to_string(), bytes: vec![number as u8, 0, 255] }];
        (trial, attachments)
    };
    (0..30).map(trial).collect()
}

/// `{:?}` tells -0.0 from 0.0 and prints floats that read back the same, where `==` would not.
fn same(one: &[Trial], other: &[Trial]) -> bool {
    format!("{one:?}") == format!("{other:?}")
}

fn check_trials(store: &impl Store) -> Result<()> {
    store.put_study(&study("a"))?;
    store.put_study(&study("b"))?;
    let trials = trials();
    let expected: Vec<Trial> = trials.iter().map(|(trial, _)| trial.clone()).collect();
    for part in trials.rchunks(7) {
        store.put_trials("a", part)?;
    }
    let found = store.trials("a")?;
    if found.windows(2).any(|pair| pair[0].number >= pair[1].number) {
        return fault(SUBJECT, "gives trials that are not sorted by number");
    }
    if !same(&found, &expected) {
        let odd =
            found.iter().zip(&expected).find(|(found, expected)| !same(&[(*found).clone()], &[(*expected).clone()]));
        return fault(SUBJECT, format!("does not keep trials bit for bit; (found, expected): {odd:?}"));
    }
    if !store.trials("b")?.is_empty() {
        return fault(SUBJECT, "mixes the trials of two studies");
    }
    let (mut again, _) = trials[1].clone();
    again.folds.truncate(1);
    again.steps.truncate(1);
    again.state = TrialState::Failed { reason: "a second look".to_string() };
    store.put_trials("a", &[(again.clone(), Vec::new())])?;
    if !same(&store.trials("a")?[1..2], &[again]) {
        return fault(SUBJECT, "does not let the last write of a number win: old fold scores and steps must go");
    }
    if store.attachment("a", 1, "oof")?.is_some() {
        return fault(SUBJECT, "keeps the attachments of a trial that was written again");
    }
    Ok(())
}

fn check_attachments(store: &impl Store) -> Result<()> {
    store.put_study(&study("a"))?;
    store.put_trials("a", &trials())?;
    if store.attachment("a", 3, "oof")? != Some(vec![3, 0, 255]) {
        return fault(SUBJECT, "does not keep the attachments that came with a trial");
    }
    if store.attachment("a", 3, "none")?.is_some() || store.attachment("a", 999, "oof")?.is_some() {
        return fault(SUBJECT, "has an attachment that nobody gave it");
    }
    for bytes in [vec![1; 100_000], Vec::new()] {
        store.put_attachment("a", 3, &Attachment { name: "oof".to_string(), bytes: bytes.clone() })?;
        if store.attachment("a", 3, "oof")? != Some(bytes) {
            return fault(SUBJECT, "does not replace an attachment");
        }
    }
    match store.put_attachment("a", 999, &Attachment { name: "oof".to_string(), bytes: Vec::new() }) {
        Err(_) => Ok(()),
        Ok(()) => fault(SUBJECT, "takes an attachment for a trial that it does not have"),
    }
}

fn check_study_attachments(store: &impl Store) -> Result<()> {
    store.put_study(&study("a"))?;
    store.put_study(&study("b"))?;
    for bytes in [vec![0, 255, 1], vec![2; 100_000], Vec::new()] {
        store.put_study_attachment("a", &Attachment { name: "folds".to_string(), bytes: bytes.clone() })?;
        if store.study_attachment("a", "folds")? != Some(bytes) {
            return fault(SUBJECT, "does not keep, or does not replace, what belongs to a study itself");
        }
    }
    if store.study_attachment("a", "none")?.is_some() || store.study_attachment("b", "folds")?.is_some() {
        return fault(SUBJECT, "has a study's attachment that nobody gave it");
    }
    store.put_study(&study("a"))?;
    store.put_trials("a", &trials())?;
    if store.study_attachment("a", "folds")? != Some(Vec::new()) {
        return fault(SUBJECT, "loses a study's attachment when the study or its trials are written");
    }
    match store.put_study_attachment("c", &Attachment { name: "folds".to_string(), bytes: Vec::new() }) {
        Err(Error::UnknownStudy { .. }) => Ok(()),
        _ => fault(SUBJECT, "takes an attachment for a study that it does not have"),
    }
}

fn check_remarks(store: &impl Catalogue) -> Result<()> {
    store.put_study(&study("a"))?;
    store.put_study(&study("b"))?;
    store.put_trials("a", &trials())?;
    let tag = |name: &str| Remark::Tag(name.to_string());
    for number in [None, Some(3), Some(0)] {
        for remark in [tag("good"), tag("good"), tag("ü \"x\""), Remark::Note(Some("first".to_string()))] {
            store.remark("a", number, &remark)?;
        }
    }
    store.remark("a", Some(3), &Remark::Note(Some("a\nsecond".to_string())))?;
    store.remark("a", Some(3), &Remark::Untag("good".to_string()))?;
    store.remark("a", Some(0), &Remark::Note(None))?;
    for remark in [Remark::Untag("good".to_string()), Remark::Untag("ü \"x\"".to_string())] {
        store.remark("a", Some(0), &remark)?;
    }
    // An asynchronous study writes its trials twice.
    store.put_trials("a", &trials())?;
    store.put_study(&study("a"))?;
    let of = |tags: &[&str], note: &str| Remarks {
        tags: tags.iter().map(|tag| tag.to_string()).collect(),
        note: Some(note.to_string()),
    };
    let expected = [(None, of(&["good", "ü \"x\""], "first")), (Some(3), of(&["ü \"x\""], "a\nsecond"))].into();
    let found = store.remarks("a")?;
    if found != expected {
        return fault(SUBJECT, format!("does not keep what is said of studies and trials: {found:?}"));
    }
    if !store.remarks("b")?.is_empty() {
        return fault(SUBJECT, "mixes what is said of two studies");
    }
    store.set_archived("b", true)?;
    store.put_study(&study("b"))?;
    if store.archived()? != ["b"] || store.studies()?.len() != 2 {
        return fault(SUBJECT, "does not know which studies are set aside, or loses them");
    }
    store.set_archived("b", false)?;
    if !store.archived()?.is_empty() {
        return fault(SUBJECT, "does not bring back a study that was set aside");
    }
    match (store.remark("c", None, &tag("x")), store.set_archived("c", true)) {
        (Err(Error::UnknownStudy { .. }), Err(Error::UnknownStudy { .. })) => Ok(()),
        _ => fault(SUBJECT, "takes remarks on a study that it does not have"),
    }
}

fn check_delete(store: &impl Catalogue) -> Result<()> {
    for name in ["a", "b"] {
        store.put_study(&study(name))?;
        store.put_trials(name, &trials())?;
        store.put_study_attachment(name, &Attachment { name: "folds".to_string(), bytes: vec![1] })?;
        store.remark(name, Some(3), &Remark::Tag("good".to_string()))?;
    }
    store.delete_study("a")?;
    match (store.trials("a"), store.delete_study("a")) {
        (Err(Error::UnknownStudy { .. }), Err(Error::UnknownStudy { .. })) => {}
        _ => return fault(SUBJECT, "still has a study that was deleted"),
    }
    if store.trials("b")?.len() != 30 || store.study_attachment("b", "folds")?.is_none() {
        return fault(SUBJECT, "deletes more than the study that it was told to");
    }
    store.put_study(&study("a"))?;
    let is_new = store.trials("a")?.is_empty()
        && store.study_attachment("a", "folds")?.is_none()
        && store.attachment("a", 3, "oof")?.is_none()
        && store.remarks("a")?.is_empty();
    if is_new { Ok(()) } else { fault(SUBJECT, "has left something of a deleted study to the next of its name") }
}
