//! Prints one error and exits with its code.

use std::process::ExitCode;

/// Rows come and go in many small pieces on all threads: this allocator gives memory back sooner.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match std::panic::catch_unwind(rescore::cli::main) {
        Err(_) => ExitCode::from(rescore::failure::FAULT),
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(error)) => {
            eprintln!("error: {error:#}");
            ExitCode::from(rescore::failure::exit_code(&error))
        }
    }
}
