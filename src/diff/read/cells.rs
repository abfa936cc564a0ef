//! The cells of a table of any schema: decoded exactly, compared, shown.

use arrow_array::cast::AsArray;
use arrow_array::types::Decimal128Type;
use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;

use super::ordered::{Ordered, shown, written};
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
        let undecoded = |shape: Shape| CellDecoder { shape, decoder: None };
        match (found, Ordered::of(found)) {
            (DataType::Null, _) => return undecoded(Shape::Null),
            (DataType::Decimal128(digits, places), _) if *digits <= DIGITS && *places >= 0 => {
                return undecoded(Shape::Decimal(u32::from(places.unsigned_abs())));
            }
            (DataType::Binary, _) if bytes_are_text => return undecoded(Shape::Text),
            (_, Some(ordered)) => return undecoded(Shape::Ordered(ordered)),
            _ => {}
        }
        let Some(decoder) = Decoder::for_extra(found) else { return undecoded(Shape::Printed) };
        let shape = match decoder.kind() {
            Type::Int => Shape::Int,
            Type::Date => Shape::Date,
            Type::Bool => Shape::Bool,
            _ => Shape::Text,
        };
        CellDecoder { shape, decoder: Some(decoder) }
    }

    /// For a column in which every row is null: making dictionaries of nothing would take the reader long.
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
                let text = |row: usize| array.is_valid(row).then(|| written(&array, row));
                let texts: Vec<Option<String>> = (0..array.len()).map(text).collect();
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

/// Rows of two sides side by side; [`NONE`] where a side has none.
#[derive(Debug, Default, Clone)]
pub struct Pairs {
    /// Rows on the left.
    pub left: Vec<u32>,
    /// Rows on the right.
    pub right: Vec<u32>,
    /// The pairs that have both rows, in order.
    pub spans: Vec<Span>,
}

/// Pairs that follow each other on both sides.
#[derive(Debug, Clone, Copy)]
pub struct Span {
    /// The first pair.
    pub pair: usize,
    /// Its row on the left.
    pub left: usize,
    /// Its row on the right.
    pub right: usize,
    /// How many there are.
    pub len: usize,
}

impl Span {
    /// The values on the left.
    pub fn of_left<'v, T>(&self, values: &'v [T]) -> &'v [T] {
        &values[self.left..self.left + self.len]
    }

    /// The values on the right.
    pub fn of_right<'v, T>(&self, values: &'v [T]) -> &'v [T] {
        &values[self.right..self.right + self.len]
    }

    /// Its pairs' part of a mask.
    fn of_mask<'m>(&self, mask: &'m mut [bool]) -> &'m mut [bool] {
        &mut mask[self.pair..self.pair + self.len]
    }
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
        let pair = self.len();
        self.left.push(left);
        self.right.push(right);
        if left == NONE || right == NONE {
            return;
        }
        let (left, right) = (left as usize, right as usize);
        match self.spans.last_mut() {
            Some(span)
                if (span.pair + span.len, span.left + span.len, span.right + span.len)
                    == (pair, left, right) =>
            {
                span.len += 1;
            }
            _ => self.spans.push(Span { pair, left, right, len: 1 }),
        }
    }

    /// Both rows, in order.
    pub fn iter(&self) -> impl Iterator<Item = (u32, u32)> + Clone {
        self.left.iter().copied().zip(self.right.iter().copied())
    }

    /// By pair, whether it has both rows and they pass.
    fn both(&self, passes: impl Fn(usize, usize) -> bool) -> Vec<bool> {
        let mut mask = vec![false; self.len()];
        for span in &self.spans {
            for (at, mask) in span.of_mask(&mut mask).iter_mut().enumerate() {
                *mask = passes(span.left + at, span.right + at);
            }
        }
        mask
    }

    /// By pair, whether it has both rows and their values are not the same.
    fn unequal<T: PartialEq>(&self, left: &[T], right: &[T]) -> Vec<bool> {
        let mut mask = vec![false; self.len()];
        for span in &self.spans {
            let (left, right) = (span.of_left(left), span.of_right(right));
            if left != right {
                let mask = span.of_mask(&mut mask).iter_mut();
                mask.zip(left.iter().zip(right)).for_each(|(mask, (a, b))| *mask = a != b);
            }
        }
        mask
    }

    /// The rows of the pairs that have both.
    pub fn matched(&self) -> impl Iterator<Item = (usize, usize)> + Clone {
        self.spans.iter().flat_map(|span| (0..span.len).map(|at| (span.left + at, span.right + at)))
    }

    /// The pairs for which `keep` is true.
    pub fn filter(&self, keep: &[bool]) -> Pairs {
        self.iter().zip(keep).filter(|(_, keep)| **keep).map(|(pair, _)| pair).collect()
    }
}

impl FromIterator<(u32, u32)> for Pairs {
    fn from_iter<I: IntoIterator<Item = (u32, u32)>>(pairs: I) -> Pairs {
        let mut collected = Pairs::default();
        pairs.into_iter().for_each(|(left, right)| collected.push(left, right));
        collected
    }
}

/// Where a mask is true, in order; what is nowhere true is passed over in strides.
pub fn true_places(mask: &[bool]) -> impl Iterator<Item = usize> {
    let (strides, rest) = mask.as_chunks::<8>();
    let of_stride = |(number, stride): (usize, &[bool; 8])| {
        let mut bits = u64::from_le_bytes(stride.map(u8::from));
        std::iter::from_fn(move || {
            let at = bits.trailing_zeros() as usize / 8;
            bits &= bits.wrapping_sub(1);
            (at < 8).then_some(8 * number + at)
        })
    };
    let first_of_rest = mask.len() - rest.len();
    let in_rest = rest.iter().enumerate().filter(|(_, is_true)| **is_true);
    strides.iter().enumerate().flat_map(of_stride).chain(in_rest.map(move |(at, _)| first_of_rest + at))
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
            let named = |texts: &Texts, names: &[u32]| -> Vec<u32> {
                let name = |code: &u32| names.get(*code as usize).copied().unwrap_or(NULL_CODE);
                texts.codes.iter().map(name).collect()
            };
            pairs.unequal(&named(a, &a_names), &named(b, &b_names))
        }
        (Column::Text(a), Column::Text(b)) if alike => pairs.both(|i, j| a.get(i) != b.get(j)),
        (Column::Bool(a), Column::Bool(b)) => pairs.both(|i, j| a[i] != b[j]),
        _ => pairs.both(|i, j| text(left, left_shape, i) != text(right, right_shape, j)),
    }
}
