//! Decides lines again from a published run: on its own terms, or on those of another run.

use std::collections::HashSet;

use crate::day::Day;
use crate::diff::read::cells::NONE;
use crate::diff::read::runs::{Block, Layout};
use crate::expr::{Column, Ints};
use crate::features::FeatureTable;
use crate::input::accounts::{Accounts, Ids};
use crate::input::lines::Lines;
use crate::job::{FileColumns, Policy, Terms};
use crate::policy::decide::{Ruling, rule, settle};
use crate::policy::{Decision, Purse};
use crate::run_dir::decisions::{Outcome, Slots};
use crate::run_dir::{Copies, line_columns};
use crate::score::{Scores, add_up};

/// What a run was decided from.
pub struct RunSide {
    /// Where its columns stand.
    pub layout: Layout,
    /// Where those of its decisions stand.
    pub slots: Slots,
    /// Accounts of which the snapshot holds a rejected row, as text.
    pub rejected: HashSet<String>,
}

impl RunSide {
    /// The columns of lines that rules can read.
    pub fn line_columns(&self) -> FileColumns {
        let columns = self.layout.lines.iter().map(|(name, shape)| (name.clone(), shape.kind()));
        line_columns(columns.collect())
    }
}

/// The terms to decide on, and where what they read stands in the tables of the run decided about.
pub struct Redecision {
    /// The scorecard and the policy.
    pub terms: Terms,
    uncapped: Policy,
    /// By feature of the terms; `None` where nothing reads it.
    features: Vec<Option<usize>>,
    /// By column of the lines scope beyond the contract's: its place among the lines.
    extra: Vec<(usize, usize)>,
    /// Where score, band and dimensions stand; `None` where they are added up anew.
    published: Option<(usize, usize, Vec<usize>)>,
}

/// What some accounts' lines come to, in the order asked for.
pub struct Redecided {
    /// What the rules ask for where nothing caps it.
    pub wished: Vec<Decision>,
    /// The same within the caps, before budgets.
    pub capped: Vec<Decision>,
    /// By line of the block: its position here.
    pub position: Vec<u32>,
    rulings: Vec<Ruling>,
}

impl Redecision {
    /// On `scorecard` and `policy`, which may be of two runs, about the lines of `side`. Scores are read
    /// where `scorecard` is that run's own (`is_own`), else added up from its features. `Err` says why
    /// that cannot be done.
    pub fn new(
        scorecard: &Copies,
        policy: &Copies,
        side: &RunSide,
        is_own: bool,
    ) -> Result<Redecision, String> {
        let columns = side.line_columns();
        let terms = Terms::bind(&scorecard.scorecard, &policy.policy, &columns)?;
        // What the run's own rules did not read it has not kept: it is not known, which is not null.
        if let Some(fact) = terms.policy.kept_facts.iter().find(|fact| !side.slots.keeps(**fact)) {
            return Err(format!("decisions.parquet has no column {}, which the policy reads", fact.name()));
        }
        let layout = &side.layout;
        let mut features = vec![None; terms.features.len()];
        for feature in terms.features_used() {
            let name = &terms.features[feature].name;
            let missing = || format!("features.parquet has no column {name}");
            features[feature] = Some(layout.of_features(name).ok_or_else(missing)?);
        }
        let extra = terms.policy.extra_columns.iter().map(|slot| {
            let name = &terms.scopes.lines.columns[*slot].0;
            (*slot, layout.of_lines(name).expect("it was bound to the lines' columns"))
        });
        let extra = extra.collect();
        let published = match is_own {
            false => None,
            true => {
                Some(published(&terms, layout).ok_or("scores.parquet lacks a column of the scorecard's")?)
            }
        };
        let uncapped = without_caps(&terms.policy);
        Ok(Redecision { terms, uncapped, features, extra, published })
    }

    /// The features that the terms use, as they number them, for accounts at `rows` of a block.
    fn features(&self, block: &Block, rows: &[u32]) -> FeatureTable {
        let null = || Column::Int(Ints { values: vec![0; rows.len()], valid: Some(vec![false; rows.len()]) });
        let column = |slot: &Option<usize>| slot.map_or_else(null, |slot| block.columns[slot].gather(rows));
        FeatureTable::of(&self.features.iter().map(column).collect::<Vec<_>>())
    }

