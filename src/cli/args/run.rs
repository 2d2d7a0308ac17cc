//! The arguments of the commands that run a study.

use std::path::PathBuf;

use clap::Args;

use super::{parse_folds, parse_jobs, parse_levels, parse_set, resource_parser, search_parser};
use crate::plan::{Enqueued, Plan, Pruning, Search, SetValue};
use crate::program::Pass;
use crate::search::{Resource, Value};
use crate::space_file::Settings;

/// What every study can be given.
#[derive(Args)]
pub struct StudyArgs {
    /// How many trials [default: 60; all of a grid; as many as fit with --time or --until-flat]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub trials: Option<u64>,
    /// Stop after this long, such as 60s or 10m; a sweep holds back what its last steps take
    #[arg(long, value_name = "TIME")]
    pub time: Option<String>,
    /// Stop when 20 more trials promise less than a tenth of a score's noise
    #[arg(long)]
    pub until_flat: bool,
    /// Points to try first: a JSON file that holds a list of {"NAME": VALUE, ...}; what is left out has its default
    #[arg(long, value_name = "FILE")]
    pub enqueue: Option<PathBuf>,
    /// Begin with what this earlier study found: its trials count as known, and its best points are tried first
    #[arg(long, value_name = "STUDY")]
    pub warm_start: Option<String>,
    /// Seed of everything random in the study [default: 0]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// A trial sees the results of those this many numbers before it [default: 8, with a pruner 10]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub window: Option<u64>,
    /// Make every Nth trial a Sobol' point, which a thread takes ahead of its turn where it would wait [default: none]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(2..))]
    pub interleave: Option<u64>,
    /// Wait for no result: a trial sees those that are in, and keeps which they were; another run finds other points
    #[arg(long = "async", conflicts_with_all = ["window", "interleave"])]
    pub asynchronous: bool,
    /// How often a promising point may be evaluated, each time on other folds or with another seed [default: 3 in a sweep whose folds are drawn, else 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub looks: Option<u32>,
    /// The study's name [default: made from the plan, so that the same command continues it]
    #[arg(long = "study", value_name = "NAME")]
    pub name: Option<String>,
}

#[derive(Args)]
#[command(after_help = "Examples:
  medalist sweep penguins
  medalist sweep titanic --time 60s --models ridge,knn --jobs 2
  medalist sweep titanic --search grid --models ridge --set ridge.alpha=1e-3..1e3 --levels 40
  medalist sweep titanic --search grid --models gbdt --set gbdt.learning_rate=0.05,0.1 --dry-run
  medalist sweep titanic --trial-time 30s
  medalist sweep plan.toml")]
pub struct SweepArgs {
    /// A competition's slug, or a plan file (.toml)
    pub target: String,
    /// How points are proposed [default: auto]
    #[arg(long, value_name = "NAME", value_parser = search_parser())]
    pub search: Option<Search>,
    /// What is optimised: score, and n_features or model_size beside it [default: score]; with two or more, nsga2 searches
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    pub objectives: Option<Vec<String>>,
    #[command(flatten)]
    pub study: StudyArgs,
    /// The models to try, separated by commas [default: all that fit]
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    pub models: Option<Vec<String>>,
    /// Narrow a parameter: NAME=0.1,1,10 or NAME=1e-4..1e3 or NAME=5
    #[arg(long = "set", value_name = "NAME=VALUES", value_parser = parse_set)]
    pub set: Vec<(String, String)>,
    /// What must hold at every point, such as 'gbdt.num_leaves <= 2 ^ gbdt.max_depth'; may be given several times
    #[arg(long = "constraint", value_name = "EXPRESSION")]
    pub constraints: Vec<String>,
    /// Points a named range has in a grid [default: 5]
    #[arg(long, value_name = "N", value_parser = parse_levels)]
    pub levels: Option<usize>,
    /// Number of folds, instead of competition.toml's
    #[arg(long, value_name = "N", value_parser = parse_folds)]
    pub folds: Option<usize>,
    /// Threads [default: all processors]; results do not depend on it
    #[arg(long, value_name = "N", value_parser = parse_jobs)]
    pub jobs: Option<usize>,
    /// Stop hopeless trials after their first folds: median, racing, ...; `--help` lists them [default: none]
    ///
    /// median: worse than the median of the trials before it after two fifths of the folds.
    /// percentile: not among their best quarter (percentile=25).
    /// racing: worse than the best trial before it on the same folds, at a confidence of 0.95, by a corrected paired t-test.
    /// halving, asha: not among the best third of the last 27, or the best quarter of all (reduction_factor), decided twice.
    /// hyperband: as asha, in brackets that begin to decide later and later.
    /// patience: worse than the best, and better than it in none of the last 3 folds.
    /// threshold: beyond a bound, as in threshold:lower=0.5.
    /// Settings follow a colon: racing:confidence=0.9 or median:n_startup_trials=10.
    #[arg(long, value_name = "PRUNER", verbatim_doc_comment)]
    pub pruner: Option<Pruning>,
    /// What the pruner counts: folds, or the steps (trees) of models that show them while they fit [default: folds]
    #[arg(long, value_name = "WHAT", value_parser = resource_parser())]
    pub prune_on: Option<Resource>,
    /// Memory that running fits and prepared folds may take, such as 4G
    #[arg(long, value_name = "SIZE")]
    pub memory: Option<String>,
    /// End a trial that takes longer than this over all its folds, such as 30s: it fails, by the clock, so that another run may find others
    #[arg(long, value_name = "TIME")]
    pub trial_time: Option<String>,
    /// Print the plan and the number of fits, and do nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Do not write a submission at the end
    #[arg(long)]
    pub no_submission: bool,
    /// Do not mix the trials into an ensemble at the end
    #[arg(long)]
    pub no_ensemble: bool,
}

