//! The cells of a table of any schema: decoded exactly, compared, shown.

use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, Float32Type, Float64Type};
use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;

use crate::day::Day;
use crate::expr::column::{NULL_CODE, TRUE, UNKNOWN};
use crate::expr::{Column, Ints, Texts, Type};
use crate::input::decode::{Decoder, Dictionaries};

/// How a column's values are kept and shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Integers.
    Int,
    /// Days.
    Date,
    /// True or false.
    Bool,
    /// Text.
    Text,
    /// Integers with so many decimal places.
    Decimal(u32),
    /// Anything else that has one value a row, by its text.
    Printed,
}

impl Shape {
    /// The type that expressions see.
    pub fn kind(self) -> Type {
        match self {
            Shape::Int | Shape::Decimal(_) => Type::Int,
            Shape::Date => Type::Date,
            Shape::Bool => Type::Bool,
            Shape::Text | Shape::Printed => Type::Text,
        }
    }

    /// Whether differences of its values are numbers.
    pub fn is_number(self) -> bool {
        matches!(self, Shape::Int | Shape::Date | Shape::Decimal(_))
    }
}

/// The most digits that always fit in 64 bits.
const DIGITS: u8 = 18;

/// Decodes one column of a file.
pub struct Cells {
    /// What it holds.
    pub shape: Shape,
    decoder: Option<Decoder>,
}

impl Cells {
    /// For a column of type `found`; `None` for nested ones.
    pub fn new(found: &DataType) -> Option<Cells> {
        let printed = Cells { shape: Shape::Printed, decoder: None };
        match found {
            DataType::Timestamp(..) | DataType::Float32 | DataType::Float64 => return Some(printed),
            DataType::Decimal128(digits, places) if *digits <= DIGITS && *places >= 0 => {
                let places = u32::from(places.unsigned_abs());
                return Some(Cells { shape: Shape::Decimal(places), ..printed });
            }
            DataType::Decimal128(..) => return Some(printed),
            _ => {}
        }
        let decoder = Decoder::for_extra(found)?;
        let shape = match (decoder.kind(), found) {
            (Type::Int, _) => Shape::Int,
            (Type::Date, _) => Shape::Date,
            (Type::Bool, _) => Shape::Bool,
            _ => Shape::Text,
        };
        Some(Cells { shape, decoder: Some(decoder) })
    }

    /// The arrow type to ask of the reader, where it differs from what it would choose.
    pub fn hint(&self) -> Option<DataType> {
        self.decoder.as_ref().and_then(Decoder::hint)
    }

    /// Decodes an array; `slot` tells columns apart in `dictionaries`.
    pub fn decode(
        &self,
        array: ArrayRef,
        slot: usize,
        dictionaries: &mut Dictionaries,
    ) -> Result<Column, String> {
        match (&self.decoder, self.shape) {
            (Some(decoder), _) => decoder.decode(array, slot, dictionaries),
            (None, Shape::Decimal(_)) => {
                let unscaled = array.as_primitive::<Decimal128Type>().iter();
                Ok(Column::Int(unscaled.map(|value| value.map(|value| value as i64)).collect::<Ints>()))
            }
            (None, _) => Ok(Column::Text(printed(&array))),
        }
    }
}

fn printed(array: &ArrayRef) -> Texts {
    let text = |row: usize| -> Option<String> {
        if array.is_null(row) {
            return None;
        }
        Some(match array.data_type() {
            DataType::Float32 => array.as_primitive::<Float32Type>().value(row).to_string(),
            DataType::Float64 => array.as_primitive::<Float64Type>().value(row).to_string(),
            DataType::Decimal128(..) => array.as_primitive::<Decimal128Type>().value_as_string(row),
            _ => instant(array, row),
        })
    };
    let texts: Vec<Option<String>> = (0..array.len()).map(text).collect();
    texts.iter().map(Option::as_deref).collect()
}

fn instant(array: &ArrayRef, row: usize) -> String {
    use arrow_array::types::{
        TimestampMicrosecondType as Micro, TimestampMillisecondType as Milli,
        TimestampNanosecondType as Nano, TimestampSecondType as Second,
    };
    use arrow_schema::TimeUnit;
    let DataType::Timestamp(unit, _) = array.data_type() else { unreachable!("nothing else is printed") };
    let (ticks, nanos) = match unit {
        TimeUnit::Second => (array.as_primitive::<Second>().value(row), 1_000_000_000),
        TimeUnit::Millisecond => (array.as_primitive::<Milli>().value(row), 1_000_000),
        TimeUnit::Microsecond => (array.as_primitive::<Micro>().value(row), 1_000),
        TimeUnit::Nanosecond => (array.as_primitive::<Nano>().value(row), 1),
    };
    match jiff::Timestamp::from_nanosecond(i128::from(ticks) * nanos) {
        Ok(instant) => instant.to_string(),
        Err(_) => ticks.to_string(),
    }
}

