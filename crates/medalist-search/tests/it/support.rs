//! An objective that can do everything a real one does, and the running of it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use medalist_search::*;
use proptest::prelude::*;
use rand::Rng;

/// A noisy bowl; the seed of the point gives the noise.
#[derive(Default)]
pub struct Bowl {
    /// Sleeps and yields at random, so that threads overtake each other.
    pub jitter: bool,
    /// Fails, panics or gives NaN at some points.
    pub mishaps: bool,
    /// Cancels after this many folds.
    pub cancel_after: Option<(usize, Cancel)>,
    pub n_evaluated: AtomicUsize,
    /// The number of points of each call.
    pub group_sizes: Mutex<Vec<usize>>,
}

impl Bowl {
    fn score(&self, point: &TrialPoint, fold: usize, stage: f64) -> f64 {
        let x = point.params.float("x").unwrap();
        let noise = (point.seed.child("fold", fold as u64).rng().next_u64() >> 11) as f64 * 2f64.powi(-53);
        (x - 0.3).powi(2) + 0.1 * noise + (stage - 20.0).abs() / 100.0
    }

    fn outcome(&self, point: &TrialPoint, fold: usize) -> Result<FoldOutcome, TrialError> {
        if self.mishaps {
            match point.number % 11 {
                3 if fold >= 1 => return Err(TrialError::Failed(format!("fold {fold} would not converge"))),
                5 if fold == 2 => panic!("index out of bounds in trial {}", point.number),
                7 if fold == 3 => return Ok(FoldOutcome::score(f64::NAN)),
                _ => {}
            }
        }
        let artifact = |stage: f64| Box::new(vec![fold as u8, stage as u8]) as Artifact;
        match point.params.get("n_estimators") {
            Some(value) => {
                let stage = value.as_f64().unwrap();
                let scores = vec![self.score(point, fold, stage)];
                Ok(FoldOutcome { scores, others: Vec::new(), stages: None, artifacts: vec![artifact(stage)] })
            }
            None if point.params.get("plain").is_some() => Ok(FoldOutcome::score(self.score(point, fold, 20.0))),
            None => {
                let stages = [10.0, 20.0, 30.0];
                Ok(FoldOutcome {
                    scores: stages.iter().map(|stage| self.score(point, fold, *stage)).collect(),
                    others: Vec::new(),
                    stages: Some(("n_estimators".into(), vec![Value::Int(10), Value::Int(20), Value::Int(30)])),
                    artifacts: stages.iter().map(|stage| artifact(*stage)).collect(),
                })
            }
        }
    }
}

impl Objective for Bowl {
    fn evaluate(&self, trials: &[TrialPoint], fold: usize, ctx: &FoldContext) -> Vec<Result<FoldOutcome, TrialError>> {
        let n = self.n_evaluated.fetch_add(1, Ordering::Relaxed);
        self.group_sizes.lock().unwrap().push(trials.len());
        if let Some((limit, cancel)) = &self.cancel_after
            && n >= *limit
        {
            cancel.cancel();
        }
        if self.jitter {
            match Seed::new(n as u64).child("jitter", std::process::id().into()).to_u64() % 4 {
                0 => std::thread::sleep(Duration::from_micros(300)),
                1 => std::thread::yield_now(),
                _ => {}
            }
        }
        // Every third fold that is running when the stop comes gives up halfway.
        if n.is_multiple_of(3) && ctx.is_cancelled() {
            return trials.iter().map(|_| Err(TrialError::Cancelled)).collect();
        }
        trials.iter().map(|point| self.outcome(point, fold)).collect()
    }

    fn attach(&self, _trial: &Trial, artifacts: Vec<Artifact>) -> Result<Vec<Attachment>, TrialError> {
        let bytes = artifacts.iter().flat_map(|artifact| artifact.downcast_ref::<Vec<u8>>().unwrap().clone()).collect();
        Ok(vec![Attachment { name: "oof".into(), bytes }])
    }
}

/// One parameter, five folds, no stages.
pub fn plain_study(pruner: PrunerSpec) -> StudySpec {
    StudySpec {
        space: SearchSpace::new().with(Parameter::float("x", 0.0, 1.0)).with(Parameter::bool("plain")),
        sampler: SamplerSpec::Random,
        pruner,
        n_folds: 5,
        seed: 7,
        enqueued: vec![Params::from([("x", Value::Float(0.5)), ("plain", Value::Bool(true))])],
        ..StudySpec::new("bowl", Direction::Minimize)
    }
}

