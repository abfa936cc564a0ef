//! Why decisions changed: what the data, the scorecard, the policy, the caps and the budgets moved.
//!
//! The left run is turned into the right one in steps: the right run's data decided on the left scorecard and
//! policy, then on the right scorecard and the left policy, then on the right run's own. Each step gives the limit
//! that the rules ask for (uncapped), the one that the caps leave, and the one that the budget grants:
//!
//! new limit = uncapped + (capped − uncapped) + (granted − capped)
//!
//! so a line's change is exactly the sum, over the steps, of the changes of the uncapped limit, and of the changes
//! of what caps and budgets take.

use anyhow::Result;
use serde::Serialize;

use super::redecide::{Redecided, Redecision, RunSide};
use crate::diff::read::join::JoinPiece;
use crate::diff::read::pairs::NONE;
use crate::run_dir::DecidingFiles;
use crate::run_dir::decisions::{Decisions, PublishedOutcome};

/// Changed decisions and the money they moved, by cause; the parts add up to the whole.
#[derive(Debug, Clone, Default, Serialize)]
pub struct DecisionCauses {
    /// By cause.
    pub parts: Vec<DecisionPart>,
    /// Of all parts: decisions.
    pub decisions: u64,
    /// Of all parts: Σ new limits right − left, minor units.
    pub change: i128,
    /// According to the tables themselves, for comparison: changed decisions and lines of one side.
    pub changed: u64,
    /// And the money.
    pub moved: i128,
    /// Which causes could not be separated, and why.
    pub notes: Vec<String>,
}

/// What one cause did.
#[derive(Debug, Clone, Serialize)]
pub struct DecisionPart {
    /// Its name.
    pub cause: String,
    /// Decisions attributed to it.
    pub decisions: u64,
    /// What it moved, minor units.
    pub change: i128,
}

/// The right run's data decided on a scorecard and a policy of which some are the left run's.
struct CauseStep {
    /// What is new in it.
    cause: &'static str,
    /// `None` is the right run itself.
    redecision: Option<Redecision>,
}

/// Attributes changed decisions to causes.
pub struct CauseTally {
    sides: [RunSide; 2],
    /// Each run decided again on its own terms.
    own: [Option<Redecision>; 2],
    steps: Vec<CauseStep>,
    /// Those of the steps, then those of [`OTHERS`].
    parts: Vec<PartSum>,
    changed: u64,
    moved: i128,
    notes: Vec<String>,
}

/// What is counted of one cause.
#[derive(Debug, Clone, Copy, Default)]
struct PartSum {
    decisions: u64,
    change: i128,
}

/// Causes besides those of the steps.
const OTHERS: [&str; 4] = ["caps", "budget", "lines only on one side", "not explained"];

/// Positions among [`OTHERS`].
const CAPS: usize = 0;
const BUDGET: usize = 1;
const LINES: usize = 2;
const UNEXPLAINED: usize = 3;

/// What one cause did to one line.
struct LinePart {
    /// Position among the piece's pairs of lines.
    pair: usize,
    /// Position among the parts.
    part: usize,
    /// Whether the decision is attributed to it.
    is_main: bool,
    /// What it moved, minor units.
    change: i128,
}

/// A line's cause in the changes that are written out.
pub struct LineCause {
    /// Position among the piece's pairs of lines.
    pub pair: usize,
    /// Its name.
    pub cause: &'static str,
    /// Whether the decision is attributed to it.
    pub is_main: bool,
    /// What it moved, minor units.
    pub change: i128,
}

impl CauseTally {
    /// Between two runs decided by these files; `changed` says why these are others, if it is not that they were edited.
    pub fn new(files: [&DecidingFiles; 2], sides: [RunSide; 2], changed: DecidedAnew) -> CauseTally {
        let [left, right] = files;
        let mut notes = Vec::new();
        let own = [(left, "left", &sides[0]), (right, "right", &sides[1])].map(|(files, run, side)| {
            Redecision::new(files, files, side, true)
                .map_err(|why| notes.push(format!("the {run} run cannot be decided again: {why}")))
                .ok()
        });
        let steps = match &own {
            [Some(_), Some(_)] => steps([left, right], &sides, &own, changed, &mut notes),
            _ => vec![CauseStep { cause: "data, scorecard, policy, caps or budget", redecision: None }],
        };
        let parts = vec![PartSum::default(); steps.len() + OTHERS.len()];
        CauseTally { sides, own, steps, parts, changed: 0, moved: 0, notes }
    }

