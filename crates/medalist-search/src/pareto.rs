//! Several objectives at once: which trials no other beats in all of them, and how much a set of trials covers.

use crate::error::{Error, Result};
use crate::trial::{Direction, Trial, TrialState};

/// The numbers of the complete trials that no other one dominates, ascending.
///
/// `directions`: of the score, and of each further objective. One trial dominates another where it is at least as good in all objectives and better in one; of equal trials all are kept. Trials that lack a value, or have one that is not finite, are not on the front.
pub fn pareto_front(trials: &[Trial], directions: &[Direction]) -> Vec<u64> {
    let known: Vec<(u64, Vec<f64>)> =
        trials.iter().filter_map(|trial| Some((trial.number, losses(trial, directions)?))).collect();
    let is_beaten = |losses: &[f64]| known.iter().any(|(_, other)| dominates(other, losses));
    let mut front: Vec<u64> =
        known.iter().filter(|(_, losses)| !is_beaten(losses)).map(|(number, _)| *number).collect();
    front.sort_unstable();
    front
}

/// The volume of what `points` dominate and `reference` bounds: the larger, the better the set.
///
/// All objectives are to be minimised; points that are not better than the reference in all of them add nothing. Exact in any number of objectives, by slicing along one after another: O(n^(m - 1) log n) for n points and m objectives.
///
/// # Errors
/// When a point has another number of objectives than the reference, or the reference is not finite.
pub fn hypervolume(points: &[Vec<f64>], reference: &[f64]) -> Result<f64> {
    let fault = |message: String| Err(Error::Contract { subject: "hypervolume".to_string(), message });
    if let Some(bound) = reference.iter().find(|bound| !bound.is_finite()) {
        return fault(format!("the reference point holds {bound}: give a finite bound for each objective"));
    }
    if let Some(point) = points.iter().find(|point| point.len() != reference.len()) {
        return fault(format!("a point has {} objectives, the reference point {}", point.len(), reference.len()));
    }
    let is_inside = |point: &&[f64]| point.iter().zip(reference).all(|(x, bound)| x < bound && x.is_finite());
    Ok(volume(points.iter().map(Vec::as_slice).filter(is_inside).collect(), reference))
}

fn volume(mut points: Vec<&[f64]>, reference: &[f64]) -> f64 {
    let Some((bound, others)) = reference.split_last().filter(|_| !points.is_empty()) else { return 0.0 };
    let last = others.len();
    if others.is_empty() {
        return points.iter().map(|point| bound - point[0]).fold(0.0, f64::max);
    }
    points.sort_by(|a, b| a[last].total_cmp(&b[last]));
    let mut sum = 0.0;
    let ends = points.iter().skip(1).map(|point| point[last]).chain([*bound]).collect::<Vec<f64>>();
    // Two objectives need the lowest other value alone.
    let mut lowest = f64::INFINITY;
    for (i, end) in ends.into_iter().enumerate() {
        let height = end - points[i][last];
        lowest = lowest.min(points[i][0]);
        if height > 0.0 {
            let base = if last == 1 { others[0] - lowest } else { volume(points[..=i].to_vec(), others) };
            sum += height * base;
        }
    }
    sum
}

/// A complete trial's objectives, each so that low is good; none where one is missing or not finite.
pub(crate) fn losses(trial: &Trial, directions: &[Direction]) -> Option<Vec<f64>> {
    let values = trial.values().filter(|_| trial.state == TrialState::Complete)?;
    if values.len() != directions.len() || values.iter().any(|value| !value.is_finite()) {
        return None;
    }
    let loss = |(value, direction): (&f64, &Direction)| match direction {
        Direction::Minimize => *value,
        Direction::Maximize => -value,
    };
    Some(values.iter().zip(directions).map(loss).collect())
}

fn dominates(one: &[f64], other: &[f64]) -> bool {
    let mut pairs = one.iter().zip(other);
    pairs.clone().all(|(a, b)| a <= b) && pairs.any(|(a, b)| a < b)
}

/// For each point the front that it lies on: 0 where no other dominates it, 1 where only those of front 0 do, and so on.
///
/// Deb, Pratap, Agarwal and Meyarivan, *A Fast and Elitist Multiobjective Genetic Algorithm: NSGA-II*, IEEE TEC 6(2), 2002.
pub(crate) fn fronts(losses: &[&[f64]]) -> Vec<usize> {
    let n = losses.len();
    let mut below: Vec<Vec<usize>> = vec![Vec::new(); n];
    let mut n_above = vec![0; n];
    for i in 0..n {
        for j in 0..i {
            let (better, worse) = match (dominates(losses[i], losses[j]), dominates(losses[j], losses[i])) {
                (true, _) => (i, j),
                (_, true) => (j, i),
                _ => continue,
            };
            below[better].push(worse);
            n_above[worse] += 1;
        }
    }
    let mut front = vec![0; n];
    let mut current: Vec<usize> = (0..n).filter(|i| n_above[*i] == 0).collect();
    let mut number = 0;
    while !current.is_empty() {
        let mut next = Vec::new();
        for &i in &current {
            front[i] = number;
            for &worse in &below[i] {
                n_above[worse] -= 1;
                if n_above[worse] == 0 {
                    next.push(worse);
                }
            }
        }
        number += 1;
        current = next;
    }
    front
}

