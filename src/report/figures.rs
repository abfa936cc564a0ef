//! The figures of one run that its manifest does not hold, counted from its tables as they stream by.

use std::collections::BTreeMap;

use anyhow::Result;

use crate::day::Day;
use crate::expr::Ints;
use crate::frame::{FrameTotals, IntFrame, NameNumbers, col, wide};
use crate::job::{Action, Remit};
use crate::policy::Refusal;
use crate::run_dir::PublishedRun;
use crate::run_dir::rows::for_batches;

/// What the tables of a run add up to.
#[derive(Debug, Default)]
pub struct Figures {
    /// Accounts by score.
    pub scores: BTreeMap<i64, u64>,
    /// By name of the band.
    pub bands: BTreeMap<String, BandFigures>,
    /// How often each code is among an account's reasons.
    pub score_reasons: BTreeMap<String, u64>,
    /// Lines by reason of the decision, and how many of them are held.
    pub reasons: BTreeMap<String, LineCounts>,
    /// By policy of the job and name of the rule.
    pub rules: BTreeMap<(usize, String), LineCounts>,
    /// Raises and reopens by product and the cap that bound them.
    pub caps: BTreeMap<(String, String), LineCounts>,
    /// Raises that came before a budget or had none.
    pub raises: BTreeMap<RaiseKey, Raises>,
    /// Rejected rows by input, delivery (empty if none) and reason.
    pub rejects: BTreeMap<(String, String, String), u64>,
}

/// The accounts of a band.
#[derive(Debug, Default, Clone)]
pub struct BandFigures {
    /// How many.
    pub accounts: u64,
    /// The least and the highest score among them.
    pub range: Option<(i64, i64)>,
}

/// Whose raises they are.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RaiseKey {
    /// Position of the policy among those of the job.
    pub policy: usize,
    /// Name of the product.
    pub product: String,
    /// Name of the rule.
    pub rule: String,
}

/// What became of raises that nothing but a budget could refuse.
#[derive(Debug, Default, Clone, Copy)]
pub struct Raises {
    /// How many are made.
    pub granted: u64,
    /// Σ new limits − old limits of those, minor units.
    pub increase: i128,
    /// How many the budget refused.
    pub refused: u64,
}

/// Lines, and how many of them are decided to be held.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct LineCounts {
    /// How many.
    pub lines: u64,
    /// Of them, those on hold.
    pub held: u64,
}

impl Figures {
    /// Counts a run's tables.
    pub fn of(run: &PublishedRun) -> Result<Figures> {
        let mut figures = Figures::default();
        figures.add_scores(run)?;
        figures.add_decisions(run)?;
        figures.add_rejects(run)?;
        Ok(figures)
    }

    /// Scores and bands alone.
    pub fn of_scores(run: &PublishedRun) -> Result<Figures> {
        let mut figures = Figures::default();
        figures.add_scores(run)?;
        Ok(figures)
    }

    /// Σ score.
    pub fn score_total(&self) -> i128 {
        self.scores.iter().map(|(score, accounts)| i128::from(*score) * i128::from(*accounts)).sum()
    }

    /// How many accounts have a score.
    pub fn accounts(&self) -> u64 {
        self.scores.values().sum()
    }

    /// The mean score in tenths, rounded to the nearest.
    pub fn mean_score_tenths(&self) -> Option<i128> {
        let accounts = i128::from(self.accounts());
        (accounts > 0).then(|| (self.score_total() * 20 + accounts).div_euclid(2 * accounts))
    }

    fn add_scores(&mut self, run: &PublishedRun) -> Result<()> {
        let reasons: Vec<String> =
            (1..=run.job.scorecard.reasons).map(|rank| format!("reason_{rank}")).collect();
        let columns = ["score", "band"].into_iter().chain(reasons.iter().map(String::as_str));
        let (mut bands, mut codes) = (NameNumbers::default(), NameNumbers::default());
        let mut by_score = FrameTotals::new([col("band"), col("score")], &[]);
        let mut by_code = FrameTotals::new([col("reason")], &[]);
        for_batches(&run.directory, "scores", &columns.collect::<Vec<_>>(), |rows| {
            let frame = IntFrame::new(rows.len)
                .with("band", bands.numbers(rows.texts("band")?))
                .with("score", rows.ints("score")?.clone());
            by_score.add(&frame)?;
            for reason in &reasons {
                let codes = codes.numbers(rows.texts(reason)?);
                by_code.add(&IntFrame::new(rows.len).with("reason", codes))?;
            }
            Ok(())
        })?;
        for ([band, score], group) in by_score.groups() {
            let score = score.unwrap_or_default();
            *self.scores.entry(score).or_default() += group.rows;
            let figures = self.bands.entry(bands.name(*band).to_string()).or_default();
            figures.accounts += group.rows;
            let (least, most) = figures.range.unwrap_or((score, score));
            figures.range = Some((least.min(score), most.max(score)));
        }
        // An account may have fewer reasons than there are columns.
        for ([code], group) in by_code.groups().iter().filter(|([code], _)| code.is_some()) {
            self.score_reasons.insert(codes.name(*code).to_string(), group.rows);
        }
        Ok(())
    }