    /// Attributes the changed decisions of a piece to causes. `changed` is by pair of lines.
    pub fn add(&mut self, piece: &JoinPiece, changed: &[bool]) -> Vec<LineCause> {
        let mut found = Vec::new();
        let [left_side, right_side] = &self.sides;
        let left_decisions = piece.left.map(|block| left_side.slots.of(&block.lines));
        let right_decisions = piece.right.map(|block| right_side.slots.of(&block.lines));
        for (pair, (left, right)) in piece.lines.iter().enumerate() {
            let is_one_sided = left == NONE || right == NONE;
            if !is_one_sided && !changed[pair] {
                continue;
            }
            let change =
                new_limit(right_decisions.as_ref(), right) - new_limit(left_decisions.as_ref(), left);
            self.changed += 1;
            self.moved += change;
            if is_one_sided {
                found.push(LinePart { pair, part: self.other(LINES), is_main: true, change });
            }
        }
        if changed.contains(&true) {
            self.explain(piece, changed, &mut found);
        }
        found.sort_by_key(|found| (found.pair, found.part));
        let causes = found.into_iter().map(|LinePart { pair, part, is_main, change }| {
            self.parts[part].decisions += u64::from(is_main);
            self.parts[part].change += change;
            LineCause { pair, cause: self.name(part), is_main, change }
        });
        causes.collect()
    }

    /// The position among the parts of one of [`OTHERS`].
    fn other(&self, number: usize) -> usize {
        self.steps.len() + number
    }

