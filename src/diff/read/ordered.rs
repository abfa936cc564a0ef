//! Values that are neither 64-bit integers nor text, written as text: a sort key, a NUL, and what people read.
//!
//! Numbers, instants and bytes can be keys that way, and the code for text compares them. Floats are compared as
//! numbers: −0 is 0, and NaN is one value, after all others. Instants are the same where they are the same moment,
//! whatever unit they are stored in. Nested values have no order and are only shown.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type, DecimalType,
    Float16Type, Float32Type, Float64Type, Time32MillisecondType, Time32SecondType, Time64MicrosecondType,
    Time64NanosecondType, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType, UInt64Type,
};
use arrow_array::{Array, ArrayRef};
use arrow_buffer::i256;
use arrow_schema::{DataType, TimeUnit};

use crate::day::Day;
use crate::expr::Column;
use crate::input::decode::Decoder;

/// The kinds of values that are written that way; two columns can be matched where they are of the same kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ordered {
    /// Of 16, 32 or 64 bits.
    Float(u8),
    /// A moment; one without a zone as if its zone were UTC.
    Instant,
    /// A time of day.
    Time,
    /// A number with so many decimal places.
    Decimal(i8),
    /// Bytes that need not be text.
    Bytes,
}

const SECOND: i128 = 1_000_000_000;

impl Ordered {
    /// For a column of type `found`, if it is one of these.
    pub fn of(found: &DataType) -> Option<Ordered> {
        Some(match found {
            DataType::Float16 => Ordered::Float(16),
            DataType::Float32 => Ordered::Float(32),
            DataType::Float64 => Ordered::Float(64),
            DataType::Timestamp(..) => Ordered::Instant,
            DataType::Time32(_) | DataType::Time64(_) => Ordered::Time,
            DataType::Decimal32(_, places)
            | DataType::Decimal64(_, places)
            | DataType::Decimal128(_, places)
            | DataType::Decimal256(_, places) => Ordered::Decimal(*places),
            DataType::Binary | DataType::LargeBinary | DataType::FixedSizeBinary(_) => Ordered::Bytes,
            _ => return None,
        })
    }

    /// As messages call it.
    pub fn name(self) -> String {
        match self {
            Ordered::Float(bits) => format!("Float{bits}"),
            Ordered::Instant => "Timestamp".to_string(),
            Ordered::Time => "Time".to_string(),
            Ordered::Decimal(places) => format!("Decimal with {places} places"),
            Ordered::Bytes => "bytes".to_string(),
        }
    }
}

/// What people read of a value that [`written`] made.
pub fn shown(text: &str) -> &str {
    text.split_once('\0').map_or(text, |(_, shown)| shown)
}

/// A value that is not null as text: its sort key, a NUL, and what people read; of nested values only the latter.
pub fn written(array: &ArrayRef, row: usize) -> String {
    let (key, shown) = match array.data_type() {
        DataType::Float16 => float(native::<Float16Type>(array, row).into(), None),
        DataType::Float32 => {
            let value = native::<Float32Type>(array, row);
            float(value.into(), Some(value.to_string()))
        }
        DataType::Float64 => float(native::<Float64Type>(array, row), None),
        DataType::Timestamp(unit, _) => {
            let ticks = match unit {
                TimeUnit::Second => native::<TimestampSecondType>(array, row),
                TimeUnit::Millisecond => native::<TimestampMillisecondType>(array, row),
                TimeUnit::Microsecond => native::<TimestampMicrosecondType>(array, row),
                TimeUnit::Nanosecond => native::<TimestampNanosecondType>(array, row),
            };
            let nanos = i128::from(ticks) * nanos_of(*unit);
            let text = jiff::Timestamp::from_nanosecond(nanos);
            (wide(i256::from_i128(nanos)), text.map_or_else(|_| ticks.to_string(), |text| text.to_string()))
        }
        DataType::Time32(TimeUnit::Second) => time(native::<Time32SecondType>(array, row).into(), SECOND),
        DataType::Time32(_) => time(native::<Time32MillisecondType>(array, row).into(), SECOND / 1_000),
        DataType::Time64(TimeUnit::Microsecond) => {
            time(native::<Time64MicrosecondType>(array, row), SECOND / 1_000_000)
        }
        DataType::Time64(_) => time(native::<Time64NanosecondType>(array, row), 1),
        DataType::Decimal32(..) => {
            decimal::<Decimal32Type>(array, row, |value| i256::from_i128(value.into()))
        }
        DataType::Decimal64(..) => {
            decimal::<Decimal64Type>(array, row, |value| i256::from_i128(value.into()))
        }
        DataType::Decimal128(..) => decimal::<Decimal128Type>(array, row, i256::from_i128),
        DataType::Decimal256(..) => decimal::<Decimal256Type>(array, row, |value| value),
        DataType::Binary => bytes(array.as_binary::<i32>().value(row)),
        DataType::LargeBinary => bytes(array.as_binary::<i64>().value(row)),
        DataType::FixedSizeBinary(_) => bytes(array.as_fixed_size_binary().value(row)),
        _ => return nested(array, row),
    };
    format!("{key}\0{shown}")
}

