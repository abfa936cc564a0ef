//! A comparison from opening both sides to the findings.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::causes::groups::{DecisionCauseGroups, Grouping, ScoreCauseGroups};
use super::causes::redecide::RunSide;
use super::change_file::ChangeFile;
use super::filters::Filters;
use super::findings::Findings;
use super::provenance::{Provenance, RunLabel};
use super::read::cells::{FileColumn, Shape};
use super::read::csv_file::{CsvFile, is_csv};
use super::read::join::{LINE_KEY, join};
use super::read::runs::{BlockReader, Layout};
use super::read::sorted::TableSource;
use super::request::{Compared, DiffRequest, Only};
use super::tallies::Tallies;
use super::tally::arms::ArmTally;
use super::tally::decisions::DecisionTally;
use super::tally::scores::ScoreTally;
use crate::failure::{Kind, failure};
use crate::job::{Arm, Feature, JobSources, Terms, Unit};
use crate::run_dir::decisions::Slots;
use crate::run_dir::manifest::Manifest;
use crate::run_dir::{PublishedRun, RunDirectory, rejected_accounts};

/// Compares two runs or two tables.
pub fn compare(request: &DiffRequest) -> Result<Findings> {
    let (left, right) = (&request.left, &request.right);
    let sides = (Compared::at(left)?, Compared::at(right)?);
    if let (Compared::Nothing, _) | (_, Compared::Nothing) = sides {
        let path = if sides.0 == Compared::Nothing { left } else { right };
        return Err(failure(Kind::Input, format!("diff: there is no {}", path.display())));
    }
    match (sides, request.key.is_empty()) {
        ((Compared::Table(_), Compared::Table(_)), false) if request.only.is_some() => {
            usage("--only goes with runs, not with files")
        }
        ((Compared::Table(left), Compared::Table(right)), false) => compare_files(request, [&left, &right]),
        ((Compared::Table(_), Compared::Table(_)), true) => {
            usage("two files need --key: the columns that identify a row, and by which they are sorted")
        }
        ((Compared::Table(_), _) | (_, Compared::Table(_)), _) => {
            usage("compare a run with a run, or a file with a file")
        }
        (_, false) => usage("--key goes with files; the key of runs is known"),
        ((Compared::Range, Compared::Run), true) => mixed(left, right),
        ((Compared::Run, Compared::Range), true) => mixed(right, left),
        _ => {
            let (left_directory, left_manifest) = RunDirectory::open(left)?;
            let (right_directory, right_manifest) = RunDirectory::open(right)?;
            let runs = [
                OpenRun { directory: &left_directory, manifest: &left_manifest },
                OpenRun { directory: &right_directory, manifest: &right_manifest },
            ];
            let is_adjustments = request.only == Some(Only::Adjustments);
            if is_adjustments { compare_adjustments(request, runs) } else { compare_runs(request, runs) }
        }
    }
}

fn mixed<T>(range: &Path, other: &Path) -> Result<T> {
    usage(&format!(
        "{} is a directory of runs and {} is not: compare a run with a run, or a range with a range",
        range.display(),
        other.display()
    ))
}

/// Compares all of two runs that are open already, without lists.
pub fn compare_open(left: &PublishedRun, right: &PublishedRun) -> Result<Findings> {
    let request = DiffRequest::of_runs(left.directory.path(), right.directory.path());
    compare_runs(
        &request,
        [left, right].map(|run| OpenRun { directory: &run.directory, manifest: &run.manifest }),
    )
}

/// A run whose manifest has been read.
#[derive(Clone, Copy)]
struct OpenRun<'a> {
    directory: &'a RunDirectory,
    manifest: &'a Manifest,
}

fn usage<T>(message: &str) -> Result<T> {
    Err(failure(Kind::Usage, format!("diff: {message}")))
}

/// Keys that are not of one type cannot be matched.
fn check_keys(left: &Layout, right: &Layout) -> Result<()> {
    for (i, j) in left.key.iter().zip(&right.key) {
        let (a, b) = (&left.columns[*i], &right.columns[*j]);
        if a.shape != b.shape {
            let message = format!(
                "diff: {} is {} on the left and {} on the right, so no row can be matched",
                a.name,
                a.shape.name(),
                b.shape.name()
            );
            return Err(failure(Kind::Input, message));
        }
    }
    Ok(())
}

