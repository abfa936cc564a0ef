//! The fitted scorecard's file: the current one with other points, and what is new to it.

use std::collections::BTreeSet;
use std::fmt::Write;

use anyhow::Result;
use toml::de::DeTable;

use super::binning::FeatureBins;
use super::correlation::{Side, correlation};
use super::fitted::{FittedCharacteristic, FittedModel};
use super::text_edits::{TextEdits, block, headers, integer, line_start, quoted, tables, tables_of, text_of};
use super::train::TrainingRows;
use crate::failure::{Kind, failure};
use crate::job::{Job, Source};

/// What a card says besides points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardFrame {
    /// The least score.
    pub min: i32,
    /// The highest.
    pub max: i32,
    /// By band of the current card, where it begins.
    pub bands: Vec<i32>,
}

/// A characteristic that the current card does not have.
#[derive(Debug, Clone, PartialEq)]
pub struct NewCharacteristic {
    /// Position of its feature.
    pub feature: usize,
    /// The dimension that it is put in.
    pub dimension: String,
    /// Why that one.
    pub why: String,
    /// The code of its reason.
    pub reason: String,
}

/// The dimension of a card that has none.
const OWN_DIMENSION: &str = "fitted_dimension";

/// What a reason's text begins with that is still to be written.
pub const UNWRITTEN: &str = "TODO";

/// What lines of the card begin with that say how it was fitted.
const HEADER: &str = "# rescore fit: ";

/// Where new characteristics go.
pub fn new_characteristics(job: &Job, model: &FittedModel, train: &TrainingRows) -> Vec<NewCharacteristic> {
    let is_old = |feature: usize| job.scorecard.characteristics.iter().any(|old| old.feature == feature);
    let mut codes = codes(job);
    let mut number = 0;
    let new = model.characteristics.iter().filter(|one| !is_old(one.feature));
    new.map(|one| {
        let (dimension, why) = dimension(job, model, train, one);
        let reason = loop {
            number += 1;
            let code = format!("F{number:02}");
            if codes.insert(code.clone()) {
                break code;
            }
        };
        NewCharacteristic { feature: one.feature, dimension, why, reason }
    })
    .collect()
}

/// Every code of a reason.
fn codes(job: &Job) -> BTreeSet<String> {
    let of_rules = job.policy.rules.iter().map(|rule| rule.reason.clone());
    let of_card = job.scorecard.characteristics.iter().flat_map(|one| {
        let missing = one.missing_reason.as_ref().map(|(code, _)| code.clone());
        [one.reason.clone()].into_iter().chain(missing)
    });
    of_rules.chain(of_card).collect()
}

/// The dimension of the characteristic of the current card with which a new one goes most.
fn dimension(
    job: &Job,
    model: &FittedModel,
    train: &TrainingRows,
    new: &FittedCharacteristic,
) -> (String, String) {
    let side = |feature: usize| {
        let own = &model.features[feature];
        Side { woe: &own.bins.woe, bins: &own.bin_of_row }
    };
    let mut best: Option<(usize, f64)> = None;
    for old in &job.scorecard.characteristics {
        let found = correlation(side(new.feature), side(old.feature), &train.rows);
        if best.is_none_or(|(_, known)| found.abs() > known.abs()) {
            best = Some((old.feature, found));
        }
    }
    let dimensions = &job.scorecard.dimensions;
    let of = |feature: usize| job.scorecard.characteristics.iter().find(|old| old.feature == feature);
    match best.and_then(|(feature, found)| Some((of(feature)?, found))) {
        Some((old, found)) => {
            let name = &job.features[old.feature].name;
            let why =
                format!("of the characteristics before, it goes most with `{name}` (correlation {found:.2})");
            (dimensions[old.dimension].name.clone(), why)
        }
        None => match dimensions.first() {
            Some(first) => {
                (first.name.clone(), "the card had no characteristic to hold it against".to_string())
            }
            None => (OWN_DIMENSION.to_string(), "the card had no dimension".to_string()),
        },
    }
}

/// The text of the fitted card; `header` are lines that say how it was fitted.
pub fn card_text(
    job: &Job,
    model: &FittedModel,
    frame: &CardFrame,
    new: &[NewCharacteristic],
    header: &[String],
) -> Result<String> {
    let source = &job.sources.scorecard;
    let top = tables(&source.text);
    let mut edits = TextEdits::of(&source.text);
    edits.replace(0..old_header(&source.text), header_text(header));
    for (_, score) in tables_of(top.get_ref(), "score") {
        set_integer(&mut edits, score, "base", model.base.base);
        set_integer(&mut edits, score, "min", frame.min);
        set_integer(&mut edits, score, "max", frame.max);
    }
    for ((_, band), from) in tables_of(top.get_ref(), "band").iter().zip(&frame.bands) {
        set_integer(&mut edits, band, "from", *from);
    }
    edit_characteristics(&mut edits, source, top.get_ref(), job, model)?;
    let mut text = edits.finish();
    if !text.ends_with('\n') {
        text.push('\n');
    }
    if new.iter().any(|one| one.dimension == OWN_DIMENSION) {
        let _ = write!(text, "\n[[dimension]]\nname = \"{OWN_DIMENSION}\"\ntitle = \"Fitted\"\n");
    }
    for one in new {
        text.push_str(&new_text(job, model, one));
    }
    Ok(text)
}

