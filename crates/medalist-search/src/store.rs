//! Where studies, trials and what belongs to them are kept.

mod remarks;
mod memory;
mod sqlite;
mod lock;

use std::collections::BTreeMap;

pub use lock::StudyLock;
pub use memory::MemoryStore;
pub use remarks::{Remark, Remarks};
pub use sqlite::SqliteStore;

use crate::error::{Error, Result};
use crate::space::nearest;
use crate::study::StudySpec;
use crate::trial::Trial;

/// Bytes that belong to a trial (its out-of-fold predictions, say) or to a study (its folds).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Attachment {
    pub name: String,
    pub bytes: Vec<u8>,
}

/// Keeps studies and trials. Each method is atomic, and durable when it returns.
///
/// # Errors
/// Methods that name a study fail with [`Error::UnknownStudy`] when there is none of that name, and all with [`Error::Store`] when the store cannot be read or written.
pub trait Store: Send + Sync {
    /// Creates a study. Twice the same plan is fine: the first time of creation stays, what was requested is replaced.
    ///
    /// # Errors
    /// [`Error::StudyChanged`] when a study of this name has another plan.
    fn put_study(&self, study: &StudySpec) -> Result<()>;

    /// All studies, sorted by name.
    fn studies(&self) -> Result<Vec<StudySpec>>;

    /// Writes trials and their attachments, all or none. The last write of a number wins, and drops the attachments of the one before.
    fn put_trials(&self, study: &str, trials: &[(Trial, Vec<Attachment>)]) -> Result<()>;

    /// Sorted by number.
    fn trials(&self, study: &str) -> Result<Vec<Trial>>;

    /// Adds or replaces one attachment of a stored trial.
    fn put_attachment(&self, study: &str, number: u64, attachment: &Attachment) -> Result<()>;

    /// None when the trial has no attachment of that name.
    fn attachment(&self, study: &str, number: u64, name: &str) -> Result<Option<Vec<u8>>>;

    /// Adds or replaces bytes that belong to the study itself, whatever trials it has.
    fn put_study_attachment(&self, study: &str, attachment: &Attachment) -> Result<()>;

    /// None when the study itself has no attachment of that name.
    fn study_attachment(&self, study: &str, name: &str) -> Result<Option<Vec<u8>>>;
}

/// What people do with the studies of a store; no search needs it. Errors and durability as of [`Store`].
pub trait Catalogue: Store {
    /// Writes on a study, or on one of its trials, what people say of it. Trials may be written again: what is said of a number stays.
    fn remark(&self, study: &str, number: Option<u64>, remark: &Remark) -> Result<()>;

    /// What is said of a study, under none, and of those of its trials of which anything is.
    fn remarks(&self, study: &str) -> Result<BTreeMap<Option<u64>, Remarks>>;

    /// Sets a study aside, or brings it back: it stays as it is, and listings may leave it out.
    fn set_archived(&self, study: &str, archived: bool) -> Result<()>;

    /// The names of the studies set aside, sorted.
    fn archived(&self) -> Result<Vec<String>>;

    /// Deletes a study with all that belongs to it. Hold its [`StudyLock`].
    fn delete_study(&self, study: &str) -> Result<()>;
}

fn unknown_study<'a>(study: &str, known: impl Iterator<Item = &'a str>) -> Error {
    Error::UnknownStudy { study: study.to_string(), nearest: nearest(study, known) }
}

/// Nothing to do when the plans agree.
fn check_same(stored: &StudySpec, new: &StudySpec) -> Result<()> {
    let differences = stored.difference(new);
    if differences.is_empty() {
        return Ok(());
    }
    Err(Error::StudyChanged { study: new.name.clone(), differences })
}