fn native<T: ArrowPrimitiveType>(array: &ArrayRef, row: usize) -> T::Native {
    array.as_primitive::<T>().value(row)
}

/// Sort key and text of a number; `shown` is how a narrower type would write it.
fn float(value: f64, shown: Option<String>) -> (String, String) {
    // One NaN, the positive one, which sorts last; adding 0 turns −0 into 0.
    let value = if value.is_nan() { f64::NAN.abs() } else { value + 0.0 };
    let bits = value.to_bits();
    // The bits of positive numbers ascend with them, those of negative ones descend and are inverted.
    let key = if value.is_sign_negative() { !bits } else { bits | 1 << 63 };
    let shown = shown.filter(|_| value != 0.0 && !value.is_nan()).unwrap_or_else(|| value.to_string());
    (format!("{key:016x}"), shown)
}

fn nanos_of(unit: TimeUnit) -> i128 {
    match unit {
        TimeUnit::Second => SECOND,
        TimeUnit::Millisecond => SECOND / 1_000,
        TimeUnit::Microsecond => SECOND / 1_000_000,
        TimeUnit::Nanosecond => 1,
    }
}

fn time(ticks: i64, nanos_a_tick: i128) -> (String, String) {
    let nanos = i128::from(ticks) * nanos_a_tick;
    let midnight = jiff::civil::Time::midnight();
    let span = i64::try_from(nanos).ok().map(jiff::SignedDuration::from_nanos);
    let text = span.and_then(|span| midnight.checked_add(span).ok());
    (wide(i256::from_i128(nanos)), text.map_or_else(|| ticks.to_string(), |text| text.to_string()))
}

fn decimal<T: DecimalType>(
    array: &ArrayRef,
    row: usize,
    widen: impl Fn(T::Native) -> i256,
) -> (String, String) {
    let array = array.as_primitive::<T>();
    (wide(widen(array.value(row))), array.value_as_string(row))
}

/// Hexadecimal digits that ascend with the number.
fn wide(number: i256) -> String {
    let mut bytes = number.to_be_bytes();
    // Inverting the sign puts negative numbers before positive ones.
    bytes[0] ^= 0x80;
    hex(&bytes)
}

