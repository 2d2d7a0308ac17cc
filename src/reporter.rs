//! What a running sweep shows: a live bar on a terminal, plain lines elsewhere; and the leaderboard files, rewritten as it goes.
//!
//! Reporters only listen to the runner's events. They may read the clock; nothing they do reaches a result.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use medalist_search::{Direction, Event, Reporter, Trial, TrialState};

use crate::leaderboard::{self, Row};

/// How much a reporter says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verbosity {
    Quiet,
    Normal,
    Verbose,
}

/// Plain lines between two of which this time passes, unless every trial has one.
const LINE_EVERY: Duration = Duration::from_secs(5);
/// The leaderboard files are rewritten at most this often, and once at the end.
const REWRITE_EVERY: Duration = Duration::from_secs(1);

/// Shows progress on stderr.
pub struct Progress {
    verbosity: Verbosity,
    direction: Direction,
    n_trials: Option<u64>,
    n_folds: usize,
    bar: ProgressBar,
    state: Mutex<State>,
}

struct State {
    started: Instant,
    deadline: Option<Instant>,
    last_line: Option<Instant>,
    n_done: u64,
    /// Trials that an earlier run had finished.
    n_before: u64,
    n_folds_done: u64,
    n_failed: u64,
    n_running: u64,
    best: Option<(f64, String)>,
}

impl Progress {
    /// `before`: the trials that an earlier run of the study had finished.
    pub fn new(
        verbosity: Verbosity,
        direction: Direction,
        n_trials: Option<u64>,
        n_folds: usize,
        time: Option<Duration>,
        before: &[Trial],
    ) -> Self {
        let bar = match verbosity {
            Verbosity::Quiet => ProgressBar::hidden(),
            _ if !std::io::stderr().is_terminal() => ProgressBar::hidden(),
            _ => ProgressBar::with_draw_target(n_trials, ProgressDrawTarget::stderr_with_hz(10)),
        };
        let template = match n_trials {
            Some(_) => "{bar:24.cyan/dim} {pos}/{len} trials  {msg}",
            None => "{spinner:.cyan} {pos} trials  {msg}",
        };
        bar.set_style(
            ProgressStyle::with_template(template).expect("the template is a constant").progress_chars("━╸─"),
        );
        if !bar.is_hidden() {
            bar.enable_steady_tick(Duration::from_millis(200));
        }
        let mut state = State {
            started: Instant::now(),
            deadline: time.map(|time| Instant::now() + time),
            last_line: None,
            n_done: 0,
            n_before: before.len() as u64,
            n_folds_done: 0,
            n_failed: 0,
            n_running: 0,
            best: None,
        };
        for trial in before {
            state.finish(trial, direction);
        }
        bar.set_position(state.n_done);
        Progress { verbosity, direction, n_trials, n_folds, bar, state: Mutex::new(state) }
    }

    /// Takes the bar off the screen.
    pub fn clear(&self) {
        self.bar.finish_and_clear();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn line(&self, text: &str) {
        if self.bar.is_hidden() {
            say(text);
        } else {
            self.bar.println(text);
        }
    }

    fn message(&self, state: &State) -> String {
        let best = match &state.best {
            Some((score, model)) => format!("best {} ({model})", leaderboard::short(*score)),
            None => "no score yet".to_string(),
        };
        let failed = if state.n_failed > 0 { format!(", {} failed", state.n_failed) } else { String::new() };
        let left = state.time_left(self.n_trials, self.n_folds);
        let left = left.map(|left| format!(", {} left", duration(left))).unwrap_or_default();
        format!("{best}, {} running{failed}{left}", state.n_running)
    }
}

impl State {
    fn finish(&mut self, trial: &Trial, direction: Direction) {
        self.n_done += 1;
        match (&trial.state, trial.score) {
            (TrialState::Failed { .. }, _) => self.n_failed += 1,
            (TrialState::Complete, Some(score))
                if self.best.as_ref().is_none_or(|(best, _)| direction.better(score, *best)) =>
            {
                let of_trial = || format!("trial {}", trial.number);
                self.best = Some((score, trial.params.text("model").map_or_else(|_| of_trial(), str::to_string)));
            }
            _ => {}
        }
    }

