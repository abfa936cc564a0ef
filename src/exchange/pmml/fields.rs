//! The fields of a PMML document: their types, and what becomes of values that are missing, invalid or extreme.

use std::ops::Range;

use super::super::decimal::Decimal;
use super::super::refusals::Refusals;
use super::value::{FieldValue, ValueKind};
use super::xml::Element;
use crate::suggest::near_miss;

/// A field that rows bring.
#[derive(Debug, Clone)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// What its values are.
    pub kind: ValueKind,
    /// Where the data dictionary declares it.
    pub at: Range<usize>,
    /// The values that are valid; all are, where this and `intervals` are empty.
    pub valid: Vec<FieldValue>,
    /// The numbers that are valid.
    intervals: Vec<Interval>,
    /// Values that mean that there is none.
    pub missing: Vec<FieldValue>,
    /// Values that are invalid.
    pub invalid: Vec<FieldValue>,
    /// What stands for a missing value.
    replacement: Option<FieldValue>,
    /// Whether a missing value has no score.
    stops_at_missing: bool,
    treatment: InvalidTreatment,
    outliers: Outliers,
}

/// What becomes of an invalid value.
#[derive(Debug, Clone, PartialEq, Eq)]
enum InvalidTreatment {
    ReturnInvalid,
    AsIs,
    AsMissing,
    AsValue(FieldValue),
}

/// What becomes of a value beyond the bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OutlierTreatment {
    None,
    Missing,
    Bound,
}

#[derive(Debug, Clone)]
struct Outliers {
    treatment: OutlierTreatment,
    low: Option<Decimal>,
    high: Option<Decimal>,
}

/// Numbers between two bounds.
#[derive(Debug, Clone)]
pub struct Interval {
    left: Option<Decimal>,
    right: Option<Decimal>,
    is_left_closed: bool,
    is_right_closed: bool,
}

impl Interval {
    /// Reads an `Interval` element.
    pub fn read(element: &Element, refusals: &mut Refusals) -> Option<Interval> {
        let closure = element.value("closure").unwrap_or("closedClosed");
        let (is_left_closed, is_right_closed) = match closure {
            "openOpen" => (false, false),
            "openClosed" => (false, true),
            "closedOpen" => (true, false),
            "closedClosed" => (true, true),
            other => {
                let why = format!("the closure `{other}` is not known");
                refusals.refuse(("Interval", element.place_of("closure")), why, None);
                return None;
            }
        };
        let mut margins = [None, None];
        for (margin, name) in margins.iter_mut().zip(["leftMargin", "rightMargin"]) {
            if element.attribute(name).is_some() {
                *margin = Some(number(element, name, refusals)?);
            }
        }
        let [left, right] = margins;
        Some(Interval { left, right, is_left_closed, is_right_closed })
    }

    /// Whether a number lies in it.
    pub fn holds(&self, value: Decimal) -> bool {
        let is_above = self.left.is_none_or(|left| value > left || (self.is_left_closed && value == left));
        let is_below =
            self.right.is_none_or(|right| value < right || (self.is_right_closed && value == right));
        is_above && is_below
    }

    /// Its bounds.
    pub fn margins(&self) -> impl Iterator<Item = Decimal> {
        [self.left, self.right].into_iter().flatten()
    }
}

/// The number of an attribute; what is none is refused.
pub fn number(element: &Element, name: &str, refusals: &mut Refusals) -> Option<Decimal> {
    let text = element.value(name)?;
    let number = Decimal::parse(text);
    if number.is_none() {
        let why = format!("{name}=\"{text}\" is no number that can be taken exactly");
        refusals.refuse((&element.name, element.place_of(name)), why, None);
    }
    number
}

impl Field {
    /// What the model sees of a value; `None` where the whole score is invalid then.
    pub fn prepare(&self, value: &FieldValue) -> Option<FieldValue> {
        if *value == FieldValue::Missing || self.missing.contains(value) {
            return self.prepare_missing();
        }
        if !self.is_valid(value) {
            return match &self.treatment {
                InvalidTreatment::ReturnInvalid => None,
                InvalidTreatment::AsIs => Some(value.clone()),
                InvalidTreatment::AsMissing => self.prepare_missing(),
                InvalidTreatment::AsValue(stand_in) => Some(stand_in.clone()),
            };
        }
        let FieldValue::Number(number) = value else { return Some(value.clone()) };
        let Outliers { treatment, low, high } = &self.outliers;
        let extreme = low.filter(|low| number < low).or(high.filter(|high| number > high));
        match (treatment, extreme) {
            (OutlierTreatment::None, _) | (_, None) => Some(value.clone()),
            (OutlierTreatment::Missing, Some(_)) => self.prepare_missing(),
            (OutlierTreatment::Bound, Some(bound)) => Some(FieldValue::Number(bound)),
        }
    }

    fn prepare_missing(&self) -> Option<FieldValue> {
        (!self.stops_at_missing).then(|| self.replacement.clone().unwrap_or(FieldValue::Missing))
    }

