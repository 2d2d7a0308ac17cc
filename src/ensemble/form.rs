//! Members' predictions in a form that can be added up, and the way back.

use ndarray::{Array2, ArrayView2, Axis};
use serde::{Deserialize, Serialize};

use crate::competition::Competition;
use crate::error::{Error, Result};
use crate::metric::{Needs, TargetScale};
use crate::saved;
use crate::target::{TargetColumn, Task};

/// What is added up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// (n_rows, n_classes), rows summing to 1.
    Probabilities,
    /// (n_rows, 1) on the scale on which models fit the target; of an ordinal target's classes, the expected label.
    Values,
    /// (n_rows, n_classes): the positive class's share of the rows below, in 0..1.
    Ranks,
}

impl Form {
    /// Whether a row holds one probability per class.
    pub(super) fn is_probable(self) -> bool {
        self != Form::Values
    }

    /// The one in which all of these members can be had: probabilities where each predicts them.
    pub(super) fn of(competition: &Competition, outputs: &[&[Array2<f64>]]) -> Form {
        let n_classes = |target: usize| competition.targets[target].labels.len();
        let probable = |outputs: &&[Array2<f64>]| {
            outputs.iter().enumerate().all(|(target, output)| output.ncols() == n_classes(target))
        };
        let has_classes = matches!(competition.task, Task::Binary | Task::Multiclass | Task::Ordinal);
        if has_classes && outputs.iter().all(probable) { Form::Probabilities } else { Form::Values }
    }

    /// Whether ranks say all that the metric looks at.
    pub(super) fn can_rank(competition: &Competition, needs: Needs) -> bool {
        needs == Needs::Scores && competition.task == Task::Binary
    }

    /// One member's outputs in this form; rows without a prediction stay NaN.
    ///
    /// `groups`: the rows that are ranked together.
    pub(super) fn put(
        self,
        competition: &Competition,
        scale: TargetScale,
        outputs: &[Array2<f64>],
        groups: &[Vec<u32>],
    ) -> Result<Vec<Array2<f64>>> {
        let one = |(target, output): (usize, &Array2<f64>)| {
            let column = &competition.targets[target];
            match self {
                Form::Probabilities => Ok(normalised(output.view())),
                Form::Values => values(output.view(), column, scale),
                Form::Ranks => Ok(ranks(normalised(output.view()), competition.positive(target) as usize, groups)),
            }
        };
        outputs.iter().enumerate().map(one).collect()
    }

    /// What was added up, as a model's outputs.
    pub(super) fn back(self, scale: TargetScale, mixed: Array2<f64>) -> Array2<f64> {
        match self {
            Form::Values => saved::unscaled(scale, mixed),
            Form::Probabilities | Form::Ranks => mixed,
        }
    }
}

fn normalised(raw: ArrayView2<f64>) -> Array2<f64> {
    let mut shares = raw.to_owned();
    for mut row in shares.rows_mut() {
        let sum = row.sum();
        if sum > 0.0 {
            row /= sum;
        }
    }
    shares
}

fn values(raw: ArrayView2<f64>, column: &TargetColumn, scale: TargetScale) -> Result<Array2<f64>> {
    let own = match (raw.ncols(), column.label_values()) {
        (1, _) => raw.to_owned(),
        (n, Some(labels)) if n == labels.len() => {
            let expected = |row: ndarray::ArrayView1<f64>| {
                row.iter().zip(&labels).map(|(share, label)| share * label).sum::<f64>() / row.sum()
            };
            raw.map_axis(Axis(1), expected).insert_axis(Axis(1))
        }
        (n, _) => {
            let message = format!("one member predicts {n} columns, others values");
            return Err(Error::model(message).column(&column.name).help("leave one kind of them out"));
        }
    };
    // Just within what the scale is defined on: a prediction of exactly its end says no more than "very small".
    Ok(match scale {
        TargetScale::Identity => own,
        TargetScale::Log => own.mapv(|value| scale.of(value.max(f64::MIN_POSITIVE))),
        TargetScale::Log1p => own.mapv(|value| scale.of(value.max(f64::EPSILON - 1.0))),
    })
}

/// Within each group; ties share their mean rank.
fn ranks(mut shares: Array2<f64>, positive: usize, groups: &[Vec<u32>]) -> Array2<f64> {
    for group in groups {
        let mut order: Vec<(f64, usize)> =
            group.iter().map(|&row| (shares[[row as usize, positive]], row as usize)).collect();
        order.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let n = order.len() as f64;
        for tied in order.chunk_by(|a, b| a.0 == b.0).scan(0, |below, tied| {
            *below += tied.len();
            Some((*below - tied.len(), tied))
        }) {
            let (below, tied) = tied;
            let rank = (below as f64 + tied.len() as f64 / 2.0) / n;
            for &(_, row) in tied {
                let mut row = shares.row_mut(row);
                row.fill(1.0 - rank);
                row[positive] = rank;
            }
        }
    }
    shares
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn ranks_are_within_groups_and_ties_share_theirs() {
        let shares = array![[0.9, 0.1], [0.5, 0.5], [0.5, 0.5], [0.2, 0.8], [0.99, 0.01]];
        let ranked = ranks(shares, 1, &[vec![0, 1, 2, 3], vec![4]]);
        assert_eq!(ranked.column(1).to_vec(), [0.125, 0.5, 0.5, 0.875, 0.5]);
        assert_eq!(ranked.column(0).to_vec(), [0.875, 0.5, 0.5, 0.125, 0.5]);
    }
}
