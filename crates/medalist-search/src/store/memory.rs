//! A store that ends with the process: for tests, and for searches that nobody will resume.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use super::{Attachment, Catalogue, Remark, Remarks, Store, check_same, unknown_study};
use crate::error::{Error, Result};
use crate::study::StudySpec;
use crate::trial::Trial;

/// Studies by name.
#[derive(Debug, Default)]
pub struct MemoryStore {
    studies: Mutex<BTreeMap<String, Study>>,
}

#[derive(Debug)]
struct Study {
    spec: StudySpec,
    attachments: BTreeMap<String, Vec<u8>>,
    trials: BTreeMap<u64, (Trial, Vec<Attachment>)>,
    remarks: BTreeMap<Option<u64>, Remarks>,
    archived: bool,
}

impl MemoryStore {
    pub fn new() -> Self {
        MemoryStore::default()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Study>> {
        // A panic elsewhere leaves whole entries: each change is one insertion.
        self.studies.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn with<T>(&self, study: &str, read: impl FnOnce(&mut Study) -> T) -> Result<T> {
        let mut studies = self.lock();
        match studies.get_mut(study) {
            Some(study) => Ok(read(study)),
            None => Err(unknown_study(study, studies.keys().map(String::as_str))),
        }
    }
}

impl Store for MemoryStore {
    fn put_study(&self, study: &StudySpec) -> Result<()> {
        let mut studies = self.lock();
        if let Some(stored) = studies.get_mut(&study.name) {
            check_same(&stored.spec, study)?;
            stored.spec.requested = study.requested.clone();
            return Ok(());
        }
        let (attachments, trials, remarks) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let new = Study { spec: study.clone(), attachments, trials, remarks, archived: false };
        studies.insert(study.name.clone(), new);
        Ok(())
    }

    fn studies(&self) -> Result<Vec<StudySpec>> {
        Ok(self.lock().values().map(|study| study.spec.clone()).collect())
    }

    fn put_trials(&self, study: &str, trials: &[(Trial, Vec<Attachment>)]) -> Result<()> {
        self.with(study, |study| {
            for (trial, attachments) in trials {
                study.trials.insert(trial.number, (trial.clone(), attachments.clone()));
            }
        })
    }

    fn trials(&self, study: &str) -> Result<Vec<Trial>> {
        self.with(study, |study| study.trials.values().map(|(trial, _)| trial.clone()).collect())
    }

    fn put_attachment(&self, study: &str, number: u64, attachment: &Attachment) -> Result<()> {
        let stored = self.with(study, |study| {
            let (_, attachments) = study.trials.get_mut(&number)?;
            attachments.retain(|other| other.name != attachment.name);
            attachments.push(attachment.clone());
            Some(())
        })?;
        stored.ok_or_else(|| Error::Store {
            path: "(memory)".into(),
            message: format!("study `{study}` has no trial {number}: store it before its attachments"),
        })
    }

    fn attachment(&self, study: &str, number: u64, name: &str) -> Result<Option<Vec<u8>>> {
        self.with(study, |study| {
            let (_, attachments) = study.trials.get(&number)?;
            attachments.iter().find(|attachment| attachment.name == name).map(|attachment| attachment.bytes.clone())
        })
    }

    fn put_study_attachment(&self, study: &str, attachment: &Attachment) -> Result<()> {
        self.with(study, |study| {
            study.attachments.insert(attachment.name.clone(), attachment.bytes.clone());
        })
    }

    fn study_attachment(&self, study: &str, name: &str) -> Result<Option<Vec<u8>>> {
        self.with(study, |study| study.attachments.get(name).cloned())
    }
}

impl Catalogue for MemoryStore {
    fn remark(&self, study: &str, number: Option<u64>, remark: &Remark) -> Result<()> {
        self.with(study, |study| {
            let remarks = study.remarks.entry(number).or_default();
            remarks.apply(remark);
            if remarks.is_empty() {
                study.remarks.remove(&number);
            }
        })
    }

    fn remarks(&self, study: &str) -> Result<BTreeMap<Option<u64>, Remarks>> {
        self.with(study, |study| study.remarks.clone())
    }

    fn set_archived(&self, study: &str, archived: bool) -> Result<()> {
        self.with(study, |study| study.archived = archived)
    }

    fn archived(&self) -> Result<Vec<String>> {
        let studies = self.lock();
        Ok(studies.iter().filter(|(_, study)| study.archived).map(|(name, _)| name.clone()).collect())
    }

    fn delete_study(&self, study: &str) -> Result<()> {
        let mut studies = self.lock();
        match studies.remove(study) {
            Some(_) => Ok(()),
            None => Err(unknown_study(study, studies.keys().map(String::as_str))),
        }
    }
}
