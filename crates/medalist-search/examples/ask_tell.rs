//! Ask and tell over standard input and output, without the harness: `cargo run --release -p medalist-search --example ask_tell`.

use std::io::{BufRead, Write, stdin, stdout};

fn main() -> std::io::Result<()> {
    let mut session = medalist_search::Session::new();
    for line in stdin().lock().lines() {
        if let Some(answer) = session.answer(&line?) {
            writeln!(stdout(), "{answer}")?;
        }
    }
    Ok(())
}
