//! The scorecard for people.

use super::table::ScorecardTable;
use crate::console::{table, thousands, visible};

/// The scorecard as tables.
pub fn for_people(card: &ScorecardTable) -> String {
    let ScorecardTable { base, min, max, lowest, highest, .. } = card;
    let mut head = format!(
        "job `{}`{}: base {base}, scores {min} to {max}, of which the points reach {lowest} to {highest}",
        visible(&card.job),
        card.card.as_ref().map_or(String::new(), |card| format!(", scorecard `{card}`"))
    );
    if let Some(run) = &card.run {
        let known =
            if run.known_on == run.as_of { String::new() } else { format!(", known on {}", run.known_on) };
        head += &format!(
            "\naccounts and mean scores of job `{}`, {}{known}: {} accounts, mean score {}",
            visible(&run.job),
            run.as_of,
            thousands(run.accounts.into()),
            thousandths(run.mean_score_thousandths)
        );
    }
    let bands =
        card.bands.iter().map(|band| vec![band.band.clone(), band.from.to_string(), band.to.to_string()]);
    let bands = table(&["band", "from", "to"], &bands.collect::<Vec<_>>());
    [head, bands, bins(card)].join("\n\n")
}

/// Every bin; a characteristic is named in the first of its rows.
fn bins(card: &ScorecardTable) -> String {
    let mut header = vec!["characteristic", "bin", "points"];
    if card.run.is_some() {
        header.extend(["accounts", "share", "mean score"]);
    }
    let mut rows = Vec::new();
    for characteristic in &card.characteristics {
        for (number, bin) in characteristic.bins.iter().enumerate() {
            let name = if number == 0 { characteristic.feature.clone() } else { String::new() };
            let mut row = vec![name, bin.bin.clone(), bin.points.to_string()];
            if let Some(own) = &bin.accounts {
                row.push(thousands(own.accounts.into()));
                row.push(share(own.share_bp));
                row.push(thousandths(own.mean_score_thousandths));
            }
            rows.push(row);
        }
    }
    table(&header, &rows)
}

/// Basis points as a percentage; empty where there is none.
pub fn share(basis_points: Option<u64>) -> String {
    basis_points.map_or(String::new(), |share| format!("{}.{:02} %", share / 100, share % 100))
}

/// Thousandths as a number; empty where there is none.
pub fn thousandths(number: Option<i64>) -> String {
    let Some(number) = number else { return String::new() };
    let (sign, size) = (if number < 0 { "-" } else { "" }, number.unsigned_abs());
    format!("{sign}{}.{:03}", thousands((size / 1000).into()), size % 1000)
}
