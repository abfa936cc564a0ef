//! The note beside a manifest that its run was released in spite of its gates.

use serde::{Deserialize, Serialize};

use super::gates::GateOutcome;
use crate::day::Day;

/// What released.json says.
#[derive(Debug, Serialize, Deserialize, PartialEq, Eq)]
pub struct ReleaseNote {
    /// When, in UTC.
    pub released_at: String,
    /// D.
    pub as_of: Day,
    /// K.
    pub known_on: Day,
    /// Of the manifest of the run that was released.
    pub manifest_sha256: String,
    /// The gates that did not hold.
    pub overruled: Vec<GateOutcome>,
}
