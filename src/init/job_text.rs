//! The job file to start from, with a word on everything in it that was guessed.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::columns::{FoundBy, FoundColumn};
use super::trial::TrialFigures;
use crate::console::visible;
use crate::job::input_names::{LINES, REPAYMENTS, TRANSACTIONS};

/// What the job file says.
pub(super) struct JobSketch<'a> {
    /// Decimal places of money, and how they came to be known.
    pub minor_units: u32,
    pub minor_units_remark: &'a str,
    /// Where instants become dates.
    pub timezone: Option<&'a str>,
    pub lines_max_age_days: u32,
    /// Pattern and remark by input; no pattern where there are none.
    pub inputs: Vec<(&'static str, Option<String>, Option<String>)>,
    pub columns: &'a [FoundColumn],
    /// Columns that look as if they told rows sent twice apart, by input.
    pub row_ids: &'a BTreeMap<&'static str, String>,
    /// Of the trial night.
    pub figures: Option<&'a TrialFigures>,
}

/// The job file.
pub(super) fn job_text(sketch: &JobSketch) -> String {
    let mut text = String::from(
        "# A job to start from, written by `rescore init` from the files that it was shown. What was guessed is marked TO \
         LOOK AT.\n#\n#     rescore check nightly.toml\n\nname = \"nightly\"\nscorecard = \"scorecard.toml\"\npolicy = \
         \"policy.toml\"\n",
    );
    let _ = writeln!(text, "# {}", sketch.minor_units_remark);
    let _ = writeln!(text, "minor_units = {}", sketch.minor_units);
    if let Some(zone) = sketch.timezone {
        let _ = writeln!(text, "timezone = {}    # an instant becomes a date here", quoted(zone));
    }
    let _ = writeln!(
        text,
        "lines_max_age_days = {}    # so old may the snapshot of lines be",
        sketch.lines_max_age_days
    );
    text.push_str("\n[input]\n");
    for (input, pattern, remark) in &sketch.inputs {
        if let Some(remark) = remark {
            let _ = writeln!(text, "# {}", visible(remark));
        }
        let _ = writeln!(text, "{input} = {}", quoted(pattern.as_deref().unwrap_or("none")));
    }
    text.push_str(
        "# What earlier nights decided is laid over the book; their scores are what this one is held against.\nissued = \
         \"out/date={date}/adjustments.parquet\"\nprevious = \"out/date={date}/scores.parquet\"\n",
    );
    for input in [TRANSACTIONS, REPAYMENTS, LINES] {
        text.push_str(&renames(input, sketch.columns));
        if let Some(column) = sketch.row_ids.get(input) {
            let _ = write!(
                text,
                "\n# If a row may be sent twice and this tells it apart, take the signs off:\n# [unique.{input}]\n# column \
                 = {}\n# within_days = 3\n",
                quoted(column)
            );
        }
    }
    text.push_str(
        "\n[output]\ndir = \"out\"\ncsv = true\n\n# Deliveries as they were sorted, so that each is decoded once; only a \
         cache.\n[state]\ndir = \"out/.state\"\n",
    );
    text.push_str(&gates(sketch.figures, &sketch.inputs));
    text
}

fn renames(input: &str, columns: &[FoundColumn]) -> String {
    let mut text = String::new();
    for column in columns.iter().filter(|column| column.input == input && column.name != column.column) {
        if text.is_empty() {
            let _ = write!(text, "\n[rename.{input}]    # left the name here, right the file's\n");
        }
        let why = match column.by {
            FoundBy::Said => "as it was said".to_string(),
            FoundBy::SameName => String::new(),
            FoundBy::OtherName if column.passed_over.is_empty() => {
                "TO LOOK AT: guessed by its name".to_string()
            }
            FoundBy::OtherName => {
                format!(
                    "TO LOOK AT: guessed by its name; it might be {}",
                    visible(&column.passed_over.join(" or "))
                )
            }
            FoundBy::OnlyOfType => "TO LOOK AT: guessed, as no other column is of that kind".to_string(),
        };
        let _ =
            writeln!(text, "{} = {}    # {}, {why}", column.column, quoted(&column.name), column.type_name);
    }
    text
}

/// Rejects beyond this share of an input's rows hold a night, in basis points.
const REJECTED_BP: u64 = 100;

fn gates(
    figures: Option<&TrialFigures>,
    inputs: &[(&'static str, Option<String>, Option<String>)],
) -> String {
    let Some(figures) = figures else { return String::new() };
    let mut text = String::from(
        "\n# ---- what must hold before anything is published ------------------------------------------------\n",
    );
    let accepted = figures.counts.get(LINES).map_or(0, |counts| counts.accepted);
    let _ = write!(
        text,
        "\n[[gate]]\nname = \"the book is there\"\nrows = \"lines\"\nmin = {}    # half of the {accepted} lines of the trial \
         night\nmax_change_bp = 1_000\n",
        accepted / 2
    );
    for (input, _, _) in inputs.iter().filter(|(_, pattern, _)| pattern.is_some()) {
        let Some(counts) = figures.counts.get(*input) else { continue };
        let rejected: u64 = counts.rejected.values().sum();
        let found = if counts.read == 0 { 0 } else { (rejected * 10_000).div_ceil(counts.read) };
        // A first night must not be held by what was there when the job was written.
        let most = REJECTED_BP.max(2 * found).min(10_000);
        let _ = write!(
            text,
            "\n[[gate]]\nname = \"rejected {input}\"\nrejected = \"{input}\"\nmax_bp = {most}    # on the trial night \
             {rejected} of {} rows{}\n",
            counts.read,
            if found > REJECTED_BP { "; TO LOOK AT: that is many" } else { "" }
        );
    }
    let money = figures.limits / 100;
    let _ = write!(
        text,
        "\n[[gate]]\nname = \"money out\"\ntable = \"decisions\"\nsum_of = \"new_limit - old_limit\"\namong = \"action = \
         'raise'\"\nmax = {money}    # a hundredth of all limits\n\n[[gate]]\nname = \"lines raised\"\ntable = \
         \"decisions\"\nshare_of = \"action = 'raise'\"\nmax_bp = 500\n\n[[gate]]\nname = \"nothing is taken\"\ntable = \
         \"decisions\"\nshare_of = \"action not in ('hold', 'raise')\"\nmax_bp = 0\n"
    );
    text
}

/// A text as TOML has it, on one line.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_string()).to_string()
}
