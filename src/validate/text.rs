//! A validation on the terminal: what is missed first, then how the score ranks.

use super::bounds::BoundOutcome;
use super::figures::ValidationFigures;
use super::fraction::Fraction;
use super::slices::{SliceFigures, part_words};
use crate::console::{Tone, paint, table, thousands, visible};
use crate::html::basis_points;
use crate::model::SamplePart;

/// Bounds in lines, the missed ones first; empty where there are none.
pub fn bounds(bounds: &[BoundOutcome]) -> String {
    let (missed, held): (Vec<_>, Vec<_>) = bounds.iter().partition(|bound| !bound.holds);
    let missed = missed
        .into_iter()
        .map(|bound| format!("{} {}", paint(Tone::Failure, "missed"), visible(&bound.in_words())));
    let held = held
        .into_iter()
        .map(|bound| format!("{} {}", paint(Tone::Good, "holds"), visible(&bound.in_words())));
    missed.chain(held).collect::<Vec<_>>().join("\n")
}

/// A share as a percentage; empty where there is none.
pub fn share(found: Option<Fraction>) -> String {
    const WHOLE: i128 = 10_000;
    found.map_or_else(String::new, |share| basis_points(share.rounded(WHOLE)))
}

/// How the score ranks, a line a slice.
pub fn slices(first: &str, slices: &[SliceFigures], name: fn(&SliceFigures) -> String) -> String {
    let rows: Vec<Vec<String>> = slices
        .iter()
        .map(|figures| {
            let mut row = vec![
                name(figures),
                thousands(figures.rows.into()),
                thousands(figures.bad.into()),
                share(figures.bad_rate),
            ];
            match &figures.ranking {
                None => {
                    row.extend([figures.lacks().to_string(), String::new(), String::new(), String::new()])
                }
                Some(ranking) => {
                    let bounds = ranking.auc_bounds.map_or_else(String::new, |bounds| {
                        format!("{:.4} to {:.4}", bounds.lower, bounds.upper)
                    });
                    row.extend([ranking.auc.text(4), bounds, ranking.gini.text(4), ranking.ks.text(4)]);
                }
            }
            row
        })
        .collect();
    table(&[first, "rows", "bads", "bad rate", "AUC", "95 % bounds", "Gini", "KS"], &rows)
}

/// All of it.
pub fn for_people(figures: &ValidationFigures) -> String {
    let of = &figures.of;
    let mut parts = vec![bounds(&figures.bounds)];
    parts.push(format!("{} on the sample of {}", visible(&of.scorecard), visible(&of.model)));
    parts.push(slices("rows of", &figures.parts, |figures| part_words(figures.part).to_string()));
    let is_part = |of: &str| SamplePart::ALL.iter().any(|part| part.name() == of);
    let shifts: Vec<String> = figures
        .score_psi
        .iter()
        .filter(|shift| is_part(&shift.of))
        .filter_map(|shift| Some(format!("PSI {:.4} of {}", shift.psi?, part_words(&shift.of))))
        .collect();
    if !shifts.is_empty() {
        parts.push(format!("score against the training rows: {}", shifts.join(", ")));
    }
    for one in &figures.fairness {
        if let Some(impact) = &one.adverse_impact {
            let is_low = if impact.is_below_four_fifths { ", below four fifths" } else { "" };
            parts.push(format!(
                "{}: adverse-impact ratio {}{is_low}",
                visible(&one.column),
                impact.ratio.text(4)
            ));
        }
    }
    if let Some(arms) = &figures.arms {
        let rows: Vec<Vec<String>> = arms
            .arms
            .iter()
            .map(|arm| {
                let known = &arm.known;
                let auc =
                    known.ranking.as_ref().map_or(known.lacks().to_string(), |ranking| ranking.auc.text(4));
                vec![
                    arm.arm.clone(),
                    thousands(known.rows.into()),
                    thousands(known.bad.into()),
                    share(known.bad_rate),
                    auc,
                ]
            })
            .collect();
        parts.push(table(&["arm", "known", "bads", "bad rate", "AUC"], &rows));
    }
    parts.extend(figures.remarks.iter().map(|remark| visible(remark).into_owned()));
    parts.retain(|part| !part.is_empty());
    parts.join("\n\n")
}
