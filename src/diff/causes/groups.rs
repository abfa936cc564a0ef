//! Causes where runs have several scorecards or policies: accounts that the same ones decided about on both sides are
//! explained together, and what is counted of all such groups is added up.

use std::collections::BTreeMap;

use super::decisions::{CauseTally, DecidedAnew, DecisionCauses, DecisionPart, LineCause};
use super::redecide::RunSide;
use super::scores::{AccountCauses, ScoreCauseTally, ScoreCauses, ScorePart};
use crate::diff::read::join::JoinPiece;
use crate::diff::read::pairs::NONE;
use crate::diff::read::runs::{Block, Layout};
use crate::expr::{Column, Texts};
use crate::job::{Arm, JobSources, Terms};

/// What of a run decides about some accounts.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Decider {
    /// Their arm.
    pub arm: Arm,
    /// Their segment.
    pub segment: Option<String>,
}

/// What decides about accounts on the left and on the right.
type DeciderPair = [Decider; 2];

/// By which columns of scores it is told what decides about an account.
#[derive(Clone)]
pub struct Grouping {
    columns: [DeciderColumns; 2],
}

#[derive(Clone)]
struct DeciderColumns {
    arm: Option<usize>,
    segment: Option<usize>,
}

impl Grouping {
    /// Of runs with these job files and tables.
    pub fn new(copies: [&JobSources; 2], layouts: [&Layout; 2]) -> Grouping {
        let columns = [0, 1].map(|side| {
            let of = |name| layouts[side].of_scores(name).filter(|_| !copies[side].others.is_empty());
            // Without a challenger, an arm would be a dimension's.
            let has_arms = of("champion_score").is_some();
            DeciderColumns { arm: of("arm").filter(|_| has_arms), segment: of("segment") }
        });
        Grouping { columns }
    }

    /// Whether one scorecard and one policy decide about all accounts of either side.
    fn is_one(&self) -> bool {
        self.columns.iter().all(|columns| columns.arm.is_none() && columns.segment.is_none())
    }

    /// The accounts of a piece, by what decides about them.
    fn groups(&self, piece: &JoinPiece) -> BTreeMap<DeciderPair, Vec<bool>> {
        let mut groups: BTreeMap<DeciderPair, Vec<bool>> = BTreeMap::new();
        for (pair, (left, right)) in piece.rows.iter().enumerate() {
            let deciders =
                [self.columns[0].decider(piece.left, left), self.columns[1].decider(piece.right, right)];
            groups.entry(deciders).or_insert_with(|| vec![false; piece.rows.len()])[pair] = true;
        }
        groups
    }
}

impl DeciderColumns {
    fn decider(&self, block: Option<&Block>, row: u32) -> Decider {
        let Some(block) = block.filter(|_| row != NONE) else { return Decider::default() };
        let text = |slot: Option<usize>| texts(&block.columns[slot?])?.get(row as usize);
        let arm = text(self.arm).and_then(|name| Arm::ALL.into_iter().find(|arm| arm.name() == name));
        Decider { arm: arm.unwrap_or_default(), segment: text(self.segment).map(str::to_string) }
    }
}

fn texts(column: &Column) -> Option<&Texts> {
    match column {
        Column::Text(texts) => Some(texts),
        _ => None,
    }
}

/// The positions of those that are chosen.
fn positions(chosen: &[bool]) -> Vec<usize> {
    (0..chosen.len()).filter(|position| chosen[*position]).collect()
}

/// Attributes changed decisions to causes, group by group.
pub struct DecisionCauseGroups {
    copies: [JobSources; 2],
    sides: [RunSide; 2],
    grouping: Grouping,
    tallies: BTreeMap<DeciderPair, CauseTally>,
}

impl DecisionCauseGroups {
    /// Between two runs with these job files.
    pub fn new(copies: [&JobSources; 2], sides: [RunSide; 2], grouping: Grouping) -> DecisionCauseGroups {
        let copies = copies.map(Clone::clone);
        let mut groups = DecisionCauseGroups { copies, sides, grouping, tallies: BTreeMap::new() };
        // What cannot be decided again is said even where nothing has changed.
        groups.tally(&DeciderPair::default());
        groups
    }

