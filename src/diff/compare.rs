//! A comparison from opening both sides to the findings.

use std::path::Path;

use anyhow::Result;

use super::causes::decisions::CauseTally;
use super::causes::redecide::RunSide;
use super::causes::scores::ScoreCauseTally;
use super::change_file::ChangeFile;
use super::findings::{self, Findings};
use super::provenance::{Provenance, RunLabel};
use super::range::is_range;
use super::read::cells;
use super::read::join::join;
use super::read::runs::{BlockReader, Layout};
use super::read::sorted::OpenedFile;
use super::request::{DiffRequest, Only};
use super::selection::{Selection, Tolerances};
use super::tallies::Tallies;
use super::tally::columns;
use super::tally::decisions::DecisionTally;
use super::tally::scores::ScoreTally;
use crate::failure::{Kind, failure};
use crate::job::Terms;
use crate::run_dir::decisions::Slots;
use crate::run_dir::manifest::Manifest;
use crate::run_dir::{Copies, PublishedRun, RunDirectory, rejected_accounts};

/// Compares two runs or two files.
pub fn compare(request: &DiffRequest) -> Result<Findings> {
    let (left, right) = (&request.left, &request.right);
    if let Some(path) = [left, right].into_iter().find(|path| !path.exists()) {
        return Err(failure(Kind::Input, format!("diff: there is no {}", path.display())));
    }
    match (left.is_dir(), right.is_dir(), request.key.is_empty()) {
        (true, true, true) if is_range(left) != is_range(right) => {
            let (range, other) = if is_range(left) { (left, right) } else { (right, left) };
            usage(&format!(
                "{} is a directory of runs and {} is not: compare a run with a run, or a range with a range",
                range.display(),
                other.display()
            ))
        }
        (true, true, true) => {
            let (left, right) = (RunDirectory::open(left)?, RunDirectory::open(right)?);
            let runs = [(&left.0, &left.1), (&right.0, &right.1)];
            let is_adjustments = request.only == Some(Only::Adjustments);
            if is_adjustments { compare_adjustments(request, runs) } else { compare_runs(request, runs) }
        }
        (false, false, false) if request.only.is_some() => usage("--only goes with runs, not with files"),
        (false, false, false) => compare_files(request),
        (true, true, false) => usage("--key goes with Parquet files; the key of runs is known"),
        (false, false, true) => {
            usage("two files need --key: the columns that identify a row, and by which they are sorted")
        }
        _ => usage("compare a run with a run, or a file with a file"),
    }
}

/// Compares all of two runs that are open already, without lists.
pub fn compare_open(left: &PublishedRun, right: &PublishedRun) -> Result<Findings> {
    let request = DiffRequest::of_runs(left.directory.path(), right.directory.path());
    compare_runs(&request, [left, right].map(|run| (&run.directory, &run.manifest)))
}

/// A run's directory and its manifest.
type OpenRun<'a> = (&'a RunDirectory, &'a Manifest);

fn usage<T>(message: &str) -> Result<T> {
    Err(failure(Kind::Usage, format!("diff: {message}")))
}

/// What every kind of comparison prepares from its layouts.
struct Filters {
    selection: Option<Selection>,
    tolerances: Tolerances,
}

impl Filters {
    fn new(request: &DiffRequest, left: &Layout, right: &Layout) -> Result<Filters> {
        check_keys(left, right)?;
        let selection =
            request.selection.as_ref().map(|expr| Selection::parse(expr, left, right)).transpose()?;
        let tolerances = Tolerances::parse(&request.tolerances, left, right)?;
        Ok(Filters { selection, tolerances })
    }
}

/// Keys that are not of one type cannot be matched.
fn check_keys(left: &Layout, right: &Layout) -> Result<()> {
    for (i, j) in left.key.iter().zip(&right.key) {
        let ((name, a), (_, b)) = (&left.columns[*i], &right.columns[*j]);
        if a != b {
            let (a, b) = (a.name(), b.name());
            let message =
                format!("diff: {name} is {a} on the left and {b} on the right, so no row can be matched");
            return Err(failure(Kind::Input, message));
        }
    }
    Ok(())
}

