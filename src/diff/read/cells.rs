//! The cells of a table of any schema: decoded exactly, compared, written as text.

use arrow_array::cast::AsArray;
use arrow_array::types::Decimal128Type;
use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;

use super::ordered::{Ordered, shown, written};
use super::pairs::{NONE, Pairs};
use crate::day::Day;
use crate::expr::column::{NULL_CODE, TRUE, UNKNOWN};
use crate::expr::{Column, Ints, Texts, Type};
use crate::hash::Map;
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
    /// Other values that have an order, as text that sorts as they do.
    Ordered(Ordered),
    /// Lists, structs and the like, by their text; they cannot be keys.
    Printed,
    /// Nothing but nulls.
    Null,
}

impl Shape {
    /// The type that expressions see.
    pub fn kind(self) -> Type {
        match self {
            Shape::Int | Shape::Decimal(_) => Type::Int,
            Shape::Date => Type::Date,
            Shape::Bool => Type::Bool,
            Shape::Text | Shape::Ordered(_) | Shape::Printed => Type::Text,
            Shape::Null => Type::Any,
        }
    }

    /// As messages call it.
    pub fn name(self) -> String {
        match self {
            Shape::Decimal(places) => Ordered::Decimal(places as i8).name(),
            Shape::Ordered(ordered) => ordered.name(),
            other => other.kind().name().to_string(),
        }
    }

    /// Whether differences of its values are numbers.
    pub fn is_number(self) -> bool {
        matches!(self, Shape::Int | Shape::Date | Shape::Decimal(_))
    }
}

/// A column of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileColumn {
    /// Its name.
    pub name: String,
    /// Its type, as the file gives it.
    pub kind: String,
    /// How its values are kept.
    pub shape: Shape,
}

/// Where a block has a column.
#[derive(Debug, Clone, Copy)]
pub struct ColumnSlot {
    /// Its position among the block's columns, or among those of its lines.
    pub index: usize,
    /// How its values are kept.
    pub shape: Shape,
}

impl ColumnSlot {
    /// The slot of the column called `name`.
    pub fn find(columns: &[FileColumn], name: &str) -> Option<ColumnSlot> {
        let index = columns.iter().position(|column| column.name == name)?;
        Some(ColumnSlot { index, shape: columns[index].shape })
    }

    /// A cell of the column as text, null as `None`.
    pub fn text(self, columns: &[Column], row: usize) -> Option<String> {
        text(&columns[self.index], self.shape, row)
    }
}

/// A part of a row's key.
#[derive(Clone, Copy)]
pub struct KeyPart<'a> {
    /// The column that holds it.
    pub column: &'a Column,
    /// How the column keeps its values.
    pub shape: Shape,
    /// The row.
    pub row: usize,
}

impl KeyPart<'_> {
    /// The part as text, null as `None`.
    pub fn text(&self) -> Option<String> {
        text(self.column, self.shape, self.row)
    }
}

/// The most digits that always fit in 64 bits.
const DIGITS: u8 = 18;

/// Decodes one column of a file.
pub struct CellDecoder {
    /// What it holds.
    pub shape: Shape,
    decoder: Option<Decoder>,
}

impl CellDecoder {
    /// For a column of type `found`. Bytes whose writer did not say what they are are taken for text where
    /// `bytes_are_text`.
    pub fn new(found: &DataType, bytes_are_text: bool) -> CellDecoder {
        // What is decoded here; everything else is left to the decoder of inputs.
        let own_shape = match (found, Ordered::of(found)) {
            (DataType::Null, _) => Some(Shape::Null),
            (DataType::Decimal128(digits, places), _) if *digits <= DIGITS && *places >= 0 => {
                Some(Shape::Decimal(u32::from(places.unsigned_abs())))
            }
            (DataType::Binary, _) if bytes_are_text => Some(Shape::Text),
            (_, Some(ordered)) => Some(Shape::Ordered(ordered)),
            _ => None,
        };
        if let Some(shape) = own_shape {
            return CellDecoder { shape, decoder: None };
        }
        let Some(decoder) = Decoder::for_extra(found) else {
            return CellDecoder { shape: Shape::Printed, decoder: None };
        };
        let shape = match decoder.kind() {
            Type::Int => Shape::Int,
            Type::Date => Shape::Date,
            Type::Bool => Shape::Bool,
            _ => Shape::Text,
        };
        CellDecoder { shape, decoder: Some(decoder) }
    }

    /// For a column in which every row is null: the reader would take long to make dictionaries of nothing.
    pub fn all_null(self) -> CellDecoder {
        match self.decoder {
            Some(Decoder::Text) => CellDecoder { decoder: Some(Decoder::PlainText), ..self },
            _ => self,
        }
    }

    /// The arrow type to ask of the reader, where it differs from what it would choose.
    pub fn hint(&self, found: &DataType) -> Option<DataType> {
        self.decoder.as_ref().and_then(|decoder| decoder.hint(found))
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
            (None, Shape::Text) => {
                let texts = array.as_binary::<i32>().iter().map(|bytes| bytes.map(text_of).transpose());
                Ok(Column::Text(texts.collect::<Result<Vec<_>, String>>()?.into_iter().collect()))
            }
            (None, Shape::Null) => Ok(Column::Int(vec![None; array.len()].into_iter().collect())),
            (None, _) => {
                let texts: Vec<Option<String>> =
                    (0..array.len()).map(|row| array.is_valid(row).then(|| written(&array, row))).collect();
                Ok(Column::Text(texts.iter().map(Option::as_deref).collect()))
            }
        }
    }
}