/// A cell as text, null as `None`.
pub fn text(column: &Column, shape: Shape, row: usize) -> Option<String> {
    match column {
        Column::Text(texts) => texts.get(row).map(str::to_string),
        Column::Bool(truths) => (truths[row] != UNKNOWN).then(|| (truths[row] == TRUE).to_string()),
        Column::Int(ints) => ints.get(row).map(|value| number(*value, shape)),
        Column::Wide(ints) => ints.get(row).map(ToString::to_string),
    }
}

fn number(value: i64, shape: Shape) -> String {
    match shape {
        Shape::Date => Day(value as i32).to_string(),
        Shape::Decimal(places) => crate::console::money(value.into(), places).replace(',', ""),
        _ => value.to_string(),
    }
}

/// Rows of two sides side by side; [`NONE`] where a side has none.
#[derive(Debug, Default, Clone)]
pub struct Pairs {
    /// Rows on the left.
    pub left: Vec<u32>,
    /// Rows on the right.
    pub right: Vec<u32>,
}

/// No row.
pub const NONE: u32 = u32::MAX;

impl Pairs {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.left.len()
    }

    /// Adds one.
    pub fn push(&mut self, left: u32, right: u32) {
        self.left.push(left);
        self.right.push(right);
    }

    /// Both rows, in order.
    pub fn iter(&self) -> impl Iterator<Item = (u32, u32)> + Clone {
        self.left.iter().copied().zip(self.right.iter().copied())
    }

    /// By pair, whether it has both rows and they pass.
    fn both(&self, passes: impl Fn(usize, usize) -> bool) -> Vec<bool> {
        let pair = |(left, right)| left != NONE && right != NONE && passes(left as usize, right as usize);
        self.iter().map(pair).collect()
    }

    /// The rows of the pairs that have both.
    pub fn matched(&self) -> impl Iterator<Item = (usize, usize)> + Clone {
        let both = self.iter().filter(|(left, right)| *left != NONE && *right != NONE);
        both.map(|(left, right)| (left as usize, right as usize))
    }

    /// The pairs for which `keep` is true.
    pub fn filter(&self, keep: &[bool]) -> Pairs {
        let kept = self.iter().zip(keep).filter(|(_, keep)| **keep);
        let (left, right) = kept.map(|(pair, _)| pair).unzip();
        Pairs { left, right }
    }
}

/// The rows named, null for [`NONE`].
pub fn pick(column: &Column, rows: &[u32]) -> Column {
    if !rows.contains(&NONE) {
        return column.gather(rows);
    }
    let at = |row: u32| (row != NONE).then_some(row as usize);
    match column {
        Column::Int(ints) => {
            Column::Int(rows.iter().map(|row| at(*row).and_then(|row| ints.get(row).copied())).collect())
        }
        Column::Text(texts) => Column::Text(Texts {
            codes: rows.iter().map(|row| at(*row).map_or(NULL_CODE, |row| texts.codes[row])).collect(),
            dictionary: texts.dictionary.clone(),
        }),
        Column::Bool(truths) => {
            Column::Bool(rows.iter().map(|row| at(*row).map_or(UNKNOWN, |row| truths[row])).collect())
        }
        Column::Wide(_) => unreachable!("no file's column is wide"),
    }
}

/// By entry of each dictionary a number that stands for its text in both.
fn common_names(a: &Texts, b: &Texts) -> (Vec<u32>, Vec<u32>) {
    let mut known = hashbrown::HashMap::<&str, u32, foldhash::fast::FixedState>::default();
    let (mut of_a, mut of_b) = (Vec::new(), Vec::new());
    for (texts, names) in [(a, &mut of_a), (b, &mut of_b)] {
        for text in texts.dictionary.iter() {
            let next = known.len() as u32;
            names.push(*known.entry(text).or_insert(next));
        }
    }
    (of_a, of_b)
}

/// For each pair that has both rows, whether the cells differ by more than `tolerance`. A null differs
/// from every value.
pub fn differ(
    (left, left_shape): (&Column, Shape),
    (right, right_shape): (&Column, Shape),
    pairs: &Pairs,
    tolerance: u64,
) -> Vec<bool> {
    let alike = left_shape == right_shape;
    match (left, right) {
        (Column::Int(a), Column::Int(b)) if alike => match (&a.valid, &b.valid) {
            (None, None) if tolerance == 0 => pairs.both(|i, j| a.values[i] != b.values[j]),
            _ => pairs.both(|i, j| match (a.get(i), b.get(j)) {
                (Some(a), Some(b)) => a.abs_diff(*b) > tolerance,
                (None, None) => false,
                _ => true,
            }),
        },
        (Column::Text(a), Column::Text(b)) if a.dictionary.len().max(b.dictionary.len()) < pairs.len() => {
            let (a_names, b_names) = common_names(a, b);
            let name = |names: &[u32], code: u32| names.get(code as usize).copied().unwrap_or(NULL_CODE);
            pairs.both(|i, j| name(&a_names, a.codes[i]) != name(&b_names, b.codes[j]))
        }
        (Column::Text(a), Column::Text(b)) => pairs.both(|i, j| a.get(i) != b.get(j)),
        (Column::Bool(a), Column::Bool(b)) => pairs.both(|i, j| a[i] != b[j]),
        _ => pairs.both(|i, j| text(left, left_shape, i) != text(right, right_shape, j)),
    }
}
