//! Warm starts: what of an earlier study a new one takes over, and what samplers make of it.

use medalist_search::*;

use super::support::*;

fn earlier() -> StudySpec {
    let space = SearchSpace::new()
        .with(Parameter::choice("model", ["ridge", "knn"]))
        .with(Parameter::float("alpha", 0.01, 100.0).log().when("model", ["ridge"]))
        .with(Parameter::int("k", 1, 50).default(5).when("model", ["knn"]))
        .with(Parameter::choice("scale", ["none", "standard"]).default("standard"));
    StudySpec { space, n_folds: 5, sampler: SamplerSpec::Random, ..StudySpec::new("earlier", Direction::Maximize) }
}

fn trial(number: u64, params: Params, score: f64) -> Trial {
    Trial {
        number,
        params,
        origin: Origin::Sampler,
        state: TrialState::Complete,
        folds: vec![FoldScore { objective: 0, repeat: 0, fold: 0, score, seconds: 3.0 }],
        score: Some(score),
        others: Vec::new(),
        stages: None,
        steps: Vec::new(),
        seconds: 3.0,
        created: "2026-01-01T00:00:00Z".into(),
        seen: Vec::new(),
    }
}

fn ridge(alpha: f64, scale: &str) -> Params {
    Params::from([("model", Value::from("ridge")), ("alpha", alpha.into()), ("scale", scale.into())])
}

fn knn(k: i64) -> Params {
    Params::from([("model", Value::from("knn")), ("k", k.into()), ("scale", "standard".into())])
}

/// The points of the prior that a study over `space` takes from four trials of [`earlier`].
#[track_caller]
fn check(space: SearchSpace, expected: &[&str]) {
    let trials =
        [ridge(1.0, "standard"), ridge(50.0, "none"), knn(5), knn(20)].map(|params| trial(9, params, 0.25)).to_vec();
    let mut study = StudySpec { space, ..earlier() };
    assert_eq!(study.set_prior(&earlier(), &trials), expected.len());
    study.validate().unwrap();
    let found: Vec<String> = study.prior.iter().map(|trial| trial.params.to_string()).collect();
    assert_eq!(found, expected);
    assert!((0..).zip(&study.prior).all(|(i, trial)| trial.number == i && trial.seconds == 0.0));
}

#[test]
fn the_same_space_takes_all() {
    let all = ["alpha=1 model=ridge scale=standard", "alpha=50 model=ridge scale=none"];
    check(earlier().space, &[&all[..], &["k=5 model=knn scale=standard", "k=20 model=knn scale=standard"]].concat());
}

#[test]
fn a_narrower_space_takes_what_lies_in_it() {
    let mut space = earlier().space;
    for (name, text) in [("alpha", "0.1..10"), ("k", "10..30")] {
        let restriction = Restriction::parse(space.get(name).unwrap(), text).unwrap();
        space.restrict(name, restriction).unwrap();
    }
    check(space, &["alpha=1 model=ridge scale=standard", "k=20 model=knn scale=standard"]);
}

#[test]
fn types_are_those_of_the_new_space_and_what_only_one_has_is_at_its_default() {
    // Without `scale`, whose default was `standard`; with `fit_intercept`, which the earlier study did not vary.
    let space = SearchSpace::new()
        .with(Parameter::choice("model", ["ridge", "knn"]))
        .with(Parameter::float("alpha", 0.01, 100.0).log().when("model", ["ridge"]))
        .with(Parameter::float("k", 1.0, 50.0).when("model", ["knn"]))
        .with(Parameter::bool("fit_intercept").default(true));
    check(
        space.clone(),
        &[
            "alpha=1 fit_intercept=true model=ridge",
            "fit_intercept=true k=5 model=knn",
            "fit_intercept=true k=20 model=knn",
        ],
    );
    // A parameter that was known, and had no effect where the trial was, would have one here.
    let space = SearchSpace::new().with(Parameter::choice("model", ["ridge", "knn"])).with(Parameter::int("k", 1, 50));
    check(
        space.with(Parameter::choice("scale", ["none", "standard"])),
        &["k=5 model=knn scale=standard", "k=20 model=knn scale=standard"],
    );
}

#[test]
fn scores_are_turned_where_the_directions_differ() {
    let mut study = StudySpec { direction: Direction::Minimize, ..earlier() };
    study.set_prior(&earlier(), &[trial(3, knn(5), 0.25)]);
    assert_eq!((study.prior[0].score, study.prior[0].folds[0].score), (Some(-0.25), -0.25));
}

#[test]
fn a_prior_is_part_of_the_plan_and_none_leaves_the_plan_as_it_was() {
    let mut study = earlier();
    let without = study.identity();
    assert!(!serde_json::to_string(&study).unwrap().contains("prior"));
    study.set_prior(&earlier(), &[trial(3, knn(5), 0.25)]);
    assert_ne!(study.identity(), without);
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(dir.path().join("store.db")).unwrap();
    store.put_study(&study).unwrap();
    assert_eq!(store.studies().unwrap(), [study]);
}

/// A bowl over x and a choice; the earlier study was scored on another scale.
fn bowl_study(prior: Option<(&StudySpec, &[Trial])>) -> StudySpec {
    let mut study = StudySpec { sampler: SamplerSpec::Gp, enqueued: Vec::new(), ..plain_study(PrunerSpec::None) };
    if let Some((earlier, trials)) = prior {
        study.set_prior(earlier, trials);
    }
    study
}

#[test]
fn a_prior_is_used_and_changes_nothing_about_threads() {
    let store = MemoryStore::new();
    let earlier = bowl_study(None);
    run(&earlier, &store, &Bowl::default(), &limits(2, 30), &Silent).unwrap();
    let mut trials = store.trials("bowl").unwrap();
    for trial in &mut trials {
        trial.score = trial.score.map(|score| 500.0 + 20.0 * score);
    }
    let warm = bowl_study(Some((&earlier, &trials)));
    let expected = MemoryStore::new();
    run(&warm, &expected, &Bowl::default(), &limits(1, 20), &Silent).unwrap();
    // The first trials already are where the earlier study ended; a cold start spreads them.
    let first = |store: &MemoryStore| {
        let trials = store.trials("bowl").unwrap();
        trials[..8].iter().map(|trial| (trial.params.float("x").unwrap() - 0.3).abs()).sum::<f64>() / 8.0
    };
    let cold = MemoryStore::new();
    run(&bowl_study(None), &cold, &Bowl::default(), &limits(1, 20), &Silent).unwrap();
    assert!(first(&expected) < 0.5 * first(&cold), "{} against {}", first(&expected), first(&cold));
    for n_threads in [2, 8, 64] {
        let store = MemoryStore::new();
        run(&warm, &store, &Bowl { jitter: true, ..Bowl::default() }, &limits(n_threads, 20), &Silent).unwrap();
        assert_eq!(essence(&store, &warm), essence(&expected, &warm), "{n_threads} threads");
    }
}
