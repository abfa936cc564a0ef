//! Scores and what moved them.

use std::cmp::Reverse;

use super::section::{Detail, FindingsSection, bar, count, signed, signed_money, sum_sentence};
use crate::console::money;
use crate::diff::causes::scores::ScoreCauses;
use crate::diff::tally::scores::{BandMigration, ChangeRange, Drift, ScoreChanges};

pub(super) fn sections(
    scores: &ScoreChanges,
    features: &[Drift],
    limit: usize,
    detail: Detail,
) -> Vec<FindingsSection> {
    let mean = scores.mean_thousandths.map_or("-".into(), |mean| signed_money(mean, 3));
    let section = FindingsSection::new("scores").say(format!(
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
    match detail {
        Detail::Full => {}
        _ if scores.changed == 0 => return Vec::new(),
        _ => return vec![section],
    }
    let drifts = features.iter().filter(|drift| drift.psi_thousandths != Some(0));
    let drifts = drifts.map(|drift| vec![drift.feature.clone(), psi(drift.psi_thousandths)]);
    let header = ["feature", "PSI"];
    let drifts = FindingsSection::new("features that moved").table(&header, drifts.collect()).cut(limit);
    if scores.changed == 0 {
        return vec![section, drifts];
    }
    vec![section.table(&["change", "accounts", ""], histogram(scores)), bands(scores), drifts]
}

fn psi(thousandths: Option<i64>) -> String {
    thousandths.map_or("-".to_string(), |thousandths| money(thousandths.into(), 3))
}

fn histogram(scores: &ScoreChanges) -> Vec<Vec<String>> {
    let most = scores.histogram.iter().map(|range| range.accounts).max().unwrap_or(0);
    let rows = scores
        .histogram
        .iter()
        .map(|range| vec![range_name(range), count(range.accounts), bar(range.accounts, most)]);
    rows.collect()
}

pub(super) fn range_name(range: &ChangeRange) -> String {
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

/// What moved the scores, by part; but where everything is shown, at most `limit` parts, those that moved most points,
/// and no kind of cause that moved none.
pub(super) fn causes(causes: &ScoreCauses, limit: usize, detail: Detail) -> Option<FindingsSection> {
    let is_split = causes.not_separable == 0 && causes.notes.is_empty();
    if is_split && causes.parts.iter().all(|part| part.accounts == 0) {
        return None;
    }
    let is_full = detail == Detail::Full;
    let sums = causes.parts.iter().map(|part| [part.data, part.scorecard, part.not_separable]);
    let sums: Vec<[i128; 3]> = sums.chain([[causes.data, causes.scorecard, causes.not_separable]]).collect();
    let kinds = [(0, "data"), (1, "scorecard"), (2, "not separable")];
    let mut kinds: Vec<(usize, &str)> = kinds.to_vec();
    kinds.retain(|(kind, _)| match kind {
        2 => !is_split,
        _ => is_full || sums.iter().any(|sums| sums[*kind] != 0),
    });
    let mut moved: Vec<usize> = (0..causes.parts.len()).collect();
    moved.retain(|part| causes.parts[*part].accounts > 0 && detail != Detail::Headlines);
    if !is_full {
        moved.retain(|part| sums[*part].iter().any(|sum| *sum != 0));
        moved.sort_by_key(|part| Reverse(sums[*part].iter().sum::<i128>().unsigned_abs()));
    }
    let parts = moved.into_iter().map(|part| {
        let name = causes.parts[part].part.clone();
        cause_row(name, count(causes.parts[part].accounts), &kinds, sums[part])
    });
    let mut header = vec!["part", "accounts"];
    header.extend(kinds.iter().map(|(_, name)| *name));
    header.extend((kinds.len() > 1).then_some("points"));
    let mut section = FindingsSection::new("why scores changed").table(&header, parts.collect());
    if !is_full {
        section = section.cut(limit);
    }
    section.rows.push(cause_row("total".to_string(), String::new(), &kinds, sums[causes.parts.len()]));
    section.sentences.splice(0..0, causes.notes.iter().cloned());
    Some(section.say(sum_sentence(causes.total == causes.moved, signed(causes.moved), "the scores'")))
}

/// A part, what each kind of cause moved, and, where there are several, all of them.
fn cause_row(part: String, accounts: String, kinds: &[(usize, &str)], sums: [i128; 3]) -> Vec<String> {
    let mut cells = vec![part, accounts];
    cells.extend(kinds.iter().map(|(kind, _)| signed(sums[*kind])));
    cells.extend((kinds.len() > 1).then(|| signed(sums.iter().sum())));
    cells
}
