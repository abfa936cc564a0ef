//! The findings of a comparison as sections: the verdict, why, the money, who moved; then everything else.

use super::section::{Detail, FindingsSection, count, signed, signed_money};
use super::verdict::verdict;
use super::{arms, decisions, scores};
use crate::console::{money, thousands};
use crate::diff::findings::{Findings, SideCounts};
use crate::diff::provenance::{NOT_COMPARABLE, Provenance, RunLabel};
use crate::job::Unit;

/// The sections of findings, of each list at most `limit` entries.
pub fn sections(findings: &Findings, limit: usize, detail: Detail) -> Vec<FindingsSection> {
    let units = findings.minor_units;
    let mut sections = vec![opening(findings)];
    if let Some(causes) = &findings.decision_causes {
        sections.extend(decisions::causes(causes, units, detail));
    }
    if let Some(causes) = &findings.score_causes {
        sections.extend(scores::causes(causes, limit, detail));
    }
    if let Some(decisions) = &findings.decisions {
        sections.extend(decisions::sections(decisions, units, limit, detail));
    }
    sections.push(arms::section(&findings.arms, units));
    if detail != Detail::Headlines {
        sections.extend(largest(findings, limit));
    }
    if let Some(scores) = &findings.scores {
        sections.extend(scores::sections(scores, &findings.features, limit, detail));
    }
    if detail != Detail::Headlines {
        sections.push(schema(findings, limit));
    }
    if detail == Detail::Full || (detail == Detail::Short && moves_only_cells(findings)) {
        sections.push(columns(findings, limit));
    }
    sections.push(presence(findings, detail));
    if detail == Detail::Full {
        if let Some(decisions) = findings.decisions.as_ref().filter(|decisions| decisions.changed > 0) {
            sections.push(decisions::actions(&decisions.actions));
        }
        sections
            .extend(findings.provenance.iter().flat_map(|provenance| provenance_sections(provenance, limit)));
    }
    sections.retain(|section| !section.sentences.is_empty() || !section.rows.is_empty());
    sections
}

/// Whether neither a decision nor a score is another one, so that cells are all there is to show.
fn moves_only_cells(findings: &Findings) -> bool {
    findings.decisions.as_ref().is_none_or(|decisions| decisions.changed == 0)
        && findings.scores.as_ref().is_none_or(|scores| scores.changed == 0)
}

fn opening(findings: &Findings) -> FindingsSection {
    let basis = findings.provenance.as_ref().map(|provenance| provenance.verdict.clone());
    let (not_comparable, comparable): (Option<String>, Option<String>) = match basis {
        Some(basis) if basis.starts_with(NOT_COMPARABLE) => (Some(basis), None),
        basis => (None, basis),
    };
    let mut section = FindingsSection::new("");
    section.sentences.extend(not_comparable);
    section.sentences.push(verdict(findings));
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
        let found = findings.columns.iter().find(|one| one.column == *column);
        let unit = found.map(|column| column.unit).unwrap_or_default();
        let within = unit.show((*units).into(), findings.minor_units);
        section.sentences.push(format!("tolerance  {column} = {within}"));
    }
    if !findings.excluded.is_empty() {
        section.sentences.push(format!("without  {}", findings.excluded.join(", ")));
    }
    section.sentences.extend(comparable);
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
    let rejects = provenance.rejects.iter().map(|change| {
        vec![change.input.clone(), change.reason.clone(), count(change.left), count(change.right)]
    });
    let header = ["input", "reason", "left", "right"];
    let mut sections =
        vec![FindingsSection::new("rejected rows that differ").table(&header, rejects.collect()).cut(limit)];
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
    let inputs = provenance.inputs.iter().map(|change| {
        let delivery = change.delivery.map_or(String::new(), |day| day.to_string());
        let [left, right] = change.rows.map(|rows| rows.map_or(String::new(), count));
        vec![change.input.clone(), change.diff.name().into(), delivery, change.file.clone(), left, right]
    });
    let header = ["input", "fate", "delivery", "file", "rows left", "right"];
    sections.push(FindingsSection::new("inputs that differ").table(&header, inputs.collect()).cut(limit));
    sections
}

