//! Decisions: from which action to which, and the money of both runs.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::diff::filters::Exclusions;
use crate::diff::read::cells::{Shape, differ};
use crate::diff::read::join::JoinPiece;
use crate::diff::read::pairs::NONE;
use crate::expr::Texts;
use crate::job::{Action, DecisionColumn};
use crate::run_dir::decisions::{Decisions, OUTCOME, Slots};

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
    fn add(&mut self, decided: &Decisions, line: usize) {
        let change = i128::from(decided.new_limit(line)) - i128::from(decided.old_limit(line));
        self.raised += i128::from(change > 0);
        self.raises += change.max(0);
        self.lowered += i128::from(change < 0);
        self.lowers += (-change).max(0);
        self.limits += i128::from(decided.new_limit(line));
        self.exposure += decided.exposure(line);
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

/// After the numbers of the actions, that of a line that is not there.
const NO_LINE: usize = Action::ALL.len();

/// Lines that one run did one thing with and the other another, and Σ new limits right − left.
#[derive(Default, Clone, Copy)]
struct MigratedLines {
    lines: u64,
    change: i128,
}

/// The lines of one product.
#[derive(Default, Clone)]
struct ProductTally {
    /// By action on the left, then on the right.
    migrations: [[MigratedLines; NO_LINE + 1]; NO_LINE + 1],
    money: [Money; 2],
}

impl ProductTally {
    fn add(&mut self, more: &ProductTally) {
        let own = self.migrations.iter_mut().flatten();
        for (migration, more) in own.zip(more.migrations.iter().flatten()) {
            migration.lines += more.lines;
            migration.change += more.change;
        }
        self.money = [0, 1].map(|side: usize| self.money[side].combine(more.money[side], 1));
    }
}

/// Counts decisions.
pub struct DecisionTally {
    slots: [Slots; 2],
    /// The columns that make a decision another one.
    outcome: Vec<DecisionColumn>,
    /// And whether its notice does.
    has_notice: bool,
    lines: u64,
    changed: u64,
    products: BTreeMap<String, ProductTally>,
}

impl DecisionTally {
    /// Of two runs, without the columns that do not count.
    pub fn new(slots: [Slots; 2], excluded: &Exclusions) -> DecisionTally {
        let outcome = OUTCOME.into_iter().filter(|column| !excluded.has(column.name()));
        DecisionTally {
            slots,
            outcome: outcome.collect(),
            has_notice: !excluded.has(DecisionColumn::EffectiveOn.name()),
            lines: 0,
            changed: 0,
            products: BTreeMap::new(),
        }
    }

    /// Counts a piece; by pair of lines, whether the decision is another one.
    pub fn add(&mut self, piece: &JoinPiece) -> Vec<bool> {
        let decided = [(piece.left, &self.slots[0]), (piece.right, &self.slots[1])]
            .map(|(block, slots)| block.map(|block| slots.of(&block.lines)));
        let changed = self.changed_lines(&decided, piece);
        // Products are looked up by name once a piece; lines then need only their codes.
        let names = decided.each_ref().map(|decided| decided.as_ref().map(|d| d.products()));
        let (names, codes) = merged_codes(names);
        let mut tallies = vec![ProductTally::default(); names.len()];
        for (left, right) in piece.lines.iter() {
            let mut actions = [NO_LINE; 2];
            let mut limits = [0; 2];
            let mut product = 0;
            for (side, line) in [left, right].into_iter().enumerate() {
                let Some(decided) = decided[side].as_ref().filter(|_| line != NONE) else { continue };
                let line = line as usize;
                product = codes[side][decided.products().codes[line] as usize];
                actions[side] = decided.action(line);
                limits[side] = i128::from(decided.new_limit(line));
                tallies[product].money[side].add(decided, line);
            }
            let migration = &mut tallies[product].migrations[actions[0]][actions[1]];
            migration.lines += 1;
            migration.change += limits[1] - limits[0];
            self.lines += u64::from(left != NONE && right != NONE);
        }
        for (name, tally) in names.into_iter().zip(tallies) {
            self.products.entry(name.to_string()).or_default().add(&tally);
        }
        self.changed += changed.iter().filter(|changed| **changed).count() as u64;
        changed
    }

    /// By pair of lines that both sides have, whether they are decided otherwise.
    fn changed_lines(&self, decided: &[Option<Decisions>; 2], piece: &JoinPiece) -> Vec<bool> {
        let [Some(left), Some(right)] = decided else { return vec![false; piece.lines.len()] };
        let mut changed = vec![false; piece.lines.len()];
        for column in &self.outcome {
            let (Some(left), Some(right)) = (left.column(*column), right.column(*column)) else { continue };
            let differs = differ((left, Shape::Int), (right, Shape::Int), &piece.lines, 0);
            changed.iter_mut().zip(differs).for_each(|(changed, differs)| *changed |= differs);
        }
        for (changed, (i, j)) in changed.iter_mut().zip(piece.lines.iter()) {
            if self.has_notice && i != NONE && j != NONE {
                *changed |= left.notice_days(i as usize) != right.notice_days(j as usize);
            }
        }
        changed
    }

    /// What was counted.
    pub fn finish(self) -> DecisionChanges {
        let mut actions = Vec::new();
        let mut money = Vec::new();
        let mut all = [Money::default(); 2];
        for (product, tally) in &self.products {
            if tally.migrations.iter().flatten().all(|migration| migration.lines == 0) {
                continue;
            }
            for (left, row) in tally.migrations.iter().enumerate() {
                for (right, migration) in row.iter().enumerate().filter(|(_, migration)| migration.lines > 0)
                {
                    actions.push(ActionMigration {
                        product: product.clone(),
                        left: action_name(left),
                        right: action_name(right),
                        lines: migration.lines,
                        change: migration.change,
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

/// An action's name; none for a line that is not there.
fn action_name(action: usize) -> Option<&'static str> {
    Action::ALL.get(action).map(|action| action.name())
}

/// The names of both sides' products, and by side and code the position among them.
fn merged_codes(sides: [Option<&Texts>; 2]) -> (Vec<&str>, [Vec<usize>; 2]) {
    let mut names: Vec<&str> = Vec::new();
    let codes = sides.map(|texts| {
        let dictionary = texts.map_or(&[][..], |texts| &texts.dictionary[..]);
        let positions = dictionary.iter().map(|name| {
            names.iter().position(|known| *known == &**name).unwrap_or_else(|| {
                names.push(name);
                names.len() - 1
            })
        });
        positions.collect()
    });
    (names, codes)
}

fn product_money(product: Option<String>, [left, right]: [Money; 2]) -> ProductMoney {
    ProductMoney { product, left, right, delta: right.combine(left, -1) }
}
