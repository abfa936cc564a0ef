//! The scorecard with the run's accounts in its bins.

use anyhow::Result;

use crate::console::thousands;
use crate::html::{Bar, Cell, Section, Table, scale_to, shade};
use crate::run_dir::PublishedRun;
use crate::scorecard::text::{share, thousandths};
use crate::scorecard::{BinRow, CharacteristicTable, ScorecardTable};

/// A section for each scorecard of the run's job.
pub(super) fn scorecards(run: &PublishedRun) -> Result<Vec<Section>> {
    (0..run.job.cards().len()).map(|number| scorecard(run, number)).collect()
}

/// Characteristic by characteristic how the accounts spread over its points, and every bin: its points, its share of
/// the accounts and their mean score.
fn scorecard(run: &PublishedRun, number: usize) -> Result<Section> {
    let card = ScorecardTable::of_run(&run.job, number, run)?;
    let note = format!(
        "Base {}, scores from {} to {}; the points reach {} to {}.",
        card.base, card.min, card.max, card.lowest, card.highest
    );
    let tables = vec![overview(&card), bins(&card)];
    let Some(name) = &card.card else {
        return Ok(Section { note, tables, ..Section::new("scorecard", "Scorecard") });
    };
    let accounts = thousands(card.run.as_ref().map_or(0, |run| run.accounts).into());
    let note = format!("{note} It decided about {accounts} accounts.");
    let (id, title) = (format!("scorecard-{name}"), format!("Scorecard: {name}"));
    Ok(Section { id, title, note, tables, ..Section::default() })
}

/// Steps of colour for points, the fewest first.
const SHADES: usize = 6;

fn overview(card: &ScorecardTable) -> Table {
    let all = card.run.as_ref().map_or(0, |run| run.accounts);
    let mut table = Table::new(
        "Accounts by the points that each characteristic gives them",
        &["characteristic", "dimension", "#fewest points", "#most", "#missing", "share of the accounts"],
    )
    .scale(5, vec![(0, "0 %".to_string()), (1000, "100 %".to_string())])
    .legend([("fewest points".to_string(), "s0".to_string()), ("most points".to_string(), "s5".to_string())]);
    for one in &card.characteristics {
        let points = one.bins.iter().map(|bin| bin.points);
        let (least, most) = (points.clone().min().unwrap_or(0), points.max().unwrap_or(0));
        let missing = one.bins.iter().filter(|bin| bin.from.is_none() && bin.below.is_none());
        let missing: u64 = missing.map(accounts).sum();
        table.rows.push(vec![
            Cell::text(&one.feature).tone("strong"),
            Cell::text(one.dimension.replace('_', " ")).tone("soft"),
            Cell::number(least.to_string()),
            Cell::number(most.to_string()),
            Cell::number(crate::html::percent(missing, all)),
            Cell::bar(spread(one, least, most, all)),
        ]);
    }
    table
}

fn accounts(bin: &BinRow) -> u64 {
    bin.accounts.as_ref().map_or(0, |own| own.accounts)
}

/// The accounts of a characteristic's bins end to end, those with the fewest points first.
fn spread(one: &CharacteristicTable, least: i32, most: i32, all: u64) -> Bar {
    let mut bins: Vec<&BinRow> = one.bins.iter().filter(|bin| accounts(bin) > 0).collect();
    bins.sort_by_key(|bin| bin.points);
    let pieces: Vec<(u128, String)> = bins
        .iter()
        .map(|bin| {
            let (above, span) = (bin.points.abs_diff(least) as usize, most.abs_diff(least).max(1) as usize);
            (accounts(bin).into(), shade(above * (SHADES - 1) / span, SHADES))
        })
        .collect();
    let words: Vec<String> =
        bins.iter().map(|bin| format!("{} points {}", bin.points, thousands(accounts(bin).into()))).collect();
    Bar::stacked(&pieces, all.into(), format!("{}: {}", one.feature, words.join(", ")))
}

fn bins(card: &ScorecardTable) -> Table {
    let all = card.run.as_ref().map_or(0, |run| run.accounts);
    let mut table = Table::new(
        "Accounts by bin of each characteristic",
        &["characteristic", "bin", "#points", "#accounts", "#share", "accounts", "#mean score"],
    )
    .scale(5, scale_to(thousands(all.into())));
    table.folded = true;
    for characteristic in &card.characteristics {
        for (number, bin) in characteristic.bins.iter().enumerate() {
            let Some(own) = &bin.accounts else { continue };
            let alt = format!("{}, {}: {} accounts", characteristic.feature, bin.bin, own.accounts);
            table.rows.push(vec![
                Cell::text(&characteristic.feature).tone(if number == 0 { "strong" } else { "soft" }),
                Cell::text(&bin.bin),
                Cell::number(bin.points.to_string()),
                Cell::count(own.accounts),
                Cell::number(share(own.share_bp)),
                Cell::bar(Bar::of(own.accounts.into(), all.into(), "s3", alt)),
                Cell::number(thousandths(own.mean_score_thousandths)),
            ]);
        }
    }
    table
}
