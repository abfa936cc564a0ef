//! fit.html: bins with what happened in them, coefficients, the way the selection went, and what was left out.

use super::quality::auc;
use super::record::{CharacteristicRecord, FitRecord, LeftOutRecord};
use crate::console::{plural, thousands};
use crate::html::{Banner, BannerPoint, Bar, Cell, Page, Section, Table, Tile, basis_points, percent};

/// The page of a fitted card.
pub fn page(record: &FitRecord) -> Page {
    let mut sections = vec![selection(record)];
    sections.push(bins(record));
    sections.push(thresholds(record));
    sections.push(left_out(&record.left_out));
    Page {
        title: format!("Scorecard fitted for {}", record.job),
        subtitle: format!("sample {}", record.sample_sha256),
        banner: Some(banner(record)),
        tiles: tiles(record),
        sections,
    }
}

fn banner(record: &FitRecord) -> Banner {
    let new: Vec<&str> = record.unwritten().map(|one| one.feature.as_str()).collect();
    let mut sentences = vec![format!(
        "A score of {} means {} goods to a bad, and {} points double that.",
        record.scale.base_score, record.scale.good_bad_odds, record.scale.pdo
    )];
    if !new.is_empty() {
        sentences.push(format!(
            "New, with a text still to be written and a dimension to look at: {}.",
            new.join(", ")
        ));
    }
    sentences.extend(record.remarks.iter().map(|remark| format!("Note: {remark}.")));
    let has_kept = !record.thresholds_moved && record.thresholds.iter().any(|one| one.new != Some(one.old));
    let lost = record.thresholds.iter().filter(|one| one.new.is_none()).count();
    let look = record.to_look_at.len() + lost;
    let mut points = Vec::new();
    if has_kept {
        points.push(point("thresholds on the score that are not moved", record.thresholds.len()));
    }
    if look > 0 {
        points.push(point("rules and gates to look at", look));
    }
    if !new.is_empty() {
        points.push(point("texts to be written", new.len()));
    }
    let tone = if points.is_empty() { "good" } else { "warn" };
    let verdict = plural(record.characteristics.len(), "characteristic");
    Banner { tone, verdict, sentences, points }
}

fn point(name: &str, count: usize) -> BannerPoint {
    BannerPoint { name: name.to_string(), text: count.to_string(), tone: "warn" }
}

fn tiles(record: &FitRecord) -> Vec<Tile> {
    let mut tiles = vec![
        Tile::new("good", Cell::count(record.train.good)),
        Tile::new("bad", Cell::count(record.train.bad)).note(percent(record.train.bad, record.train.rows)),
    ];
    for part in &record.parts {
        let figure = part.auc_bp.map_or("–".to_string(), auc);
        let note = format!(
            "bads: {:.2} % observed, {:.2} % predicted",
            100.0 * part.observed_bad_rate,
            100.0 * part.predicted_bad_rate
        );
        tiles.push(Tile::new(&format!("AUC, {}", part_name(part.part)), Cell::number(figure)).note(note));
    }
    let deviation = Cell::number(format!("{:.2}", record.largest_deviation));
    tiles.push(Tile::new("largest deviation by rounding", deviation).unit("points"));
    tiles
}

fn part_name(part: &str) -> &str {
    match part {
        "holdout" => "held out",
        "out_of_time" => "out of time",
        part => part,
    }
}

fn selection(record: &FitRecord) -> Section {
    let mut section = Section::new("selection", "Characteristics");
    section.note = format!(
        "In the order in which they were selected: the one that adds most to those before it first, by Rao's score test, as \
         long as its chi-square is {} or more (Akaike's criterion). A coefficient is of the weight of evidence, and above 0: \
         more evidence of good, more points.",
        record.least_chi_square
    );
    let mut table = Table::new(
        "Selected",
        &[
            "feature",
            "#information value",
            "#coefficient",
            "#standard error",
            "#chi-square",
            "#log likelihood",
            "#points",
            "dimension",
        ],
    );
    for one in &record.characteristics {
        let most = one.bins.iter().map(|bin| bin.points).max().unwrap_or(0);
        let least = one.bins.iter().map(|bin| bin.points).min().unwrap_or(0);
        let number = |value: Option<f64>| {
            Cell::number(value.map_or("given".to_string(), |value| format!("{value:.4}")))
        };
        table.rows.push(vec![
            Cell::text(&one.feature),
            Cell::number(format!("{:.3}", one.iv)),
            number(one.coefficient),
            number(one.standard_error),
            Cell::number(format!("{:.1}", one.chi_square)),
            Cell::number(format!("{:.1}", one.log_likelihood)),
            Cell::number(format!("{least} to {most}")),
            Cell::text(match &one.dimension_why {
                Some(why) => format!("{}: {why}", one.dimension),
                None => one.dimension.clone(),
            }),
        ]);
    }
    section.tables.push(table);
    section.tables.push(bands(record));
    section
}

