//! Folds that somebody else drew: a column, or a file, says which fold scores a row.

use medalist_search::Seed;

use super::{Fold, Rows, Splitter, check_count, folds_of};
use crate::error::{Error, Result};

/// The folds of `Rows::given`.
pub struct Given;

impl Splitter for Given {
    fn split(&self, rows: &Rows, _seed: Seed) -> Result<Vec<Fold>> {
        let given = rows.given.ok_or_else(|| {
            Error::config("this fold scheme needs a column or a file").help("name one as `column` or `file` in [folds]")
        })?;
        let n_folds = given.iter().flatten().max().map_or(0, |&last| last as usize + 1);
        check_count(2, n_folds, "folds in the column or file")?;
        let folds = folds_of(given, n_folds);
        match folds.iter().find(|fold| fold.valid.is_empty() || fold.train.is_empty()) {
            Some(fold) => {
                Err(Error::config(format!("the given fold {} has no rows to score or none to train on", fold.fold)))
            }
            None => Ok(folds),
        }
    }
}
