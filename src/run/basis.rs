//! What a night's features are computed from, and why.

use std::fmt;

use super::Request;
use crate::job::Job;

/// What a night's features are computed from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Basis {
    /// Every row within the windows.
    Scratch {
        /// Why nothing else will do.
        why: String,
    },
}

impl Basis {
    /// Chooses what a night can begin with.
    pub fn of(request: &Request, job: &Job) -> Basis {
        let why = match (request.from_scratch, &job.state_dir) {
            (true, _) => "--from-scratch",
            (false, None) => "the job has no [state]",
            (false, Some(_)) => "no state is kept yet",
        };
        Basis::Scratch { why: why.to_string() }
    }
}

impl fmt::Display for Basis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Basis::Scratch { why } => write!(f, "from scratch: {why}"),
        }
    }
}
