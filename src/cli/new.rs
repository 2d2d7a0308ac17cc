//! `new competition`, `new model`, `new metric`, `new transform`, `init`: what is written once and then lived in.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::args::{InitArgs, NewCompetitionArgs, NewMetricArgs, NewModelArgs, NewTransformArgs};
use super::output::{self, Format};
use super::{Session, describe, source_folder};
use crate::competition::guess::{self, NewCompetition};
use crate::error::{Error, Result};
use crate::workspace::Workspace;

pub fn init(session: &Session, args: &InitArgs) -> Result<()> {
    let workspace = Workspace::init(&args.dir)?;
    session.say(format!("{} is a workspace", workspace.root.display()));
    let cd = format!("cd {}", workspace.root.display());
    session.say(format!("next: {cd} && medalist new competition SLUG --dir FOLDER"));
    Ok(())
}

pub fn competition(session: &Session, args: &NewCompetitionArgs) -> Result<()> {
    let workspace = session.workspace()?;
    let request = NewCompetition {
        slug: args.slug.clone(),
        train: args.train.clone(),
        test: args.test.clone(),
        sample: args.sample.clone(),
        extra_train: args.extra_train.clone(),
        dir: args.dir.clone(),
        zip: args.zip.clone(),
        solution: args.solution.clone(),
        title: args.title.clone(),
        id: args.id.clone(),
        targets: args.target.clone(),
        task: args.task.clone(),
        metric: args.metric.clone(),
        scheme: args.scheme.clone(),
        n_folds: args.folds,
        group: args.group.clone(),
        time: args.time.clone(),
        weight: args.weight.clone(),
        positive: args.positive.clone(),
        drop: args.drop.clone(),
        types: args.types.clone(),
        missing: args.missing.clone(),
        tensor: args.tensor.clone(),
        encoding: args.encoding.clone(),
    };
    let guess = guess::guess(&request, &session.registry)?;
    let competition = guess.write(&workspace.competitions(), &session.registry)?;
    let file = competition.dir.join("competition.toml");
    let shown = file.strip_prefix(&workspace.root).unwrap_or(&file).display().to_string();
    if session.format() == Format::Json {
        let notes: Vec<&String> = guess.notes.iter().chain(&competition.notes).collect();
        output::print_json(&json!({
            "file": shown,
            "slug": args.slug,
            "task": competition.task.name(),
            "targets": competition.targets.iter().map(|target| target.name.clone()).collect::<Vec<_>>(),
            "id": competition.config.id,
            "metric": competition.config.metric.name,
            "notes": notes,
        }))?;
    } else {
        describe::summarise(session, &competition);
        for note in guess.notes.iter().chain(&competition.notes) {
            session.say(format!("note      {note}"));
        }
        output::print(&format!("{shown}\n"))?;
    }
    session.say(format!("next: look through {shown}, then medalist sweep {}", args.slug));
    Ok(())
}

pub fn model(session: &Session, args: &NewModelArgs) -> Result<()> {
    let taken = session.registry.model(&args.name).is_ok();
    MODEL.write(session, &args.name, taken)
}

pub fn metric(session: &Session, args: &NewMetricArgs) -> Result<()> {
    let taken = session.registry.metric(&args.name).is_ok();
    METRIC.write(session, &args.name, taken)
}

pub fn transform(session: &Session, args: &NewTransformArgs) -> Result<()> {
    let taken = session.registry.transform(&args.name).is_ok();
    TRANSFORM.write(session, &args.name, taken)
}

/// A kind of thing that is a file to be dropped in.
struct Kind {
    noun: &'static str,
    /// Of `src/` in a clone, of the workspace for a crate.
    folder: &'static str,
    /// The method of [`Registry`](crate::Registry) that adds one.
    with: &'static str,
    /// One that works as it is.
    template: &'static str,
    /// What is to be filled in, and the flags of a sweep that uses it.
    fill: &'static str,
    flags: &'static str,
}

const MODEL: Kind = Kind {
    noun: "model",
    folder: "models",
    with: "with",
    template: include_str!("model_template.rs.txt"),
    fill: "fit and predict",
    flags: "--models {name}",
};

const METRIC: Kind = Kind {
    noun: "metric",
    folder: "metrics",
    with: "with_metric",
    template: include_str!("metric_template.rs.txt"),
    fill: "score and the numbers of its test",
    flags: "(and name = \"{name}\" under [metric] of its competition.toml)",
};

const TRANSFORM: Kind = Kind {
    noun: "transform",
    folder: "transforms",
    with: "with_transform",
    template: include_str!("transform_template.rs.txt"),
    fill: "fit and transform",
    flags: "--set prep.{name}=true",
};

