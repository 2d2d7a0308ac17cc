//! The arguments of every command.

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand};

mod records;
mod run;

pub use records::{
    ArchiveArgs, CompareArgs, DeleteArgs, DiffArgs, EnsembleArgs, EstimateArgs, NoteArgs, PredictionsArgs, RerunArgs,
    StudiesArgs, TagArgs, TrialsArgs,
};
pub use run::{OptimizeArgs, ResumeArgs, SweepArgs};

use super::insight::{ImportanceArgs, OutlookArgs};
use super::output::Format;
use crate::plan::Search;
use crate::search::Resource;

/// A harness for prediction competitions: load, sweep, compare, submit.
#[derive(Parser)]
#[command(
    name = "medalist",
    version,
    arg_required_else_help = true,
    after_help = "Examples:
  medalist sweep penguins                                  the main job on a bundled competition
  medalist new competition titanic --dir ~/Downloads/titanic --metric accuracy
  medalist sweep titanic --trials 60 --jobs 2 --seed 1
  medalist sweep titanic --search grid --models ridge --set ridge.alpha=0.1,1,10
  medalist leaderboard titanic
  medalist submit titanic --best

Exit codes: 0 done, 1 unexpected, 2 usage, 3 data, config or submission wrong, 4 no trial succeeded or a check failed,
5 store unreachable or busy, 130 interrupted."
)]
pub struct Arguments {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

/// Flags of every command.
#[derive(Args)]
pub struct Global {
    /// The folder that holds `competitions/` and `submissions/` [default: the nearest one upwards]
    #[arg(long, global = true, env = "MEDALIST_WORKSPACE", value_name = "DIR")]
    pub workspace: Option<PathBuf>,
    /// How to print data [default: table]
    #[arg(long, global = true, value_enum, value_name = "FORMAT")]
    pub output: Option<Format>,
    /// Print nothing but data and errors
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Print a line for every trial, and more of what was found
    #[arg(short, long, global = true, conflicts_with = "quiet")]
    pub verbose: bool,
}

#[derive(Subcommand)]
pub enum Command {
    /// Search models and hyperparameters on a competition's folds, then write leaderboard and submission
    Sweep(SweepArgs),
    /// Continue a study where it stopped
    Resume(ResumeArgs),
    /// Search the parameters of any program: each trial is a run of it
    Optimize(OptimizeArgs),
    /// Add a competition, a model, a metric or a transform
    #[command(subcommand)]
    New(New),
    /// Make a folder with `competitions/` and `submissions/`
    Init(InitArgs),
    /// Describe a competition (SLUG), a study (STUDY) or a trial (STUDY/NUMBER)
    Show(ShowArgs),
    /// List the competitions of the workspace
    Competitions,
    /// Show the folds of a competition or study: their sizes, or with `--output csv` the fold of every row
    Folds(FoldsArgs),
    /// Write what other programs need into files
    #[command(subcommand)]
    Export(Export),
    /// List the models, or the parameters of one
    Models(ModelsArgs),
    /// List the metrics
    Metrics,
    /// List the transforms, or the parameters of one
    Transforms(TransformsArgs),
    /// Best trials of a competition across its studies
    Leaderboard(LeaderboardArgs),
    /// List the studies
    Studies(StudiesArgs),
    /// List the trials of a study: all, or those that an expression keeps
    Trials(TrialsArgs),
    /// Compare two trials: parameters, scores fold by fold, and what their data and code differ in
    Diff(DiffArgs),
    /// Evaluate a trial again, and say whether its score is the same bit for bit, or what changed
    Rerun(RerunArgs),
    /// Put tags on a study or a trial
    Tag(TagArgs),
    /// Write a note on a study or a trial
    Note(NoteArgs),
    /// Set a study aside: `studies` and leaderboards leave it out
    Archive(ArchiveArgs),
    /// Delete a study with all its trials
    Delete(DeleteArgs),
    /// Tell which parameters of a study matter, and which pairs
    Importance(ImportanceArgs),
    /// Tell what more trials of a study may still gain
    Outlook(OutlookArgs),
    /// Mix trials into one prediction, where that is worth more than the best of them
    Ensemble(EnsembleArgs),
    /// Tell what a study's choice is worth on rows that nobody has seen
    Estimate(EstimateArgs),
    /// Tell how likely one trial is really better than another
    Compare(CompareArgs),
    /// Predict the test rows with a trial's model and write a submission
    Submit(SubmitArgs),
    /// Predict the rows of any file with a model that `submit --save` kept
    Predict(PredictArgs),
    /// Print a trial's predictions: out-of-fold with the truth, and of the test rows
    Predictions(PredictionsArgs),
    /// Name every fault of a submission file
    Validate(ValidateArgs),
    /// Score a submission against the competition's solution
    Grade(GradeArgs),
    /// Answer ask, tell and best as lines of JSON on stdin and stdout: the search for any other program
    AskTell,
    /// Run the contract checks on models, metrics and transforms
    Check(CheckArgs),
    /// Print a shell's completion script
    Completions(CompletionsArgs),
}

#[derive(Subcommand)]
#[expect(clippy::large_enum_variant, reason = "one of them is made, once")]
pub enum New {
    /// Work out a competition from its files and write competition.toml
    Competition(NewCompetitionArgs),
    /// Write a model to fill in: a file of src/models in a clone, else a small crate
    Model(NewModelArgs),
    /// Write a metric to fill in: a file of src/metrics in a clone, else a small crate
    Metric(NewMetricArgs),
    /// Write a transform to fill in: a file of src/transforms in a clone, else a small crate
    Transform(NewTransformArgs),
}

#[derive(Args)]
#[command(after_help = "Examples:
  medalist new competition titanic --train train.csv --test test.csv --sample gender_submission.csv --metric accuracy
  medalist new competition titanic --dir ~/Downloads/titanic
  medalist new competition titanic --zip titanic.zip --metric accuracy
  medalist new competition houses --dir houses --target SalePrice --metric rmse_log --scheme stratified")]
pub struct NewCompetitionArgs {
    /// The competition's name: letters, digits and `-`
    pub slug: String,
    #[arg(long, value_name = "FILE", required_unless_present_any = ["dir", "zip"])]
    pub train: Option<PathBuf>,
    #[arg(long, value_name = "FILE")]
    pub test: Option<PathBuf>,
    /// The sample submission
    #[arg(long, value_name = "FILE")]
    pub sample: Option<PathBuf>,
    /// A file with further rows to learn from, never scored; may be given several times
    #[arg(long, value_name = "FILE")]
    pub extra_train: Vec<PathBuf>,
    /// A folder with a Kaggle download
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["train", "zip"])]
    pub dir: Option<PathBuf>,
    /// A Kaggle download as it is
    #[arg(long, value_name = "FILE", conflicts_with = "train")]
    pub zip: Option<PathBuf>,
    /// The true targets of the test rows, for `grade` alone
    #[arg(long, value_name = "FILE")]
    pub solution: Option<PathBuf>,
    #[arg(long)]
    pub title: Option<String>,
    #[arg(long, value_name = "COLUMN")]
    pub id: Option<String>,
    /// Target column or columns, separated by commas
    #[arg(long, value_delimiter = ',', value_name = "COLUMNS")]
    pub target: Option<Vec<String>>,
    /// binary, multiclass, regression or ordinal
    #[arg(long)]
    pub task: Option<String>,
    /// `medalist metrics` lists them
    #[arg(long)]
    pub metric: Option<String>,
    /// Fold scheme: kfold, stratified, group, stratified_group, time_expanding, time_blocked, leave_one_group_out
    #[arg(long)]
    pub scheme: Option<String>,
    #[arg(long, value_name = "N", value_parser = parse_folds)]
    pub folds: Option<usize>,
    /// Column whose equal values must stay in one fold; `PassengerId:_` uses the part up to `_`
    #[arg(long, value_name = "COLUMN")]
    pub group: Option<String>,
    /// Column that orders the rows in time
    #[arg(long, value_name = "COLUMN")]
    pub time: Option<String>,
    /// Column of non-negative row weights
    #[arg(long, value_name = "COLUMN")]
    pub weight: Option<String>,
    /// The label that counts as positive
    #[arg(long, value_name = "LABEL")]
    pub positive: Option<String>,
    /// Columns to leave out, separated by commas
    #[arg(long, value_delimiter = ',', value_name = "COLUMNS")]
    pub drop: Vec<String>,
    /// A column's type: NAME=numeric|boolean|categorical|date|text
    #[arg(long = "type", value_name = "NAME=TYPE", value_parser = parse_set)]
    pub types: Vec<(String, String)>,
    /// Spellings of a missing value in every column, separated by commas (empty cells always are)
    #[arg(long, value_delimiter = ',', value_name = "WORDS")]
    pub missing: Vec<String>,
    /// Shape of a row that is an image, such as 1,8,8
    #[arg(long, value_delimiter = ',', value_name = "DIMS")]
    pub tensor: Option<Vec<usize>>,
    /// utf8 or latin1
    #[arg(long)]
    pub encoding: Option<String>,
}

