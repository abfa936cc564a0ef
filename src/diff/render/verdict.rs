//! The verdict of a comparison in one sentence: the same, or how much is otherwise and by how much money.

use super::section::{DIFFERENT, SAME, count, signed_money};
use crate::console::plural;
use crate::diff::findings::{Findings, SideCounts};
use crate::diff::range::RangeFindings;

/// Of two runs or tables.
pub fn verdict(findings: &Findings) -> String {
    if findings.same {
        return SAME.to_string();
    }
    let mut parts = Vec::new();
    if let Some(decisions) = &findings.decisions {
        parts.push(decided(decisions.changed, decisions.lines));
        let limits = decisions.money.last().map_or(0, |money| money.delta.limits);
        parts.push(limits_moved(limits, findings.minor_units));
    }
    if let Some(scores) = findings.scores.as_ref().filter(|scores| scores.changed > 0) {
        parts.push(format!("{} of {} scores changed", count(scores.changed), count(scores.accounts)));
    }
    let (name, sides) = match &findings.lines {
        Some(lines) => ("line", lines),
        None if findings.scores.is_some() => ("account", &findings.rows),
        None => ("row", &findings.rows),
    };
    if findings.scores.is_none() && findings.decisions.is_none() {
        let changed = findings.tables.iter().map(|table| table.rows_changed).sum();
        parts.push(format!("{} of {} changed", count(changed), plural(sides.both as usize, name)));
    }
    parts.extend(one_sided(sides, name));
    let cells: u64 = findings.columns.iter().map(|column| column.changed).sum();
    let says_nothing_else = findings.decisions.as_ref().is_none_or(|decisions| decisions.changed == 0)
        && findings.scores.as_ref().is_none_or(|scores| scores.changed == 0)
        && findings.runs.is_some();
    if says_nothing_else && cells > 0 {
        parts.push(format!("{} changed", plural(cells as usize, "cell")));
    }
    if !findings.schema.is_empty() {
        parts.push("the schemas differ".to_string());
    }
    format!("{DIFFERENT}: {}", parts.join(", "))
}

/// Of two ranges.
pub fn range_verdict(findings: &RangeFindings) -> String {
    let dates = plural(findings.days.len(), "date");
    if findings.same {
        return format!("{SAME} on {dates}");
    }
    let total = &findings.total;
    let mut parts = Vec::new();
    if !total.same {
        let differing = findings.days.iter().filter(|day| !day.change.same).count() as u64;
        parts.push(format!("{} of {dates}", count(differing)));
        if total.lines > 0 {
            parts.push(decided(total.decisions_changed, total.lines));
            parts.push(limits_moved(total.limits, findings.minor_units));
        } else if total.decisions_changed > 0 {
            parts.push(format!("{} changed", plural(total.decisions_changed as usize, "adjustment")));
        }
        if total.scores_changed > 0 {
            parts.push(format!("{} changed", plural(total.scores_changed as usize, "score")));
        }
    }
    for (side, days) in [("left", &findings.only_left), ("right", &findings.only_right)] {
        if !days.is_empty() {
            parts.push(format!("{} only {side}", plural(days.len(), "date")));
        }
    }
    if total.same {
        parts.push(format!("{SAME} on {dates}"));
    }
    format!("{DIFFERENT}: {}", parts.join(", "))
}

fn decided(changed: u64, lines: u64) -> String {
    match (changed, lines) {
        (_, 0) => "no line is on both sides".to_string(),
        (0, 1) => "the line is decided alike".to_string(),
        (0, _) => format!("all {} lines are decided alike", count(lines)),
        (1, _) => format!("1 of {} is decided otherwise", plural(lines as usize, "line")),
        _ => format!("{} of {} are decided otherwise", count(changed), plural(lines as usize, "line")),
    }
}

fn limits_moved(change: i128, minor_units: u32) -> String {
    match change {
        0 => "limits come to the same".to_string(),
        _ => format!("limits {}", signed_money(change, minor_units)),
    }
}

fn one_sided(sides: &SideCounts, name: &str) -> Vec<String> {
    let sides = [("left", sides.only_left), ("right", sides.only_right)];
    let there = sides.into_iter().filter(|(_, only)| *only > 0);
    there.map(|(side, only)| format!("{} only {side}", plural(only as usize, name))).collect()
}
