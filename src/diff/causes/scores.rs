//! Why scores changed: characteristic by characteristic, what the data and what the scorecard moved.
//!
//! score = base + Σ points, held within min and max. Between the two runs lies the left scorecard on the right
//! run's features: what changes from the left run to there is due to the data, from there to the right run to the
//! scorecard.

use serde::Serialize;

use crate::diff::read::join::JoinPiece;
use crate::diff::read::pairs::NONE;
use crate::diff::read::runs::Layout;
use crate::expr::Column;
use crate::job::{Scorecard, Terms};

/// What moved the scores of the accounts that both sides have; the parts add up to the whole.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ScoreCauses {
    /// By characteristic, in the order of the left scorecard, then of the right; last the base, and what
    /// holding scores within their range took.
    pub parts: Vec<ScorePart>,
    /// Σ over all parts of what the data moved, points.
    pub data: i128,
    /// Of what the scorecard moved.
    pub scorecard: i128,
    /// Of what cannot be separated.
    pub not_separable: i128,
    /// The three together.
    pub total: i128,
    /// According to the scores themselves, for comparison: Σ right − left.
    pub moved: i128,
    /// Which causes could not be separated, and why.
    pub notes: Vec<String>,
}

/// What one part of the score moved, in points over all accounts.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ScorePart {
    /// The characteristic's feature, `base` or `held within min and max`.
    pub part: String,
    /// Accounts of which it changed.
    pub accounts: u64,
    /// By other data.
    pub data: i128,
    /// By another scorecard.
    pub scorecard: i128,
    /// By either.
    pub not_separable: i128,
}

/// The base, as a part.
const BASE: &str = "base";
/// What the range takes, as a part.
const HELD: &str = "held within min and max";

/// One characteristic on both sides.
struct PairedCharacteristic {
    feature: String,
    /// The columns of its points, if the side has it.
    points: [Option<usize>; 2],
    /// Where the left scorecard can be applied to the right data: how.
    on_right: Option<LeftOnRight>,
    is_separable: bool,
}

/// A characteristic of the left scorecard, and what it reads of the right run.
#[derive(Clone, Copy)]
struct LeftOnRight {
    /// Its number in the left scorecard.
    characteristic: usize,
    /// Its feature's column on the right.
    column: usize,
}

impl PairedCharacteristic {
    /// That of a feature; `None` where a side has it in its scorecard or in its table alone.
    fn new(
        feature: &str,
        terms: [&Terms; 2],
        layouts: [&Layout; 2],
        is_alone: [bool; 2],
    ) -> Option<PairedCharacteristic> {
        let numbers = terms.map(|terms| {
            let mut all = terms.scorecard.characteristics.iter();
            all.position(|one| terms.features[one.feature].name == feature)
        });
        let mut points = layouts.map(|layout| layout.of_scores(&format!("points_{feature}")));
        for side in 0..2 {
            // The points of another scorecard of the run are none of this one's.
            if !is_alone[side] && numbers[side].is_none() {
                points[side] = None;
            }
        }
        if (0..2).any(|side| numbers[side].is_some() != points[side].is_some()) {
            return None;
        }
        let on_right = numbers[0].and_then(|characteristic| {
            let column = layouts[1].of_features(feature)?;
            let declared = terms[0].scorecard.characteristics[characteristic].feature;
            terms[0].declares_alike(declared, terms[1]).then_some(LeftOnRight { characteristic, column })
        });
        let is_separable = numbers[0].is_none() || on_right.is_some();
        Some(PairedCharacteristic { feature: feature.to_string(), points, on_right, is_separable })
    }
}

/// The names of the features that have points, in the scorecard's order.
fn scored_features(terms: &Terms) -> Vec<&str> {
    let characteristics = terms.scorecard.characteristics.iter();
    characteristics.map(|one| terms.features[one.feature].name.as_str()).collect()
}

/// Counts what moved scores.
pub struct ScoreCauseTally {
    characteristics: Vec<PairedCharacteristic>,
    scorecards: [Scorecard; 2],
    same_scorecard: bool,
    scores: [usize; 2],
    is_separable: bool,
    sums: Vec<ScorePart>,
    moved: i128,
    notes: Vec<String>,
}

/// What each part moved, account by account, over those that both sides have.
#[derive(Default)]
pub struct AccountCauses {
    /// In order of the parts; those that moved nothing are left out.
    columns: Vec<PartChanges>,
    /// By pair of rows, which account it is.
    account_of_pair: Vec<Option<usize>>,
}