    fn name(&self, part: usize) -> &'static str {
        match self.steps.get(part) {
            Some(step) => step.cause,
            None => OTHERS[part - self.steps.len()],
        }
    }

    /// Splits the changes of the lines that both sides have.
    fn explain(&self, piece: &JoinPiece, changed: &[bool], found: &mut Vec<LinePart>) {
        let (Some(left_block), Some(right_block)) = (piece.left, piece.right) else { return };
        let [left, right] = &self.sides;
        let published = [left.slots.of(&left_block.lines), right.slots.of(&right_block.lines)];
        let [left_rows, right_rows] = changed_accounts(piece, changed);
        let own = match &self.own {
            [Some(left_terms), Some(right_terms)] => Some([
                left_terms.decide(left, left_block, &left_rows),
                right_terms.decide(right, right_block, &right_rows),
            ]),
            _ => None,
        };
        let steps = self.steps.iter().map(|step| {
            let redecision = step.redecision.as_ref()?;
            Some(redecision.decide(right, right_block, &right_rows))
        });
        let steps: Vec<Option<Redecided>> = steps.collect();
        for (pair, (i, j)) in piece.lines.iter().enumerate().filter(|(pair, _)| changed[*pair]) {
            let lines = [i as usize, j as usize];
            let published = [published[0].outcome(lines[0]), published[1].outcome(lines[1])];
            match &own {
                Some(own) => self.explain_line(pair, lines, &published, own, &steps, found),
                // There is one step then, whose cause names all of them.
                None => {
                    let change = limit(&published[1]) - limit(&published[0]);
                    found.push(LinePart { pair, part: 0, is_main: true, change });
                }
            }
        }
    }

    /// Splits the change of one line, `lines` of the two blocks.
    fn explain_line(
        &self,
        pair: usize,
        lines: [usize; 2],
        published: &[PublishedOutcome; 2],
        own: &[Redecided; 2],
        steps: &[Option<Redecided>],
        found: &mut Vec<LinePart>,
    ) {
        let [left, right] = own;
        let capped = [left.capped(lines[0]), right.capped(lines[1])];
        let is_reproduced = (0..2)
            .all(|side| is_reproduced(&published[side], &capped[side], own[side].has_budget(lines[side])));
        if !is_reproduced {
            let change = limit(&published[1]) - limit(&published[0]);
            found.push(LinePart { pair, part: self.other(UNEXPLAINED), is_main: true, change });
            return;
        }
        // What the rules ask for on the left, then after each step.
        let mut uncapped = vec![left.uncapped(lines[0])];
        uncapped.extend(steps.iter().map(|step| step.as_ref().unwrap_or(right).uncapped(lines[1])));
        let (first, last) = (&uncapped[0], &uncapped[uncapped.len() - 1]);
        let by_caps = (limit(&capped[1]) - limit(last)) - (limit(&capped[0]) - limit(first));
        let by_budget =
            (limit(&published[1]) - limit(&capped[1])) - (limit(&published[0]) - limit(&capped[0]));
        // The decision is attributed to what changed it last.
        let last_step = (0..steps.len()).rfind(|step| uncapped[*step] != uncapped[step + 1]);
        let main = match last_step {
            _ if capped[0] == capped[1] => self.other(BUDGET),
            Some(step) => step,
            None => self.other(CAPS),
        };
        let by_steps =
            (0..steps.len()).map(|step| (step, limit(&uncapped[step + 1]) - limit(&uncapped[step])));
        let others = [(self.other(CAPS), by_caps), (self.other(BUDGET), by_budget)];
        for (part, change) in by_steps.chain(others) {
            if part == main || change != 0 {
                found.push(LinePart { pair, part, is_main: part == main, change });
            }
        }
    }

    /// What was counted.
    pub fn finish(mut self) -> DecisionCauses {
        let unexplained = self.parts[self.other(UNEXPLAINED)].decisions;
        if unexplained > 0 {
            self.notes.push(format!(
                "{unexplained} decisions come out otherwise when decided again from their own run, so they are not explained"
            ));
        }
        let parts = self.parts.iter().enumerate().map(|(number, sum)| DecisionPart {
            cause: self.name(number).to_string(),
            decisions: sum.decisions,
            change: sum.change,
        });
        let mut parts: Vec<DecisionPart> = parts.collect();
        // The last part is shown only where there is something unexplained.
        parts.retain(|part| part.cause != OTHERS[UNEXPLAINED] || part.decisions > 0);
        DecisionCauses {
            decisions: parts.iter().map(|part| part.decisions).sum(),
            change: parts.iter().map(|part| part.change).sum(),
            parts,
            changed: self.changed,
            moved: self.moved,
            notes: self.notes,
        }
    }
}

fn limit(outcome: &PublishedOutcome) -> i128 {
    outcome.new_limit.into()
}

/// A line's new limit, minor units; 0 where the side does not have the line.
fn new_limit(decisions: Option<&Decisions>, line: u32) -> i128 {
    match decisions {
        Some(decisions) if line != NONE => decisions.new_limit(line as usize).into(),
        _ => 0,
    }
}

/// By side, the rows of the accounts with a changed line.
fn changed_accounts(piece: &JoinPiece, changed: &[bool]) -> [Vec<u32>; 2] {
    let mut accounts: Vec<u32> = Vec::new();
    for (pair, row) in piece.row_of_line.iter().enumerate() {
        if changed[pair] && accounts.last() != Some(row) {
            accounts.push(*row);
        }
    }
    [&piece.rows.left, &piece.rows.right]
        .map(|rows| accounts.iter().map(|account| rows[*account as usize]).collect())
}

/// Whether deciding again gives what is published: the same, or a raise that the budget refused.
fn is_reproduced(published: &PublishedOutcome, capped: &PublishedOutcome, has_budget: bool) -> bool {
    published == capped
        || (has_budget
            && capped.action == "raise"
            && published.reason == "budget"
            && published.rule == capped.rule
            && published.bound_by == capped.bound_by)
}

/// Why another scorecard or policy decides about accounts than on the left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DecidedAnew {
    /// The files were edited, or are the same.
    Edited,
    /// The accounts are of another arm.
    Arm,
    /// They are of another segment.
    Segment,
}