#[derive(Args)]
pub struct NewModelArgs {
    /// The model's name in snake_case
    pub name: String,
}

#[derive(Args)]
pub struct NewMetricArgs {
    /// The metric's name in snake_case
    pub name: String,
}

#[derive(Args)]
pub struct NewTransformArgs {
    /// The transform's name in snake_case
    pub name: String,
}

#[derive(Args)]
pub struct InitArgs {
    pub dir: PathBuf,
}

#[derive(Args)]
#[command(after_help = "Examples:
  medalist show titanic
  medalist show titanic-auto-1f2e3d
  medalist show titanic-auto-1f2e3d/17")]
pub struct ShowArgs {
    /// A competition's slug, a study's name, or STUDY/NUMBER
    pub what: String,
}

#[derive(Args)]
#[command(after_help = "Examples:
  medalist folds titanic
  medalist folds titanic --output csv > folds.csv")]
pub struct FoldsArgs {
    /// A competition's slug, or a study's name
    pub what: String,
}

#[derive(Subcommand)]
pub enum Export {
    /// The fold of every row of a competition or study, as CSV or with `--output json`
    Folds(ExportFoldsArgs),
}

#[derive(Args)]
#[command(after_help = "Examples:
  medalist export folds titanic -o folds.csv
  medalist export folds titanic-auto-1f2e3d --output json -o folds.json")]
