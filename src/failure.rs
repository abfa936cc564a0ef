//! How a command can fail, and the exit code that says so to cron and to scripts.

use std::fmt;

use anyhow::Result;
use rayon::iter::ParallelIterator;

/// A failure with a stable exit code. Anything else that goes wrong is a fault of the program (70).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The command line or a job file is wrong.
    Usage,
    /// An input was not delivered, cannot be read, has the wrong schema, or a result is out of range.
    Input,
    /// A gate did not hold; the run lies in `held/`.
    Held,
    /// Another run holds the lock of the output directory.
    Locked,
    /// The run is published already, from other inputs or job files; what stands there is no run; a
    /// release of a night after which later ones are published.
    Refused,
    /// An output could not be written: no space, no permission, a read-only place.
    Unwritable,
    /// Stopped by SIGINT; nothing of the night was published.
    Interrupted,
    /// Stopped by SIGTERM or SIGHUP; nothing of the night was published.
    Terminated,
}

impl Kind {
    /// The process exit code.
    pub fn exit_code(self) -> u8 {
        match self {
            Kind::Usage => 2,
            Kind::Input => 3,
            Kind::Held => 4,
            Kind::Locked => 5,
            Kind::Refused => 6,
            Kind::Unwritable => 7,
            Kind::Interrupted => 130,
            Kind::Terminated => 143,
        }
    }
}

impl Kind {
    /// Its name, as errors in JSON have it.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Usage => "usage",
            Kind::Input => "input",
            Kind::Held => "held",
            Kind::Locked => "locked",
            Kind::Refused => "refused",
            Kind::Unwritable => "unwritable",
            Kind::Interrupted => "interrupted",
            Kind::Terminated => "terminated",
        }
    }
}

/// Exit code of a fault of the program itself.
pub const FAULT: u8 = 70;

/// An error message together with its [`Kind`]; travels inside `anyhow::Error`.
#[derive(Debug)]
pub struct Failure {
    /// What kind of failure it is.
    pub kind: Kind,
    /// What was tried, what was found, and what to do about it.
    pub message: String,
    /// Whether the message is laid out in lines; if not, an end of line in it is somebody's data.
    pub is_laid_out: bool,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// Makes an error of the given kind.
pub fn failure(kind: Kind, message: impl Into<String>) -> anyhow::Error {
    Failure { kind, message: message.into(), is_laid_out: false }.into()
}

/// Makes an error whose message is laid out in lines. What it quotes of data has been made visible.
pub fn laid_out(kind: Kind, message: impl Into<String>) -> anyhow::Error {
    Failure { kind, message: message.into(), is_laid_out: true }.into()
}

/// The input-side failure, by far the most frequent one.
pub fn input(message: impl Into<String>) -> anyhow::Error {
    failure(Kind::Input, message)
}

/// The results of work done in parallel, or the first of its errors in order, whichever thread was faster.
pub fn in_order<T: Send>(results: impl ParallelIterator<Item = Result<T>>) -> Result<Vec<T>> {
    let results: Vec<Result<T>> = results.collect();
    results.into_iter().collect()
}

/// The exit code of an error: that of the [`Failure`] within it, else [`FAULT`].
pub fn exit_code(error: &anyhow::Error) -> u8 {
    match error.downcast_ref::<Failure>() {
        Some(failure) => failure.kind.exit_code(),
        None => FAULT,
    }
}
