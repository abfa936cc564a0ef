//! Predicates and derived fields of PMML, evaluated on one row in its three-valued logic.
//!
//! Only what steps is taken: comparisons with constants, and what chooses among constants. What changes with every
//! value, such as a product, has no bins.

use std::collections::BTreeMap;

use super::super::decimal::Decimal;
use super::fields::Interval;
use super::value::FieldValue;

/// A row: raw fields by name, as the model sees them.
pub type Row<'a> = BTreeMap<&'a str, FieldValue>;

/// How a value is compared with a constant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `equal`
    Equal,
    /// `notEqual`
    NotEqual,
    /// `lessThan`
    Less,
    /// `lessOrEqual`
    LessOrEqual,
    /// `greaterThan`
    Greater,
    /// `greaterOrEqual`
    GreaterOrEqual,
}

impl Operator {
    /// By its name in PMML.
    pub fn named(name: &str) -> Option<Operator> {
        match name {
            "equal" => Some(Operator::Equal),
            "notEqual" => Some(Operator::NotEqual),
            "lessThan" => Some(Operator::Less),
            "lessOrEqual" => Some(Operator::LessOrEqual),
            "greaterThan" => Some(Operator::Greater),
            "greaterOrEqual" => Some(Operator::GreaterOrEqual),
            _ => None,
        }
    }

    /// Whether it asks which of two is larger.
    pub fn is_order(self) -> bool {
        !matches!(self, Operator::Equal | Operator::NotEqual)
    }

    fn compare(self, left: &FieldValue, right: &FieldValue) -> Option<bool> {
        if *left == FieldValue::Missing || *right == FieldValue::Missing {
            return None;
        }
        let (FieldValue::Number(a), FieldValue::Number(b)) = (left, right) else {
            return Some((left == right) == (self == Operator::Equal));
        };
        Some(match self {
            Operator::Equal => a == b,
            Operator::NotEqual => a != b,
            Operator::Less => a < b,
            Operator::LessOrEqual => a <= b,
            Operator::Greater => a > b,
            Operator::GreaterOrEqual => a >= b,
        })
    }
}

/// How predicates are put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compound {
    /// All.
    And,
    /// Any.
    Or,
    /// An odd number.
    Xor,
    /// The first that is known.
    Surrogate,
}

/// A condition.
#[derive(Debug, Clone)]
pub enum Predicate {
    /// `True`, `False`
    Constant(bool),
    /// `isMissing`, or its opposite.
    IsMissing(Stepped, bool),
    /// A comparison with a constant.
    Compare(Stepped, Operator, FieldValue),
    /// Whether a value is among others, or its opposite.
    Among(Stepped, Vec<FieldValue>, bool),
    /// `not`
    Not(Box<Predicate>),
    /// Several.
    Compound(Compound, Vec<Predicate>),
}

impl Predicate {
    /// True, false or unknown on a row.
    pub fn evaluate(&self, row: &Row) -> Option<bool> {
        match self {
            Predicate::Constant(truth) => Some(*truth),
            Predicate::IsMissing(step, wanted) => {
                Some((step.evaluate(row) == FieldValue::Missing) == *wanted)
            }
            Predicate::Compare(step, operator, constant) => operator.compare(&step.evaluate(row), constant),
            Predicate::Among(step, values, wanted) => {
                let value = step.evaluate(row);
                (value != FieldValue::Missing).then(|| values.contains(&value) == *wanted)
            }
            Predicate::Not(inner) => inner.evaluate(row).map(|truth| !truth),
            Predicate::Compound(kind, parts) => {
                let mut truths = parts.iter().map(|part| part.evaluate(row));
                match kind {
                    Compound::And => all(truths),
                    Compound::Or => all(truths.map(|truth| truth.map(|truth| !truth))).map(|truth| !truth),
                    Compound::Xor => truths.try_fold(false, |odd, truth| truth.map(|truth| odd != truth)),
                    Compound::Surrogate => truths.flatten().next(),
                }
            }
        }
    }

    /// Adds the fields that it reads, with the constants that they are compared with.
    pub fn collect(&self, into: &mut Constants) {
        match self {
            Predicate::Constant(_) => {}
            Predicate::IsMissing(step, _) => step.collect(into),
            Predicate::Compare(step, _, constant) => {
                step.collect(into);
                step.compare(constant, into);
            }
            Predicate::Among(step, values, _) => {
                step.collect(into);
                values.iter().for_each(|value| step.compare(value, into));
            }
            Predicate::Not(inner) => inner.collect(into),
            Predicate::Compound(_, parts) => parts.iter().for_each(|part| part.collect(into)),
        }
    }
}

/// Whether all are true: false where any is false, else unknown where any is unknown.
fn all(truths: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut result = Some(true);
    for truth in truths {
        match truth {
            Some(false) => return Some(false),
            None => result = None,
            Some(true) => {}
        }
    }
    result
}

/// The raw fields that predicates read, in the order in which they come first, and what each is compared with.
#[derive(Debug, Clone, Default)]
pub struct Constants {
    /// By field.
    pub fields: Vec<FieldConstants>,
}

