//! `folds` and `export folds`: which rows a model is scored on, and which it learns from.

use medalist_search::Store;
use serde_json::json;

use super::Session;
use super::args::{ExportFoldsArgs, FoldsArgs};
use super::output::{self, Format, Listing, Rows};
use crate::competition::Competition;
use crate::error::Result;
use crate::results;
use crate::split::Fold;
use crate::submission::file::replace;

/// A competition's folds, or those written into a study: as a table their sizes, in the other forms every row.
pub fn folds(session: &Session, args: &FoldsArgs) -> Result<()> {
    let (competition, folds) = find(session, &args.what)?;
    match session.format() {
        Format::Table => sizes(&folds).print(Format::Table),
        format => write_rows(&competition, &folds, format, output::print),
    }
}

/// The fold of every row, into a file or on stdout; as CSV where no other form is asked for.
pub fn export(session: &Session, args: &ExportFoldsArgs) -> Result<()> {
    let (competition, folds) = find(session, &args.what)?;
    let format = session.global.output.filter(|format| *format != Format::Table).unwrap_or(Format::Csv);
    let Some(file) = &args.file else { return write_rows(&competition, &folds, format, output::print) };
    let mut text = String::new();
    write_rows(&competition, &folds, format, |part| {
        text += part;
        Ok(())
    })?;
    replace(file, text.as_bytes())?;
    session.say(format!("wrote {}", file.display()));
    Ok(())
}

fn find(session: &Session, what: &str) -> Result<(Competition, Vec<Fold>)> {
    let workspace = session.workspace()?;
    if workspace.slugs()?.iter().any(|slug| slug == what) {
        let competition = workspace.load(what, &session.registry)?;
        let folds = competition.folds(None)?;
        return Ok((competition, folds));
    }
    let store = workspace.store()?;
    let spec = results::find_study(&store, what).map_err(|error| match store.studies() {
        Ok(studies) if studies.is_empty() => error.help("`medalist competitions` lists what has folds"),
        _ => error,
    })?;
    let competition = workspace.load(results::slug(&spec), &session.registry)?;
    results::check_data(&spec, &competition)?;
    let folds = results::folds(&store, &spec, &competition)?;
    Ok((competition, folds))
}

fn sizes(folds: &[Fold]) -> Listing {
    let mut listing = Listing::new(&["repeat", "fold", "train rows", "scored rows"]);
    for fold in folds {
        let numbers = [fold.repeat as usize, fold.fold as usize, fold.train.len(), fold.valid.len()];
        listing.push(numbers.iter().map(usize::to_string).collect(), json!(numbers));
    }
    listing
}

/// A line a row and repeat, the fold empty where none scores the row.
fn write_rows(
    competition: &Competition,
    folds: &[Fold],
    format: Format,
    write: impl FnMut(&str) -> Result<()>,
) -> Result<()> {
    let mut rows = Rows::new(&["row", "id", "repeat", "fold"], format, write);
    let n_rows = competition.n_train_rows();
    let n_repeats = folds.iter().map(|fold| fold.repeat + 1).max().unwrap_or(0);
    for repeat in 0..n_repeats {
        let mut fold_of_row = vec![None; n_rows];
        for fold in folds.iter().filter(|fold| fold.repeat == repeat) {
            fold.valid.iter().for_each(|&row| fold_of_row[row as usize] = Some(fold.fold));
        }
        for (row, fold) in fold_of_row.iter().enumerate() {
            let id = competition.train_ids.as_ref().map(|ids| ids.get(row).to_string());
            rows.push(&[json!(row + 1), json!(id), json!(repeat), json!(fold)])?;
        }
    }
    rows.finish()
}
