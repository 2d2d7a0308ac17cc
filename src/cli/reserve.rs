//! What `--time` holds back of a search for what a sweep does after it: the mixing, the last fits and the submission.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use medalist_search::{Direction, Event, Reporter, Trial, TrialState};

/// Seconds that the fits under way take to end, and what is read and written.
const FIXED: f64 = 0.5;
/// Seconds that writing and leaving take.
const LEAVING: f64 = 0.1;
/// Measured times are of folds beside other folds; the last fits run alike, but for their share of luck.
const SAFETY: f64 = 1.25;
/// Of the best trials, so many may have to be fitted again.
const N_MEMBERS: usize = 10;
/// At most this share of the whole time is held back.
const MAX_SHARE: f64 = 0.5;

/// The end of a command that was given a time, and what must be left before it.
pub struct Reserve {
    end: Instant,
    time: Duration,
    direction: Direction,
    jobs: usize,
    /// Seconds that mixing takes; none where nothing is mixed.
    mixing: Option<f64>,
    /// Seconds that telling what the choice is worth takes.
    judging: f64,
    /// Scores and seconds of a fit on all rows, best first.
    best: Mutex<Vec<(f64, f64)>>,
    nanoseconds: Arc<AtomicU64>,
}

impl Reserve {
    pub fn new(
        end: Instant,
        time: Duration,
        direction: Direction,
        jobs: usize,
        mixing: Option<f64>,
        judging: f64,
    ) -> Reserve {
        let nanoseconds = Arc::new(AtomicU64::new((FIXED * 1e9) as u64));
        Reserve { end, time, direction, jobs, mixing, judging, best: Mutex::default(), nanoseconds }
    }

    /// Nanoseconds, which grow as trials tell what a fit takes.
    pub fn nanoseconds(&self) -> Arc<AtomicU64> {
        self.nanoseconds.clone()
    }

    pub fn end(&self) -> Instant {
        self.end
    }

    /// Whether this many seconds of work on all threads are left.
    pub fn has(&self, seconds: f64) -> bool {
        let left = self.end.saturating_duration_since(Instant::now()).as_secs_f64();
        seconds * SAFETY + LEAVING <= left
    }

    pub fn has_time_to_mix(&self) -> bool {
        self.mixing.is_none_or(|seconds| self.has(seconds))
    }

    pub fn has_time_to_judge(&self) -> bool {
        self.has(self.judging)
    }

    fn tell(&self, trial: &Trial) {
        let (TrialState::Complete, Some(score)) = (&trial.state, trial.score) else { return };
        let mut best = self.best.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let place = best.partition_point(|&(other, _)| !self.direction.better(score, other));
        best.insert(place, (score, fit_seconds(trial)));
        best.truncate(N_MEMBERS);
        let seconds = || best.iter().map(|(_, seconds)| *seconds);
        let longest = seconds().fold(0.0, f64::max);
        let last = match self.mixing {
            Some(mixing) => mixing + longest.max(seconds().sum::<f64>() / self.jobs as f64),
            None => longest,
        } + self.judging;
        let held = (FIXED + SAFETY * last).min(MAX_SHARE * self.time.as_secs_f64());
        self.nanoseconds.store((held * 1e9) as u64, Ordering::Relaxed);
    }
}

impl Reporter for Reserve {
    fn report(&self, event: &Event) {
        if let Event::TrialFinished { trial } = event {
            self.tell(trial);
        }
    }
}

/// What a fit on all rows is expected to take: a fold's mean time, for k / (k - 1) of its rows.
pub fn fit_seconds(trial: &Trial) -> f64 {
    let n_folds = trial.folds.len().max(2) as f64;
    trial.seconds / (n_folds - 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_back_follows_the_best_trials_and_is_bounded() {
        let time = Duration::from_secs(60);
        let reserve = Reserve::new(Instant::now() + time, time, Direction::Maximize, 2, Some(1.0), 0.0);
        let held = || reserve.nanoseconds().load(Ordering::Relaxed) as f64 / 1e9;
        assert_eq!(held(), FIXED);
        let fold = |fold| medalist_search::FoldScore { objective: 0, repeat: 0, fold, score: 0.5, seconds: 1.0 };
        let trial = |score: f64, seconds: f64| Trial {
            score: Some(score),
            seconds,
            folds: (0..5).map(fold).collect(),
            state: TrialState::Complete,
            number: 0,
            params: Default::default(),
            origin: medalist_search::Origin::Enqueued,
            others: Vec::new(),
            stages: None,
            steps: Vec::new(),
            created: String::new(),
            seen: Vec::new(),
        };
        reserve.report(&Event::TrialFinished { trial: &trial(0.5, 8.0) });
        // Five folds in 8 seconds: 2 for all rows, and a second of mixing.
        assert!((held() - (FIXED + SAFETY * 3.0)).abs() < 1e-6, "{}", held());
        for _ in 0..N_MEMBERS {
            reserve.report(&Event::TrialFinished { trial: &trial(0.9, 0.4) });
        }
        // The first is no longer among them: ten fits of 0.1 on two threads.
        assert!((held() - (FIXED + SAFETY * 1.5)).abs() < 1e-6, "{}", held());
        reserve.report(&Event::TrialFinished { trial: &trial(0.95, 1e6) });
        assert_eq!(held(), 30.0);
        assert!(reserve.has(1.0) && !reserve.has(1e3));
    }
}
