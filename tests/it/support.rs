//! A workspace in a folder of its own, and the program run in it.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// What a run of the program gave.
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    #[track_caller]
    pub fn ok(self) -> Self {
        assert_eq!(self.code, 0, "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    #[track_caller]
    pub fn fails(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}:\n{}", self.stdout))
    }
}

/// A temporary workspace with some of the bundled competitions.
pub struct Workspace {
    folder: tempfile::TempDir,
}

impl Workspace {
    pub fn with(slugs: &[&str]) -> Workspace {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("submissions")).unwrap();
        for slug in slugs {
            copy_folder(&bundled(slug), &folder.path().join("competitions").join(slug));
        }
        std::fs::create_dir_all(folder.path().join("competitions")).unwrap();
        Workspace { folder }
    }

    pub fn path(&self, inside: &str) -> PathBuf {
        self.folder.path().join(inside)
    }

    pub fn read(&self, inside: &str) -> String {
        std::fs::read_to_string(self.path(inside)).unwrap_or_else(|error| panic!("{inside}: {error}"))
    }

    pub fn write(&self, inside: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(inside);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Runs the program here with arguments separated by blanks.
    pub fn run(&self, arguments: &str) -> Ran {
        self.run_with(arguments, &[])
    }

    /// The same with more arguments, which may hold blanks.
    pub fn run_with(&self, arguments: &str, more: &[&str]) -> Ran {
        let output = self.command(arguments).args(more).output().unwrap();
        Ran {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// The same in a locale, whatever the one around is.
    pub fn run_in_locale(&self, locale: &str, arguments: &str) -> Ran {
        let mut command = self.command(arguments);
        let output = command.env_remove("LC_CTYPE").env_remove("LANG").env("LC_ALL", locale).output().unwrap();
        Ran {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Starts the program here and leaves it running.
    pub fn start(&self, arguments: &str) -> Child {
        self.command(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    /// The same with its stderr to be read.
    pub fn start_talking(&self, arguments: &str) -> Child {
        self.command(arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
    }

    fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_medalist"));
        command.args(arguments.split_whitespace()).current_dir(self.folder.path());
        command.env_remove("MEDALIST_WORKSPACE").stdin(Stdio::null());
        command
    }

    /// The submissions that a sweep wrote for a competition, sorted.
    pub fn submissions(&self, slug: &str) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.path("submissions").join(slug)).unwrap();
        let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        files.retain(|file| file.extension().is_some_and(|end| end == "csv") && !file.ends_with("leaderboard.csv"));
        // What a killed process was writing lies beside them under a hidden name.
        files.retain(|file| !file.file_name().unwrap().to_string_lossy().starts_with('.'));
        files.sort();
        files
    }

    /// The leaderboard without the columns that may differ between two runs, and the submissions' bytes.
    pub fn results(&self, slug: &str) -> (Vec<Vec<String>>, Vec<Vec<u8>>) {
        let board = stable_columns(&self.read(&format!("submissions/{slug}/leaderboard.csv")));
        let files = self.submissions(slug).iter().map(|file| std::fs::read(file).unwrap()).collect();
        (board, files)
    }
}

/// A CSV's cells without the columns `created` and `*_seconds`. Parameters hold no quoted commas that matter here: cells are split as a reader would.
pub fn stable_columns(csv: &str) -> Vec<Vec<String>> {
    let rows: Vec<Vec<String>> = csv.lines().map(split_quoted).collect();
    let keep: Vec<bool> = rows[0].iter().map(|name| name != "created" && !name.ends_with("_seconds")).collect();
    let row =
        |row: &Vec<String>| row.iter().zip(&keep).filter(|(_, keep)| **keep).map(|(cell, _)| cell.clone()).collect();
    rows.iter().map(row).collect()
}

fn split_quoted(line: &str) -> Vec<String> {
    let (mut cells, mut cell, mut quoted) = (Vec::new(), String::new(), false);
    for letter in line.chars() {
        match letter {
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(std::mem::take(&mut cell)),
            letter => cell.push(letter),
        }
    }
    cells.push(cell);
    cells
}

pub fn bundled(slug: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("competitions").join(slug)
}

pub fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

/// The folder of real competitions, where the environment names one; says that the test skips where not.
pub fn real_data(test: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("MEDALIST_DATA").map(PathBuf::from);
    if folder.is_none() {
        eprintln!("{test}: skipped, MEDALIST_DATA is not set");
    }
    folder
}
