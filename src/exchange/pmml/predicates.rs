//! From PMML's elements to conditions: predicates, and derived fields as far as they step.

use super::super::refusals::Refusals;
use super::expression::{Compound, DiscretizeBin, MapRow, Operator, Predicate, Stepped};
use super::fields::{Field, Interval, value_of};
use super::value::{FieldValue, ValueKind};
use super::xml::Element;
use crate::suggest::{listing, near_miss};

/// Derived fields of derived fields of …
const MOST_DERIVATIONS: usize = 20;

/// What the names in predicates stand for.
pub struct FieldNames<'a> {
    /// Raw fields.
    pub fields: &'a [Field],
    /// `DerivedField` elements.
    pub derived: Vec<&'a Element>,
}

/// A value with its kind.
pub struct TypedStep {
    step: Stepped,
    kind: ValueKind,
}

/// An element's place, as refusals take it.
fn at(element: &Element) -> (&str, std::ops::Range<usize>) {
    (&element.name, element.at.clone())
}

impl FieldNames<'_> {
    /// Reads a predicate; what cannot be taken over is refused.
    pub fn predicate(&self, element: &Element, refusals: &mut Refusals) -> Option<Predicate> {
        match element.name.as_str() {
            "True" => Some(Predicate::Constant(true)),
            "False" => Some(Predicate::Constant(false)),
            "SimplePredicate" => self.simple(element, refusals),
            "SimpleSetPredicate" => self.set(element, refusals),
            "CompoundPredicate" => self.compound(element, refusals),
            _ => {
                refusals.refuse(at(element), "this predicate is not known", None);
                None
            }
        }
    }

    fn compound(&self, element: &Element, refusals: &mut Refusals) -> Option<Predicate> {
        let kind = match element.value("booleanOperator").unwrap_or_default() {
            "and" => Compound::And,
            "or" => Compound::Or,
            "xor" => Compound::Xor,
            "surrogate" => Compound::Surrogate,
            other => {
                let why = format!("booleanOperator=\"{other}\" is not known");
                refusals.refuse((&element.name, element.place_of("booleanOperator")), why, None);
                return None;
            }
        };
        let parts: Vec<_> = element.content().map(|part| self.predicate(part, refusals)).collect();
        if parts.is_empty() {
            refusals.refuse(at(element), "it has no predicates in it", None);
            return None;
        }
        Some(Predicate::Compound(kind, parts.into_iter().collect::<Option<_>>()?))
    }

    fn simple(&self, element: &Element, refusals: &mut Refusals) -> Option<Predicate> {
        let TypedStep { step, kind } = self.named_by(element, refusals, 0)?;
        let name = element.value("operator").unwrap_or_default();
        if let Some(wanted) = is_missing(name) {
            return Some(Predicate::IsMissing(step, wanted));
        }
        let Some(operator) = Operator::named(name) else {
            let why = format!("operator=\"{name}\" is not known");
            refusals.refuse((&element.name, element.place_of("operator")), why, None);
            return None;
        };
        if element.attribute("value").is_none() {
            refusals.refuse(at(element), "it has no value to compare with", None);
            return None;
        }
        let constant = value_of(element, "value", kind, refusals)?;
        ordered(operator, kind, element, refusals)?;
        Some(Predicate::Compare(step, operator, constant))
    }

    fn set(&self, element: &Element, refusals: &mut Refusals) -> Option<Predicate> {
        let TypedStep { step, kind } = self.named_by(element, refusals, 0)?;
        let wanted = match element.value("booleanOperator").unwrap_or_default() {
            "isIn" => true,
            "isNotIn" => false,
            other => {
                let why = format!("booleanOperator=\"{other}\" is not known");
                refusals.refuse((&element.name, element.place_of("booleanOperator")), why, None);
                return None;
            }
        };
        let Some(array) = element.child("Array") else {
            refusals.refuse(at(element), "it has no Array", None);
            return None;
        };
        let texts = array_items(&array.text);
        let mut values = Vec::new();
        for text in &texts {
            let Some(value) = kind.parse(text) else {
                refusals.refuse(at(array), format!("`{text}` is not {}", kind.name()), None);
                return None;
            };
            values.push(value);
        }
        if array.value("n").is_some_and(|n| n.trim() != texts.len().to_string()) {
            let why = format!(
                "it says n=\"{}\" and has {} values",
                array.value("n").unwrap_or_default(),
                texts.len()
            );
            refusals.refuse(at(array), why, None);
            return None;
        }
        Some(Predicate::Among(step, values, wanted))
    }

    /// What the `field` attribute of an element names.
    fn named_by(&self, element: &Element, refusals: &mut Refusals, level: usize) -> Option<TypedStep> {
        let name = element.value("field").unwrap_or_default();
        if let Some(derived) = self.derived.iter().find(|derived| derived.value("name") == Some(name)) {
            if level == MOST_DERIVATIONS {
                refusals.refuse(at(element), "derived fields build on one another without end", None);
                return None;
            }
            return self.derived(derived, refusals, level + 1);
        }
        if let Some(field) = self.fields.iter().find(|field| field.name == name) {
            return Some(TypedStep { step: Stepped::Field(name.to_string()), kind: field.kind });
        }
        let fields = self.fields.iter().map(|field| field.name.as_str());
        let known = fields.chain(self.derived.iter().filter_map(|derived| derived.value("name")));
        let help = match near_miss(name, known.clone()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("fields of numbers, texts and Booleans here: {}", listing(known)),
        };
        let why = format!("there is no field `{name}` that can be taken over");
        refusals.refuse((&element.name, element.place_of("field")), why, Some(&help));
        None
    }

    fn derived(&self, field: &Element, refusals: &mut Refusals, level: usize) -> Option<TypedStep> {
        let kind = kind_of(field, "dataType", refusals)?;
        let Some(expression) = field.content().find(|child| child.name != "Value") else {
            refusals.refuse(at(field), "it has no expression", None);
            return None;
        };
        let step = self.step(expression, kind, refusals, level)?;
        Some(TypedStep { step, kind })
    }

    /// Reads an expression whose value is of a kind.
    fn step(
        &self,
        element: &Element,
        kind: ValueKind,
        refusals: &mut Refusals,
        level: usize,
    ) -> Option<Stepped> {
        match element.name.as_str() {
            "Constant" => self.constant(element, kind, refusals),
            "FieldRef" => {
                let TypedStep { step, kind: own } = self.named_by(element, refusals, level)?;
                if own != kind && !(own == ValueKind::Whole && kind == ValueKind::Real) {
                    let why = format!("{} is made of {}", kind.name(), own.name());
                    refusals.refuse(at(element), why, None);
                    return None;
                }
                or_else(step, element, kind, refusals)
            }
            "Discretize" => self.discretize(element, kind, refusals, level),
            "MapValues" => self.map(element, kind, refusals, level),
            "NormDiscrete" => {
                let TypedStep { step, kind: own } = self.named_by(element, refusals, level)?;
                let constant = value_of(element, "value", own, refusals)?;
                let [one, zero] = ["1", "0"].map(|text| kind.parse(text).map(Stepped::Constant));
                let condition = Predicate::Compare(step, Operator::Equal, constant);
                or_else(
                    Stepped::If(Box::new(condition), Box::new(one?), Box::new(zero?)),
                    element,
                    kind,
                    refusals,
                )
            }
            "Apply" => self.apply(element, kind, refusals, level),
            _ => {
                let why = "what it gives changes with every value: points by bins cannot be made of it";
                refusals.refuse(at(element), why, None);
                None
            }
        }
    }

    fn constant(&self, element: &Element, kind: ValueKind, refusals: &mut Refusals) -> Option<Stepped> {
        if element.value("missing") == Some("true") {
            return Some(Stepped::Constant(FieldValue::Missing));
        }
        let value = kind.parse(&element.text);
        if value.is_none() {
            refusals.refuse(at(element), format!("`{}` is not {}", element.text, kind.name()), None);
        }
        value.map(Stepped::Constant)
    }

    fn discretize(
        &self,
        element: &Element,
        kind: ValueKind,
        refusals: &mut Refusals,
        level: usize,
    ) -> Option<Stepped> {
        let TypedStep { step, kind: own } = self.named_by(element, refusals, level)?;
        if !own.is_number() {
            refusals.refuse(at(element), format!("it is of {}", own.name()), None);
            return None;
        }
        let mut bins = Vec::new();
        for bin in element.all("DiscretizeBin") {
            let Some(interval) = bin.child("Interval") else {
                refusals.refuse(at(bin), "it has no Interval", None);
                return None;
            };
            let interval = Interval::read(interval, refusals)?;
            let value = value_of(bin, "binValue", kind, refusals)?;
            bins.push(DiscretizeBin { interval, value });
        }
        let otherwise = otherwise(element, kind, refusals)?;
        or_else_missing_input(step, element, kind, refusals, |step| {
            Stepped::Discretize(step, bins, otherwise)
        })
    }

    fn map(
        &self,
        element: &Element,
        kind: ValueKind,
        refusals: &mut Refusals,
        level: usize,
    ) -> Option<Stepped> {
        let Some(table) = element.child("InlineTable") else {
            refusals.refuse(
                at(element),
                "its values are not in the file",
                Some("put them into an InlineTable"),
            );
            return None;
        };
        let output = element.value("outputColumn").unwrap_or_default();
        let mut inputs = Vec::new();
        for pair in element.all("FieldColumnPair") {
            inputs.push((pair.value("column").unwrap_or_default(), self.named_by(pair, refusals, level)?));
        }
        let mut rows = Vec::new();
        for row in table.all("row") {
            let cell = |column: &str| row.children.iter().find(|cell| cell.name == column);
            let parsed = inputs.iter().map(|(column, input)| input.kind.parse(&cell(column)?.text));
            let (Some(values), Some(value)) =
                (parsed.collect::<Option<Vec<_>>>(), cell(output).and_then(|cell| kind.parse(&cell.text)))
            else {
                refusals.refuse(at(row), "a value is not there or of another type", None);
                return None;
            };
            rows.push(MapRow { inputs: values, output: value });
        }
        let otherwise = otherwise(element, kind, refusals)?;
        let mut steps: Vec<Stepped> = inputs.into_iter().map(|(_, input)| input.step).collect();
        if steps.len() == 1 {
            let step = steps.remove(0);
            let of_one = |step: Box<Stepped>| Stepped::Map(vec![*step], rows, otherwise);
            return or_else_missing_input(step, element, kind, refusals, of_one);
        }
        if element.attribute("mapMissingTo").is_some() {
            refusals.refuse(
                (&element.name, element.place_of("mapMissingTo")),
                "it maps several fields",
                None,
            );
            return None;
        }
        Some(Stepped::Map(steps, rows, otherwise))
    }

    fn apply(
        &self,
        element: &Element,
        kind: ValueKind,
        refusals: &mut Refusals,
        level: usize,
    ) -> Option<Stepped> {
        for name in ["mapMissingTo", "defaultValue"] {
            if element.attribute(name).is_some() {
                refusals.refuse(
                    (&element.name, element.place_of(name)),
                    format!("{name} is not taken here"),
                    None,
                );
                return None;
            }
        }
        let arguments: Vec<&Element> = element.content().collect();
        if let ("if", [condition, yes, rest @ ..]) =
            (element.value("function").unwrap_or_default(), &arguments[..])
        {
            let condition = self.condition(condition, refusals, level)?;
            let yes = self.step(yes, kind, refusals, level)?;
            let no = match rest.first() {
                Some(no) => self.step(no, kind, refusals, level)?,
                None => Stepped::Constant(FieldValue::Missing),
            };
            return Some(Stepped::If(Box::new(condition), Box::new(yes), Box::new(no)));
        }
        let condition = self.condition(element, refusals, level)?;
        let [yes, no] =
            ["true", "false"].map(|truth| kind.parse(truth).map(|value| Box::new(Stepped::Constant(value))));
        let (Some(yes), Some(no)) = (yes, no) else {
            refusals.refuse(at(element), format!("{} is made of true or false", kind.name()), None);
            return None;
        };
        Some(Stepped::If(Box::new(condition), yes, no))
    }

    /// Reads an expression that is true or false.
    fn condition(&self, element: &Element, refusals: &mut Refusals, level: usize) -> Option<Predicate> {
        if level == MOST_DERIVATIONS {
            refusals.refuse(at(element), "conditions lie in one another too deep", None);
            return None;
        }
        if element.name == "FieldRef" {
            let TypedStep { step, kind } = self.named_by(element, refusals, level)?;
            let is_true = FieldValue::Text("true".to_string());
            if kind == ValueKind::Truth {
                return Some(Predicate::Compare(step, Operator::Equal, is_true));
            }
        }
        let arguments: Vec<&Element> = element.content().collect();
        let function = element.value("function").unwrap_or_default();
        match (function, &arguments[..]) {
            ("and" | "or", _) => {
                let kind = if function == "and" { Compound::And } else { Compound::Or };
                let parts: Vec<_> =
                    arguments.iter().map(|part| self.condition(part, refusals, level + 1)).collect();
                Some(Predicate::Compound(kind, parts.into_iter().collect::<Option<_>>()?))
            }
            ("not", [inner]) => Some(Predicate::Not(Box::new(self.condition(inner, refusals, level + 1)?))),
            ("isMissing" | "isNotMissing", [value]) if value.name == "FieldRef" => {
                let TypedStep { step, .. } = self.named_by(value, refusals, level)?;
                Some(Predicate::IsMissing(step, function == "isMissing"))
            }
            ("isIn" | "isNotIn", [value, constants @ ..]) if value.name == "FieldRef" => {
                let TypedStep { step, kind } = self.named_by(value, refusals, level)?;
                let values: Vec<_> = constants.iter().map(|one| self.constant(one, kind, refusals)).collect();
                let values = values.into_iter().map(|step| match step {
                    Some(Stepped::Constant(value)) => Some(value),
                    _ => None,
                });
                Some(Predicate::Among(step, values.collect::<Option<_>>()?, function == "isIn"))
            }
            (name, [value, constant]) if value.name == "FieldRef" && constant.name == "Constant" => {
                let TypedStep { step, kind } = self.named_by(value, refusals, level)?;
                let operator = Operator::named(name).or_else(|| self.unknown_function(element, refusals))?;
                ordered(operator, kind, element, refusals)?;
                let Stepped::Constant(constant) = self.constant(constant, kind, refusals)? else {
                    return None;
                };
                Some(Predicate::Compare(step, operator, constant))
            }
            _ => {
                self.unknown_function(element, refusals);
                None
            }
        }
    }

    fn unknown_function(&self, element: &Element, refusals: &mut Refusals) -> Option<Operator> {
        let why = match element.value("function") {
            Some(name) => format!("the function `{name}` of these arguments cannot be made into bins"),
            None => "this is no condition".to_string(),
        };
        let help =
            "taken are `if`, comparisons of a field with a constant, `and`, `or`, `not`, `isMissing`, `isIn`";
        refusals.refuse((&element.name, element.place_of("function")), why, Some(help));
        None
    }
}

