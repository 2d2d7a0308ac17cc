//! Where studies, trials and what belongs to them are kept.

mod memory;
mod sqlite;
mod lock;

pub use lock::StudyLock;
pub use memory::MemoryStore;
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
