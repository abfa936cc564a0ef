//! validation.html: a validation as a page to look at.

use super::arms::ArmFigures;
use super::figure_tables as tables;
use super::figures::ValidationFigures;
use super::plots::{self, PlottedTally, part_colour};
use super::slices::{ALL, SliceFigures, part_words};
use crate::console::{plural, thousands};
use crate::html::{Banner, BannerPoint, Cell, MoreCharts, Page, Section, Tile};

/// The page.
pub fn page(figures: &ValidationFigures) -> Page {
    let main = figures.main_part();
    let mut sections = vec![ranking(figures, main), months(figures)];
    if !figures.segments.is_empty() {
        sections.push(segments(figures));
    }
    sections.extend([gains(figures, main), stability(figures), characteristics(figures, main)]);
    sections.extend(current(figures));
    if !figures.fairness.is_empty() {
        sections.push(fairness(figures));
    }
    sections.extend(figures.arms.as_ref().map(arms));
    sections.push(counts(figures));
    Page {
        title: format!("Validation of {}", figures.of.scorecard),
        subtitle: format!(
            "Job {}, model file {}. Headline figures are of {}.",
            figures.of.job,
            figures.of.model,
            part_words(main)
        ),
        banner: Some(banner(figures)),
        tiles: tiles(figures, main),
        sections,
    }
}

fn banner(figures: &ValidationFigures) -> Banner {
    let missed: Vec<BannerPoint> = figures
        .bounds
        .iter()
        .filter(|bound| !bound.holds)
        .map(|bound| BannerPoint {
            name: format!("{} = {}, {}", bound.bound, bound.limit, part_words(&bound.of)),
            text: bound.found.clone(),
            tone: "bad",
        })
        .collect();
    let (tone, verdict) = match (missed.len(), figures.bounds.len()) {
        (0, 0) => ("warn", "No bound is set".to_string()),
        (0, 1) => ("good", "The bound holds".to_string()),
        (0, _) => ("good", "All bounds hold".to_string()),
        (1, _) => ("bad", "A bound is missed".to_string()),
        (count, _) => ("bad", format!("{count} bounds are missed")),
    };
    Banner { tone, verdict, sentences: figures.remarks.clone(), points: missed }
}

fn tiles(figures: &ValidationFigures, main: &str) -> Vec<Tile> {
    let Some(own) = figures.parts.iter().find(|own| own.part == main) else { return Vec::new() };
    let mut tiles = Vec::new();
    if let Some(ranking) = &own.ranking {
        let bounds = ranking.auc_bounds.map_or_else(String::new, |bounds| {
            format!("95 % bounds {:.4} to {:.4}", bounds.lower, bounds.upper)
        });
        tiles.push(Tile::new("AUC", Cell::number(ranking.auc.text(4))).note(bounds));
        tiles.push(Tile::new("Gini", Cell::number(ranking.gini.text(4))));
        let at = format!("at score {}", ranking.ks_score);
        tiles.push(Tile::new("KS", Cell::number(ranking.ks.text(4))).note(at));
    }
    let predicted =
        own.predicted_bad_rate.map_or_else(String::new, |rate| format!("predicted {}", tables::rate(rate)));
    let bad_rate = own.bad_rate.map_or_else(Cell::default, tables::share);
    tiles.push(Tile::new("Bad rate", bad_rate).note(predicted));
    let bads = format!("{} bads among them", thousands(own.bad.into()));
    tiles.push(Tile::new("Rows with an outcome", Cell::count(own.rows)).note(bads));
    let psi = figures.score_psi.iter().find(|shift| shift.of == main).and_then(|shift| shift.psi);
    tiles.push(Tile::new("PSI of the score", tables::psi(psi)).note("against the training rows"));
    tiles
}

fn ranking(figures: &ValidationFigures, main: &str) -> Section {
    let several = figures.tallies.len() > 2;
    let plotted = figures.tallies.iter().filter(|of| !several || of.part != ALL);
    let curves: Vec<PlottedTally> = plotted
        .map(|of| PlottedTally { name: part_words(of.part), colour: part_colour(of.part), tally: &of.tally })
        .collect();
    let mut charts = vec![plots::roc(&curves)];
    let of_main = figures.tallies.iter().find(|of| of.part == main);
    charts.extend(of_main.and_then(|of| plots::ks_plot(part_words(main), &of.tally, &of.tally.ranking()?)));
    Section {
        note: "A pair is a good and a bad; it is concordant where the good has the higher score. AUC is the share of \
               concordant pairs, tied ones half; bounds are DeLong's at 95 %. Counts are of weights."
            .to_string(),
        charts,
        tables: vec![tables::slices("By part", &["part"], &figures.parts, |figures| {
            vec![Cell::text(part_words(figures.part))]
        })],
        ..Section::new("ranking", "How well it ranks")
    }
}

fn value_cell(figures: &SliceFigures) -> Cell {
    figures.value.as_ref().map_or_else(|| Cell::text("none").tone("soft"), Cell::text)
}

