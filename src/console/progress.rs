//! Progress of work on a terminal: what is being done, and how much of it.

use std::io::IsTerminal;
use std::sync::OnceLock;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use super::width::width;
use super::{bytes, plural, thousands};
use crate::day::Day;
use crate::store;

/// A progress bar on a terminal, above it one for the nights of a range; nothing elsewhere. It is there from the first
/// stage of work until it is taken away, and leaves nothing behind.
#[derive(Clone)]
pub struct Progress {
    bars: MultiProgress,
    bar: ProgressBar,
    nights: ProgressBar,
}

/// The bars on the terminal, for whatever else is written there.
static SHOWN: OnceLock<MultiProgress> = OnceLock::new();

/// Writes to the terminal; the bars make way meanwhile.
pub fn above_progress<T>(write: impl FnOnce() -> T) -> T {
    match SHOWN.get() {
        Some(bars) => bars.suspend(write),
        None => write(),
    }
}

impl Progress {
    /// Shows progress on stderr where that is a terminal.
    pub fn on_terminal(quiet: bool) -> Progress {
        if quiet || !std::io::stderr().is_terminal() {
            return Progress::hidden();
        }
        let bars = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
        let bar = bars.add(ProgressBar::new(0));
        // What is shown first is shown for good.
        let _ = SHOWN.set(bars.clone());
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
        self.nights.set_style(nights_style(total, ""));
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
            let total = self.nights.length().unwrap_or(0);
            self.nights.set_style(nights_style(total as usize, ", {eta} left"));
        }
    }

    /// Begins a stage of `total` rows (or other units); 0 where the amount is not known.
    pub fn stage(&self, name: &str, total: u64) {
        let is_wide = width().is_none_or(|columns| columns > 100);
        let amount = match (total, is_wide) {
            (0, _) => "",
            (_, true) => " [{bar:30}] {human_pos}/{human_len} {rate} {eta}",
            (_, false) => " [{wide_bar}] {human_pos}/{human_len} {rate} {eta}",
        };
        self.bar.set_style(style(&format!("{{spinner}} {{msg:28}}{amount}{{fetched}}")));
        self.bar.reset();
        self.bar.set_message(name.to_string());
        self.bar.set_length(total);
        self.bar.enable_steady_tick(Duration::from_millis(200));
    }

    /// Begins a stage that reads files.
    pub fn read(&self, input: &str, files: usize, rows: u64) {
        self.stage(&format!("{input}: {}", plural(files, "file")), rows);
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

fn nights_style(total: usize, ending: &str) -> ProgressStyle {
    let nights = if total == 1 { "night" } else { "nights" };
    style(&format!("  {{msg:28}} [{{bar:20}}] {{pos}}/{{len}} {nights}{ending}"))
}

fn style(template: &str) -> ProgressStyle {
    let style = ProgressStyle::with_template(template).expect("the template is well formed");
    // What cannot be shown is left out.
    let style = style.with_key("rate", |state: &ProgressState, text: &mut dyn std::fmt::Write| {
        let _ = write!(text, "{}/s", thousands(state.per_sec().round() as i128));
    });
    style.with_key("fetched", |_: &ProgressState, text: &mut dyn std::fmt::Write| {
        let fetched = store::bytes_read();
        if fetched > 0 {
            let _ = write!(text, ", {} fetched", bytes(fetched));
        }
    })
}
