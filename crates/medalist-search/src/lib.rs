//! Black-box search that gives the same trials, bit for bit, on any number of threads and after any interruption.
//!
//! A [`StudySpec`] is the plan; [`run`] evaluates an [`Objective`] by it into a [`Store`]. Trial n is a pure function of the plan and of the results numbered at most n - window, whichever thread finishes first.
//!
//! ```
//! use std::sync::Arc;
//! use medalist_search::*;
//!
//! struct Parabola;
//! impl Objective for Parabola {
//!     fn evaluate(&self, trials: &[TrialPoint], _fold: usize, _: &FoldContext) -> Vec<Result<FoldOutcome, TrialError>> {
//!         let score = |trial: &TrialPoint| trial.params.float("x").map(|x| FoldOutcome::score((x - 2.0).powi(2)));
//!         trials.iter().map(|trial| score(trial).map_err(|error| TrialError::Failed(error.to_string()))).collect()
//!     }
//! }
//!
//! let study = StudySpec {
//!     space: SearchSpace::new().with(Parameter::float("x", -10.0, 10.0)),
//!     sampler: SamplerSpec::Sobol,
//!     ..StudySpec::new("parabola", Direction::Minimize)
//! };
//! let pool = Arc::new(rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap());
//! let limits = Limits { n_trials: Some(64), ..Limits::new(pool) };
//! let store = MemoryStore::new();
//! run(&study, &store, &Parabola, &limits, &Silent)?;
//! let trials = store.trials("parabola")?;
//! assert!(best(&trials, Direction::Minimize).unwrap().score.unwrap() < 0.1);
//! # Ok::<(), Error>(())
//! ```

pub mod error;
pub mod seed;
pub mod cancel;
mod clock;
pub mod expression;
pub mod space;
pub mod trial;
mod surrogate;
pub mod pareto;
pub mod sampler;
pub mod pruner;
pub mod study;
mod insight;
pub mod event;
pub mod store;
pub mod executor;
mod ask_tell;
pub mod testing;

pub use ask_tell::{Session, converse};
pub use cancel::Cancel;
pub use error::{Error, Result};
pub use event::{Event, Reporter, Silent};
pub use executor::{
    Artifact, FoldContext, FoldOutcome, Limits, Objective, Simulation, TrialError, TrialPoint, Verdict, run, simulate,
};
pub use insight::{Expected, Importance, Interaction, MainEffect, Outlook, UntilFlat, importance, outlook};
pub use pareto::{hypervolume, pareto_front};
pub use pruner::{
    Asha, Budget, Curve, Halving, Hyperband, Median, NoPruner, Past, Patience, Percentile, Pruner, PrunerSpec, Racing,
    Resource, Threshold, student_upper_tail,
};
pub use sampler::{Auto, Cmaes, Forest, Gp, Grid, History, Nsga2, Random, Sampler, SamplerSpec, Sobol, Tpe};
pub use seed::Seed;
pub use space::{
    Condition, Constraint, Domain, Field, FieldKind, Filter, ParamChoice, ParamField, Parameter, Params, Restriction,
    SearchSpace, Tunable, Value,
};
pub use store::{Attachment, Catalogue, MemoryStore, Remark, Remarks, SqliteStore, Store, StudyLock};
pub use study::{DEFAULT_WINDOW, Flat, ObjectiveSpec, STUDY_VERSION, StudyOutcome, StudySpec, choice, propose};
pub use trial::{Direction, FoldScore, Origin, Seen, Stages, StepValue, Trial, TrialState, best, counted};