fn months(figures: &ValidationFigures) -> Section {
    Section {
        charts: plots::auc_by_month(&figures.months).into_iter().collect(),
        tables: vec![tables::slices("By month of the as-of date", &["month"], &figures.months, |figures| {
            vec![value_cell(figures)]
        })],
        ..Section::new("months", "Month by month")
    }
}

fn segments(figures: &ValidationFigures) -> Section {
    let mut names: Vec<&str> = figures.segments.iter().filter_map(|figures| figures.by.as_deref()).collect();
    names.dedup();
    let of = names.into_iter().map(|name| {
        let own: Vec<SliceFigures> =
            figures.segments.iter().filter(|figures| figures.by.as_deref() == Some(name)).cloned().collect();
        tables::slices(&format!("By {name}"), &[name, "part"], &own, |figures| {
            vec![value_cell(figures), Cell::text(part_words(figures.part))]
        })
    });
    Section { tables: of.collect(), ..Section::new("segments", "Segments") }
}

fn gains(figures: &ValidationFigures, main: &str) -> Section {
    let (own, others): (Vec<_>, Vec<_>) = figures.gains.iter().partition(|gains| gains.part == main);
    let charts = own.iter().filter_map(|gains| plots::calibration(part_words(gains.part), gains)).collect();
    let mut more = MoreCharts { title: "Bad rates of the other parts".to_string(), ..MoreCharts::default() };
    more.charts.extend(others.iter().filter_map(|gains| plots::calibration(part_words(gains.part), gains)));
    let all =
        own.into_iter().map(|gains| (gains, false)).chain(others.into_iter().map(|gains| (gains, true)));
    Section {
        note: "From the lowest scores to the highest, about a tenth of the rows each; rows of one score are never parted."
            .to_string(),
        charts,
        more,
        tables: all.map(|(gains, is_folded)| tables::gains(gains, is_folded)).collect(),
        ..Section::new("gains", "Gains")
    }
}

fn stability(figures: &ValidationFigures) -> Section {
    Section {
        note: "Population stability index of the score against the training rows, over tenths of these: below 0.1 it is \
               steady, from 0.25 on it has moved. Rows count whatever their outcome."
            .to_string(),
        tables: vec![tables::shifts("Stability of the score", &figures.score_psi)],
        ..Section::new("stability", "Stability of the score")
    }
}

fn characteristics(figures: &ValidationFigures, main: &str) -> Section {
    let mut all = vec![tables::characteristics(&figures.characteristics)];
    all.extend(figures.characteristics.iter().flat_map(|one| tables::bins(one, main)));
    Section {
        note: "Information value by part; stability against the training rows; pairs of bins whose bad rates do not fall as \
               points rise, of all pairs that can be compared; and the months in which there are such pairs."
            .to_string(),
        tables: all,
        ..Section::new("characteristics", "Characteristics")
    }
}

fn current(figures: &ValidationFigures) -> Option<Section> {
    let current = figures.current.as_ref()?;
    let mut all = vec![tables::slices("The current card, by part", &["part"], &current.parts, |figures| {
        vec![Cell::text(part_words(figures.part))]
    })];
    let mut note = "The job's own card on the same rows.".to_string();
    if let Some(swap) = &current.swap_set {
        let rows = if swap.rows_of == "unseen" { "rows held out and out of time" } else { "all rows" };
        note += &format!(
            " Swap sets are of {rows}: who is above a threshold under one card and not under the other."
        );
        if let Some(money) = &swap.money {
            note += &format!(" Money is the sum of {money}.");
        }
        let minor_units = swap.money.is_some().then_some(swap.minor_units);
        all.extend(swap.thresholds.iter().map(|table| tables::swap(table, minor_units)));
    }
    Some(Section { note, tables: all, ..Section::new("current", "Against the current card") })
}

fn fairness(figures: &ValidationFigures) -> Section {
    Section {
        note: "The adverse-impact ratio is the lowest share of approval over the highest; below four fifths it is generally \
               taken as evidence of adverse impact (29 CFR 1607.4 D, the four-fifths rule)."
            .to_string(),
        tables: figures.fairness.iter().map(tables::fairness).collect(),
        ..Section::new("fairness", "Groups of people")
    }
}

/// The arms of a challenge.
pub fn arms(figures: &ArmFigures) -> Section {
    Section {
        note: format!(
            "Accounts of {} with a champion and a challenger, once a night, as far as good or bad is known.",
            plural(figures.nights as usize, "published night")
        ),
        tables: tables::arms(figures).into(),
        ..Section::new("arms", "Arms")
    }
}

fn counts(figures: &ValidationFigures) -> Section {
    let of = &figures.of;
    Section {
        note: format!(
            "Sample {}, scorecard {}, model file {}.",
            of.sample_sha256, of.scorecard_sha256, of.model_sha256
        ),
        tables: vec![tables::counts(&figures.counts)],
        ..Section::new("rows", "Rows")
    }
}