/// Text as text, anything else as SQL writes bytes.
fn bytes(bytes: &[u8]) -> (String, String) {
    let key = hex(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.contains('\0') => (key, text.to_string()),
        _ => (key.clone(), format!("x'{key}'")),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Lists, structs and maps with all their values; only equal values are written alike.
fn nested(array: &ArrayRef, row: usize) -> String {
    match array.data_type() {
        DataType::List(_) => list(array.as_list::<i32>().value(row)),
        DataType::LargeList(_) => list(array.as_list::<i64>().value(row)),
        DataType::FixedSizeList(..) => list(array.as_fixed_size_list().value(row)),
        DataType::Struct(fields) => {
            let parts = fields.iter().zip(array.as_struct().columns());
            let parts = parts.map(|(field, column)| format!("{:?}: {}", field.name(), part(column, row)));
            format!("{{{}}}", parts.collect::<Vec<_>>().join(", "))
        }
        DataType::Map(..) => {
            let entries = array.as_map().value(row);
            let (keys, values) = (entries.column(0), entries.column(1));
            let pairs =
                (0..entries.len()).map(|entry| format!("{}: {}", part(keys, entry), part(values, entry)));
            format!("{{{}}}", pairs.collect::<Vec<_>>().join(", "))
        }
        // Arrow's own notation abbreviates long arrays, but not one of a single value.
        _ => format!("{:?}", array.slice(row, 1)),
    }
}

fn list(values: ArrayRef) -> String {
    let values: Vec<String> = (0..values.len()).map(|row| part(&values, row)).collect();
    format!("[{}]", values.join(", "))
}

/// A value within a nested one.
fn part(array: &ArrayRef, row: usize) -> String {
    if array.is_null(row) {
        return "null".to_string();
    }
    match array.data_type() {
        DataType::Utf8 => format!("{:?}", array.as_string::<i32>().value(row)),
        DataType::Binary | DataType::LargeBinary => format!("{:?}", shown(&written(array, row))),
        DataType::Boolean => array.as_boolean().value(row).to_string(),
        found if found.is_integer() || *found == DataType::Date32 => integer(array, row),
        _ => shown(&written(array, row)).to_string(),
    }
}

fn integer(array: &ArrayRef, row: usize) -> String {
    let decoder = Decoder::for_extra(array.data_type());
    let column = decoder.map(|decoder| decoder.decode(array.slice(row, 1), 0, &mut Default::default()));
    match (column, array.data_type()) {
        (Some(Ok(Column::Int(ints))), DataType::Date32) => Day(ints.values[0] as i32).to_string(),
        (Some(Ok(Column::Int(ints))), _) => ints.values[0].to_string(),
        // It does not fit in Int64.
        _ => array
            .as_primitive_opt::<UInt64Type>()
            .map_or_else(String::new, |array| array.value(row).to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    use arrow_array::{Decimal128Array, Float64Array, TimestampMillisecondArray};

    fn keys(array: ArrayRef) -> Vec<String> {
        (0..array.len()).map(|row| written(&array, row)).collect()
    }

    fn ascends(array: ArrayRef) {
        let keys = keys(array);
        assert!(keys.is_sorted_by(|a, b| a < b), "{keys:?}");
    }

    #[test]
    fn what_is_written_sorts_as_the_values_do() {
        let floats = [
            f64::NEG_INFINITY,
            -1e300,
            -1.5,
            -f64::MIN_POSITIVE,
            0.0,
            5e-324,
            2.0,
            10.0,
            f64::INFINITY,
            f64::NAN,
        ];
        ascends(Arc::new(Float64Array::from(floats.to_vec())));
        let numbers = [i128::MIN / 4, -10, -9, 0, 9, 10, 10_i128.pow(37)];
        let array = Decimal128Array::from(numbers.to_vec()).with_precision_and_scale(38, 0).unwrap();
        ascends(Arc::new(array));
        ascends(Arc::new(TimestampMillisecondArray::from(vec![i64::MIN, -1, 0, 500, 1_000, i64::MAX])));
    }

    #[test]
    fn numbers_that_are_the_same_are_written_the_same() {
        let zeros = keys(Arc::new(Float64Array::from(vec![-0.0, 0.0])));
        assert_eq!(zeros[0], zeros[1]);
        let nans = keys(Arc::new(Float64Array::from(vec![f64::NAN, -f64::NAN])));
        assert_eq!(nans[0], nans[1]);
        assert_eq!(shown(&zeros[0]), "0");
    }
}
