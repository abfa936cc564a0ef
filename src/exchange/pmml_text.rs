//! A scorecard as PMML 4.4: fields are features, and what PMML has no place for stands in extensions of our own.

use std::fmt::Write;

use anyhow::{Result, ensure};

use super::pmml::Extensions;
use crate::failure::{Kind, failure};
use crate::job::{Actionable, Characteristic, LoneScorecard, Scorecard};

/// What the field of the result is called, unless a feature has the name.
const RESULT: &str = "score";

/// The document. Fails where a text has characters that XML cannot hold.
pub fn document(card: &LoneScorecard) -> Result<String> {
    let scorecard = &card.scorecard;
    let names: Vec<&str> =
        scorecard.characteristics.iter().map(|one| card.features[one.feature].name.as_str()).collect();
    let mut xml = Xml::default();
    xml.text.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    xml.open("PMML", &[("xmlns", "http://www.dmg.org/PMML-4_4"), ("version", "4.4")])?;
    xml.open("Header", &[("description", &format!("scorecard of {}", card.name))])?;
    xml.empty("Application", &[("name", Extensions::EXTENDER), ("version", env!("CARGO_PKG_VERSION"))])?;
    xml.close("Header");
    xml.open("DataDictionary", &[("numberOfFields", &(names.len() + 1).to_string())])?;
    for name in names.iter().chain([&RESULT]) {
        xml.empty("DataField", &[("name", name), ("optype", "continuous"), ("dataType", "integer")])?;
    }
    xml.close("DataDictionary");
    let base = scorecard.base.to_string();
    let head = [
        ("modelName", card.name.as_str()),
        ("functionName", "regression"),
        ("initialScore", &base),
        ("useReasonCodes", "true"),
        ("reasonCodeAlgorithm", "pointsBelow"),
        (
            "baselineMethod",
            if scorecard.characteristics.iter().all(|one| one.baseline.is_none()) { "max" } else { "other" },
        ),
    ];
    xml.open("Scorecard", &head)?;
    extensions(&mut xml, scorecard)?;
    schema(&mut xml, &names)?;
    output(&mut xml, scorecard)?;
    xml.open("Targets", &[])?;
    let (min, max) = (scorecard.min.to_string(), scorecard.max.to_string());
    xml.empty("Target", &[("field", RESULT), ("min", &min), ("max", &max)])?;
    xml.close("Targets");
    xml.open("Characteristics", &[])?;
    for (one, name) in scorecard.characteristics.iter().zip(&names) {
        characteristic(&mut xml, scorecard, one, name)?;
    }
    xml.close("Characteristics");
    xml.close("Scorecard");
    xml.close("PMML");
    Ok(xml.text)
}

fn extensions(xml: &mut Xml, scorecard: &Scorecard) -> Result<()> {
    xml.extension("reasons", &scorecard.reasons.to_string())?;
    for band in &scorecard.bands {
        xml.extension("band", &format!("{} {}", band.from, band.name))?;
    }
    for dimension in &scorecard.dimensions {
        xml.extension("dimension", &format!("{}\n{}", dimension.name, dimension.title))?;
    }
    Ok(())
}

fn schema(xml: &mut Xml, names: &[&str]) -> Result<()> {
    xml.open("MiningSchema", &[])?;
    for name in names {
        xml.empty("MiningField", &[("name", name), ("usageType", "active")])?;
    }
    xml.empty("MiningField", &[("name", RESULT), ("usageType", "target")])?;
    xml.close("MiningSchema");
    Ok(())
}

fn output(xml: &mut Xml, scorecard: &Scorecard) -> Result<()> {
    xml.open("Output", &[])?;
    let score =
        [("name", "Score"), ("optype", "continuous"), ("dataType", "integer"), ("feature", "predictedValue")];
    xml.empty("OutputField", &score)?;
    for rank in 1..=scorecard.reasons {
        let (name, rank) = (format!("Reason {rank}"), rank.to_string());
        let reason = [
            ("name", name.as_str()),
            ("optype", "categorical"),
            ("dataType", "string"),
            ("feature", "reasonCode"),
            ("rank", &rank),
        ];
        xml.empty("OutputField", &reason)?;
    }
    xml.close("Output");
    Ok(())
}

