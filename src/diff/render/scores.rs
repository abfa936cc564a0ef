//! Scores and what moved them.

use super::section::{FindingsSection, bar, count, signed, signed_money, sum_sentence};
use crate::console::thousands;
use crate::diff::causes::scores::ScoreCauses;
use crate::diff::tally::scores::{BandMigration, ChangeRange, Drift, ScoreChanges};

pub(super) fn sections(
    scores: &ScoreChanges,
    features: &[Drift],
    limit: usize,
    is_summary: bool,
) -> Vec<FindingsSection> {
    let mean = scores.mean_thousandths.map_or("-".into(), |mean| signed_money(mean, 3));
    let section = FindingsSection::new("scores").say(format!(
        "{} of {} changed: {} up, {} down; sum {} points, mean {mean}, worst {}, best {}; PSI {} thousandths",
        count(scores.changed),
        count(scores.accounts),
        count(scores.up),
        count(scores.down),
        signed(scores.sum),
        signed(scores.worst.into()),
        signed(scores.best.into()),
        psi(scores.psi_thousandths),
    ));
    if is_summary {
        return vec![section];
    }
    let drifts = features.iter().filter(|drift| drift.psi_thousandths != Some(0));
    let drifts = drifts.map(|drift| vec![drift.feature.clone(), psi(drift.psi_thousandths)]);
    let header = ["feature", "PSI, thousandths"];
    let drifts = FindingsSection::new("features that moved").table(&header, drifts.collect()).cut(limit);
    if scores.changed == 0 {
        return vec![section, drifts];
    }
    vec![section.table(&["change", "accounts", ""], histogram(scores)), bands(scores), drifts]
}

fn psi(thousandths: Option<i64>) -> String {
    thousandths.map_or("-".to_string(), |thousandths| thousands(thousandths.into()))
}

fn histogram(scores: &ScoreChanges) -> Vec<Vec<String>> {
    let most = scores.histogram.iter().map(|range| range.accounts).max().unwrap_or(0);
    let rows = scores
        .histogram
        .iter()
        .map(|range| vec![range_name(range), count(range.accounts), bar(range.accounts, most)]);
    rows.collect()
}

fn range_name(range: &ChangeRange) -> String {
    let [from, to] = [range.from, range.to].map(|end| end.map(|end| signed(end.into())));
    match (from, to) {
        (Some(from), Some(to)) if from == to => from,
        (Some(from), Some(to)) => format!("{from} to {to}"),
        (Some(from), None) => format!("{from} and more"),
        (None, to) => format!("{} and less", to.unwrap_or_default()),
    }
}

/// Left bands down, right bands across.
fn bands(scores: &ScoreChanges) -> FindingsSection {
    let rows: Vec<&[BandMigration]> = scores.bands.chunk_by(|a, b| a.left == b.left).collect();
    let stayed: u64 =
        scores.bands.iter().filter(|band| band.left == band.right).map(|band| band.accounts).sum();
    let mut header = vec!["left, right"];
    header.extend(rows.first().into_iter().flat_map(|row| row.iter().map(|band| band.right.as_str())));
    header.push("all");
    let cells = rows.iter().map(|row| {
        let all = row.iter().map(|band| band.accounts).sum();
        let counts = row.iter().map(|band| band.accounts).chain([all]).map(count);
        std::iter::once(row[0].left.clone()).chain(counts).collect()
    });
    FindingsSection::new("bands")
        .say(format!("{} of {} stay in their band", count(stayed), count(scores.accounts)))
        .table(&header, cells.collect())
}

pub(super) fn causes(causes: &ScoreCauses, is_summary: bool) -> Option<FindingsSection> {
    let is_split = causes.not_separable == 0 && causes.notes.is_empty();
    if is_split && causes.parts.iter().all(|part| part.accounts == 0) {
        return None;
    }
    let mut header = vec!["part", "accounts", "data", "scorecard", "not separable", "points"];
    if is_split {
        header.retain(|name| *name != "not separable");
    }
    let moved = causes.parts.iter().filter(|part| part.accounts > 0 && !is_summary);
    let parts = moved.map(|part| {
        let (name, accounts) = (part.part.clone(), count(part.accounts));
        cause_row(name, accounts, [part.data, part.scorecard, part.not_separable], is_split)
    });
    let points = [causes.data, causes.scorecard, causes.not_separable];
    let total = cause_row("total".to_string(), String::new(), points, is_split);
    let rows = parts.chain([total]).collect();
    let mut section = FindingsSection::new("why scores changed").table(&header, rows);
    section.sentences = causes.notes.clone();
    Some(section.say(sum_sentence(causes.total == causes.moved, signed(causes.moved), "the scores'")))
}

/// A part and what the data, the scorecard and either of them moved; the last is left out where all is split.
fn cause_row(
    part: String,
    accounts: String,
    [data, scorecard, either]: [i128; 3],
    is_split: bool,
) -> Vec<String> {
    let mut cells = vec![part, accounts, signed(data), signed(scorecard)];
    if !is_split {
        cells.push(signed(either));
    }
    cells.push(signed(data + scorecard + either));
    cells
}
