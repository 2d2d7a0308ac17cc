//! `[folds]` of the description to folds of rows.

use medalist_search::Seed;

use super::Competition;
use super::config::{FILE_NAME, Scheme};
use crate::error::{Error, Result};
use crate::split::{
    Fold, Given, Group, KFold, LeaveOneGroupOut, Repeated, Rows, Splitter, Stratified, StratifiedGroup, TimeBlocked,
    TimeExpanding,
};

/// With several targets, stratified schemes look at the first.
pub fn folds(competition: &Competition, n_folds: Option<usize>) -> Result<Vec<Fold>> {
    let config = &competition.config.folds;
    if matches!(config.scheme, Scheme::LeaveOneGroupOut | Scheme::Given) && n_folds.is_some() {
        let message = format!("the fold scheme `{}` says itself how many folds there are", config.scheme.name());
        return Err(Error::usage(message).help("leave `--folds` out"));
    }
    let (n_folds, gap) = (n_folds.unwrap_or(config.n), config.gap * competition.gap_unit);
    let splitter: Box<dyn Splitter> = match config.scheme {
        Scheme::Kfold => Box::new(KFold { n_folds }),
        Scheme::Stratified => Box::new(Stratified { n_folds }),
        Scheme::Group => Box::new(Group { n_folds }),
        Scheme::StratifiedGroup => Box::new(StratifiedGroup { n_folds }),
        Scheme::TimeExpanding => Box::new(TimeExpanding { n_folds, gap }),
        Scheme::TimeBlocked => Box::new(TimeBlocked { n_folds, gap }),
        Scheme::LeaveOneGroupOut => Box::new(LeaveOneGroupOut),
        Scheme::Given => Box::new(Given),
    };
    let rows = Rows {
        n_rows: competition.features.n_rows(),
        target: competition.targets.first().map(|column| &column.target),
        groups: competition.groups.as_deref(),
        times: competition.times.as_deref(),
        given: competition.given_folds.as_deref(),
    };
    let repeated = Repeated { splitter, n_repeats: config.repeats };
    let folds = repeated.split(&rows, Seed::new(config.seed));
    folds.map_err(|error| if error.file.is_none() { error.file(competition.dir.join(FILE_NAME)) } else { error })
}
