//! How a run did at its gates, as its manifest has it, and in units that people read.

use std::fmt;
use std::path::Path;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::console::{Tone, money, paint, plain_path, plural, thousands, visible};
use crate::day::Day;
use crate::failure::{Kind, laid_out};
use crate::job::{GateSeverity, Unit};

/// How a run did at one gate.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
pub struct GateOutcome {
    /// The gate's name.
    pub name: String,
    /// Whether it holds.
    pub holds: bool,
    /// What follows where it does not.
    #[serde(default, skip_serializing_if = "GateSeverity::is_hold")]
    pub severity: GateSeverity,
    /// What was measured: a count, a sum, or the rows of a share.
    pub figure: String,
    /// What the figure is measured in.
    #[serde(default, skip_serializing_if = "GateUnit::is_count")]
    pub unit: GateUnit,
    /// What a share is of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub among: Option<u64>,
    /// The bounds as written.
    pub bounds: String,
    /// What it was in the run before, where the gate asks how it changed and there is such a figure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earlier: Option<EarlierFigure>,
}

/// What a gate's figure is measured in; that of a share is in rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GateUnit {
    /// A number.
    #[default]
    Count,
    /// Minor units.
    Money,
}

impl GateUnit {
    fn is_count(&self) -> bool {
        *self == GateUnit::Count
    }
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

/// What became of a gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GateVerdict {
    /// It holds.
    Holds,
    /// It does not, which is told.
    Warns,
    /// It does not, which holds the run.
    Fails,
}

impl GateVerdict {
    /// In a word.
    pub fn word(self) -> &'static str {
        match self {
            GateVerdict::Holds => "holds",
            GateVerdict::Warns => "warns",
            GateVerdict::Fails => "fails",
        }
    }

    /// What it is to the reader.
    pub fn tone(self) -> Tone {
        match self {
            GateVerdict::Holds => Tone::Good,
            GateVerdict::Warns => Tone::Warning,
            GateVerdict::Fails => Tone::Failure,
        }
    }
}

/// A gate's figure and bounds in units that people read: money with its decimal places, shares in percent, counts with
/// separators.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GateWords {
    /// The figure, as in `12.10 %`, `660,100.00` or `3,472`.
    pub value: String,
    /// What it may be, as in `at most 10.00 %`.
    pub bounds: String,
    /// Of a share, the rows, as in `420 of 3,472`.
    pub rows: Option<String>,
}

impl fmt::Display for GateWords {
    /// As in `12.10 % (at most 10.00 %), 420 of 3,472`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.value, self.bounds)?;
        self.rows.as_ref().map_or(Ok(()), |rows| write!(f, ", {rows}"))
    }
}

impl GateOutcome {
    /// What became of it.
    pub fn verdict(&self) -> GateVerdict {
        match (self.holds, self.severity) {
            (true, _) => GateVerdict::Holds,
            (false, GateSeverity::Warn) => GateVerdict::Warns,
            (false, GateSeverity::Hold) => GateVerdict::Fails,
        }
    }

    /// Its figure and bounds in words; money has so many decimal places.
    pub fn in_words(&self, minor_units: u32) -> GateWords {
        let value = self.figure_in_words(&self.figure, self.among, minor_units);
        let rows =
            self.among.map(|among| format!("{} of {}", counted(&self.figure), thousands(among.into())));
        GateWords { value, bounds: self.bounds_in_words(minor_units), rows }
    }

    /// One line for people; money has so many decimal places.
    pub fn line(&self, minor_units: u32) -> String {
        let (name, verdict) = (visible(&self.name), self.verdict());
        let line = format!("gate `{name}` {}: {}", verdict.word(), self.in_words(minor_units));
        if verdict == GateVerdict::Holds { line } else { paint(verdict.tone(), &line) }
    }