/// How far one part moved the score of each account.
struct PartChanges {
    /// Its position among the parts.
    part: usize,
    moved_by: MovedBy,
    /// By account, points.
    changes: Vec<i64>,
}

impl AccountCauses {
    fn new(piece: &JoinPiece) -> AccountCauses {
        let mut next = 0;
        let accounts = piece.rows.iter().map(|(left, right)| {
            let is_matched = left != NONE && right != NONE;
            next += usize::from(is_matched);
            is_matched.then(|| next - 1)
        });
        AccountCauses { columns: Vec::new(), account_of_pair: accounts.collect() }
    }

    fn push(&mut self, part: usize, moved_by: MovedBy, before: &[i64], after: &[i64]) {
        if before != after {
            let changes = differences(after, before);
            self.columns.push(PartChanges { part, moved_by, changes });
        }
    }
}

fn differences(after: &[i64], before: &[i64]) -> Vec<i64> {
    after.iter().zip(before).map(|(after, before)| after - before).collect()
}

/// A side's integers of a column in the rows that both sides have; 0 where the side has no such column.
fn matched_ints(piece: &JoinPiece, is_left: bool, slot: Option<usize>) -> Vec<i64> {
    let block = if is_left { piece.left } else { piece.right };
    let spans = &piece.rows.spans;
    let rows = spans.iter().map(|span| span.len).sum();
    let (Some(block), Some(slot)) = (block, slot) else { return vec![0; rows] };
    let Column::Int(ints) = &block.columns[slot] else { return vec![0; rows] };
    let mut matched = Vec::with_capacity(rows);
    for span in spans {
        let values = &ints.values[..];
        matched.extend_from_slice(if is_left { span.of_left(values) } else { span.of_right(values) });
    }
    matched
}

/// What moved a part of the score.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum MovedBy {
    Data,
    Scorecard,
    Either,
}

impl MovedBy {
    fn name(self) -> &'static str {
        match self {
            MovedBy::Data => "data",
            MovedBy::Scorecard => "scorecard",
            MovedBy::Either => "data or scorecard",
        }
    }
}

impl ScoreCauseTally {
    /// Between two runs on these terms; `is_alone` says of each whether its scorecard is the only one of the run. `None`
    /// where a table lacks a column.
    pub fn new(
        terms: [&Terms; 2],
        layouts: [&Layout; 2],
        same_scorecard: bool,
        is_alone: [bool; 2],
    ) -> Option<ScoreCauseTally> {
        let [left, right] = terms.map(scored_features);
        let added = right.iter().filter(|feature| !left.contains(feature));
        let mut notes = Vec::new();
        let mut characteristics = Vec::new();
        for feature in left.iter().chain(added) {
            let characteristic = PairedCharacteristic::new(feature, terms, layouts, is_alone)?;
            if !characteristic.is_separable {
                notes.push(format!(
                    "not separable: the right run has the feature {feature} declared otherwise, or not at all"
                ));
            }
            characteristics.push(characteristic);
        }
        let parts = characteristics.iter().map(|one| one.feature.as_str()).chain([BASE, HELD]);
        let sums = parts.map(|part| ScorePart { part: part.to_string(), ..ScorePart::default() });
        let scores = [layouts[0].of_scores("score")?, layouts[1].of_scores("score")?];
        Some(ScoreCauseTally {
            sums: sums.collect(),
            is_separable: characteristics.iter().all(|one| one.is_separable),
            characteristics,
            scorecards: terms.map(|terms| terms.scorecard.clone()),
            same_scorecard,
            scores,
            moved: 0,
            notes,
        })
    }

    /// Counts the accounts of a piece that both sides have.
    pub fn add(&mut self, piece: &JoinPiece) -> AccountCauses {
        let (Some(_), Some(right)) = (piece.left, piece.right) else { return AccountCauses::default() };
        let mut causes = AccountCauses::new(piece);
        let before = matched_ints(piece, true, Some(self.scores[0]));
        let after = matched_ints(piece, false, Some(self.scores[1]));
        let bases = [0, 1].map(|side| i64::from(self.scorecards[side].base));
        // Base and points as the left run, the left scorecard on the right run and the right run have them.
        let mut raw = [bases[0], bases[0], bases[1]].map(|base| vec![base; before.len()]);
        for (part, one) in self.characteristics.iter().enumerate() {
            let before = matched_ints(piece, true, one.points[0]);
            let after = matched_ints(piece, false, one.points[1]);
            // The left scorecard on the right run; where both scorecards are the same, that is the right run.
            let between = match one.on_right {
                _ if self.same_scorecard => None,
                Some(LeftOnRight { characteristic, column }) => {
                    Some(self.points_on_right(characteristic, &right.columns[column], piece))
                }
                None => Some(before.clone()),
            };
            let between = between.as_ref().unwrap_or(&after);
            for (raw, points) in raw.iter_mut().zip([&before, between, &after]) {
                raw.iter_mut().zip(points).for_each(|(raw, points)| *raw += points);
            }
            if one.is_separable || self.same_scorecard {
                causes.push(part, MovedBy::Data, &before, between);
                causes.push(part, MovedBy::Scorecard, between, &after);
            } else {
                causes.push(part, MovedBy::Either, &before, &after);
            }
        }
        self.moved +=
            after.iter().zip(&before).map(|(after, before)| i128::from(after - before)).sum::<i128>();
        self.add_base_and_range(&mut causes, bases, &raw, (&before, &after));
        self.count(&causes);
        causes
    }

