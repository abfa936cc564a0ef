//! PMML's own rules for scorecards on one row, as plainly as they can be written: with floats, by recursion.

use std::collections::BTreeMap;

use roxmltree::{Document, Node};

/// A row as a file of rows has it: fields by name; one that is not there is missing.
pub type TextRow = BTreeMap<String, String>;

/// A value.
#[derive(Debug, Clone, PartialEq)]
enum V {
    Missing,
    Number(f64),
    Text(String),
}

/// The document's model, and a row.
pub struct NaivePmml<'a> {
    document: &'a Document<'a>,
    row: &'a TextRow,
}

fn children<'a>(node: Node<'a, 'a>, name: &str) -> Vec<Node<'a, 'a>> {
    node.children().filter(|child| child.tag_name().name() == name).collect()
}

fn elements<'a>(node: Node<'a, 'a>) -> Vec<Node<'a, 'a>> {
    node.children().filter(|child| child.is_element() && child.tag_name().name() != "Extension").collect()
}

fn value(data_type: &str, text: &str) -> V {
    match data_type {
        "integer" | "double" | "float" => V::Number(text.parse().unwrap()),
        _ => V::Text(text.to_string()),
    }
}

fn number(node: Node, name: &str) -> Option<f64> {
    node.attribute(name).map(|text| text.parse().unwrap())
}

