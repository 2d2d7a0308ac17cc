//! A request to stop, cheap to clone and to read: a flag and, optionally, a deadline.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Read before a trial, before a fold, and in a model's long loop.
#[derive(Clone, Debug, Default)]
pub struct Cancel {
    flag: Arc<AtomicBool>,
    parent: Option<Arc<Cancel>>,
    deadline: Option<Instant>,
    /// Nanoseconds by which the deadline comes earlier.
    reserve: Option<Arc<AtomicU64>>,
}

impl Cancel {
    pub fn new() -> Self {
        Cancel::default()
    }

    /// The same flag, and a deadline: the earlier one where there is one already.
    pub fn with_deadline(&self, deadline: Instant) -> Self {
        let deadline = self.deadline.map_or(deadline, |earlier| earlier.min(deadline));
        Cancel { deadline: Some(deadline), ..self.clone() }
    }

    /// The same, over this many nanoseconds before its deadline, which are kept for what comes after: they may change while the work goes on.
    pub fn with_reserve(&self, nanoseconds: Arc<AtomicU64>) -> Self {
        Cancel { reserve: Some(nanoseconds), ..self.clone() }
    }

    /// A token that is cancelled with this one, and can be cancelled without it.
    pub fn child(&self) -> Self {
        Cancel { flag: Arc::default(), parent: Some(Arc::new(self.clone())), deadline: None, reserve: None }
    }

    fn end(&self) -> Option<Instant> {
        let reserve = self.reserve.as_ref().map_or(0, |nanoseconds| nanoseconds.load(Ordering::Relaxed));
        self.deadline.map(|deadline| deadline.checked_sub(Duration::from_nanos(reserve)).unwrap_or(deadline))
    }

    /// Asks all that hold a clone of this token to stop.
    pub fn cancel(&self) {
        self.flag.store(true, Ordering::Relaxed);
    }

    /// True once [`Cancel::cancel`] was called, or the deadline has passed.
    pub fn is_cancelled(&self) -> bool {
        self.flag.load(Ordering::Relaxed)
            || self.end().is_some_and(|end| Instant::now() >= end)
            || self.parent.as_ref().is_some_and(|parent| parent.is_cancelled())
    }

    /// The time to the deadline (zero once it has passed); none without a deadline.
    pub fn remaining(&self) -> Option<Duration> {
        let own = self.end().map(|end| end.saturating_duration_since(Instant::now()));
        let inherited = self.parent.as_ref().and_then(|parent| parent.remaining());
        own.into_iter().chain(inherited).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clone_with_a_deadline_shares_the_flag() {
        let cancel = Cancel::new();
        let timed = cancel.with_deadline(Instant::now() + Duration::from_secs(3600));
        assert!(!timed.is_cancelled());
        cancel.cancel();
        assert!(timed.is_cancelled());
    }

    #[test]
    fn a_child_stops_with_its_parent_but_not_its_parent_with_it() {
        let parent = Cancel::new().with_deadline(Instant::now() + Duration::from_secs(3600));
        let child = parent.child();
        assert!(child.remaining().is_some());
        child.cancel();
        assert!(!parent.is_cancelled());
        let other = parent.child();
        parent.cancel();
        assert!(other.is_cancelled());
    }

    #[test]
    fn what_is_held_back_ends_it_earlier_and_may_change() {
        let held = Arc::new(AtomicU64::new(0));
        let cancel = Cancel::new().with_deadline(Instant::now() + Duration::from_secs(60)).with_reserve(held.clone());
        let child = cancel.child();
        assert!(!child.is_cancelled());
        held.store(61_000_000_000, Ordering::Relaxed);
        assert!(child.is_cancelled() && cancel.remaining() == Some(Duration::ZERO));
        held.store(10_000_000_000, Ordering::Relaxed);
        assert!(!child.is_cancelled() && child.remaining().is_some_and(|left| left < Duration::from_secs(51)));
    }

    #[test]
    fn a_deadline_in_the_past_is_over() {
        let cancel = Cancel::new().with_deadline(Instant::now());
        assert!(cancel.is_cancelled());
        assert_eq!(cancel.remaining(), Some(Duration::ZERO));
    }
}
