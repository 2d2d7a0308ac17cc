//! Where a submission came from: all that is needed to make it again, beside the file as JSON.

use std::io::Read;
use std::path::Path;
use std::time::SystemTime;

use chrono::{DateTime, SecondsFormat, Utc};
use medalist_search::study::StudySpec;
use medalist_search::{Params, Trial};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::file::{persist_durably, temporary};
use crate::competition::Competition;
use crate::ensemble::Share;
use crate::error::{Error, Result};

/// The version of the JSON form.
const VERSION: u32 = 1;

/// A submission's origin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Provenance {
    /// Of this format.
    pub version: u32,
    pub competition: String,
    /// Of the competition's data and settings.
    pub fingerprint: String,
    pub study: String,
    pub trial: u64,
    /// Which model predicted: "refit" or "average".
    pub how: String,
    pub params: Params,
    /// Of an ensemble: who is in it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<Share>,
    /// The study's.
    pub seed: u64,
    /// Mean over the folds.
    pub score: Option<f64>,
    /// The competition's data files.
    pub files: Vec<FileHash>,
    pub submission: FileHash,
    /// Of the program.
    pub medalist: String,
    /// RFC 3339, UTC.
    pub created: String,
}

/// A file and its checksum.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FileHash {
    /// Without its folder.
    pub name: String,
    /// In hex.
    pub sha256: String,
}

impl Provenance {
    /// The origin of `submission`, a file just written for a trial.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn new(
        competition: &Competition,
        study: &StudySpec,
        trial: &Trial,
        how: &str,
        members: Vec<Share>,
        submission: &Path,
    ) -> Result<Provenance> {
        let files =
            competition.files.iter().map(|file| FileHash { name: name(&file.path), sha256: file.sha256.clone() });
        Ok(Provenance {
            version: VERSION,
            competition: competition.slug.clone(),
            fingerprint: competition.fingerprint.clone(),
            study: study.name.clone(),
            trial: trial.number,
            how: how.to_string(),
            params: trial.params.clone(),
            members,
            seed: study.seed,
            score: trial.score,
            files: files.collect(),
            submission: FileHash { name: name(submission), sha256: sha256(submission)? },
            medalist: env!("CARGO_PKG_VERSION").to_string(),
            created: DateTime::<Utc>::from(SystemTime::now()).to_rfc3339_opts(SecondsFormat::Secs, true),
        })
    }
}

/// Writes the JSON atomically.
///
/// # Errors
/// When the folder cannot be written to.
pub fn write_provenance(path: &Path, provenance: &Provenance) -> Result<()> {
    let json = serde_json::to_string_pretty(provenance).map_err(|error| Error::unexpected(error.to_string()))?;
    persist_durably(temporary(path, (json + "\n").as_bytes())?, path)
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

fn sha256(path: &Path) -> Result<String> {
    let place = |error: std::io::Error| Error::io(path, &error);
    let mut file = std::fs::File::open(path).map_err(place)?;
    let (mut hash, mut block) = (Sha256::new(), vec![0; 1 << 16]);
    loop {
        match file.read(&mut block).map_err(place)? {
            0 => return Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()),
            n => hash.update(&block[..n]),
        }
    }
}