pub struct ExportFoldsArgs {
    /// A competition's slug, or a study's name
    pub what: String,
    /// The file to write [default: stdout]
    #[arg(short = 'o', long = "file", value_name = "FILE")]
    pub file: Option<PathBuf>,
}

#[derive(Args)]
pub struct ModelsArgs {
    /// Show this model's parameters
    pub name: Option<String>,
}

#[derive(Args)]
#[command(after_help = "Examples:
  medalist transforms
  medalist transforms target_encode
  medalist transforms --output markdown > docs/transforms.md")]
pub struct TransformsArgs {
    /// Show this transform's parameters
    pub name: Option<String>,
}

#[derive(Args)]
pub struct LeaderboardArgs {
    pub slug: String,
    /// How many rows to print
    #[arg(long, default_value_t = 20, value_name = "N")]
    pub top: usize,
    /// Also the studies that were set aside
    #[arg(long)]
    pub archived: bool,
    /// The true targets [default: solution.csv in the competition's folder]
    #[arg(long, value_name = "FILE")]
    pub solution: Option<PathBuf>,
}

#[derive(Args)]
#[command(group = clap::ArgGroup::new("which").required(true).args(["best", "trial", "ensemble"]))]
#[command(group = clap::ArgGroup::new("how").args(["refit", "average"]))]
pub struct SubmitArgs {
    pub slug: String,
    /// The best of the studies' choices: the trials marked `*` on the leaderboard
    #[arg(long)]
    pub best: bool,
    /// This trial
    #[arg(long, value_name = "STUDY/NUMBER")]
    pub trial: Option<String>,
    /// The ensemble of this name: see `medalist ensemble`
    #[arg(long, value_name = "NAME")]
    pub ensemble: Option<String>,
    /// Fit once more on all training rows (the default)
    #[arg(long)]
    pub refit: bool,
    /// Average the predictions of the fold models
    #[arg(long)]
    pub average: bool,
    /// Keep the fitted model in the store too, for `predict`
    #[arg(long)]
    pub save: bool,
    /// Threads [default: all processors]
    #[arg(long, value_name = "N", value_parser = parse_jobs)]
    pub jobs: Option<usize>,
}

