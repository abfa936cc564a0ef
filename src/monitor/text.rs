//! A monitor on the terminal: what is missed first, then how the score ranks month by month.

use super::figures::MonitorFigures;
use crate::console::{plural, table, thousands, visible};
use crate::validate::bounds::BoundOutcome;
use crate::validate::text;

/// All of it.
pub fn for_people(figures: &MonitorFigures) -> String {
    let missed: Vec<BoundOutcome> = figures.bounds.iter().filter(|bound| !bound.holds).cloned().collect();
    let held = figures.bounds.len() - missed.len();
    let mut parts = vec![text::bounds(&missed)];
    if held > 0 {
        let verb = if held == 1 { "holds" } else { "hold" };
        let others = if missed.is_empty() { "" } else { "other " };
        parts.push(format!("{} {verb}", plural(held, &format!("{others}bound"))));
    }
    let rows: Vec<Vec<String>> = figures
        .months
        .iter()
        .map(|month| {
            let of = |name: &str| thousands(month.outcomes.get(name).copied().unwrap_or(0).into());
            let ranking = month.known.ranking.as_ref();
            vec![
                month.month.clone(),
                thousands(month.nights.into()),
                thousands(month.known.rows.into()),
                of("immature"),
                of("unmatched"),
                text::share(month.known.bad_rate),
                ranking.map_or_else(|| month.known.lacks().to_string(), |ranking| ranking.auc.text(4)),
                month.score_psi.map_or_else(String::new, |psi| format!("{psi:.4}")),
            ]
        })
        .collect();
    parts.push(table(
        &["month", "nights", "known", "immature", "unmatched", "bad rate", "AUC", "score PSI"],
        &rows,
    ));
    parts.extend(figures.remarks.iter().map(|remark| visible(remark).into_owned()));
    parts.retain(|part| !part.is_empty());
    parts.join("\n\n")
}
