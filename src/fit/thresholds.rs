//! Every threshold of rules and gates on the score or a dimension, and the one that keeps its share on the new scale.

use std::ops::Range;

use serde::Serialize;
use toml::de::DeTable;

use super::shares::ScoreShares;
use super::text_edits::{tables, tables_of, text_of};
use crate::expr::{BoundKind, written_bounds};
use crate::job::Source;

/// A threshold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Threshold {
    /// The file it stands in: `policy` or `job`.
    pub file: &'static str,
    /// The line.
    pub line: usize,
    /// The rule or gate, as in ``rule `weak` ``.
    pub of: String,
    /// The expression, as it was.
    pub expression: String,
    /// `score`, or a dimension.
    pub column: String,
    /// The integer that it was held against.
    pub old: i64,
    /// The share of the sample below it on the current card, in basis points.
    pub old_share_bp: u64,
    /// The integer that keeps the share; `null` where there is none.
    pub new: Option<i64>,
    /// The share below that on the fitted card.
    pub new_share_bp: Option<u64>,
    /// Where the integer stands in the file; `None` where it cannot be put in another's place.
    #[serde(skip)]
    pub place: Option<Range<usize>>,
}

/// Something that reads the score or a dimension in a way that no share tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OtherReading {
    /// The file it stands in: `policy` or `job`.
    pub file: &'static str,
    /// The line.
    pub line: usize,
    /// The rule or gate.
    pub of: String,
    /// The expression.
    pub expression: String,
    /// What it reads.
    pub column: String,
}

/// All that is read of the score.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Thresholds {
    /// In the order of the files.
    pub bounds: Vec<Threshold>,
    /// What must be looked at by a person.
    pub others: Vec<OtherReading>,
}

/// A column on both cards.
#[derive(Debug, Clone)]
pub struct RescaledColumn {
    /// Its name.
    pub name: String,
    /// By the current card.
    pub old: ScoreShares,
    /// By the fitted one.
    pub new: ScoreShares,
}

/// What the score of the night before is called; it is on the old scale until a night has been published on the new one.
const PREVIOUS_SCORE: &str = "previous_score";

/// The thresholds of a policy and a job.
pub fn thresholds(policy: &Source, job: &Source, columns: &[RescaledColumn]) -> Thresholds {
    let mut found = Thresholds::default();
    let policy_top = tables(&policy.text);
    for (_, rule) in tables_of(policy_top.get_ref(), "rule") {
        find(
            &mut found,
            &WrittenIn { source: policy, file: "policy", kind: "rule", table: rule },
            &["when"],
            columns,
        );
    }
    let job_top = tables(&job.text);
    for (_, gate) in tables_of(job_top.get_ref(), "gate") {
        let keys = ["share_of", "sum_of", "among"];
        find(&mut found, &WrittenIn { source: job, file: "job", kind: "gate", table: gate }, &keys, columns);
    }
    found
}

/// A rule or a gate.
struct WrittenIn<'a> {
    source: &'a Source,
    file: &'static str,
    kind: &'static str,
    table: &'a DeTable<'a>,
}

fn find(found: &mut Thresholds, written: &WrittenIn, keys: &[&str], columns: &[RescaledColumn]) {
    let WrittenIn { source, file, kind, table } = written;
    let name = text_of(table, "name").map_or("", |name| name.text);
    let names: Vec<&str> =
        columns.iter().map(|column| column.name.as_str()).chain([PREVIOUS_SCORE]).collect();
    for key in keys {
        let Some(value) = text_of(table, key) else { continue };
        let line = source.text[..value.place.start].matches('\n').count() + 1;
        let of = format!("{kind} `{name}`");
        let bounds = written_bounds(value.text, &names);
        for bound in bounds.bounds {
            let Some(column) = columns.iter().find(|column| column.name == bound.column) else {
                let expression = value.text.to_string();
                found.others.push(OtherReading {
                    file,
                    line,
                    of: of.clone(),
                    expression,
                    column: bound.column,
                });
                continue;
            };
            // The bound as the least value above it.
            let after = i64::from(bound.kind == BoundKind::AfterIt);
            let old = bound.value.saturating_add(after);
            // Where nothing moves a column any more, no bound of it keeps a share.
            let is_lost = column.new.is_constant() && !column.old.is_constant();
            let new = (!is_lost).then(|| column.new.bound_as_in(&column.old, old));
            found.bounds.push(Threshold {
                file,
                line,
                of: of.clone(),
                expression: value.text.to_string(),
                column: bound.column,
                old: bound.value,
                old_share_bp: column.old.below_bp(old),
                new: new.map(|new| new.saturating_sub(after)),
                new_share_bp: new.map(|new| column.new.below_bp(new)),
                place: place_of(source, &value.place, value.text, bound.place),
            });
        }
        for column in bounds.others {
            let expression = value.text.to_string();
            found.others.push(OtherReading { file, line, of: of.clone(), expression, column });
        }
    }
}

/// Where a part of a text value stands in the file; `None` where the value is written with escapes.
fn place_of(source: &Source, value: &Range<usize>, text: &str, part: Range<usize>) -> Option<Range<usize>> {
    let quote = source.text[value.clone()].find(text)?;
    let start = value.start + quote;
    Some(start + part.start..start + part.end)
}

impl Thresholds {
    /// The places of a file at which another integer is to stand, and which one.
    pub fn moved(&self, file: &str) -> Vec<(Range<usize>, String)> {
        let own = self.bounds.iter().filter(|bound| bound.file == file && bound.new != Some(bound.old));
        own.filter_map(|bound| Some((bound.place.clone()?, bound.new?.to_string()))).collect()
    }

    /// How many move.
    pub fn moving(&self) -> usize {
        self.bounds.iter().filter(|bound| bound.new.is_some_and(|new| new != bound.old)).count()
    }
}