impl<'a> NaivePmml<'a> {
    pub fn new(document: &'a Document<'a>, row: &'a TextRow) -> NaivePmml<'a> {
        NaivePmml { document, row }
    }

    fn find(&self, name: &str, field: &str) -> Option<Node<'a, 'a>> {
        let mut all = self.document.descendants();
        all.find(|node| node.tag_name().name() == name && node.attribute("name") == Some(field))
    }

    /// Score and reasons; `None` where the result is invalid.
    pub fn score(&self) -> Option<(f64, Vec<String>)> {
        let scorecard =
            self.document.descendants().find(|node| node.tag_name().name() == "Scorecard").unwrap();
        let mut score = number(scorecard, "initialScore").unwrap_or(0.0);
        let mut missed: Vec<(f64, String)> = Vec::new();
        for one in self.document.descendants().filter(|node| node.tag_name().name() == "Characteristic") {
            let mut speaks = None;
            for attribute in children(one, "Attribute") {
                let predicate = elements(attribute)[0];
                if self.truth(predicate)? == Some(true) {
                    speaks = Some(attribute);
                    break;
                }
            }
            let attribute = speaks?;
            let points = number(attribute, "partialScore").unwrap();
            score += points;
            if let Some(code) = attribute.attribute("reasonCode").or(one.attribute("reasonCode")) {
                let baseline = number(one, "baselineScore").or(number(scorecard, "baselineScore")).unwrap();
                missed.push((baseline - points, code.to_string()));
            }
        }
        missed.retain(|(points, _)| *points > 0.0);
        missed.sort_by(|a, b| b.0.total_cmp(&a.0));
        if let Some(target) = self.document.descendants().find(|node| node.tag_name().name() == "Target") {
            score = score.max(number(target, "min").unwrap_or(score));
            score = score.min(number(target, "max").unwrap_or(score));
        }
        Some((score, missed.into_iter().map(|(_, code)| code).collect()))
    }

    /// `None`: the row is invalid; `Some(None)`: unknown.
    #[allow(clippy::option_option, reason = "invalid and unknown are two things")]
    fn truth(&self, node: Node<'a, 'a>) -> Option<Option<bool>> {
        Some(match node.tag_name().name() {
            "True" => Some(true),
            "False" => Some(false),
            "SimplePredicate" => {
                let (found, data_type) = self.field(node.attribute("field").unwrap())?;
                match node.attribute("operator").unwrap() {
                    "isMissing" => Some(found == V::Missing),
                    "isNotMissing" => Some(found != V::Missing),
                    operator => {
                        compare(&found, operator, &value(&data_type, node.attribute("value").unwrap()))
                    }
                }
            }
            "SimpleSetPredicate" => {
                let (found, data_type) = self.field(node.attribute("field").unwrap())?;
                let array = children(node, "Array")[0].text().unwrap();
                let is_among =
                    array.split_whitespace().any(|item| value(&data_type, item.trim_matches('"')) == found);
                let wanted = node.attribute("booleanOperator") == Some("isIn");
                (found != V::Missing).then_some(is_among == wanted)
            }
            "CompoundPredicate" => {
                let mut truths = Vec::new();
                for part in elements(node) {
                    truths.push(self.truth(part)?);
                }
                match node.attribute("booleanOperator").unwrap() {
                    "and" if truths.contains(&Some(false)) => Some(false),
                    "or" if truths.contains(&Some(true)) => Some(true),
                    "surrogate" => truths.into_iter().flatten().next(),
                    _ if truths.contains(&None) => None,
                    "and" => Some(true),
                    "or" => Some(false),
                    "xor" => Some(truths.iter().filter(|truth| **truth == Some(true)).count() % 2 == 1),
                    other => panic!("{other}"),
                }
            }
            other => panic!("{other}"),
        })
    }

    /// A field's value and type, after what the mining schema does to it. `None`: the row is invalid.
    fn field(&self, name: &str) -> Option<(V, String)> {
        if let Some(derived) = self.find("DerivedField", name) {
            let data_type = derived.attribute("dataType").unwrap().to_string();
            return Some((self.expression(elements(derived)[0], &data_type)?, data_type));
        }
        let declared = self.find("DataField", name).unwrap();
        let mining = self.find("MiningField", name).unwrap();
        let data_type = declared.attribute("dataType").unwrap().to_string();
        let raw = self.row.get(name).map_or(V::Missing, |text| value(&data_type, text));
        let replaced =
            || mining.attribute("missingValueReplacement").map_or(V::Missing, |text| value(&data_type, text));
        let listed = |property: &str| {
            let values = children(declared, "Value").into_iter();
            let own = values.filter(|value| value.attribute("property").unwrap_or("valid") == property);
            own.map(|own| value(&data_type, own.attribute("value").unwrap())).collect::<Vec<V>>()
        };
        if raw == V::Missing || listed("missing").contains(&raw) {
            if mining.attribute("missingValueTreatment") == Some("returnInvalid") {
                return None;
            }
            return Some((replaced(), data_type));
        }
        let valid = listed("valid");
        let intervals = children(declared, "Interval");
        let is_free = valid.is_empty() && intervals.is_empty();
        let is_within = intervals.into_iter().any(|interval| holds(interval, &raw));
        if listed("invalid").contains(&raw) || !(is_free || valid.contains(&raw) || is_within) {
            return match mining.attribute("invalidValueTreatment").unwrap_or("returnInvalid") {
                "asIs" => Some((raw, data_type)),
                "asMissing" => Some((replaced(), data_type)),
                "asValue" => {
                    Some((value(&data_type, mining.attribute("invalidValueReplacement").unwrap()), data_type))
                }
                _ => None,
            };
        }
        let V::Number(found) = raw else { return Some((raw, data_type)) };
        let (low, high) = (number(mining, "lowValue"), number(mining, "highValue"));
        let is_extreme = low.is_some_and(|low| found < low) || high.is_some_and(|high| found > high);
        let treated = match mining.attribute("outliers").unwrap_or("asIs") {
            "asMissingValues" if is_extreme => replaced(),
            "asExtremeValues" if is_extreme => {
                V::Number(if low.is_some_and(|low| found < low) { low? } else { high? })
            }
            _ => raw,
        };
        Some((treated, data_type))
    }

    fn expression(&self, node: Node<'a, 'a>, data_type: &str) -> Option<V> {
        let missing_to = |found: V| match node.attribute("mapMissingTo") {
            Some(text) if found == V::Missing => value(data_type, text),
            _ => found,
        };
        Some(match node.tag_name().name() {
            "Constant" => value(data_type, node.text().unwrap()),
            "FieldRef" => missing_to(self.field(node.attribute("field").unwrap())?.0),
            "NormDiscrete" => {
                let (found, own) = self.field(node.attribute("field").unwrap())?;
                let is_same = found == value(&own, node.attribute("value").unwrap());
                missing_to(if found == V::Missing { found } else { V::Number(f64::from(is_same)) })
            }
            "Discretize" => {
                let (found, _) = self.field(node.attribute("field").unwrap())?;
                let otherwise =
                    node.attribute("defaultValue").map_or(V::Missing, |text| value(data_type, text));
                if found == V::Missing {
                    return Some(missing_to(found));
                }
                let bins = children(node, "DiscretizeBin").into_iter();
                let mut own = bins.filter(|bin| holds(children(*bin, "Interval")[0], &found));
                own.next().map_or(otherwise, |bin| value(data_type, bin.attribute("binValue").unwrap()))
            }
            "MapValues" => {
                let mut inputs = Vec::new();
                for pair in children(node, "FieldColumnPair") {
                    inputs.push((
                        pair.attribute("column").unwrap(),
                        self.field(pair.attribute("field").unwrap())?,
                    ));
                }
                if inputs.iter().any(|(_, (found, _))| *found == V::Missing) {
                    return Some(missing_to(V::Missing));
                }
                let rows = children(children(node, "InlineTable")[0], "row");
                let fits = |row: &Node<'a, 'a>| {
                    inputs.iter().all(|(column, (found, own))| {
                        value(own, children(*row, column)[0].text().unwrap_or_default()) == *found
                    })
                };
                let output = node.attribute("outputColumn").unwrap();
                match rows.into_iter().find(fits) {
                    Some(row) => value(data_type, children(row, output)[0].text().unwrap_or_default()),
                    None => node.attribute("defaultValue").map_or(V::Missing, |text| value(data_type, text)),
                }
            }
            "Apply" if node.attribute("function") == Some("if") => {
                let parts = elements(node);
                match self.condition(parts[0])? {
                    Some(true) => self.expression(parts[1], data_type)?,
                    Some(false) if parts.len() > 2 => self.expression(parts[2], data_type)?,
                    _ => V::Missing,
                }
            }
            other => panic!("{other}"),
        })
    }

    #[allow(clippy::option_option, reason = "invalid and unknown are two things")]
    fn condition(&self, node: Node<'a, 'a>) -> Option<Option<bool>> {
        let parts = elements(node);
        let (found, data_type) = self.field(parts[0].attribute("field").unwrap())?;
        Some(match node.attribute("function").unwrap() {
            "isMissing" => Some(found == V::Missing),
            function => compare(&found, function, &value(&data_type, parts[1].text().unwrap())),
        })
    }
}

fn compare(found: &V, operator: &str, constant: &V) -> Option<bool> {
    if *found == V::Missing {
        return None;
    }
    let order = match (found, constant) {
        (V::Number(a), V::Number(b)) => a.partial_cmp(b),
        _ => None,
    };
    Some(match operator {
        "equal" => found == constant,
        "notEqual" => found != constant,
        "lessThan" => order? == std::cmp::Ordering::Less,
        "lessOrEqual" => order? != std::cmp::Ordering::Greater,
        "greaterThan" => order? == std::cmp::Ordering::Greater,
        "greaterOrEqual" => order? != std::cmp::Ordering::Less,
        other => panic!("{other}"),
    })
}

fn holds(interval: Node, found: &V) -> bool {
    let V::Number(found) = found else { return false };
    let closure = interval.attribute("closure").unwrap();
    let left = number(interval, "leftMargin").unwrap_or(f64::NEG_INFINITY);
    let right = number(interval, "rightMargin").unwrap_or(f64::INFINITY);
    let is_above = if closure.starts_with("open") { *found > left } else { *found >= left };
    let is_below = if closure.ends_with("Open") { *found < right } else { *found <= right };
    is_above && is_below
}
