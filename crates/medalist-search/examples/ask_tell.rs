//! Ask and tell over standard input and output, without the harness: `cargo run --release -p medalist-search --example ask_tell`.

use std::io::{stdin, stdout};

fn main() -> std::io::Result<()> {
    medalist_search::converse(stdin().lock(), stdout().lock())
}
