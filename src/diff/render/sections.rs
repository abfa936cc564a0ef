//! Findings for people: sections with tables, which text and page share.

use super::{decisions, scores};
use crate::console::{money, table, thousands, visible};
use crate::diff::findings::{Findings, SideCounts};
use crate::diff::provenance::{Provenance, RunLabel};
use crate::diff::tally::movers::Mover;

/// A heading, sentences and a table.
pub struct FindingsSection {
    /// Its heading; the first section has none.
    pub title: String,
    /// Sentences below it.
    pub sentences: Vec<String>,
    /// Names of the table's columns; empty where there is no table.
    pub header: Vec<String>,
    /// Its rows.
    pub rows: Vec<Vec<String>>,
}

impl FindingsSection {
    pub fn new(title: &str) -> FindingsSection {
        FindingsSection {
            title: title.to_string(),
            sentences: Vec::new(),
            header: Vec::new(),
            rows: Vec::new(),
        }
    }

    pub fn say(mut self, sentence: impl Into<String>) -> FindingsSection {
        self.sentences.push(sentence.into());
        self
    }

    pub fn table(self, header: &[&str], rows: Vec<Vec<String>>) -> FindingsSection {
        FindingsSection { header: header.iter().map(ToString::to_string).collect(), rows, ..self }
    }

    /// The first `limit` rows, and how many more there are.
    pub fn cut(mut self, limit: usize) -> FindingsSection {
        if let Some(more) = self.rows.len().checked_sub(limit).filter(|more| *more > 0) {
            self.rows.truncate(limit);
            self.sentences.push(format!("the first {limit}, and {more} more: see --limit and --json"));
        }
        self
    }
}

/// The verdict where nothing differs.
pub const SAME: &str = "no difference";
/// And where something does.
pub const DIFFERENT: &str = "they differ";

pub fn verdict(same: bool) -> FindingsSection {
    FindingsSection::new("").say(if same { SAME } else { DIFFERENT })
}

/// The longest bar.
pub const BAR: usize = 40;

/// A bar for `amount` where `most` has the longest; anything at all is seen.
pub fn bar(amount: u64, most: u64) -> String {
    "#".repeat((u128::from(amount) * BAR as u128).div_ceil(u128::from(most.max(1))) as usize)
}

/// The length of a cell that is a bar.
pub fn bar_length(cell: &str) -> Option<usize> {
    (!cell.is_empty() && cell.bytes().all(|byte| byte == b'#')).then_some(cell.len())
}

/// A number with its sign, but for 0.
pub fn signed(number: i128) -> String {
    if number > 0 { format!("+{}", thousands(number)) } else { thousands(number) }
}

/// An amount of money with its sign, but for 0.
pub fn signed_money(minor: i128, minor_units: u32) -> String {
    if minor > 0 { format!("+{}", money(minor, minor_units)) } else { money(minor, minor_units) }
}

/// A count with separators.
pub fn count(number: u64) -> String {
    thousands(number.into())
}

/// What is there to tell, of each list at most `limit` entries; the headlines alone for a summary.
pub fn sections(findings: &Findings, limit: usize, is_summary: bool) -> Vec<FindingsSection> {
    let mut sections = vec![opening(findings)];
    if let Some(basis) = findings.basis.as_ref().filter(|_| !is_summary) {
        sections.extend(basis_sections(basis, limit));
    }
    sections.push(presence(findings));
    if !is_summary {
        sections.extend(schema_and_columns(findings, limit));
    }
    if let Some(scores) = &findings.scores {
        sections.extend(scores::sections(scores, &findings.features, limit, is_summary));
    }
    if let Some(causes) = &findings.score_causes {
        sections.extend(scores::causes(causes, is_summary));
    }
    if let Some(decisions) = &findings.decisions {
        sections.extend(decisions::sections(decisions, findings.minor_units, limit, is_summary));
    }
    if let Some(causes) = &findings.decision_causes {
        sections.extend(decisions::causes(causes, findings.minor_units));
    }
    if !is_summary {
        sections.extend(largest(findings));
    }
    sections.push(verdict(findings.same));
    sections.retain(|section| !section.sentences.is_empty() || !section.rows.is_empty());
    sections
}