    /// The time to the deadline, or what the trials left would take at the pace so far, whichever is less.
    fn time_left(&self, n_trials: Option<u64>, n_folds: usize) -> Option<Duration> {
        let now = Instant::now();
        let to_deadline = self.deadline.map(|deadline| deadline.saturating_duration_since(now));
        let by_pace = n_trials.filter(|_| self.n_folds_done > 0).map(|n_trials| {
            let n_left = (n_trials.saturating_sub(self.n_before) * n_folds as u64).saturating_sub(self.n_folds_done);
            now.duration_since(self.started).mul_f64(n_left as f64 / self.n_folds_done as f64)
        });
        match (to_deadline, by_pace) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }
}

impl Reporter for Progress {
    fn report(&self, event: &Event) {
        let mut state = self.lock();
        match event {
            Event::FoldStarted { .. } => state.n_running += 1,
            Event::FoldFinished { .. } => {
                state.n_running = state.n_running.saturating_sub(1);
                state.n_folds_done += 1;
            }
            Event::TrialFinished { trial } => {
                state.finish(trial, self.direction);
                self.bar.set_position(state.n_done);
                if let TrialState::Failed { reason } = &trial.state
                    && self.verbosity != Verbosity::Quiet
                {
                    self.line(&format!("trial {} failed: {reason} ({})", trial.number, trial.params));
                } else if self.verbosity == Verbosity::Verbose {
                    let score = trial.score.map(leaderboard::short).unwrap_or_else(|| "pruned".to_string());
                    self.line(&format!("trial {}: {score}  {}", trial.number, trial.params));
                }
                let due = state.last_line.unwrap_or(state.started).elapsed() >= LINE_EVERY;
                if self.verbosity == Verbosity::Normal && self.bar.is_hidden() && due {
                    state.last_line = Some(Instant::now());
                    let of = self.n_trials.map(|n_trials| format!("/{n_trials}")).unwrap_or_default();
                    say(&format!("{}{of} trials, {}", state.n_done, self.message(&state)));
                }
            }
            _ => {}
        }
        if !self.bar.is_hidden() {
            self.bar.set_message(self.message(&state));
        }
    }
}

/// Rewrites `leaderboard.csv` and `leaderboard.md` as trials finish.
pub struct LeaderboardFiles<'a> {
    folder: PathBuf,
    direction: Direction,
    row: RowOf<'a>,
    written: Mutex<Written>,
}

/// Makes a finished trial's row.
type RowOf<'a> = Box<dyn Fn(&Trial) -> Option<Row> + Send + Sync + 'a>;

struct Written {
    rows: Vec<Row>,
    last: Option<Instant>,
}

impl<'a> LeaderboardFiles<'a> {
    /// `rows`: those of other studies and of earlier runs; `row` makes a finished trial's.
    pub fn new(
        folder: PathBuf,
        direction: Direction,
        rows: Vec<Row>,
        row: impl Fn(&Trial) -> Option<Row> + Send + Sync + 'a,
    ) -> Self {
        LeaderboardFiles { folder, direction, row: Box::new(row), written: Mutex::new(Written { rows, last: None }) }
    }
}

impl Reporter for LeaderboardFiles<'_> {
    fn report(&self, event: &Event) {
        let Event::TrialFinished { trial } = event else { return };
        let Some(row) = (self.row)(trial) else { return };
        let mut written = self.written.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        written.rows.push(row);
        if written.last.is_none_or(|last| last.elapsed() >= REWRITE_EVERY) {
            let rows = leaderboard::rank(written.rows.clone(), self.direction);
            // A sweep goes on where a leaderboard cannot be written; its end says so.
            let _ = leaderboard::write_files(&self.folder, &rows);
            written.last = Some(Instant::now());
        }
    }
}

/// Tells several reporters.
pub struct All<'a>(pub Vec<&'a dyn Reporter>);

impl Reporter for All<'_> {
    fn report(&self, event: &Event) {
        for reporter in &self.0 {
            reporter.report(event);
        }
    }
}

/// A line on stderr. A reader that has gone (`2>&1 | head`) is no error: what matters is stored.
pub fn say(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// `3.2s`, `1m05s`, `2h07m`.
pub fn duration(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..60 => format!("{:.1}s", time.as_secs_f64()),
        60..3600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h{:02}m", seconds / 3600, seconds / 60 % 60),
    }
}
