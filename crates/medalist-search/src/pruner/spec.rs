//! A pruner and its settings, as a study stores them and as a user writes them.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::{
    Asha, Budget, Halving, Hyperband, Median, NoPruner, Patience, Percentile, Pruner, Racing, Resource, Threshold,
};
use crate::space::nearest;

/// A pruner and its settings.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum PrunerSpec {
    None,
    Median(Median),
    Percentile(Percentile),
    Halving(Halving),
    Asha(Asha),
    Hyperband(Hyperband),
    Threshold(Threshold),
    Patience(Patience),
    Racing(Racing),
}

impl PrunerSpec {
    /// All of them.
    pub const NAMES: [&str; 9] =
        ["none", "median", "percentile", "halving", "asha", "hyperband", "threshold", "patience", "racing"];

    /// One of [`PrunerSpec::NAMES`], with its default settings. Those of `threshold` have no bound yet, see [`PrunerSpec::fault`].
    pub fn from_name(name: &str) -> Option<PrunerSpec> {
        Some(match name {
            "none" => PrunerSpec::None,
            "median" => PrunerSpec::Median(Median::default()),
            "percentile" => PrunerSpec::Percentile(Percentile::default()),
            "halving" => PrunerSpec::Halving(Halving::default()),
            "asha" => PrunerSpec::Asha(Asha::default()),
            "hyperband" => PrunerSpec::Hyperband(Hyperband::default()),
            "threshold" => PrunerSpec::Threshold(Threshold::default()),
            "patience" => PrunerSpec::Patience(Patience::default()),
            "racing" => PrunerSpec::Racing(Racing::default()),
            _ => return None,
        })
    }

    /// `median`, or with settings `percentile:percentile=40,n_startup_trials=10`.
    ///
    /// # Errors
    /// When the pruner or a setting is unknown, or the settings are unsound; says which there are.
    pub fn parse(text: &str) -> Result<PrunerSpec, String> {
        let (name, settings) = text.split_once(':').unwrap_or((text, ""));
        if PrunerSpec::from_name(name).is_none() {
            return Err(match nearest(name, PrunerSpec::NAMES.into_iter()) {
                Some(near) => format!("unknown pruner `{name}`; did you mean `{near}`?"),
                None => format!("unknown pruner `{name}`: one of {}", PrunerSpec::NAMES.join(", ")),
            });
        }
        let mut fields = Map::from_iter([("name".to_string(), Json::from(name))]);
        for setting in settings.split(',').filter(|setting| !setting.is_empty()) {
            let (key, value) =
                setting.split_once('=').ok_or_else(|| format!("pruner `{name}`: `{setting}` is not SETTING=NUMBER"))?;
            let value: Json = serde_json::from_str(value)
                .ok()
                .filter(Json::is_number)
                .ok_or_else(|| format!("pruner `{name}`: `{key}` is `{value}`, not a number"))?;
            if fields.insert(key.to_string(), value).is_some() {
                return Err(format!("pruner `{name}`: `{key}` is given twice"));
            }
        }
        if name == "none" && fields.len() > 1 {
            return Err("pruner `none` has no settings".to_string());
        }
        let spec: PrunerSpec =
            serde_json::from_value(Json::Object(fields)).map_err(|error| format!("pruner `{name}`: {error}"))?;
        match spec.fault() {
            Some(fault) => Err(format!("pruner {fault}")),
            None => Ok(spec),
        }
    }

    pub fn build(&self) -> Box<dyn Pruner> {
        match self {
            PrunerSpec::None => Box::new(NoPruner),
            PrunerSpec::Median(median) => Box::new(median.clone()),
            PrunerSpec::Percentile(percentile) => Box::new(percentile.clone()),
            PrunerSpec::Halving(halving) => Box::new(halving.clone()),
            PrunerSpec::Asha(asha) => Box::new(asha.clone()),
            PrunerSpec::Hyperband(hyperband) => Box::new(hyperband.clone()),
            PrunerSpec::Threshold(threshold) => Box::new(threshold.clone()),
            PrunerSpec::Patience(patience) => Box::new(patience.clone()),
            PrunerSpec::Racing(racing) => Box::new(racing.clone()),
        }
    }

    /// Whether its decisions read other trials.
    pub fn depends_on_history(&self) -> bool {
        !matches!(self, PrunerSpec::None | PrunerSpec::Threshold(_))
    }

