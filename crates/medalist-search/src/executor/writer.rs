//! The calling thread's work: it commits finished trials in groups, and announces each only after the commit.

use std::sync::mpsc::Receiver;

use rayon::Scope;

use super::Executor;
use crate::event::Event;
use crate::store::{Attachment, Store};
use crate::trial::Trial;

/// What tasks tell the writer.
pub enum Message {
    /// A finished trial, or in an asynchronous study one that was opened.
    Trial(Box<(Trial, Vec<Attachment>)>),
    /// No task is left, and none was started.
    Idle,
}

/// The most trials in one commit.
const MAX_BATCH: usize = 256;

impl Executor<'_> {
    /// Writes until nothing runs any more.
    pub(super) fn write<'s>(&'s self, scope: &Scope<'s>, store: &dyn Store, receiver: &Receiver<Message>) {
        let mut batch = Vec::new();
        // The channel cannot close while this executor holds its sender: `Idle` ends the loop.
        while let Ok(message) = receiver.recv() {
            let mut idle = false;
            let mut next = Some(message);
            while let Some(message) = next {
                match message {
                    Message::Trial(trial) => batch.push(*trial),
                    Message::Idle => idle = true,
                }
                next = if batch.len() < MAX_BATCH { receiver.try_recv().ok() } else { None };
            }
            let resume = self.commit(store, &mut batch);
            if idle || resume {
                self.advance(scope);
            }
            if idle && self.lock().is_idle() {
                break;
            }
        }
        // An `Idle` from before the last tasks were started may have overtaken their trials.
        for message in receiver.try_iter() {
            if let Message::Trial(trial) = message {
                batch.push(*trial);
            }
        }
        self.commit(store, &mut batch);
    }

    /// Returns whether trials that were held back for the store can now be opened.
    fn commit(&self, store: &dyn Store, batch: &mut Vec<(Trial, Vec<Attachment>)>) -> bool {
        if batch.is_empty() {
            return false;
        }
        // After an error nothing more is announced.
        let is_sound = self.lock().error.is_none();
        if is_sound {
            match store.put_trials(&self.study.name, batch) {
                Ok(()) => {
                    for (trial, _) in batch.iter().filter(|(trial, _)| trial.state.is_finished()) {
                        self.reporter.report(&Event::TrialFinished { trial });
                    }
                }
                Err(error) => self.fail(&mut self.lock(), error),
            }
        }
        let mut state = self.lock();
        state.n_unwritten -= batch.len();
        batch.clear();
        std::mem::take(&mut state.throttled)
    }
}
