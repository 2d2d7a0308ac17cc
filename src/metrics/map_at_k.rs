//! Mean average precision of the first k guesses.

use super::texts::mean;
use crate::error::Result;
use crate::metric::{About, Direction, Metric, Needs, Prediction, Settings, Truth};
use crate::target::Task;

/// The mean over rows of sum P(i) [guess i is right] / min(k, number of right labels), P(i) the share of the first i guesses that are right; 0 to 1, higher is better.
///
/// `y_true`: (n_rows,), the right labels with blanks between, mostly one; a row without any scores 0. `y_pred`: (n_rows,), guesses with blanks between, best first: those beyond k do not count, and a guess that is repeated counts once.
///
/// Settings: `k`, default 5.
pub struct MapAtK {
    k: usize,
}

impl Metric for MapAtK {
    fn from_settings(settings: &Settings) -> Result<Self> {
        settings.only("map_at_k", &["k"])?;
        Ok(MapAtK { k: settings.count("map_at_k", "k")?.unwrap_or(5) })
    }

    fn about() -> About {
        About {
            formula: "sum w AP / sum w, AP = sum over the first k guesses of P(i) [guess i is right] / min(k, number of right labels)",
            settings: &[("k", "how many guesses count; 5 by default")],
            aliases: &["map@{k}", "mean_average_precision"],
            ..About::default()
        }
    }

    fn name(&self) -> &str {
        "map_at_k"
    }

    fn direction(&self) -> Direction {
        Direction::Maximize
    }

    fn needs(&self) -> Needs {
        Needs::Ranking(self.k)
    }

    fn tasks(&self) -> &[Task] {
        &[Task::Multiclass, Task::Binary, Task::Ordinal, Task::Text]
    }

    fn score(&self, truth: &Truth, prediction: &Prediction) -> Result<f64> {
        let (mut right, mut guesses): (Vec<&str>, Vec<&str>) = (Vec::new(), Vec::new());
        mean(truth, prediction, |truth, predicted| {
            right.clear();
            right.extend(truth.split_whitespace());
            right.sort_unstable();
            right.dedup();
            if right.is_empty() {
                return 0.0;
            }
            guesses.clear();
            guesses.extend(predicted.split_whitespace().take(self.k));
            let (mut hits, mut sum) = (0.0, 0.0);
            for (place, guess) in guesses.iter().enumerate() {
                if right.binary_search(guess).is_ok() && !guesses[..place].contains(guess) {
                    hits += 1.0;
                    sum += hits / (place + 1) as f64;
                }
            }
            sum / self.k.min(right.len()) as f64
        })
    }
}
