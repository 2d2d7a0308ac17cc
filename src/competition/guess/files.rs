//! Which file is which: by flag, or by the names that Kaggle gives them.

use std::io;
use std::path::{Path, PathBuf};

use super::{NewCompetition, file_config};
use crate::competition::config;
use crate::error::{Error, Result};
use crate::reader::zip_entries;

/// The competition's files where they lie now.
pub struct Files {
    pub train: PathBuf,
    pub test: Option<PathBuf>,
    pub sample: Option<PathBuf>,
    pub solution: Option<PathBuf>,
    /// With further rows to learn from.
    pub extra_train: Vec<PathBuf>,
    /// Tables that were found and are not used.
    pub others: Vec<String>,
    /// Holds what was taken out of a zip until it is copied.
    _unpacked: Option<tempfile::TempDir>,
}

impl Files {
    /// # Errors
    /// When there is no training file, or several could be it.
    pub fn find(request: &NewCompetition) -> Result<Files> {
        if let Some(zip) = &request.zip {
            return Files::in_zip(zip, request);
        }
        if let Some(dir) = &request.dir {
            if let Some(files) = Files::in_folder(dir, request)? {
                return Ok(files);
            }
            // The download itself, not yet unpacked?
            let zips: Vec<PathBuf> = list(dir)?.into_iter().filter(|path| has_end(path, ".zip")).collect();
            return match zips.as_slice() {
                [zip] => Files::in_zip(zip, request),
                _ => Err(Error::data("no file here looks like the training data")
                    .file(dir)
                    .help("name it with `--train FILE`")),
            };
        }
        let train = request.train.clone();
        let train = train
            .ok_or_else(|| Error::usage("no training file").help("`--train FILE`, `--dir FOLDER` or `--zip FILE`"))?;
        Ok(Files {
            train,
            test: request.test.clone(),
            sample: request.sample.clone(),
            solution: request.solution.clone(),
            extra_train: request.extra_train.clone(),
            others: Vec::new(),
            _unpacked: None,
        })
    }

    fn in_zip(zip: &Path, request: &NewCompetition) -> Result<Files> {
        let unpacked = tempfile::tempdir().map_err(|error| Error::unexpected(error.to_string()))?;
        let file = std::fs::File::open(zip).map_err(|error| Error::io(zip, &error))?;
        let broken = |error: String| Error::data(format!("cannot read the zip: {error}")).file(zip);
        let mut archive = zip::ZipArchive::new(io::BufReader::new(file)).map_err(|error| broken(error.to_string()))?;
        for name in zip_entries(zip)?.into_iter().chain(inner_zips(&archive)) {
            // The last part alone: an entry's folders must not lead anywhere.
            let Some(last) = Path::new(&name).file_name() else { continue };
            let to = unpacked.path().join(last);
            let mut entry = archive.by_name(&name).map_err(|error| broken(error.to_string()))?;
            let mut out = std::fs::File::create(&to).map_err(|error| Error::io(&to, &error))?;
            io::copy(&mut entry, &mut out).map_err(|error| broken(format!("`{name}`: {error}")))?;
        }
        let found = Files::in_folder(unpacked.path(), request)?;
        let files = found.ok_or_else(|| Error::data("no file in the zip looks like the training data").file(zip))?;
        Ok(Files { _unpacked: Some(unpacked), ..files })
    }

