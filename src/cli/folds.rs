//! `folds`: which rows a model is scored on, and which it learns from.

use medalist_search::Store;
use serde_json::json;

use super::Session;
use super::args::FoldsArgs;
use super::output::{self, Format, Listing};
use crate::competition::Competition;
use crate::error::Result;
use crate::results;
use crate::split::Fold;

/// A competition's folds, or those written into a study: as a table their sizes, in the other forms every row.
pub fn folds(session: &Session, args: &FoldsArgs) -> Result<()> {
    let workspace = session.workspace()?;
    let (competition, folds) = if workspace.slugs()?.contains(&args.what) {
        let competition = workspace.load(&args.what, &session.registry)?;
        let folds = competition.folds(None)?;
        (competition, folds)
    } else {
        let store = workspace.store()?;
        let spec = results::find_study(&store, &args.what).map_err(|error| match store.studies() {
            Ok(studies) if studies.is_empty() => error.help("`medalist competitions` lists what has folds"),
            _ => error,
        })?;
        let competition = workspace.load(results::slug(&spec), &session.registry)?;
        results::check_data(&spec, &competition)?;
        let folds = results::folds(&store, &spec, &competition)?;
        (competition, folds)
    };
    match session.format() {
        Format::Table => sizes(&folds).print(Format::Table),
        format => print_rows(&competition, &folds, format),
    }
}

fn sizes(folds: &[Fold]) -> Listing {
    let mut listing = Listing::new(&["repeat", "fold", "train rows", "scored rows"]);
    for fold in folds {
        let numbers = [fold.repeat as usize, fold.fold as usize, fold.train.len(), fold.valid.len()];
        listing.push(numbers.iter().map(usize::to_string).collect(), json!(numbers));
    }
    listing
}

/// A line a row and repeat, the fold empty where none scores the row: written as they come, since there may be millions.
fn print_rows(competition: &Competition, folds: &[Fold], format: Format) -> Result<()> {
    const COLUMNS: [&str; 4] = ["row", "id", "repeat", "fold"];
    let n_rows = competition.n_train_rows();
    let mut text = match format {
        Format::Json => "[".to_string(),
        Format::Markdown => output::markdown_header(&COLUMNS),
        Format::Table | Format::Csv => output::csv_line(&COLUMNS.map(str::to_string)),
    };
    let n_repeats = folds.iter().map(|fold| fold.repeat + 1).max().unwrap_or(0);
    for repeat in 0..n_repeats {
        let mut fold_of_row = vec![None; n_rows];
        for fold in folds.iter().filter(|fold| fold.repeat == repeat) {
            fold.valid.iter().for_each(|&row| fold_of_row[row as usize] = Some(fold.fold));
        }
        for (row, fold) in fold_of_row.iter().enumerate() {
            let id = competition.train_ids.as_ref().map(|ids| ids.get(row).to_string());
            if format == Format::Json {
                text += if repeat == 0 && row == 0 { "\n" } else { ",\n" };
                text += &json!({ "row": row + 1, "id": id, "repeat": repeat, "fold": fold }).to_string();
                continue;
            }
            let fold = fold.map(|fold| fold.to_string()).unwrap_or_default();
            let cells = [(row + 1).to_string(), id.unwrap_or_default(), repeat.to_string(), fold];
            text += &if format == Format::Markdown { output::markdown_line(&cells) } else { output::csv_line(&cells) };
        }
        output::print(&std::mem::take(&mut text))?;
    }
    output::print(&(text + if format == Format::Json { "\n]\n" } else { "" }))
}
