//! From arrow arrays to columns of exact values: the one place where Parquet's types are told apart.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Decimal128Type, Decimal256Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
    UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, ArrowPrimitiveType, StringArray};
use arrow_schema::{DataType, TimeUnit};
use jiff::tz::TimeZone;

use super::binding::{Role, Units};
use crate::day::Day;
use crate::expr::column::{FALSE, NULL_CODE, TRUE, UNKNOWN};
use crate::expr::{Column, Ints, Texts, Type};

/// How a column of a file becomes a [`Column`].
#[derive(Debug, Clone)]
pub(crate) enum Decoder {
    Int,
    Date,
    Bool,
    /// Text that tends to repeat: left as the file's dictionary.
    Text,
    /// Text that tends not to repeat.
    PlainText,
    /// What to multiply by to reach minor units.
    Decimal(i128),
    /// The zone in which the instant becomes a date; `None` is local already.
    Timestamp(Option<TimeZone>),
}

/// Dictionaries of the batch before, by column: files share one over many batches.
#[derive(Default)]
pub(crate) struct Dictionaries {
    known: HashMap<usize, (ArrayRef, Dictionary)>,
}

type Dictionary = Arc<Vec<Arc<str>>>;

impl Decoder {
    /// The decoder for a column of the contract, if its type will do.
    pub(crate) fn for_role(role: Role, found: &DataType, units: &Units) -> Option<Decoder> {
        match (role, found) {
            (Role::Id, DataType::Int64) | (Role::Money, DataType::Int64) => Some(Decoder::Int),
            (Role::Id, DataType::Utf8 | DataType::Binary) => Some(Decoder::PlainText),
            (Role::Text, DataType::Utf8) => Some(Decoder::Text),
            (Role::Text, DataType::Binary) => Some(Decoder::PlainText),
            (Role::Money, DataType::Decimal128(_, scale) | DataType::Decimal256(_, scale)) => {
                let places = units.minor_units.checked_sub(u32::try_from(*scale).ok()?)?;
                Some(Decoder::Decimal(10_i128.pow(places)))
            }
            (Role::Date, DataType::Date32) => Some(Decoder::Date),
            (Role::Date, DataType::Timestamp(_, None)) => Some(Decoder::Timestamp(None)),
            (Role::Date, DataType::Timestamp(_, Some(_))) => {
                Some(Decoder::Timestamp(Some(units.timezone.clone()?)))
            }
            (Role::Extra, DataType::Timestamp(..)) => Decoder::for_role(Role::Date, found, units),
            (Role::Extra, other) => Decoder::for_extra(other),
            _ => None,
        }
    }

    /// The decoder for a column that only expressions read.
    pub(crate) fn for_extra(found: &DataType) -> Option<Decoder> {
        match found {
            found if found.is_integer() => Some(Decoder::Int),
            DataType::Utf8 => Some(Decoder::Text),
            // Text whose writer did not say that it is; the reader makes no dictionaries of it.
            DataType::Binary => Some(Decoder::PlainText),
            DataType::Boolean => Some(Decoder::Bool),
            DataType::Date32 => Some(Decoder::Date),
            DataType::Timestamp(..) => Some(Decoder::Timestamp(None)),
            _ => None,
        }
    }

    /// What it yields.
    pub(crate) fn kind(&self) -> Type {
        match self {
            Decoder::Int | Decoder::Decimal(_) => Type::Int,
            Decoder::Date | Decoder::Timestamp(_) => Type::Date,
            Decoder::Bool => Type::Bool,
            Decoder::Text | Decoder::PlainText => Type::Text,
        }
    }

    /// The arrow type to ask of the reader, where it differs from what it would choose.
    pub(crate) fn hint(&self) -> Option<DataType> {
        match self {
            Decoder::Text => Some(DataType::Dictionary(DataType::Int32.into(), DataType::Utf8.into())),
            Decoder::PlainText => Some(DataType::Utf8),
            _ => None,
        }
    }

    /// Decodes an array, which is taken over where nobody else holds it; `slot` tells columns apart in
    /// `dictionaries`.
    pub(crate) fn decode(
        &self,
        array: ArrayRef,
        slot: usize,
        dictionaries: &mut Dictionaries,
    ) -> Result<Column, String> {
        match self {
            Decoder::Int => integers(array).map(Column::Int),
            Decoder::Date => Ok(Column::Int(primitive::<Date32Type>(&array, i64::from))),
            Decoder::Bool => {
                let truth = |truth: Option<bool>| truth.map_or(UNKNOWN, |t| if t { TRUE } else { FALSE });
                Ok(Column::Bool(array.as_boolean().iter().map(truth).collect()))
            }
            Decoder::Text => Ok(Column::Text(text(&array, slot, dictionaries))),
            Decoder::PlainText => Ok(Column::Text(array.as_string::<i32>().iter().collect())),
            Decoder::Decimal(factor) => decimals(&array, *factor).map(Column::Int),
            Decoder::Timestamp(zone) => timestamps(&array, zone.as_ref()).map(Column::Int),
        }
    }
}

