//! The arguments of the commands on what the store holds.

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::parse_jobs;
use crate::ensemble::Kind;

#[derive(Args)]
#[command(after_help = "Examples:
  medalist studies
  medalist studies titanic --archived")]
pub struct StudiesArgs {
    /// Only those of this competition
    pub slug: Option<String>,
    /// Also those that were set aside
    #[arg(long)]
    pub archived: bool,
}

#[derive(Args)]
#[command(
    after_help = "An expression compares columns (=, !=, <, <=, >, >=, `contains`, `is null`, `is not null`) with numbers and texts in quotes,
joined by `and`, `or`, `not` and brackets. Columns: trial, state, reason, score, look, model, parameters, total_seconds, created, tags,
note, the study's further objectives, and every parameter by its name.

Examples:
  medalist trials titanic-auto-1f2e3d --where 'model = \"knn\" and score > 0.8' --sort score
  medalist trials titanic-auto-1f2e3d --where 'tags contains \"good\" or ridge.alpha < 1' --columns trial,score,ridge.alpha
  medalist trials titanic-auto-1f2e3d --where 'state = \"failed\"' --columns trial,reason"
)]
pub struct TrialsArgs {
    pub study: String,
    /// Keep the trials for which this holds
    #[arg(long = "where", value_name = "EXPRESSION")]
    pub filter: Option<String>,
    /// Order by this column: the best score first, otherwise from small to large; what has no value comes last
    #[arg(long, value_name = "COLUMN")]
    pub sort: Option<String>,
    /// The other way round
    #[arg(long, requires = "sort")]
    pub reverse: bool,
    /// The columns to print, separated by commas
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    pub columns: Vec<String>,
    /// How many to print [default: all]
    #[arg(long, value_name = "N")]
    pub top: Option<usize>,
}

#[derive(Args)]
#[command(after_help = "Examples:
  medalist tag titanic-auto-1f2e3d baseline
  medalist tag titanic-auto-1f2e3d/17 submitted good
  medalist tag titanic-auto-1f2e3d/17 good --untag")]
pub struct TagArgs {
    /// A study, or STUDY/NUMBER
    pub what: String,
    /// The tags; without any, those that are there are printed
    pub tags: Vec<String>,
    /// Take the tags off
    #[arg(long, requires = "tags")]
    pub untag: bool,
}

#[derive(Args)]
#[command(after_help = "Examples:
  medalist note titanic-auto-1f2e3d/17 \"0.78947 on the public leaderboard\"
  medalist note titanic-auto-1f2e3d/17 \"\"                              takes it off")]
pub struct NoteArgs {
    /// A study, or STUDY/NUMBER
    pub what: String,
    /// The note, in place of the one before; an empty one takes it off; without it, the note that is there is printed
    pub text: Option<String>,
}

#[derive(Args)]
#[command(after_help = "Examples:
  medalist archive titanic-auto-1f2e3d
  medalist archive titanic-auto-1f2e3d --unarchive
  medalist studies --archived")]
pub struct ArchiveArgs {
    pub study: String,
    /// Bring it back
    #[arg(long)]
    pub unarchive: bool,
}

#[derive(Args)]
#[command(after_help = "Submissions and leaderboard files that were written stay.

Examples:
  medalist delete titanic-auto-1f2e3d
  medalist delete titanic-auto-1f2e3d --yes")]
pub struct DeleteArgs {
    pub study: String,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
}

#[derive(Args)]
#[command(
    after_help = "Columns: part (out_of_fold or test), row (1-based), id, fold, truth.TARGET for each target, then the submission's own.
Out of fold, rows that no fold scores are left out; with repeats a prediction is the mean over them, and has no fold.

Examples:
  medalist predictions titanic-auto-1f2e3d/17 --output csv > predictions.csv
  medalist predictions titanic-auto-1f2e3d/17 --out-of-fold --output json
  medalist predictions titanic-auto-1f2e3d/17 --test --average --output csv"
)]
pub struct PredictionsArgs {
    /// STUDY/NUMBER
    pub trial: String,
    /// Only those of the training rows, each by a model that did not see it
    #[arg(long, conflicts_with = "test")]
    pub out_of_fold: bool,
    /// Only those of the test rows
    #[arg(long)]
    pub test: bool,
    /// Of the test rows the mean over the fold models, where without it a model fitted on all training rows predicts
    #[arg(long, conflicts_with = "out_of_fold")]
    pub average: bool,
    /// Threads [default: all processors]
    #[arg(long, value_name = "N", value_parser = parse_jobs)]
    pub jobs: Option<usize>,
}

