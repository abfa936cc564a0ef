//! Why scores changed: characteristic by characteristic, what the data and what the scorecard moved.
//!
//! score = base + Σ points, held within min and max. The left scorecard on the right run's features stands
//! between the two runs: from the left run to it the data moved, from it to the right run the scorecard.

use serde::Serialize;

use crate::diff::read::cells::NONE;
use crate::diff::read::join::JoinPiece;
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
    /// Of what cannot be told apart.
    pub not_separable: i128,
    /// The three together.
    pub total: i128,
    /// What the scores themselves say, to compare: Σ right − left.
    pub moved: i128,
    /// What could not be told apart, and why.
    pub notes: Vec<String>,
}

/// What one part of the score moved, in points over all accounts.
#[derive(Debug, Clone, Serialize)]
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
    /// Where its points stand, if the side has it.
    points: [Option<usize>; 2],
    /// Its place in the left scorecard and its feature's column on the right, where the left scorecard can
    /// be applied to the right data.
    on_right: Option<(usize, usize)>,
    is_separable: bool,
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
    /// Position among the parts, what moved it, and by account how far; parts that moved nothing are
    /// left out.
    columns: Vec<(usize, MovedBy, Vec<i64>)>,
    /// By pair of rows, which account it is.
    account_of_pair: Vec<Option<usize>>,
}

impl AccountCauses {
    fn new(piece: &JoinPiece) -> AccountCauses {
        let mut next = 0;
        let account = |(left, right)| {
            let is_matched = left != NONE && right != NONE;
            next += usize::from(is_matched);
            is_matched.then(|| next - 1)
        };
        AccountCauses { columns: Vec::new(), account_of_pair: piece.rows.iter().map(account).collect() }
    }

    fn push(&mut self, part: usize, kind: MovedBy, before: &[i64], after: &[i64]) {
        if before != after {
            let changes = after.iter().zip(before).map(|(after, before)| after - before).collect();
            self.columns.push((part, kind, changes));
        }
    }
}

/// The integers of a column in the rows that both sides have; 0 where the side has no such column.
fn taken(piece: &JoinPiece, is_left: bool, slot: Option<usize>) -> Vec<i64> {
    let block = if is_left { piece.left } else { piece.right };
    let spans = &piece.rows.spans;
    let rows = spans.iter().map(|span| span.len).sum();
    let (Some(block), Some(slot)) = (block, slot) else { return vec![0; rows] };
    let Column::Int(ints) = &block.columns[slot] else { return vec![0; rows] };
    let mut taken = Vec::with_capacity(rows);
    for span in spans {
        let values = &ints.values[..];
        taken.extend_from_slice(if is_left { span.of_left(values) } else { span.of_right(values) });
    }
    taken
}

