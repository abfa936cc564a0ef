//! How a run did at its gates, as its manifest has it.

use std::path::Path;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::console::{plain_path, visible};
use crate::failure::{Kind, laid_out};

/// How a run did at one gate.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
pub struct GateOutcome {
    /// The gate's name.
    pub name: String,
    /// Whether it holds.
    pub holds: bool,
    /// What was measured: a count, a sum, or the rows of a share.
    pub figure: String,
    /// What a share is of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub among: Option<u64>,
    /// The bounds as written.
    pub bounds: String,
    /// What it was in the run before, where the gate asks how it changed and there is such a figure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earlier: Option<EarlierFigure>,
}

/// A gate's figure in the run before.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
pub struct EarlierFigure {
    /// As of that run.
    pub figure: String,
    /// What a share was of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub among: Option<u64>,
}

impl GateOutcome {
    /// One line for the operator.
    pub fn line(&self) -> String {
        let verdict = if self.holds { "holds" } else { "FAILS" };
        let name = visible(&self.name);
        let figure = in_words(&self.figure, self.among);
        format!("gate `{name}` {verdict}: {figure}, {}{}", self.bounds, self.before())
    }

    /// What it was before, where the gate asks for it.
    pub fn before(&self) -> String {
        match &self.earlier {
            Some(earlier) => format!(" ({} in the run before)", in_words(&earlier.figure, earlier.among)),
            None if self.bounds.contains(CHANGE) => " (no figure of a run before)".to_string(),
            None => String::new(),
        }
    }
}

fn in_words(figure: &str, among: Option<u64>) -> String {
    among.map_or(figure.to_string(), |among| format!("{figure} of {among} rows"))
}

/// The bound on how far a figure may be from that of the run before.
pub const CHANGE: &str = "max_change_bp";

/// The gates that do not hold.
pub fn failed(outcomes: &[GateOutcome]) -> Vec<&GateOutcome> {
    outcomes.iter().filter(|outcome| !outcome.holds).collect()
}

/// Fails with the failed gates' figures.
pub fn held(outcomes: &[GateOutcome], directory: &Path) -> Result<()> {
    let failed = failed(outcomes);
    if failed.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = failed.iter().map(|outcome| outcome.line()).collect();
    let message = format!(
        "held by {} of {} gates; the run lies in {}",
        failed.len(),
        outcomes.len(),
        plain_path(directory)
    );
    Err(laid_out(Kind::Held, format!("{message}\n{}", lines.join("\n"))))
}
