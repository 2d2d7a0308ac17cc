//! The floors of ARCHITECTURE.md, held by reading every `use` line.

use std::path::{Path, PathBuf};

/// The modules from the ground up; on one floor, a module sees those to its left.
const FLOORS: &[(&str, &[&str])] = &[
    ("ground", &["error", "state"]),
    ("data", &["sparse", "target", "table", "metric"]),
    ("learn", &["model", "objective", "transform", "registry"]),
    ("files", &["reader", "split", "competition"]),
    ("kinds", &["metrics", "decode", "transforms", "models", "builtin", "prepare", "testing"]),
    (
        "meet",
        &[
            "fold_cache",
            "predictions",
            "thresholds",
            "scoring",
            "estimate",
            "saved",
            "evaluate",
            "ensemble",
            "plan",
            "program",
            "space_file",
        ],
    ),
    ("show", &["submission", "leaderboard", "results", "reporter", "workspace"]),
    ("shell", &["cli", "main"]),
];

fn place(module: &str) -> Option<(usize, usize)> {
    let floors = FLOORS.iter().enumerate();
    floors.filter_map(|(floor, (_, modules))| Some((floor, modules.iter().position(|name| *name == module)?))).next()
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
}

/// The modules of this crate that a file's code names, its unit tests left out.
fn named_modules(text: &str) -> Vec<String> {
    let code = text.split("#[cfg(test)]").next().unwrap();
    let mut names = Vec::new();
    for part in code.split("crate::").skip(1) {
        let name: String = part.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect();
        names.push(name);
    }
    names
}

#[test]
fn modules_import_from_below_and_from_their_left() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut all = Vec::new();
    files(&source, &mut all);
    let mut faults = Vec::new();
    for path in all {
        let inside = path.strip_prefix(&source).unwrap();
        let module = inside.components().next().unwrap().as_os_str().to_string_lossy().replace(".rs", "");
        if module == "lib" {
            continue;
        }
        let here =
            place(&module).unwrap_or_else(|| panic!("src/{} stands on no floor: add it to the list", inside.display()));
        for name in named_modules(&std::fs::read_to_string(&path).unwrap()) {
            if let Some(there) = place(&name)
                && name != module
                && there > here
            {
                let (floor, its) = (FLOORS[here.0].0, FLOORS[there.0].0);
                faults.push(format!("src/{} ({floor}) uses `{name}` ({its})", inside.display()));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn polars_is_named_in_the_reader_alone() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut all = Vec::new();
    files(&source, &mut all);
    let with_polars: Vec<String> = all
        .iter()
        .filter(|path| std::fs::read_to_string(path).unwrap().contains("polars::"))
        .map(|path| path.strip_prefix(&source).unwrap().display().to_string())
        .collect();
    assert_eq!(with_polars, ["reader.rs"]);
}

#[test]
fn the_search_crate_knows_no_data() {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/medalist-search/Cargo.toml");
    let manifest = std::fs::read_to_string(manifest).unwrap();
    for word in ["polars", "ndarray", "linfa"] {
        assert!(!manifest.contains(word), "{word}");
    }
}