fn characteristic(xml: &mut Xml, scorecard: &Scorecard, one: &Characteristic, name: &str) -> Result<()> {
    let baseline = one.baseline().to_string();
    xml.open("Characteristic", &[("name", name), ("reasonCode", &one.reason), ("baselineScore", &baseline)])?;
    xml.extension("text", &one.text)?;
    xml.extension("dimension", &scorecard.dimensions[one.dimension].name)?;
    let actionable = match one.actionable {
        Actionable::Up => Some("up"),
        Actionable::Down => Some("down"),
        Actionable::Never => Some("false"),
        Actionable::Freely => None,
    };
    if let Some(actionable) = actionable {
        xml.extension("actionable", actionable)?;
    }
    let missing = one.missing.to_string();
    match &one.missing_reason {
        Some((code, text)) => {
            xml.open("Attribute", &[("reasonCode", code), ("partialScore", &missing)])?;
            xml.extension("text", text)?;
        }
        None => xml.open("Attribute", &[("partialScore", &missing)])?,
    }
    xml.empty("SimplePredicate", &[("field", name), ("operator", "isMissing")])?;
    xml.close("Attribute");
    let mut from: Option<i64> = None;
    for bin in &one.bins {
        xml.open("Attribute", &[("partialScore", &bin.points.to_string())])?;
        // Nothing is below the least integer.
        if bin.below == Some(i64::MIN) {
            xml.empty("False", &[])?;
        } else {
            predicate(xml, name, from, bin.below)?;
        }
        xml.close("Attribute");
        from = bin.below;
    }
    xml.close("Characteristic");
    Ok(())
}

/// That a field lies in a range.
fn predicate(xml: &mut Xml, name: &str, from: Option<i64>, below: Option<i64>) -> Result<()> {
    let from = from.filter(|from| *from > i64::MIN).map(|from| from.to_string());
    let below = below.map(|below| below.to_string());
    let at_least =
        from.as_deref().map(|from| [("field", name), ("operator", "greaterOrEqual"), ("value", from)]);
    let less = below.as_deref().map(|below| [("field", name), ("operator", "lessThan"), ("value", below)]);
    match (at_least, less) {
        (Some(at_least), Some(less)) => {
            xml.open("CompoundPredicate", &[("booleanOperator", "and")])?;
            xml.empty("SimplePredicate", &at_least)?;
            xml.empty("SimplePredicate", &less)?;
            xml.close("CompoundPredicate");
            Ok(())
        }
        (Some(only), None) | (None, Some(only)) => xml.empty("SimplePredicate", &only),
        (None, None) => xml.empty("SimplePredicate", &[("field", name), ("operator", "isNotMissing")]),
    }
}

/// A document that grows.
#[derive(Default)]
struct Xml {
    text: String,
    level: usize,
}

impl Xml {
    fn open(&mut self, name: &str, attributes: &[(&str, &str)]) -> Result<()> {
        self.tag(name, attributes, ">")?;
        self.level += 1;
        Ok(())
    }

    fn empty(&mut self, name: &str, attributes: &[(&str, &str)]) -> Result<()> {
        self.tag(name, attributes, "/>")
    }

    fn close(&mut self, name: &str) {
        self.level -= 1;
        let _ = writeln!(self.text, "{:indent$}</{name}>", "", indent = 2 * self.level);
    }

    fn extension(&mut self, name: &str, value: &str) -> Result<()> {
        self.empty("Extension", &[("extender", Extensions::EXTENDER), ("name", name), ("value", value)])
    }

    fn tag(&mut self, name: &str, attributes: &[(&str, &str)], end: &str) -> Result<()> {
        let _ = write!(self.text, "{:indent$}<{name}", "", indent = 2 * self.level);
        for (name, value) in attributes {
            let _ = write!(self.text, " {name}=\"{}\"", escaped(value)?);
        }
        self.text.push_str(end);
        self.text.push('\n');
        Ok(())
    }
}

/// A value between double quotes.
fn escaped(value: &str) -> Result<String> {
    let mut escaped = String::with_capacity(value.len());
    for character in value.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\r' | '\t' => {
                let _ = write!(escaped, "&#{};", u32::from(character));
            }
            other => {
                let is_held = other >= ' ' && !['\u{FFFE}', '\u{FFFF}'].contains(&other);
                ensure!(
                    is_held,
                    failure(
                        Kind::Usage,
                        format!("export: XML cannot hold the character {other:?} of `{value}`")
                    )
                );
                escaped.push(other);
            }
        }
    }
    Ok(escaped)
}
