//! The scorecard file that an import writes: features to fill or of a job, points, reasons.

use std::fmt::Write;

use super::card::{
    FeatureSource, Fractions, ImportedCard, ImportedCharacteristic, ImportedFeature, NumberUnits,
};
use super::tree::quoted;
use super::whole::{WholeCard, WholePoints};
use crate::console::visible;

/// What the dimension of characteristics is called that have none of their own.
pub const DIMENSION: &str = "imported";

/// What is written.
pub struct CardFile<'a> {
    /// A sentence on where it comes from.
    pub origin: String,
    /// What was read.
    pub card: &'a ImportedCard,
    /// Its points.
    pub points: &'a WholeCard,
    /// The features of the job as TOML, if there is one.
    pub of_job: Option<String>,
    /// Those of the card that the job has.
    pub taken: &'a [String],
}

/// A text as TOML writes it, on one line.
fn text(text: &str) -> String {
    let is_plain = !text.chars().any(|character| character.is_control() || character == '\'');
    if is_plain && text.contains(['"', '\\']) {
        return format!("'{text}'");
    }
    let mut written = String::from('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => written.extend(['\\', character]),
            '\n' => written.push_str("\\n"),
            other if other.is_control() => {
                let _ = write!(written, "\\u{:04X}", u32::from(other));
            }
            other => written.push(other),
        }
    }
    written + "\""
}

/// A sentence as a comment.
fn comment(sentence: &str) -> String {
    format!("# {}\n", visible(sentence))
}

impl CardFile<'_> {
    /// The whole file.
    pub fn text(&self) -> String {
        let mut file = comment(&self.origin);
        self.card.notes.iter().for_each(|note| file.push_str(&comment(note)));
        file.push('\n');
        if let Some(features) = &self.of_job {
            file.push_str(features);
            file.push('\n');
        }
        for feature in self.card.features.iter().filter(|feature| !self.taken.contains(&feature.name)) {
            file.push_str(&feature_text(feature));
        }
        file.push_str(&self.score());
        for (one, points) in self.card.characteristics.iter().zip(&self.points.characteristics) {
            file.push_str(&characteristic(one, points));
        }
        file
    }

    fn score(&self) -> String {
        let WholeCard { base, min, max, .. } = self.points;
        let reasons = self.card.reasons;
        let mut score = format!("[score]\nbase = {base}\nmin = {min}\nmax = {max}\nreasons = {reasons}\n\n");
        let bands = match self.card.bands.first() {
            Some(first) if self.points.scale == 1 && first.from == *min => {
                self.card.bands.iter().map(|band| (band.name.as_str(), band.from)).collect()
            }
            _ => vec![("all", *min)],
        };
        for (name, from) in bands {
            score.push_str(&format!("[[band]]\nname = {}\nfrom = {from}\n\n", text(name)));
        }
        let own = self.card.dimensions.iter().map(|own| (own.name.as_str(), own.title.as_str()));
        let is_needed = self.card.characteristics.iter().any(|one| one.dimension.is_empty());
        let added = is_needed.then_some((DIMENSION, "Imported"));
        for (name, title) in own.chain(added) {
            score.push_str(&format!("[[dimension]]\nname = {}\ntitle = {}\n\n", text(name), text(title)));
        }
        score
    }
}

fn feature_text(feature: &ImportedFeature) -> String {
    let mut written = match &feature.source {
        FeatureSource::Expression(_) => String::new(),
        source => comment(&format!("TO FILL: {}", wanted(&feature.field, source))),
    };
    let _ = writeln!(written, "[[feature]]\nname = {}", text(&feature.name));
    match &feature.source {
        FeatureSource::Expression(expression) => {
            let _ = writeln!(written, "expr = {}", text(expression));
        }
        FeatureSource::Number(_) | FeatureSource::Truth => {
            written.push_str("# from = \"lines\"\n# agg = \"max\"\n# of = …\n");
        }
        FeatureSource::Codes(texts) => {
            written.push_str("# from = \"lines\"\n# agg = \"max\"\n");
            written.push_str(&comment(&format!("of = {}", text(&coding(&feature.field, texts)))));
        }
    }
    written + "\n"
}

/// What a feature has to hold, in words.
pub fn wanted(field: &str, source: &FeatureSource) -> String {
    match source {
        FeatureSource::Number(NumberUnits { scale, fractions }) => {
            let units = if *scale == 1 { String::new() } else { format!(", {scale} of which make one") };
            let fractions = match fractions {
                Fractions::None => "",
                Fractions::Down => "; a value between two whole numbers goes down to the lower one",
                Fractions::Up => "; a value between two whole numbers goes up to the higher one",
                Fractions::Never => "; only whole numbers have the same points, so there must be no others",
            };
            format!("`{field}` in whole numbers{units}{fractions}")
        }
        FeatureSource::Truth => format!("1 where `{field}` is true, 0 where it is false"),
        FeatureSource::Codes(texts) => {
            let codes: Vec<String> =
                texts.iter().enumerate().map(|(number, text)| format!("{} = '{text}'", number + 1)).collect();
            format!("the code of `{field}`: {}; 0 = any other; null where there is none", codes.join(", "))
        }
        FeatureSource::Expression(_) => format!("made for `{field}`"),
    }
}

/// The expression over a row that codes a text column.
pub fn coding(column: &str, texts: &[String]) -> String {
    let name = quoted(column);
    let cases = texts
        .iter()
        .enumerate()
        .map(|(number, text)| format!("when {name} = '{}' then {}", text.replace('\'', "''"), number + 1));
    let cases: Vec<String> = cases.collect();
    format!("case {} when {name} is not null then 0 end", cases.join(" "))
}

fn characteristic(one: &ImportedCharacteristic, points: &WholePoints) -> String {
    let dimension = if one.dimension.is_empty() { DIMENSION } else { &one.dimension };
    let mut written = format!(
        "[[characteristic]]\nfeature = {}\ndimension = {}\nreason = {}\ntext = {}\nmissing = {}\n",
        text(&one.feature),
        text(dimension),
        text(&one.reason),
        text(&one.text),
        points.missing
    );
    if let Some(missing) = &one.missing_reason {
        let (code, words) = (text(&missing.code), text(&missing.text));
        let _ = write!(written, "missing_reason = {code}\nmissing_text = {words}\n");
    }
    match one.actionable.as_deref() {
        Some(direction @ ("up" | "down")) => {
            let _ = writeln!(written, "actionable = {}", text(direction));
        }
        Some("false") => written.push_str("actionable = false\n"),
        _ => {}
    }
    if let Some(baseline) = points.baseline {
        let _ = writeln!(written, "baseline = {baseline}");
    }
    let bins = one.bins.iter().zip(&points.bins).map(|(bin, points)| match bin.below {
        Some(below) => format!("    {{ below = {below}, points = {points} }},\n"),
        None => format!("    {{ points = {points} }},\n"),
    });
    let _ = write!(written, "bins = [\n{}]\n\n", bins.collect::<String>());
    written
}
