//! A competition: its description, its files, and what they become in memory.
//!
//! A solution is never read here: nothing that a sweep sees can hold the true targets of the test rows.

mod columns;
pub mod config;
mod extra;
mod features;
mod files;
mod folds;
pub mod guess;
mod keys;
mod layout;
mod load;
mod recipes;
mod roles;
mod rows;
mod target;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::metric::{Metric, Needs, TargetScale};
use crate::reader::{self, Cells, Place, StringTable};
use crate::registry::Registry;
use crate::split::Fold;
use crate::table::Table;
use crate::target::{Target, TargetColumn, Task};

pub use config::Config;
use config::{FileConfig, Scale};
pub use recipes::Learned;
pub use rows::{KnownColumn, NewRows, read_rows};

/// A competition as loaded.
#[derive(Debug)]
pub struct Competition {
    pub slug: String,
    pub dir: PathBuf,
    pub config: Config,
    pub task: Task,
    /// What the metric compares.
    pub needs: Needs,
    /// Train's rows, then those of the files of `extra_train`; feature columns in train's order, then what recipes make.
    pub features: Table,
    /// The last rows of `features`, `targets` and `weights`: they train in every fold and are never scored.
    pub n_extra_rows: usize,
    /// The recipes that are worked out inside of folds.
    pub learned: Option<Learned>,
    /// Train's ids, byte for byte, where it has any.
    pub train_ids: Option<Cells>,
    /// Over the rows of `features`.
    pub targets: Vec<TargetColumn>,
    pub test: Option<TestSet>,
    /// One non-negative weight a row of `features`.
    pub weights: Option<Vec<f64>>,
    /// One query number a row of train, in order of appearance: rows of one query are ranked together.
    pub queries: Option<Vec<u32>>,
    /// One group number a row of train, in order of appearance.
    pub groups: Option<Vec<u32>>,
    /// One time a row of train: seconds where the column is a date, else its own unit.
    pub times: Option<Vec<f64>>,
    /// The number of the fold that scores a row of train, where folds are given.
    given_folds: Option<Vec<Option<u32>>>,
    /// The unit of `[folds] gap` in the unit of `times`.
    gap_unit: f64,
    /// The submission's columns.
    pub layout: Layout,
    pub files: Vec<FileFacts>,
    /// SHA-256 over the files and everything in the description that changes results.
    pub fingerprint: String,
    /// What is odd about the data.
    pub notes: Vec<String>,
}

/// The rows to predict.
#[derive(Debug)]
pub struct TestSet {
    /// Byte for byte, each once, in the file's order.
    pub ids: Vec<Arc<str>>,
    /// One query number a row, where the file has the column.
    pub queries: Option<Vec<u32>>,
    /// The columns of `Competition::features`, in their order.
    pub features: Table,
}

/// What a submission looks like.
#[derive(Clone, Debug, PartialEq)]
pub struct Layout {
    /// The name of the id column.
    pub id: String,
    /// The columns beside the id, in the sample's order.
    pub columns: Vec<LayoutColumn>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct LayoutColumn {
    pub name: String,
    pub content: Content,
}

/// What a submission's column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// A target's label or value, or the probability of its positive class.
    Target { target: usize },
    /// The probability of one class of a target.
    Class { target: usize, class: usize },
    /// How far off a target's value may be.
    Sigma { target: usize },
}

/// A file as it was found.
#[derive(Clone, Debug, PartialEq)]
pub struct FileFacts {
    /// `train`, `test`, `sample`, `folds` or `extra_train`.
    pub role: &'static str,
    pub path: PathBuf,
    /// The header not counted.
    pub rows: usize,
    pub columns: usize,
    /// As it lies on the disk.
    pub bytes: u64,
    pub sha256: String,
}

impl Competition {
    /// Reads the competition in the folder `dir`.
    ///
    /// # Errors
    /// When the description is wrong, a file is missing or is not the one described, or its content cannot be what the description says: names file, column and row.
    pub fn load(dir: &Path, registry: &Registry) -> Result<Competition> {
        load::load(dir, registry)
    }