    fn scores(&self, side: &RunSide, block: &Block, rows: &[u32], features: &FeatureTable) -> Scores {
        let first_lines = rows.iter().map(|row| block.first_line[*row as usize] as usize);
        let previous = side.slots.of(&block.lines).previous(first_lines);
        let Some((score, band, dimensions)) = &self.published else {
            return Scores { previous, ..add_up(&self.terms.scorecard, features, rows.len()) };
        };
        let small = |slot: usize| -> Vec<i32> {
            match &block.columns[slot] {
                Column::Int(ints) => rows.iter().map(|row| ints.values[*row as usize] as i32).collect(),
                _ => vec![0; rows.len()],
            }
        };
        let bands = &self.terms.scorecard.bands;
        let place = |name: Option<&str>| bands.iter().position(|band| Some(band.name.as_str()) == name);
        let band = match &block.columns[*band] {
            Column::Text(texts) => {
                rows.iter().map(|row| place(texts.get(*row as usize)).unwrap_or(0) as u8).collect()
            }
            _ => vec![0; rows.len()],
        };
        let dimensions = dimensions.iter().map(|slot| small(*slot)).collect();
        Scores { score: small(*score), band, dimensions, points: Vec::new(), reasons: Vec::new(), previous }
    }

    /// Decides about all lines of the accounts at `rows` of a block.
    pub fn decide(&self, side: &RunSide, block: &Block, rows: &[u32]) -> Redecided {
        let features = self.features(block, rows);
        let scores = self.scores(side, block, rows, &features);
        let (lines, position) = self.lines(side, block, rows);
        let as_of = side.slots.as_of;
        let rulings = rule(&self.terms.basis(), as_of, &lines, &features, &scores);
        let settle = |policy: &Policy| settle(policy, as_of, &lines, &features, &scores, &rulings);
        Redecided { wished: settle(&self.uncapped), capped: settle(&self.terms.policy), position, rulings }
    }

    /// The accounts' lines as the book had them, and by line of the block its position among them.
    fn lines(&self, side: &RunSide, block: &Block, rows: &[u32]) -> (Lines, Vec<u32>) {
        let decided = side.slots.of(&block.lines);
        let mut position = vec![NONE; block.lines.first().map_or(0, Column::len)];
        let (mut own, mut account): (Vec<u32>, Vec<u32>) = (Vec::new(), Vec::new());
        for (number, row) in rows.iter().enumerate() {
            for line in block.first_line[*row as usize]..block.first_line[*row as usize + 1] {
                position[line as usize] = own.len() as u32;
                own.push(line);
                account.push(number as u32);
            }
        }
        let ids = ids(&block.columns[side.layout.key[0]], rows);
        let has_rejected = match side.rejected.is_empty() {
            true => vec![false; rows.len()],
            false => (0..rows.len()).map(|row| side.rejected.contains(&ids.text(row))).collect(),
        };
        let mut columns = vec![None; self.terms.scopes.lines.columns.len()];
        columns[0] = side.layout.of_lines("account_id").map(|slot| block.lines[slot].gather(&own));
        for (slot, place) in &self.extra {
            columns[*slot] = Some(block.lines[*place].gather(&own));
        }
        let lines = decided.lines(&own, account, Accounts::new(ids), has_rejected, columns);
        (lines, position)
    }

    /// What a decision comes to.
    pub fn outcome(&self, decision: &Decision, as_of: Day) -> Outcome<'_> {
        Outcome::of(decision, &self.terms.policy, as_of)
    }
}

impl Redecided {
    /// Whether a budget bounds the raises of the line's rule in these terms.
    pub fn has_budget(&self, again: &Redecision, line: usize) -> bool {
        let Ruling { product, rule } = self.rulings[line];
        let purse =
            product.zip(rule).and_then(|(product, rule)| Purse::of(&again.terms.policy, product, rule));
        purse.is_some()
    }
}

fn published(terms: &Terms, layout: &Layout) -> Option<(usize, usize, Vec<usize>)> {
    let dimensions = terms.scorecard.dimensions.iter().map(|dimension| layout.of_scores(&dimension.name));
    Some((layout.of_scores("score")?, layout.of_scores("band")?, dimensions.collect::<Option<_>>()?))
}

/// The same rules with nothing that cuts what they ask for.
fn without_caps(policy: &Policy) -> Policy {
    let mut policy = policy.clone();
    policy.max_total_limit = None;
    policy.affordability = None;
    for product in &mut policy.products {
        // Every raise is cut to 64 bits by the highest limit there is.
        product.max_limit = i64::MAX;
        product.band_max.iter_mut().for_each(|most| *most = None);
    }
    policy
}

fn ids(column: &Column, rows: &[u32]) -> Ids {
    match column {
        Column::Int(ints) => Ids::Int(rows.iter().map(|row| ints.values[*row as usize]).collect()),
        Column::Text(texts) => {
            let id = |row: &u32| texts.dictionary[texts.codes[*row as usize] as usize].clone();
            Ids::Text(rows.iter().map(id).collect())
        }
        _ => unreachable!("ids are integers or text"),
    }
}
