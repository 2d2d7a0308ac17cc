//! One process works on a study at a time.
//!
//! The lock belongs to the open file, so the system frees it when the process ends, however it ends.

use std::fs::{File, TryLockError, create_dir_all};
use std::io::{Read, Seek, Write};
use std::path::Path;

use crate::error::{Error, Result};

/// Held until dropped.
#[derive(Debug)]
pub struct StudyLock {
    _file: File,
}

impl StudyLock {
    /// Locks `study` by the file `<dir>/<study>.lock`, which then holds this process's id. The file stays: removing it could free a lock that another has just taken.
    ///
    /// # Errors
    /// [`Error::StudyBusy`] when another holds it; [`Error::Store`] when the file cannot be made, or the name is no file name.
    pub fn acquire(dir: &Path, study: &str) -> Result<StudyLock> {
        let path = dir.join(format!("{study}.lock"));
        let failed = |message: String| Error::Store { path: path.clone(), message };
        if study.is_empty() || study.contains(['/', '\\', '\0']) {
            return Err(failed(format!("`{study}` cannot be a study's name: it must be usable as a file name")));
        }
        let cannot = |doing: &str, error: std::io::Error| failed(format!("cannot {doing}: {error}"));
        create_dir_all(dir).map_err(|error| cannot("create its folder", error))?;
        let options = File::options().create(true).truncate(false).read(true).write(true).open(&path);
        let mut file = options.map_err(|error| cannot("open the lock", error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut pid = String::new();
                // Without the holder's id the message is poorer, and still right.
                let pid = file.read_to_string(&mut pid).ok().and_then(|_| pid.trim().parse().ok());
                return Err(Error::StudyBusy { study: study.to_string(), pid });
            }
            Err(TryLockError::Error(error)) => return Err(cannot("lock", error)),
        }
        let written =
            file.set_len(0).and_then(|()| file.rewind()).and_then(|()| write!(file, "{}", std::process::id()));
        written.map_err(|error| cannot("write the lock", error))?;
        Ok(StudyLock { _file: file })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_handle_learns_who_holds_the_lock() {
        let dir = tempfile::tempdir().unwrap();
        let held = StudyLock::acquire(dir.path(), "s").unwrap();
        let busy = StudyLock::acquire(dir.path(), "s").unwrap_err();
        assert_eq!(busy, Error::StudyBusy { study: "s".into(), pid: Some(std::process::id()) });
        StudyLock::acquire(dir.path(), "other").unwrap();
        drop(held);
        StudyLock::acquire(dir.path(), "s").unwrap();
    }

    #[test]
    fn a_name_that_leaves_the_folder_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        assert!(StudyLock::acquire(dir.path(), "../s").is_err());
    }
}
