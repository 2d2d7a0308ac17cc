//! `competition.toml` as structs. docs/competition-format.md describes every key.

mod folds;

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::keys;
use crate::error::{Error, Result};
use crate::metric::Settings;
use crate::reader::Encoding;
use crate::table::ColumnType;
use crate::target::Task;

pub use folds::{FoldsConfig, GroupConfig, GroupPart, Scheme};

/// The format that this binary reads and writes.
pub const FORMAT_VERSION: u32 = 1;

/// The file's name in a competition's folder.
pub const FILE_NAME: &str = "competition.toml";

/// A competition's description.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub version: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    pub task: Task,
    /// The column of row names; without it rows are numbered from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    pub target: Names,
    /// The label that counts as positive; by default the last of two in sorted order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub positive: Option<String>,
    #[serde(default)]
    pub target_scale: Scale,
    #[serde(default)]
    pub encoding: Encoding,
    /// Spellings of a missing value in every column, beside the empty cell.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
    /// Columns to leave out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drop: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<String>,
    /// The column that names the query of a row, where rows are ranked together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// The shape of a row that is an image, channels first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tensor: Option<Vec<usize>>,
    /// Files with further rows, which train in every fold and are never scored.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extra_train: Vec<ExtraFile>,
    pub files: Files,
    pub metric: MetricConfig,
    #[serde(default)]
    pub folds: FoldsConfig,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub columns: BTreeMap<String, ColumnConfig>,
    /// Columns that are made of others: an expression by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub features: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "SubmissionConfig::is_empty")]
    pub submission: SubmissionConfig,
}

/// One name, or several.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Names {
    One(String),
    Several(Vec<String>),
}

impl Names {
    pub fn as_slice(&self) -> &[String] {
        match self {
            Names::One(name) => std::slice::from_ref(name),
            Names::Several(names) => names,
        }
    }
}

/// On which scale models fit the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scale {
    /// As the metric says.
    #[default]
    Auto,
    Identity,
    Log,
    Log1p,
}

/// The table files.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Files {
    pub train: FileConfig,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<FileConfig>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample: Option<FileConfig>,
}

/// A file beside competition.toml.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileConfig {
    /// Relative to the competition's folder.
    pub path: String,
    /// The table inside a zip that holds several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<String>,
    /// Lower case hex, of the file as it lies on the disk.
    pub sha256: String,
}

/// A file with further rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ExtraFile {
    /// Whatever the file holds when it is read.
    Path(String),
    File(FileConfig),
}

impl ExtraFile {
    /// The checksum is empty where none is described.
    pub fn file(&self) -> FileConfig {
        match self {
            ExtraFile::Path(path) => FileConfig { path: path.clone(), entry: None, sha256: String::new() },
            ExtraFile::File(file) => file.clone(),
        }
    }
}

/// The metric and its settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MetricConfig {
    pub name: String,
    /// Whether thresholds of labels are learned from out-of-fold predictions.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub thresholds: bool,
    /// Which keys there may be is the metric's own affair.
    #[serde(flatten)]
    pub settings: BTreeMap<String, serde_json::Value>,
}

fn yes() -> bool {
    true
}

fn is_yes(yes: &bool) -> bool {
    *yes
}

impl MetricConfig {
    pub fn settings(&self) -> Settings {
        Settings(self.settings.clone())
    }
}

/// What is particular about one column.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnConfig {
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<ColumnType>,
    /// Spellings of a missing value in this column, beside the empty cell and those of all columns.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
    /// The format of a date, as strftime spells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
}

/// The submission's columns, where there is no sample to take them from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubmissionConfig {
    /// The columns beside the id, in their order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub columns: Option<Vec<String>>,
    /// What stands before a class's label in the name of its column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
}

impl SubmissionConfig {
    fn is_empty(&self) -> bool {
        self.columns.is_none() && self.prefix.is_none()
    }
}

