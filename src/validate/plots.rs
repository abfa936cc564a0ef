//! The plots of a validation and of a monitor: ROC, distributions over the score, predicted against observed, months.

use super::fraction::Fraction;
use super::gains::GainsTable;
use super::slices::SliceFigures;
use super::tally::{GoodsAndBads, OutcomesByScore, Ranking};
use crate::html::{Axis, Chart, CurvePoint, FigureUnit, STEPS};

/// A whole, in basis points.
const WHOLE: i128 = 10_000;

/// Marks along a score.
const SCORE_TICKS: i128 = 6;

/// All shares there are.
const SHARES: Axis = Axis { least: 0, most: WHOLE, step: 2_500 };

/// The colour of a part's line.
pub fn part_colour(part: &str) -> &'static str {
    match part {
        "train" => "s2",
        "holdout" => "s5",
        "out_of_time" => "down",
        "embargo" => "a-withdraw",
        _ => "total",
    }
}

fn share_bp(part: u64, whole: u64) -> i128 {
    Fraction::new(part.into(), whole.into()).map_or(0, |share| share.rounded(WHOLE))
}

/// Goods and bads at or below every score.
fn cumulative(tally: &OutcomesByScore) -> Vec<(i64, GoodsAndBads)> {
    let mut below = GoodsAndBads::default();
    let running = tally.scores().map(|(score, counts)| {
        below = below.plus(counts);
        (score, below)
    });
    running.collect()
}

/// A curve of a plot.
pub struct PlottedTally<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its colour.
    pub colour: &'static str,
    /// What it is of.
    pub tally: &'a OutcomesByScore,
}

/// Of the bads, the share at or below a score, over that of the goods; a line for every part.
pub fn roc(curves: &[PlottedTally]) -> Chart {
    let mut chart = Chart::new("ROC", &FigureUnit::BasisPoints("of the bads at or below a score"), &SHARES);
    let ends = [0, WHOLE].map(|share| CurvePoint { along: share, value: share });
    chart.draw_curve(&ends, &SHARES, &SHARES, "a-hold");
    let mut words = Vec::new();
    for curve in curves {
        let all = curve.tally.counts();
        let Some(ranking) = curve.tally.ranking() else { continue };
        let start = CurvePoint { along: 0, value: 0 };
        let points = cumulative(curve.tally).into_iter().map(|(_, below)| CurvePoint {
            along: share_bp(below.good, all.good),
            value: share_bp(below.bad, all.bad),
        });
        let points: Vec<CurvePoint> = std::iter::once(start).chain(points).collect();
        chart.draw_curve(&points, &SHARES, &SHARES, curve.colour);
        chart.legend.push((curve.name.to_string(), curve.colour.to_string()));
        words.push(format!("{}: AUC {}", curve.name, ranking.auc.text(4)));
    }
    chart.alt = format!("ROC curves. {}.", words.join(", "));
    let ticks = (0..=4).map(|quarter| (quarter * 250, format!("{} %", quarter * 25)));
    chart.label_along("of the goods at or below it", ticks);
    chart
}

/// Of goods and of bads, the share at or below every score; the distance between them is largest at the dots.
pub fn ks_plot(name: &str, tally: &OutcomesByScore, ranking: &Ranking) -> Option<Chart> {
    let all = tally.counts();
    let running = cumulative(tally);
    let (first, last) = (running.first()?.0, running.last()?.0);
    let along = Axis::over(first.into(), last.max(first + 1).into(), SCORE_TICKS);
    let title = format!("Goods and bads over the score, {name}");
    let mut chart = Chart::new(&title, &FigureUnit::BasisPoints("at or below a score"), &SHARES);
    for (kind, colour) in [("bads", "down"), ("goods", "up")] {
        let of = |counts: GoodsAndBads| if kind == "bads" { counts.bad } else { counts.good };
        let point = |(score, below): &(i64, GoodsAndBads)| CurvePoint {
            along: i128::from(*score),
            value: share_bp(of(*below), of(all)),
        };
        let start = CurvePoint { along: i128::from(first), value: 0 };
        let points: Vec<CurvePoint> = std::iter::once(start).chain(running.iter().map(point)).collect();
        chart.draw_curve(&points, &along, &SHARES, colour);
        chart.legend.push((kind.to_string(), colour.to_string()));
        let at = running.iter().find(|(score, _)| *score == ranking.ks_score);
        at.into_iter().for_each(|at| chart.mark_point(&point(at), &along, &SHARES, colour));
    }
    let thousandths = |score: i128| i64::from(along.along(score, 1_000));
    chart
        .label_along("score", along.ticks().into_iter().map(|score| (thousandths(score), score.to_string())));
    chart.alt = format!("KS {} at score {}.", ranking.ks.text(4), ranking.ks_score);
    Some(chart)
}

