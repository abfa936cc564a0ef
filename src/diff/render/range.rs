//! Two ranges: the verdict, a line a date, the totals, and why decisions changed.

use super::section::{Detail, FindingsSection, count, signed, signed_money};
use super::verdict::range_verdict;
use crate::diff::range::{DayChange, RangeFindings};

/// The sections of two ranges; but where everything is shown, without dates and columns of which nothing differs.
pub fn range_sections(findings: &RangeFindings, detail: Detail) -> Vec<FindingsSection> {
    let minor_units = findings.minor_units;
    let is_full = detail == Detail::Full;
    let shown = findings.days.iter().filter(|day| is_full || !day.change.same);
    let days = shown.map(|day| row(day.date.to_string(), &day.change, minor_units));
    let total = row("total".to_string(), &findings.total, minor_units);
    let mut section = FindingsSection::new("").say(range_verdict(findings));
    let mut rows: Vec<Vec<String>> = days.collect();
    if is_full || !rows.is_empty() {
        rows.push(total);
        section = section.table(&HEADER, rows);
    }
    if !is_full {
        leave_out_zeros(&mut section);
    }
    section.sentences.push(format!("left   {}", findings.left));
    section.sentences.push(format!("right  {}", findings.right));
    for (side, days) in [("left", &findings.only_left), ("right", &findings.only_right)] {
        if !days.is_empty() {
            let days: Vec<String> = days.iter().map(ToString::to_string).collect();
            section.sentences.push(format!("only {side}: {}", days.join(", ")));
        }
    }
    let parts = findings.causes.iter().filter(|part| is_full || (part.decisions, part.change) != (0, 0));
    let causes = parts
        .map(|part| vec![part.cause.clone(), count(part.decisions), signed_money(part.change, minor_units)]);
    let causes = FindingsSection::new("why decisions changed, over all days")
        .table(&["cause", "decisions", "limits"], causes.collect());
    let has_causes = findings.causes.iter().any(|part| part.decisions > 0 || part.change != 0);
    std::iter::once(section).chain(has_causes.then_some(causes)).collect()
}

const HEADER: [&str; 11] = [
    "date",
    "accounts one side",
    "lines one side",
    "scores",
    "points",
    "decisions",
    "raises",
    "lowers",
    "limits",
    "tables",
    "the runs differ in",
];

/// Leaves out the columns of which every row says that nothing differs.
fn leave_out_zeros(section: &mut FindingsSection) {
    let says_nothing = |cell: &String| cell.is_empty() || cell.bytes().all(|byte| b"0.".contains(&byte));
    let is_kept: Vec<bool> = (0..section.header.len())
        .map(|column| {
            section.header[column] != "tables" && !section.rows.iter().all(|row| says_nothing(&row[column]))
        })
        .collect();
    for cells in section.rows.iter_mut().chain([&mut section.header]) {
        let mut kept = is_kept.iter();
        cells.retain(|_| kept.next().is_some_and(|kept| *kept));
    }
}

fn row(date: String, day: &DayChange, minor_units: u32) -> Vec<String> {
    vec![
        date,
        count(day.accounts_one_side),
        count(day.lines_one_side),
        count(day.scores_changed),
        signed(day.score_sum),
        count(day.decisions_changed),
        signed_money(day.raises, minor_units),
        signed_money(day.lowers, minor_units),
        signed_money(day.limits, minor_units),
        if day.same { "same".into() } else { "other".into() },
        day.differs.join(", "),
    ]
}
