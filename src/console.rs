//! The terminal: progress, log lines, and tables for people.

mod output;

use std::io::IsTerminal;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use comfy_table::{CellAlignment, Table, presets};
use indicatif::{DecimalBytes, MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::day::Day;
use crate::store::{self, is_url};

pub use output::{print, print_bytes, print_error, print_json, visible};

/// A progress bar on a terminal, above it one for the nights of a range; nothing elsewhere.
#[derive(Clone)]
pub struct Progress {
    bars: MultiProgress,
    bar: ProgressBar,
    nights: ProgressBar,
}

impl Progress {
    /// Shows progress on stderr where that is a terminal.
    pub fn on_terminal(quiet: bool) -> Progress {
        if quiet || !std::io::stderr().is_terminal() {
            return Progress::hidden();
        }
        let bars = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
        let bar = bars.add(ProgressBar::new(0));
        bar.set_style(style(
            "{spinner} {msg:28} [{bar:30}] {human_pos}/{human_len} {per_sec} {eta}{fetched}",
        ));
        bar.enable_steady_tick(Duration::from_millis(200));
        Progress { bars, bar, nights: ProgressBar::hidden() }
    }

    /// Shows nothing.
    pub fn hidden() -> Progress {
        let bars = MultiProgress::with_draw_target(ProgressDrawTarget::hidden());
        Progress { bars, bar: ProgressBar::hidden(), nights: ProgressBar::hidden() }
    }

    /// Begins a range: its nights get a bar of their own, with an estimate of what is left.
    pub fn nights(&self, total: usize) {
        self.nights.set_length(total as u64);
        self.nights.set_style(style("  {msg:28} [{bar:30}] {pos}/{len} nights"));
        self.bars.insert(0, self.nights.clone());
    }

    /// Begins a night of a range.
    pub fn night(&self, as_of: Day) {
        self.nights.set_message(format!("night of {as_of}"));
    }

    /// Notes that a night is done; one that took no work says nothing about those to come.
    pub fn night_done(&self, was_left_alone: bool) {
        self.nights.inc(1);
        if was_left_alone {
            self.nights.reset_eta();
        } else {
            self.nights.set_style(style("  {msg:28} [{bar:30}] {pos}/{len} nights, {eta} left"));
        }
    }

    /// Takes the bars away while something else is written.
    pub fn pause<T>(&self, write: impl FnOnce() -> T) -> T {
        self.bars.suspend(write)
    }

    /// Begins a stage of `total` rows (or other units); 0 where the amount is not known.
    pub fn stage(&self, name: &str, total: u64) {
        self.bar.set_message(name.to_string());
        self.bar.set_length(total);
        self.bar.reset();
    }

    /// Begins a stage that reads files.
    pub fn read(&self, input: &str, files: usize, rows: u64) {
        self.stage(&format!("{input}: {files} files"), rows);
    }

    /// Notes work done; called from any thread.
    pub fn advance(&self, amount: u64) {
        self.bar.inc(amount);
    }

    /// Notes how much is done in all.
    pub fn reach(&self, position: u64) {
        self.bar.set_position(position);
    }

    /// Takes the bars away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
        self.nights.finish_and_clear();
    }
}

fn style(template: &str) -> ProgressStyle {
    let style = ProgressStyle::with_template(template).expect("the template is well formed");
    style.with_key("fetched", |_: &ProgressState, text: &mut dyn std::fmt::Write| {
        let fetched = store::bytes_read();
        if fetched > 0 {
            // What cannot be shown is left out.
            let _ = write!(text, ", {} fetched", bytes(fetched));
        }
    })
}

/// Sends log records to stderr: warnings, and more with `-v` (info) and `-vv` (debug).
pub fn start_log(verbose: u8) {
    let level = match verbose {
        0 => tracing::Level::WARN,
        1 => tracing::Level::INFO,
        _ => tracing::Level::DEBUG,
    };
    tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(std::io::stderr)
        .without_time()
        .with_target(false)
        .init();
}

/// A table with a header; columns of numbers are aligned right.
pub fn table(header: &[&str], rows: &[Vec<String>]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(header.iter().map(|name| visible(name)));
    for row in rows {
        table.add_row(row.iter().map(|cell| visible(cell)));
    }
    for (number, column) in table.column_iter_mut().enumerate() {
        column.set_padding((if number == 0 { 2 } else { 1 }, 1));
        if rows.iter().all(|row| is_number(&row[number])) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_string()).collect();
    lines.join("\n")
}

/// Whether a cell leaves a column one of numbers.
pub fn is_number(cell: &str) -> bool {
    cell.is_empty() || cell.trim_start_matches(['+', '-']).starts_with(|first: char| first.is_ascii_digit())
}

/// A path without the detours of `dir/..`, for people to read.
pub fn plain_path(path: &Path) -> String {
    if is_url(path) {
        return path.display().to_string();
    }
    let mut plain = PathBuf::new();
    for part in path.components() {
        match (part, plain.components().next_back()) {
            (Component::CurDir, _) => {}
            (Component::ParentDir, Some(Component::Normal(_))) => drop(plain.pop()),
            _ => plain.push(part),
        }
    }
    plain.display().to_string()
}

/// An integer with thousands separators.
pub fn thousands(number: i128) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::from(if number < 0 { "-" } else { "" });
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number of bytes, in the unit that suits it.
pub fn bytes(bytes: u64) -> String {
    DecimalBytes(bytes).to_string()
}

/// Minor units as an amount with its decimal places.
pub fn money(minor: i128, minor_units: u32) -> String {
    let one = 10_u128.pow(minor_units);
    let (whole, rest) = (minor.unsigned_abs() / one, minor.unsigned_abs() % one);
    let sign = if minor < 0 { "-" } else { "" };
    let whole = thousands(i128::try_from(whole).unwrap_or(i128::MAX));
    match minor_units {
        0 => format!("{sign}{whole}"),
        places => format!("{sign}{whole}.{rest:0width$}", width = places as usize),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_shown_without_detours() {
        for (path, plain) in
            [("jobs/../out/date=1", "out/date=1"), ("../out", "../out"), ("./a/b/../../c", "c")]
        {
            assert_eq!(plain_path(Path::new(path)), plain);
        }
    }

    #[test]
    fn money_has_its_decimal_places() {
        assert_eq!(money(123_456_789, 2), "1,234,567.89");
        assert_eq!(money(-5, 2), "-0.05");
        assert_eq!(money(1000, 0), "1,000");
    }
}
