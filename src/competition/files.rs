//! A competition's files: that they are the ones described, that they have the columns named, and how each column is to be held.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::config::FileConfig;
use super::recipes::Recipes;
use super::{Config, FileFacts, place};
use crate::error::{Error, Result};
use crate::reader::{self, Digest, Draft, Drafts, Hold, Plan, StringTable};
use crate::table::ColumnType;
use crate::target::Task;

/// The files of a competition, and what is known of each.
pub struct Files {
    configs: Vec<FileConfig>,
    /// The checksums of files that were not read yet are those described.
    pub facts: Vec<FileFacts>,
}

impl Files {
    /// # Errors
    /// When a file is not there.
    pub fn find(dir: &Path, config: &Config) -> Result<Files> {
        let named = [
            ("train", Some(&config.files.train)),
            ("test", config.files.test.as_ref()),
            ("sample", config.files.sample.as_ref()),
            ("folds", config.folds.file.as_ref()),
        ];
        let named = named.into_iter().filter_map(|(role, file)| Some((role, file?.clone())));
        let extra = config.extra_train.iter().map(|file| ("extra_train", file.file()));
        let mut files = Files { configs: Vec::new(), facts: Vec::new() };
        for (role, file) in named.chain(extra) {
            let path: PathBuf = dir.join(&file.path);
            let bytes = std::fs::metadata(&path).map_err(|error| Error::io(&path, &error))?.len();
            files.facts.push(FileFacts { role, path, rows: 0, columns: 0, bytes, sha256: file.sha256.to_lowercase() });
            files.configs.push(file);
        }
        Ok(files)
    }

    /// Whether the files that were not read to their ends are the ones described; those that were have been checked.
    ///
    /// # Errors
    /// The first that is another.
    pub fn check_unread(&self) -> Result<()> {
        let mut unread = self.facts.iter().filter(|file| file.columns == 0);
        unread.try_for_each(|file| check_digest(file, &reader::digest(&file.path)?))
    }

    /// Of all files of a role, of which there may be several.
    pub fn positions(&self, role: &str) -> Vec<usize> {
        (0..self.facts.len()).filter(|&position| self.facts[position].role == role).collect()
    }

    pub fn position(&self, role: &str) -> Option<usize> {
        self.facts.iter().position(|file| file.role == role)
    }

    pub fn path(&self, role: &str) -> Option<&Path> {
        self.position(role).map(|position| self.facts[position].path.as_path())
    }

    pub fn at(&self, role: &str, error: Error) -> Error {
        match self.path(role) {
            Some(path) if error.file.is_none() => error.file(path),
            _ => error,
        }
    }

    pub fn header(&self, role: &str, config: &Config) -> Result<Vec<String>> {
        self.position(role).map_or(Ok(Vec::new()), |position| self.header_at(position, config))
    }

    pub fn header_at(&self, position: usize, config: &Config) -> Result<Vec<String>> {
        reader::header(place(&self.facts[position].path, &self.configs[position], config))
    }

    pub fn read(&mut self, role: &str, config: &Config, plan: impl Fn(&str) -> Plan) -> Result<Drafts> {
        let position = self.position(role).ok_or_else(|| Error::unexpected(format!("no {role} file")))?;
        self.read_at(position, config, plan)
    }

    pub fn read_at(&mut self, position: usize, config: &Config, plan: impl Fn(&str) -> Plan) -> Result<Drafts> {
        let place = place(&self.facts[position].path, &self.configs[position], config);
        let (drafts, digest) = reader::read_and_digest(place, plan)?;
        let facts = &mut self.facts[position];
        check_digest(facts, &digest)?;
        facts.sha256 = digest.sha256;
        (facts.rows, facts.columns) = (drafts.n_rows, drafts.header.len());
        Ok(drafts)
    }

    pub fn read_again(&self, role: &str, config: &Config, names: &BTreeSet<String>) -> Result<Drafts> {
        let position = self.position(role).ok_or_else(|| Error::unexpected(format!("no {role} file")))?;
        reader::read(place(&self.facts[position].path, &self.configs[position], config), |name| {
            let hold = if names.contains(name) { Hold::Words } else { Hold::Skip };
            Plan { hold, missing: missing(name, config) }
        })
    }

    pub fn read_strings(&mut self, role: &str, config: &Config) -> Result<StringTable> {
        let position = self.position(role).ok_or_else(|| Error::unexpected(format!("no {role} file")))?;
        let place = place(&self.facts[position].path, &self.configs[position], config);
        let (table, digest) = reader::strings_and_digest(place)?;
        let facts = &mut self.facts[position];
        check_digest(facts, &digest)?;
        (facts.rows, facts.columns) = (table.n_rows(), table.header.len());
        Ok(table)
    }
}

/// # Errors
/// When the file is not the one described, where its checksum is.
fn check_digest(file: &FileFacts, found: &Digest) -> Result<()> {
    if found.sha256 == file.sha256 || file.sha256.is_empty() {
        return Ok(());
    }
    let error = Error::data("this is not the file that competition.toml describes: its sha256 is another");
    let help = format!("get the file again, or set sha256 = \"{}\" if the change is meant", found.sha256);
    Err(error.file(&file.path).help(help))
}

/// The columns of train and test as they are to be read, and what recipes make of them.
pub struct Headers {
    pub train: Vec<String>,
    /// Empty where there is no test file.
    pub test: Vec<String>,
    pub train_path: PathBuf,
    pub test_path: Option<PathBuf>,
    /// Empty until the headers are checked.
    pub recipes: Recipes,
}

