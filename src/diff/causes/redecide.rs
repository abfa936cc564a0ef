//! Decides a published run's lines again, on its own scorecard and policy or on those of another run.

use std::collections::HashSet;

use crate::arms::Assignment;
use crate::day::Day;
use crate::diff::read::pairs::NONE;
use crate::diff::read::runs::{Block, Layout};
use crate::expr::{Column, Ints};
use crate::features::FeatureTable;
use crate::input::accounts::{Accounts, Ids};
use crate::input::lines::Lines;
use crate::job::{FileColumns, Policy, Scorecard, Terms};
use crate::policy::decide::settle;
use crate::policy::rules::{Ruling, rule};
use crate::policy::{Decision, Purse};
use crate::run_dir::decisions::{PublishedOutcome, Slots};
use crate::run_dir::{DecidingFiles, line_columns};
use crate::score::{ArmScores, Scores, add_up};

/// What a run was decided from.
#[derive(Clone)]
pub struct RunSide {
    /// What its blocks hold.
    pub layout: Layout,
    /// Where its blocks have the columns of decisions.
    pub slots: Slots,
    /// Accounts of which the snapshot holds a rejected row, as text.
    pub rejected: HashSet<String>,
}

impl RunSide {
    /// The columns of lines that rules can read.
    pub fn line_columns(&self) -> FileColumns {
        let columns = self.layout.lines.iter().map(|column| (column.name.clone(), column.shape.kind()));
        line_columns(columns.collect())
    }
}

/// A scorecard and a policy to decide a run's lines again on, and where the run's tables have what they read.
pub struct Redecision {
    /// The scorecard and the policy.
    pub terms: Terms,
    uncapped_policy: Policy,
    /// By feature of the terms, its column; `None` where nothing reads it.
    features: Vec<Option<usize>>,
    extra_columns: Vec<ExtraColumn>,
    /// `None` where scores are added up anew.
    scores: Option<ScoreColumns>,
}

/// A column of lines beyond the contract's.
struct ExtraColumn {
    /// Its slot in the scope of lines.
    slot: usize,
    /// Its position among the columns of the block's lines.
    position: usize,
}

/// Where blocks have what the scores' table says.
struct ScoreColumns {
    score: usize,
    band: usize,
    dimensions: Vec<usize>,
}

impl ScoreColumns {
    fn find(terms: &Terms, layout: &Layout) -> Option<ScoreColumns> {
        let dimensions = terms.scorecard.dimensions.iter().map(|dimension| layout.of_scores(&dimension.name));
        Some(ScoreColumns {
            score: layout.of_scores("score")?,
            band: layout.of_scores("band")?,
            dimensions: dimensions.collect::<Option<_>>()?,
        })
    }
}

/// How the lines of some accounts of a block are decided.
pub struct Redecided<'a> {
    policy: &'a Policy,
    as_of: Day,
    /// What the rules ask for where nothing caps it.
    uncapped: Vec<Decision>,
    /// The same within the caps, before budgets.
    capped: Vec<Decision>,
    rulings: Vec<Ruling>,
    /// By line of the block: its position in these lists.
    position: Vec<u32>,
}

impl Redecision {
    /// On `scorecard` and `policy`, which may be of two runs, about the lines of `side`. Scores are read
    /// where `scorecard` is that run's own (`is_own`), else added up from its features. `Err` says why
    /// that cannot be done.
    pub fn new(
        scorecard: &DecidingFiles,
        policy: &DecidingFiles,
        side: &RunSide,
        is_own: bool,
    ) -> Result<Redecision, String> {
        let columns = side.line_columns();
        let terms = Terms::bind(scorecard.scorecard, policy.policy, &scorecard.others, &columns)?;
        // A run keeps only what its own rules read. Anything else is unknown here, and must not pass for null.
        if let Some(column) = terms.policy.kept_columns.iter().find(|column| !side.slots.has(**column)) {
            return Err(format!("decisions.parquet has no column {}, which the policy reads", column.name()));
        }
        let layout = &side.layout;
        let mut features = vec![None; terms.features.len()];
        for feature in terms.features_used() {
            let name = &terms.features[feature].name;
            let column = layout.of_features(name);
            features[feature] = Some(column.ok_or_else(|| format!("features.parquet has no column {name}"))?);
        }
        let extra_columns = terms.policy.extra_columns.iter().map(|slot| {
            let name = &terms.scopes.lines.columns[*slot].0;
            let position = layout.of_lines(name).expect("it was bound to the lines' columns");
            ExtraColumn { slot: *slot, position }
        });
        let extra_columns = extra_columns.collect();
        let scores = if is_own {
            let columns = ScoreColumns::find(&terms, layout);
            Some(columns.ok_or("scores.parquet lacks a column of the scorecard's")?)
        } else {
            None
        };
        let uncapped_policy = without_caps(&terms.policy);
        Ok(Redecision { terms, uncapped_policy, features, extra_columns, scores })
    }

