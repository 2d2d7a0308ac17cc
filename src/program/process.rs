//! Child processes, each the head of a process group of its own, so that what it starts can be ended with it.

use std::collections::BTreeSet;
use std::io;
use std::process::{Child, Command, ExitStatus};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// Between being asked to end and being ended.
const GRACE: Duration = Duration::from_secs(5);
/// How often a child is looked at: at first so often, then more and more rarely.
const FIRST_LOOK: Duration = Duration::from_micros(500);
const LAST_LOOK: Duration = Duration::from_millis(20);

/// The children that run now.
#[derive(Debug, Default)]
pub struct Running(Mutex<Groups>);

#[derive(Debug, Default)]
struct Groups {
    ids: BTreeSet<u32>,
    /// Nothing may start any more.
    closed: bool,
}

/// How a child ended.
#[derive(Debug)]
pub enum Ended<W> {
    ByItself(ExitStatus),
    /// It was ended for this reason.
    Stopped(W),
    /// It was not started: the program is leaving.
    Closed,
}

impl Running {
    /// Starts a child and waits for its end. `why_stop` is asked again and again: a child for which it names a reason is asked to end, and 5 seconds later ended with all that it has started.
    ///
    /// # Errors
    /// When it cannot be started or waited for.
    pub fn run<W>(&self, mut command: Command, mut why_stop: impl FnMut() -> Option<W>) -> io::Result<Ended<W>> {
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut child = {
            let mut groups = self.lock();
            if groups.closed {
                return Ok(Ended::Closed);
            }
            let child = command.spawn()?;
            groups.ids.insert(child.id());
            child
        };
        let ended = wait(&mut child, &mut why_stop);
        self.lock().ids.remove(&child.id());
        ended
    }

    /// Ends all children at once, and lets no other begin.
    pub fn kill_all(&self) {
        let mut groups = self.lock();
        groups.closed = true;
        groups.ids.iter().for_each(|id| signal(*id, Signal::Kill));
    }

    fn lock(&self) -> MutexGuard<'_, Groups> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

fn wait<W>(child: &mut Child, why_stop: &mut impl FnMut() -> Option<W>) -> io::Result<Ended<W>> {
    let mut looks = looks();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Ended::ByItself(status));
        }
        if let Some(reason) = why_stop() {
            end(child)?;
            return Ok(Ended::Stopped(reason));
        }
        std::thread::sleep(looks.next().unwrap_or(LAST_LOOK));
    }
}

/// Asks a child to end, and ends its group when it has not ended in time, or has left others behind.
fn end(child: &mut Child) -> io::Result<()> {
    signal(child.id(), Signal::Terminate);
    let deadline = Instant::now() + GRACE;
    let mut looks = looks();
    while child.try_wait()?.is_none() && Instant::now() < deadline {
        std::thread::sleep(looks.next().unwrap_or(LAST_LOOK));
    }
    signal(child.id(), Signal::Kill);
    child.wait().map(|_| ())
}

fn looks() -> impl Iterator<Item = Duration> {
    std::iter::successors(Some(FIRST_LOOK), |look| Some((*look * 2).min(LAST_LOOK)))
}

#[derive(Clone, Copy, Debug)]
enum Signal {
    Terminate,
    Kill,
}

/// To a whole group; one that is no more is no fault.
#[cfg(unix)]
fn signal(group: u32, signal: Signal) {
    use nix::sys::signal::{Signal as Posix, killpg};
    let signal = match signal {
        Signal::Terminate => Posix::SIGTERM,
        Signal::Kill => Posix::SIGKILL,
    };
    let _ = killpg(nix::unistd::Pid::from_raw(group as i32), signal);
}

/// There are no groups here: the child alone is ended, by the system's own command.
#[cfg(not(unix))]
fn signal(child: u32, _signal: Signal) {
    let _ = Command::new("taskkill").args(["/F", "/T", "/PID", &child.to_string()]).status();
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_child_ends_by_itself_with_its_status() {
        let ended = Running::default().run(shell("exit 3"), || None::<()>).unwrap();
        assert!(matches!(ended, Ended::ByItself(status) if status.code() == Some(3)), "{ended:?}");
        assert!(Running::default().run(Command::new("/nonexistent/program"), || None::<()>).is_err());
    }

    #[test]
    fn a_child_that_is_stopped_ends_with_what_it_started() {
        let folder = tempfile::tempdir().unwrap();
        let alive = folder.path().join("alive");
        // The inner process would write when its parent has long gone.
        let script = format!("(sleep 1; echo > {}) & sleep 60", alive.display());
        let started = Instant::now();
        let ended = Running::default().run(shell(&script), || (started.elapsed().as_millis() > 100).then_some("slow"));
        assert!(matches!(ended, Ok(Ended::Stopped("slow"))), "{ended:?}");
        assert!(started.elapsed() < Duration::from_secs(20));
        std::thread::sleep(Duration::from_millis(1500));
        assert!(!alive.exists());
    }

    #[test]
    fn a_child_that_will_not_end_is_ended() {
        let script = "trap '' TERM; while true; do sleep 0.1; done";
        let started = Instant::now();
        let ended = Running::default().run(shell(script), || (started.elapsed().as_millis() > 300).then_some(()));
        assert!(matches!(ended, Ok(Ended::Stopped(()))), "{ended:?}");
    }

    #[test]
    fn after_all_are_killed_none_begins() {
        let running = Running::default();
        std::thread::scope(|scope| {
            let first = scope.spawn(|| running.run(shell("sleep 60"), || None::<()>));
            while running.lock().ids.is_empty() {
                std::thread::yield_now();
            }
            running.kill_all();
            assert!(matches!(first.join().unwrap(), Ok(Ended::ByItself(status)) if status.code().is_none()));
        });
        assert!(matches!(running.run(shell("true"), || None::<()>), Ok(Ended::Closed)));
    }
}
