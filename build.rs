//! Finds the files of `src/models`, `src/metrics` and `src/transforms`, so that dropping one in is all it takes.
//!
//! For each folder it writes a file of `mod` lines, a `register` function and one contract test a file. A file `my_ridge.rs` must hold a type `MyRidge`.

use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let out = PathBuf::from(env::var("OUT_DIR").expect("cargo sets it"));
    for (folder, noun) in [("models", "model"), ("metrics", "metric"), ("transforms", "transform")] {
        let source = root.join("src").join(folder);
        println!("cargo::rerun-if-changed={}", source.display());
        fs::write(out.join(format!("{folder}.rs")), listing(&source, noun)).expect("OUT_DIR can be written");
    }
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-env=MEDALIST_SOURCE={}", root.display());
    println!("cargo::rustc-env=MEDALIST_CODE={:016x}", fingerprint(&root));
}

/// A number that changes with the program's sources and the versions of its libraries.
fn fingerprint(root: &Path) -> u64 {
    let mut files = Vec::new();
    for part in ["src", "crates", "Cargo.lock"] {
        let path = root.join(part);
        if path.exists() {
            println!("cargo::rerun-if-changed={}", path.display());
            sources(&path, &mut files);
        }
    }
    files.sort();
    // FNV-1a: a build dependency for a better one would be compiled for this alone.
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let mut add = |bytes: &[u8]| {
        for &byte in bytes {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    };
    for path in files {
        add(path.strip_prefix(root).expect("found below it").to_string_lossy().replace('\\', "/").as_bytes());
        add(&fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())));
    }
    hash
}

/// What the program is made of, below a folder: its tests, examples and pages are not.
fn sources(path: &Path, files: &mut Vec<PathBuf>) {
    if path.is_dir() {
        let is_apart = |name: &str| ["tests", "tests.rs", "examples", "benches", "bench", "target"].contains(&name);
        for entry in fs::read_dir(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())) {
            let path = entry.expect("a folder's entry can be read").path();
            if !path.file_name().is_some_and(|name| is_apart(&name.to_string_lossy())) {
                sources(&path, files);
            }
        }
    } else if path.extension().is_some_and(|end| ["rs", "toml", "lock", "sql", "txt"].iter().any(|known| end == *known))
    {
        files.push(path.to_path_buf());
    }
}

fn listing(folder: &Path, noun: &str) -> String {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .filter_map(|entry| entry.expect("a folder's entry can be read").file_name().into_string().ok())
        .filter_map(|file| file.strip_suffix(".rs").map(str::to_string))
        .filter(|name| name != "mod")
        .collect();
    names.sort();
    let mut text = String::new();
    for name in &names {
        let path = folder.join(format!("{name}.rs"));
        text += &format!("#[path = {:?}]\npub mod {name};\n", path.display().to_string());
    }
    text += "\npub(crate) fn register(registry: &mut crate::registry::Registry) {\n";
    for name in &names {
        text += &format!("    registry.add_{noun}::<{name}::{}>(\"{name}\");\n", camel_case(name));
    }
    text += "}\n\n#[cfg(test)]\nmod contract {\n";
    for name in &names {
        text += &format!(
            "    #[test]\n    fn {name}() {{\n        crate::testing::assert_{noun}::<super::{name}::{}>(\"{name}\");\n    }}\n",
            camel_case(name)
        );
    }
    text + "}\n"
}

fn camel_case(name: &str) -> String {
    name.split('_')
        .map(|word| {
            let mut letters = word.chars();
            letters.next().map(|first| first.to_uppercase().collect::<String>() + letters.as_str()).unwrap_or_default()
        })
        .collect()
}
