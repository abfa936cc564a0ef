//! The output tables: what columns they have.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use arrow_array::{ArrayRef, Date32Array, Int64Array, StringArray};
use arrow_buffer::NullBuffer;
use arrow_schema::DataType;

use super::Results;
use super::decision_columns::{ColumnSink, make};
use super::encode::{ROW_GROUP_ROWS, write_all};
use super::output_table::OutputTable;
use crate::day::Day;
use crate::expr::Texts;
use crate::input::reject_log::{RejectLog, RejectedRow};
use crate::job::{Action, ColumnSpec, DecisionColumn};

/// One row an account: score, band, dimensions, points, reasons.
pub fn scores<'a>(results: &Results<'a>) -> OutputTable<'a> {
    let (job, scores) = (results.job, results.scores);
    let ids = &results.lines.accounts.ids;
    let mut table = OutputTable::new("scores", ids.len());
    table.account(ids, |row| row);
    table.int32("score", |row| scores.score[row]);
    table.text("band", |row| job.scorecard.bands[usize::from(scores.band[row])].name.as_str());
    for (dimension, points) in job.scorecard.dimensions.iter().zip(&scores.dimensions) {
        table.int32(&dimension.name, |row| points[row]);
    }
    for (column, points) in job.points_columns().into_iter().zip(&scores.points) {
        let name = format!("points_{}", job.features[column.feature].name);
        if column.characteristic.iter().all(Option::is_some) {
            table.int32(name, |row| points[row]);
        } else {
            table.int32_or_null(name, move |row| {
                column.characteristic[scores.assignment.card(job, row)].map(|_| points[row])
            });
        }
    }
    add_reasons(&mut table, results, |row| row);
    if !job.variants.segments.is_empty() {
        let name = |segment: usize| job.variants.segments[segment].name.as_str();
        table.text_or_null("segment", move |row| scores.assignment.segment(row).map(name));
    }
    if job.variants.challenger.is_some() {
        table.text("arm", |row| scores.assignment.arm(row).name());
        table.int32("champion_score", |row| scores.arms.champion[row]);
        table.int32("challenger_score", |row| scores.arms.challenger[row]);
    }
    table
}

fn add_reasons<'a>(
    table: &mut OutputTable<'a>,
    results: &Results<'a>,
    account: impl Fn(usize) -> usize + Copy + Sync + Send + 'a,
) {
    let (job, scores) = (results.job, results.scores);
    for (number, reasons) in scores.reasons.iter().enumerate() {
        table.text_or_null(format!("reason_{}", number + 1), move |row| {
            let account = account(row);
            reasons[account].map(|reason| reason.code(job.card(scores.assignment.card(job, account))))
        });
    }
}

/// One row an account: every feature.
pub fn features<'a>(results: &Results<'a>) -> OutputTable<'a> {
    let ids = &results.lines.accounts.ids;
    let mut table = OutputTable::new("features", ids.len());
    table.account(ids, |row| row);
    for (number, feature) in results.job.features.iter().enumerate() {
        let values = results.features;
        table.add(&feature.name, DataType::Int64, true, move |rows| {
            let column = values.column(number, rows);
            Arc::new(Int64Array::new(column.values.into(), column.valid.map(NullBuffer::from)))
        });
    }
    table
}

/// One row a line: what was decided and the facts it was decided on.
pub fn decisions<'a>(results: &Results<'a>) -> OutputTable<'a> {
    let mut table = OutputTable::new("decisions", results.decisions.len());
    add_decisions(&mut table, results, |row| row);
    table
}

/// The decisions that change something, with the score's reasons. `rows` are their positions.
pub fn adjustments<'a>(results: &Results<'a>, rows: &'a [u32]) -> OutputTable<'a> {
    let mut table = OutputTable::new("adjustments", rows.len());
    let line = |row: usize| rows[row] as usize;
    add_decisions(&mut table, results, line);
    let lines = results.lines;
    add_reasons(&mut table, results, move |row| lines.account[line(row)] as usize);
    table
}

/// The positions of the decisions that are adjustments.
pub fn adjusted_rows(results: &Results) -> Vec<u32> {
    let decisions = (0..).zip(results.decisions);
    decisions.filter(|(_, decision)| decision.action != Action::Hold).map(|(row, _)| row).collect()
}