    /// None when no file looks like the training data.
    fn in_folder(folder: &Path, request: &NewCompetition) -> Result<Option<Files>> {
        let tables: Vec<PathBuf> = list(folder)?.into_iter().filter(|path| is_table(path)).collect();
        let pick = |wanted: &dyn Fn(&str) -> bool| -> Result<Option<PathBuf>> {
            let mut found = tables.iter().filter(|path| wanted(&stem(path)));
            match (found.next(), found.next()) {
                (Some(first), Some(second)) => {
                    let message = format!("both {} and {} could be meant", name(first), name(second));
                    Err(Error::data(message)
                        .file(folder)
                        .help("name the files with `--train`, `--test` and `--sample`"))
                }
                (first, _) => Ok(first.cloned()),
            }
        };
        let is_sample = |stem: &str| stem.contains("sample") || stem.contains("submission");
        let either = |given: &Option<PathBuf>, word: &str| -> Result<Option<PathBuf>> {
            if given.is_some() {
                return Ok(given.clone());
            }
            match pick(&|stem| stem == word)? {
                Some(path) => Ok(Some(path)),
                None => pick(&|stem| stem.contains(word) && !is_sample(stem) && stem != "solution"),
            }
        };
        let Some(train) = either(&request.train, "train")? else { return Ok(None) };
        let test = either(&request.test, "test")?;
        let sample = match &request.sample {
            Some(path) => Some(path.clone()),
            None => match pick(&|stem| stem.contains("sample"))? {
                Some(path) => Some(path),
                None => pick(&is_sample)?,
            },
        };
        let solution = match &request.solution {
            Some(path) => Some(path.clone()),
            None => pick(&|stem| stem == "solution")?,
        };
        let used = [Some(&train), test.as_ref(), sample.as_ref(), solution.as_ref()];
        let extra_train = request.extra_train.clone();
        let is_other = |path: &&PathBuf| !used.contains(&Some(*path)) && !extra_train.contains(path);
        let others = tables.iter().filter(is_other).map(|path| name(path)).collect();
        Ok(Some(Files { train, test, sample, solution, extra_train, others, _unpacked: None }))
    }

    /// The files as competition.toml names them.
    ///
    /// # Errors
    /// When one cannot be read for its checksum.
    pub fn config(&self) -> Result<config::Files> {
        Ok(config::Files {
            train: file_config(&self.train)?,
            test: self.test.as_deref().map(file_config).transpose()?,
            sample: self.sample.as_deref().map(file_config).transpose()?,
        })
    }

    /// The further files as competition.toml names them.
    ///
    /// # Errors
    /// When one cannot be read for its checksum.
    pub fn extra_config(&self) -> Result<Vec<config::ExtraFile>> {
        self.extra_train.iter().map(|path| file_config(path).map(config::ExtraFile::File)).collect()
    }

    /// Copies the files as they are.
    ///
    /// # Errors
    /// When one cannot be read or written, or two have one name.
    pub fn copy_to(&self, folder: &Path) -> Result<()> {
        let tables = [Some(&self.train), self.test.as_ref(), self.sample.as_ref()];
        let tables = tables.into_iter().flatten().chain(&self.extra_train).map(|path| (path, name(path)));
        let solution = self.solution.as_ref().map(|path| (path, "solution.csv".to_string()));
        for (from, to) in tables.chain(solution) {
            let to = folder.join(to);
            if to.exists() {
                return Err(Error::usage("two of the files have this name").file(from).help("rename one of them"));
            }
            std::fs::copy(from, &to).map_err(|error| Error::io(from, &error))?;
        }
        Ok(())
    }
}

/// A file's name without its folder.
pub fn name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

fn list(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).map_err(|error| Error::io(folder, &error))?;
    let paths = entries.filter_map(|entry| entry.ok()).map(|entry| entry.path());
    let mut files: Vec<PathBuf> = paths.filter(|path| path.is_file()).collect();
    files.sort();
    Ok(files)
}

fn has_end(path: &Path, end: &str) -> bool {
    name(path).to_lowercase().ends_with(end)
}

fn is_table(path: &Path) -> bool {
    [".csv", ".csv.gz", ".csv.zip"].iter().any(|end| has_end(path, end))
}

/// `train` of `Train.csv.zip`.
fn stem(path: &Path) -> String {
    let name = name(path).to_lowercase();
    name.split(".csv").next().unwrap_or_default().to_string()
}

fn inner_zips<R: io::Read + io::Seek>(archive: &zip::ZipArchive<R>) -> Vec<String> {
    let names = archive.file_names().filter(|name| name.to_lowercase().ends_with(".csv.zip"));
    let mut names: Vec<String> = names.map(str::to_string).collect();
    names.sort();
    names
}
