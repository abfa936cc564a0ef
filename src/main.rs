//! Prints one error and exits with its code.

use std::process::ExitCode;

fn main() -> ExitCode {
    match rescore::cli::main() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(rescore::failure::exit_code(&error))
        }
    }
}