fn bands(record: &FitRecord) -> Table {
    let header = ["band", "#from before", "#of the sample below", "#from now", "#below now"];
    let mut table = Table::new("Bands, at the same shares of the sample", &header);
    for band in &record.bands {
        table.rows.push(vec![
            Cell::text(&band.band),
            Cell::number(band.old_from.to_string()),
            Cell::number(basis_points(band.old_share_below_bp.into())),
            Cell::number(band.from.to_string()),
            Cell::number(basis_points(band.share_below_bp.into())),
        ]);
    }
    table
}

fn bins(record: &FitRecord) -> Section {
    let mut section = Section::new("bins", "Bins");
    section.note = "Rows by weight. The weight of evidence is the logarithm of a bin's odds of good to bad over those of all \
                    rows; every bin is counted with ten more rows at the bad rate of all."
        .to_string();
    section.tables = record.characteristics.iter().map(|one| bins_table(record, one)).collect();
    section
}

fn bins_table(record: &FitRecord, one: &CharacteristicRecord) -> Table {
    let header = ["bin", "#good", "#bad", "#share", "#bad rate", "#weight of evidence", "", "#points"];
    let mut table = Table::new(&one.feature, &header);
    let thousandths = |value: f64| libm::round(value * 1_000.0) as i128;
    let most = one.bins.iter().map(|bin| thousandths(bin.woe).unsigned_abs()).max().unwrap_or(0);
    for bin in &one.bins {
        let rows = bin.good + bin.bad;
        let alt = format!("weight of evidence {:.3}", bin.woe);
        table.rows.push(vec![
            Cell::text(readable(&bin.bin)),
            Cell::count(bin.good),
            Cell::count(bin.bad),
            Cell::number(percent(rows, record.train.rows)),
            Cell::number(percent(bin.bad, rows)),
            Cell::number(format!("{:.3}", bin.woe)),
            Cell::bar(Bar::about_zero(thousandths(bin.woe), most, alt)),
            Cell::number(thousands(bin.points.into())),
        ]);
    }
    table
}

/// A bin's name with its integers as people read them.
fn readable(name: &str) -> String {
    let word = |word: &str| word.parse().map_or(word.to_string(), |value: i64| thousands(value.into()));
    name.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

fn thresholds(record: &FitRecord) -> Section {
    let mut section = Section::new("thresholds", "Thresholds on the score");
    let moved = if record.thresholds_moved { "moved in the copies" } else { "not moved" };
    section.note = format!(
        "Every threshold of rules and gates on the score or a dimension, and what keeps its share of the sample; {moved} of \
         policy and job."
    );
    let header = ["of", "expression", "on", "#was", "#of the sample below", "#now", "#below now"];
    let mut table = Table::new("Thresholds", &header);
    for one in &record.thresholds {
        table.rows.push(vec![
            Cell::text(format!("{} ({} line {})", one.of, one.file, one.line)),
            Cell::text(&one.expression),
            Cell::text(&one.column),
            Cell::number(one.old.to_string()),
            Cell::number(basis_points(one.old_share_bp.into())),
            Cell::number(one.new.map_or("none keeps it".to_string(), |new| new.to_string())),
            Cell::number(one.new_share_bp.map_or(String::new(), |share| basis_points(share.into()))),
        ]);
    }
    section.tables.push(table);
    if !record.to_look_at.is_empty() {
        let mut table =
            Table::new("To look at: no share tells what these mean", &["of", "expression", "reads"]);
        for one in &record.to_look_at {
            table.rows.push(vec![
                Cell::text(format!("{} ({} line {})", one.of, one.file, one.line)),
                Cell::text(&one.expression),
                Cell::text(&one.column),
            ]);
        }
        section.tables.push(table);
    }
    section
}

fn left_out(others: &[LeftOutRecord]) -> Section {
    let mut section = Section::new("left-out", "Left out");
    let mut table =
        Table::new("Features that are no characteristic", &["feature", "#information value", "why"]);
    for one in others {
        let before = if one.was_characteristic { " (a characteristic before)" } else { "" };
        table.rows.push(vec![
            Cell::text(format!("{}{before}", one.feature)),
            Cell::number(format!("{:.3}", one.iv)),
            Cell::text(&one.why),
        ]);
    }
    section.tables.push(table);
    section
}
