//! Derivatives of all rows, by what the objective needs of them.

use super::{Trainer, not_finite};
use crate::error::Result;
use crate::objective::derive::{Derivative, Stretch};
use crate::objective::{Custom, Objective, rank};

impl Trainer<'_> {
    /// Derives the objective by the scores as they are.
    ///
    /// # Errors
    /// When a closure's derivatives are not finite.
    pub(super) fn derive(&mut self) -> Result<()> {
        let Trainer { params, rows, labels, weights, scores, derivatives, level, groups, span, .. } = self;
        let (span, n_all) = (span.clone(), self.bins.n_rows());
        derivatives.iter_mut().for_each(|own| own.resize(n_all, [0.0; 2]));
        for (target, labels) in labels.iter().enumerate() {
            let own = if weights.is_empty() { &[] } else { &weights[span.clone()] };
            let stretch = Stretch { labels: &labels[span.clone()], weights: own };
            let weight = |row: u32| weights.get(row as usize).copied().unwrap_or(1.0);
            match &params.objective {
                Objective::Softmax { .. } | Objective::OneVsAll { .. } => {
                    let scores: Vec<&[f64]> = scores.iter().map(|scores| &scores[span.clone()]).collect();
                    let mut out: Vec<&mut [Derivative]> =
                        derivatives.iter_mut().map(|derivatives| &mut derivatives[span.clone()]).collect();
                    params.objective.derive_classes(*level, &stretch, &scores, &mut out, params.parallel);
                }
                Objective::LambdaRank { truncation_level } => {
                    for group in groups.iter() {
                        let (scores, out) = (&scores[target], &mut derivatives[target]);
                        rank::derive(&rows[group.clone()], scores, labels, &weight, *truncation_level, out);
                    }
                }
                Objective::Custom(Custom(derive)) => {
                    let gather = |values: &[f64]| rows.iter().map(|&row| values[row as usize]).collect::<Vec<_>>();
                    let mut out = vec![[0.0; 2]; rows.len()];
                    derive(&gather(&scores[target]), &gather(labels), &mut out);
                    for (&row, &[first, second]) in rows.iter().zip(&out) {
                        if !(first.is_finite() && second >= 0.0 && second.is_finite()) {
                            return Err(not_finite(row as usize, [first, second]));
                        }
                        let weight = weight(row) as f32;
                        derivatives[target][row as usize] = [first * weight, second * weight];
                    }
                }
                objective => {
                    let (scores, out) = (&scores[target][span.clone()], &mut derivatives[target][span.clone()]);
                    objective.derive_one(*level, &stretch, scores, out, params.parallel);
                }
            }
        }
        Ok(())
    }
}
