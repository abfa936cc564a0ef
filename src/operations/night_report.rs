//! How a night ended, as far as other systems are told.

use jiff::Timestamp;

use crate::day::Day;
use crate::run::NightOutcome;
use crate::run_dir::manifest::Manifest;

/// How a night ended, as far as others are told.
pub(super) struct NightReport<'a> {
    pub job: &'a str,
    pub as_of: Day,
    pub known_on: Day,
    /// As logs name it; `None` where it ended before that was known.
    pub run: Option<String>,
    pub ended_at: Timestamp,
    pub seconds: f64,
    pub exit: u8,
    /// `published`, `unchanged`, `held` or `failed`.
    pub ending: &'static str,
    /// Why it failed, without the ids of accounts.
    pub message: Option<String>,
    /// Bytes that the process has read for it; `None` where the system does not say.
    pub bytes_read: Option<u64>,
    pub outcome: Option<&'a NightOutcome>,
}

impl NightReport<'_> {
    /// What its run says of itself; `None` where there is none.
    pub fn manifest(&self) -> Option<&Manifest> {
        self.outcome.map(|outcome| &outcome.manifest)
    }
}