#[derive(Args)]
#[command(
    after_help = "Where both were scored on the same folds, the difference of each fold is the second's score less the first's;
its standard error is corrected for folds that share training rows (Nadeau and Bengio 2003).

Examples:
  medalist diff titanic-auto-1f2e3d/17 titanic-auto-1f2e3d/40
  medalist diff titanic-auto-1f2e3d/17 titanic-grid-77aa01/3 --output json"
)]
pub struct DiffArgs {
    /// STUDY/NUMBER
    pub first: String,
    /// STUDY/NUMBER
    pub second: String,
}

#[derive(Args)]
#[command(
    after_help = "Nothing is stored. Exit code 0 where scores and predictions are the same bit for bit, 4 where they are not.

Examples:
  medalist rerun titanic-auto-1f2e3d/17
  medalist rerun titanic-auto-1f2e3d/17 --output json"
)]
pub struct RerunArgs {
    /// STUDY/NUMBER
    pub trial: String,
    /// Threads [default: all processors]
    #[arg(long, value_name = "N", value_parser = parse_jobs)]
    pub jobs: Option<usize>,
}

#[derive(Args)]
#[command(
    after_help = "A score by which the best of many trials was chosen is too good. Each draw of the rows makes the choice again on what it drew, and
scores it on what it did not (bootstrap bias-corrected cross-validation; Tsamardinos, Greasidou and Borboudakis 2018). Rows of a group are
drawn together, and rows that follow each other in time in blocks. The interval is for the score of a test set of the competition's size.

Examples:
  medalist estimate titanic-auto-1f2e3d
  medalist estimate titanic-ensemble --output json"
)]
pub struct EstimateArgs {
    pub study: String,
    /// How often the rows are drawn
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u16).range(20..))]
    pub draws: u16,
    /// Seed of the draws
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// Threads [default: all processors]; results do not depend on it
    #[arg(long, value_name = "N", value_parser = parse_jobs)]
    pub jobs: Option<usize>,
}

#[derive(Args)]
#[command(
    after_help = "The two are compared fold by fold, by a t-test that knows that folds share training rows (Benavoli, Corani, Demsar and Zaffalon 2017).

Examples:
  medalist compare titanic-auto-1f2e3d/17 titanic-ensemble/0"
)]
pub struct CompareArgs {
    /// A trial, STUDY/NUMBER
    pub first: String,
    /// Another, scored on the same folds
    pub second: String,
}

#[derive(Args)]
#[command(
    after_help = "Weights are learned from out-of-fold predictions; an ensemble's score is that of each fold by weights which the other folds taught.
It is kept, as the study NAME of one trial, and a submission is written, where it beats the best single trial by more than the
standard error of the difference (Nadeau and Bengio 2003). greedy: forward selection with replacement, bagged (Caruana et al. 2004).
stack: non-negative weights of sum 1 by log loss or squared error. rank: as greedy, of ranks, where the metric looks at the order alone.

Examples:
  medalist ensemble titanic
  medalist ensemble titanic --studies titanic-auto-1f2e3d --kind greedy --keep
  medalist submit titanic --trial titanic-ensemble/0"
)]
pub struct EnsembleArgs {
    pub slug: String,
    /// The studies whose trials may become members, separated by commas [default: all on the competition]
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    pub studies: Vec<String>,
    /// The study's name; an ensemble of that name is replaced [default: SLUG-ensemble]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// How weights are learned [default: all that make sense for the metric, and the best of them is kept]
    #[arg(long, value_name = "KIND", value_parser = kind_parser())]
    pub kind: Option<Kind>,
    /// Keep the best ensemble even where it is no better than noise
    #[arg(long)]
    pub keep: bool,
    /// Members predict the test rows by the mean of their fold models, not by a fit on all rows
    #[arg(long)]
    pub average: bool,
    /// Do not write a submission
    #[arg(long)]
    pub no_submission: bool,
    /// Seed of the bags
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// Threads [default: all processors]; results do not depend on it
    #[arg(long, value_name = "N", value_parser = parse_jobs)]
    pub jobs: Option<usize>,
}

fn kind_parser() -> impl TypedValueParser<Value = Kind> {
    PossibleValuesParser::new(Kind::ALL.map(Kind::name))
        .try_map(|name| Kind::ALL.into_iter().find(|kind| kind.name() == name).ok_or("no such kind"))
}