/// Observed and predicted bad rates by group of scores, from the lowest to the highest.
pub fn calibration(name: &str, gains: &GainsTable) -> Option<Chart> {
    let groups = &gains.groups;
    let last = groups.len().checked_sub(1).filter(|last| *last > 0)? as i128;
    let observed: Vec<i128> =
        groups.iter().map(|group| group.bad_rate.map_or(0, |rate| rate.rounded(WHOLE))).collect();
    let predicted: Vec<i128> = groups
        .iter()
        .filter_map(|group| group.predicted_bad_rate)
        .map(|rate| libm::round(rate * WHOLE as f64) as i128)
        .collect();
    let axis = Axis::from_zero(observed.iter().chain(&predicted).copied(), STEPS);
    let along = Axis { least: 0, most: last, step: 1 };
    let title = format!("Bad rate by tenth of the score, {name}");
    let mut chart = Chart::new(&title, &FigureUnit::BasisPoints("bad"), &axis);
    for (kind, values, colour) in [("predicted", &predicted, "a-hold"), ("observed", &observed, "s4")] {
        if values.len() != groups.len() {
            continue;
        }
        let points: Vec<CurvePoint> =
            values.iter().zip(0..).map(|(value, along)| CurvePoint { along, value: *value }).collect();
        chart.draw_curve(&points, &along, &axis, colour);
        if kind == "observed" {
            points.iter().for_each(|point| chart.mark_point(point, &along, &axis, colour));
        }
        chart.legend.push((kind.to_string(), colour.to_string()));
    }
    let tick =
        |(number, from): (usize, i64)| (i64::from(along.along(number as i128, 1_000)), from.to_string());
    let named = groups.iter().map(|group| group.from).enumerate().step_by(3);
    chart.label_along("from score", named.map(tick));
    let words = observed.iter().map(|rate| crate::html::basis_points(*rate)).collect::<Vec<_>>().join(", ");
    chart.alt = format!("Observed bad rates from the lowest to the highest scores: {words}.");
    Some(chart)
}

/// AUC month by month, with its bounds; months without one break nothing and are left out.
pub fn auc_by_month(months: &[SliceFigures]) -> Option<Chart> {
    let ranked: Vec<(&str, &Ranking)> =
        months.iter().filter_map(|month| Some((month.value.as_deref()?, month.ranking.as_ref()?))).collect();
    let last = ranked.len().checked_sub(1).filter(|last| *last > 0)? as i128;
    let auc: Vec<i128> = ranked.iter().map(|(_, ranking)| ranking.auc.rounded(WHOLE)).collect();
    let bound = |of: fn(&super::tally::AucBounds) -> f64| -> Vec<i128> {
        let bounds = ranked.iter().filter_map(|(_, ranking)| ranking.auc_bounds.as_ref().map(of));
        bounds.map(|bound| libm::round(bound * WHOLE as f64) as i128).collect()
    };
    let curves = [
        ("95 % bounds", bound(|bounds| bounds.lower), "a-hold"),
        ("", bound(|bounds| bounds.upper), "a-hold"),
        ("AUC", auc, "s4"),
    ];
    let least = curves.iter().flat_map(|(_, values, _)| values).min().copied()?.min(WHOLE / 2);
    let axis = Axis::over(least, WHOLE, STEPS);
    let along = Axis { least: 0, most: last, step: 1 };
    let mut chart = Chart::new("AUC by month", &FigureUnit::Ratio("AUC"), &axis);
    for (name, values, colour) in curves {
        if values.len() != ranked.len() {
            continue;
        }
        let points: Vec<CurvePoint> =
            values.iter().zip(0..).map(|(value, along)| CurvePoint { along, value: *value }).collect();
        chart.draw_curve(&points, &along, &axis, colour);
        if name == "AUC" {
            points.iter().for_each(|point| chart.mark_point(point, &along, &axis, colour));
        }
        if !name.is_empty() {
            chart.legend.push((name.to_string(), colour.to_string()));
        }
    }
    let ends = [(0, 0), (last / 2, 500), (last, 1_000)];
    let named = ends.iter().filter(|(number, _)| last > 1 || *number != last / 2 || *number == 0);
    let mut ticks: Vec<(i64, String)> =
        named.map(|(number, place)| (*place, ranked[*number as usize].0.to_string())).collect();
    ticks.dedup_by(|one, other| one.1 == other.1);
    chart.label_along("month", ticks);
    let words: Vec<String> =
        ranked.iter().map(|(month, ranking)| format!("{month} {}", ranking.auc.text(4))).collect();
    chart.alt = format!("AUC by month: {}.", words.join(", "));
    Some(chart)
}
