use super::trials;
use crate::insight::beliefs::fold_noise;
use crate::insight::{UntilFlat, outlook};
use crate::sampler::{History, SamplerSpec};
use crate::seed::Seed;
use crate::space::{Parameter, Params, SearchSpace};
use crate::study::StudySpec;
use crate::trial::{Direction, FoldScore, Trial};

fn study(sampler: SamplerSpec, direction: Direction) -> StudySpec {
    let space = SearchSpace::new().with(Parameter::float("x", -1.0, 1.0)).with(Parameter::float("y", -1.0, 1.0));
    StudySpec { space, sampler, ..StudySpec::new("bowl", direction) }
}

fn bowl(params: &Params) -> f64 {
    (params.float("x").unwrap() - 0.3).powi(2) + params.float("y").unwrap().powi(2)
}

#[test]
fn the_optimum_of_a_bowl_is_found_and_its_interval_holds_it() {
    for (direction, sign) in [(Direction::Minimize, 1.0), (Direction::Maximize, -1.0)] {
        let study = study(SamplerSpec::Gp, direction);
        let trials = trials(&study.space, 25, |params| sign * (bowl(params) + 2.0));
        let found = outlook(&study, &trials, 10).unwrap();
        assert_eq!((found.model, found.n_results, found.n_more), ("gp", 25, 10));
        assert!(bowl(&found.optimum) < 0.01, "{found:?}");
        let optimum = found.optimum_score;
        assert!(optimum.low <= optimum.mean && optimum.mean <= optimum.high, "{found:?}");
        assert!((optimum.mean - sign * 2.0).abs() < 0.1, "{found:?}");
        assert!(found.gain >= 0.0 && found.gain < 0.3 && found.largest_gain >= found.gain, "{found:?}");
        assert_eq!(outlook(&study, &trials, 10), Some(found));
    }
}

#[test]
fn a_model_gains_more_than_chance_and_more_trials_more() {
    let gain = |sampler, n_more| {
        let study = study(sampler, Direction::Minimize);
        let trials = trials(&study.space, 12, bowl);
        outlook(&study, &trials, n_more).unwrap().gain
    };
    let (one, many) = (gain(SamplerSpec::Random, 1), gain(SamplerSpec::Random, 40));
    assert!(one < many, "{one} {many}");
    assert!(gain(SamplerSpec::Gp, 10) > gain(SamplerSpec::Random, 10));
}

#[test]
fn wide_spaces_are_seen_by_the_forest() {
    let space = (0..70).fold(SearchSpace::new(), |space, i| space.with(Parameter::float(format!("x{i}"), 0.0, 1.0)));
    let study = StudySpec { space, sampler: SamplerSpec::Forest, ..StudySpec::new("wide", Direction::Minimize) };
    let trials = trials(&study.space, 40, |params| params.float("x3").unwrap());
    let found = outlook(&study, &trials, 20).unwrap();
    assert_eq!(found.model, "forest");
    assert!(found.optimum.float("x3").unwrap() < 0.3 && found.gain.is_finite(), "{found:?}");
}

#[test]
fn without_results_or_parameters_there_is_no_outlook() {
    let study = study(SamplerSpec::Random, Direction::Minimize);
    assert_eq!(outlook(&study, &trials(&study.space, 4, bowl), 20), None);
    let empty = StudySpec::new("empty", Direction::Minimize);
    assert_eq!(outlook(&empty, &trials(&empty.space, 9, |_| 1.0), 20), None);
    let same = outlook(&study, &trials(&study.space, 9, |_| 1.0), 20).unwrap();
    assert!(same.gain == 0.0 && same.noise.is_finite(), "{same:?}");
}

#[test]
fn the_noise_of_folds_leaves_out_how_hard_each_fold_is() {
    let of_folds = |number: u64, scores: [f64; 2]| -> Trial {
        let folds =
            (0..).zip(scores).map(|(fold, score)| FoldScore { objective: 0, repeat: 0, fold, score, seconds: 0.0 });
        Trial { folds: folds.collect(), ..crate::testing::scored(number, Params::new(), |_| scores[0]) }
    };
    let noise = |all: [[f64; 2]; 2]| {
        let trials: Vec<Trial> = (0..).zip(all).map(|(number, scores)| of_folds(number, scores)).collect();
        fold_noise(&History::new(&trials, Direction::Minimize)).unwrap()
    };
    // The second fold is harder by 10 for both.
    assert!(noise([[1.0, 11.0], [3.0, 13.0]]).abs() < 1e-12);
    // Residuals of both trials are +-1: variance 2 with one degree of freedom, over 2 folds.
    assert!((noise([[1.0, 11.0], [1.0, 15.0]]) - 1.0).abs() < 1e-12);
}

#[test]
fn a_search_that_has_found_its_bowl_is_flat_and_a_young_one_is_not() {
    let study = study(SamplerSpec::Gp, Direction::Minimize);
    let noisy = |params: &Params| {
        let noise = Seed::new((params.float("x").unwrap() * 1e9) as u64).to_u64() as f64 / u64::MAX as f64 - 0.5;
        bowl(params) + 0.2 * noise
    };
    let limit = UntilFlat { gain: Some(0.03), ..UntilFlat::default() };
    let (young, old) = (trials(&study.space, 8, noisy), trials(&study.space, 150, noisy));
    assert_eq!(limit.is_flat(&study, &young, 8), None);
    let flat = limit.is_flat(&study, &old, 150).unwrap();
    assert!(flat.to_string().starts_with("flat after 150 trials: 20 more promise "), "{flat}");
}