    /// What it was before, where the gate asks for it, in numbers.
    pub fn before(&self) -> String {
        match &self.earlier {
            Some(EarlierFigure { figure, among: Some(among) }) => {
                format!(" ({figure} of {among} rows in the run before)")
            }
            Some(EarlierFigure { figure, .. }) => format!(" ({figure} in the run before)"),
            None if self.bounds.contains(CHANGE) => " (no figure of a run before)".to_string(),
            None => String::new(),
        }
    }

    fn figure_in_words(&self, figure: &str, among: Option<u64>, minor_units: u32) -> String {
        match among {
            Some(among) => {
                let bounds = ["min_bp", "max_bp"].map(|bound| self.written(bound));
                share_in_words(figure.parse().unwrap_or(0), among.into(), bounds)
            }
            None => self.amount_in_words(figure, minor_units),
        }
    }

    fn amount_in_words(&self, figure: &str, minor_units: u32) -> String {
        match (self.unit, figure.parse::<i128>()) {
            (GateUnit::Money, Ok(minor)) => money(minor, minor_units),
            _ => counted(figure),
        }
    }

    /// A bound as the job has it.
    fn written(&self, name: &str) -> Option<i64> {
        let mut bounds = self.bounds.split(", ").filter_map(|bound| bound.split_once(' '));
        bounds.find(|(known, _)| *known == name)?.1.parse().ok()
    }

    fn bounds_in_words(&self, minor_units: u32) -> String {
        let bound = |plain: &str, share: &str| match self.among {
            Some(_) => self.written(share).map(|bp| Unit::BasisPoints.show(bp.into(), 0)),
            None => self.written(plain).map(|bound| self.amount_in_words(&bound.to_string(), minor_units)),
        };
        let range = match (bound("min", "min_bp"), bound("max", "max_bp")) {
            (Some(min), Some(max)) => Some(format!("{min} to {max}")),
            (Some(min), None) => Some(format!("at least {min}")),
            (None, Some(max)) => Some(format!("at most {max}")),
            (None, None) => None,
        };
        let change = self.written(CHANGE).map(|bp| {
            let unit = if self.among.is_some() { "points" } else { "%" };
            let bound = Unit::BasisPoints.show(bp.into(), 0).replace('%', unit);
            match &self.earlier {
                Some(EarlierFigure { figure, among }) => {
                    let earlier = self.figure_in_words(figure, *among, minor_units);
                    format!("within {bound} of {earlier} in the run before")
                }
                None => format!("within {bound} of the run before, of which there is no figure"),
            }
        });
        range.into_iter().chain(change).collect::<Vec<_>>().join(", ")
    }
}

/// A share in percent with two decimals, or with as many as tell it from its bounds, up to six.
fn share_in_words(part: i128, among: i128, bounds: [Option<i64>; 2]) -> String {
    if among == 0 {
        return Unit::BasisPoints.show(0, 0);
    }
    let scaled = |places: u32| (part * 200 * 10_i128.pow(places) + among) / (among * 2);
    let is_told_apart = |places: &u32| {
        bounds.into_iter().flatten().map(i128::from).all(|bound| {
            let shown = scaled(*places).cmp(&(bound * 10_i128.pow(*places) / 100));
            shown == (part * 10_000).cmp(&(bound * among))
        })
    };
    let places = (2..=6).find(is_told_apart).unwrap_or(6);
    let (scaled, one) = (scaled(places), 10_i128.pow(places));
    format!("{}.{:0width$} %", thousands(scaled / one), scaled % one, width = places as usize)
}

/// A whole number with separators, whatever its size.
fn counted(figure: &str) -> String {
    figure.parse::<i128>().map_or(figure.to_string(), thousands)
}

/// The bound on how far a figure may be from that of the run before.
pub const CHANGE: &str = "max_change_bp";

/// The gates that hold a run.
pub fn failed(outcomes: &[GateOutcome]) -> Vec<&GateOutcome> {
    outcomes.iter().filter(|outcome| outcome.verdict() == GateVerdict::Fails).collect()
}

