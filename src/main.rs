//! Prints one error and exits with its code.

use std::process::ExitCode;

fn main() -> ExitCode {
    match std::panic::catch_unwind(rescore::cli::main) {
        Err(_) => ExitCode::from(rescore::failure::FAULT),
        Ok(Ok(code)) => ExitCode::from(code),
        Ok(Err(error)) => {
            eprintln!("error: {error:#}");
            ExitCode::from(rescore::failure::exit_code(&error))
        }
    }
}
