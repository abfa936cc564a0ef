//! Prints one error and exits with its code.

use std::process::ExitCode;

fn main() -> ExitCode {
    match rescore::cli::main() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let message = format!("{error:#}");
            // Mistakes in job files come rendered, each under its own heading.
            match message.starts_with("error: ") {
                true => eprintln!("{message}"),
                false => eprintln!("error: {message}"),
            }
            ExitCode::from(rescore::failure::exit_code(&error))
        }
    }
}