    /// Attributes the changed decisions of a piece to causes. `changed` is by pair of lines.
    pub fn add(&mut self, piece: &JoinPiece, changed: &[bool]) -> Vec<LineCause> {
        if self.grouping.is_one() {
            return self.tally(&DeciderPair::default()).add(piece, changed);
        }
        let mut causes = Vec::new();
        for (deciders, rows) in self.grouping.groups(piece) {
            let lines: Vec<bool> = piece.row_of_line.iter().map(|row| rows[*row as usize]).collect();
            let own = positions(&lines);
            let changed: Vec<bool> = own.iter().map(|line| changed[*line]).collect();
            let of_group = self.tally(&deciders).add(&piece.filter(&rows, &lines), &changed);
            causes.extend(of_group.into_iter().map(|cause| LineCause { pair: own[cause.pair], ..cause }));
        }
        causes.sort_by_key(|cause| cause.pair);
        causes
    }

    fn tally(&mut self, deciders: &DeciderPair) -> &mut CauseTally {
        let DecisionCauseGroups { copies, sides, tallies, .. } = self;
        tallies.entry(deciders.clone()).or_insert_with(|| {
            let files = [0, 1].map(|side| {
                let Decider { arm, segment } = &deciders[side];
                copies[side].deciding(*arm, segment.as_deref())
            });
            let [left, right] = deciders;
            let changed = if left.arm != right.arm {
                DecidedAnew::Arm
            } else if left.segment != right.segment {
                DecidedAnew::Segment
            } else {
                DecidedAnew::Edited
            };
            CauseTally::new([&files[0], &files[1]], sides.clone(), changed)
        })
    }

    /// What was counted, of all groups.
    pub fn finish(self) -> DecisionCauses {
        self.tallies.into_values().map(CauseTally::finish).reduce(joined).unwrap_or_default()
    }
}

/// The causes of two groups together.
fn joined(mut all: DecisionCauses, more: DecisionCauses) -> DecisionCauses {
    for part in more.parts {
        add_part(&mut all.parts, part);
    }
    all.decisions += more.decisions;
    all.change += more.change;
    all.changed += more.changed;
    all.moved += more.moved;
    add_notes(&mut all.notes, more.notes);
    all
}

/// Adds what is not said yet.
fn add_notes(notes: &mut Vec<String>, more: Vec<String>) {
    let new: Vec<String> = more.into_iter().filter(|note| !notes.contains(note)).collect();
    notes.extend(new);
}

/// Adds a part to that of its name; causes that only some groups have come before those that all have.
fn add_part(parts: &mut Vec<DecisionPart>, part: DecisionPart) {
    match parts.iter_mut().find(|known| known.cause == part.cause) {
        Some(known) => {
            known.decisions += part.decisions;
            known.change += part.change;
        }
        None => {
            let caps = parts.iter().position(|known| known.cause == "caps").unwrap_or(parts.len());
            parts.insert(caps, part);
        }
    }
}

/// Attributes changed scores to causes, group by group.
pub struct ScoreCauseGroups {
    copies: [JobSources; 2],
    sides: [RunSide; 2],
    grouping: Grouping,
    /// `None` where the files are not understood, or a table lacks a column.
    tallies: BTreeMap<DeciderPair, Option<ScoreCauseTally>>,
}

/// What moved the scores of a piece's accounts, by group.
#[derive(Default)]
pub struct GroupedAccountCauses {
    groups: Vec<(DeciderPair, AccountCauses)>,
    /// By pair of rows: its group, and its position in it; empty where there is one group.
    places: Vec<(usize, usize)>,
}