/// One side of a comparison: where its blocks come from, and what they hold.
type TableSide<'r> = (BlockReader<'r>, Layout);

fn compare_files(request: &DiffRequest, files: [&[PathBuf]; 2]) -> Result<Findings> {
    let mut sides = open_files(request, files, false)?;
    // Some writers of text do not say that it is text.
    if sides.iter().any(|(_, layout)| layout.key_shapes().any(|shape| shape == Shape::Text)) {
        sides = open_files(request, files, true)?;
    }
    compare_tables(request, "file", sides)
}

/// Opens both tables; bytes of the key are taken for text where `bytes_are_text`. What a CSV file holds is taken for
/// what the other side has there.
fn open_files(
    request: &DiffRequest,
    files: [&[PathBuf]; 2],
    bytes_are_text: bool,
) -> Result<[TableSide<'static>; 2]> {
    let csv = files.map(|files| files.first().filter(|file| is_csv(file)));
    let key = &request.key;
    Ok(match csv {
        [None, None] => {
            [open_parquet(files[0], key, bytes_are_text)?, open_parquet(files[1], key, bytes_are_text)?]
        }
        [Some(left), None] => {
            let right = open_parquet(files[1], key, bytes_are_text)?;
            [open_csv(CsvFile::look(left)?, &right.1.columns, key)?, right]
        }
        [None, Some(right)] => {
            let left = open_parquet(files[0], key, bytes_are_text)?;
            let right = open_csv(CsvFile::look(right)?, &left.1.columns, key)?;
            [left, right]
        }
        [Some(left), Some(right)] => {
            let (left, right) = (CsvFile::look(left)?, CsvFile::look(right)?);
            let columns = [left.columns.clone(), right.columns.clone()];
            [open_csv(left, &columns[1], key)?, open_csv(right, &columns[0], key)?]
        }
    })
}

fn open_parquet(files: &[PathBuf], key: &[String], bytes_are_text: bool) -> Result<TableSide<'static>> {
    let key: Vec<&str> = key.iter().map(String::as_str).collect();
    BlockReader::table("file", TableSource::files(files.to_vec()), &key, bytes_are_text)
}

/// Opens a CSV file beside a table with the columns `other`.
fn open_csv(mut file: CsvFile, other: &[FileColumn], key: &[String]) -> Result<TableSide<'static>> {
    file.match_types(other);
    let key: Vec<&str> = key.iter().map(String::as_str).collect();
    BlockReader::table("file", TableSource::csv(file), &key, false)
}

fn compare_adjustments(request: &DiffRequest, runs: [OpenRun; 2]) -> Result<Findings> {
    let sides = [open_adjustments(runs[0].directory)?, open_adjustments(runs[1].directory)?];
    let descriptions = RunDescriptions::read(runs)?;
    let mut findings = compare_tables(request, "adjustments", sides)?;
    set_units(&mut findings, &[]);
    Ok(descriptions.complete(findings))
}

fn open_adjustments(run: &RunDirectory) -> Result<TableSide<'_>> {
    BlockReader::table("adjustments", TableSource::of_run(run, "adjustments")?, &LINE_KEY, false)
}

fn compare_tables(
    request: &DiffRequest,
    table: &'static str,
    [(left, left_layout), (right, right_layout)]: [TableSide; 2],
) -> Result<Findings> {
    check_keys(&left_layout, &right_layout)?;
    let filters = Filters::new(request, &left_layout, &right_layout)?;
    let layouts = [&left_layout, &right_layout];
    let mut tallies = Tallies::new(layouts, &filters, request.limit);
    tallies.compare_file(table);
    if let Some(path) = &request.out {
        let key: Vec<_> = left_layout.key.iter().map(|slot| &left_layout.columns[*slot]).collect();
        tallies.changes = Some(ChangeFile::create(path, &key)?);
    }
    join([left, right], layouts, [None, None], |piece| tallies.add(piece))?;
    tallies.finish(request)
}

/// What is known of two runs before their tables are read.
struct RunDescriptions {
    labels: [RunLabel; 2],
    provenance: Provenance,
    copies: [JobSources; 2],
}

