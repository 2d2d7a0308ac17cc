//! Any program as an objective: run once for each fold of a trial, with the point as its arguments and in its environment.
//!
//! What it prints goes into files and is read from there: a process that it leaves behind with an open pipe cannot hold the search up.

mod process;
mod score;
mod steps;
mod template;

use std::fs::File;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use medalist_search::{FoldContext, FoldOutcome, Objective, SearchSpace, TrialError, TrialPoint};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::error::{Error, Result};

use process::Ended;
pub use process::Running;
use steps::Steps;
use template::{Filling, Template, fill_all};

/// Placeholders that are no parameters: see [`ProgramSpec::command`].
const PLACEHOLDERS: [&str; 6] = ["trial", "fold", "repeat", "seed", "params", "score_file"];

/// How a program is run and where its score is read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProgramSpec {
    /// The program and its arguments. `{NAME}` stands for a parameter; `{trial}`, `{fold}`, `{repeat}`, `{seed}`, `{params}` (the point as JSON) and `{score_file}` for what they say.
    pub command: Vec<String>,
    pub pass: Pass,
    /// The file that the program writes its score into, with the same placeholders; none where the last line of its stdout is the score.
    pub score_file: Option<String>,
    /// The longest that one run may take.
    pub trial_time: Option<Duration>,
    /// Runs of a trial that differ in `fold`, the program's to make sense of; at least 1.
    pub folds: usize,
    /// Runs of each fold that differ in their seed; at least 1.
    pub repeats: usize,
}

/// How a program is told the point; its environment holds it in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Pass {
    /// As `--NAME=VALUE` behind the command, unless a placeholder in it names a parameter
    #[default]
    Arguments,
    /// In the environment alone
    Environment,
}

impl ProgramSpec {
    /// Runs of one trial.
    pub fn n_runs(&self) -> usize {
        self.folds * self.repeats
    }

    /// What is optimised, as a study's plan has it: two studies of one name must agree in it.
    pub fn problem(&self) -> serde_json::Value {
        json!({
            "program": self.command,
            "parameters passed by": self.pass,
            "score": self.score_file.as_deref().unwrap_or("last line of stdout"),
            "seconds for a run": self.trial_time.map(|time| time.as_secs_f64()),
            "folds and repeats": [self.folds, self.repeats],
        })
    }
}

/// A program ready to run.
pub struct Program {
    spec: ProgramSpec,
    space: SearchSpace,
    words: Vec<Template>,
    score_file: Option<Template>,
    /// Where the output of each run is kept.
    logs: PathBuf,
    running: Arc<Running>,
}

/// Why a running program is ended.
enum Why {
    /// It took longer than a run may.
    Slow,
    /// The search's time is over: the trial runs again on resume.
    Over,
    /// By the steps that it has printed.
    Hopeless,
}

impl Program {
    /// `running` will hold the processes on their way; `logs` is made where it is not there yet.
    ///
    /// # Errors
    /// When two parameters would be the same environment variable, programs that run at once (`jobs`) would write the same score file, or the folder cannot be made.
    pub fn new(
        spec: ProgramSpec,
        space: SearchSpace,
        logs: PathBuf,
        running: Arc<Running>,
        jobs: usize,
    ) -> Result<Program> {
        let names: Vec<&str> = space.parameters().iter().map(|parameter| parameter.name.as_str()).collect();
        for (i, name) in names.iter().enumerate() {
            if let Some(other) = names[..i].iter().find(|other| variable(other) == variable(name)) {
                let both = format!("parameters `{other}` and `{name}` would both be {}", variable(name));
                return Err(Error::config(both).help("rename one"));
            }
        }
        let is_known = |name: &str| names.contains(&name) || PLACEHOLDERS.contains(&name);
        let words: Vec<Template> = spec.command.iter().map(|word| Template::new(word, is_known)).collect();
        let score_file = spec.score_file.as_deref().map(|file| Template::new(file, is_known));
        if let Some(file) = &score_file {
            let apart = |name: &str, needed: bool| !needed || file.names().any(|known| known == name);
            let missing =
                [("trial", jobs > 1), ("fold", jobs > 1 && spec.folds > 1), ("repeat", jobs > 1 && spec.repeats > 1)];
            if let Some((name, _)) = missing.iter().find(|(name, needed)| !apart(name, *needed)) {
                let message = "programs that run at the same time would write the same score file";
                return Err(Error::usage(message).help(format!("write `{{{name}}}` into its name, or use `--jobs 1`")));
            }
        }
        std::fs::create_dir_all(&logs).map_err(|error| Error::io(&logs, &error))?;
        Ok(Program { spec, space, words, score_file, logs, running })
    }