impl Kind {
    fn write(&self, session: &Session, name: &str, taken: bool) -> Result<()> {
        let noun = self.noun;
        let name = checked_name(noun, name)?;
        if taken {
            return Err(Error::usage(format!("there is a {noun} `{name}` already")).help("choose another name"));
        }
        let workspace = session.workspace()?;
        let in_clone = is_medalist_source(&workspace.root);
        let written = if in_clone {
            let file = workspace.root.join("src").join(self.folder).join(format!("{name}.rs"));
            let shared = file.with_extension("");
            if shared.is_dir() {
                let error = Error::usage(format!("`{name}` cannot be a {noun}'s name")).file(shared);
                return Err(error.help(format!("a folder of this name holds what {noun}s share: choose another")));
            }
            write_new(&file, &self.text(name, "crate"))?;
            vec![file]
        } else {
            self.write_package(&workspace.root, name)?
        };
        let relative = |file: &PathBuf| file.strip_prefix(&workspace.root).unwrap_or(file).display().to_string();
        let shown: Vec<String> = written.iter().map(relative).collect();
        if session.format() == Format::Json {
            output::print_json(&json!({ "files": shown }))?;
        } else {
            output::print(&(shown.join("\n") + "\n"))?;
        }
        let (fill, flags) = (self.fill, self.flags.replace("{name}", name));
        session.say(if in_clone {
            format!("next: fill in {fill}, then cargo run --release -- sweep penguins {flags}")
        } else {
            let manifest = format!("{}/{name}/Cargo.toml", self.folder);
            format!("next: fill in {fill}, then cargo run --release --manifest-path {manifest} -- sweep SLUG {flags}")
        });
        Ok(())
    }

    fn text(&self, name: &str, path: &str) -> String {
        self.template.replace("{name}", name).replace("{Type}", &camel_case(name)).replace("{path}", path)
    }

    fn write_package(&self, root: &Path, name: &str) -> Result<Vec<PathBuf>> {
        let folder = root.join(self.folder).join(name);
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\npublish = false\n\n[dependencies]\n\
             medalist = {{ path = {:?} }}\nndarray = \"0.16\"\n\n# A workspace of its own, wherever it lies.\n[workspace]\n",
            source_folder().display().to_string()
        );
        let main = format!(
            "mod {name};\n\nuse std::process::ExitCode;\n\nuse medalist::Registry;\n\nfn main() -> ExitCode {{\n    \
             medalist::cli::main(Registry::builtin().{}::<{name}::{}>(\"{name}\"))\n}}\n",
            self.with,
            camel_case(name)
        );
        let files = [
            (folder.join("Cargo.toml"), manifest),
            (folder.join("src/main.rs"), main),
            (folder.join(format!("src/{name}.rs")), self.text(name, "medalist")),
        ];
        for (file, text) in &files {
            write_new(file, text)?;
        }
        // The same versions as medalist's own: what it was tested with.
        let lock = source_folder().join("Cargo.lock");
        if lock.is_file() {
            let copy = folder.join("Cargo.lock");
            std::fs::copy(&lock, &copy).map_err(|error| Error::io(&copy, &error))?;
        }
        Ok(files.into_iter().map(|(file, _)| file).collect())
    }
}

/// Whether the workspace is a clone of medalist itself, where a dropped-in file is enough.
fn is_medalist_source(root: &Path) -> bool {
    let manifest = std::fs::read_to_string(root.join("Cargo.toml")).unwrap_or_default();
    root.join("src/models/mod.rs").is_file() && manifest.contains("name = \"medalist\"")
}

/// # Errors
/// When the file is there already: nothing is overwritten.
fn write_new(file: &Path, text: &str) -> Result<()> {
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder).map_err(|error| Error::io(folder, &error))?;
    }
    let mut handle = std::fs::File::create_new(file).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => {
            Error::usage("it is there already").file(file).help("nothing was overwritten")
        }
        _ => Error::io(file, &error),
    })?;
    std::io::Write::write_all(&mut handle, text.as_bytes()).map_err(|error| Error::io(file, &error))
}

/// Rust's keywords (The Rust Reference, 2.3), which cannot name a module, and names that mean something here.
const RESERVED: [&str; 57] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do", "dyn", "else",
    "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro", "main",
    "match", "medalist", "mod", "model", "move", "mut", "override", "prep", "priv", "pub", "ref", "return", "self",
    "static", "struct", "super", "test", "trait", "true", "try", "type", "typeof", "unsafe", "unsized", "use",
    "virtual", "where", "while", "yield", "contract",
];

/// # Errors
/// When it is no snake_case identifier, or one that is taken.
fn checked_name<'a>(noun: &str, name: &'a str) -> Result<&'a str> {
    let letters = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_';
    let starts_well = name.starts_with(|first: char| first.is_ascii_lowercase());
    if RESERVED.contains(&name) {
        return Err(
            Error::usage(format!("`{name}` cannot be a {noun}'s name")).help("it means something else: choose another")
        );
    }
    if starts_well && name.chars().all(letters) && name.len() <= 60 {
        return Ok(name);
    }
    Err(Error::usage(format!("`{name}` cannot be a {noun}'s name")).help("snake_case, such as my_ridge"))
}

fn camel_case(name: &str) -> String {
    let capital = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
    };
    name.split('_').map(capital).collect()
}
