//! Prepared folds, shared by all trials that ask for the same preparation, and dropped when memory is wanted for others.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};

use medalist_search::Params;

use crate::error::Result;
use crate::model::InputKind;
use crate::prepare::Prepared;

/// What tells one preparation from another: the fold, the target that transforms may learn from, the kind of input, the transforms' parameters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PreparedKey {
    fold: usize,
    target: usize,
    input: InputKind,
    prep: String,
}

impl PreparedKey {
    pub fn new(fold: usize, target: usize, input: InputKind, prep: &Params) -> Self {
        PreparedKey { fold, target, input, prep: prep.to_string() }
    }
}

/// The cache: at most `memory` bytes of preparations that nobody uses are kept, the longest unused dropped first.
pub struct FoldCache {
    memory: u64,
    entries: Mutex<Entries>,
}

#[derive(Default)]
struct Entries {
    by_key: BTreeMap<PreparedKey, Entry>,
    clock: u64,
}

struct Entry {
    cell: Cell,
    used: u64,
}

type Cell = Arc<OnceLock<Result<Arc<Prepared>>>>;

impl FoldCache {
    pub fn new(memory: u64) -> Self {
        FoldCache { memory, entries: Mutex::default() }
    }

    /// The preparation of that key, computed once however many threads ask for it at the same time.
    ///
    /// # Errors
    /// Those of `prepare`, for everyone who asks: a preparation that fails once fails always, except that one that was interrupted is tried again.
    pub fn get(&self, key: PreparedKey, prepare: impl FnOnce() -> Result<Prepared>) -> Result<Arc<Prepared>> {
        let cell = {
            let mut entries = self.lock();
            entries.clock += 1;
            let used = entries.clock;
            let entry = entries.by_key.entry(key.clone()).or_insert_with(|| Entry { cell: Cell::default(), used });
            entry.used = used;
            entry.cell.clone()
        };
        let mut fresh = false;
        let prepared = cell
            .get_or_init(|| {
                fresh = true;
                prepare().map(Arc::new)
            })
            .clone();
        if fresh {
            match &prepared {
                Ok(_) => self.drop_unused(),
                Err(_) => drop(self.lock().by_key.remove(&key)),
            }
        }
        prepared
    }

    fn drop_unused(&self) {
        let mut entries = self.lock();
        loop {
            let held: u64 = entries.by_key.values().filter_map(|entry| Some(entry.prepared()?.memory)).sum();
            if held <= self.memory {
                return;
            }
            // One handle is the cell's own: nobody else has it.
            let unused = entries
                .by_key
                .iter()
                .filter(|(_, entry)| entry.prepared().is_some_and(|it| Arc::strong_count(it) == 1));
            let Some(key) = unused.min_by_key(|(_, entry)| entry.used).map(|(key, _)| key.clone()) else { return };
            entries.by_key.remove(&key);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Entry {
    fn prepared(&self) -> Option<&Arc<Prepared>> {
        self.cell.get().and_then(|prepared| prepared.as_ref().ok())
    }
}
