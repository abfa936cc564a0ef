//! The findings of a comparison as sections.

use super::section::{FindingsSection, count, signed, signed_money, verdict};
use super::{decisions, scores};
use crate::console::{money, thousands};
use crate::diff::findings::{Findings, SideCounts};
use crate::diff::provenance::{Provenance, RunLabel};

/// The sections of findings, of each list at most `limit` entries; the headlines alone for a summary.
pub fn sections(findings: &Findings, limit: usize, is_summary: bool) -> Vec<FindingsSection> {
    let mut sections = vec![opening(findings)];
    if let Some(provenance) = findings.provenance.as_ref().filter(|_| !is_summary) {
        sections.extend(provenance_sections(provenance, limit));
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
    section.sentences.push(match &findings.provenance {
        Some(provenance) => provenance.verdict.clone(),
        None => "two files".to_string(),
    });
    let [left, right] = match &findings.runs {
        Some([left, right]) => [label(left), label(right)],
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

fn label(run: &RunLabel) -> String {
    let chain = run.chain_from.map_or(String::new(), |day| format!(", simulated from {day}"));
    let held = if run.held { ", held by a gate" } else { "" };
    format!(
        "{}: {} of {}, known on {}, rescore {}{chain}{held}",
        run.run, run.job, run.as_of, run.known_on, run.program_version
    )
}

fn provenance_sections(provenance: &Provenance, limit: usize) -> Vec<FindingsSection> {
    let inputs = provenance.inputs.iter().map(|change| {
        let delivery = change.delivery.map_or(String::new(), |day| day.to_string());
        let [left, right] = change.rows.map(|rows| rows.map_or(String::new(), count));
        vec![change.input.clone(), change.diff.name().into(), delivery, change.file.clone(), left, right]
    });
    let header = ["input", "fate", "delivery", "file", "rows left", "right"];
    let mut sections =
        vec![FindingsSection::new("inputs that differ").table(&header, inputs.collect()).cut(limit)];
    for file in &provenance.job_files {
        let rows = file.lines.iter().map(|change| {
            let sign = if change.left.is_some() { "-" } else { "+" };
            let number = change.left.or(change.right).unwrap_or(0);
            vec![format!("{sign} {number}"), change.text.clone()]
        });
        let title = format!("changed lines of {}", file.file);
        let section = FindingsSection::new(&title).table(&["line", "text"], rows.collect());
        sections.push(section.cut(limit));
    }
    let rejects = provenance.rejects.iter().map(|change| {
        vec![change.input.clone(), change.reason.clone(), count(change.left), count(change.right)]
    });
    let header = ["input", "reason", "left", "right"];
    sections
        .push(FindingsSection::new("rejected rows that differ").table(&header, rejects.collect()).cut(limit));
    sections
}

fn presence(findings: &Findings) -> FindingsSection {
    let has_accounts = findings.scores.is_some() || findings.decisions.is_some();
    let mut rows = vec![presence_row(if has_accounts { "accounts" } else { "rows" }, &findings.rows)];
    rows.extend(findings.lines.as_ref().map(|lines| presence_row("lines", lines)));
    let header = ["", "left", "right", "both", "only left", "only right"];
    let mut section = FindingsSection::new("who is there").table(&header, rows);
    let counted: Vec<&SideCounts> = std::iter::once(&findings.rows).chain(&findings.lines).collect();
    let left = counted.iter().filter_map(|one| first_keys("only left", &one.first_only_left, one.only_left));
    let right =
        counted.iter().filter_map(|one| first_keys("only right", &one.first_only_right, one.only_right));
    section.sentences.extend(left.chain(right));
    section
}

fn presence_row(name: &str, counts: &SideCounts) -> Vec<String> {
    let counts = [counts.left, counts.right, counts.both, counts.only_left, counts.only_right];
    std::iter::once(name.to_string()).chain(counts.map(count)).collect()
}

/// The first of those on one side only, and how many more there are.
fn first_keys(side: &str, first: &[Vec<String>], total: u64) -> Option<String> {
    if first.is_empty() {
        return None;
    }
    let named: Vec<String> = first.iter().map(|key| key.join("/")).collect();
    let more = total - first.len() as u64;
    let more = if more > 0 { format!(" and {} more", count(more)) } else { String::new() };
    Some(format!("{side}: {}{more}", named.join(", ")))
}

fn schema_and_columns(findings: &Findings, limit: usize) -> Vec<FindingsSection> {
    let schema = findings.schema.iter().map(|change| {
        let compared = if change.is_compared { "compared by value" } else { "not compared" };
        let [left, right] =
            [&change.left, &change.right].map(|kind| kind.clone().unwrap_or_else(|| "-".into()));
        vec![change.table.to_string(), change.column.clone(), left, right, compared.into()]
    });
    let header = ["table", "column", "left", "right", ""];
    let schema = FindingsSection::new("schemas differ").table(&header, schema.collect()).cut(limit);
    let changed = findings.columns.iter().filter(|column| column.changed > 0).map(|column| {
        vec![
            column.table.to_string(),
            column.column.clone(),
            count(column.changed),
            column.sum.map(signed).unwrap_or_default(),
            column.largest.map(count).unwrap_or_default(),
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
    let scores = findings.largest_scores.iter().map(|mover| {
        let (left, right) = (thousands(mover.left.into()), thousands(mover.right.into()));
        vec![mover.key.join("/"), left, right, signed(mover.change)]
    });
    let units = findings.minor_units;
    let limits = findings.largest_limits.iter().map(|mover| {
        let (left, right) = (money(mover.left.into(), units), money(mover.right.into(), units));
        vec![mover.key.join("/"), left, right, signed_money(mover.change, units)]
    });
    let examples = findings.examples.iter().map(|example| {
        let [left, right] =
            [&example.left, &example.right].map(|cell| cell.clone().unwrap_or_else(|| "null".into()));
        vec![example.key.join("/"), example.column.clone(), left, right]
    });
    let header = ["key", "left", "right", "change"];
    vec![
        FindingsSection::new("scores that moved most").table(&header, scores.collect()),
        FindingsSection::new("limits that moved most").table(&header, limits.collect()),
        FindingsSection::new("the first changes")
            .table(&["key", "column", "left", "right"], examples.collect()),
    ]
}