    /// The features that the terms use, as they number them, for accounts at `rows` of a block.
    fn features(&self, block: &Block, rows: &[u32]) -> FeatureTable {
        let columns = self.features.iter().map(|slot| match slot {
            Some(slot) => block.columns[*slot].gather(rows),
            None => nulls(rows.len()),
        });
        FeatureTable::of(&columns.collect::<Vec<_>>())
    }

    fn scores(&self, side: &RunSide, block: &Block, rows: &[u32], features: &FeatureTable) -> Scores {
        let first_lines = rows.iter().map(|row| block.first_line[*row as usize] as usize);
        let previous = side.slots.of(&block.lines).previous(first_lines);
        let Some(columns) = &self.scores else {
            return Scores { previous, ..add_up(&self.terms.scorecard, features, rows.len()) };
        };
        Scores {
            score: points(&block.columns[columns.score], rows),
            band: bands(&self.terms.scorecard, &block.columns[columns.band], rows),
            dimensions: columns.dimensions.iter().map(|slot| points(&block.columns[*slot], rows)).collect(),
            points: Vec::new(),
            reasons: Vec::new(),
            previous,
            assignment: Assignment::default(),
            arms: ArmScores::default(),
        }
    }

    /// Decides about all lines of the accounts at `rows` of a block.
    pub fn decide(&self, side: &RunSide, block: &Block, rows: &[u32]) -> Redecided<'_> {
        let features = self.features(block, rows);
        let scores = self.scores(side, block, rows, &features);
        let (lines, position) = self.lines(side, block, rows);
        let as_of = side.slots.as_of;
        let rulings = rule(&self.terms.decision_terms(), as_of, &lines, &features, &scores);
        let uncapped = settle(&self.uncapped_policy, as_of, &lines, &features, &scores, &rulings);
        let capped = settle(&self.terms.policy, as_of, &lines, &features, &scores, &rulings);
        Redecided { policy: &self.terms.policy, as_of, uncapped, capped, rulings, position }
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
        // Most snapshots hold no rejected row, and then ids need not be turned into text.
        let has_rejected = if side.rejected.is_empty() {
            vec![false; rows.len()]
        } else {
            (0..rows.len()).map(|row| side.rejected.contains(&ids.text(row))).collect()
        };
        let mut columns = vec![None; self.terms.scopes.lines.columns.len()];
        columns[0] = side.layout.of_lines("account_id").map(|slot| block.lines[slot].gather(&own));
        for extra in &self.extra_columns {
            columns[extra.slot] = Some(block.lines[extra.position].gather(&own));
        }
        let lines = decided.lines(&own, account, Accounts::new(ids), has_rejected, columns);
        (lines, position)
    }
}

impl Redecided<'_> {
    /// What the rules ask for on a line of the block where nothing caps it.
    pub fn uncapped(&self, line: usize) -> PublishedOutcome<'_> {
        PublishedOutcome::of(&self.uncapped[self.position[line] as usize], self.policy, self.as_of)
    }

    /// The same within the caps, before budgets.
    pub fn capped(&self, line: usize) -> PublishedOutcome<'_> {
        PublishedOutcome::of(&self.capped[self.position[line] as usize], self.policy, self.as_of)
    }

    /// Whether a budget bounds the raises of the rule that decides a line of the block.
    pub fn has_budget(&self, line: usize) -> bool {
        let Ruling { product, rule } = self.rulings[self.position[line] as usize];
        let of_rule = product.zip(rule);
        of_rule.is_some_and(|(product, rule)| Purse::of(self.policy, product, rule).is_some())
    }
}

fn nulls(rows: usize) -> Column {
    Column::Int(Ints { values: vec![0; rows], valid: Some(vec![false; rows]) })
}

/// The points that a column of scores holds in some rows.
fn points(column: &Column, rows: &[u32]) -> Vec<i32> {
    match column {
        Column::Int(ints) => rows.iter().map(|row| ints.values[*row as usize] as i32).collect(),
        _ => vec![0; rows.len()],
    }
}

/// By row, the number of the band that a column names.
fn bands(scorecard: &Scorecard, column: &Column, rows: &[u32]) -> Vec<u8> {
    let Column::Text(names) = column else { return vec![0; rows.len()] };
    let numbers = rows.iter().map(|row| {
        let name = names.get(*row as usize);
        let number = scorecard.bands.iter().position(|band| Some(band.name.as_str()) == name);
        number.unwrap_or(0) as u8
    });
    numbers.collect()
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
            let codes = rows.iter().map(|row| texts.codes[*row as usize]);
            Ids::Text(codes.map(|code| texts.dictionary[code as usize].clone()).collect())
        }
        _ => unreachable!("ids are integers or text"),
    }
}
