//! Plain values of the model: integers without bounds, text, Booleans, dates, null.

use std::collections::BTreeMap;

use num_bigint::BigInt;
use rescore::day::Day;

use crate::support::Cell;

/// The type of a column or an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Int,
    Text,
    Bool,
    Date,
}

/// One value; dates are days since 1970-01-01.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    Null,
    Bool(bool),
    Int(BigInt),
    Date(i32),
    /// A date that no column can hold.
    FarDate(BigInt),
    Text(String),
}

/// Values by column name.
pub type Row = BTreeMap<String, Value>;

impl Value {
    pub fn is_null(&self) -> bool {
        *self == Value::Null
    }

    /// Null, or text without a character.
    pub fn is_blank(&self) -> bool {
        self.is_null() || *self == Value::Text(String::new())
    }

    pub fn int(&self) -> Option<BigInt> {
        match self {
            Value::Int(value) => Some(value.clone()),
            _ => None,
        }
    }

    /// Of a column whose values fit.
    pub fn small(&self) -> Option<i128> {
        self.int().map(|value| i128::try_from(value).expect("a column holds Int64"))
    }

    pub fn date(&self) -> Option<i32> {
        match self {
            Value::Date(day) => Some(*day),
            _ => None,
        }
    }

    /// Days since 1970-01-01 of any date.
    pub fn days(&self) -> Option<BigInt> {
        match self {
            Value::Date(day) => Some((*day).into()),
            Value::FarDate(days) => Some(days.clone()),
            _ => None,
        }
    }

    pub fn text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// As a table of the program's holds it; what does not fit in Int64 is a fault of the model.
    pub fn cell(&self) -> Cell {
        match self {
            Value::Null => Cell::Null,
            Value::Bool(truth) => Cell::Bool(*truth),
            Value::Int(value) => Cell::Int(i64::try_from(value.clone()).expect("checked before")),
            Value::Date(day) => Cell::Date(Day(*day)),
            Value::FarDate(days) => panic!("{days} days are no column's"),
            Value::Text(text) => Cell::Text(text.clone()),
        }
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Value {
        Value::Int(BigInt::from(value))
    }
}

impl From<i128> for Value {
    fn from(value: i128) -> Value {
        Value::Int(BigInt::from(value))
    }
}

impl From<BigInt> for Value {
    fn from(value: BigInt) -> Value {
        Value::Int(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Value {
        Value::Text(value.to_string())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Value {
        Value::Text(value)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Value {
        Value::Bool(value)
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Value {
        value.map_or(Value::Null, Into::into)
    }
}

/// The date of so many days since 1970-01-01.
pub fn date_of(days: BigInt) -> Value {
    i32::try_from(days.clone()).map_or(Value::FarDate(days), Value::Date)
}

/// A date that may be null.
pub fn date_or_null(day: Option<i32>) -> Value {
    day.map_or(Value::Null, Value::Date)
}

/// Whether an exact result is an Int64.
pub fn fits(value: &BigInt) -> bool {
    i64::try_from(value.clone()).is_ok()
}

/// YYYY-MM-DD of days since 1970-01-01; beyond the calendar, the number.
pub fn date_text(day: i32) -> String {
    Day(day).to_string()
}