    /// After how many folds of a trial it is decided whether to go on: ascending, each leaving a fold to save. At most two, since a trial waits for its past at each.
    pub fn rungs(&self, n_folds: usize) -> Vec<usize> {
        let budget = Budget::folds(n_folds);
        let ladder = match self {
            PrunerSpec::None => return Vec::new(),
            PrunerSpec::Median(_) | PrunerSpec::Percentile(_) | PrunerSpec::Racing(_) => return fifths(&[2], n_folds),
            PrunerSpec::Threshold(_) => return fifths(&[1, 3], n_folds),
            PrunerSpec::Patience(patience) => {
                let first = usize::try_from(patience.patience).unwrap_or(usize::MAX);
                let mut rungs = fifths(&[4], n_folds);
                rungs.retain(|rung| *rung > first);
                rungs.insert(0, first);
                rungs.retain(|rung| *rung < n_folds);
                return rungs;
            }
            PrunerSpec::Halving(halving) => halving.ladder(&budget),
            PrunerSpec::Asha(asha) => asha.ladder(&budget),
            PrunerSpec::Hyperband(hyperband) => hyperband.ladder(&budget),
        };
        let lowest = if let PrunerSpec::Asha(asha) = self { asha.min_early_stopping_rate } else { 0 };
        ladder
            .rungs()
            .skip(lowest)
            .filter_map(|rung| usize::try_from(rung).ok())
            .filter(|rung| *rung < n_folds)
            .collect()
    }

    /// What is wrong with the settings, beginning with the pruner's name.
    pub fn fault(&self) -> Option<String> {
        let halving = |name: &str, min_resource: Option<u64>, reduction_factor: u64| {
            if min_resource == Some(0) {
                return Some(format!("`{name}`: `min_resource` is 0: choose 1 or more"));
            }
            (reduction_factor < 2)
                .then(|| format!("`{name}`: `reduction_factor` is {reduction_factor}: one in 2 or more trials goes on"))
        };
        match self {
            PrunerSpec::None | PrunerSpec::Median(_) => None,
            PrunerSpec::Percentile(Percentile { percentile, .. }) => (!(0.0..=100.0).contains(percentile))
                .then(|| format!("`percentile`: `percentile` is {percentile}: choose it from 0 to 100")),
            PrunerSpec::Halving(Halving { min_resource, reduction_factor, cohort }) => {
                halving("halving", *min_resource, *reduction_factor).or_else(|| {
                    ((*cohort as u64) < *reduction_factor)
                        .then(|| format!("`halving`: `cohort` is {cohort}: choose {reduction_factor} trials or more"))
                })
            }
            PrunerSpec::Asha(asha) => halving("asha", asha.min_resource, asha.reduction_factor),
            PrunerSpec::Hyperband(Hyperband { min_resource, max_resource, reduction_factor }) => {
                halving("hyperband", *min_resource, *reduction_factor).or_else(|| {
                    max_resource
                        .is_some_and(|max| max < min_resource.unwrap_or(1))
                        .then(|| "`hyperband`: `max_resource` is below `min_resource`".to_string())
                })
            }
            PrunerSpec::Threshold(Threshold { lower, upper, .. }) => match (lower, upper) {
                (None, None) => {
                    Some("`threshold` has no bound: give `lower`, `upper` or both, as threshold:upper=0.5".to_string())
                }
                (lower, upper) if lower.iter().chain(upper).any(|bound| !bound.is_finite()) => {
                    Some("`threshold` has a bound that is no number".to_string())
                }
                (Some(lower), Some(upper)) if lower > upper => {
                    Some(format!("`threshold`: `lower` is {lower}, above `upper`, {upper}"))
                }
                _ => None,
            },
            PrunerSpec::Patience(Patience { patience, min_delta }) => {
                if *patience == 0 {
                    return Some("`patience`: `patience` is 0: choose 1 or more".to_string());
                }
                (!min_delta.is_finite() || *min_delta < 0.0)
                    .then(|| format!("`patience`: `min_delta` is {min_delta}: choose 0 or more"))
            }
            PrunerSpec::Racing(Racing { confidence, .. }) => (!(*confidence > 0.5 && *confidence < 1.0))
                .then(|| format!("`racing`: `confidence` is {confidence}: choose it between 0.5 and 1")),
        }
    }

    /// Why this pruner cannot count so.
    pub fn misfit(&self, resource: Resource) -> Option<String> {
        let pairs_folds = matches!(self, PrunerSpec::Racing(_)) && resource == Resource::Steps;
        pairs_folds.then(|| "`racing` compares folds and has nothing to compare on steps: choose another".to_string())
    }
}