impl SweepArgs {
    /// What the command line says, without what is not a plan's.
    pub fn plan(&self) -> Plan {
        let value = |text: &String| SetValue::One(Value::Text(text.clone()));
        let study = &self.study;
        Plan {
            competition: None,
            search: self.search,
            objectives: self.objectives.clone(),
            trials: study.trials,
            time: study.time.clone(),
            models: self.models.clone(),
            set: self.set.iter().map(|(name, text)| (name.clone(), value(text))).collect(),
            constraints: Some(self.constraints.clone()).filter(|constraints| !constraints.is_empty()),
            enqueue: study.enqueue.clone().map(Enqueued::File),
            warm_start: study.warm_start.clone(),
            until_flat: study.until_flat.then_some(true),
            levels: self.levels,
            folds: self.folds,
            seed: study.seed,
            jobs: self.jobs,
            window: study.window,
            interleave: study.interleave,
            asynchronous: study.asynchronous.then_some(true),
            looks: study.looks,
            study: study.name.clone(),
            pruner: self.pruner.clone(),
            prune_on: self.prune_on,
            memory: self.memory.clone(),
            trial_time: self.trial_time.clone(),
        }
    }
}

#[derive(Args)]
pub struct ResumeArgs {
    /// The study's name
    pub study: String,
    /// How many trials in all [default: as many as it was started with]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub trials: Option<u64>,
    /// Stop after this long, such as 60s or 10m; a sweep holds back what its last steps take
    #[arg(long, value_name = "TIME")]
    pub time: Option<String>,
    /// Threads [default: all processors]
    #[arg(long, value_name = "N", value_parser = parse_jobs)]
    pub jobs: Option<usize>,
    /// Memory that running fits and prepared folds may take, such as 4G
    #[arg(long, value_name = "SIZE")]
    pub memory: Option<String>,
    /// Stop when 20 more trials promise less than a tenth of a score's noise
    #[arg(long)]
    pub until_flat: bool,
    /// Do not write a submission at the end
    #[arg(long)]
    pub no_submission: bool,
    /// Do not mix the trials into an ensemble at the end
    #[arg(long)]
    pub no_ensemble: bool,
}

#[derive(Args)]
#[command(after_help = "Examples:
  medalist optimize space.toml -- ./train.sh
  medalist optimize space.toml --trials 200 --jobs 4 --trial-time 10m -- python train.py --lr {lr} --depth {depth}
  medalist optimize space.toml --pass environment --score-file scores/{trial}.txt -- make train

The program gets --NAME=VALUE for each parameter (or {NAME} where the command names it), and MEDALIST_PARAM_NAME, MEDALIST_TRIAL,
MEDALIST_SEED and MEDALIST_PARAMS in its environment. The last line it prints is its score. docs/optimize.md has the whole of it.")]
pub struct OptimizeArgs {
    /// The file that declares the parameters
    pub space: PathBuf,
    /// The program and its arguments, after `--`
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub command: Vec<String>,
    /// How points are proposed [default: auto]
    #[arg(long, alias = "search", value_name = "NAME", value_parser = search_parser())]
    pub sampler: Option<Search>,
    #[command(flatten)]
    pub study: StudyArgs,
    /// Stop hopeless trials by the lines `step=N score=X` that they print: a pruner as of `sweep` [default: none]
    #[arg(long, value_name = "PRUNER")]
    pub pruner: Option<Pruning>,
    /// End a run that takes longer than this, such as 10m: its trial fails
    #[arg(long, value_name = "TIME")]
    pub trial_time: Option<String>,
    /// Programs that run at the same time [default: 1]; which trials there are does not depend on it
    #[arg(long, value_name = "N", value_parser = parse_jobs)]
    pub jobs: Option<usize>,
    /// Read the score from this file, which each run writes, instead of from the last line of stdout
    #[arg(long, value_name = "FILE")]
    pub score_file: Option<String>,
    /// How the program is told its parameters
    #[arg(long, value_enum, default_value_t)]
    pub pass: Pass,
}

impl OptimizeArgs {
    /// What the command line says of what the file may say too.
    pub fn settings(&self) -> Settings {
        let study = &self.study;
        Settings {
            direction: None,
            sampler: self.sampler,
            levels: None,
            pruner: self.pruner.clone(),
            trials: study.trials,
            seed: study.seed,
            window: study.window,
            interleave: study.interleave,
            asynchronous: study.asynchronous.then_some(true),
            looks: study.looks,
            jobs: self.jobs,
            folds: None,
            repeats: None,
            study: study.name.clone(),
            enqueue: study.enqueue.clone().map(Enqueued::File),
            warm_start: study.warm_start.clone(),
            until_flat: study.until_flat.then_some(true),
            trial_time: self.trial_time.clone(),
            score_file: self.score_file.clone(),
        }
    }
}