pub fn median() -> PrunerSpec {
    PrunerSpec::Median(Median::default())
}

/// Each pruner, with settings that make it prune the bowl.
pub fn pruners() -> Vec<PrunerSpec> {
    let names = PrunerSpec::NAMES.into_iter().map(|name| match name {
        "threshold" => "threshold:upper=0.2",
        "patience" => "patience:patience=2",
        name => name,
    });
    names.map(|name| PrunerSpec::parse(name).unwrap()).collect()
}

pub fn limits(n_threads: usize, n_trials: u64) -> Limits {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().unwrap();
    Limits { n_trials: Some(n_trials), ..Limits::new(Arc::new(pool)) }
}

/// All that must not depend on threads, times and interruptions, in words that show each bit.
pub fn essence(store: &dyn Store, study: &StudySpec) -> Vec<String> {
    let strip = |mut trial: Trial| {
        trial.created.clear();
        trial.seconds = 0.0;
        trial.folds.iter_mut().for_each(|fold| fold.seconds = 0.0);
        let oof = store.attachment(&study.name, trial.number, "oof").unwrap();
        format!("{trial:?} {oof:?}")
    };
    store.trials(&study.name).unwrap().into_iter().map(strip).collect()
}

/// Keeps what was reported, in order.
#[derive(Default)]
pub struct Journal(pub Mutex<Vec<String>>);

impl Reporter for Journal {
    fn report(&self, event: &Event) {
        let line = match event {
            Event::StudyStarted { stored, .. } => format!("study started with {} stored", stored.len()),
            Event::TrialStarted { number, .. } => format!("trial {number} started"),
            Event::FoldStarted { number, fold } => format!("fold {number}/{fold} started"),
            Event::FoldFinished { number, fold, .. } => format!("fold {number}/{fold} finished"),
            Event::TrialFinished { trial } => format!("trial {} {}", trial.number, trial.state.name()),
            Event::StudyFinished { outcome } => format!("study finished with {}", outcome.n_finished),
        };
        self.0.lock().unwrap().push(line);
    }
}

/// One trial of one fold; a failed one has neither fold nor score, a pruned one no score.
pub fn trial(number: u64, params: Params, state: TrialState, score: f64) -> Trial {
    let fold = FoldScore { objective: 0, repeat: 0, fold: 0, score, seconds: 0.1 };
    Trial {
        number,
        params,
        origin: Origin::Sampler,
        folds: if let TrialState::Failed { .. } = state { Vec::new() } else { vec![fold] },
        score: (state == TrialState::Complete).then_some(score),
        state,
        others: Vec::new(),
        stages: None,
        steps: Vec::new(),
        seen: Vec::new(),
        seconds: 0.1,
        created: "2026-01-01T00:00:00Z".to_string(),
    }
}

/// Domains of all kinds.
pub fn domains() -> impl Strategy<Value = Domain> {
    prop_oneof![
        (-1e6..1e6f64, 0.0..1e6f64).prop_map(|(low, width)| Domain::Float {
            low,
            high: low + width,
            log: false,
            step: None
        }),
        (1e-9..1e3f64, 1.0..1e6f64).prop_map(|(low, ratio)| Domain::Float {
            low,
            high: low * ratio,
            log: true,
            step: None
        }),
        (-100.0..100.0f64, 0..50u32, 0.01..3.0f64).prop_map(|(low, n, step)| {
            Domain::Float { low, high: low + f64::from(n) * step, log: false, step: Some(step) }
        }),
        (-1000..1000i64, 0..1000i64, 1..9i64).prop_map(|(low, width, step)| Domain::Int {
            low,
            high: low + width,
            log: false,
            step
        }),
        (1..1000i64, 0..100_000i64).prop_map(|(low, width)| Domain::Int { low, high: low + width, log: true, step: 1 }),
        (1..20i64).prop_map(|n| Domain::Choice { choices: (0..n).map(Value::Int).collect(), ordered: false }),
    ]
}