/// Refuses to ask which of two texts is larger.
fn ordered(operator: Operator, kind: ValueKind, element: &Element, refusals: &mut Refusals) -> Option<()> {
    if operator.is_order() && !kind.is_number() {
        refusals.refuse(at(element), format!("{} is compared by order", kind.name()), None);
        return None;
    }
    Some(())
}

/// Whether an operator asks that a value be missing or not.
fn is_missing(operator: &str) -> Option<bool> {
    match operator {
        "isMissing" => Some(true),
        "isNotMissing" => Some(false),
        _ => None,
    }
}

/// The kind of values that an attribute declares.
fn kind_of(element: &Element, name: &str, refusals: &mut Refusals) -> Option<ValueKind> {
    let data_type = element.value(name).unwrap_or_default();
    let kind = ValueKind::of(data_type);
    if kind.is_none() {
        let why = format!("values of type `{data_type}` are not taken over");
        refusals.refuse((&element.name, element.place_of(name)), why, None);
    }
    kind
}

/// What `defaultValue` gives where nothing else does.
fn otherwise(element: &Element, kind: ValueKind, refusals: &mut Refusals) -> Option<FieldValue> {
    match element.attribute("defaultValue") {
        Some(_) => value_of(element, "defaultValue", kind, refusals),
        None => Some(FieldValue::Missing),
    }
}

