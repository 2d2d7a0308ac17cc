//! What people say of studies and trials: it is no part of a plan or a result, and nothing that searches reads it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// All that is said of a study or a trial.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Remarks {
    pub tags: BTreeSet<String>,
    pub note: Option<String>,
}

/// One change of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Remark {
    Tag(String),
    /// Takes a tag off, where it is there.
    Untag(String),
    /// In place of the note before; none takes it off.
    Note(Option<String>),
}

impl Remarks {
    pub fn is_empty(&self) -> bool {
        *self == Remarks::default()
    }

    pub(super) fn apply(&mut self, remark: &Remark) {
        match remark {
            Remark::Tag(tag) => drop(self.tags.insert(tag.clone())),
            Remark::Untag(tag) => drop(self.tags.remove(tag)),
            Remark::Note(note) => self.note.clone_from(note),
        }
    }
}