/// What the causes of the steps are called.
struct CauseNames {
    scorecard: &'static str,
    policy: &'static str,
    data_or_scorecard: &'static str,
    data_or_policy: &'static str,
    scorecard_or_policy: &'static str,
    any: &'static str,
}

impl DecidedAnew {
    fn names(self) -> CauseNames {
        let of_accounts = |scorecard, any| CauseNames {
            scorecard,
            policy: scorecard,
            data_or_scorecard: any,
            data_or_policy: any,
            scorecard_or_policy: scorecard,
            any,
        };
        match self {
            DecidedAnew::Edited => CauseNames {
                scorecard: "scorecard",
                policy: "policy",
                data_or_scorecard: "data or scorecard",
                data_or_policy: "data or policy",
                scorecard_or_policy: "scorecard or policy",
                any: "data, scorecard or policy",
            },
            DecidedAnew::Arm => of_accounts("arm", "data or arm"),
            DecidedAnew::Segment => of_accounts("segment", "data or segment"),
        }
    }
}

/// The steps from left to right that can be taken.
fn steps(
    [left, right]: [&DecidingFiles; 2],
    sides: &[RunSide; 2],
    own: &[Option<Redecision>; 2],
    changed: DecidedAnew,
    notes: &mut Vec<String>,
) -> Vec<CauseStep> {
    let names = changed.names();
    let same_scorecard = left.scorecard.text == right.scorecard.text;
    let same_policy = left.policy.text == right.policy.text;
    let mut steps: Vec<CauseStep> = Vec::new();
    // The right data decided on the left scorecard and policy.
    let on_left = match (same_scorecard, same_policy) {
        (true, true) => return vec![CauseStep { cause: "data", redecision: None }],
        (true, false) => Redecision::new(right, left, &sides[1], true).map_err(|why| first_line(&why)),
        (false, _) => on_left_scorecard(left, &sides[1], own),
    };
    let between = if same_scorecard || same_policy {
        None
    } else {
        Some(Redecision::new(right, left, &sides[1], true).map_err(|why| first_line(&why)))
    };
    let mut is_split = true;
    match on_left {
        Ok(redecision) => steps.push(CauseStep { cause: "data", redecision: Some(redecision) }),
        Err(why) => {
            notes.push(format!("not separable: {why}"));
            is_split = false;
        }
    }
    let scorecard = if is_split { names.scorecard } else { names.data_or_scorecard };
    let last = match (same_scorecard, same_policy, between) {
        (true, _, _) if is_split => names.policy,
        (true, _, _) => names.data_or_policy,
        (false, true, _) => scorecard,
        (_, _, Some(Ok(redecision))) => {
            steps.push(CauseStep { cause: scorecard, redecision: Some(redecision) });
            names.policy
        }
        (_, _, Some(Err(why))) => {
            notes.push(format!("not separable: the left policy on the right scorecard: {why}"));
            if is_split { names.scorecard_or_policy } else { names.any }
        }
        (_, _, None) => names.policy,
    };
    steps.push(CauseStep { cause: last, redecision: None });
    steps
}

/// The left scorecard and policy on the right run's data, if that has all they read.
fn on_left_scorecard(
    left: &DecidingFiles,
    side: &RunSide,
    own: &[Option<Redecision>; 2],
) -> Result<Redecision, String> {
    let redecision = Redecision::new(left, left, side, false)
        .map_err(|why| format!("the left scorecard and policy on the right data: {}", first_line(&why)))?;
    let Some(right) = &own[1] else { return Ok(redecision) };
    let mut used = redecision.terms.features_used().into_iter();
    match used.find(|feature| !redecision.terms.declares_alike(*feature, &right.terms)) {
        None => Ok(redecision),
        Some(feature) => {
            let name = &redecision.terms.features[feature].name;
            Err(format!("the right run has the feature {name} declared otherwise, or not at all"))
        }
    }
}

fn first_line(why: &str) -> String {
    why.lines().next().unwrap_or_default().trim_start_matches("error: ").to_string()
}