    /// The points that a characteristic of the left scorecard gives to the right run's features.
    fn points_on_right(&self, characteristic: usize, values: &Column, piece: &JoinPiece) -> Vec<i64> {
        let characteristic = &self.scorecards[0].characteristics[characteristic];
        let Column::Int(ints) = values else { unreachable!("features are integers") };
        let values = piece.rows.matched().map(|(_, row)| ints.get(row).copied());
        values.map(|value| i64::from(characteristic.points(value))).collect()
    }

    /// What another base moved, and what holding scores within their range took.
    fn add_base_and_range(
        &self,
        causes: &mut AccountCauses,
        bases: [i64; 2],
        raw: &[Vec<i64>; 3],
        (before, after): (&[i64], &[i64]),
    ) {
        let part = self.characteristics.len();
        let bases = bases.map(|base| vec![base; before.len()]);
        causes.push(part, MovedBy::Scorecard, &bases[0], &bases[1]);
        // What holding the score within its range adds to base and points, or takes from them.
        let (first, last) = (differences(before, &raw[0]), differences(after, &raw[2]));
        match (self.same_scorecard, self.is_separable) {
            (true, _) => causes.push(part + 1, MovedBy::Data, &first, &last),
            (false, false) => causes.push(part + 1, MovedBy::Either, &first, &last),
            (false, true) => {
                let card = &self.scorecards[0];
                let (min, max) = (i64::from(card.min), i64::from(card.max));
                let scores: Vec<i64> = raw[1].iter().map(|raw| (*raw).max(min).min(max)).collect();
                let between = differences(&scores, &raw[1]);
                causes.push(part + 1, MovedBy::Data, &first, &between);
                causes.push(part + 1, MovedBy::Scorecard, &between, &last);
            }
        }
    }

    fn count(&mut self, causes: &AccountCauses) {
        for same_part in causes.columns.chunk_by(|a, b| a.part == b.part) {
            let sums = &mut self.sums[same_part[0].part];
            for PartChanges { moved_by, changes, .. } in same_part {
                let sum: i128 = changes.iter().map(|change| i128::from(*change)).sum();
                match moved_by {
                    MovedBy::Data => sums.data += sum,
                    MovedBy::Scorecard => sums.scorecard += sum,
                    MovedBy::Either => sums.not_separable += sum,
                }
            }
            let accounts = 0..same_part[0].changes.len();
            let moved = accounts.filter(|account| same_part.iter().any(|part| part.changes[*account] != 0));
            sums.accounts += moved.count() as u64;
        }
    }

    /// What an account's parts are called and what they moved; those that moved nothing are left out.
    pub fn of_account(&self, causes: &AccountCauses, pair: usize) -> Vec<(String, i64)> {
        let Some(Some(account)) = causes.account_of_pair.get(pair).copied() else { return Vec::new() };
        let moved = causes.columns.iter().filter(|part| part.changes[account] != 0);
        let named = moved.map(|part| {
            let name = format!("{}: {}", part.moved_by.name(), self.sums[part.part].part);
            (name, part.changes[account])
        });
        named.collect()
    }

    /// What was counted.
    pub fn finish(self) -> ScoreCauses {
        let data = self.sums.iter().map(|part| part.data).sum();
        let scorecard = self.sums.iter().map(|part| part.scorecard).sum();
        let not_separable = self.sums.iter().map(|part| part.not_separable).sum();
        ScoreCauses {
            data,
            scorecard,
            not_separable,
            total: data + scorecard + not_separable,
            moved: self.moved,
            parts: self.sums,
            notes: self.notes,
        }
    }
}
