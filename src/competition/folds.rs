//! `[folds]` of the description to folds of rows.

use std::collections::BTreeMap;

use medalist_search::Seed;

use super::Competition;
use super::config::{FILE_NAME, Scheme};
use crate::error::{Error, Result};
use crate::split::{
    Fold, Given, Group, KFold, LeaveOneGroupOut, Repeated, Rows, Splitter, Stratified, StratifiedGroup, TimeBlocked,
    TimeExpanding,
};
use crate::target::Target;

/// The folds that the description asks for, `n_folds` of them where that is said; for further looks at a point, drawn anew.
pub fn folds(competition: &Competition, n_folds: Option<usize>, look: u32) -> Result<Vec<Fold>> {
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
    let (n_train, n_extra) = (competition.n_train_rows(), competition.n_extra_rows);
    let own: Vec<Target> = match n_extra {
        0 => Vec::new(),
        _ => (0..competition.targets.len()).map(|target| competition.train_target(target)).collect(),
    };
    let targets: Vec<&Target> = match n_extra {
        0 => competition.targets.iter().map(|column| &column.target).collect(),
        _ => own.iter().collect(),
    };
    let joint = joint(&targets, n_folds);
    let rows = Rows {
        n_rows: n_train,
        target: joint.as_ref().or(targets.first().copied()),
        groups: competition.groups.as_deref(),
        times: competition.times.as_deref(),
        given: competition.given_folds.as_deref(),
    };
    let repeated = Repeated { splitter, n_repeats: config.repeats };
    let seed = Seed::new(config.seed);
    let seed = if look == 0 { seed } else { seed.child("look", u64::from(look)) };
    let folds = repeated.split(&rows, seed);
    let mut folds = folds
        .map_err(|error| if error.file.is_none() { error.file(competition.dir.join(FILE_NAME)) } else { error })?;
    // The further rows train in every fold.
    let further = n_train as u32..(n_train + n_extra) as u32;
    folds.iter_mut().for_each(|fold| fold.train.extend(further.clone()));
    Ok(folds)
}

/// What stratified schemes look at where there are several targets: which labels come together, or the mean rank of the values. None where there is one target, or no labels come together in as many rows as there are folds.
fn joint(targets: &[&Target], n_folds: usize) -> Option<Target> {
    let [first, _, ..] = targets else { return None };
    let n_rows = first.n_rows();
    let mut ranks = vec![0u64; n_rows];
    let mut labels = vec![Vec::new(); n_rows];
    for target in targets {
        match target {
            Target::Classes { codes, .. } => labels.iter_mut().zip(codes).for_each(|(labels, &code)| labels.push(code)),
            Target::Values(values) => {
                let mut order: Vec<usize> = (0..n_rows).collect();
                order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
                order.into_iter().enumerate().for_each(|(rank, row)| ranks[row] += rank as u64);
            }
        }
    }
    if let Target::Values(_) = first {
        return Some(Target::Values(ranks.into_iter().map(|rank| rank as f64).collect()));
    }
    let mut counts: BTreeMap<&[u32], usize> = BTreeMap::new();
    labels.iter().for_each(|labels| *counts.entry(labels).or_default() += 1);
    if counts.values().all(|&count| count < n_folds) {
        return None;
    }
    let place: BTreeMap<&[u32], u32> = counts.keys().zip(0..).map(|(labels, place)| (*labels, place)).collect();
    let codes = labels.iter().map(|labels| place[labels.as_slice()]).collect();
    Some(Target::Classes { codes, n_classes: place.len() })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of a fold's scored rows a condition holds of.
    fn counts(folds: &[Fold], holds: impl Fn(usize) -> bool) -> Vec<usize> {
        folds.iter().map(|fold| fold.valid.iter().filter(|&&row| holds(row as usize)).count()).collect()
    }

    fn stratified(targets: &[&Target], n_folds: usize) -> Vec<Fold> {
        let joint = joint(targets, n_folds);
        let rows = Rows { n_rows: targets[0].n_rows(), target: joint.as_ref(), ..Rows::default() };
        Stratified { n_folds }.split(&rows, Seed::new(3)).unwrap()
    }

    #[test]
    fn labels_of_several_targets_are_spread_evenly_alone_and_together() {
        let codes = |of: fn(usize) -> bool| -> Vec<u32> { (0..400).map(|row| u32::from(of(row))).collect() };
        let (rare, half) = (codes(|row| row % 20 == 0), codes(|row| row % 40 < 20));
        let target = |codes: &Vec<u32>| Target::Classes { codes: codes.clone(), n_classes: 2 };
        let folds = stratified(&[&target(&half), &target(&rare)], 5);
        assert_eq!(counts(&folds, |row| rare[row] == 1), [4; 5]);
        assert_eq!(counts(&folds, |row| half[row] == 1), [40; 5]);
        assert_eq!(counts(&folds, |row| rare[row] == 1 && half[row] == 1), [2; 5]);
    }

    #[test]
    fn values_of_several_targets_are_spread_by_their_mean_rank() {
        let a: Vec<f64> = (0..300).map(|row| ((row * 37) % 300) as f64).collect();
        // Far larger numbers, in another order: by rank they count the same.
        let b: Vec<f64> = a.iter().map(|value| (value * 7.0 % 300.0).exp()).collect();
        let folds = stratified(&[&Target::Values(a.clone()), &Target::Values(b)], 3);
        let high = counts(&folds, |row| a[row] >= 200.0);
        assert!(high.iter().all(|&count| (28..=39).contains(&count)), "{high:?}");
    }

    #[test]
    fn one_target_is_looked_at_as_it_is() {
        assert_eq!(joint(&[&Target::Values(vec![1.0, 2.0])], 2), None);
    }
}