/// Who is on which side; where not everything is shown, only if somebody is on one side alone.
fn presence(findings: &Findings, detail: Detail) -> FindingsSection {
    let has_accounts = findings.scores.is_some() || findings.decisions.is_some();
    let all = [(if has_accounts { "accounts" } else { "rows" }, Some(&findings.rows))];
    let all = all.into_iter().chain([("lines", findings.lines.as_ref())]);
    let shown: Vec<(&str, &SideCounts)> = all
        .filter_map(|(name, sides)| Some((name, sides?)))
        .filter(|(_, sides)| detail == Detail::Full || !sides.is_same())
        .collect();
    let rows = shown.iter().map(|(name, sides)| presence_row(name, sides)).collect();
    let header = ["", "left", "right", "both", "only left", "only right"];
    let mut section = FindingsSection::new("who is there").table(&header, rows);
    let left =
        shown.iter().filter_map(|(_, one)| first_keys("only left", &one.first_only_left, one.only_left));
    let right =
        shown.iter().filter_map(|(_, one)| first_keys("only right", &one.first_only_right, one.only_right));
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

fn schema(findings: &Findings, limit: usize) -> FindingsSection {
    let schema = findings.schema.iter().map(|change| {
        let compared = if change.is_compared { "compared by value" } else { "not compared" };
        let [left, right] =
            [&change.left, &change.right].map(|kind| kind.clone().unwrap_or_else(|| "-".into()));
        vec![change.table.to_string(), change.column.clone(), left, right, compared.into()]
    });
    let header = ["table", "column", "left", "right", ""];
    FindingsSection::new("schemas differ").table(&header, schema.collect()).cut(limit)
}

fn columns(findings: &Findings, limit: usize) -> FindingsSection {
    let minor_units = findings.minor_units;
    let changed = findings.columns.iter().filter(|column| column.changed > 0).map(|column| {
        let sum = column.sum.map(|sum| column.unit.show_signed(sum, minor_units));
        let largest = column.largest.map(|largest| column.unit.show(largest.into(), minor_units));
        vec![
            column.table.to_string(),
            column.column.clone(),
            count(column.changed),
            sum.unwrap_or_default(),
            largest.unwrap_or_default(),
        ]
    });
    let rows = findings.tables.iter().map(|table| format!("{} {}", count(table.rows_changed), table.table));
    let header = ["table", "column", "cells", "sum of changes", "largest"];
    let mut columns = FindingsSection::new("changed cells").table(&header, changed.collect()).cut(limit);
    if !columns.rows.is_empty() {
        columns.sentences.insert(0, format!("rows that changed: {}", rows.collect::<Vec<_>>().join(", ")));
    }
    columns
}

fn largest(findings: &Findings, limit: usize) -> Vec<FindingsSection> {
    let units = findings.minor_units;
    let limits = findings.largest_limits.iter().take(limit).map(|mover| {
        let (left, right) = (money(mover.left.into(), units), money(mover.right.into(), units));
        vec![mover.key.join("/"), left, right, signed_money(mover.change, units)]
    });
    let scores = findings.largest_scores.iter().take(limit).map(|mover| {
        let (left, right) = (thousands(mover.left.into()), thousands(mover.right.into()));
        vec![mover.key.join("/"), left, right, signed(mover.change)]
    });
    let examples = findings.examples.iter().take(limit).map(|example| {
        let column = findings.columns.iter().find(|column| column.column == example.column);
        let unit = column.map(|column| column.unit).unwrap_or_default();
        let [left, right] =
            [&example.left, &example.right].map(|cell| cell_text(cell.as_deref(), unit, units));
        vec![example.key.join("/"), example.column.clone(), left, right]
    });
    let header = ["key", "left", "right", "change"];
    vec![
        FindingsSection::new("limits that moved most").table(&header, limits.collect()),
        FindingsSection::new("scores that moved most").table(&header, scores.collect()),
        FindingsSection::new("the first changes")
            .table(&["key", "column", "left", "right"], examples.collect()),
    ]
}

/// A cell's text; an amount is written as one.
fn cell_text(cell: Option<&str>, unit: Unit, minor_units: u32) -> String {
    let amount = cell.filter(|_| unit == Unit::Money).and_then(|cell| cell.parse().ok());
    match (amount, cell) {
        (Some(amount), _) => money(amount, minor_units),
        (None, Some(cell)) => cell.to_string(),
        (None, None) => "null".to_string(),
    }
}
