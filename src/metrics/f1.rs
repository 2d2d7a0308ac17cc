//! The harmonic mean of precision and recall: of the positive class, or averaged over classes.

use super::counts::{self, Average};
use crate::error::Result;
use crate::metric::{About, Direction, Metric, Needs, Prediction, Settings, Truth};
use crate::target::Task;

/// 2 TP / (2 TP + FP + FN), 0 where nothing is positive, 0 to 1; higher is better.
///
/// `y_true`, `y_pred`: (n_rows,), class numbers. As scikit-learn's `f1_score` with `zero_division = 0`.
///
/// Settings: `average`: "binary" (default: the positive class alone), "macro" (mean over the union of the labels in truth and prediction), "micro" (pooled counts: the accuracy) or "weighted" (mean by the classes' weight in the truth); `positive`: the positive class's label, where it is not the competition's.
pub struct F1 {
    average: Average,
}

impl Metric for F1 {
    fn from_settings(settings: &Settings) -> Result<Self> {
        settings.only("f1", &["average", "positive"])?;
        Ok(F1 { average: Average::from_settings("f1", settings)? })
    }

    fn about() -> About {
        About {
            formula: "2 TP / (2 TP + FP + FN), 0 / 0 being 0",
            settings: &counts::SETTINGS,
            aliases: &["f1_score", "f1_binary"],
            presets: &[
                ("macro_f1", &[("average", "\"macro\"")]),
                ("micro_f1", &[("average", "\"micro\"")]),
                ("weighted_f1", &[("average", "\"weighted\"")]),
                ("f1_macro", &[("average", "\"macro\"")]),
                ("f1_micro", &[("average", "\"micro\"")]),
                ("f1_weighted", &[("average", "\"weighted\"")]),
            ],
            ..About::default()
        }
    }

    fn name(&self) -> &str {
        "f1"
    }

    fn direction(&self) -> Direction {
        Direction::Maximize
    }

    fn needs(&self) -> Needs {
        Needs::Labels
    }

    fn tasks(&self) -> &[Task] {
        self.average.tasks()
    }

    fn score(&self, truth: &Truth, prediction: &Prediction) -> Result<f64> {
        self.average.score("f1", truth, prediction, |counts| counts.f(1.0))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::target::Target;

    #[track_caller]
    fn check(settings: serde_json::Value, labels: &[&str], y: &[u32], p: &[u32], expected: Result<f64, &str>) {
        let settings = serde_json::from_value(settings).map(Settings).unwrap();
        let labels: Vec<String> = labels.iter().map(|label| label.to_string()).collect();
        let truth = Truth {
            target: &Target::Classes { codes: y.to_vec(), n_classes: labels.len() },
            labels: &labels,
            positive: 1,
            n_train_labels: labels.len(),
            weights: None,
            queries: None,
        };
        let score = F1::from_settings(&settings).and_then(|f1| f1.score(&truth, &Prediction::Labels(p)));
        match (score, expected) {
            (Ok(score), Ok(expected)) => assert!((score - expected).abs() < 1e-12, "{score} is not {expected}"),
            (Err(error), Err(expected)) => assert!(error.to_string().contains(expected), "{error}"),
            (score, expected) => panic!("{score:?} is not {expected:?}"),
        }
    }

    #[test]
    fn the_positive_class_can_be_named_by_what_its_label_means() {
        // f1_score([0, 0, 1, 1], [0, 1, 1, 1], pos_label=0), scikit-learn: precision 1, recall 1/2.
        check(json!({ "positive": "false" }), &["0", "1"], &[0, 0, 1, 1], &[0, 1, 1, 1], Ok(2.0 / 3.0));
        check(json!({ "positive": 0 }), &["0", "1"], &[0, 0, 1, 1], &[0, 1, 1, 1], Ok(2.0 / 3.0));
        check(json!({}), &["0", "1"], &[0, 0, 1, 1], &[0, 1, 1, 1], Ok(0.8));
    }

    #[test]
    fn settings_that_cannot_be_meant_are_refused() {
        check(json!({ "average": "mean" }), &["0", "1"], &[0], &[0], Err("no average \"mean\""));
        check(json!({ "positive": "2" }), &["0", "1"], &[0], &[0], Err("no class is labelled `2`"));
        check(json!({ "positive": [1] }), &["0", "1"], &[0], &[0], Err("not a label"));
        check(json!({ "positive": 1, "average": "macro" }), &["0", "1"], &[0], &[0], Err("leave one of them out"));
        check(json!({ "avrage": "macro" }), &["0", "1"], &[0], &[0], Err("did you mean `average`"));
        check(json!({}), &["0", "1", "2"], &[0], &[0], Err("f1 of 3 classes"));
    }
}
