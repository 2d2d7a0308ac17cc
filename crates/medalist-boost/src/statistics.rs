//! Ordered target statistics: a category as the mean label of the rows with it that came before, in a random order (Prokhorenkova et al. 2018). So no row's number knows its own label.

use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

use crate::sample::Draw;

/// The statistics of one categorical feature for one target, for rows that were not trained on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetStatistics {
    /// By code.
    means: Vec<(u32, f64)>,
    /// Of a category that training has not seen; a missing one is a category like any other.
    prior: f64,
}

/// How many rows the prior counts for.
const PRIOR_ROWS: f64 = 1.0;

impl TargetStatistics {
    /// Learns from training rows; returns their own numbers too, (n_rows,). `weights` as many as labels, or empty.
    pub fn fit(codes: &[u32], labels: &[f64], weights: &[f64], seed: u64) -> (Vec<f64>, TargetStatistics) {
        let weight = |row: usize| weights.get(row).copied().unwrap_or(1.0);
        let total: f64 = (0..labels.len()).map(weight).sum();
        let sum: f64 = labels.iter().enumerate().map(|(row, label)| label * weight(row)).sum();
        let prior = if total > 0.0 { sum / total } else { 0.0 };
        let mut known: Vec<u32> = codes.to_vec();
        known.sort_unstable();
        known.dedup();
        let place = |code: u32| known.partition_point(|&known| known < code);
        let mut sums = vec![(0.0, 0.0); known.len()];
        let mean = |(sum, weight): (f64, f64)| (sum + PRIOR_ROWS * prior) / (weight + PRIOR_ROWS);
        let mut order: Vec<usize> = (0..codes.len()).collect();
        order.shuffle(&mut Draw::new(seed, 0, 0).stream(b"ordered\0"));
        let mut own = vec![prior; codes.len()];
        for row in order {
            let sums = &mut sums[place(codes[row])];
            own[row] = mean(*sums);
            sums.0 += labels[row] * weight(row);
            sums.1 += weight(row);
        }
        let means = known.into_iter().zip(sums.into_iter().map(mean)).collect();
        (own, TargetStatistics { means, prior })
    }

    /// The numbers of other rows.
    pub fn apply(&self, codes: &[u32]) -> Vec<f64> {
        let of = |&code: &u32| {
            let found = self.means.binary_search_by_key(&code, |&(code, _)| code);
            found.map_or(self.prior, |place| self.means[place].1)
        };
        codes.iter().map(of).collect()
    }

    /// Bytes held.
    pub fn size(&self) -> usize {
        size_of_val(&self.means[..]) + 8
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bins::MISSING_CATEGORY;

    #[test]
    fn a_row_does_not_know_its_own_label() {
        let codes: Vec<u32> = (0..200).map(|row| if row % 9 == 0 { MISSING_CATEGORY } else { row % 7 }).collect();
        let labels: Vec<f64> = (0..200).map(|row| f64::from(row * 13 % 10)).collect();
        let (own, _) = TargetStatistics::fit(&codes, &labels, &[], 3);
        // Another label in one row, with the overall mean as it was: only rows after it may change.
        let mut other = labels.clone();
        other[50] += 1.0;
        other[51] -= 1.0;
        let (changed, _) = TargetStatistics::fit(&codes, &other, &[], 3);
        let same_category = |row: usize, as_row: usize| codes[row] == codes[as_row];
        assert!(own.iter().zip(&changed).any(|(a, b)| (a - b).abs() > 1e-3));
        for row in 0..200 {
            if !same_category(row, 50) && !same_category(row, 51) || row == 50 || row == 51 {
                assert!((own[row] - changed[row]).abs() < 1e-9, "{row}");
            }
        }
    }

    #[test]
    fn other_rows_get_the_mean_of_all() {
        let (_, statistics) = TargetStatistics::fit(&[1, 1, 2], &[0.0, 2.0, 4.0], &[], 0);
        // (0 + 2 + prior 2) / 3, (4 + 2) / 2, and the prior.
        assert_eq!(statistics.apply(&[1, 2, 7]), [4.0 / 3.0, 3.0, 2.0]);
    }
}
