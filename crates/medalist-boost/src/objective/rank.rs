//! LambdaRank: pairs within a query group pull apart by what their exchange would cost in NDCG (Burges 2010).

use super::derive::Derivative;
use crate::kernel::logistic::sigmoid;

/// Fills the derivatives of one group: `rows` are its rows, by whose numbers scores, labels and `out` are found.
pub(crate) fn derive(
    rows: &[u32],
    scores: &[f64],
    labels: &[f64],
    weight: &dyn Fn(u32) -> f64,
    truncation_level: usize,
    out: &mut [Derivative],
) {
    let gain = |row: usize| labels[row].exp2() - 1.0;
    let discount = |rank: usize| 1.0 / (rank as f64 + 2.0).log2();
    let mut ideal: Vec<f64> = rows.iter().map(|&row| gain(row as usize)).collect();
    ideal.sort_by(|a, b| b.total_cmp(a));
    let best: f64 = ideal.iter().take(truncation_level).enumerate().map(|(rank, gain)| gain * discount(rank)).sum();
    let mut order: Vec<usize> = rows.iter().map(|&row| row as usize).collect();
    order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
    let (mut lambdas, mut hessians) = (vec![0.0; order.len()], vec![0.0; order.len()]);
    let mut total = 0.0;
    if best > 0.0 {
        let spread = scores[order[0]] - scores[order[order.len() - 1]];
        for i in 0..order.len().min(truncation_level) {
            for j in i + 1..order.len() {
                let (a, b) = (order[i], order[j]);
                if labels[a] == labels[b] {
                    continue;
                }
                let (high, low) = if labels[a] > labels[b] { (i, j) } else { (j, i) };
                let difference = scores[order[high]] - scores[order[low]];
                let mut cost = ((gain(a) - gain(b)) * (discount(i) - discount(j))).abs() / best;
                // Close scores count more, as in LightGBM's normalised LambdaRank.
                if spread > 0.0 {
                    cost /= 0.01 + difference.abs();
                }
                let p = sigmoid(-difference);
                let (lambda, hessian) = (cost * p, cost * p * (1.0 - p));
                lambdas[high] -= lambda;
                lambdas[low] += lambda;
                hessians[high] += hessian;
                hessians[low] += hessian;
                total += 2.0 * lambda;
            }
        }
    }
    let norm = if total > 0.0 { (1.0 + total).log2() / total } else { 1.0 };
    for (place, &row) in order.iter().enumerate() {
        let weight = weight(row as u32);
        out[row] = [(lambdas[place] * norm * weight) as f32, (hessians[place] * norm * weight) as f32];
    }
}