/// The gates that do not hold, those that hold the run first, then those that only warn.
pub fn not_holding(outcomes: &[GateOutcome]) -> Vec<&GateOutcome> {
    let warned = outcomes.iter().filter(|outcome| outcome.verdict() == GateVerdict::Warns);
    failed(outcomes).into_iter().chain(warned).collect()
}

/// A run, as a sentence about its gates names it.
pub struct GatedRun<'a> {
    /// The job's name.
    pub job: &'a str,
    /// D.
    pub as_of: Day,
    /// How it did.
    pub gates: &'a [GateOutcome],
    /// Where it lies.
    pub directory: &'a Path,
    /// Decimal places of money.
    pub minor_units: u32,
}

/// Fails with the figures of the gates that hold a run.
pub fn held(run: &GatedRun) -> Result<()> {
    let failed = failed(run.gates);
    if failed.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> =
        failed.iter().map(|outcome| format!("  {}", outcome.line(run.minor_units))).collect();
    let message = format!(
        "{} of {} is held by {} of {}; it lies in {}",
        visible(run.job),
        run.as_of,
        failed.len(),
        plural(run.gates.len(), "gate"),
        plain_path(run.directory)
    );
    Err(laid_out(Kind::Held, format!("{message}\n{}", lines.join("\n"))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(figure: &str, among: Option<u64>, bounds: &str) -> GateOutcome {
        GateOutcome {
            name: "a gate".to_string(),
            holds: false,
            severity: GateSeverity::Hold,
            figure: figure.to_string(),
            unit: GateUnit::Count,
            among,
            bounds: bounds.to_string(),
            earlier: None,
        }
    }

    #[test]
    fn figures_and_bounds_are_in_units_that_people_read() {
        let share = outcome("420", Some(3_472), "max_bp 1000");
        assert_eq!(share.in_words(2).to_string(), "12.10 % (at most 10.00 %), 420 of 3,472");
        let mut sum = outcome("66010000", None, "max 50000000");
        assert_eq!(sum.in_words(2).to_string(), "66,010,000 (at most 50,000,000)");
        sum.unit = GateUnit::Money;
        assert_eq!(sum.in_words(2).to_string(), "660,100.00 (at most 500,000.00)");
        assert_eq!(sum.in_words(0).to_string(), "66,010,000 (at most 50,000,000)");
        let rows = outcome("3472", None, "min 1000, max 2000");
        assert_eq!(rows.in_words(2).to_string(), "3,472 (1,000 to 2,000)");
        assert_eq!(outcome("0", Some(0), "max_bp 1").in_words(2).value, "0.00 %");
    }

    #[test]
    fn a_share_just_beyond_its_bound_is_told_from_it() {
        let share = |part, among| share_in_words(part, among, [Some(500), Some(1_000)]);
        assert_eq!(share(100_001, 1_000_000), "10.0001 %");
        assert_eq!(share(100_000, 1_000_000), "10.00 %");
        assert_eq!(share(49_999, 1_000_000), "4.9999 %");
        assert_eq!(share(2, 3), "66.67 %");
    }

    #[test]
    fn changes_name_the_run_before() {
        let mut share = outcome("420", Some(3_472), "max_change_bp 200");
        let none =
            "12.10 % (within 2.00 points of the run before, of which there is no figure), 420 of 3,472";
        assert_eq!(share.in_words(2).to_string(), none);
        share.earlier = Some(EarlierFigure { figure: "300".to_string(), among: Some(3_000) });
        let some = "12.10 % (within 2.00 points of 10.00 % in the run before), 420 of 3,472";
        assert_eq!(share.in_words(2).to_string(), some);
        let mut sum = outcome("-1100", None, "max_change_bp 1000");
        sum.earlier = Some(EarlierFigure { figure: "-900".to_string(), among: None });
        assert_eq!(sum.in_words(2).to_string(), "-1,100 (within 10.00 % of -900 in the run before)");
    }
}
