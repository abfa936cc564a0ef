//! Two ranges: a line a date, then the totals.

use super::sections::{FindingsSection, count, plain, signed, signed_money, verdict};
use crate::diff::range::{DayChange, RangeFindings};

/// What is there to tell of two ranges.
pub fn range_sections(findings: &RangeFindings) -> Vec<FindingsSection> {
    let shown = |minor: i128| signed_money(minor, findings.minor_units);
    let row = |date: String, day: &DayChange| {
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
            day.differs.join(", "),
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
        "tables",
        "the runs differ in",
    ];
    let mut section = FindingsSection::new("").table(&header, rows);
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
    let causes = FindingsSection::new("why decisions changed, over all days")
        .table(&["cause", "decisions", "limits"], causes.collect());
    let has_causes = findings.causes.iter().any(|part| part.decisions > 0 || part.change != 0);
    std::iter::once(section).chain(has_causes.then_some(causes)).chain([verdict(findings.same)]).collect()
}

/// As the terminal shows it.
pub fn range_text(findings: &RangeFindings) -> String {
    plain(&range_sections(findings))
}
