use std::process::ExitCode;

fn main() -> ExitCode {
    medalist::cli::main(medalist::Registry::builtin())
}
