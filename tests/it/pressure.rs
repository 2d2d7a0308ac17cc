//! Sweeps that are stopped, or short of memory: what they leave behind is what an undisturbed one leaves.

#![cfg(unix)]

use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStderr, Command};
use std::time::{Duration, Instant};

use crate::support::{Ran, Workspace};

/// Some seconds of cheap trials.
const LONG: &str = "sweep penguins --models baseline,ridge,logistic,knn --trials 150 --folds 3 --seed 5 --study long";

/// A sweep with a line on stderr for each trial announced.
struct Talking {
    child: Child,
    lines: Lines<BufReader<ChildStderr>>,
}

impl Talking {
    fn start(workspace: &Workspace, arguments: &str) -> Talking {
        let mut child = workspace.start_talking(&format!("{arguments} --verbose"));
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        Talking { child, lines }
    }

    /// Reads on until `n` trials are announced; their numbers.
    fn announced(&mut self, n: usize) -> Vec<u64> {
        self.lines.by_ref().map_while(Result::ok).filter_map(|line| trial_number(&line)).take(n).collect()
    }

    fn interrupt(&self) {
        let sent = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// The exit code, and the numbers announced since.
    fn end(mut self) -> (Option<i32>, Vec<u64>) {
        let rest = self.announced(usize::MAX);
        (self.child.wait().unwrap().code(), rest)
    }
}

/// Of a line such as `trial 12: 0.034  model=ridge ...`.
fn trial_number(line: &str) -> Option<u64> {
    line.strip_prefix("trial ")?.split([':', ' ']).next()?.parse().ok()
}

fn stored(workspace: &Workspace) -> Vec<u64> {
    let trials = workspace.run("trials long --output json").ok().json();
    trials.as_array().unwrap().iter().map(|trial| trial["trial"].as_u64().unwrap()).collect()
}

#[test]
fn interrupted_once_it_writes_everything_and_a_resume_ends_as_if_nothing_had_been() {
    let whole = Workspace::with(&["penguins"]);
    whole.run(LONG).ok();
    let workspace = Workspace::with(&["penguins"]);
    let mut sweep = Talking::start(&workspace, LONG);
    let mut announced = sweep.announced(5);
    sweep.interrupt();
    let (code, rest) = sweep.end();
    announced.extend(rest);
    assert_eq!(code, Some(130));
    let stored = stored(&workspace);
    assert!(announced.iter().all(|number| stored.contains(number)), "{announced:?} but {stored:?}");
    assert!(stored.len() < 150, "it was over before it was interrupted");
    assert!(workspace.read("submissions/penguins/leaderboard.csv").lines().count() > 1);
    assert!(workspace.read("submissions/penguins/leaderboard.md").lines().count() > 2);
    let early = workspace.submissions("penguins");
    workspace.run("resume long").ok();
    // What was best when it was interrupted has a file of its own where it is not the best in the end.
    let best = whole.submissions("penguins");
    for file in early.iter().filter(|file| !best.iter().any(|best| best.file_name() == file.file_name())) {
        std::fs::remove_file(file).unwrap();
    }
    assert_eq!(workspace.results("penguins"), whole.results("penguins"));
}

#[test]
fn interrupted_twice_it_leaves_at_once_and_loses_nothing_announced() {
    let workspace = Workspace::with(&["digits-8x8"]);
    // Each fold of these takes seconds.
    let command = "sweep digits-8x8 --models knn,random_forest,gbdt --trials 200 --jobs 2 --study long";
    let mut sweep = Talking::start(&workspace, command);
    let mut announced = sweep.announced(1);
    sweep.interrupt();
    // Signals of one kind that come at one moment are one.
    std::thread::sleep(Duration::from_millis(200));
    let pressed = Instant::now();
    sweep.interrupt();
    let (code, rest) = sweep.end();
    announced.extend(rest);
    assert_eq!(code, Some(130));
    assert!(pressed.elapsed() < Duration::from_secs(10), "{:?}", pressed.elapsed());
    assert!(!announced.is_empty());
    let stored = stored(&workspace);
    assert!(announced.iter().all(|number| stored.contains(number)), "{announced:?} but {stored:?}");
    // The study is free, whole, and goes on.
    workspace.run(&format!("resume long --trials {} --no-submission", stored.len())).ok();
}

#[test]
fn a_reader_of_stderr_that_has_gone_stops_nothing() {
    let workspace = Workspace::with(&["penguins"]);
    let command = "sweep penguins --models ridge --trials 6 --folds 3 --study long --verbose";
    let mut child = workspace.start_talking(command);
    drop(child.stderr.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(stored(&workspace).len(), 6);
    let mut child = workspace.start_talking("show nothing");
    drop(child.stderr.take());
    assert_eq!(child.wait().unwrap().code(), Some(2));
}

/// The most memory that a run held at once, in bytes, read from the system while it ran.
fn with_peak(workspace: &Workspace, arguments: &str) -> (Ran, u64) {
    let mut child = workspace.start(arguments);
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    loop {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
        peak = peak.max(kilobytes.unwrap_or(0) * 1024);
        if let Some(code) = child.try_wait().unwrap() {
            let (stdout, stderr) = (String::new(), String::new());
            return (Ran { code: code.code().unwrap_or(-1), stdout, stderr }, peak);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_small_memory_changes_no_result_and_is_kept_to() {
    const N_ROWS: usize = 20_000;
    const N_COLUMNS: usize = 30;
    let sweep = "sweep wide --search random --models ridge --trials 16 --jobs 2 --no-submission";
    let limit = 64 << 20;
    let run = |memory: &str| {
        let workspace = Workspace::with(&[]);
        // Numbers without a pattern that a formula makes.
        let value = |row: usize, column: usize| (row * (2 * column + 3) * 7919 + column * 104_729) % 1009;
        let mut csv = (0..N_COLUMNS).map(|column| format!("x{column},")).collect::<String>() + "y\n";
        for row in 0..N_ROWS {
            (0..N_COLUMNS).for_each(|column| csv += &format!("{},", value(row, column)));
            csv += &format!("{}\n", value(row, 1) + value(row, 2) % 5);
        }
        workspace.write("train.csv", csv);
        workspace.run("new competition wide --train train.csv --target y --task regression --metric rmse").ok();
        let (_, loaded) = with_peak(&workspace, &format!("{sweep} --dry-run"));
        let (ran, peak) = with_peak(&workspace, &format!("{sweep} {memory}"));
        ran.ok();
        (workspace.read("submissions/wide/leaderboard.csv"), peak.saturating_sub(loaded))
    };
    let (board, free) = run("");
    let (limited_board, limited) = run("--memory 64M");
    let stable = crate::support::stable_columns;
    assert_eq!(stable(&limited_board), stable(&board));
    // What was freed is not all given back to the system: half as much again is the allocator's.
    assert!(limited < limit * 3 / 2, "{limited} bytes beside the data");
    assert!(free > 2 * limit, "{free} bytes without a limit, {limited} with one: nothing was pressed");
}
