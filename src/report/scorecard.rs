//! The scorecard with the run's accounts in its bins.

use anyhow::Result;

use crate::html::{Bar, Cell, Section, Table};
use crate::run_dir::PublishedRun;
use crate::scorecard::ScorecardTable;
use crate::scorecard::text::{share, thousandths};

/// Every bin of every characteristic: its points, its share of the accounts and their mean score.
pub(super) fn scorecard(run: &PublishedRun) -> Result<Section> {
    let card = ScorecardTable::of_run(&run.job, run)?;
    let all = card.run.as_ref().map_or(0, |run| run.accounts);
    let mut table = Table::new(
        "Accounts by bin of each characteristic",
        &["characteristic", "bin", "#points", "#accounts", "#share", "", "#mean score"],
    );
    for characteristic in &card.characteristics {
        for (number, bin) in characteristic.bins.iter().enumerate() {
            let Some(own) = &bin.accounts else { continue };
            let alt = format!("{}, {}: {} accounts", characteristic.feature, bin.bin, own.accounts);
            let name = if number == 0 { characteristic.feature.as_str() } else { "" };
            table.rows.push(vec![
                Cell::text(name).tone("strong"),
                Cell::text(&bin.bin),
                Cell::number(bin.points.to_string()),
                Cell::count(own.accounts),
                Cell::number(share(own.share_bp)),
                Cell::bar(Bar::of(own.accounts.into(), all.into(), "s3", alt)),
                Cell::number(thousandths(own.mean_score_thousandths)),
            ]);
        }
    }
    let note = format!(
        "Base {}, scores from {} to {}; the points reach {} to {}.",
        card.base, card.min, card.max, card.lowest, card.highest
    );
    Ok(Section { note, tables: vec![table], ..Section::new("scorecard", "Scorecard") })
}
