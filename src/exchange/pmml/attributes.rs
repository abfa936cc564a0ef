//! The characteristics of a PMML scorecard as written: conditions with points and reasons.

use std::ops::Range;

use super::super::card::PlacedPoints;
use super::super::refusals::Refusals;
use super::expression::{Constants, Predicate};
use super::fields::number;
use super::predicates::FieldNames;
use super::xml::Element;

/// A characteristic as written.
#[derive(Debug, Clone)]
pub struct WrittenCharacteristic {
    /// Its name; made from its position where it has none.
    pub name: String,
    /// Where it is written.
    pub at: Range<usize>,
    /// Its own reason code.
    pub reason: Option<String>,
    /// What its points are held against.
    pub baseline: Option<PlacedPoints>,
    /// In file order; the first whose condition is true speaks.
    pub attributes: Vec<WrittenAttribute>,
    /// What the program itself wrote beside it on export.
    pub extensions: Extensions,
    /// The raw fields that it reads, and what they are compared with.
    pub constants: Constants,
}

/// An attribute as written.
#[derive(Debug, Clone)]
pub struct WrittenAttribute {
    /// When it speaks.
    pub predicate: Predicate,
    /// What it gives.
    pub points: PlacedPoints,
    /// Its own reason code.
    pub reason: Option<String>,
    /// What the program itself wrote beside it on export.
    pub extensions: Extensions,
}

/// What this program writes into PMML for itself, where PMML has no place: names and values.
#[derive(Debug, Clone, Default)]
pub struct Extensions(Vec<(String, String)>);

impl Extensions {
    /// Who they are of.
    pub const EXTENDER: &str = "rescore";

    /// Those directly in an element.
    pub fn of(element: &Element) -> Extensions {
        let own = element.all("Extension").filter(|one| one.value("extender") == Some(Extensions::EXTENDER));
        let pair = |one: &Element| Some((one.value("name")?.to_string(), one.value("value")?.to_string()));
        Extensions(own.filter_map(pair).collect())
    }

    /// The value of a name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// All values of a name.
    pub fn all<'e>(&'e self, name: &'e str) -> impl Iterator<Item = &'e str> {
        self.0.iter().filter(move |(own, _)| own == name).map(|(_, value)| value.as_str())
    }
}

/// Reads the characteristics of a scorecard.
pub fn read(scorecard: &Element, names: &FieldNames, refusals: &mut Refusals) -> Vec<WrittenCharacteristic> {
    let mut read = Vec::new();
    let all = scorecard.all("Characteristics").flat_map(|all| all.all("Characteristic"));
    for (number, element) in all.enumerate() {
        let name = element.value("name").filter(|name| !name.trim().is_empty());
        let name = name.map_or(format!("characteristic_{}", number + 1), str::to_string);
        read.extend(characteristic(element, name, names, refusals));
    }
    if read.is_empty() && !refusals.any() {
        refusals.refuse((&scorecard.name, scorecard.at.clone()), "it has no characteristics", None);
    }
    read
}

fn characteristic(
    element: &Element,
    name: String,
    names: &FieldNames,
    refusals: &mut Refusals,
) -> Option<WrittenCharacteristic> {
    let read: Vec<_> = element.all("Attribute").map(|one| attribute(one, names, refusals)).collect();
    if read.is_empty() {
        refusals.refuse((&element.name, element.at.clone()), "it has no attributes", None);
        return None;
    }
    let attributes: Vec<WrittenAttribute> = read.into_iter().collect::<Option<_>>()?;
    let mut constants = Constants::default();
    attributes.iter().for_each(|attribute| attribute.predicate.collect(&mut constants));
    Some(WrittenCharacteristic {
        name,
        at: element.at.clone(),
        reason: code(element),
        baseline: points(element, "baselineScore", refusals)?,
        attributes,
        extensions: Extensions::of(element),
        constants,
    })
}

/// The reason code of an element; an empty one is none.
fn code(element: &Element) -> Option<String> {
    element.value("reasonCode").filter(|code| !code.trim().is_empty()).map(str::to_string)
}

/// The points of an attribute that may be left out: `Some(None)` then; `None` where they are refused.
pub fn points(element: &Element, name: &str, refusals: &mut Refusals) -> Option<Option<PlacedPoints>> {
    if element.attribute(name).is_none() {
        return Some(None);
    }
    let value = number(element, name, refusals)?;
    Some(Some(PlacedPoints { value, at: element.place_of(name) }))
}

fn attribute(element: &Element, names: &FieldNames, refusals: &mut Refusals) -> Option<WrittenAttribute> {
    let mut points = points(element, "partialScore", refusals)?;
    if let Some(complex) = element.child("ComplexPartialScore") {
        points = Some(complex_points(complex, refusals)?);
    }
    let Some(points) = points else {
        refusals.refuse((&element.name, element.at.clone()), "it has no partialScore", None);
        return None;
    };
    let predicates: Vec<&Element> =
        element.content().filter(|one| one.name != "ComplexPartialScore").collect();
    let [predicate] = predicates[..] else {
        refusals.refuse((&element.name, element.at.clone()), "it has not exactly one predicate", None);
        return None;
    };
    Some(WrittenAttribute {
        predicate: names.predicate(predicate, refusals)?,
        points,
        reason: code(element),
        extensions: Extensions::of(element),
    })
}

/// Points that are an expression: taken where it is a constant.
fn complex_points(complex: &Element, refusals: &mut Refusals) -> Option<PlacedPoints> {
    let constant = complex.content().next().filter(|expression| expression.name == "Constant");
    let value = constant.and_then(|constant| super::super::decimal::Decimal::parse(&constant.text));
    if value.is_none() {
        let why = "the points change with every value: a bin gives the same to all of its values";
        let help = "give the range bins with a partialScore each";
        refusals.refuse((&complex.name, complex.at.clone()), why, Some(help));
    }
    Some(PlacedPoints { value: value?, at: complex.at.clone() })
}
