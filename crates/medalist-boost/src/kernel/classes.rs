//! Derivatives for several classes: many rows at a time, class after class, so that a row's exponentials do not wait for each other.

use super::leveled;
use super::logistic::{LEAST_HESSIAN, exp_short};

/// Rows at a time: their exponentials of 26 classes fit the first-level cache.
const ROWS_A_BLOCK: usize = 128;

/// What the second derivative is made of.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Loss {
    /// Probabilities that add up to 1; the second derivative p (1 - p) is multiplied by this.
    Softmax(f64),
    /// One logistic loss a class.
    OneVsAll,
}

leveled! {
    /// Fills each class's derivatives. `scores` and `out` by class, then by row; `weights` may be empty: all are 1.
    fn classes(loss: Loss, scores: &[&[f64]], labels: &[f64], weights: &[f64], out: &mut [&mut [[f32; 2]]]) = classes_body
}

#[inline(always)]
fn classes_body(loss: Loss, scores: &[&[f64]], labels: &[f64], weights: &[f64], out: &mut [&mut [[f32; 2]]]) {
    let mut powers = vec![[0.0; ROWS_A_BLOCK]; scores.len()];
    let mut own_weights = [1.0; ROWS_A_BLOCK];
    for start in (0..labels.len()).step_by(ROWS_A_BLOCK) {
        let rows = start..labels.len().min(start + ROWS_A_BLOCK);
        let n_rows = rows.len();
        let labels = &labels[rows.clone()];
        if !weights.is_empty() {
            own_weights[..n_rows].copy_from_slice(&weights[rows.clone()]);
        }
        let own_weights = &own_weights[..n_rows];
        let factor = match loss {
            Loss::Softmax(factor) => {
                let mut largest = [f64::NEG_INFINITY; ROWS_A_BLOCK];
                for scores in scores {
                    for (largest, &score) in largest[..n_rows].iter_mut().zip(&scores[rows.clone()]) {
                        *largest = if score > *largest { score } else { *largest };
                    }
                }
                let mut sums = [0.0; ROWS_A_BLOCK];
                for (scores, powers) in scores.iter().zip(&mut powers) {
                    let each = powers[..n_rows].iter_mut().zip(&scores[rows.clone()]);
                    for ((power, &score), (largest, sum)) in each.zip(largest.iter().zip(&mut sums)) {
                        *power = exp_short(score - largest);
                        *sum += *power;
                    }
                }
                sums[..n_rows].iter_mut().for_each(|sum| *sum = 1.0 / *sum);
                for powers in &mut powers {
                    powers[..n_rows].iter_mut().zip(&sums).for_each(|(power, inverse)| *power *= inverse);
                }
                factor
            }
            Loss::OneVsAll => {
                for (scores, powers) in scores.iter().zip(&mut powers) {
                    for (power, &score) in powers[..n_rows].iter_mut().zip(&scores[rows.clone()]) {
                        *power = 1.0 / (1.0 + exp_short(-score));
                    }
                }
                1.0
            }
        };
        for (class, (powers, out)) in powers.iter().zip(out.iter_mut()).enumerate() {
            let class = class as f64;
            let each = powers[..n_rows].iter().zip(labels).zip(own_weights);
            for (((&p, &label), &weight), out) in each.zip(&mut out[rows.clone()]) {
                let is_label = if label == class { 1.0 } else { 0.0 };
                let hessian = factor * p * (1.0 - p);
                let hessian = if hessian > LEAST_HESSIAN { hessian } else { LEAST_HESSIAN };
                *out = [(weight * (p - is_label)) as f32, (weight * hessian) as f32];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Level;

    #[test]
    fn agrees_with_the_definition() {
        let n_rows = 2 * ROWS_A_BLOCK + 37;
        let scores: Vec<Vec<f64>> = (0..3)
            .map(|class| (0..n_rows).map(|row| ((row * (class + 2)) % 41) as f64 * 0.3 - 6.0).collect())
            .collect();
        let scores: Vec<&[f64]> = scores.iter().map(|scores| &scores[..]).collect();
        let labels: Vec<f64> = (0..n_rows).map(|row| (row % 3) as f64).collect();
        let weights: Vec<f64> = (0..n_rows).map(|row| (row % 5) as f64).collect();
        for (loss, factor) in [(Loss::Softmax(1.5), 1.5), (Loss::OneVsAll, 1.0)] {
            for level in [Level::Base, Level::detect()] {
                let mut out = vec![vec![[0.0; 2]; n_rows]; 3];
                let mut each: Vec<&mut [[f32; 2]]> = out.iter_mut().map(|out| &mut out[..]).collect();
                classes(level, loss, &scores, &labels, &weights, &mut each);
                for row in 0..n_rows {
                    let sum: f64 = scores.iter().map(|scores| scores[row].exp()).sum();
                    for class in 0..3 {
                        let power = scores[class][row].exp();
                        let p = if loss == Loss::OneVsAll { power / (1.0 + power) } else { power / sum };
                        let wanted = [p - f64::from(labels[row] == class as f64), factor * p * (1.0 - p)];
                        for (part, wanted) in out[class][row].iter().zip(wanted) {
                            assert!((f64::from(*part) - weights[row] * wanted).abs() < 1e-6, "row {row} class {class}");
                        }
                    }
                }
            }
        }
    }
}
