//! The note beside a manifest that its run was released in spite of its gates.

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::directory::RunDirectory;
use super::gates::GateOutcome;
use super::layout::RELEASED;
use crate::console::visible;
use crate::day::Day;
use crate::failure::input;

/// What released.json says.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
pub struct ReleaseNote {
    /// When, in UTC.
    pub released_at: String,
    /// D.
    pub as_of: Day,
    /// K.
    pub known_on: Day,
    /// Of the manifest of the run that was released.
    pub manifest_sha256: String,
    /// Who released it, as they say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Why, in their words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// The gates that did not hold.
    pub overruled: Vec<GateOutcome>,
}

impl ReleaseNote {
    /// The note on a run's release; `None` where it was not released.
    pub fn of(run: &RunDirectory) -> Result<Option<ReleaseNote>> {
        let parsed = run.marker(RELEASED)?.map(|text| serde_json::from_str(&text)).transpose();
        parsed.map_err(|error| input(format!("read {}/{RELEASED}: {error}", run.path().display())))
    }

    /// One line for people: when, who and why, as far as they said so.
    pub fn line(&self) -> String {
        let second = self.released_at.split_once('.').map_or(&*self.released_at, |(second, _)| second);
        let when = second.trim_end_matches('Z').replacen('T', " ", 1);
        let by = self.by.as_ref().map_or(String::new(), |by| format!(" by {}", visible(by)));
        let why = self.why.as_ref().map_or(String::new(), |why| format!(": {}", visible(why)));
        format!("released {} UTC{by}{why}", visible(&when))
    }
}
