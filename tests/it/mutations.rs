//! Files with random damage: never a panic, never a hang, and what is refused is refused in words.

use std::path::Path;
use std::time::{Duration, Instant};

use medalist::competition::Competition;
use medalist::plan::Plan;
use medalist::{Registry, submission};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};

use crate::support::{Workspace, bundled};

/// Pieces that break parsers.
const PIECES: &[&[u8]] = &[
    b"\"",
    b",",
    b"\n",
    b"\r",
    b"\r\n",
    b"\0",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"NaN",
    b"inf",
    b"-1e999",
    b"\"\"",
    b"[",
    b"]",
    b"=",
    b"'",
    b"{",
    b"99999999999999999999",
    b"-0",
    b"\xc3\x28",
    b"\t",
    b" ",
    b"NA",
];

/// Damages a file in one to six places: bytes changed, cut out, doubled, or pieces put in.
fn damage(bytes: &[u8], rng: &mut impl Rng) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..rng.random_range(1..=6) {
        let at = rng.random_range(0..=bytes.len());
        let end = (at + rng.random_range(0..40usize)).min(bytes.len());
        match rng.random_range(0..5) {
            0 => drop(bytes.splice(at..at, PIECES[rng.random_range(0..PIECES.len())].iter().copied())),
            1 => drop(bytes.drain(at..end)),
            2 if at < bytes.len() => bytes[at] = rng.random_range(0..=255u8),
            3 => {
                let copy = bytes[at..end].to_vec();
                drop(bytes.splice(at..at, copy));
            }
            _ if rng.random_range(0..4) == 0 => bytes.truncate(at),
            _ => {}
        }
    }
    bytes
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Loading gives a competition that can be folded, or an error with words.
fn load(folder: &Path, registry: &Registry) {
    match Competition::load(folder, registry) {
        Ok(competition) => drop(competition.folds(None)),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

#[test]
fn five_hundred_damaged_files_are_refused_in_words_or_read() {
    let registry = Registry::builtin();
    let workspace = Workspace::with(&["penguins"]);
    let folder = workspace.path("competitions/penguins");
    let read = |name: &str| std::fs::read(bundled("penguins").join(name)).unwrap();
    let recipes = "\n[features]\nratio = 'bill_length_mm / (bill_depth_mm + 1)'\nword = 'match(island, \"^[A-Z]\")'\n\
                   n = 'count(island, sex)'\nmass = 'coalesce(body_mass_g, learned_mean(body_mass_g, sex))'\n";
    let toml =
        "extra_train = [\"train.csv\"]\n".to_string() + &String::from_utf8(read("competition.toml")).unwrap() + recipes;
    let whole = Competition::load(&bundled("penguins"), &registry).unwrap();
    let sample = read("sample_submission.csv");
    let plan =
        b"competition = \"penguins\"\nsearch = \"grid\"\ntrials = 5\n[set]\n\"ridge.alpha\" = [0.1, 1]\n".to_vec();
    let started = Instant::now();
    for seed in 0..500 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        match seed % 5 {
            0 => {
                workspace.write("competitions/penguins/competition.toml", damage(toml.as_bytes(), &mut rng));
                load(&folder, &registry);
            }
            1 | 2 => {
                let name = if seed % 5 == 1 { "train.csv" } else { "test.csv" };
                let damaged = damage(&read(name), &mut rng);
                // With the checksum of what is there: the damage should reach the parser.
                let toml = toml.replace(&sha256(&read(name)), &sha256(&damaged));
                workspace.write("competitions/penguins/competition.toml", &toml);
                workspace.write(&format!("competitions/penguins/{name}"), damaged);
                load(&folder, &registry);
                workspace.write(&format!("competitions/penguins/{name}"), read(name));
            }
            3 => {
                let file = workspace.write("submission.csv", damage(&sample, &mut rng));
                if let Ok(checked) = submission::validate(&whole, &file, &registry) {
                    checked.faults.iter().for_each(|fault| assert!(!fault.to_string().is_empty()));
                }
            }
            _ => {
                let file = workspace.write("plan.toml", damage(&plan, &mut rng));
                let _ = Plan::read(&file);
            }
        }
    }
    // Far above what it takes (seconds); only a hang comes near.
    assert!(started.elapsed() < Duration::from_secs(600));
}
