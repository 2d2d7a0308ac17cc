//! `new competition`: works a competition out from its files, says why, and writes `competition.toml` beside a copy of the data.
//!
//! Every guess can be given instead. Nothing is overwritten, and nothing is left behind that does not load.

mod columns;
mod files;
mod folds;
mod target;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::Competition;
use super::config::{
    ColumnConfig, Config, FILE_NAME, FORMAT_VERSION, FileConfig, MetricConfig, Names, Scale, SubmissionConfig,
};
use crate::error::{Error, Result};
use crate::metric::Settings;
use crate::reader::{self, Draft, Encoding, Hold, Place, Plan};
use crate::registry::Registry;
use crate::table::ColumnType;
use crate::target::Task;

use files::Files;

/// What a user says of a competition to be added; what is absent is worked out.
#[derive(Clone, Debug, Default)]
pub struct NewCompetition {
    pub slug: String,
    pub train: Option<PathBuf>,
    pub test: Option<PathBuf>,
    pub sample: Option<PathBuf>,
    /// Files with further rows, which train in every fold.
    pub extra_train: Vec<PathBuf>,
    /// A folder with a Kaggle download, instead of the three.
    pub dir: Option<PathBuf>,
    /// A Kaggle download as it is, instead of the three.
    pub zip: Option<PathBuf>,
    pub solution: Option<PathBuf>,
    pub title: Option<String>,
    pub id: Option<String>,
    pub targets: Option<Vec<String>>,
    pub task: Option<String>,
    pub metric: Option<String>,
    pub scheme: Option<String>,
    pub n_folds: Option<usize>,
    /// A column, or `column:separator` for the part up to the separator.
    pub group: Option<String>,
    pub time: Option<String>,
    pub weight: Option<String>,
    pub positive: Option<String>,
    pub drop: Vec<String>,
    /// (column, type).
    pub types: Vec<(String, String)>,
    /// Spellings of a missing value in every column.
    pub missing: Vec<String>,
    pub tensor: Option<Vec<usize>>,
    pub encoding: Option<String>,
}

/// A competition worked out, not yet written.
pub struct Guess {
    pub slug: String,
    /// What was found and why it was decided so, for people.
    pub notes: Vec<String>,
    pub config: Config,
    files: Files,
}

/// A table with what its columns hold.
struct Sheet {
    header: Vec<String>,
    n_rows: usize,
    columns: Vec<Draft>,
}

impl Sheet {
    /// Columns named in `as_words` are read byte for byte.
    fn read(place: Place, missing: &[String], as_words: &[&str]) -> Result<Sheet> {
        let plan = |name: &str| {
            let hold = if as_words.contains(&name) { Hold::Words } else { Hold::Either };
            Plan { hold, missing: missing.to_vec() }
        };
        let drafts = reader::read(place, plan)?;
        Ok(Sheet { header: drafts.header, n_rows: drafts.n_rows, columns: drafts.columns })
    }

    fn column(&self, name: &str) -> Option<&Draft> {
        self.header.iter().position(|column| column == name).map(|position| &self.columns[position])
    }

    fn has(&self, name: &str) -> bool {
        self.header.iter().any(|column| column == name)
    }
}

/// The three tables.
struct Sheets {
    train: Sheet,
    test: Option<Sheet>,
    sample: Option<Sheet>,
}

/// What was found out about the target.
struct Found {
    targets: Vec<String>,
    task: Task,
    metric: String,
}

/// # Errors
/// When a file cannot be read, or what it holds cannot be a competition: says which flag would settle it.
pub fn guess(request: &NewCompetition, registry: &Registry) -> Result<Guess> {
    check_slug(&request.slug)?;
    let files = Files::find(request)?;
    let encoding = match request.encoding.as_deref() {
        None | Some("utf8") => Encoding::Utf8,
        Some("latin1") => Encoding::Latin1,
        Some(other) => return Err(Error::usage(format!("`{other}` is no encoding")).help("utf8 or latin1")),
    };
    let header = |path: &PathBuf| reader::header(Place { path, entry: None, encoding });
    let train_header = header(&files.train)?;
    let test_header = files.test.as_ref().map(header).transpose()?;
    let sample_header = files.sample.as_ref().map(header).transpose()?;
    let id = target::id(request, &files, &train_header, test_header.as_deref(), sample_header.as_deref())?;
    let words: Vec<&str> = id.as_deref().into_iter().collect();
    let read = |path: &PathBuf| Sheet::read(Place { path, entry: None, encoding }, &request.missing, &words);
    let sheets = Sheets {
        train: read(&files.train)?,
        test: files.test.as_ref().map(read).transpose()?,
        sample: files.sample.as_ref().map(read).transpose()?,
    };
    if sheets.train.n_rows == 0 {
        return Err(Error::data("there are no rows to learn from").file(&files.train));
    }
    let mut notes = Vec::new();
    if !files.others.is_empty() {
        notes.push(format!("tables that are not used: {}", columns::some_of(&files.others)));
    }
    if let Some(id) = &id {
        target::check_sample(&files, &sheets, id)?;
        notes.extend(target::id_notes(&sheets, id));
    }
    let found = target::find(request, registry, &files, &sheets, id.as_deref(), &mut notes)?;
    let folds = folds::find(request, &sheets, &files, id.as_deref(), &found, &mut notes)?;
    let missing = columns::missing_spellings(&sheets, &found.targets, id.as_deref());
    notes.extend(missing.iter().map(|(column, spellings)| {
        format!("`{column}` is numeric, and {} spells its missing values", spellings.join(", "))
    }));
    notes.extend(columns::oddities(&sheets, &found.targets, id.as_deref()));
    let config = Config {
        version: FORMAT_VERSION,
        title: Some(request.title.clone().unwrap_or_else(|| request.slug.clone())),
        task: found.task,
        id,
        target: match found.targets.as_slice() {
            [target] => Names::One(target.clone()),
            targets => Names::Several(targets.to_vec()),
        },
        positive: request.positive.clone(),
        target_scale: Scale::Auto,
        encoding,
        missing: request.missing.clone(),
        drop: request.drop.clone(),
        weight: request.weight.clone(),
        query: None,
        tensor: request.tensor.clone(),
        extra_train: files.extra_config()?,
        files: files.config()?,
        metric: MetricConfig { name: found.metric, thresholds: true, settings: BTreeMap::new() },
        folds,
        columns: column_configs(request, missing)?,
        features: BTreeMap::new(),
        submission: SubmissionConfig::default(),
    };
    Ok(Guess { slug: request.slug.clone(), notes, config, files })
}