fn add_decisions<'a>(
    table: &mut OutputTable<'a>,
    results: &Results<'a>,
    line: impl Fn(usize) -> usize + Copy + Sync + Send + 'a,
) {
    let (lines, job) = (results.lines, results.job);
    table.account(&lines.accounts.ids, move |row| lines.account[line(row)] as usize);
    let kept = job.policy.kept_columns.iter().copied();
    for column in DecisionColumn::ALL.into_iter().filter(|column| !column.is_on_demand()).chain(kept) {
        make(column, results, DecisionSink { table, spec: column.spec(), line });
    }
    let scope = &job.scopes.lines;
    for slot in &job.policy.extra_columns {
        let (name, kind) = &scope.columns[*slot];
        let column = lines.columns[*slot].as_ref().expect("read as needed");
        table.column(name, *kind, column, line);
    }
}

/// Adds a decision's column to a table; `line` is the line of each row.
struct DecisionSink<'t, 'a, L> {
    table: &'t mut OutputTable<'a>,
    spec: ColumnSpec,
    line: L,
}

/// For columns that are not nullable.
const NEVER_NULL: &str = "this column is never null";

impl<'a, L: Fn(usize) -> usize + Sync + Send + 'a> ColumnSink<'a> for DecisionSink<'_, 'a, L> {
    type Made = ();

    fn int64(self, value: impl Fn(usize) -> Option<i64> + Sync + Send + 'a) {
        let DecisionSink { table, spec, line } = self;
        if spec.nullable {
            table.int64_or_null(spec.name, move |row| value(line(row)));
        } else {
            table.int64(spec.name, move |row| value(line(row)).expect(NEVER_NULL));
        }
    }

    fn int32(self, value: impl Fn(usize) -> Option<i32> + Sync + Send + 'a) {
        let DecisionSink { table, spec, line } = self;
        if spec.nullable {
            table.int32_or_null(spec.name, move |row| value(line(row)));
        } else {
            table.int32(spec.name, move |row| value(line(row)).expect(NEVER_NULL));
        }
    }

    fn date(self, value: impl Fn(usize) -> Option<Day> + Sync + Send + 'a) {
        let DecisionSink { table, spec, line } = self;
        table.date_or_null(spec.name, move |row| value(line(row)));
    }

    fn text(self, value: impl Fn(usize) -> Option<&'a str> + Sync + Send + 'a) {
        let DecisionSink { table, spec, line } = self;
        if spec.nullable {
            table.text_or_null(spec.name, move |row| value(line(row)));
        } else {
            table.text(spec.name, move |row| value(line(row)).expect(NEVER_NULL));
        }
    }

    fn texts(self, texts: &'a Texts) {
        self.text(move |line| texts.get(line));
    }
}

/// Rejected rows, each with the log that names its input and file.
fn rejects_table(rows: &[(&RejectLog, RejectedRow)]) -> OutputTable<'static> {
    fn file<'l>((log, row): &(&'l RejectLog, RejectedRow)) -> &'l (Option<Day>, String) {
        &log.files[row.file as usize]
    }
    let arrays: [(&str, bool, ArrayRef); 6] = [
        ("input", false, Arc::new(StringArray::from_iter_values(rows.iter().map(|(log, _)| log.input)))),
        (
            "delivery",
            true,
            Arc::new(rows.iter().map(|row| file(row).0.map(|day| day.0)).collect::<Date32Array>()),
        ),
        ("file", false, Arc::new(StringArray::from_iter_values(rows.iter().map(|row| &file(row).1)))),
        ("row", false, Arc::new(Int64Array::from_iter_values(rows.iter().map(|(_, row)| row.row as i64)))),
        (
            "reason",
            false,
            Arc::new(StringArray::from_iter_values(rows.iter().map(|(_, row)| row.reason.name()))),
        ),
        (
            "account_id",
            true,
            Arc::new(rows.iter().map(|(_, row)| row.account.as_deref()).collect::<StringArray>()),
        ),
    ];
    let mut table = OutputTable::new("rejects", rows.len());
    for (name, nullable, array) in arrays {
        table.add(name, array.data_type().clone(), nullable, move |rows| array.slice(rows.start, rows.len()));
    }
    table
}

/// Writes the rejected rows as Parquet, and says how many there are.
pub fn write_rejects(
    logs: [&RejectLog; 3],
    file: File,
    path: &Path,
    metadata: &[(&str, String)],
) -> Result<usize> {
    let schema = rejects_table(&[]).schema();
    let listed = logs.into_iter().flat_map(|log| log.rows().map(move |row| Ok((log, row?))));
    let mut listed = listed.fuse();
    let tables = std::iter::from_fn(|| {
        let rows: Result<Vec<_>> = listed.by_ref().take(ROW_GROUP_ROWS).collect();
        match rows {
            Ok(rows) if rows.is_empty() => None,
            rows => Some(rows.map(|rows| rejects_table(&rows))),
        }
    });
    write_all(schema, tables, file, path, metadata)?;
    Ok(logs.into_iter().flat_map(|log| log.counts.values()).sum::<u64>() as usize)
}
