//! `tag`, `note`, `archive` and `delete`: what people do with studies and trials that are done.

use std::io::{BufRead, IsTerminal};

use medalist_search::{Catalogue, Remark, Remarks, SqliteStore, Store, StudyLock, StudySpec};
use serde_json::json;

use super::Session;
use super::args::{ArchiveArgs, DeleteArgs, NoteArgs, TagArgs};
use super::output::{self, Format};
use crate::error::{Error, Result};
use crate::reporter::say;
use crate::results;

pub fn tag(session: &Session, args: &TagArgs) -> Result<()> {
    let store = session.store()?;
    let (spec, number) = find(&store, &args.what)?;
    args.tags.iter().try_for_each(|tag| checked_tag(tag))?;
    for tag in &args.tags {
        let remark = if args.untag { Remark::Untag(tag.clone()) } else { Remark::Tag(tag.clone()) };
        store.remark(&spec.name, number, &remark)?;
    }
    let remarks = remarks(&store, &spec, number)?;
    let tags: Vec<&str> = remarks.tags.iter().map(String::as_str).collect();
    print(session, &spec, number, &remarks, &tags.join(" "))
}

pub fn note(session: &Session, args: &NoteArgs) -> Result<()> {
    let store = session.store()?;
    let (spec, number) = find(&store, &args.what)?;
    if let Some(text) = &args.text {
        let text = text.trim();
        store.remark(&spec.name, number, &Remark::Note((!text.is_empty()).then(|| text.to_string())))?;
    }
    let remarks = remarks(&store, &spec, number)?;
    print(session, &spec, number, &remarks, remarks.note.as_deref().unwrap_or_default())
}

pub fn archive(session: &Session, args: &ArchiveArgs) -> Result<()> {
    let store = session.store()?;
    let spec = results::find_study(&store, &args.study)?;
    store.set_archived(&spec.name, !args.unarchive)?;
    if session.format() == Format::Json {
        return output::print_json(&json!({ "study": spec.name, "archived": !args.unarchive }));
    }
    session.say(if args.unarchive {
        format!("study {} is back on the lists", spec.name)
    } else {
        format!("study {} is set aside: `--archived` lists it, `--unarchive` brings it back", spec.name)
    });
    Ok(())
}

pub fn delete(session: &Session, args: &DeleteArgs) -> Result<()> {
    let workspace = session.home()?;
    let store = workspace.store()?;
    let spec = results::find_study(&store, &args.study)?;
    // Before the question, so that nobody answers it for nothing; and held until all is gone.
    let _lock = StudyLock::acquire(&workspace.locks(), &spec.name)?;
    let n_trials = store.trials(&spec.name)?.len();
    if !args.yes && !confirmed(&spec.name, n_trials)? {
        session.say("nothing was deleted");
        return Ok(());
    }
    store.delete_study(&spec.name)?;
    let logs = workspace.logs(&spec.name);
    if logs.is_dir() {
        std::fs::remove_dir_all(&logs).map_err(|error| Error::io(&logs, &error))?;
    }
    if session.format() == Format::Json {
        return output::print_json(&json!({ "study": spec.name, "deleted": true, "trials": n_trials }));
    }
    session.say(format!("deleted study {} with its {n_trials} trials", spec.name));
    Ok(())
}

/// Asks on the terminal.
///
/// # Errors
/// When there is none to ask on.
fn confirmed(study: &str, n_trials: usize) -> Result<bool> {
    if !std::io::stdin().is_terminal() {
        let error = Error::usage(format!("study `{study}` has {n_trials} trials, and nobody is there to be asked"));
        return Err(error.help("`--yes` deletes it without a question; `medalist archive` sets it aside instead"));
    }
    say(&format!("delete study {study} with its {n_trials} trials? [y/N]"));
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    read.map_err(|error| Error::unexpected(format!("stdin: {error}")))?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}

/// A study, or one of its trials.
fn find(store: &SqliteStore, what: &str) -> Result<(StudySpec, Option<u64>)> {
    if what.contains('/') {
        let (spec, trial) = results::find_trial(store, what)?;
        return Ok((spec, Some(trial.number)));
    }
    Ok((results::find_study(store, what)?, None))
}

fn remarks(store: &SqliteStore, spec: &StudySpec, number: Option<u64>) -> Result<Remarks> {
    Ok(store.remarks(&spec.name)?.remove(&number).unwrap_or_default())
}

/// `text`: what a person wants to see of it.
fn print(session: &Session, spec: &StudySpec, number: Option<u64>, remarks: &Remarks, text: &str) -> Result<()> {
    if session.format() == Format::Json {
        let document = json!({ "study": spec.name, "trial": number, "tags": remarks.tags, "note": remarks.note });
        return output::print_json(&document);
    }
    if text.is_empty() { Ok(()) } else { output::print(&format!("{text}\n")) }
}

/// # Errors
/// When it could not be told from its neighbours in a list.
fn checked_tag(tag: &str) -> Result<()> {
    let is_plain = |letter: char| !letter.is_whitespace() && !letter.is_control() && !",\"'".contains(letter);
    if tag.is_empty() || tag.chars().count() > 50 || !tag.chars().all(is_plain) {
        let error = Error::usage(format!("`{tag}` cannot be a tag"));
        return Err(error.help(
            "a tag is one word of up to 50 letters, without commas and quotes; `medalist note` takes sentences",
        ));
    }
    Ok(())
}