    fn run(&self, trial: &TrialPoint, run: usize, ctx: &FoldContext) -> Result<f64, TrialError> {
        let mut filling = self.filling(trial, run);
        let score_file = self.score_file.as_ref().and_then(|file| file.fill(&filling));
        filling.insert("score_file".to_string(), score_file.clone());
        if let Some(file) = &score_file {
            // The score of an earlier run must not be taken for this one's.
            match std::fs::remove_file(file) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(fatal(file, &error)),
                _ => {}
            }
        }
        let [stdout, stderr] = ["out", "err"].map(|end| self.log(trial.number, run, end));
        let command = self.command(&filling, &stdout, &stderr)?;
        let deadline = self.spec.trial_time.map(|time| Instant::now() + time);
        let mut steps = Steps::new(&stdout).map_err(|error| fatal(&stdout.to_string_lossy(), &error))?;
        let ended = self.running.run(command, || match deadline {
            _ if steps.report(ctx).is_break() => Some(Why::Hopeless),
            Some(deadline) if Instant::now() >= deadline => Some(Why::Slow),
            // Not `is_cancelled`: a first Ctrl-C lets running programs finish.
            _ => ctx.cancel().remaining().is_some_and(|left| left.is_zero()).then_some(Why::Over),
        });
        // What a quick program has printed counts as if it had been read while it ran.
        if let Ok(Ended::ByItself(_)) = &ended
            && steps.report_rest(ctx).is_break()
        {
            return Err(TrialError::Pruned);
        }
        match ended {
            Ok(Ended::ByItself(status)) if status.success() => {
                let called = score_file.as_deref().unwrap_or("stdout");
                let file = score_file.as_deref().map_or(stdout.as_path(), |file| file.as_ref());
                score::read_score(file, called).map_err(TrialError::Failed)
            }
            Ok(Ended::ByItself(status)) => {
                let words = score::last_words(&stderr);
                let said = if words.is_empty() { String::new() } else { format!(": {words}") };
                Err(TrialError::Failed(format!("{}{said}", how_it_ended(status))))
            }
            Ok(Ended::Stopped(Why::Slow)) => {
                let time = self.spec.trial_time.unwrap_or_default().as_secs_f64();
                Err(TrialError::Failed(format!("took longer than {time} s and was ended")))
            }
            Ok(Ended::Stopped(Why::Hopeless)) => Err(TrialError::Pruned),
            Ok(Ended::Stopped(Why::Over) | Ended::Closed) => Err(TrialError::Cancelled),
            // A program that is not there will not be there for the next trial.
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::PermissionDenied) => {
                Err(TrialError::Fatal(format!(
                    "cannot start `{}`: {error}; is it there, and may it be run (`chmod +x`)?",
                    self.spec.command[0]
                )))
            }
            Err(error) => Err(TrialError::Failed(format!("cannot start `{}`: {error}", self.spec.command[0]))),
        }
    }

    fn filling(&self, trial: &TrialPoint, run: usize) -> Filling {
        let (fold, repeat) = (run % self.spec.folds, run / self.spec.folds);
        let parameters = self.space.parameters().iter().map(|parameter| {
            let value = trial.params.get(&parameter.name).map(|value| value.to_string());
            (parameter.name.clone(), value)
        });
        let own = [
            ("trial", trial.number.to_string()),
            ("fold", fold.to_string()),
            ("repeat", repeat.to_string()),
            // Of 32 bits, which every library takes.
            ("seed", (trial.seed.child("program", run as u64).to_u64() >> 32).to_string()),
            ("params", trial.params.to_json()),
        ];
        // A parameter stands before a placeholder of its name.
        own.into_iter().map(|(name, value)| (name.to_string(), Some(value))).chain(parameters).collect()
    }

    fn command(&self, filling: &Filling, stdout: &PathBuf, stderr: &PathBuf) -> Result<Command, TrialError> {
        let mut words = fill_all(&self.words, filling);
        let is_parameter = |name: &str| name == "params" || self.space.get(name).is_some();
        if self.spec.pass == Pass::Arguments && !self.words.iter().flat_map(Template::names).any(is_parameter) {
            let active = self.space.parameters().iter().filter_map(|parameter| {
                let value = filling.get(&parameter.name)?.as_ref()?;
                Some(format!("--{}={value}", parameter.name))
            });
            words.extend(active);
        }
        let program = words.first().ok_or_else(|| TrialError::Failed("the command is empty".to_string()))?;
        let mut command = Command::new(program);
        command.args(&words[1..]);
        for parameter in self.space.parameters() {
            let name = variable(&parameter.name);
            match filling.get(&parameter.name).and_then(Option::as_ref) {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        for name in PLACEHOLDERS {
            let variable = format!("MEDALIST_{}", name.to_uppercase());
            match filling.get(name).and_then(Option::as_ref).filter(|_| self.space.get(name).is_none()) {
                Some(value) => command.env(variable, value),
                None => command.env_remove(variable),
            };
        }
        let open = |path: &PathBuf| File::create(path).map_err(|error| fatal(&path.to_string_lossy(), &error));
        command.stdin(Stdio::null()).stdout(open(stdout)?).stderr(open(stderr)?);
        Ok(command)
    }

    fn log(&self, trial: u64, run: usize, end: &str) -> PathBuf {
        let run = if self.spec.n_runs() > 1 { format!("-{run}") } else { String::new() };
        self.logs.join(format!("{trial}{run}.{end}"))
    }
}

impl Objective for Program {
    fn evaluate(&self, trials: &[TrialPoint], fold: usize, ctx: &FoldContext) -> Vec<Result<FoldOutcome, TrialError>> {
        trials.iter().map(|trial| self.run(trial, fold, ctx).map(FoldOutcome::score)).collect()
    }
}

/// `MEDALIST_PARAM_LR` for `lr`: what is no letter and no digit becomes `_`.
fn variable(parameter: &str) -> String {
    let letter = |letter: char| if letter.is_ascii_alphanumeric() { letter.to_ascii_uppercase() } else { '_' };
    format!("MEDALIST_PARAM_{}", parameter.chars().map(letter).collect::<String>())
}

fn how_it_ended(status: ExitStatus) -> String {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return format!("ended by signal {signal}");
    }
    match status.code() {
        Some(code) => format!("exit code {code}"),
        None => "ended without an exit code".to_string(),
    }
}

fn fatal(file: &str, error: &std::io::Error) -> TrialError {
    TrialError::Fatal(format!("{file}: {error}"))
}