    fn is_valid(&self, value: &FieldValue) -> bool {
        if self.invalid.contains(value) {
            return false;
        }
        if self.valid.is_empty() && self.intervals.is_empty() {
            return true;
        }
        let is_within = match value {
            FieldValue::Number(number) => self.intervals.iter().any(|interval| interval.holds(*number)),
            _ => false,
        };
        is_within || self.valid.contains(value)
    }

    /// The numbers at which what becomes of a value may change.
    pub fn cuts(&self) -> Vec<Decimal> {
        let listed = self.valid.iter().chain(&self.missing).chain(&self.invalid);
        let listed = listed.filter_map(|value| match value {
            FieldValue::Number(number) => Some(*number),
            _ => None,
        });
        let bounds = [self.outliers.low, self.outliers.high].into_iter().flatten();
        listed.chain(bounds).chain(self.intervals.iter().flat_map(Interval::margins)).collect()
    }
}

/// The fields that a model may use: those of its mining schema.
pub fn read(document: &Element, model: &Element, refusals: &mut Refusals) -> Vec<Field> {
    let dictionary: Vec<&Element> =
        document.all("DataDictionary").flat_map(|all| all.all("DataField")).collect();
    let mut fields = Vec::new();
    for mining in model.all("MiningSchema").flat_map(|schema| schema.all("MiningField")) {
        let name = mining.value("name").unwrap_or_default();
        let usage = mining.value("usageType").unwrap_or("active");
        if !["active", "supplementary"].contains(&usage) {
            continue;
        }
        let Some(declared) = dictionary.iter().find(|field| field.value("name") == Some(name)) else {
            let near = near_miss(name, dictionary.iter().filter_map(|field| field.value("name")));
            let help = near.map(|near| format!("did you mean `{near}`?"));
            let why = format!("the data dictionary has no field `{name}`");
            refusals.refuse(("MiningField", mining.place_of("name")), why, help.as_deref());
            continue;
        };
        fields.extend(field(declared, mining, refusals));
    }
    fields
}

/// A field of a type that is taken. One of another type is left out, and refused where it is used.
fn field(declared: &Element, mining: &Element, refusals: &mut Refusals) -> Option<Field> {
    let name = declared.value("name").unwrap_or_default().to_string();
    let kind = ValueKind::of(declared.value("dataType").unwrap_or_default())?;
    let mut field = Field {
        name,
        kind,
        at: declared.at.clone(),
        valid: Vec::new(),
        intervals: Vec::new(),
        missing: Vec::new(),
        invalid: Vec::new(),
        replacement: value_of(mining, "missingValueReplacement", kind, refusals),
        stops_at_missing: mining.value("missingValueTreatment") == Some("returnInvalid"),
        treatment: treatment(mining, kind, refusals)?,
        outliers: outliers(declared, mining, refusals)?,
    };
    for value in declared.all("Value") {
        let property = value.value("property").unwrap_or("valid");
        let Some(value) = value_of(value, "value", kind, refusals) else { continue };
        match property {
            "missing" => field.missing.push(value),
            "invalid" => field.invalid.push(value),
            _ => field.valid.push(value),
        }
    }
    field.intervals = declared.all("Interval").filter_map(|one| Interval::read(one, refusals)).collect();
    Some(field)
}

/// The value of an attribute, of a kind; what is none is refused.
pub fn value_of(
    element: &Element,
    name: &str,
    kind: ValueKind,
    refusals: &mut Refusals,
) -> Option<FieldValue> {
    let text = element.value(name)?;
    let value = kind.parse(text);
    if value.is_none() {
        let why = format!("{name}=\"{text}\" is not {}", kind.name());
        refusals.refuse((&element.name, element.place_of(name)), why, None);
    }
    value
}

fn treatment(mining: &Element, kind: ValueKind, refusals: &mut Refusals) -> Option<InvalidTreatment> {
    let name = "invalidValueTreatment";
    match mining.value(name).unwrap_or("returnInvalid") {
        "returnInvalid" => Some(InvalidTreatment::ReturnInvalid),
        "asIs" => Some(InvalidTreatment::AsIs),
        "asMissing" => Some(InvalidTreatment::AsMissing),
        "asValue" => {
            value_of(mining, "invalidValueReplacement", kind, refusals).map(InvalidTreatment::AsValue)
        }
        other => {
            let why = format!("{name}=\"{other}\" is not known");
            refusals.refuse(("MiningField", mining.place_of(name)), why, None);
            None
        }
    }
}

fn outliers(declared: &Element, mining: &Element, refusals: &mut Refusals) -> Option<Outliers> {
    let name = "outliers";
    let treatment = match mining.value(name).unwrap_or("asIs") {
        "asIs" => OutlierTreatment::None,
        "asMissingValues" => OutlierTreatment::Missing,
        "asExtremeValues" => OutlierTreatment::Bound,
        other => {
            let why = format!(
                "{name}=\"{other}\" of `{}` is not known",
                declared.value("name").unwrap_or_default()
            );
            refusals.refuse(("MiningField", mining.place_of(name)), why, None);
            return None;
        }
    };
    if treatment == OutlierTreatment::None {
        return Some(Outliers { treatment, low: None, high: None });
    }
    let [low, high] = ["lowValue", "highValue"].map(|name| number(mining, name, refusals));
    Some(Outliers { treatment, low, high })
}
