//! What a sweep can optimise beside the score: what follows from the fitted models alone, never from a clock.

use medalist_search::{Direction, ObjectiveSpec};

use crate::error::{Error, Result};

/// The name of the first objective of every sweep.
pub const SCORE: &str = "score";

/// An objective beside the score; low is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// Columns that the model sees after preparation, the most where there are several targets.
    NFeatures,
    /// Bytes of what was learned, summed over the targets: see [`crate::model::Predictor::size`].
    ModelSize,
}

const ALL: [Measure; 2] = [Measure::NFeatures, Measure::ModelSize];

impl Measure {
    pub fn name(self) -> &'static str {
        match self {
            Measure::NFeatures => "n_features",
            Measure::ModelSize => "model_size",
        }
    }

    /// # Errors
    /// When there is no such objective: names the nearest.
    pub fn from_name(name: &str) -> Result<Measure> {
        let known = || ALL.into_iter().map(Measure::name);
        ALL.into_iter().find(|measure| measure.name() == name).ok_or_else(|| {
            let error = Error::usage(format!("there is no objective `{name}`"));
            match crate::nearest(name, known()) {
                Some(near) => error.help(format!("did you mean `{near}`?")),
                None => error.help(format!("beside `{SCORE}` there are {}", known().collect::<Vec<_>>().join(", "))),
            }
        })
    }

    /// As a study keeps it.
    pub fn spec(self) -> ObjectiveSpec {
        ObjectiveSpec { name: self.name().to_string(), direction: Direction::Minimize }
    }
}

/// The measures in a list of objectives that begins with the score.
///
/// # Errors
/// When it begins otherwise, or has one that is unknown or twice.
pub fn beside_score(names: &[String]) -> Result<Vec<Measure>> {
    let Some((first, others)) = names.split_first().filter(|(first, _)| *first == SCORE) else {
        let error = Error::usage(format!("the objectives `{}` do not begin with `{SCORE}`", names.join(",")));
        return Err(error.help(format!("leaderboards rank by the score: `--objectives {SCORE},n_features`")));
    };
    let mut measures = Vec::new();
    for name in others {
        let is_twice = name == first || measures.iter().any(|known: &Measure| known.name() == name);
        if is_twice {
            return Err(Error::usage(format!("objective `{name}` is there twice")).help("leave one out"));
        }
        measures.push(Measure::from_name(name)?);
    }
    Ok(measures)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<&[Measure], &str>) {
        let names: Vec<String> = text.split(',').map(String::from).collect();
        let found = beside_score(&names).map_err(|error| error.message);
        assert_eq!(found.as_deref().map_err(String::as_str), expected);
    }

    #[test]
    fn objectives_are_read_as_typed() {
        check("score", Ok(&[]));
        check("score,n_features", Ok(&[Measure::NFeatures]));
        check("score,model_size,n_features", Ok(&[Measure::ModelSize, Measure::NFeatures]));
    }

    #[test]
    fn bad_objectives_are_named() {
        check("n_features", Err("the objectives `n_features` do not begin with `score`"));
        check("score,seconds", Err("there is no objective `seconds`"));
        check("score,n_features,n_features", Err("objective `n_features` is there twice"));
        check("score,score", Err("objective `score` is there twice"));
    }
}