impl Config {
    /// Reads `competition.toml` in `dir`.
    ///
    /// # Errors
    /// When it cannot be read, is no TOML, is of another version, or has a key that is not known (naming the nearest) or a value that cannot be.
    pub fn read(dir: &Path) -> Result<Config> {
        let path = dir.join(FILE_NAME);
        let text = std::fs::read(&path).map_err(|error| Error::io(&path, &error))?;
        let text = String::from_utf8(text).map_err(|_| Error::config("this file is not UTF-8").file(&path))?;
        Config::parse(&text).map_err(|error| error.file(&path))
    }

    /// # Errors
    /// As [`Config::read`], without the file's name.
    pub fn parse(text: &str) -> Result<Config> {
        let table: toml::Table = toml::from_str(text).map_err(|error| syntax(&error))?;
        match table.get("version") {
            Some(toml::Value::Integer(version)) if *version == i64::from(FORMAT_VERSION) => {}
            Some(toml::Value::Integer(version)) if *version > i64::from(FORMAT_VERSION) => {
                let error = Error::config(format!("format version {version} is newer than this medalist reads"));
                return Err(error.help(format!("update medalist, or write it in version {FORMAT_VERSION}")));
            }
            Some(other) => {
                return Err(Error::config(format!("`version` cannot be {other}")).help("write `version = 1`"));
            }
            None => return Err(Error::config("`version` is missing").help("write `version = 1` as the first line")),
        }
        keys::check(&table)?;
        let config: Config = toml::from_str(text).map_err(|error| syntax(&error))?;
        config.check()?;
        Ok(config)
    }

    pub fn targets(&self) -> &[String] {
        self.target.as_slice()
    }

    /// One line on the fold scheme.
    pub fn folds_text(&self) -> String {
        let folds = &self.folds;
        let mut text = match folds.scheme {
            Scheme::LeaveOneGroupOut | Scheme::Given => folds.scheme.name().to_string(),
            _ => format!("{} {} folds", folds.n, folds.scheme.name()),
        };
        if let Some(group) = &folds.group {
            text += &format!(" by {}", group.column());
        }
        if let Some(time) = &folds.time {
            text += &format!(" along {time}");
        }
        if folds.gap > 0.0 {
            text += &format!(", gap {}", folds.gap);
        }
        if folds.repeats > 1 {
            text += &format!(", {} repeats", folds.repeats);
        }
        format!("{text}, seed {}", folds.seed)
    }

    /// What no single key can be wrong about.
    fn check(&self) -> Result<()> {
        let targets = self.targets();
        if targets.is_empty() {
            return Err(Error::config("`target` names no column"));
        }
        for (position, target) in targets.iter().enumerate() {
            if targets[..position].contains(target) {
                return Err(Error::config(format!("`target` names `{target}` twice")));
            }
            if self.id.as_ref() == Some(target) {
                return Err(Error::config(format!("`{target}` is both `id` and `target`")));
            }
        }
        if self.tensor.as_ref().is_some_and(|dims| dims.is_empty() || dims.contains(&0)) {
            return Err(Error::config("every dimension of `tensor` must be at least 1"));
        }
        let folds = &self.folds;
        if folds.repeats == 0 {
            return Err(Error::config("`repeats` in [folds] must be at least 1"));
        }
        if !(folds.gap >= 0.0 && folds.gap.is_finite()) {
            return Err(Error::config("`gap` in [folds] must be a number of at least 0"));
        }
        let scheme = folds.scheme.name();
        if folds.scheme.needs_group() && folds.group.is_none() {
            return Err(Error::config(format!("the fold scheme `{scheme}` needs `group` in [folds]")));
        }
        if folds.scheme.needs_time() && folds.time.is_none() {
            return Err(Error::config(format!("the fold scheme `{scheme}` needs `time` in [folds]")));
        }
        if folds.scheme == Scheme::Given && folds.column.is_some() == folds.file.is_some() {
            return Err(Error::config("the fold scheme `given` needs either `column` or `file` in [folds]"));
        }
        if folds.repeats > 1 && !folds.scheme.is_drawn() {
            return Err(Error::config(format!(
                "the fold scheme `{scheme}` gives the same folds each time: `repeats` must be 1"
            )));
        }
        Ok(())
    }
}

fn syntax(error: &toml::de::Error) -> Error {
    Error::config(crate::toml_message(error))
}