    /// The metric that the description names.
    ///
    /// # Errors
    /// When the registry has no such metric, a setting is wrong, or the metric cannot score the task.
    pub fn metric(&self, registry: &Registry) -> Result<Box<dyn Metric>> {
        load::metric(&self.config, registry).map_err(|error| error.file(self.dir.join(config::FILE_NAME)))
    }

    /// The class of a target that counts as positive; 0 for values.
    pub fn positive(&self, target: usize) -> u32 {
        let labels = &self.targets[target].labels;
        let named = self.config.positive.as_ref().and_then(|name| labels.iter().position(|label| label == name));
        named.unwrap_or(labels.len().saturating_sub(1)) as u32
    }

    /// Rows of the file of training data: those that folds may score.
    pub fn n_train_rows(&self) -> usize {
        self.features.n_rows() - self.n_extra_rows
    }

    /// A target of the rows that folds may score.
    pub fn train_target(&self, target: usize) -> Target {
        self.targets[target].target.take(&(0..self.n_train_rows() as u32).collect::<Vec<u32>>())
    }

    /// The file that a row of `features` comes from, and its number there, from 1.
    fn origin(&self, row: usize) -> (&Path, usize) {
        let train = self.files.iter().filter(|file| file.role == "train");
        let files = train.chain(self.files.iter().filter(|file| file.role == "extra_train"));
        let mut start = 0;
        for file in files {
            if row < start + file.rows {
                return (&file.path, row - start + 1);
            }
            start += file.rows;
        }
        (&self.dir, row + 1)
    }

    /// The scale on which models fit the target.
    pub fn target_scale(&self, metric: &dyn Metric) -> TargetScale {
        match self.config.target_scale {
            Scale::Auto => metric.target_scale(),
            Scale::Identity => TargetScale::Identity,
            Scale::Log => TargetScale::Log,
            Scale::Log1p => TargetScale::Log1p,
        }
    }

    /// The shape of a row that is an image, channels first.
    pub fn tensor(&self) -> Option<&[usize]> {
        self.config.tensor.as_deref()
    }

    /// The folds that the description says, or with another number of them.
    ///
    /// # Errors
    /// When the rows do not make such folds, or the scheme leaves no choice of their number.
    pub fn folds(&self, n_folds: Option<usize>) -> Result<Vec<Fold>> {
        folds::folds(self, n_folds, 0)
    }

    /// Folds of the same scheme, as many as there are in `first`, drawn anew for each further look at a point; from 1.
    ///
    /// # Errors
    /// Those of [`Competition::folds`].
    pub fn folds_of_look(&self, first: &[Fold], look: u32) -> Result<Vec<Fold>> {
        folds::folds(self, Some(first.len() / self.config.folds.repeats), look)
    }

    /// Whether folds are drawn, so that they can be drawn anew.
    pub fn draws_folds(&self) -> bool {
        self.config.folds.scheme.is_drawn()
    }

    /// The sample submission, where there is one.
    ///
    /// # Errors
    /// When it cannot be read (any more).
    pub fn sample(&self) -> Result<Option<StringTable>> {
        let Some(file) = &self.config.files.sample else { return Ok(None) };
        reader::strings(place(&self.dir.join(&file.path), file, &self.config)).map(Some)
    }

    /// Whether every value of a target is one that `scale` is defined on.
    fn check_scale(&self, scale: TargetScale) -> Result<()> {
        let (least, words) = match scale {
            TargetScale::Identity => return Ok(()),
            TargetScale::Log => (0.0, "above 0"),
            TargetScale::Log1p => (-1.0, "above -1"),
        };
        for column in &self.targets {
            let Target::Values(values) = &column.target else { continue };
            if let Some(row) = values.iter().position(|&value| value <= least) {
                let message = format!("the target is {}, and its logarithm needs values {words}", values[row]);
                let (file, row) = self.origin(row);
                let error = Error::data(message).column(&column.name).file(file).row(row);
                return Err(
                    error.help("set `target_scale = \"identity\"` in competition.toml, or choose another metric")
                );
            }
        }
        Ok(())
    }
}

fn place<'a>(path: &'a Path, file: &'a FileConfig, config: &Config) -> Place<'a> {
    Place { path, entry: file.entry.as_deref(), encoding: config.encoding }
}