    fn add_decisions(&mut self, run: &PublishedRun) -> Result<()> {
        let remits = run.job.remits();
        // Rules of two policies may have one name.
        let keys = ["product", "action", "reason", "rule", "bound_by", "arm"];
        let mut names: [NameNumbers; 6] = Default::default();
        let increase = wide(col("new_limit")) - wide(col("old_limit"));
        let mut decisions = FrameTotals::new(keys.map(col), &[increase]);
        let read = if remits.len() > 1 { &keys[..] } else { &keys[..5] };
        let columns = [read, &["old_limit", "new_limit"]].concat();
        for_batches(&run.directory, "decisions", &columns, |rows| {
            let mut frame = IntFrame::new(rows.len)
                .with("old_limit", rows.ints("old_limit")?.clone())
                .with("new_limit", rows.ints("new_limit")?.clone());
            for (key, names) in read.iter().zip(&mut names) {
                frame = frame.with(key, names.numbers(rows.texts(key)?));
            }
            if read.len() < keys.len() {
                frame = frame.with("arm", Ints::all(vec![0; rows.len]));
            }
            decisions.add(&frame)
        })?;
        let [products, actions, reasons, rules, caps, arms] = &names;
        for ([product, action, reason, rule, cap, arm], group) in decisions.groups() {
            let is_own = |remit: &Remit| remit.arm.is_none_or(|own| own.name() == arms.name(*arm));
            let policy = remits.iter().position(is_own).unwrap_or(0);
            let product = products.name(*product).to_string();
            let (action, reason) = (actions.name(*action), reasons.name(*reason));
            let is_raise = action == Action::Raise.name();
            if is_raise || reason == Refusal::Budget.name() {
                let key = RaiseKey { policy, product: product.clone(), rule: rules.name(*rule).to_string() };
                let raises = self.raises.entry(key).or_default();
                *(if is_raise { &mut raises.granted } else { &mut raises.refused }) += group.rows;
                raises.increase += group.sums[0];
            }
            let held = if action == Action::Hold.name() { group.rows } else { 0 };
            self.reasons.entry(reason.to_string()).or_default().add(group.rows, held);
            if rule.is_some() {
                let key = (policy, rules.name(*rule).to_string());
                self.rules.entry(key).or_default().add(group.rows, held);
            }
            if cap.is_some() {
                let key = (product, caps.name(*cap).to_string());
                self.caps.entry(key).or_default().add(group.rows, held);
            }
        }
        Ok(())
    }

    fn add_rejects(&mut self, run: &PublishedRun) -> Result<()> {
        let (mut inputs, mut reasons) = (NameNumbers::default(), NameNumbers::default());
        let mut rejects = FrameTotals::new(["input", "delivery", "reason"].map(col), &[]);
        for_batches(&run.directory, "rejects", &["input", "delivery", "reason"], |rows| {
            let frame = IntFrame::new(rows.len)
                .with("input", inputs.numbers(rows.texts("input")?))
                .with("delivery", rows.ints("delivery")?.clone())
                .with("reason", reasons.numbers(rows.texts("reason")?));
            rejects.add(&frame)
        })?;
        for ([input, delivery, reason], group) in rejects.groups() {
            let delivery = delivery.map_or(String::new(), |day| Day(day as i32).to_string());
            let key = (inputs.name(*input).to_string(), delivery, reasons.name(*reason).to_string());
            self.rejects.insert(key, group.rows);
        }
        Ok(())
    }
}

impl LineCounts {
    fn add(&mut self, lines: u64, held: u64) {
        self.lines += lines;
        self.held += held;
    }
}