fn validity(array: &dyn Array) -> Option<Vec<bool>> {
    array.nulls().filter(|nulls| nulls.null_count() > 0).map(|nulls| nulls.iter().collect())
}

/// Int64 values, without a copy if they can be had.
fn taken_over(array: ArrayRef) -> Ints {
    let valid = validity(&array);
    let values = array.as_primitive::<Int64Type>().values().clone();
    drop(array);
    let values = values.into_inner().into_vec().unwrap_or_else(|shared| shared.typed_data().to_vec());
    Ints { values, valid }
}

fn primitive<T: ArrowPrimitiveType>(array: &ArrayRef, widen: impl Fn(T::Native) -> i64) -> Ints {
    let array = array.as_primitive::<T>();
    Ints { values: array.values().iter().map(|value| widen(*value)).collect(), valid: validity(array) }
}

fn integers(array: ArrayRef) -> Result<Ints, String> {
    Ok(match array.data_type() {
        DataType::Int8 => primitive::<Int8Type>(&array, i64::from),
        DataType::Int16 => primitive::<Int16Type>(&array, i64::from),
        DataType::Int32 => primitive::<Int32Type>(&array, i64::from),
        DataType::Int64 => taken_over(array),
        DataType::UInt8 => primitive::<UInt8Type>(&array, i64::from),
        DataType::UInt16 => primitive::<UInt16Type>(&array, i64::from),
        DataType::UInt32 => primitive::<UInt32Type>(&array, i64::from),
        DataType::UInt64 => {
            let fits =
                |value: u64| i64::try_from(value).map_err(|_| format!("{value} does not fit in Int64"));
            fallible(array.as_primitive::<UInt64Type>().iter(), fits)?
        }
        other => return Err(format!("{other} is no integer")),
    })
}

/// Converts every value; nulls stay null.
fn fallible<T>(
    values: impl Iterator<Item = Option<T>>,
    convert: impl Fn(T) -> Result<i64, String>,
) -> Result<Ints, String> {
    values.map(|value| value.map(&convert).transpose()).collect()
}

fn decimals(array: &ArrayRef, factor: i128) -> Result<Ints, String> {
    let minor = |value: Option<i128>| {
        let minor = value.and_then(|value| value.checked_mul(factor)).and_then(|v| i64::try_from(v).ok());
        minor.ok_or_else(|| "an amount does not fit in Int64 minor units".to_string())
    };
    match array.data_type() {
        DataType::Decimal128(..) => {
            fallible(array.as_primitive::<Decimal128Type>().iter(), |value| minor(Some(value)))
        }
        _ => fallible(array.as_primitive::<Decimal256Type>().iter(), |value| minor(value.to_i128())),
    }
}

fn timestamps(array: &ArrayRef, zone: Option<&TimeZone>) -> Result<Ints, String> {
    const MICROS_PER_SECOND: i64 = 1_000_000;
    const MICROS_PER_MILLI: i64 = 1_000;
    const NANOS_PER_MICRO: i64 = 1_000;
    let micros = match array.data_type() {
        DataType::Timestamp(TimeUnit::Second, _) => {
            primitive::<TimestampSecondType>(array, |t| t.saturating_mul(MICROS_PER_SECOND))
        }
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            primitive::<TimestampMillisecondType>(array, |t| t.saturating_mul(MICROS_PER_MILLI))
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => primitive::<TimestampMicrosecondType>(array, |t| t),
        _ => primitive::<TimestampNanosecondType>(array, |t| t.div_euclid(NANOS_PER_MICRO)),
    };
    let day = |micros: i64| {
        let day = match zone {
            Some(zone) => Day::of_instant(micros, zone),
            None => Day::of_local(micros),
        };
        day.map(|day| i64::from(day.0)).ok_or_else(|| "a timestamp lies beyond the calendar".to_string())
    };
    fallible((0..micros.values.len()).map(|row| micros.get(row).copied()), day)
}

fn text(array: &ArrayRef, slot: usize, dictionaries: &mut Dictionaries) -> Texts {
    let Some(array) = array.as_dictionary_opt::<Int32Type>() else {
        return array.as_string::<i32>().iter().collect();
    };
    let values = array.values();
    let dictionary = match dictionaries.known.get(&slot) {
        Some((known, dictionary)) if Arc::ptr_eq(known, values) => dictionary.clone(),
        _ => {
            let strings: &StringArray = values.as_string();
            let fresh = Arc::new(strings.iter().map(|text| Arc::from(text.unwrap_or_default())).collect());
            dictionaries.known.insert(slot, (values.clone(), Arc::clone(&fresh)));
            fresh
        }
    };
    let mut codes: Vec<u32> = array.keys().values().iter().map(|key| *key as u32).collect();
    if let Some(valid) = validity(array.keys()) {
        codes.iter_mut().zip(valid).for_each(|(code, valid)| *code = if valid { *code } else { NULL_CODE });
    }
    Texts { codes, dictionary }
}
