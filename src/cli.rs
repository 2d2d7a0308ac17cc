//! The command line: parses, wires, prints, chooses the exit code.
//!
//! stdout is data, stderr is everything else. A crate with models of its own calls [`main`] with a registry that holds them.

mod args;
mod ask_tell;
mod board;
mod catalogue;
mod check;
mod describe;
mod diff;
mod ensemble;
mod estimate;
mod folds;
mod insight;
mod metrics;
mod new;
mod optimize;
mod output;
mod plot;
mod predict;
mod predictions;
mod remarks;
mod rerun;
mod reserve;
mod run;
mod show;
mod studies;
mod submit;
mod sweep;
mod transforms;
mod trials;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};
use medalist_search::SqliteStore;

use crate::error::{Error, Kind, Result};
use crate::registry::Registry;
use crate::reporter;
use crate::workspace::Workspace;

use args::{Arguments, Command, Export, Global, New};
use output::Format;

/// Has blocks of a megabyte and more given back to the system as they are freed. Left to itself glibc learns to keep them, in pieces that nothing fits: under load a sweep with `--memory 64M` then held 97 MB beside its data, and 65 MB so.
fn give_memory_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: nothing else runs yet; the call sets one number of the allocator.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, 1 << 20);
    }
}

/// Runs the program on the process's arguments.
pub fn main(registry: Registry) -> ExitCode {
    // SAFETY: nothing else runs yet. polars reads this once, before its first use, and offers no other way to size its pool; our own pool does the work.
    unsafe { std::env::set_var("POLARS_MAX_THREADS", "1") };
    give_memory_back();
    quiet_worker_panics();
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return usage_error(&error),
    };
    let session = Session { registry, global: arguments.global, reported: AtomicBool::new(false) };
    match session.run(arguments.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            session.print_error(&error);
            ExitCode::from(error.kind.exit_code())
        }
    }
}

/// What every command needs.
struct Session {
    registry: Registry,
    global: Global,
    /// Set where what went wrong is already on stdout, in a document of its own.
    reported: AtomicBool,
}

impl Session {
    fn run(&self, command: Command) -> Result<()> {
        match command {
            Command::Sweep(args) => sweep::sweep(self, &args),
            Command::Resume(args) => sweep::resume(self, &args),
            Command::New(New::Competition(args)) => new::competition(self, &args),
            Command::New(New::Model(args)) => new::model(self, &args),
            Command::New(New::Metric(args)) => new::metric(self, &args),
            Command::New(New::Transform(args)) => new::transform(self, &args),
            Command::Init(args) => new::init(self, &args),
            Command::Show(args) => show::show(self, &args),
            Command::Models(args) => catalogue::models(self, &args),
            Command::Transforms(args) => transforms::transforms(self, &args),
            Command::Metrics => metrics::metrics(self),
            Command::Folds(args) => folds::folds(self, &args),
            Command::Export(Export::Folds(args)) => folds::export(self, &args),
            Command::Competitions => catalogue::competitions(self),
            Command::Leaderboard(args) => board::leaderboard(self, &args),
            Command::Studies(args) => studies::studies(self, &args),
            Command::Trials(args) => trials::trials(self, &args),
            Command::Diff(args) => diff::diff(self, &args),
            Command::Rerun(args) => rerun::rerun(self, &args),
            Command::Tag(args) => remarks::tag(self, &args),
            Command::Note(args) => remarks::note(self, &args),
            Command::Archive(args) => remarks::archive(self, &args),
            Command::Delete(args) => remarks::delete(self, &args),
            Command::Importance(args) => insight::importance_of(self, &args),
            Command::Outlook(args) => insight::outlook_of(self, &args),
            Command::Ensemble(args) => ensemble::ensemble(self, &args),
            Command::Estimate(args) => estimate::estimate(self, &args),
            Command::Compare(args) => estimate::compare(self, &args),
            Command::Submit(args) => submit::submit(self, &args),
            Command::Predict(args) => predict::predict(self, &args),
            Command::Predictions(args) => predictions::predictions(self, &args),
            Command::Validate(args) => submit::validate(self, &args),
            Command::Grade(args) => submit::grade(self, &args),
            Command::Optimize(args) => optimize::optimize(self, &args),
            Command::AskTell => ask_tell::ask_tell(),
            Command::Check(args) => check::check(self, &args),
            Command::Completions(args) => {
                let mut text = Vec::new();
                clap_complete::generate(args.shell, &mut Arguments::command(), "medalist", &mut text);
                output::print(&String::from_utf8_lossy(&text))
            }
        }
    }

    fn workspace(&self) -> Result<Workspace> {
        Workspace::find(self.global.workspace.as_deref(), &here()?)
    }

    /// The workspace, or the folder here where a program's studies were stored outside of any.
    fn store(&self) -> Result<SqliteStore> {
        self.home()?.store()
    }

    /// Where that store lies.
    fn home(&self) -> Result<Workspace> {
        Workspace::find_store(self.global.workspace.as_deref(), &here()?)
    }

    fn format(&self) -> Format {
        self.global.output.unwrap_or(Format::Table)
    }

    /// What went wrong is on stdout already.
    fn set_reported(&self) {
        self.reported.store(true, Ordering::Relaxed);
    }

    /// A line on stderr, unless `-q`.
    fn say(&self, line: impl AsRef<str>) {
        if !self.global.quiet {
            reporter::say(line.as_ref());
        }
    }

    /// A labelled line on stderr, broken between words where the terminal is narrower; not with `-q`.
    fn tell(&self, label: &str, text: impl AsRef<str>) {
        self.say(output::hanging(label, text.as_ref(), output::stderr_width()));
    }

    fn print_error(&self, error: &Error) {
        if self.reported.load(Ordering::Relaxed) {
            return;
        }
        if self.format() == Format::Json {
            // The reader may have gone; the exit code still says it.
            let _ = output::print(&format!("{}\n", error.to_json()));
        } else {
            reporter::say(&format!("{} {error}", output::paint(output::RED, "error:")));
        }
    }
}

fn here() -> Result<PathBuf> {
    std::env::current_dir().map_err(|error| Error::unexpected(error.to_string()))
}

/// clap's own errors, in the documented form and with the documented code.
fn usage_error(error: &clap::Error) -> ExitCode {
    let asked_for = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    let json = std::env::args().any(|arg| arg == "--output=json")
        || std::env::args().zip(std::env::args().skip(1)).any(|(flag, value)| flag == "--output" && value == "json");
    if json && !asked_for {
        let text = error.render().to_string();
        let message = text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_string();
        let error = Error::usage(message).help("see `medalist --help`");
        let _ = output::print(&format!("{}\n", error.to_json()));
    } else {
        let _ = error.print();
    }
    ExitCode::from(if asked_for { 0 } else { Kind::Usage.exit_code() })
}

/// A panic in a trial fails that trial, with its message as the reason: the hook's text would only tear the progress bar.
fn quiet_worker_panics() {
    let default = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let worker = std::thread::current().name().is_some_and(|name| name.starts_with(run::WORKER));
        if !worker {
            default(panic);
        }
    }));
}

/// The folder of the medalist sources that this binary was built from.
fn source_folder() -> PathBuf {
    PathBuf::from(env!("MEDALIST_SOURCE"))
}