impl Headers {
    pub fn read(files: &Files, config: &Config) -> Result<Headers> {
        Ok(Headers {
            train: files.header("train", config)?,
            test: files.header("test", config)?,
            train_path: files.path("train").map(Path::to_path_buf).unwrap_or_default(),
            test_path: files.path("test").map(Path::to_path_buf),
            recipes: Recipes::default(),
        })
    }

    /// # Errors
    /// When the description names a column that is not there.
    pub fn check(&self, config: &Config) -> Result<()> {
        let folds = &config.folds;
        let one = |key: &str, name: Option<&String>| name.map(|name| (key.to_string(), name.clone()));
        // Folds may go by a column that a recipe makes.
        let is_made = |name: &str| config.features.contains_key(name);
        let group = folds.group.as_ref().map(|group| group.column().to_string()).filter(|name| !is_made(name));
        let time = folds.time.as_ref().filter(|name| !is_made(name));
        let in_train = config.targets().iter().map(|name| ("target".to_string(), name.clone()));
        let in_train = in_train
            .chain(one("weight", config.weight.as_ref()))
            .chain(one("query", config.query.as_ref()))
            .chain(group.map(|name| ("group".to_string(), name)))
            .chain(one("time", time))
            .chain(one("column", folds.column.as_ref()));
        for (key, name) in in_train {
            if !self.train.contains(&name) {
                return Err(absent(&key, &name, &self.train, &self.train_path));
            }
        }
        if let (Some(id), Some(path)) = (&config.id, &self.test_path) {
            if !self.test.contains(id) {
                return Err(absent("id", id, &self.test, path));
            }
        } else if let Some(id) = config.id.as_ref().filter(|id| !self.train.contains(id)) {
            return Err(absent("id", id, &self.train, &self.train_path));
        }
        let known = || self.train.iter().chain(&self.test).chain(config.features.keys());
        let named = config
            .drop
            .iter()
            .map(|name| ("`drop`", name))
            .chain(config.columns.keys().map(|name| ("[columns]", name)));
        for (key, name) in named {
            if !known().any(|known| known == name) {
                let error = Error::config(format!("{key} names a column `{name}`, which no file has"));
                return Err(match crate::nearest(name, known().map(String::as_str)) {
                    Some(near) => error.help(format!("did you mean `{near}`?")),
                    None => error,
                });
            }
        }
        Ok(())
    }
}

fn absent(key: &str, name: &str, header: &[String], file: &Path) -> Error {
    let file = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let error = Error::config(format!("`{key}` is `{name}`, which is no column of {file}"));
    match crate::nearest(name, header.iter().map(String::as_str)) {
        Some(near) => error.help(format!("did you mean `{near}`?")),
        None => error.help(format!("its columns are {}", some(header))),
    }
}

/// The first few of many names.
pub fn some(names: &[String]) -> String {
    const SHOWN: usize = 12;
    let shown = names.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN { format!("{shown} and {} more", names.len() - SHOWN) } else { shown }
}

/// The spellings of a missing value in a column.
pub fn missing(name: &str, config: &Config) -> Vec<String> {
    let own = config.columns.get(name).map(|column| column.missing.as_slice()).unwrap_or_default();
    config.missing.iter().chain(own).cloned().collect()
}

/// How to hold a column of train.
pub fn train_plan(name: &str, config: &Config, headers: &Headers) -> Plan {
    let plan = plan(name, config, headers);
    let folds = &config.folds;
    let has_another_role = folds.time.as_deref() == Some(name)
        || config.query.as_deref() == Some(name)
        || folds.column.as_deref() == Some(name)
        || folds.group.as_ref().is_some_and(|group| group.column() == name);
    let has_another_role = has_another_role || headers.recipes.hold(name).is_some();
    // Nobody looks for one of train's ids among the others.
    if config.id.as_deref() == Some(name) && !has_another_role { Plan { hold: Hold::Cells, ..plan } } else { plan }
}

/// How to hold a column of test.
pub fn plan(name: &str, config: &Config, headers: &Headers) -> Plan {
    let folds = &config.folds;
    let is = |wanted: Option<&String>| wanted.is_some_and(|wanted| wanted == name);
    let is_words = is(config.id.as_ref())
        || is(folds.column.as_ref())
        || is(folds.time.as_ref())
        || is(config.query.as_ref())
        || folds.group.as_ref().is_some_and(|group| group.column() == name);
    let is_target = config.targets().iter().any(|target| target == name);
    let kind = config.columns.get(name).and_then(|column| column.kind);
    let of_recipes = headers.recipes.hold(name);
    let hold = if is_target {
        if config.task == Task::Regression { Hold::Either } else { Hold::Words }
    } else if is_words || of_recipes == Some(Hold::Words) {
        Hold::Words
    } else if is(config.weight.as_ref()) {
        Hold::Either
    } else if config.drop.iter().any(|dropped| dropped == name) || !is_shared(name, headers) {
        of_recipes.unwrap_or(Hold::Skip)
    } else {
        match kind {
            None | Some(ColumnType::Numeric) => Hold::Either,
            Some(ColumnType::Boolean | ColumnType::Categorical | ColumnType::Date | ColumnType::Text) => Hold::Words,
        }
    };
    // An id is whatever its bytes are.
    let missing = if is(config.id.as_ref()) { Vec::new() } else { missing(name, config) };
    Plan { hold, missing }
}

pub fn is_shared(name: &str, headers: &Headers) -> bool {
    let has = |header: &[String]| header.iter().any(|column| column == name);
    headers.test_path.is_none() || (has(&headers.train) && has(&headers.test))
}

pub fn take<'a>(drafts: &'a Drafts, name: &str) -> &'a Draft {
    let position = drafts.header.iter().position(|column| column == name).expect("the headers were checked");
    &drafts.columns[position]
}
