//! One account rescored and decided again, as it is or with one feature changed.
//!
//! A change sets one feature, and those that move with it; ratios and expressions derived from them are computed
//! anew. All else stays as it is: the other features, the lines, and what other accounts ask of the budgets.

use anyhow::{Result, ensure};

use super::budget::{BudgetLeft, Budgets};
use super::features::derived_from;
use super::scenario::{Scenario, Scenarios};
use crate::arms::Assignment;
use crate::console::money;
use crate::expr::{Column, Ints};
use crate::failure::input;
use crate::features::{FeatureTable, derived};
use crate::input::lines::Lines;
use crate::job::letter::{self, BlankForm};
use crate::job::{Arm, Job};
use crate::policy::{Decision, decide_unbudgeted};
use crate::run_dir::rows::AccountId;
use crate::run_dir::{Decided, Facts, PublishedRun};
use crate::score::Scores;

/// No debt is older: two hundred years.
const MOST_DAYS_AGO: i64 = 73_000;

/// An account of a run, ready to be decided again.
pub struct WhatIf<'a> {
    /// The run.
    pub run: &'a PublishedRun,
    /// The account's lines and features.
    pub facts: &'a Facts,
    /// Its job, as it is for the account: with the scorecard and the policy that decide about it.
    pub job: Job,
    /// Which those are.
    pub assignment: Assignment,
    /// Who else wants raises.
    pub budgets: Budgets,
    scenarios: Scenarios<'a>,
}

/// What an account comes to, rescored and decided again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assessment {
    /// The score.
    pub score: i32,
    /// Position of its band.
    pub band: u8,
    /// By characteristic.
    pub points: Vec<i32>,
    /// One a line.
    pub decisions: Vec<Decision>,
}

