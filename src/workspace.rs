//! The folder that holds `competitions/` and `submissions/`: where everything is found and written.

use std::path::{Path, PathBuf};

use medalist_search::SqliteStore;

use crate::competition::Competition;
use crate::error::{Error, Result};
use crate::registry::Registry;

/// A folder with `competitions/` and `submissions/`; the store lies in `.medalist/` below it.
#[derive(Clone, Debug)]
pub struct Workspace {
    pub root: PathBuf,
}

impl Workspace {
    /// The folder named, or the nearest one from `start` upwards that has `competitions/` and `submissions/`.
    ///
    /// # Errors
    /// When there is none: the help names `medalist init`.
    pub fn find(named: Option<&Path>, start: &Path) -> Result<Workspace> {
        let is_workspace = |folder: &Path| folder.join("competitions").is_dir() && folder.join("submissions").is_dir();
        if let Some(root) = named {
            if is_workspace(root) {
                return Ok(Workspace { root: root.to_path_buf() });
            }
            let error = Error::usage("this folder has no `competitions` and `submissions` folders").file(root);
            return Err(error.help(format!("`medalist init {}` makes them", root.display())));
        }
        match start.ancestors().find(|folder| is_workspace(folder)) {
            Some(root) => Ok(Workspace { root: root.to_path_buf() }),
            None => {
                Err(Error::usage("neither this folder nor one above it has `competitions` and `submissions` folders")
                    .file(start)
                    .help("`medalist init DIR` makes a workspace; `--workspace DIR` or MEDALIST_WORKSPACE names one"))
            }
        }
    }

    /// As [`Workspace::find`]; where none is named and there is none, `start` itself, for what needs no competition.
    ///
    /// # Errors
    /// When the folder named is no workspace.
    pub fn find_or_here(named: Option<&Path>, start: &Path) -> Result<Workspace> {
        match (Workspace::find(named, start), named) {
            (Err(_), None) => Ok(Workspace { root: start.to_path_buf() }),
            (found, _) => found,
        }
    }

    /// As [`Workspace::find`]; where there is none, `start` itself if a store lies there.
    ///
    /// # Errors
    /// When there is neither.
    pub fn find_store(named: Option<&Path>, start: &Path) -> Result<Workspace> {
        let here = Workspace { root: start.to_path_buf() };
        match Workspace::find(named, start) {
            Err(_) if named.is_none() && here.store_file().is_file() => Ok(here),
            found => found,
        }
    }

    /// Makes the folders of a workspace where they are not there yet.
    ///
    /// # Errors
    /// When a folder cannot be made.
    pub fn init(root: &Path) -> Result<Workspace> {
        for folder in ["competitions", "submissions"] {
            let folder = root.join(folder);
            std::fs::create_dir_all(&folder).map_err(|error| Error::io(&folder, &error))?;
        }
        Ok(Workspace { root: root.to_path_buf() })
    }

    pub fn competitions(&self) -> PathBuf {
        self.root.join("competitions")
    }

    /// Where a competition's leaderboards and submissions are written.
    pub fn submissions(&self, slug: &str) -> PathBuf {
        self.root.join("submissions").join(slug)
    }

    /// Where locks of running studies lie.
    pub fn locks(&self) -> PathBuf {
        self.root.join(".medalist").join("locks")
    }

    /// Where the output of the programs that a study runs is kept.
    pub fn logs(&self, study: &str) -> PathBuf {
        self.root.join(".medalist").join("logs").join(study)
    }

    fn store_file(&self) -> PathBuf {
        self.root.join(".medalist").join("store.db")
    }

    /// The slugs of all competitions, sorted.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn slugs(&self) -> Result<Vec<String>> {
        let folder = self.competitions();
        let entries = std::fs::read_dir(&folder).map_err(|error| Error::io(&folder, &error))?;
        let mut slugs: Vec<String> = entries
            .filter_map(|entry| entry.ok())
            .filter(|entry| entry.path().join("competition.toml").is_file())
            .filter_map(|entry| entry.file_name().into_string().ok())
            .collect();
        slugs.sort();
        Ok(slugs)
    }

    /// The folder of a competition.
    ///
    /// # Errors
    /// When there is none of that name: the nearest is named.
    pub fn competition_dir(&self, slug: &str) -> Result<PathBuf> {
        let slugs = self.slugs()?;
        if slugs.iter().any(|known| known == slug) {
            return Ok(self.competitions().join(slug));
        }
        let error = Error::usage(format!("there is no competition `{slug}`"));
        Err(match crate::nearest(slug, slugs.iter().map(String::as_str)) {
            Some(near) => error.help(format!("did you mean `{near}`?")),
            None => {
                error.help(format!("`medalist new competition {slug} --dir FOLDER` adds it from a Kaggle download"))
            }
        })
    }

    /// # Errors
    /// When there is no such competition, or its files are not what `competition.toml` says.
    pub fn load(&self, slug: &str, registry: &Registry) -> Result<Competition> {
        Competition::load(&self.competition_dir(slug)?, registry)
    }

    /// The workspace's store, made where it is not there yet.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn store(&self) -> Result<SqliteStore> {
        Ok(SqliteStore::open(self.store_file())?)
    }
}