#[derive(Args)]
#[command(group = clap::ArgGroup::new("which").required(true).args(["best", "trial"]))]
#[command(
    after_help = "The file needs the columns that the model was fitted on, by their names; with the id column the predictions bear its ids,
else the numbers of the rows. Levels that training did not hold count as unseen ones.

Examples:
  medalist submit titanic --best --save
  medalist predict titanic --best new.csv -o out.csv
  medalist predict titanic --trial titanic-auto-1f2e3d/17 new.csv --output json"
)]
pub struct PredictArgs {
    pub slug: String,
    /// The table of rows to predict: .csv, .csv.gz or a .zip of one
    pub rows: PathBuf,
    /// The best of the studies' choices: the trials marked `*` on the leaderboard
    #[arg(long)]
    pub best: bool,
    /// This trial
    #[arg(long, value_name = "STUDY/NUMBER")]
    pub trial: Option<String>,
    /// The mean over the fold models, where `submit --average --save` kept them
    #[arg(long)]
    pub average: bool,
    /// The file to write [default: stdout]
    #[arg(short = 'o', long = "file", value_name = "FILE")]
    pub file: Option<PathBuf>,
}

#[derive(Args)]
pub struct ValidateArgs {
    pub slug: String,
    pub file: PathBuf,
}

#[derive(Args)]
pub struct GradeArgs {
    pub slug: String,
    pub file: PathBuf,
    /// The true targets [default: solution.csv in the competition's folder]
    #[arg(long, value_name = "FILE")]
    pub solution: Option<PathBuf>,
}

#[derive(Args)]
#[command(group = clap::ArgGroup::new("what").required(true).args(["name", "all"]))]
pub struct CheckArgs {
    /// A model, metric or transform
    pub name: Option<String>,
    /// Every one that this binary holds
    #[arg(long)]
    pub all: bool,
}

#[derive(Args)]
pub struct CompletionsArgs {
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

/// The names come from the engine, so that a sampler added there is offered here.
fn search_parser() -> impl TypedValueParser<Value = Search> {
    PossibleValuesParser::new(Search::names()).try_map(|name| Search::parse(&name))
}

fn resource_parser() -> impl TypedValueParser<Value = Resource> {
    PossibleValuesParser::new(["folds", "steps"]).map(|name| match name.as_str() {
        "steps" => Resource::Steps,
        _ => Resource::Folds,
    })
}

fn parse_set(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() && !value.is_empty() => Ok((name.to_string(), value.to_string())),
        _ => Err("expected NAME=VALUE".to_string()),
    }
}

fn parse_jobs(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(jobs) if (1..=1024).contains(&jobs) => Ok(jobs),
        _ => Err("expected a number of threads from 1 to 1024".to_string()),
    }
}

fn parse_folds(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(folds) if (2..=1000).contains(&folds) => Ok(folds),
        _ => Err("expected a number of folds from 2 to 1000".to_string()),
    }
}

fn parse_levels(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(levels) if (1..=1_000_000).contains(&levels) => Ok(levels),
        _ => Err("expected a number of levels from 1 to 1,000,000".to_string()),
    }
}