impl Guess {
    /// Writes the competition's folder, and returns it loaded.
    ///
    /// # Errors
    /// When the folder exists, cannot be written, or what it holds does not load: then nothing is left behind.
    pub fn write(&self, competitions: &Path, registry: &Registry) -> Result<Competition> {
        let folder = competitions.join(&self.slug);
        if folder.exists() {
            let error = Error::usage("this competition is there already").file(&folder);
            return Err(error.help("nothing was overwritten; choose another name"));
        }
        let io = |error: std::io::Error| Error::io(competitions, &error);
        let draft = tempfile::Builder::new().prefix(".new-").tempdir_in(competitions).map_err(io)?;
        let inside = draft.path().join(&self.slug);
        std::fs::create_dir(&inside).map_err(io)?;
        self.files.copy_to(&inside)?;
        let text = toml::to_string(&self.config).map_err(|error| Error::unexpected(error.to_string()))?;
        let text = format!(
            "# Written by `medalist new competition`, and yours to correct. docs/competition-format.md of medalist lists every key.\n# Columns made of others are lines of [features], such as Deck = 'split(Cabin, \"/\", 1)': docs/features.md.\n{text}"
        );
        let file = inside.join(FILE_NAME);
        std::fs::write(&file, text).map_err(|error| Error::io(&file, &error))?;
        let tried = Competition::load(&inside, registry).and_then(|competition| {
            competition.metric(registry)?;
            competition.folds(None)
        });
        // Its folder is gone when the user reads this.
        tried.map_err(|error| Error {
            file: error.file.map(|file| file.strip_prefix(&inside).map(Path::to_path_buf).unwrap_or(file)),
            ..error
        })?;
        std::fs::rename(&inside, &folder).map_err(io)?;
        Competition::load(&folder, registry)
    }
}

fn column_configs(
    request: &NewCompetition,
    missing: BTreeMap<String, Vec<String>>,
) -> Result<BTreeMap<String, ColumnConfig>> {
    let mut columns: BTreeMap<String, ColumnConfig> = BTreeMap::new();
    for (column, spellings) in missing {
        columns.entry(column).or_default().missing = spellings;
    }
    let kinds = [ColumnType::Numeric, ColumnType::Boolean, ColumnType::Categorical, ColumnType::Date, ColumnType::Text];
    for (column, name) in &request.types {
        let kind = kinds.into_iter().find(|kind| kind.name() == name);
        let kind = kind.ok_or_else(|| {
            Error::usage(format!("`{name}` is no column type")).help("numeric, boolean, categorical, date or text")
        })?;
        columns.entry(column.clone()).or_default().kind = Some(kind);
    }
    Ok(columns)
}

fn check_slug(slug: &str) -> Result<()> {
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    if slug.is_empty() || slug.starts_with(['.', '-']) || slug.len() > 100 || !slug.chars().all(allowed) {
        let error = Error::usage(format!("`{slug}` cannot be a competition's name"));
        return Err(error.help("letters, digits, `-`, `_` and `.` make one"));
    }
    Ok(())
}

/// The tasks that a metric of this name scores.
fn tasks_of(registry: &Registry, metric: &str) -> Result<Vec<Task>> {
    Ok(registry.metric(metric)?.build(&Settings::default())?.tasks().to_vec())
}

/// # Errors
/// When the table has no such column: the nearest is named.
fn check_column(sheet: &Sheet, file: &Path, name: &str) -> Result<()> {
    if sheet.has(name) {
        return Ok(());
    }
    let error = Error::usage(format!("there is no column `{name}`")).file(file);
    if let [only] = sheet.header.as_slice()
        && let Some(separator) = only.chars().find(|letter| [';', '\t', '|'].contains(letter))
    {
        return Err(error.help(format!("its cells are separated by {separator:?}: write it with commas")));
    }
    Err(match crate::nearest(name, sheet.header.iter().map(String::as_str)) {
        Some(near) => error.help(format!("did you mean `{near}`?")),
        None => error.help(format!("it has {}", columns::some_of(&sheet.header))),
    })
}

/// A file's configuration: its name and checksum.
fn file_config(path: &Path) -> Result<FileConfig> {
    let sha256 = reader::digest(path)?.sha256;
    Ok(FileConfig { path: files::name(path), entry: None, sha256 })
}
