//! Why decisions changed: what the data, the scorecard, the policy, the caps and the budgets moved.
//!
//! The left run is taken to the right one in steps: the right run's data decided on the left scorecard and
//! policy, then on the right scorecard and the left policy, then on the right run's own. At each step
//! stands what the rules wish for (nothing capped), what the caps leave of it, and what the budget grants:
//!
//! new limit = wished + (capped − wished) + (granted − capped)
//!
//! so a line's change is, exactly, the sum over the steps of the changes of what is wished, and the
//! changes of what caps and budgets take.

use anyhow::Result;
use serde::Serialize;

use super::redecide::{Redecided, Redecision, RunSide};
use crate::diff::read::cells::NONE;
use crate::diff::read::join::JoinPiece;
use crate::run_dir::Copies;
use crate::run_dir::decisions::Outcome;

/// Changed decisions and the money they moved, by cause; the parts add up to the whole.
#[derive(Debug, Clone, Default, Serialize)]
pub struct DecisionCauses {
    /// By cause.
    pub parts: Vec<DecisionPart>,
    /// Of all parts: decisions.
    pub decisions: u64,
    /// Of all parts: Σ new limits right − left, minor units.
    pub change: i128,
    /// What the tables themselves say, to compare: changed decisions and lines of one side.
    pub changed: u64,
    /// And the money.
    pub moved: i128,
    /// What could not be told apart, and why.
    pub notes: Vec<String>,
}

/// What one cause did.
#[derive(Debug, Clone, Serialize)]
pub struct DecisionPart {
    /// Its name.
    pub cause: String,
    /// Decisions put down to it.
    pub decisions: u64,
    /// What it moved, minor units.
    pub change: i128,
}

/// The right run's data decided on terms of which some are the left run's.
struct CauseStep {
    /// What is new in it.
    cause: &'static str,
    /// `None` is the right run itself.
    again: Option<Redecision>,
}

/// Puts changed decisions down to causes.
pub struct CauseTally {
    sides: [RunSide; 2],
    own: [Option<Redecision>; 2],
    steps: Vec<CauseStep>,
    /// Those of the steps, then those below.
    parts: Vec<(u64, i128)>,
    changed: u64,
    moved: i128,
    notes: Vec<String>,
}

/// Causes besides those of the steps.
const CAPS: usize = 0;
const BUDGET: usize = 1;
const LINES: usize = 2;
const UNEXPLAINED: usize = 3;
const OTHERS: [&str; 4] = ["caps", "budget", "lines only on one side", "not explained"];

/// A line's cause in the changes that are written out.
pub struct LineCause {
    /// Position among the piece's pairs of lines.
    pub pair: usize,
    /// Its name.
    pub cause: &'static str,
    /// Whether the decision is put down to it.
    pub is_main: bool,
    /// What it moved, minor units.
    pub change: i128,
}

impl CauseTally {
    /// Between two runs with these job files.
    pub fn new(copies: [&Copies; 2], sides: [RunSide; 2]) -> CauseTally {
        let [left, right] = copies;
        let mut notes = Vec::new();
        let own = [0, 1].map(|side| {
            let again = Redecision::new(copies[side], copies[side], &sides[side], true);
            let run = ["left", "right"][side];
            again.map_err(|why| notes.push(format!("the {run} run cannot be decided again: {why}"))).ok()
        });
        let steps = match &own {
            [Some(_), Some(_)] => steps(left, right, &sides, &own, &mut notes),
            _ => vec![CauseStep { cause: "data, scorecard, policy, caps or budget", again: None }],
        };
        let parts = vec![(0, 0); steps.len() + OTHERS.len()];
        CauseTally { sides, own, steps, parts, changed: 0, moved: 0, notes }
    }

