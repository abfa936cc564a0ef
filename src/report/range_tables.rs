//! The figures of a range as tables: series, bands, and gates that did not hold.

use super::nights::{ReportedNight, Series};
use crate::html::{Cell, FigureUnit, Section, Table, basis_points};
use crate::run_dir::gates::{GateVerdict, not_holding};

/// The series of a group, a row a night.
pub(super) fn series_table(title: &str, series: &[Series], nights: &[ReportedNight]) -> Table {
    let mut header = vec!["date".to_string()];
    header.extend(series.iter().map(|series| {
        let name = series.name.to_lowercase();
        match &series.unit {
            FigureUnit::Money { currency: Some(currency), .. } => format!("#{name}, {currency}"),
            _ => format!("#{name}"),
        }
    }));
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    let mut table = Table::new(&format!("Figures: {}", title.to_lowercase()), &header);
    for (number, night) in nights.iter().enumerate() {
        let day = night.run.manifest.as_of;
        let mut row = vec![date(night)];
        row.extend(series.iter().map(|series| {
            let value = series.values[number];
            let cell = Cell::number(series.unit.text(value));
            match series.figure {
                "" => cell,
                name => cell.figure(format!("{day}.control_totals.{name}"), value),
            }
        }));
        table.rows.push(row);
    }
    table
}

/// The date of a night, and how it stands where that is not as it should be.
fn date(night: &ReportedNight) -> Cell {
    let tone = match night.standing {
        "held" => "bad strong day",
        "released" => "warn strong day",
        _ => "strong day",
    };
    Cell::text(format!("{} {}", night.run.manifest.as_of, night.standing).trim_end()).tone(tone)
}

/// The share of the accounts in each band, a row a night.
pub(super) fn bands_table(bands: &[&str], nights: &[ReportedNight]) -> Table {
    let header = std::iter::once("date".to_string()).chain(bands.iter().map(|band| format!("#{band}")));
    let header: Vec<String> = header.collect();
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    let mut table = Table::new("Share of the accounts in each band", &header);
    for night in nights {
        let shares = bands.iter().map(|band| Cell::number(basis_points(night.share_bp(band))));
        table.rows.push(std::iter::once(date(night)).chain(shares).collect());
    }
    table
}

/// Gates that did not hold on some night.
pub(super) fn gates_section(nights: &[ReportedNight]) -> Section {
    let mut table = Table::new("Gates that did not hold", &["date", "gate", "#figure", "rows", "it may be"]);
    for night in nights {
        for gate in not_holding(&night.run.manifest.gates) {
            let words = gate.in_words(night.run.job.minor_units);
            let is_warning = gate.verdict() == GateVerdict::Warns;
            table.rows.push(vec![
                date(night),
                Cell::text(&gate.name),
                Cell::number(words.value).tone(if is_warning { "warn" } else { "bad" }),
                Cell::text(words.rows.unwrap_or_default()),
                Cell::text(words.bounds),
            ]);
        }
    }
    let (note, tables) = if table.rows.is_empty() {
        ("Every gate held on every night.".to_string(), Vec::new())
    } else {
        (String::new(), vec![table])
    };
    Section { note, tables, ..Section::new("gates", "Gates") }
}
