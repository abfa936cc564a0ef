//! From arrow arrays to columns of exact values: the one file that knows Parquet's types.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Decimal128Type, Decimal256Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
    UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, ArrowPrimitiveType, StringArray};
use arrow_buffer::i256;
use arrow_schema::{DataType, TimeUnit};
use jiff::tz::TimeZone;

use super::wanted::{Role, Units};
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
    /// How many decimal places there are to come to minor units; negative where there are too many.
    Decimal(i32),
    /// The zone in which the instant becomes a date; `None` is local already.
    Timestamp(Option<TimeZone>),
    /// A column of type Null: nulls of the type that is wanted. Nothing is read.
    Nulls(Type),
}

/// Dictionaries of the batch before, by column: files share one over many batches.
#[derive(Default)]
pub(crate) struct Dictionaries {
    known: HashMap<usize, (ArrayRef, SharedDictionary)>,
}

type SharedDictionary = Arc<Vec<Arc<str>>>;

impl Decoder {
    /// The decoder for a column of the contract, if its type will do.
    pub(crate) fn for_role(role: Role, found: &DataType, units: &Units) -> Option<Decoder> {
        match (role, found) {
            (Role::Id | Role::Extra, DataType::Null) => Some(Decoder::Nulls(Type::Any)),
            (Role::Text, DataType::Null) => Some(Decoder::Nulls(Type::Text)),
            (Role::Money, DataType::Null) => Some(Decoder::Nulls(Type::Int)),
            (Role::Date, DataType::Null) => Some(Decoder::Nulls(Type::Date)),
            (Role::Id | Role::Money, found) if found.is_integer() => Some(Decoder::Int),
            (Role::Id, DataType::Utf8 | DataType::Binary) => Some(Decoder::PlainText),
            (Role::Text, DataType::Utf8 | DataType::Binary) => Some(Decoder::Text),
            (Role::Money, DataType::Decimal128(_, scale) | DataType::Decimal256(_, scale)) => {
                Some(Decoder::Decimal(units.minor_units as i32 - i32::from(*scale)))
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
            // Binary is text whose writer did not say that it is.
            DataType::Utf8 | DataType::Binary => Some(Decoder::Text),
            DataType::Boolean => Some(Decoder::Bool),
            DataType::Date32 => Some(Decoder::Date),
            DataType::Timestamp(..) => Some(Decoder::Timestamp(None)),
            DataType::Null => Some(Decoder::Nulls(Type::Any)),
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
            Decoder::Nulls(kind) => *kind,
        }
    }

    /// The arrow type to ask of the reader, where it differs from `found`, which it would choose.
    pub(crate) fn hint(&self, found: &DataType) -> Option<DataType> {
        match self {
            Decoder::Text => Some(DataType::Dictionary(DataType::Int32.into(), found.clone().into())),
            _ => None,
        }
    }

    /// Decodes an array, which is taken over where nobody else holds it; `slot` is the column's key in
    /// `dictionaries`.
    pub(crate) fn decode(
        &self,
        array: ArrayRef,
        slot: usize,
        dictionaries: &mut Dictionaries,
    ) -> Result<Column, String> {
        self.decode_money(array, slot, dictionaries, &mut Vec::new())
    }

    /// Likewise. The rows of amounts that are no whole number of minor units are added to `fractional`;
    /// what their column holds is arbitrary, but not null.
    pub(crate) fn decode_money(
        &self,
        array: ArrayRef,
        slot: usize,
        dictionaries: &mut Dictionaries,
        fractional: &mut Vec<u32>,
    ) -> Result<Column, String> {
        match self {
            Decoder::Int => integers(array).map(Column::Int),
            Decoder::Date => Ok(Column::Int(primitive::<Date32Type>(&array, i64::from))),
            Decoder::Bool => Ok(Column::Bool(array.as_boolean().iter().map(truth).collect())),
            Decoder::Text => text(&array, slot, dictionaries).map(Column::Text),
            Decoder::PlainText => Ok(Column::Text(checked(&array)?.iter().collect())),
            Decoder::Decimal(places) => decimals(&array, *places, fractional).map(Column::Int),
            Decoder::Timestamp(zone) => timestamps(&array, zone.as_ref()).map(Column::Int),
            Decoder::Nulls(kind) => Ok(nulls(*kind, array.len())),
        }
    }
}

fn truth(truth: Option<bool>) -> u8 {
    match truth {
        None => UNKNOWN,
        Some(false) => FALSE,
        Some(true) => TRUE,
    }
}

/// A column without one value.
pub(crate) fn nulls(kind: Type, rows: usize) -> Column {
    match kind {
        Type::Text => Column::Text(Texts { codes: vec![NULL_CODE; rows], dictionary: Arc::default() }),
        Type::Bool => Column::Bool(vec![UNKNOWN; rows]),
        Type::Int | Type::Date | Type::Any => {
            Column::Int(Ints { values: vec![0; rows], valid: Some(vec![false; rows]) })
        }
    }
}

fn validity(array: &dyn Array) -> Option<Vec<bool>> {
    let nulls = array.nulls().filter(|nulls| nulls.null_count() > 0)?;
    let words = nulls.inner().bit_chunks();
    let mut valid = Vec::with_capacity(nulls.len() + 64);
    for word in words.iter_padded() {
        valid.extend((0..64).map(|bit| word >> bit & 1 != 0));
    }
    valid.truncate(nulls.len());
    Some(valid)
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
        DataType::UInt64 => fallible(array.as_primitive::<UInt64Type>().iter(), |value| {
            i64::try_from(value).map_err(|_| format!("{value} does not fit in Int64"))
        })?,
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

/// An amount in minor units.
enum Minor {
    Whole(i64),
    /// It has a part smaller than one.
    Fraction,
    TooLarge,
}

impl Minor {
    /// Of an unscaled amount that wants so many more decimal places, negative where it has too many;
    /// `power` is 10 to that number, if 128 bits hold it.
    fn of(unscaled: i128, places: i32, power: Option<i128>) -> Minor {
        match power {
            _ if unscaled == 0 => Minor::Whole(0),
            _ if places >= 0 => Minor::whole(power.and_then(|power| unscaled.checked_mul(power))),
            Some(power) if unscaled % power == 0 => Minor::whole(Some(unscaled / power)),
            _ => Minor::Fraction,
        }
    }

    /// An amount that is too large for 128 bits is `None`.
    fn whole(minor: Option<i128>) -> Minor {
        minor.and_then(|minor| i64::try_from(minor).ok()).map_or(Minor::TooLarge, Minor::Whole)
    }

    /// Likewise; few are so wide that 128 bits do not hold them.
    fn of_wide(unscaled: i256, places: i32, power: Option<i128>) -> Minor {
        if let Some(unscaled) = unscaled.to_i128() {
            return Minor::of(unscaled, places, power);
        }
        let power = i256::from_i128(10).checked_pow(places.unsigned_abs()).filter(|_| places < 0);
        match power {
            None => Minor::TooLarge,
            Some(power) if unscaled.wrapping_rem(power) != i256::ZERO => Minor::Fraction,
            Some(power) => Minor::whole(unscaled.wrapping_div(power).to_i128()),
        }
    }
}

fn decimals(array: &ArrayRef, places: i32, fractional: &mut Vec<u32>) -> Result<Ints, String> {
    let power = 10_i128.checked_pow(places.unsigned_abs());
    match array.data_type() {
        DataType::Decimal128(..) => {
            let unscaled = array.as_primitive::<Decimal128Type>().iter();
            whole_amounts(
                unscaled.map(|value| value.map(|value| Minor::of(value, places, power))),
                fractional,
            )
        }
        _ => {
            let unscaled = array.as_primitive::<Decimal256Type>().iter();
            whole_amounts(
                unscaled.map(|value| value.map(|value| Minor::of_wide(value, places, power))),
                fractional,
            )
        }
    }
}

/// Amounts as they are; the rows of those that are not whole are added to `fractional`.
fn whole_amounts(
    amounts: impl Iterator<Item = Option<Minor>>,
    fractional: &mut Vec<u32>,
) -> Result<Ints, String> {
    let whole = amounts.zip(0..).map(|(amount, row)| match amount {
        None => Ok(None),
        Some(Minor::Whole(minor)) => Ok(Some(minor)),
        Some(Minor::Fraction) => {
            fractional.push(row);
            Ok(Some(0))
        }
        Some(Minor::TooLarge) => Err("an amount does not fit in Int64 minor units".to_string()),
    });
    whole.collect()
}

fn timestamps(array: &ArrayRef, zone: Option<&TimeZone>) -> Result<Ints, String> {
    // A date needs no more than seconds, and those of every unit fit.
    let seconds = match array.data_type() {
        DataType::Timestamp(TimeUnit::Second, _) => primitive::<TimestampSecondType>(array, |t| t),
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            primitive::<TimestampMillisecondType>(array, |t| t.div_euclid(1_000))
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            primitive::<TimestampMicrosecondType>(array, |t| t.div_euclid(1_000_000))
        }
        _ => primitive::<TimestampNanosecondType>(array, |t| t.div_euclid(1_000_000_000)),
    };
    fallible((0..seconds.values.len()).map(|row| seconds.get(row).copied()), |seconds| {
        let day = match zone {
            Some(zone) => Day::of_instant(seconds, zone),
            None => Day::of_local(seconds),
        };
        day.map(|day| i64::from(day.0)).ok_or_else(|| "a timestamp lies beyond the calendar".to_string())
    })
}

/// Text, or bytes that are to be text: whatever the file says of them, nothing else becomes a `str`.
fn checked(array: &ArrayRef) -> Result<StringArray, String> {
    let (offsets, bytes, nulls) = match array.data_type() {
        DataType::Utf8 => array.as_string::<i32>().clone().into_parts(),
        _ => array.as_binary::<i32>().clone().into_parts(),
    };
    StringArray::try_new(offsets, bytes, nulls)
        .map_err(|_| "it holds bytes that are not UTF-8: have it delivered as UTF-8 text".to_string())
}

fn text(array: &ArrayRef, slot: usize, dictionaries: &mut Dictionaries) -> Result<Texts, String> {
    let Some(array) = array.as_dictionary_opt::<Int32Type>() else {
        return Ok(checked(array)?.iter().collect());
    };
    let values = array.values();
    let dictionary = match dictionaries.known.get(&slot) {
        Some((known, dictionary)) if Arc::ptr_eq(known, values) => dictionary.clone(),
        _ => {
            let strings = checked(values)?;
            let fresh = Arc::new(strings.iter().map(|text| Arc::from(text.unwrap_or_default())).collect());
            dictionaries.known.insert(slot, (values.clone(), Arc::clone(&fresh)));
            fresh
        }
    };
    let mut codes: Vec<u32> = array.keys().values().iter().map(|key| *key as u32).collect();
    if let Some(valid) = validity(array.keys()) {
        codes.iter_mut().zip(valid).for_each(|(code, valid)| *code = if valid { *code } else { NULL_CODE });
    }
    Ok(Texts { codes, dictionary })
}
