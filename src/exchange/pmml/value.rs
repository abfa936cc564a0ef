//! The values that PMML compares: numbers, texts, and what is missing.

use super::super::decimal::Decimal;

/// A value of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldValue {
    /// There is none.
    Missing,
    /// Exactly.
    Number(Decimal),
    /// A text; `true` and `false` of a Boolean.
    Text(String),
}

/// What a field's values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueKind {
    /// Whole numbers.
    Whole,
    /// Numbers.
    Real,
    /// Texts.
    Text,
    /// `true` and `false`.
    Truth,
}

impl ValueKind {
    /// Of a PMML `dataType`; `None` for dates and times.
    pub fn of(data_type: &str) -> Option<ValueKind> {
        match data_type {
            "integer" => Some(ValueKind::Whole),
            "float" | "double" => Some(ValueKind::Real),
            "string" => Some(ValueKind::Text),
            "boolean" => Some(ValueKind::Truth),
            _ => None,
        }
    }

    /// Whether it is a number.
    pub fn is_number(self) -> bool {
        matches!(self, ValueKind::Whole | ValueKind::Real)
    }

    /// Reads a value of the kind; `None` where it is none.
    pub fn parse(self, text: &str) -> Option<FieldValue> {
        match self {
            ValueKind::Whole | ValueKind::Real => Decimal::parse(text).map(FieldValue::Number),
            ValueKind::Text => Some(FieldValue::Text(text.to_string())),
            ValueKind::Truth => {
                let truth =
                    ["true", "false"].into_iter().find(|truth| truth.eq_ignore_ascii_case(text.trim()));
                truth.map(|truth| FieldValue::Text(truth.to_string()))
            }
        }
    }

    /// As messages call it.
    pub fn name(self) -> &'static str {
        match self {
            ValueKind::Whole => "an integer",
            ValueKind::Real => "a number",
            ValueKind::Text => "a text",
            ValueKind::Truth => "true or false",
        }
    }
}
