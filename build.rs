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