fn header_text(lines: &[String]) -> String {
    lines.iter().map(|line| format!("{HEADER}{line}\n")).collect()
}

/// Where the header that an earlier fit has written ends.
fn old_header(text: &str) -> usize {
    text.split_inclusive('\n').take_while(|line| line.starts_with(HEADER)).map(str::len).sum()
}

fn set_integer(edits: &mut TextEdits, table: &DeTable, key: &str, value: i32) {
    let Some(written) = table.get(key) else { return };
    if written.get_ref().as_integer().is_none_or(|old| old.as_str() != value.to_string()) {
        edits.replace(written.span(), value.to_string());
    }
}

/// New points for the characteristics that are kept; those that are not are taken out.
fn edit_characteristics(
    edits: &mut TextEdits,
    source: &Source,
    top: &DeTable,
    job: &Job,
    model: &FittedModel,
) -> Result<()> {
    let headers = headers(&source.text, top);
    for (span, table) in tables_of(top, "characteristic") {
        let name = text_of(table, "feature").map_or("", |feature| feature.text);
        let kept = model.characteristics.iter().find(|one| job.features[one.feature].name == name);
        match kept {
            Some(one) => {
                let bins = &model.features[one.feature].bins;
                if let Some(written) = table.get("bins") {
                    let multiline = source.text[written.span()].contains('\n');
                    edits.replace(written.span(), bins_text(bins, one, multiline));
                }
                set_integer(edits, table, "missing", one.points.points[bins.null()]);
            }
            None if headers.contains(&span.start) => {
                edits.replace(block(&source.text, &headers, span.start), "");
            }
            None => {
                let line = source.text[..line_start(&source.text, span.start)].matches('\n').count() + 1;
                let message = format!(
                    "{}:{line}: the characteristic `{name}` is not in the fitted card, and cannot be taken out where it \
                     is written; write it as [[characteristic]]",
                    source.path.display()
                );
                return Err(failure(Kind::Usage, message));
            }
        }
    }
    Ok(())
}

/// The ranges of a characteristic with their points.
fn bins_text(bins: &FeatureBins, characteristic: &FittedCharacteristic, multiline: bool) -> String {
    let ranges = bins.ranges.iter().map(|range| {
        let points = characteristic.points.points[range.bin];
        match range.below {
            Some(below) => format!("{{ below = {}, points = {points} }}", integer(below)),
            None => format!("{{ points = {points} }}"),
        }
    });
    let ranges: Vec<String> = ranges.collect();
    if multiline {
        return format!("[\n{}]", ranges.iter().map(|range| format!("    {range},\n")).collect::<String>());
    }
    format!("[ {} ]", ranges.join(", "))
}

fn new_text(job: &Job, model: &FittedModel, new: &NewCharacteristic) -> String {
    let Some(one) = model.characteristics.iter().find(|one| one.feature == new.feature) else {
        return String::new();
    };
    let bins = &model.features[one.feature].bins;
    let name = &job.features[one.feature].name;
    let todo = format!("{UNWRITTEN}: say in a sentence to the person what {name} costs points for");
    let mut text = String::from("\n[[characteristic]]\n");
    let _ = writeln!(text, "feature = {}", quoted(name));
    let _ = writeln!(text, "dimension = {}    # {}", quoted(&new.dimension), new.why);
    let _ = writeln!(text, "reason = {}", quoted(&new.reason));
    let _ = writeln!(text, "text = {}", quoted(&todo));
    let _ = writeln!(text, "missing = {}", one.points.points[bins.null()]);
    let _ = writeln!(text, "bins = {}", bins_text(bins, one, false));
    text
}

/// The range of scores: the current card's where the points fit in it, or else rounded to whole fifties.
pub fn score_range(model: &FittedModel, job: &Job) -> (i32, i32) {
    const STEP: i32 = 50;
    let (lowest, highest) = (model.base.lowest, model.base.highest);
    let (min, max) = (job.scorecard.min, job.scorecard.max);
    let min = if min <= lowest { min } else { lowest.div_euclid(STEP) * STEP };
    let max = if max >= highest { max } else { -(-highest).div_euclid(STEP) * STEP };
    (min, max)
}
