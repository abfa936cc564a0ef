//! The distribution of the scores, with the night before behind it, and their bands.

use super::figures::Figures;
use super::night::NightFigures;
use crate::console::thousands;
use crate::html::{
    Axis, Bar, Cell, Chart, FigureUnit, STEPS, Section, Table, histogram, percent, round_step, scale_to,
    shade, tenths,
};
use crate::job::Scorecard;

/// The distribution of the scores, and their bands.
pub(super) fn section(now: &NightFigures, before: Option<&NightFigures>) -> Section {
    let card = &now.run.job.scorecard;
    let mean = now.figures.mean_score_tenths().map_or("–".to_string(), tenths);
    let charts = if now.figures.scores.is_empty() { Vec::new() } else { vec![chart(now, before)] };
    let several = if now.run.job.cards().len() > 1 {
        " Where its bands begin is said of the job's own scorecard; other scorecards may begin them elsewhere."
    } else {
        ""
    };
    Section {
        note: format!(
            "The mean score is {mean}, over {} accounts.{several}",
            thousands(now.figures.accounts().into())
        ),
        charts,
        tables: vec![bands(card, now.figures, before.map(|before| before.figures))],
        ..Section::new("scores", "Scores")
    }
}

fn bands(card: &Scorecard, figures: &Figures, before: Option<&Figures>) -> Table {
    let all = figures.accounts();
    let most = figures.bands.values().map(|band| band.accounts).max().unwrap_or(0);
    let mut header = vec!["band", "#from", "#accounts", "#share", "accounts", "#lowest", "#highest"];
    if before.is_some() {
        header.insert(4, "#share before");
    }
    let bar = header.iter().position(|name| *name == "accounts").unwrap_or(4);
    let mut table = Table::new("Accounts by band", &header).scale(bar, scale_to(thousands(most.into())));
    for (place, band) in card.bands.iter().enumerate() {
        let own = figures.bands.get(&band.name).cloned().unwrap_or_default();
        let [lowest, highest] = match own.range {
            Some((lowest, highest)) => [lowest, highest].map(|score| Cell::number(score.to_string())),
            None => [(); 2].map(|()| Cell::text("–").tone("soft")),
        };
        let alt = format!("{} accounts in {}", own.accounts, band.name);
        let mut row = vec![
            Cell::text(&band.name),
            Cell::number(band.from.to_string()),
            Cell::count(own.accounts),
            Cell::number(percent(own.accounts, all)),
        ];
        row.extend(before.map(|before| {
            let then = before.bands.get(&band.name).map_or(0, |band| band.accounts);
            Cell::number(percent(then, before.accounts()))
        }));
        row.push(Cell::bar(Bar::of(own.accounts.into(), most.into(), &shade(place, card.bands.len()), alt)));
        row.extend([lowest, highest]);
        table.rows.push(row);
    }
    table
}

/// Accounts by score in round steps over the scorecard's range.
fn chart(now: &NightFigures, before: Option<&NightFigures>) -> Chart {
    const MOST_COLUMNS: i128 = 70;
    let card = &now.run.job.scorecard;
    let cards = now.run.job.cards();
    let min = i64::from(cards.iter().map(|card| card.min).min().unwrap_or(card.min));
    let max = i64::from(cards.iter().map(|card| card.max).max().unwrap_or(card.max));
    let step = round_step((max - min).into(), MOST_COLUMNS) as i64;
    let columns = ((max - min) / step + 1) as usize;
    let counts = by_column(now.figures, min, step, columns);
    // The night before had other accounts: what is compared is its shape.
    let behind = before.map_or(Vec::new(), |before| by_column(before.figures, min, step, columns));
    let axis = Axis::from_zero(counts.iter().chain(&behind).map(|count| i128::from(*count)), STEPS);
    let mut chart =
        Chart::new(&format!("Accounts by score, in steps of {step}"), &FigureUnit::Count("accounts"), &axis);
    let drawn: Vec<(u64, String, String)> = counts
        .iter()
        .enumerate()
        .map(|(column, count)| {
            let from = min + column as i64 * step;
            let to = (from + step - 1).min(max);
            let band = card.band_of(from.max(min) as i32);
            let alt = format!("{from} to {to}, {}: {}", card.bands[band].name, thousands((*count).into()));
            (*count, shade(band, card.bands.len()), alt)
        })
        .collect();
    histogram(&mut chart, &drawn, &behind, &axis);
    chart.alt = alt(now.figures, &counts, min, max, step);
    let bands = card.bands.iter().enumerate();
    chart.legend = bands.map(|(place, band)| (band.name.clone(), shade(place, card.bands.len()))).collect();
    chart.legend.extend(before.map(|before| (before.run.manifest.as_of.to_string(), "outline".to_string())));
    let span = columns as i64 * step;
    let ticks = card.bands.iter().map(|band| i64::from(band.from)).chain([max]);
    chart.label_along("score", ticks.map(|score| ((score - min) * 1000 / span, score.to_string())));
    chart
}

fn alt(figures: &Figures, counts: &[u64], min: i64, max: i64, step: i64) -> String {
    let peak = counts.iter().enumerate().max_by_key(|(column, count)| (**count, std::cmp::Reverse(*column)));
    let peak = peak.map_or(String::new(), |(column, count)| {
        format!(", most of them ({}) from {} on", thousands((*count).into()), min + column as i64 * step)
    });
    format!("Histogram of {} scores between {min} and {max}{peak}.", thousands(figures.accounts().into()))
}

/// Accounts by column of the chart; scores beyond the range of another scorecard count at its ends.
fn by_column(figures: &Figures, min: i64, step: i64, columns: usize) -> Vec<u64> {
    let mut counts = vec![0; columns];
    for (score, accounts) in &figures.scores {
        let column = ((score - min).max(0) / step) as usize;
        counts[column.min(columns - 1)] += accounts;
    }
    counts
}