/// So many fifths of the folds, rounded up, where that leaves a fold to save.
fn fifths(counts: &[usize], n_folds: usize) -> Vec<usize> {
    let mut rungs: Vec<usize> = counts.iter().map(|count| (count * n_folds).div_ceil(5)).collect();
    rungs.retain(|rung| *rung < n_folds);
    rungs.dedup();
    rungs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_rungs(pruner: &str, expected: [(usize, &[usize]); 4]) {
        let spec = PrunerSpec::from_name(pruner).unwrap();
        for (n_folds, rungs) in expected {
            assert_eq!(spec.rungs(n_folds), rungs, "{pruner} on {n_folds} folds");
        }
    }

    #[test]
    fn a_trial_is_decided_on_once_or_twice_and_before_its_last_fold() {
        check_rungs("none", [(1, &[]), (3, &[]), (5, &[]), (10, &[])]);
        check_rungs("median", [(1, &[]), (3, &[2]), (5, &[2]), (10, &[4])]);
        check_rungs("percentile", [(1, &[]), (3, &[2]), (5, &[2]), (10, &[4])]);
        check_rungs("threshold", [(1, &[]), (3, &[1, 2]), (5, &[1, 3]), (10, &[2, 6])]);
        check_rungs("racing", [(1, &[]), (3, &[2]), (5, &[2]), (10, &[4])]);
        check_rungs("patience", [(1, &[]), (3, &[]), (5, &[3, 4]), (10, &[3, 8])]);
        check_rungs("halving", [(1, &[]), (3, &[1]), (5, &[1, 3]), (10, &[2, 6])]);
        check_rungs("asha", [(1, &[]), (3, &[1]), (5, &[1, 4]), (10, &[2, 8])]);
        check_rungs("hyperband", [(1, &[]), (3, &[1]), (5, &[1, 3]), (10, &[2, 6])]);
        for name in PrunerSpec::NAMES {
            for n_folds in 1..100 {
                let rungs = PrunerSpec::from_name(name).unwrap().rungs(n_folds);
                assert!(rungs.len() <= 2 && rungs.is_sorted_by(|a, b| a < b), "{name} on {n_folds}: {rungs:?}");
                assert!(rungs.iter().all(|rung| (1..n_folds).contains(rung)), "{name} on {n_folds}: {rungs:?}");
            }
        }
    }

    #[test]
    fn a_spec_reads_as_a_user_writes_it_and_as_a_store_keeps_it() {
        for name in PrunerSpec::NAMES {
            let spec = PrunerSpec::from_name(name).unwrap();
            assert_eq!(spec.build().name(), name);
            assert_eq!(spec.build().depends_on_history(), spec.depends_on_history());
            let json = serde_json::to_string(&spec).unwrap();
            assert_eq!(serde_json::from_str::<PrunerSpec>(&json).unwrap(), spec, "{json}");
            if name != "threshold" {
                assert_eq!(PrunerSpec::parse(name), Ok(spec));
            }
        }
        // The form in which studies were stored before there were other settings.
        let old = r#"{"name":"median","n_startup_trials":5}"#;
        assert_eq!(serde_json::to_string(&serde_json::from_str::<PrunerSpec>(old).unwrap()).unwrap(), old);
        let threshold = Threshold { upper: Some(0.5), ..Threshold::default() };
        assert_eq!(PrunerSpec::parse("threshold:upper=0.5"), Ok(PrunerSpec::Threshold(threshold)));
        let percentile = Percentile { percentile: 40.0, n_startup_trials: 10, ..Percentile::default() };
        assert_eq!(
            PrunerSpec::parse("percentile:percentile=40,n_startup_trials=10"),
            Ok(PrunerSpec::Percentile(percentile))
        );
    }

    #[test]
    fn a_spec_that_cannot_be_used_says_why() {
        for (text, part) in [
            ("medain", "unknown pruner `medain`; did you mean `median`?"),
            ("best", "unknown pruner `best`: one of none, median"),
            ("median:n_startups=3", "unknown field `n_startups`, expected `n_startup_trials`"),
            ("median:n_startup_trials", "is not SETTING=NUMBER"),
            ("median:n_startup_trials=x", "`n_startup_trials` is `x`, not a number"),
            ("median:n_startup_trials=1,n_startup_trials=2", "given twice"),
            ("median:name=3", "given twice"),
            ("median:n_startup_trials=-1", "invalid value: integer `-1`"),
            ("none:x=1", "`none` has no settings"),
            ("threshold", "`threshold` has no bound"),
            ("threshold:lower=2,upper=1", "`lower` is 2, above `upper`, 1"),
            ("percentile:percentile=101", "from 0 to 100"),
            ("halving:cohort=2", "`cohort` is 2: choose 3"),
            ("asha:reduction_factor=1", "`reduction_factor` is 1"),
            ("asha:min_resource=0", "`min_resource` is 0"),
            ("hyperband:min_resource=9,max_resource=8", "`max_resource` is below"),
            ("patience:patience=0", "`patience` is 0"),
            ("patience:min_delta=-1", "`min_delta` is -1"),
            ("racing:confidence=95", "`confidence` is 95: choose it between 0.5 and 1"),
        ] {
            let error = PrunerSpec::parse(text).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