    /// Puts the changed decisions of a piece down to causes. `changed` is by pair of lines.
    pub fn add(&mut self, piece: &JoinPiece, changed: &[bool]) -> Vec<LineCause> {
        let mut found = Vec::new();
        let others = self.steps.len();
        let decided = [piece.left, piece.right]
            .into_iter()
            .zip(&self.sides)
            .map(|(block, side)| block.map(|block| side.slots.of(&block.lines)))
            .collect::<Vec<_>>();
        let limit = |side: usize, line: u32| {
            decided[side].as_ref().map_or(0, |decided| i128::from(decided.new_limit(line as usize)))
        };
        for (pair, (left, right)) in piece.lines.iter().enumerate() {
            let change = match (left, right) {
                (NONE, right) => limit(1, right),
                (left, NONE) => -limit(0, left),
                _ => continue,
            };
            found.push((pair, others + LINES, true, change));
        }
        if changed.contains(&true) {
            self.explain(piece, changed, &mut found);
        }
        found.sort_by_key(|(pair, part, ..)| (*pair, *part));
        let mut causes = Vec::with_capacity(found.len());
        for (pair, part, is_main, change) in found {
            self.parts[part].0 += u64::from(is_main);
            self.parts[part].1 += change;
            let name = self.name(part);
            causes.push(LineCause { pair, cause: name, is_main, change });
        }
        for (pair, (left, right)) in piece.lines.iter().enumerate() {
            let is_one_sided = left == NONE || right == NONE;
            if is_one_sided || changed[pair] {
                self.changed += 1;
                self.moved += if right == NONE { 0 } else { limit(1, right) };
                self.moved -= if left == NONE { 0 } else { limit(0, left) };
            }
        }
        causes
    }