fn opening(findings: &Findings) -> FindingsSection {
    let mut section = FindingsSection::new("");
    section.sentences.push(match &findings.basis {
        Some(basis) => basis.verdict.clone(),
        None => "two files".to_string(),
    });
    let stamp = |stamp: &RunLabel| {
        let chain = stamp.chain_from.map_or(String::new(), |day| format!(", simulated from {day}"));
        let held = if stamp.held { ", held by a gate" } else { "" };
        format!(
            "{}: {} of {}, known on {}, rescore {}{chain}{held}",
            stamp.run, stamp.job, stamp.as_of, stamp.known_on, stamp.program_version
        )
    };
    let [left, right] = match &findings.runs {
        Some([left, right]) => [stamp(left), stamp(right)],
        None => [findings.left.clone(), findings.right.clone()],
    };
    section.sentences.push(format!("left   {left}"));
    section.sentences.push(format!("right  {right}"));
    if let Some(selection) = &findings.selection {
        section.sentences.push(format!("where  {selection}"));
    }
    for (column, units) in &findings.tolerances {
        section.sentences.push(format!("tolerance  {column} = {units}"));
    }
    section
}

fn basis_sections(basis: &Provenance, limit: usize) -> Vec<FindingsSection> {
    let inputs = basis.inputs.iter().map(|change| {
        let delivery = change.delivery.map_or(String::new(), |day| day.to_string());
        let rows = |side: usize| change.rows[side].map_or(String::new(), count);
        vec![change.input.clone(), change.fate.name().into(), delivery, change.file.clone(), rows(0), rows(1)]
    });
    let header = ["input", "fate", "delivery", "file", "rows left", "right"];
    let mut sections =
        vec![FindingsSection::new("inputs that differ").table(&header, inputs.collect()).cut(limit)];
    for file in &basis.job_files {
        let line = |change: &crate::diff::provenance::LineChange| {
            let sign = if change.left.is_some() { "-" } else { "+" };
            let number = change.left.or(change.right).unwrap_or(0);
            vec![format!("{sign} {number}"), change.text.clone()]
        };
        let rows: Vec<Vec<String>> = file.lines.iter().map(line).collect();
        sections.push(
            FindingsSection::new(&format!("changed lines of {}", file.file))
                .table(&["line", "text"], rows)
                .cut(limit),
        );
    }
    let rejects = basis.rejects.iter().map(|change| {
        vec![change.input.clone(), change.reason.clone(), count(change.left), count(change.right)]
    });
    let header = ["input", "reason", "left", "right"];
    sections
        .push(FindingsSection::new("rejected rows that differ").table(&header, rejects.collect()).cut(limit));
    sections
}

fn presence(findings: &Findings) -> FindingsSection {
    let row = |name: &str, presence: &SideCounts| {
        let counts = [presence.left, presence.right, presence.both, presence.only_left, presence.only_right];
        std::iter::once(name.to_string()).chain(counts.map(count)).collect::<Vec<_>>()
    };
    let has_accounts = findings.scores.is_some() || findings.decisions.is_some();
    let mut rows = vec![row(if has_accounts { "accounts" } else { "rows" }, &findings.rows)];
    rows.extend(findings.lines.as_ref().map(|lines| row("lines", lines)));
    let mut section = FindingsSection::new("who is there")
        .table(&["", "left", "right", "both", "only left", "only right"], rows);
    let lists = [("only left", true), ("only right", false)];
    for (side, is_left) in lists {
        for presence in std::iter::once(&findings.rows).chain(&findings.lines) {
            let first = if is_left { &presence.first_only_left } else { &presence.first_only_right };
            let total = if is_left { presence.only_left } else { presence.only_right };
            if !first.is_empty() {
                let named: Vec<String> = first.iter().map(|key| key.join("/")).collect();
                let more = total - first.len() as u64;
                let more = if more > 0 { format!(" and {} more", count(more)) } else { String::new() };
                section.sentences.push(format!("{side}: {}{more}", named.join(", ")));
            }
        }
    }
    section
}

