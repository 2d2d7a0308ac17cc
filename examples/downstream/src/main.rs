//! Every command of medalist, with this crate's model and metric among its own.

use std::process::ExitCode;

fn main() -> ExitCode {
    medalist::cli::main(downstream::registry())
}