/// What a raw field is compared with.
#[derive(Debug, Clone, Default)]
pub struct FieldConstants {
    /// The field's name.
    pub name: String,
    /// Numbers, in any order.
    pub numbers: Vec<Decimal>,
    /// Texts in the order in which they come first.
    pub texts: Vec<String>,
}

impl Constants {
    /// What a field is compared with, if it is read.
    pub fn of(&self, name: &str) -> Option<&FieldConstants> {
        self.fields.iter().find(|field| field.name == name)
    }

    fn entry(&mut self, name: &str) -> &mut FieldConstants {
        let number = self.fields.iter().position(|field| field.name == name).unwrap_or_else(|| {
            self.fields.push(FieldConstants { name: name.to_string(), ..FieldConstants::default() });
            self.fields.len() - 1
        });
        &mut self.fields[number]
    }

    fn add(&mut self, name: &str, value: &FieldValue) {
        let own = self.entry(name);
        match value {
            FieldValue::Number(number) => own.numbers.push(*number),
            FieldValue::Text(text) if !own.texts.contains(text) => own.texts.push(text.clone()),
            _ => {}
        }
    }
}

/// A value that steps: a field, or what is made of fields by choosing.
#[derive(Debug, Clone)]
pub enum Stepped {
    /// A raw field.
    Field(String),
    /// Always the same.
    Constant(FieldValue),
    /// The second where the first is missing.
    OrElse(Box<Stepped>, FieldValue),
    /// By intervals of a number.
    Discretize(Box<Stepped>, Vec<DiscretizeBin>, FieldValue),
    /// By rows of values.
    Map(Vec<Stepped>, Vec<MapRow>, FieldValue),
    /// One where a condition is true, another where it is false; missing where it is unknown.
    If(Box<Predicate>, Box<Stepped>, Box<Stepped>),
}

/// An interval and what it becomes.
#[derive(Debug, Clone)]
pub struct DiscretizeBin {
    /// Which numbers.
    pub interval: Interval,
    /// Their value.
    pub value: FieldValue,
}

/// Values and what they become together.
#[derive(Debug, Clone)]
pub struct MapRow {
    /// What the inputs have to be.
    pub inputs: Vec<FieldValue>,
    /// The value then.
    pub output: FieldValue,
}

impl Stepped {
    /// Its value on a row.
    pub fn evaluate(&self, row: &Row) -> FieldValue {
        match self {
            Stepped::Field(name) => row.get(name.as_str()).cloned().unwrap_or(FieldValue::Missing),
            Stepped::Constant(value) => value.clone(),
            Stepped::OrElse(step, other) => match step.evaluate(row) {
                FieldValue::Missing => other.clone(),
                value => value,
            },
            Stepped::Discretize(step, bins, otherwise) => match step.evaluate(row) {
                FieldValue::Number(number) => {
                    let bin = bins.iter().find(|bin| bin.interval.holds(number));
                    bin.map_or(otherwise.clone(), |bin| bin.value.clone())
                }
                _ => FieldValue::Missing,
            },
            Stepped::Map(steps, rows, otherwise) => {
                let values: Vec<FieldValue> = steps.iter().map(|step| step.evaluate(row)).collect();
                if values.contains(&FieldValue::Missing) {
                    return FieldValue::Missing;
                }
                let found = rows.iter().find(|row| row.inputs == values);
                found.map_or(otherwise.clone(), |row| row.output.clone())
            }
            Stepped::If(condition, yes, no) => match condition.evaluate(row) {
                Some(true) => yes.evaluate(row),
                Some(false) => no.evaluate(row),
                None => FieldValue::Missing,
            },
        }
    }

    /// Adds the fields that it reads, with the constants that choose in it.
    pub fn collect(&self, into: &mut Constants) {
        match self {
            Stepped::Field(name) => {
                into.entry(name);
            }
            Stepped::Constant(_) => {}
            Stepped::OrElse(step, _) => step.collect(into),
            Stepped::Discretize(step, bins, _) => {
                step.collect(into);
                let margins = bins.iter().flat_map(|bin| bin.interval.margins());
                margins.for_each(|margin| step.compare(&FieldValue::Number(margin), into));
            }
            Stepped::Map(steps, rows, _) => {
                steps.iter().for_each(|step| step.collect(into));
                for row in rows {
                    steps.iter().zip(&row.inputs).for_each(|(step, input)| step.compare(input, into));
                }
            }
            Stepped::If(condition, yes, no) => {
                condition.collect(into);
                yes.collect(into);
                no.collect(into);
            }
        }
    }

    /// Notes that its value is compared with a constant, at every raw field that may be its value.
    fn compare(&self, constant: &FieldValue, into: &mut Constants) {
        match self {
            Stepped::Field(name) => into.add(name, constant),
            Stepped::OrElse(step, _) => step.compare(constant, into),
            Stepped::If(_, yes, no) => {
                yes.compare(constant, into);
                no.compare(constant, into);
            }
            Stepped::Constant(_) | Stepped::Discretize(..) | Stepped::Map(..) => {}
        }
    }
}