fn text_of(bytes: &[u8]) -> Result<&str, String> {
    std::str::from_utf8(bytes).map_err(|_| format!("{bytes:x?} is taken for text and is not UTF-8"))
}

/// A cell as text, null as `None`.
pub fn text(column: &Column, shape: Shape, row: usize) -> Option<String> {
    match column {
        Column::Text(texts) if matches!(shape, Shape::Ordered(_)) => {
            texts.get(row).map(|text| shown(text).to_string())
        }
        Column::Text(texts) => texts.get(row).map(str::to_string),
        Column::Bool(truths) => (truths[row] != UNKNOWN).then(|| (truths[row] == TRUE).to_string()),
        Column::Int(ints) => ints.get(row).map(|value| number(*value, shape)),
        Column::Wide(ints) => ints.get(row).map(ToString::to_string),
    }
}

/// A column as expressions see it.
pub fn readable(column: Column, shape: Shape) -> Column {
    match column {
        Column::Text(texts) if matches!(shape, Shape::Ordered(_)) => {
            let dictionary = texts.dictionary.iter().map(|text| shown(text).into()).collect();
            Column::Text(Texts { dictionary: std::sync::Arc::new(dictionary), ..texts })
        }
        other => other,
    }
}

fn number(value: i64, shape: Shape) -> String {
    match shape {
        Shape::Date => Day(value as i32).to_string(),
        Shape::Decimal(places) => crate::console::money(value.into(), places).replace(',', ""),
        _ => value.to_string(),
    }
}

/// The rows named, null for [`NONE`].
pub fn pick(column: &Column, rows: &[u32]) -> Column {
    if !rows.contains(&NONE) {
        return column.gather(rows);
    }
    let rows = rows.iter().map(|row| (*row != NONE).then_some(*row as usize));
    match column {
        Column::Int(ints) => Column::Int(rows.map(|row| ints.get(row?).copied()).collect()),
        Column::Text(texts) => Column::Text(Texts {
            codes: rows.map(|row| row.map_or(NULL_CODE, |row| texts.codes[row])).collect(),
            dictionary: texts.dictionary.clone(),
        }),
        Column::Bool(truths) => {
            Column::Bool(rows.map(|row| row.map_or(UNKNOWN, |row| truths[row])).collect())
        }
        Column::Wide(_) => unreachable!("no file's column is wide"),
    }
}

/// By entry of each dictionary a number that stands for its text in both.
fn common_names(a: &Texts, b: &Texts) -> (Vec<u32>, Vec<u32>) {
    let mut known = Map::<&str, u32>::default();
    let (mut of_a, mut of_b) = (Vec::new(), Vec::new());
    for (texts, names) in [(a, &mut of_a), (b, &mut of_b)] {
        for text in texts.dictionary.iter() {
            let next = known.len() as u32;
            names.push(*known.entry(text).or_insert(next));
        }
    }
    (of_a, of_b)
}

/// By row, the number that stands for its text; nulls have one of their own.
fn row_names(texts: &Texts, names: &[u32]) -> Vec<u32> {
    texts.codes.iter().map(|code| names.get(*code as usize).copied().unwrap_or(NULL_CODE)).collect()
}

/// For each pair that has both rows, whether the integers are others.
fn unequal(a: &Ints, b: &Ints, pairs: &Pairs) -> Vec<bool> {
    let mut mask = pairs.unequal(&a.values, &b.values);
    if a.valid.is_some() || b.valid.is_some() {
        let all = vec![true; a.values.len().max(b.values.len())];
        let [a, b] = [a, b].map(|ints| ints.valid.as_ref().unwrap_or(&all));
        for span in &pairs.spans {
            let mask = span.of_mask(&mut mask).iter_mut();
            for (mask, (a, b)) in mask.zip(span.of_left(a).iter().zip(span.of_right(b))) {
                *mask = (a != b) | (*a & *mask);
            }
        }
    }
    mask
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
    // Texts of few values are compared by number: that of each text is looked up once, not once a row.
    match (left, right) {
        (Column::Int(a), Column::Int(b)) if alike && tolerance == 0 => unequal(a, b, pairs),
        (Column::Int(a), Column::Int(b)) if alike => pairs.both(|i, j| match (a.get(i), b.get(j)) {
            (Some(a), Some(b)) => a.abs_diff(*b) > tolerance,
            (None, None) => false,
            _ => true,
        }),
        (Column::Text(a), Column::Text(b))
            if alike && a.dictionary.len().max(b.dictionary.len()) < pairs.len() =>
        {
            let (a_names, b_names) = common_names(a, b);
            pairs.unequal(&row_names(a, &a_names), &row_names(b, &b_names))
        }
        (Column::Text(a), Column::Text(b)) if alike => pairs.both(|i, j| a.get(i) != b.get(j)),
        (Column::Bool(a), Column::Bool(b)) => pairs.both(|i, j| a[i] != b[j]),
        _ => pairs.both(|i, j| text(left, left_shape, i) != text(right, right_shape, j)),
    }
}