impl RunDescriptions {
    fn read(runs: [OpenRun; 2]) -> Result<RunDescriptions> {
        let copies = [JobSources::read(runs[0].directory)?, JobSources::read(runs[1].directory)?];
        let labels = runs.map(|run| RunLabel::new(run.directory.path(), run.manifest));
        let manifests = runs.map(|run| run.manifest);
        let provenance = Provenance::new(&labels, manifests, [&copies[0], &copies[1]]);
        Ok(RunDescriptions { labels, provenance, copies })
    }

    /// Adds to the findings what is known of the runs.
    fn complete(self, findings: Findings) -> Findings {
        Findings {
            minor_units: self.copies[1].minor_units().unwrap_or(0),
            currency: self.copies[1].currency(),
            provenance: Some(self.provenance),
            runs: Some(self.labels),
            ..findings
        }
    }
}

fn compare_runs(request: &DiffRequest, open: [OpenRun; 2]) -> Result<Findings> {
    let runs = RunDescriptions::read(open)?;
    let (left, left_layout) = BlockReader::run(open[0].directory)?;
    let (right, right_layout) = BlockReader::run(open[1].directory)?;
    check_keys(&left_layout, &right_layout)?;
    let filters = Filters::new(request, &left_layout, &right_layout)?;
    let layouts = [&left_layout, &right_layout];
    let sides = [
        run_side(&left_layout, &runs.labels[0], open[0].directory)?,
        run_side(&right_layout, &runs.labels[1], open[1].directory)?,
    ];
    let copies = [&runs.copies[0], &runs.copies[1]];
    let terms = [0, 1].map(|side| {
        let own = copies[side].deciding(Arm::Champion, None);
        Terms::bind(own.scorecard, own.policy, &own.others, &sides[side].line_columns()).ok()
    });
    let grouping = Grouping::new(copies, layouts);
    let mut tallies = Tallies::new(layouts, &filters, request.limit);
    tallies.arms = ArmTally::new(layouts);
    if request.only != Some(Only::Decisions) {
        tallies.compare_accounts();
        let has_scores = !filters.excluded.has("score");
        if has_scores {
            let terms = [terms[0].as_ref(), terms[1].as_ref()];
            tallies.scores = ScoreTally::new(&left_layout, &right_layout, terms, &filters.excluded);
        }
        if has_scores {
            tallies.score_causes = ScoreCauseGroups::new(copies, sides.clone(), grouping.clone());
        }
    }
    if request.only != Some(Only::Scores) {
        tallies.compare_lines();
        let slots = [sides[0].slots.clone(), sides[1].slots.clone()];
        tallies.decisions = Some(DecisionTally::new(slots, &filters.excluded));
        tallies.decision_causes = Some(DecisionCauseGroups::new(copies, sides, grouping));
    }
    if let Some(path) = &request.out {
        let account = &left_layout.columns[left_layout.key[0]];
        let product =
            FileColumn { name: "product".to_string(), kind: "text".to_string(), shape: Shape::Text };
        tallies.changes = Some(ChangeFile::create(path, &[account, &product])?);
    }
    let products = layouts.map(|layout| layout.of_lines("product"));
    join([left, right], layouts, products, |piece| tallies.add(piece))?;
    let mut findings = tallies.finish(request)?;
    set_units(&mut findings, terms[1].as_ref().map_or(&[], |terms| &terms.features));
    Ok(runs.complete(findings))
}

/// Says of the columns of a run what they count, as far as the right run's features show it.
fn set_units(findings: &mut Findings, features: &[Feature]) {
    for column in findings.columns.iter_mut().filter(|column| column.sum.is_some()) {
        let unit = if column.table == "features" {
            Unit::of_name(features, &column.column)
        } else {
            Unit::of_column(&column.column)
        };
        if !unit.is_number() {
            column.unit = unit;
        }
    }
}

fn run_side(layout: &Layout, label: &RunLabel, directory: &RunDirectory) -> Result<RunSide> {
    let columns = layout.lines.iter().map(|column| (column.name.as_str(), column.shape.kind()));
    let slots = Slots::find(columns, label.as_of, &label.run)?;
    Ok(RunSide { layout: layout.clone(), slots, rejected: rejected_accounts(directory)? })
}