fn compare_files(request: &DiffRequest) -> Result<Findings> {
    let key: Vec<&str> = request.key.iter().map(String::as_str).collect();
    let read = |path: &Path, bytes_are_text: bool| {
        BlockReader::table("file", OpenedFile::new(path)?, &key, bytes_are_text)
    };
    let mut sides = [read(&request.left, false)?, read(&request.right, false)?];
    // Some writers of text do not say that it is text.
    let is_text = |side: &(BlockReader, Layout)| side.1.key_shapes().any(|shape| shape == cells::Shape::Text);
    if sides.iter().any(is_text) {
        sides = [read(&request.left, true)?, read(&request.right, true)?];
    }
    compare_tables(request, "file", sides)
}

fn compare_adjustments(request: &DiffRequest, runs: [OpenRun; 2]) -> Result<Findings> {
    let open = |run: &RunDirectory| {
        BlockReader::table(
            "adjustments",
            OpenedFile::of_run(run, "adjustments")?,
            &["account_id", "product"],
            false,
        )
    };
    let sides = [open(runs[0].0)?, open(runs[1].0)?];
    let runs = ReadRuns::new(runs)?;
    let mut findings = compare_tables(request, "adjustments", sides)?;
    findings.minor_units = runs.copies[1].minor_units().unwrap_or(0);
    findings.basis = Some(runs.basis);
    findings.runs = Some(runs.stamps);
    Ok(findings)
}

fn compare_tables(
    request: &DiffRequest,
    table: &'static str,
    [(left, left_layout), (right, right_layout)]: [(BlockReader, Layout); 2],
) -> Result<Findings> {
    let prepared = Filters::new(request, &left_layout, &right_layout)?;
    let layouts = [&left_layout, &right_layout];
    let mut pass = Tallies::new(layouts, prepared.selection.as_ref(), request.limit);
    pass.compare_rows(&[table], &prepared.tolerances);
    if let Some(path) = &request.out {
        let key = left_layout.key.iter().map(|slot| &left_layout.columns[*slot]);
        let key: Vec<_> = key.map(|(name, shape)| (name.as_str(), *shape)).collect();
        pass.changes = Some(ChangeFile::create(path, &key)?);
    }
    join([(left, layouts[0]), (right, layouts[1])], [None, None], |piece| pass.add(piece))?;
    finish(request, pass, layouts, &prepared.tolerances)
}

/// What is known of two runs before their tables are read.
struct ReadRuns {
    stamps: [RunLabel; 2],
    basis: Provenance,
    copies: [Copies; 2],
}

impl ReadRuns {
    fn new(runs: [OpenRun; 2]) -> Result<ReadRuns> {
        let copies = [Copies::read(runs[0].0)?, Copies::read(runs[1].0)?];
        let stamps = runs.map(|(directory, manifest)| RunLabel::new(directory.path(), manifest));
        let basis = Provenance::new(&stamps, runs.map(|(_, manifest)| manifest), [&copies[0], &copies[1]]);
        Ok(ReadRuns { stamps, basis, copies })
    }
}