    fn name(&self, part: usize) -> &'static str {
        match self.steps.get(part) {
            Some(step) => step.cause,
            None => OTHERS[part - self.steps.len()],
        }
    }

    /// Splits the changes of the lines that both sides have.
    fn explain(&self, piece: &JoinPiece, changed: &[bool], found: &mut Vec<(usize, usize, bool, i128)>) {
        let (Some(a), Some(b)) = (piece.left, piece.right) else { return };
        let [left, right] = &self.sides;
        let (published_left, published_right) = (left.slots.of(&a.lines), right.slots.of(&b.lines));
        let mut accounts: Vec<u32> = Vec::new();
        for (pair, row) in piece.row_of_line.iter().enumerate() {
            if changed[pair] && accounts.last() != Some(row) {
                accounts.push(*row);
            }
        }
        let rows = |rows: &[u32]| accounts.iter().map(|account| rows[*account as usize]).collect::<Vec<_>>();
        let (left_rows, right_rows) = (rows(&piece.rows.left), rows(&piece.rows.right));
        let own = match &self.own {
            [Some(l), Some(r)] => {
                Some((l, l.decide(left, a, &left_rows), r, r.decide(right, b, &right_rows)))
            }
            _ => None,
        };
        let steps: Vec<Option<(&Redecision, Redecided)>> = self
            .steps
            .iter()
            .map(|step| step.again.as_ref().map(|again| (again, again.decide(right, b, &right_rows))))
            .collect();
        for (pair, (i, j)) in piece.lines.iter().enumerate().filter(|(pair, _)| changed[*pair]) {
            let (i, j) = (i as usize, j as usize);
            let whole = i128::from(published_right.new_limit(j)) - i128::from(published_left.new_limit(i));
            let Some((l, l_settled, r, r_settled)) = &own else {
                found.push((pair, 0, true, whole));
                continue;
            };
            let (as_left, as_right) = (left.slots.as_of, right.slots.as_of);
            let (p, q) = (l_settled.position[i] as usize, r_settled.position[j] as usize);
            let capped_left = l.outcome(&l_settled.capped[p], as_left);
            let capped_right = r.outcome(&r_settled.capped[q], as_right);
            let is_same = is_told(&published_left.outcome(i), &capped_left, l_settled.has_budget(l, p))
                && is_told(&published_right.outcome(j), &capped_right, r_settled.has_budget(r, q));
            if !is_same {
                found.push((pair, self.steps.len() + UNEXPLAINED, true, whole));
                continue;
            }
            // Outcome and limit wished for on the left, then after each step.
            let mut wishes = vec![(l.outcome(&l_settled.wished[p], as_left), l_settled.wished[p].new_limit)];
            for step in &steps {
                let (again, settled) =
                    step.as_ref().map_or((*r, r_settled), |(again, settled)| (*again, settled));
                let wished = &settled.wished[settled.position[j] as usize];
                wishes.push((again.outcome(wished, as_right), wished.new_limit));
            }
            let caps = |capped: &Outcome, wished: i64| i128::from(capped.new_limit) - i128::from(wished);
            let (first, last) = (wishes[0].1, wishes[wishes.len() - 1].1);
            let caps = caps(&capped_right, last) - caps(&capped_left, first);
            let budget = (i128::from(published_right.new_limit(j)) - i128::from(capped_right.new_limit))
                - (i128::from(published_left.new_limit(i)) - i128::from(capped_left.new_limit));
            let others = self.steps.len();
            let last_step = (0..others).rfind(|step| wishes[*step].0 != wishes[*step + 1].0);
            let main = match last_step {
                _ if capped_left == capped_right => others + BUDGET,
                Some(step) => step,
                None => others + CAPS,
            };
            let moved =
                (0..others).map(|step| (step, i128::from(wishes[step + 1].1) - i128::from(wishes[step].1)));
            for (part, change) in moved.chain([(others + CAPS, caps), (others + BUDGET, budget)]) {
                if part == main || change != 0 {
                    found.push((pair, part, part == main, change));
                }
            }
        }
    }

    /// What was counted.
    pub fn finish(mut self) -> DecisionCauses {
        let part = |(number, (decisions, change)): (usize, &(u64, i128))| DecisionPart {
            cause: self.name(number).to_string(),
            decisions: *decisions,
            change: *change,
        };
        let is_shown = |part: &DecisionPart| part.cause != OTHERS[UNEXPLAINED] || part.decisions > 0;
        let parts: Vec<DecisionPart> = self.parts.iter().enumerate().map(part).filter(is_shown).collect();
        let unexplained = self.parts[self.steps.len() + UNEXPLAINED].0;
        if unexplained > 0 {
            self.notes.push(format!(
                "{unexplained} decisions come out otherwise when decided again from their own run, so they are not explained"
            ));
        }
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

/// Whether deciding again gives what is published: the same, or a raise that the budget refused.
fn is_told(published: &Outcome, capped: &Outcome, has_budget: bool) -> bool {
    published == capped
        || (has_budget
            && capped.action == "raise"
            && published.reason == "budget"
            && published.rule == capped.rule
            && published.bound_by == capped.bound_by)
}

/// The steps from left to right that can be taken.
fn steps(
    left: &Copies,
    right: &Copies,
    sides: &[RunSide; 2],
    own: &[Option<Redecision>; 2],
    notes: &mut Vec<String>,
) -> Vec<CauseStep> {
    let same_scorecard = left.scorecard.text == right.scorecard.text;
    let same_policy = left.policy.text == right.policy.text;
    let mut steps: Vec<CauseStep> = Vec::new();
    // What the right data come to on the left scorecard and policy.
    let on_left = match (same_scorecard, same_policy) {
        (true, true) => return vec![CauseStep { cause: "data", again: None }],
        (true, false) => Redecision::new(right, left, &sides[1], true).map_err(|why| first_line(&why)),
        (false, _) => on_left_scorecard(left, &sides[1], own),
    };
    let between = match same_scorecard || same_policy {
        true => None,
        false => Some(Redecision::new(right, left, &sides[1], true).map_err(|why| first_line(&why))),
    };
    let (mut data, mut scorecard) = ("data", "scorecard");
    match on_left {
        Ok(again) => steps.push(CauseStep { cause: "data", again: Some(again) }),
        Err(why) => {
            notes.push(format!("not separable: {why}"));
            (data, scorecard) = ("", "data or scorecard");
        }
    }
    let is_split = !data.is_empty();
    let last = match (same_scorecard, same_policy, between) {
        (true, _, _) if is_split => "policy",
        (true, _, _) => "data or policy",
        (false, true, _) => scorecard,
        (_, _, Some(Ok(again))) => {
            steps.push(CauseStep { cause: scorecard, again: Some(again) });
            "policy"
        }
        (_, _, Some(Err(why))) => {
            notes.push(format!("not separable: the left policy on the right scorecard: {why}"));
            if is_split { "scorecard or policy" } else { "data, scorecard or policy" }
        }
        (_, _, None) => "policy",
    };
    steps.push(CauseStep { cause: last, again: None });
    steps
}

/// The left scorecard and policy on the right run's data, if that has all they read.
fn on_left_scorecard(
    left: &Copies,
    side: &RunSide,
    own: &[Option<Redecision>; 2],
) -> Result<Redecision, String> {
    let again = Redecision::new(left, left, side, false)
        .map_err(|why| format!("the left scorecard and policy on the right data: {}", first_line(&why)))?;
    let Some(right) = &own[1] else { return Ok(again) };
    let other = |feature: &usize| !again.terms.declares_alike(*feature, &right.terms);
    match again.terms.features_used().into_iter().find(other) {
        None => Ok(again),
        Some(feature) => {
            let name = &again.terms.features[feature].name;
            Err(format!("the right run has the feature {name} declared otherwise, or not at all"))
        }
    }
}

fn first_line(why: &str) -> String {
    why.lines().next().unwrap_or_default().trim_start_matches("error: ").to_string()
}
