//! Two ranges: a line a date, then the totals.

use super::section::{FindingsSection, count, signed, signed_money, verdict};
use crate::diff::range::{DayChange, RangeFindings};

/// The sections of two ranges.
pub fn range_sections(findings: &RangeFindings) -> Vec<FindingsSection> {
    let minor_units = findings.minor_units;
    let days = findings.days.iter().map(|day| row(day.date.to_string(), &day.change, minor_units));
    let total = row("total".to_string(), &findings.total, minor_units);
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
    let mut section = FindingsSection::new("").table(&header, days.chain([total]).collect());
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
        .map(|part| vec![part.cause.clone(), count(part.decisions), signed_money(part.change, minor_units)]);
    let causes = FindingsSection::new("why decisions changed, over all days")
        .table(&["cause", "decisions", "limits"], causes.collect());
    let has_causes = findings.causes.iter().any(|part| part.decisions > 0 || part.change != 0);
    std::iter::once(section).chain(has_causes.then_some(causes)).chain([verdict(findings.same)]).collect()
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
