//! Prints one error and exits with its code.

#![deny(clippy::print_stdout, clippy::print_stderr)]

use std::process::ExitCode;

fn main() -> ExitCode {
    match std::panic::catch_unwind(rescore::cli::main) {
        Err(_) => ExitCode::from(rescore::failure::FAULT),
        Ok(Ok(code)) => ExitCode::from(code),
        Ok(Err(error)) => {
            rescore::console::print_error(&error);
            ExitCode::from(rescore::failure::exit_code(&error))
        }
    }
}
