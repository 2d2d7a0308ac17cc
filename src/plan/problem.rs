//! What a study is about, in the form that its plan keeps.

use std::time::Duration;

use medalist_search::StudySpec;

use crate::competition::Competition;
use crate::metric::Metric;
use crate::split::{Fold, fingerprint};

/// What a study is about, beside its space and search: a resume refuses another.
pub fn problem(
    competition: &Competition,
    metric: &dyn Metric,
    folds: &[Fold],
    trial_time: Option<Duration>,
) -> serde_json::Value {
    let mut problem = serde_json::json!({
        "competition": competition.slug,
        "data and settings": competition.fingerprint,
        "metric": metric.name(),
        "folds": fingerprint(folds),
    });
    // Which trials fail depends on it, so it is part of what the study is.
    if let Some(time) = trial_time {
        problem[TRIAL_SECONDS] = time.as_secs_f64().into();
    }
    problem
}

/// How long a trial of a study may take, where anything is said: then it repeats only as far as no trial comes near it.
pub fn trial_time(spec: &StudySpec) -> Option<Duration> {
    Duration::try_from_secs_f64(spec.problem[TRIAL_SECONDS].as_f64()?).ok()
}

const TRIAL_SECONDS: &str = "seconds for a trial";
