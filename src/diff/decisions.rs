//! Decisions: from which action to which, and the money of both runs.

use std::collections::BTreeMap;

use serde::Serialize;

use super::cells::NONE;
use super::decided::{Decided, Slots};
use super::join::Piece;
use crate::job::Action;

/// How the decisions changed.
#[derive(Debug, Clone, Default, Serialize)]
pub struct DecisionChanges {
    /// Lines on both sides.
    pub lines: u64,
    /// Of which the decision is another one: action, reason, rule, new limit or status, cap or notice.
    pub changed: u64,
    /// Lines by product and action on the left and on the right.
    pub actions: Vec<ActionMigration>,
    /// By product, and last over all.
    pub money: Vec<ProductMoney>,
}

/// Lines that one run did one thing with and the other another.
#[derive(Debug, Clone, Serialize)]
pub struct ActionMigration {
    /// The lines' product.
    pub product: String,
    /// Left; null where the line is not there.
    pub left: Option<&'static str>,
    /// Right.
    pub right: Option<&'static str>,
    /// How many.
    pub lines: u64,
    /// Σ new limits right − left, minor units.
    pub change: i128,
}

/// The money of a product's lines.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ProductMoney {
    /// Its name; null over all.
    pub product: Option<String>,
    /// Of the left run.
    pub left: Money,
    /// Of the right run.
    pub right: Money,
    /// Right − left.
    pub delta: Money,
}

/// Sums over lines, minor units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Money {
    /// Lines whose limit goes up.
    pub raised: i128,
    /// By how much in all.
    pub raises: i128,
    /// Lines whose limit goes down.
    pub lowered: i128,
    /// By how much in all, as a positive amount.
    pub lowers: i128,
    /// Σ new limits.
    pub limits: i128,
    /// Exposure as the contract defines it, after the run.
    pub exposure: i128,
}

impl Money {
    fn add(&mut self, decided: &Decided, line: usize) {
        let change = i128::from(decided.new_limit(line)) - i128::from(decided.old_limit(line));
        self.raised += i128::from(change > 0);
        self.raises += change.max(0);
        self.lowered += i128::from(change < 0);
        self.lowers += (-change).max(0);
        self.limits += i128::from(decided.new_limit(line));
        self.exposure += decided.exposures(line).1;
    }

    fn combine(self, other: Money, sign: i128) -> Money {
        Money {
            raised: self.raised + sign * other.raised,
            raises: self.raises + sign * other.raises,
            lowered: self.lowered + sign * other.lowered,
            lowers: self.lowers + sign * other.lowers,
            limits: self.limits + sign * other.limits,
            exposure: self.exposure + sign * other.exposure,
        }
    }
}

/// Actions, and one more place for a line that is not there.
const PLACES: usize = Action::ALL.len() + 1;

#[derive(Default, Clone)]
struct Tally {
    moved: [[(u64, i128); PLACES]; PLACES],
    money: [Money; 2],
}

/// Counts decisions.
pub struct DecisionTally {
    slots: [Slots; 2],
    lines: u64,
    changed: u64,
    products: BTreeMap<String, Tally>,
}

impl DecisionTally {
    /// Of two runs.
    pub fn new(slots: [Slots; 2]) -> DecisionTally {
        DecisionTally { slots, lines: 0, changed: 0, products: BTreeMap::new() }
    }

    /// Counts a piece; by pair of lines, whether the decision is another one.
    pub fn add(&mut self, piece: &Piece) -> Vec<bool> {
        let sides = [piece.left, piece.right];
        let decided: Vec<Option<Decided>> =
            (0..2).map(|side| sides[side].map(|block| self.slots[side].of(&block.lines))).collect();
        let mut changed = Vec::with_capacity(piece.lines.len());
        for (left, right) in piece.lines.iter() {
            let of = |side: usize, line: u32| {
                decided[side].as_ref().filter(|_| line != NONE).map(|d| (d, line as usize))
            };
            let (a, b) = (of(0, left), of(1, right));
            let product = a.or(b).map_or("", |(decided, line)| decided.product(line));
            if !self.products.contains_key(product) {
                self.products.insert(product.to_string(), Tally::default());
            }
            let tally = self.products.get_mut(product).expect("just made");
            let mut places = [PLACES - 1; 2];
            let mut limits = [0; 2];
            for (side, (decided, line)) in
                [a, b].into_iter().enumerate().filter_map(|(side, own)| Some((side, own?)))
            {
                places[side] = decided.action(line);
                limits[side] = i128::from(decided.new_limit(line));
                tally.money[side].add(decided, line);
            }
            let moved = &mut tally.moved[places[0]][places[1]];
            moved.0 += 1;
            moved.1 += limits[1] - limits[0];
            let differs = match (a, b) {
                (Some((a, i)), Some((b, j))) => {
                    self.lines += 1;
                    a.outcome(i) != b.outcome(j)
                }
                _ => false,
            };
            self.changed += u64::from(differs);
            changed.push(differs);
        }
        changed
    }

    /// What was counted.
    pub fn finish(self) -> DecisionChanges {
        let mut actions = Vec::new();
        let mut money = Vec::new();
        let mut all = [Money::default(); 2];
        for (product, tally) in &self.products {
            for (left, row) in tally.moved.iter().enumerate() {
                for (right, (lines, change)) in row.iter().enumerate().filter(|(_, (lines, _))| *lines > 0) {
                    let name = |place: usize| Action::ALL.get(place).map(|action| action.name());
                    let (left, right) = (name(left), name(right));
                    actions.push(ActionMigration {
                        product: product.clone(),
                        left,
                        right,
                        lines: *lines,
                        change: *change,
                    });
                }
            }
            money.push(product_money(Some(product.clone()), tally.money));
            all = [all[0].combine(tally.money[0], 1), all[1].combine(tally.money[1], 1)];
        }
        money.push(product_money(None, all));
        DecisionChanges { lines: self.lines, changed: self.changed, actions, money }
    }
}

fn product_money(product: Option<String>, [left, right]: [Money; 2]) -> ProductMoney {
    ProductMoney { product, left, right, delta: right.combine(left, -1) }
}
