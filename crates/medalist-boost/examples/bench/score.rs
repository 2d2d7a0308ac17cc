//! How good the held-out rows' scores are.

use medalist_boost::{Objective, Trainer};

use crate::set::Set;

/// The scores that go with the objective, as members of a JSON object.
pub fn scores(set: &Set, rows: &[u32], trainer: &Trainer) -> String {
    let labels: Vec<f64> = rows.iter().map(|&row| set.labels[row as usize]).collect();
    let scores: Vec<f64> = rows.iter().map(|&row| trainer.score(row, 0)).collect();
    match &set.objective {
        Objective::Softmax { n_classes } => {
            let mut row_of = vec![0.0; *n_classes];
            let mut loss = 0.0;
            let mut right = 0.0;
            for (&row, &label) in rows.iter().zip(&labels) {
                trainer.predict(row, &mut row_of);
                let own = row_of[label as usize];
                loss -= own.max(1e-15).ln();
                right += f64::from(row_of.iter().all(|&p| p <= own));
            }
            let n = rows.len() as f64;
            format!("\"log_loss\": {:.5}, \"accuracy\": {:.5}", loss / n, right / n)
        }
        Objective::Squared => {
            let sum: f64 = scores.iter().zip(&labels).map(|(score, label)| (score - label).powi(2)).sum();
            format!("\"rmse\": {:.5}", (sum / rows.len() as f64).sqrt())
        }
        _ => format!("\"auc\": {:.5}, \"log_loss\": {:.5}", auc(&scores, &labels), log_loss(&scores, &labels)),
    }
}

/// The chance that a positive row scores above a negative one, ties counted half.
pub fn auc(scores: &[f64], labels: &[f64]) -> f64 {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| scores[a].total_cmp(&scores[b]));
    let (mut below, mut sum) = (0.0, 0.0);
    for ties in order.chunk_by(|&a, &b| scores[a] == scores[b]) {
        let positive: f64 = ties.iter().map(|&row| labels[row]).sum();
        let negative = ties.len() as f64 - positive;
        sum += positive * (below + negative / 2.0);
        below += negative;
    }
    let positive: f64 = labels.iter().sum();
    sum / (positive * (labels.len() as f64 - positive))
}

pub fn log_loss(scores: &[f64], labels: &[f64]) -> f64 {
    let loss = scores.iter().zip(labels).map(|(score, label)| (1.0 + (-score * (2.0 * label - 1.0)).exp()).ln());
    loss.sum::<f64>() / scores.len() as f64
}
