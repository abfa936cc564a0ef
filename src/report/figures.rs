//! The figures of one run that its manifest does not hold, counted from its tables as they stream by.

use std::collections::BTreeMap;

use anyhow::Result;

use crate::expr::Texts;
use crate::job::Action;
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
    pub reasons: BTreeMap<String, Tally>,
    /// By name of the rule.
    pub rules: BTreeMap<String, Tally>,
    /// Raises and reopens by product and the cap that bound them.
    pub caps: BTreeMap<(String, String), Tally>,
    /// Raises that came before a budget or had none, by name of the product and of the rule.
    pub raises: BTreeMap<(String, String), Raises>,
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
pub struct Tally {
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
            (1..=run.job.scorecard.reasons).map(|place| format!("reason_{place}")).collect();
        let mut names = vec!["score", "band"];
        names.extend(reasons.iter().map(String::as_str));
        for_batches(&run.directory, "scores", &names, |rows| {
            let (score, band) = (rows.ints("score")?, rows.texts("band")?);
            for row in 0..rows.len {
                let score = score.values[row];
                *self.scores.entry(score).or_default() += 1;
                let figures = entry(&mut self.bands, band.get(row).unwrap_or_default());
                figures.accounts += 1;
                let (least, most) = figures.range.unwrap_or((score, score));
                figures.range = Some((least.min(score), most.max(score)));
            }
            for name in &reasons {
                count(&mut self.score_reasons, rows.texts(name)?, rows.len);
            }
            Ok(())
        })
    }

    fn add_decisions(&mut self, run: &PublishedRun) -> Result<()> {
        let names = ["product", "action", "reason", "rule", "bound_by", "old_limit", "new_limit"];
        for_batches(&run.directory, "decisions", &names, |rows| {
            let (product, action) = (rows.texts("product")?, rows.texts("action")?);
            let (reason, rule) = (rows.texts("reason")?, rows.texts("rule")?);
            let bound_by = rows.texts("bound_by")?;
            let (old, new) = (rows.ints("old_limit")?, rows.ints("new_limit")?);
            for row in 0..rows.len {
                let is_raise = action.get(row) == Some(Action::Raise.name());
                if is_raise || reason.get(row) == Some(Refusal::Budget.name()) {
                    let name = |texts: &Texts| texts.get(row).unwrap_or_default().to_string();
                    let raises = self.raises.entry((name(product), name(rule))).or_default();
                    raises.granted += u64::from(is_raise);
                    raises.refused += u64::from(!is_raise);
                    raises.increase += i128::from(new.values[row]) - i128::from(old.values[row]);
                }
                let is_held = action.get(row) == Some(Action::Hold.name());
                entry(&mut self.reasons, reason.get(row).unwrap_or_default()).add(is_held);
                if let Some(rule) = rule.get(row) {
                    entry(&mut self.rules, rule).add(is_held);
                }
                if let Some(cap) = bound_by.get(row) {
                    let key = (product.get(row).unwrap_or_default().to_string(), cap.to_string());
                    self.caps.entry(key).or_default().add(is_held);
                }
            }
            Ok(())
        })
    }

    fn add_rejects(&mut self, run: &PublishedRun) -> Result<()> {
        for_batches(&run.directory, "rejects", &["input", "delivery", "reason"], |rows| {
            let (input, reason) = (rows.texts("input")?, rows.texts("reason")?);
            let delivery = rows.ints("delivery")?;
            let text = |texts: &Texts, row| texts.get(row).unwrap_or_default().to_string();
            for row in 0..rows.len {
                let day = delivery.get(row).map(|day| crate::day::Day(*day as i32).to_string());
                *self
                    .rejects
                    .entry((text(input, row), day.unwrap_or_default(), text(reason, row)))
                    .or_default() += 1;
            }
            Ok(())
        })
    }
}

impl Tally {
    fn add(&mut self, is_held: bool) {
        self.lines += 1;
        self.held += u64::from(is_held);
    }
}

/// The entry of a name, which is only copied where it is new.
fn entry<'a, T: Default>(all: &'a mut BTreeMap<String, T>, name: &str) -> &'a mut T {
    if !all.contains_key(name) {
        all.insert(name.to_string(), T::default());
    }
    all.get_mut(name).expect("it is there")
}

fn count(all: &mut BTreeMap<String, u64>, texts: &Texts, rows: usize) {
    for name in (0..rows).filter_map(|row| texts.get(row)) {
        *entry(all, name) += 1;
    }
}