impl ScoreCauseGroups {
    /// Between two runs with these job files; `None` where a table lacks a column.
    pub fn new(
        copies: [&JobSources; 2],
        sides: [RunSide; 2],
        grouping: Grouping,
    ) -> Option<ScoreCauseGroups> {
        let copies = copies.map(Clone::clone);
        let mut groups = ScoreCauseGroups { copies, sides, grouping, tallies: BTreeMap::new() };
        let is_there = groups.tally(&DeciderPair::default()).is_some();
        is_there.then_some(groups)
    }

    /// Counts the accounts of a piece that both sides have.
    pub fn add(&mut self, piece: &JoinPiece) -> GroupedAccountCauses {
        let one = DeciderPair::default();
        if self.grouping.is_one() {
            let causes = self.tally(&one).as_mut().map(|tally| tally.add(piece)).unwrap_or_default();
            return GroupedAccountCauses { groups: vec![(one, causes)], places: Vec::new() };
        }
        let mut found = GroupedAccountCauses { groups: Vec::new(), places: vec![(0, 0); piece.rows.len()] };
        for (deciders, rows) in self.grouping.groups(piece) {
            for (position, pair) in positions(&rows).into_iter().enumerate() {
                found.places[pair] = (found.groups.len(), position);
            }
            let lines = vec![false; piece.lines.len()];
            let piece = piece.filter(&rows, &lines);
            let causes = self.tally(&deciders).as_mut().map(|tally| tally.add(&piece)).unwrap_or_default();
            found.groups.push((deciders, causes));
        }
        found
    }

    fn tally(&mut self, deciders: &DeciderPair) -> &mut Option<ScoreCauseTally> {
        let ScoreCauseGroups { copies, sides, tallies, .. } = self;
        tallies.entry(deciders.clone()).or_insert_with(|| {
            let files = [0, 1].map(|side| {
                let Decider { arm, segment } = &deciders[side];
                copies[side].deciding(*arm, segment.as_deref())
            });
            let terms = [0, 1].map(|side| {
                let own = &files[side];
                Terms::bind(own.scorecard, own.policy, &own.others, &sides[side].line_columns()).ok()
            });
            let [Some(left), Some(right)] = &terms else { return None };
            let same_scorecard = files[0].scorecard.text == files[1].scorecard.text;
            let is_alone = [0, 1].map(|side| files[side].others.is_empty());
            let layouts = [&sides[0].layout, &sides[1].layout];
            ScoreCauseTally::new([left, right], layouts, same_scorecard, is_alone)
        })
    }

    /// What an account's parts are called and what they moved; those that moved nothing are left out.
    pub fn of_account(&self, causes: &GroupedAccountCauses, pair: usize) -> Vec<(String, i64)> {
        let (group, position) = causes.places.get(pair).copied().unwrap_or((0, pair));
        let Some((deciders, causes)) = causes.groups.get(group) else { return Vec::new() };
        let tally = self.tallies.get(deciders).and_then(Option::as_ref);
        tally.map_or(Vec::new(), |tally| tally.of_account(causes, position))
    }

    /// What was counted, of all groups.
    pub fn finish(self) -> ScoreCauses {
        let causes = self.tallies.into_values().flatten().map(ScoreCauseTally::finish);
        causes.reduce(joined_scores).unwrap_or_default()
    }
}

/// The causes of two groups together.
fn joined_scores(mut all: ScoreCauses, more: ScoreCauses) -> ScoreCauses {
    for part in more.parts {
        match all.parts.iter_mut().find(|known| known.part == part.part) {
            Some(known) => add_points(known, &part),
            None => {
                let base = all.parts.iter().position(|known| known.part == "base").unwrap_or(all.parts.len());
                all.parts.insert(base, part);
            }
        }
    }
    all.data += more.data;
    all.scorecard += more.scorecard;
    all.not_separable += more.not_separable;
    all.total += more.total;
    all.moved += more.moved;
    add_notes(&mut all.notes, more.notes);
    all
}

fn add_points(known: &mut ScorePart, more: &ScorePart) {
    known.accounts += more.accounts;
    known.data += more.data;
    known.scorecard += more.scorecard;
    known.not_separable += more.not_separable;
}