/// What `mapMissingTo` makes of a value.
fn or_else(step: Stepped, element: &Element, kind: ValueKind, refusals: &mut Refusals) -> Option<Stepped> {
    if element.attribute("mapMissingTo").is_none() {
        return Some(step);
    }
    let other = value_of(element, "mapMissingTo", kind, refusals)?;
    Some(Stepped::OrElse(Box::new(step), other))
}

/// The same where it is the input that may be missing.
fn or_else_missing_input(
    input: Stepped,
    element: &Element,
    kind: ValueKind,
    refusals: &mut Refusals,
    make: impl FnOnce(Box<Stepped>) -> Stepped,
) -> Option<Stepped> {
    let made = make(Box::new(input.clone()));
    if element.attribute("mapMissingTo").is_none() {
        return Some(made);
    }
    let other = Stepped::Constant(value_of(element, "mapMissingTo", kind, refusals)?);
    let is_missing = Predicate::IsMissing(input, true);
    Some(Stepped::If(Box::new(is_missing), Box::new(other), Box::new(made)))
}

/// The items of an array: separated by spaces, in double quotes where they have spaces in them, `\"` for a quote.
fn array_items(text: &str) -> Vec<String> {
    let mut items = Vec::new();
    let mut item: Option<String> = None;
    let mut is_quoted = false;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\\' if characters.peek() == Some(&'"') => {
                characters.next();
                item.get_or_insert_default().push('"');
            }
            '"' => {
                is_quoted = !is_quoted;
                item.get_or_insert_default();
            }
            other if other.is_whitespace() && !is_quoted => items.extend(item.take()),
            other => item.get_or_insert_default().push(other),
        }
    }
    items.extend(item);
    items
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_of_arrays() {
        assert_eq!(array_items("1 22  3"), ["1", "22", "3"]);
        assert_eq!(array_items(r#" ab "a b" "with \"quotes\" " "" "#), ["ab", "a b", "with \"quotes\" ", ""]);
        assert_eq!(array_items(" "), Vec::<String>::new());
    }
}