impl<'a> WhatIf<'a> {
    /// Prepares an account to be rescored and decided again.
    pub fn new(run: &'a PublishedRun, facts: &'a Facts) -> Result<WhatIf<'a>> {
        let ids = facts.lines.columns[0].as_ref().expect("ids are always read");
        let own = AccountId::of(ids, 0).ok_or_else(|| input("read decisions: an account has no id"))?;
        let products: Vec<&str> =
            (0..facts.decided.len()).filter_map(|line| facts.lines.product.get(line)).collect();
        let now = (0..run.job.features.len()).map(|feature| facts.features.get(feature, 0));
        let assignment = run.assignment_of(facts);
        let (arm, segment) = (assignment.arm(0), assignment.segment(0));
        let job = run.job.decided_by(arm, segment);
        let budgets = Budgets::read(run, arm, &own, &products)?;
        let scenarios = Scenarios::new(&run.job.features, &job, now.collect());
        Ok(WhatIf { run, facts, job, assignment, budgets, scenarios })
    }

    /// The account as it is. Fails where that is not what the run decided.
    pub fn as_it_is(&self) -> Result<Assessment> {
        let scores = self.facts.score(&self.job.scorecard, &self.facts.features, 1);
        let decisions = self.decide(&self.facts.lines, &self.facts.features, &scores);
        let assessment = assessments(&scores, decisions, 1).remove(0);
        for (decision, decided) in assessment.decisions.iter().zip(&self.facts.decided) {
            let again = self.as_published(decision, &assessment);
            ensure!(
                again == *decided,
                input(format!(
                    "explain {}: deciding a line again gives {again:?}, and the run says {decided:?}; the run was \
                     made by version {} of the program, or is damaged",
                    self.run.directory.path().display(),
                    self.run.manifest.program_version
                ))
            );
        }
        Ok(assessment)
    }

    /// A rule's text with the account's figures filled in.
    pub fn filled(&self, text: &str) -> String {
        let job = &self.job;
        letter::fill(text.trim(), |blank| {
            let feature = job.features.iter().position(|feature| feature.name == blank.feature);
            let value = feature.and_then(|feature| self.facts.features.get(feature, 0));
            match (value, blank.form) {
                (Some(value), BlankForm::Amount) => money(value.into(), job.minor_units),
                (Some(days @ 0..=MOST_DAYS_AGO), BlankForm::Day) => {
                    self.run.manifest.as_of.plus(-(days as i32)).in_words()
                }
                _ => "unknown".to_string(),
            }
        })
    }

    /// A decision as `decisions.parquet` shows it.
    pub fn as_published(&self, decision: &Decision, assessment: &Assessment) -> Decided {
        let job = &self.job;
        Decided {
            action: decision.action.name().to_string(),
            reason: decision.reason(&job.policy).to_string(),
            rule: decision.rule_of(&job.policy).map(|rule| rule.name.clone()),
            new_limit: decision.new_limit,
            new_status: decision.new_status.name().to_string(),
            bound_by: decision.bound_by.map(|cap| cap.name().to_string()),
            effective_on: decision.effective_on,
            score: assessment.score.into(),
            band: job.scorecard.bands[usize::from(assessment.band)].name.clone(),
        }
    }

    /// What the scorecard of the other arm gives.
    pub fn other_score(&self) -> i32 {
        let (job, segment) = (&self.run.job, self.assignment.segment(0));
        let other = if self.assignment.arm(0) == Arm::Champion { Arm::Challenger } else { Arm::Champion };
        let card = job.card(job.card_of(other, segment));
        self.facts.score(card, &self.facts.features, 1).score[0]
    }

    /// The features that move with a feature.
    pub fn linked(&self, feature: usize) -> &[usize] {
        self.scenarios.linked(feature)
    }

    /// What else moves where a feature is set to a value, itself first; `None` where it cannot be so.
    pub fn scenario(&self, feature: usize, to: i64) -> Option<Scenario> {
        self.scenarios.with(feature, to)
    }

    /// The account with a feature set to each of some values; `None` where it cannot be so, where the person cannot
    /// move it so, or where a feature made of it would not fit in 64 bits.
    pub fn with(&self, feature: usize, values: &[i64]) -> Vec<Option<Assessment>> {
        self.in_scenarios(&values.iter().map(|value| self.scenario(feature, *value)).collect::<Vec<_>>())
    }

    /// The same for the score alone, with one value.
    pub fn rescored(&self, feature: usize, to: i64) -> Option<Assessment> {
        self.in_scenarios(&[self.scenarios.with_for_score(feature, to)]).remove(0)
    }

    fn in_scenarios(&self, scenarios: &[Option<Scenario>]) -> Vec<Option<Assessment>> {
        let mut results = vec![None; scenarios.len()];
        let mut possible: Vec<usize> =
            (0..scenarios.len()).filter(|number| scenarios[*number].is_some()).collect();
        // One whose derived features do not fit is left out, and the others are computed again.
        let features = loop {
            let chosen: Vec<&Scenario> =
                possible.iter().filter_map(|number| scenarios[*number].as_ref()).collect();
            match self.features_in(&chosen) {
                Ok(features) => break features,
                Err(row) => drop(possible.remove(row)),
            }
        };
        let lines = self.facts.lines.repeated(possible.len());
        let scores = self.facts.score(&self.job.scorecard, &features, possible.len());
        let decisions = self.decide(&lines, &features, &scores);
        let assessments = assessments(&scores, decisions, possible.len());
        for ((row, number), assessment) in possible.iter().enumerate().zip(assessments) {
            results[*number] = Some(assessment)
                .filter(|_| self.can_be_moved(&features, row) && self.keeps_scorecard(&features, row));
        }
        results
    }

    /// Whether the person can move all that a row of features moves, as far as characteristics say so.
    fn can_be_moved(&self, features: &FeatureTable, row: usize) -> bool {
        self.job.scorecard.characteristics.iter().all(|characteristic| {
            let feature = characteristic.feature;
            let (from, to) = (self.facts.features.get(feature, 0), features.get(feature, row));
            characteristic.actionable.allows(from, to)
        })
    }

    /// Whether a row of features leaves the account with the scorecard that decides about it: what another one would say
    /// is no change of a feature alone.
    fn keeps_scorecard(&self, features: &FeatureTable, row: usize) -> bool {
        let job = &self.run.job;
        job.variants.segments.is_empty()
            || self.assignment.repeated(job, features, row + 1).card(job, row) == self.assignment.card(job, 0)
    }

    /// The features, a row a scenario; all of them set the same features. `Err` names the first row of which a
    /// derived feature does not fit.
    fn features_in(&self, scenarios: &[&Scenario]) -> Result<FeatureTable, usize> {
        let job = &self.job;
        let rows = scenarios.len();
        let zeros = vec![0; rows];
        let mut columns: Vec<Column> =
            (0..job.features.len()).map(|feature| self.facts.features.gather(feature, &zeros)).collect();
        let set: Vec<usize> = match scenarios.first() {
            Some(scenario) => scenario.iter().map(|setting| setting.feature).collect(),
            None => Vec::new(),
        };
        for (position, feature) in set.iter().enumerate() {
            let values = scenarios.iter().map(|scenario| scenario[position].value);
            columns[*feature] = Column::Int(Ints::all(values.collect()));
        }
        let mut all_derived: Vec<usize> =
            set.iter().flat_map(|feature| derived_from(job, *feature)).collect();
        all_derived.sort_unstable();
        all_derived.dedup();
        // In file order, in which features come after what they are derived from.
        for feature in all_derived.into_iter().filter(|feature| !set.contains(feature)) {
            let above = columns.iter().map(Some).collect();
            let column = derived(&job.features[feature].kind, above, rows);
            let column = column.expect("only ratios and expressions are derived");
            columns[feature] = Column::Int(column.map_err(|(row, _)| row)?);
        }
        Ok(FeatureTable::of(&columns))
    }

    fn decide(&self, lines: &Lines, features: &FeatureTable, scores: &Scores) -> Vec<Decision> {
        self.decide_within_budgets(lines, features, scores).0
    }

    /// What the raise of each line finds in its budget as the account is; `None` where nothing bounds it, or
    /// where it does not come that far.
    pub fn budgets_left(&self, scores: &Scores) -> Vec<Option<BudgetLeft>> {
        self.decide_within_budgets(&self.facts.lines, &self.facts.features, scores).1
    }

    /// Decides lines, and says what each raise found in its budget.
    fn decide_within_budgets(
        &self,
        lines: &Lines,
        features: &FeatureTable,
        scores: &Scores,
    ) -> (Vec<Decision>, Vec<Option<BudgetLeft>>) {
        let job = &self.job;
        let mut decisions = decide_unbudgeted(job, self.run.manifest.as_of, lines, features, scores);
        let left = self.budgets.apply(&job.policy, lines, scores, &mut decisions);
        (decisions, left)
    }
}

/// By account, its score and the decisions of its lines, of which all accounts have as many.
fn assessments(scores: &Scores, decisions: Vec<Decision>, accounts: usize) -> Vec<Assessment> {
    let lines = decisions.len().checked_div(accounts).unwrap_or(0);
    let assessments = (0..accounts).map(|account| Assessment {
        score: scores.score[account],
        band: scores.band[account],
        points: scores.points.iter().map(|points| points[account]).collect(),
        decisions: decisions[account * lines..(account + 1) * lines].to_vec(),
    });
    assessments.collect()
}
