//! All that a monitor comes to, as monitor.json has it.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::day::Day;
use crate::validate::arms::ArmFigures;
use crate::validate::bounds::BoundOutcome;
use crate::validate::characteristics::{BinRange, CharacteristicMonth};
use crate::validate::fraction::Fraction;
use crate::validate::slices::SliceFigures;

/// The version of monitor.json.
pub const MONITOR_VERSION: u32 = 1;

/// Published nights as their outcomes mature.
#[derive(Debug, Clone, Serialize)]
pub struct MonitorFigures {
    /// The version of monitor.json; by it the file is known as the program's own.
    pub monitor_version: u32,
    /// Whether every bound holds.
    pub holds: bool,
    /// Every bound with what it is held against.
    pub bounds: Vec<BoundOutcome>,
    /// What else is to be known, a sentence each.
    pub remarks: Vec<String>,
    /// The job's name.
    pub job: String,
    /// The night that the others are held against.
    pub reference: Day,
    /// The night whose scorecard's bins characteristics are counted in: the last.
    pub bins_of: Day,
    /// Night by night.
    pub nights: Vec<MonitoredNight>,
    /// By month of the nights' as-of dates; an account counts once a night.
    pub months: Vec<MonitoredMonth>,
    /// In the order of the card.
    pub characteristics: Vec<MonitoredCharacteristic>,
    /// By arm; null where no night has a challenger.
    pub arms: Option<ArmFigures>,
}

/// A published night.
#[derive(Debug, Clone, Serialize)]
pub struct MonitoredNight {
    /// D.
    pub as_of: Day,
    /// SHA-256 of its scorecard.
    pub scorecard_sha256: String,
    /// Accounts with a score.
    pub accounts: u64,
    /// Their mean score.
    pub mean_score: Option<Fraction>,
    /// How far scores lie from those of the reference; null where a side has no account.
    pub score_psi: Option<f64>,
    /// Accounts by outcome, those not known yet among them.
    pub outcomes: BTreeMap<&'static str, u64>,
}

/// The nights of a month.
#[derive(Debug, Clone, Serialize)]
pub struct MonitoredMonth {
    /// As `2026-11`.
    pub month: String,
    /// How many nights.
    pub nights: u64,
    /// How far scores lie from those of the reference.
    pub score_psi: Option<f64>,
    /// Accounts by outcome, once a night.
    pub outcomes: BTreeMap<&'static str, u64>,
    /// Of those with a good or bad outcome: how the score ranks. Bounds of the AUC are given where the month has one night
    /// only, since an account that comes twice is no second account.
    pub known: SliceFigures,
}

/// A characteristic of the card.
#[derive(Debug, Clone, Serialize)]
pub struct MonitoredCharacteristic {
    /// The feature's name.
    pub feature: String,
    /// Its bins, nulls first, then ascending.
    pub bins: Vec<BinRange>,
    /// How far its values lie from those of the reference, night by night; null where a night computes it otherwise.
    pub nights: Vec<NightShift>,
    /// Month by month, against the reference.
    pub months: Vec<CharacteristicMonth>,
}

/// A characteristic on a night.
#[derive(Debug, Clone, Serialize)]
pub struct NightShift {
    /// D.
    pub as_of: Day,
    /// Population stability index.
    pub psi: Option<f64>,
}
