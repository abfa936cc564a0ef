//! Why scores changed: characteristic by characteristic, what the data and what the scorecard moved.
//!
//! score = base + Σ points, held within min and max. The left scorecard on the right run's features stands
//! between the two runs: from the left run to it the data moved, from it to the right run the scorecard.

use serde::Serialize;

use super::cells::NONE;
use super::join::Piece;
use super::runs::Layout;
use crate::expr::Column;
use crate::job::Scorecard;
use crate::job::published::Terms;

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
struct Characteristic {
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
    characteristics: Vec<Characteristic>,
    scorecards: [Scorecard; 2],
    same_scorecard: bool,
    scores: [usize; 2],
    is_separable: bool,
    sums: Vec<ScorePart>,
    moved: i128,
    notes: Vec<String>,
}

/// What each part moved, account by account; by pair of rows.
pub struct AccountCauses {
    /// Position among the parts, whether it is the data's (`Some(true)`), the scorecard's, or either's.
    columns: Vec<(usize, Kind, Vec<i64>)>,
}

/// Which of the two it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Data,
    Scorecard,
    Either,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Data => "data",
            Kind::Scorecard => "scorecard",
            Kind::Either => "data or scorecard",
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
            characteristics.push(Characteristic { feature, points, on_right, is_separable });
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
    pub fn add(&mut self, piece: &Piece) -> AccountCauses {
        let mut causes = AccountCauses { columns: Vec::new() };
        let (Some(left), Some(right)) = (piece.left, piece.right) else { return causes };
        let matched: Vec<Option<(usize, usize)>> = piece
            .rows
            .iter()
            .map(|(i, j)| (i != NONE && j != NONE).then_some((i as usize, j as usize)))
            .collect();
        let ints = |column: &'_ Column, row: usize| match column {
            Column::Int(ints) => ints.get(row).copied(),
            _ => None,
        };
        let mut raw = vec![[0_i64; 3]; matched.len()];
        let bases = [0, 1].map(|side| i64::from(self.scorecards[side].base));
        raw.iter_mut().for_each(|raw| *raw = [bases[0], bases[0], bases[1]]);
        for (part, c) in self.characteristics.iter().enumerate() {
            let points = |block: &super::runs::Block, side: usize, row: usize| {
                c.points[side].and_then(|slot| ints(&block.columns[slot], row)).unwrap_or(0)
            };
            let mut columns =
                [Kind::Data, Kind::Scorecard, Kind::Either].map(|kind| (part, kind, vec![0; matched.len()]));
            for (pair, rows) in matched.iter().enumerate() {
                let Some((i, j)) = *rows else { continue };
                let (before, after) = (points(left, 0, i), points(right, 1, j));
                let between = match c.on_right {
                    _ if self.same_scorecard => after,
                    Some((place, column)) => {
                        let value = ints(&right.columns[column], j);
                        i64::from(self.scorecards[0].characteristics[place].points(value))
                    }
                    None => before,
                };
                raw[pair][0] += before;
                raw[pair][1] += between;
                raw[pair][2] += after;
                match c.is_separable || self.same_scorecard {
                    true => {
                        columns[0].2[pair] = between - before;
                        columns[1].2[pair] = after - between;
                    }
                    false => columns[2].2[pair] = after - before,
                }
            }
            causes.columns.extend(columns);
        }
        let base = self.characteristics.len();
        let changed_base = matched.iter().map(|rows| if rows.is_some() { bases[1] - bases[0] } else { 0 });
        causes.columns.push((base, Kind::Scorecard, changed_base.collect()));
        let mut held =
            [Kind::Data, Kind::Scorecard, Kind::Either].map(|kind| (base + 1, kind, vec![0; matched.len()]));
        for (pair, rows) in matched.iter().enumerate() {
            let Some((i, j)) = *rows else { continue };
            let score = |column: &Column, row: usize| ints(column, row).unwrap_or(0);
            let (before, after) =
                (score(&left.columns[self.scores[0]], i), score(&right.columns[self.scores[1]], j));
            self.moved += i128::from(after) - i128::from(before);
            let taken = |scorecard: &Scorecard, raw: i64| {
                raw.max(scorecard.min.into()).min(scorecard.max.into()) - raw
            };
            let (first, last) = (before - raw[pair][0], after - raw[pair][2]);
            match (self.same_scorecard, self.is_separable) {
                (true, _) => held[0].2[pair] = last - first,
                (false, true) => {
                    let between = taken(&self.scorecards[0], raw[pair][1]);
                    held[0].2[pair] = between - first;
                    held[1].2[pair] = last - between;
                }
                (false, false) => held[2].2[pair] = last - first,
            }
        }
        causes.columns.extend(held);
        self.count(&mut causes, matched.len());
        causes
    }

    fn count(&mut self, causes: &mut AccountCauses, pairs: usize) {
        causes.columns.retain(|(_, _, changes)| changes.iter().any(|change| *change != 0));
        let mut last = usize::MAX;
        let mut moved = vec![false; pairs];
        for (part, kind, changes) in &causes.columns {
            if *part != last {
                moved.iter_mut().for_each(|moved| *moved = false);
                last = *part;
            }
            let sums = &mut self.sums[*part];
            let sum: i128 = changes.iter().map(|change| i128::from(*change)).sum();
            match kind {
                Kind::Data => sums.data += sum,
                Kind::Scorecard => sums.scorecard += sum,
                Kind::Either => sums.not_separable += sum,
            }
            for (moved, change) in moved.iter_mut().zip(changes) {
                if *change != 0 && !*moved {
                    *moved = true;
                    sums.accounts += 1;
                }
            }
        }
    }

    /// What an account's parts are called and what they moved; those that moved nothing are left out.
    pub fn of_account(&self, causes: &AccountCauses, pair: usize) -> Vec<(String, i64)> {
        let moved = causes.columns.iter().filter(|(_, _, changes)| changes[pair] != 0);
        moved
            .map(|(part, kind, changes)| {
                (format!("{}: {}", kind.name(), self.sums[*part].part), changes[pair])
            })
            .collect()
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