/// How much room each point of one front has about it: the sum over the objectives of the distance between its neighbours, as a share of the front's range; infinite at the ends. From the same paper.
pub(crate) fn crowding(losses: &[&[f64]]) -> Vec<f64> {
    let n = losses.len();
    let mut room = vec![0.0; n];
    let n_objectives = losses.first().map_or(0, |losses| losses.len());
    for values in (0..n_objectives).map(|objective| losses.iter().map(|losses| losses[objective]).collect::<Vec<f64>>())
    {
        let mut order: Vec<usize> = (0..n).collect();
        order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
        let at = |place: usize| values[order[place]];
        let range = at(n - 1) - at(0);
        room[order[0]] = f64::INFINITY;
        room[order[n - 1]] = f64::INFINITY;
        for place in 1..n.max(1) - 1 {
            if range > 0.0 {
                room[order[place]] += (at(place + 1) - at(place - 1)) / range;
            }
        }
    }
    room
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::past_trial;

    #[track_caller]
    fn check(points: &[Vec<f64>], reference: &[f64], expected: f64) {
        let found = hypervolume(points, reference).unwrap();
        assert!((found - expected).abs() <= 1e-12 * expected.max(1.0), "{found}, not {expected}");
    }

    /// frac(.37 (i + 1) (j + 2)) for point i and objective j.
    fn points(n_objectives: u32) -> Vec<Vec<f64>> {
        let point = |i: u32| (0..n_objectives).map(|j| (0.37 * f64::from((i + 1) * (j + 2))).fract()).collect();
        (0..12).map(point).collect()
    }

    // optuna._hypervolume.compute_hypervolume, Optuna 5.0.
    #[test]
    fn the_hypervolume_is_that_of_the_reference() {
        let two = [[0.1, 0.9], [0.3, 0.5], [0.6, 0.2], [0.7, 0.6], [0.3, 0.5]].map(Vec::from);
        check(&two, &[1.0, 1.0], 0.49);
        let three =
            [[0.1, 0.9, 0.5], [0.3, 0.5, 0.2], [0.6, 0.2, 0.4], [0.7, 0.6, 0.1], [0.2, 0.3, 0.8], [0.9, 0.9, 0.9]];
        check(&three.map(Vec::from), &[1.0, 1.0, 1.0], 0.398);
        check(&points(3), &[1.1, 1.2, 0.9], 0.6084679999999982);
        check(&points(4), &[1.1, 1.2, 0.9, 1.0], 0.40488399999999836);
    }

    #[test]
    fn points_outside_of_the_reference_add_nothing() {
        check(&[vec![2.0, 0.0], vec![0.0, 1.0], vec![f64::NAN, 0.0]], &[1.0, 1.0], 0.0);
        check(&[vec![0.25], vec![0.5]], &[1.0], 0.75);
        assert!(hypervolume(&[vec![0.0]], &[1.0, 1.0]).is_err());
        assert!(hypervolume(&[], &[f64::INFINITY]).is_err());
    }

    #[test]
    fn each_front_is_beaten_by_those_before_it_alone() {
        let losses: [&[f64]; 6] = [&[1.0, 4.0], &[2.0, 2.0], &[4.0, 1.0], &[3.0, 3.0], &[2.0, 2.0], &[4.0, 4.0]];
        assert_eq!(fronts(&losses), [0, 0, 0, 1, 0, 2]);
        // Of the three in a line, the one in the middle has (4 - 1) / 3 twice about it.
        assert_eq!(crowding(&losses[..3]), [f64::INFINITY, 2.0, f64::INFINITY]);
        assert_eq!(crowding(&[]), [0.0; 0]);
    }

    #[test]
    fn the_front_has_what_nothing_beats() {
        let trial = |(number, (score, other)): (u64, (f64, f64))| {
            let mut trial = past_trial(0, Default::default(), 0.0, 1);
            (trial.number, trial.score, trial.others) = (number, Some(score), vec![vec![other]]);
            trial
        };
        let values = [(0.9, 10.0), (0.8, 5.0), (0.8, 6.0), (0.9, 10.0), (0.95, 30.0), (0.5, f64::NAN), (0.7, 4.0)];
        let mut trials: Vec<Trial> = (0..).zip(values).map(trial).collect();
        let directions = [Direction::Maximize, Direction::Minimize];
        assert_eq!(pareto_front(&trials, &directions), [0, 1, 3, 4, 6]);
        trials[4].state = TrialState::Failed { reason: "odd".to_string() };
        assert_eq!(pareto_front(&trials, &directions), [0, 1, 3, 6]);
        assert_eq!(pareto_front(&trials, &directions[..1]), [0; 0]);
    }
}