fn compare_runs(request: &DiffRequest, open: [OpenRun; 2]) -> Result<Findings> {
    let runs = ReadRuns::new(open)?;
    let (left, left_layout) = BlockReader::run(open[0].0)?;
    let (right, right_layout) = BlockReader::run(open[1].0)?;
    let prepared = Filters::new(request, &left_layout, &right_layout)?;
    let layouts = [&left_layout, &right_layout];
    let side = |layout: &Layout, number: usize| -> Result<RunSide> {
        let columns = layout.lines.iter().map(|(name, shape)| (name.as_str(), shape.kind()));
        let slots = Slots::find(columns, runs.stamps[number].as_of, &runs.stamps[number].run)?;
        Ok(RunSide { layout: layout.clone(), slots, rejected: rejected_accounts(open[number].0)? })
    };
    let sides = [side(&left_layout, 0)?, side(&right_layout, 1)?];
    let copies = [&runs.copies[0], &runs.copies[1]];
    let bound = [0, 1].map(|side| {
        Terms::bind(&copies[side].scorecard, &copies[side].policy, &sides[side].line_columns()).ok()
    });
    let mut pass = Tallies::new(layouts, prepared.selection.as_ref(), request.limit);
    if request.only != Some(Only::Decisions) {
        pass.compare_rows(&["scores", "features"], &prepared.tolerances);
        pass.scores = ScoreTally::new(&left_layout, &right_layout, [bound[0].as_ref(), bound[1].as_ref()]);
        if let [Some(l), Some(r)] = &bound {
            let same = copies[0].scorecard.text == copies[1].scorecard.text;
            pass.score_causes = ScoreCauseTally::new([l, r], layouts, same);
        }
    }
    if request.only != Some(Only::Scores) {
        pass.compare_lines(&prepared.tolerances);
        pass.decisions = Some(DecisionTally::new([sides[0].slots.clone(), sides[1].slots.clone()]));
        pass.decision_causes = Some(CauseTally::new(copies, sides));
    }
    if let Some(path) = &request.out {
        let (name, shape) = &left_layout.columns[left_layout.key[0]];
        pass.changes = Some(ChangeFile::create(path, &[(name, *shape), ("product", cells::Shape::Text)])?);
    }
    let products = layouts.map(|layout| layout.of_lines("product"));
    join([(left, layouts[0]), (right, layouts[1])], products, |piece| pass.add(piece))?;
    let mut findings = finish(request, pass, layouts, &prepared.tolerances)?;
    findings.minor_units = runs.copies[1].minor_units().unwrap_or(0);
    findings.basis = Some(runs.basis);
    findings.runs = Some(runs.stamps);
    Ok(findings)
}

/// The findings of a pass.
fn finish(
    request: &DiffRequest,
    pass: Tallies,
    layouts: [&Layout; 2],
    tolerances: &Tolerances,
) -> Result<Findings> {
    let tables: Vec<_> = pass.tables.iter().chain(&pass.lines_table).collect();
    let is_compared = |table: &str| tables.iter().any(|compared| compared.table == table);
    let mut schema = columns::schema_changes(layouts[0], layouts[1]);
    schema.retain(|change| is_compared(change.table));
    let columns: Vec<_> = tables.iter().flat_map(|table| table.changes()).collect();
    let changed = tables
        .iter()
        .map(|table| findings::TableChange { table: table.table, rows_changed: table.rows_changed })
        .collect();
    let lines = pass.decisions.as_ref().map(|_| pass.lines);
    let has_rows = !pass.tables.is_empty();
    let same = schema.is_empty()
        && columns.iter().all(|column| column.changed == 0)
        && (pass.rows.is_same() || !has_rows)
        && lines.as_ref().is_none_or(findings::SideCounts::is_same);
    let (scores, features) = match pass.scores.map(ScoreTally::finish) {
        Some((scores, features)) => (Some(scores), features),
        None => (None, Vec::new()),
    };
    if let Some(changes) = pass.changes {
        changes.finish()?;
    }
    Ok(Findings {
        left: crate::console::plain_path(&request.left),
        right: crate::console::plain_path(&request.right),
        same,
        runs: None,
        basis: None,
        selection: request.selection.clone(),
        tolerances: tolerances.given().clone(),
        schema,
        rows: pass.rows,
        lines,
        tables: changed,
        columns,
        scores,
        features,
        score_causes: pass.score_causes.map(ScoreCauseTally::finish),
        decisions: pass.decisions.map(DecisionTally::finish),
        decision_causes: pass.decision_causes.map(CauseTally::finish),
        largest_scores: pass.largest_scores.finish(),
        largest_limits: pass.largest_limits.finish(),
        examples: pass.examples,
        minor_units: 0,
    })
}