/// Which of the two it was.
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
    /// Between two runs on these terms; `None` where a table lacks a column.
    pub fn new(terms: [&Terms; 2], layouts: [&Layout; 2], same_scorecard: bool) -> Option<ScoreCauseTally> {
        let name = |side: usize, feature: usize| terms[side].features[feature].name.clone();
        let of =
            |side: usize| terms[side].scorecard.characteristics.iter().map(move |c| name(side, c.feature));
        let mut names: Vec<String> = of(0).collect();
        names.extend(of(1).filter(|feature| !names.contains(feature)).collect::<Vec<_>>());
        let mut notes = Vec::new();
        let mut characteristics = Vec::new();
        for feature in names {
            let places = [0, 1].map(|side| of(side).position(|known| known == feature));
            let points = [0, 1].map(|side| layouts[side].of_scores(&format!("points_{feature}")));
            if (0..2).any(|side| places[side].is_some() != points[side].is_some()) {
                return None;
            }
            let on_right = places[0].and_then(|place| {
                let column = layouts[1].of_features(&feature)?;
                let number = terms[0].scorecard.characteristics[place].feature;
                terms[0].declares_alike(number, terms[1]).then_some((place, column))
            });
            let is_separable = places[0].is_none() || on_right.is_some();
            if !is_separable {
                notes.push(format!(
                    "not separable: the right run has the feature {feature} declared otherwise, or not at all"
                ));
            }
            characteristics.push(PairedCharacteristic { feature, points, on_right, is_separable });
        }
        let parts = characteristics.iter().map(|c| c.feature.as_str()).chain([BASE, HELD]);
        let part = |part: &str| ScorePart {
            part: part.to_string(),
            accounts: 0,
            data: 0,
            scorecard: 0,
            not_separable: 0,
        };
        let scores = [layouts[0].of_scores("score")?, layouts[1].of_scores("score")?];
        Some(ScoreCauseTally {
            sums: parts.map(part).collect(),
            is_separable: characteristics.iter().all(|c| c.is_separable),
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
        let (before, after) =
            (taken(piece, true, Some(self.scores[0])), taken(piece, false, Some(self.scores[1])));
        let bases = [0, 1].map(|side| i64::from(self.scorecards[side].base));
        // Base and points as the left run, the left scorecard on the right run and the right run have them.
        let mut raw = [bases[0], bases[0], bases[1]].map(|base| vec![base; before.len()]);
        for (part, c) in self.characteristics.iter().enumerate() {
            let (before, after) = (taken(piece, true, c.points[0]), taken(piece, false, c.points[1]));
            let between = match c.on_right {
                _ if self.same_scorecard => None,
                Some((place, column)) => Some(self.points_on_right(place, &right.columns[column], piece)),
                None => Some(before.clone()),
            };
            let between = between.as_ref().unwrap_or(&after);
            for (raw, points) in raw.iter_mut().zip([&before, between, &after]) {
                raw.iter_mut().zip(points).for_each(|(raw, points)| *raw += points);
            }
            if c.is_separable || self.same_scorecard {
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
    fn points_on_right(&self, place: usize, values: &Column, piece: &JoinPiece) -> Vec<i64> {
        let characteristic = &self.scorecards[0].characteristics[place];
        let Column::Int(ints) = values else { unreachable!("features are integers") };
        let points = |(_, row)| i64::from(characteristic.points(ints.get(row).copied()));
        piece.rows.matched().map(points).collect()
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
        let base = |base: i64| vec![base; before.len()];
        causes.push(part, MovedBy::Scorecard, &base(bases[0]), &base(bases[1]));
        let held = |scores: &[i64], raw: &[i64]| -> Vec<i64> {
            scores.iter().zip(raw).map(|(score, raw)| score - raw).collect()
        };
        let (first, last) = (held(before, &raw[0]), held(after, &raw[2]));
        match (self.same_scorecard, self.is_separable) {
            (true, _) => causes.push(part + 1, MovedBy::Data, &first, &last),
            (false, false) => causes.push(part + 1, MovedBy::Either, &first, &last),
            (false, true) => {
                let card = &self.scorecards[0];
                let score = |raw: &i64| (*raw).max(card.min.into()).min(card.max.into());
                let scores: Vec<i64> = raw[1].iter().map(score).collect();
                let between = held(&scores, &raw[1]);
                causes.push(part + 1, MovedBy::Data, &first, &between);
                causes.push(part + 1, MovedBy::Scorecard, &between, &last);
            }
        }
    }

    fn count(&mut self, causes: &AccountCauses) {
        for same_part in causes.columns.chunk_by(|a, b| a.0 == b.0) {
            let sums = &mut self.sums[same_part[0].0];
            for (_, kind, changes) in same_part {
                let sum: i128 = changes.iter().map(|change| i128::from(*change)).sum();
                match kind {
                    MovedBy::Data => sums.data += sum,
                    MovedBy::Scorecard => sums.scorecard += sum,
                    MovedBy::Either => sums.not_separable += sum,
                }
            }
            let moved = |account: &usize| same_part.iter().any(|(_, _, changes)| changes[*account] != 0);
            sums.accounts += (0..same_part[0].2.len()).filter(moved).count() as u64;
        }
    }

    /// What an account's parts are called and what they moved; those that moved nothing are left out.
    pub fn of_account(&self, causes: &AccountCauses, pair: usize) -> Vec<(String, i64)> {
        let Some(Some(account)) = causes.account_of_pair.get(pair).copied() else { return Vec::new() };
        let moved = causes.columns.iter().filter(|(_, _, changes)| changes[account] != 0);
        let named = |(part, kind, changes): &(usize, MovedBy, Vec<i64>)| {
            (format!("{}: {}", kind.name(), self.sums[*part].part), changes[account])
        };
        moved.map(named).collect()
    }

    /// What was counted.
    pub fn finish(self) -> ScoreCauses {
        let sum = |of: fn(&ScorePart) -> i128| self.sums.iter().map(of).sum::<i128>();
        let (data, scorecard, not_separable) =
            (sum(|p| p.data), sum(|p| p.scorecard), sum(|p| p.not_separable));
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
