//! Findings for people: sections with tables, which text and page share.

use super::causes::DecisionCauses;
use super::findings::{Findings, Presence};
use super::header::{Basis, Stamp};
use super::movers::Mover;
use super::range::RangeFindings;
use super::score_causes::ScoreCauses;
use super::scores::ScoreChanges;
use crate::console::{money, table, thousands};

/// A heading, sentences and a table.
pub struct Section {
    /// Its heading; the first section has none.
    pub title: String,
    /// Sentences below it.
    pub sentences: Vec<String>,
    /// Names of the table's columns; empty where there is no table.
    pub header: Vec<&'static str>,
    /// Its rows.
    pub rows: Vec<Vec<String>>,
}

impl Section {
    fn new(title: &str) -> Section {
        Section { title: title.to_string(), sentences: Vec::new(), header: Vec::new(), rows: Vec::new() }
    }

    fn say(mut self, sentence: impl Into<String>) -> Section {
        self.sentences.push(sentence.into());
        self
    }

    fn table(self, header: &[&'static str], rows: Vec<Vec<String>>) -> Section {
        Section { header: header.to_vec(), rows, ..self }
    }

    /// The first `limit` rows, and how many more there are.
    fn cut(mut self, limit: usize) -> Section {
        if let Some(more) = self.rows.len().checked_sub(limit).filter(|more| *more > 0) {
            self.rows.truncate(limit);
            self.sentences.push(format!("the first {limit}, and {more} more: see --limit and --json"));
        }
        self
    }
}

fn signed(number: i128) -> String {
    if number > 0 { format!("+{}", thousands(number)) } else { thousands(number) }
}

fn signed_money(minor: i128, minor_units: u32) -> String {
    if minor > 0 { format!("+{}", money(minor, minor_units)) } else { money(minor, minor_units) }
}

fn count(number: u64) -> String {
    thousands(number.into())
}

/// What is there to tell, of each list at most `limit` entries; the headlines alone for a summary.
pub fn sections(findings: &Findings, limit: usize, is_summary: bool) -> Vec<Section> {
    let mut sections = vec![opening(findings)];
    if let Some(basis) = findings.basis.as_ref().filter(|_| !is_summary) {
        sections.extend(basis_sections(basis, limit));
    }
    sections.push(presence(findings));
    if !is_summary {
        sections.extend(schema_and_columns(findings, limit));
    }
    if let Some(scores) = &findings.scores {
        sections.extend(score_sections(scores, findings, limit, is_summary));
    }
    if let Some(causes) = &findings.score_causes {
        sections.push(score_causes(causes, is_summary));
    }
    if findings.decisions.is_some() {
        sections.extend(decision_sections(findings, limit, is_summary));
    }
    if let Some(causes) = &findings.decision_causes {
        sections.push(decision_causes(causes, findings.minor_units));
    }
    if !is_summary {
        sections.extend(largest(findings));
    }
    sections.push(Section::new("").say(if findings.same { "no difference" } else { "they differ" }));
    sections.retain(|section| !section.sentences.is_empty() || !section.rows.is_empty());
    sections
}

fn opening(findings: &Findings) -> Section {
    let mut section = Section::new("");
    section.sentences.push(match &findings.basis {
        Some(basis) => basis.verdict.clone(),
        None => "two files".to_string(),
    });
    let stamp = |stamp: &Stamp| {
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

fn basis_sections(basis: &Basis, limit: usize) -> Vec<Section> {
    let inputs = basis.inputs.iter().map(|change| {
        let delivery = change.delivery.map_or(String::new(), |day| day.to_string());
        let rows = |side: usize| change.rows[side].map_or(String::new(), count);
        vec![change.input.clone(), change.fate.name().into(), delivery, change.file.clone(), rows(0), rows(1)]
    });
    let header = ["input", "fate", "delivery", "file", "rows left", "right"];
    let mut sections = vec![Section::new("inputs that differ").table(&header, inputs.collect()).cut(limit)];
    for file in &basis.job_files {
        let line = |change: &super::header::LineChange| {
            let sign = if change.left.is_some() { "-" } else { "+" };
            let number = change.left.or(change.right).unwrap_or(0);
            vec![format!("{sign} {number}"), change.text.clone()]
        };
        let rows: Vec<Vec<String>> = file.lines.iter().map(line).collect();
        sections.push(
            Section::new(&format!("{}: changed lines", file.file)).table(&["line", "text"], rows).cut(limit),
        );
    }
    let rejects = basis.rejects.iter().map(|change| {
        vec![change.input.clone(), change.reason.clone(), count(change.left), count(change.right)]
    });
    let header = ["input", "reason", "left", "right"];
    sections.push(Section::new("rejected rows that differ").table(&header, rejects.collect()).cut(limit));
    sections
}

fn presence(findings: &Findings) -> Section {
    let row = |name: &str, presence: &Presence| {
        let counts = [presence.left, presence.right, presence.both, presence.only_left, presence.only_right];
        std::iter::once(name.to_string()).chain(counts.map(count)).collect::<Vec<_>>()
    };
    let mut rows = vec![row(
        if findings.runs.is_some() && findings.examples.is_empty() { "accounts" } else { "rows" },
        &findings.rows,
    )];
    rows.extend(findings.lines.as_ref().map(|lines| row("lines", lines)));
    let mut section =
        Section::new("who is there").table(&["", "left", "right", "both", "only left", "only right"], rows);
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

fn schema_and_columns(findings: &Findings, limit: usize) -> Vec<Section> {
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
    let schema = Section::new("schemas differ").table(&header, schema.collect()).cut(limit);
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
    let mut columns = Section::new("changed cells").table(&header, changed.collect()).cut(limit);
    if !columns.rows.is_empty() {
        columns.sentences.insert(0, format!("rows that changed: {}", rows.collect::<Vec<_>>().join(", ")));
    }
    vec![schema, columns]
}

fn score_sections(
    scores: &ScoreChanges,
    findings: &Findings,
    limit: usize,
    is_summary: bool,
) -> Vec<Section> {
    let mean = scores.mean_thousandths.map_or("-".into(), |mean| signed_money(mean, 3));
    let psi = |psi: Option<i64>| psi.map_or("-".to_string(), |psi| money(psi.into(), 3));
    let mut section = Section::new("scores").say(format!(
        "{} of {} changed: {} up, {} down; sum {} points, mean {mean}, worst {}, best {}; PSI {}",
        count(scores.changed),
        count(scores.accounts),
        count(scores.up),
        count(scores.down),
        signed(scores.sum),
        signed(scores.worst.into()),
        signed(scores.best.into()),
        psi(scores.psi_thousandths),
    ));
    if is_summary
        || scores.changed == 0 && findings.features.iter().all(|drift| drift.psi_thousandths == Some(0))
    {
        return vec![section];
    }
    let most = scores.histogram.iter().map(|range| range.accounts).max().unwrap_or(0).max(1);
    let bar = |accounts: u64| "#".repeat((accounts * 40).div_ceil(most) as usize);
    let range = |range: &super::scores::Range| {
        let end = |end: Option<i64>| end.map(|end| signed(end.into()));
        let name = match (end(range.from), end(range.to)) {
            (Some(from), Some(to)) if from == to => from,
            (Some(from), Some(to)) => format!("{from} to {to}"),
            (Some(from), None) => format!("{from} and more"),
            (None, to) => format!("{} and less", to.unwrap_or_default()),
        };
        vec![name, count(range.accounts), bar(range.accounts)]
    };
    let histogram = scores.histogram.iter().map(range).collect();
    section = section.table(&["change", "accounts", ""], histogram);
    let bands =
        scores.bands.iter().filter(|band| band.left != band.right).map(|migration| {
            vec![migration.left.clone(), migration.right.clone(), count(migration.accounts)]
        });
    let stayed: u64 =
        scores.bands.iter().filter(|band| band.left == band.right).map(|band| band.accounts).sum();
    let bands = Section::new("bands")
        .say(format!("{} of {} stay in their band", count(stayed), count(scores.accounts)))
        .table(&["left", "right", "accounts"], bands.collect());
    let drifts = findings.features.iter().filter(|drift| drift.psi_thousandths != Some(0));
    let drifts = drifts.map(|drift| vec![drift.feature.clone(), psi(drift.psi_thousandths)]);
    let drifts = Section::new("features that moved").table(&["feature", "PSI"], drifts.collect()).cut(limit);
    vec![section, bands, drifts]
}

fn score_causes(causes: &ScoreCauses, is_summary: bool) -> Section {
    let is_split = causes.not_separable == 0 && causes.notes.is_empty();
    let columns = |data: i128, scorecard: i128, either: i128| {
        let mut cells = vec![signed(data), signed(scorecard)];
        if !is_split {
            cells.push(signed(either));
        }
        cells.push(signed(data + scorecard + either));
        cells
    };
    let moved = causes.parts.iter().filter(|part| part.accounts > 0 && !is_summary);
    let mut rows: Vec<Vec<String>> = moved
        .map(|part| {
            let mut row = vec![part.part.clone(), count(part.accounts)];
            row.extend(columns(part.data, part.scorecard, part.not_separable));
            row
        })
        .collect();
    let mut total = vec!["total".to_string(), String::new()];
    total.extend(columns(causes.data, causes.scorecard, causes.not_separable));
    rows.push(total);
    let header: &[&'static str] = match is_split {
        true => &["part", "accounts", "data", "scorecard", "points"],
        false => &["part", "accounts", "data", "scorecard", "not separable", "points"],
    };
    let mut section = Section::new("why scores changed").table(header, rows);
    section.sentences = causes.notes.clone();
    section.say(sum_sentence(causes.total == causes.moved, signed(causes.moved), "the scores'"))
}

fn sum_sentence(is_equal: bool, whole: String, whose: &str) -> String {
    match is_equal {
        true => format!("the parts add up to {whose} change, {whole}"),
        false => format!("THE PARTS DO NOT ADD UP to {whose} change, {whole}: a fault of the program"),
    }
}

fn decision_sections(findings: &Findings, limit: usize, is_summary: bool) -> Vec<Section> {
    let Some(decisions) = &findings.decisions else { return Vec::new() };
    let shown = |minor: i128| money(minor, findings.minor_units);
    let mut sections = vec![Section::new("decisions").say(format!(
        "{} of {} lines on both sides are decided otherwise",
        count(decisions.changed),
        count(decisions.lines)
    ))];
    let moved = decisions.actions.iter().filter(|moved| moved.left != moved.right);
    let row = |moved: &super::decisions::ActionMigration| {
        let name = |action: Option<&str>| action.unwrap_or("-").to_string();
        let change = signed_money(moved.change, findings.minor_units);
        vec![moved.product.clone(), name(moved.left), name(moved.right), count(moved.lines), change]
    };
    if !is_summary {
        let rows = moved.map(row).collect();
        let header = ["product", "left", "right", "lines", "limits"];
        sections.push(Section::new("actions that changed").table(&header, rows).cut(limit));
    }
    let mut rows = Vec::new();
    for money in decisions.money.iter().filter(|money| !is_summary || money.product.is_none()) {
        let product = money.product.as_deref().unwrap_or("all");
        let of =
            |of: fn(&super::decisions::Money) -> i128| (of(&money.left), of(&money.right), of(&money.delta));
        for (what, (left, right, delta)) in [
            ("raises", of(|money| money.raises)),
            ("lowers", of(|money| money.lowers)),
            ("limits after", of(|money| money.limits)),
            ("exposure after", of(|money| money.exposure)),
        ] {
            let delta = signed_money(delta, findings.minor_units);
            rows.push(vec![product.to_string(), what.to_string(), shown(left), shown(right), delta]);
        }
    }
    sections.push(Section::new("money").table(&["product", "", "left", "right", "delta"], rows));
    sections
}

fn decision_causes(causes: &DecisionCauses, minor_units: u32) -> Section {
    let row = |cause: &str, decisions: u64, change: i128| {
        vec![cause.to_string(), count(decisions), signed_money(change, minor_units)]
    };
    let mut rows: Vec<Vec<String>> =
        causes.parts.iter().map(|part| row(&part.cause, part.decisions, part.change)).collect();
    rows.push(row("total", causes.decisions, causes.change));
    let mut section = Section::new("why decisions changed").table(&["cause", "decisions", "limits"], rows);
    section.sentences = causes.notes.clone();
    let is_equal = causes.decisions == causes.changed && causes.change == causes.moved;
    let whole =
        format!("{} decisions and {}", count(causes.changed), signed_money(causes.moved, minor_units));
    section.say(sum_sentence(is_equal, whole, "the tables'"))
}

fn largest(findings: &Findings) -> Vec<Section> {
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
        Section::new("scores that moved most")
            .table(&header, rows(&findings.largest_scores, &thousands, &signed)),
        Section::new("limits that moved most").table(&header, rows(&findings.largest_limits, &shown, &sign)),
        Section::new("the first changes").table(&["key", "column", "left", "right"], examples.collect()),
    ]
}

/// As the terminal shows it.
pub fn text(findings: &Findings, limit: usize, is_summary: bool) -> String {
    plain(&sections(findings, limit, is_summary))
}

/// Sections as plain text.
fn plain(sections: &[Section]) -> String {
    let part = |section: &Section| {
        let mut lines: Vec<String> = Vec::new();
        if !section.title.is_empty() {
            lines.push(section.title.clone());
        }
        let indent = if section.title.is_empty() { "" } else { "  " };
        lines.extend(section.sentences.iter().map(|sentence| format!("{indent}{sentence}")));
        if !section.rows.is_empty() {
            lines.push(table(&section.header, &section.rows));
        }
        lines.join("\n")
    };
    sections.iter().map(part).collect::<Vec<_>>().join("\n\n")
}

/// A range: a line a date, then the totals.
pub fn range_sections(findings: &RangeFindings) -> Vec<Section> {
    let shown = |minor: i128| signed_money(minor, findings.minor_units);
    let row = |date: String, day: &super::range::DayChange| {
        vec![
            date,
            count(day.accounts_one_side),
            count(day.lines_one_side),
            count(day.scores_changed),
            signed(day.score_sum),
            count(day.decisions_changed),
            shown(day.raises),
            shown(day.lowers),
            shown(day.limits),
            if day.same { "same".into() } else { "other".into() },
        ]
    };
    let mut rows: Vec<Vec<String>> =
        findings.days.iter().map(|day| row(day.date.to_string(), &day.change)).collect();
    rows.push(row("total".into(), &findings.total));
    let header = [
        "date",
        "accounts one side",
        "lines one side",
        "scores",
        "points",
        "decisions",
        "raises",
        "lowers",
        "limits",
        "",
    ];
    let mut section = Section::new("").table(&header, rows);
    section.sentences.push(format!("dates on both sides: {}", findings.days.len()));
    section.sentences.push(format!("left   {}", findings.left));
    section.sentences.push(format!("right  {}", findings.right));
    for (side, days) in [("left", &findings.only_left), ("right", &findings.only_right)] {
        if !days.is_empty() {
            let days: Vec<String> = days.iter().map(ToString::to_string).collect();
            section.sentences.push(format!("only {side}: {}", days.join(", ")));
        }
    }
    let causes = findings
        .causes
        .iter()
        .map(|part| vec![part.cause.clone(), count(part.decisions), shown(part.change)]);
    let causes = Section::new("why decisions changed, over all days")
        .table(&["cause", "decisions", "limits"], causes.collect());
    let end = Section::new("").say(if findings.same { "no difference" } else { "they differ" });
    vec![section, causes, end]
}

/// As the terminal shows it.
pub fn range_text(findings: &RangeFindings) -> String {
    plain(&range_sections(findings))
}