fn schema_and_columns(findings: &Findings, limit: usize) -> Vec<FindingsSection> {
    let kind = |kind: &Option<String>| kind.clone().unwrap_or_else(|| "-".into());
    let schema = findings.schema.iter().map(|change| {
        let compared = if change.is_compared { "compared by value" } else { "not compared" };
        vec![
            change.table.to_string(),
            change.column.clone(),
            kind(&change.left),
            kind(&change.right),
            compared.into(),
        ]
    });
    let header = ["table", "column", "left", "right", ""];
    let schema = FindingsSection::new("schemas differ").table(&header, schema.collect()).cut(limit);
    let changed = findings.columns.iter().filter(|column| column.changed > 0).map(|column| {
        let number = |number: Option<String>| number.unwrap_or_default();
        vec![
            column.table.to_string(),
            column.column.clone(),
            count(column.changed),
            number(column.sum.map(signed)),
            number(column.largest.map(count)),
        ]
    });
    let rows = findings.tables.iter().map(|table| format!("{} {}", count(table.rows_changed), table.table));
    let header = ["table", "column", "cells", "sum of changes", "largest"];
    let mut columns = FindingsSection::new("changed cells").table(&header, changed.collect()).cut(limit);
    if !columns.rows.is_empty() {
        columns.sentences.insert(0, format!("rows that changed: {}", rows.collect::<Vec<_>>().join(", ")));
    }
    vec![schema, columns]
}

fn largest(findings: &Findings) -> Vec<FindingsSection> {
    let rows = |movers: &[Mover],
                shown: &dyn Fn(i128) -> String,
                sign: &dyn Fn(i128) -> String|
     -> Vec<Vec<String>> {
        let row = |mover: &Mover| {
            vec![mover.key.join("/"), shown(mover.left.into()), shown(mover.right.into()), sign(mover.change)]
        };
        movers.iter().map(row).collect()
    };
    let shown = |minor: i128| money(minor, findings.minor_units);
    let sign = |minor: i128| signed_money(minor, findings.minor_units);
    let header = ["key", "left", "right", "change"];
    let examples = findings.examples.iter().map(|example| {
        let cell = |cell: &Option<String>| cell.clone().unwrap_or_else(|| "null".into());
        vec![example.key.join("/"), example.column.clone(), cell(&example.left), cell(&example.right)]
    });
    vec![
        FindingsSection::new("scores that moved most")
            .table(&header, rows(&findings.largest_scores, &thousands, &signed)),
        FindingsSection::new("limits that moved most")
            .table(&header, rows(&findings.largest_limits, &shown, &sign)),
        FindingsSection::new("the first changes")
            .table(&["key", "column", "left", "right"], examples.collect()),
    ]
}

/// As the terminal shows it.
pub fn text(findings: &Findings, limit: usize, is_summary: bool) -> String {
    plain(&sections(findings, limit, is_summary))
}

/// Sections as plain text.
pub fn plain(sections: &[FindingsSection]) -> String {
    let part = |section: &FindingsSection| {
        let mut lines: Vec<String> = Vec::new();
        if !section.title.is_empty() {
            lines.push(visible(&section.title).into_owned());
        }
        let indent = if section.title.is_empty() { "" } else { "  " };
        lines.extend(section.sentences.iter().map(|sentence| format!("{indent}{}", visible(sentence))));
        if !section.rows.is_empty() {
            let header: Vec<&str> = section.header.iter().map(String::as_str).collect();
            lines.push(table(&header, &section.rows));
        }
        lines.join("\n")
    };
    sections.iter().map(part).collect::<Vec<_>>().join("\n\n")
}

pub fn sum_sentence(is_equal: bool, whole: String, whose: &str) -> String {
    match is_equal {
        true => format!("the parts add up to {whose} change, {whole}"),
        false => format!("THE PARTS DO NOT ADD UP to {whose} change, {whole}: a fault of the program"),
    }
}
