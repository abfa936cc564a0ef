//! Columns of values: what expressions read and what they yield.
//!
//! Integers are mathematical integers: a column starts out as `i64` and is widened as a whole where
//! an intermediate does not fit, so the order of evaluation cannot matter. Truth values are three:
//! false < unknown < true, which makes `and` a minimum and `or` a maximum.

use std::ops::Range;
use std::sync::Arc;

use num_bigint::BigInt;

use crate::hash;

/// The type of a column or expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// Integers; money in minor units.
    Int,
    /// Text, compared by bytes.
    Text,
    /// True, false or unknown.
    Bool,
    /// Days since 1970-01-01.
    Date,
    /// Fits anything: the literal `null`, or a column whose input could not be looked at.
    Any,
}

impl Type {
    /// The name used in messages.
    pub fn name(self) -> &'static str {
        match self {
            Type::Int => "integer",
            Type::Text => "text",
            Type::Bool => "Boolean",
            Type::Date => "date",
            Type::Any => "null",
        }
    }

    /// The type both can be taken as, if there is one.
    pub fn unify(self, other: Type) -> Option<Type> {
        match (self, other) {
            (Type::Any, t) | (t, Type::Any) => Some(t),
            (a, b) => (a == b).then_some(a),
        }
    }
}

/// Three-valued truth as a byte, ordered false < unknown < true.
pub const FALSE: u8 = 0;
/// Neither true nor false.
pub const UNKNOWN: u8 = 1;
/// See [`FALSE`].
pub const TRUE: u8 = 2;

/// The code of a null in [`Texts`].
pub const NULL_CODE: u32 = u32::MAX;

/// Integers with nulls; `valid` is `None` where none is null.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ints<T = i64> {
    /// One value a row; arbitrary where null.
    pub values: Vec<T>,
    /// False where null.
    pub valid: Option<Vec<bool>>,
}

impl<T> Ints<T> {
    /// A column without nulls.
    pub fn all(values: Vec<T>) -> Self {
        Ints { values, valid: None }
    }

    /// Whether the row holds a value.
    #[inline]
    pub fn is_valid(&self, row: usize) -> bool {
        self.valid.as_ref().is_none_or(|valid| valid[row])
    }

    /// The row's value, `None` where null.
    #[inline]
    pub fn get(&self, row: usize) -> Option<&T> {
        self.is_valid(row).then(|| &self.values[row])
    }
}

impl<T: Default> FromIterator<Option<T>> for Ints<T> {
    fn from_iter<I: IntoIterator<Item = Option<T>>>(items: I) -> Self {
        let (values, valid): (Vec<T>, Vec<bool>) = items
            .into_iter()
            .map(|item| {
                let valid = item.is_some();
                (item.unwrap_or_default(), valid)
            })
            .unzip();
        let valid = (!valid.iter().all(|v| *v)).then_some(valid);
        Ints { values, valid }
    }
}

/// Text as codes into a dictionary; the dictionary may name a value twice.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Texts {
    /// One code a row; [`NULL_CODE`] where null.
    pub codes: Vec<u32>,
    /// What the codes stand for.
    pub dictionary: Arc<Vec<Arc<str>>>,
}

impl Texts {
    /// The row's text, `None` where null.
    #[inline]
    pub fn get(&self, row: usize) -> Option<&str> {
        match self.codes[row] {
            NULL_CODE => None,
            code => Some(&self.dictionary[code as usize]),
        }
    }

    /// The same, to keep.
    pub fn shared(&self, row: usize) -> Option<Arc<str>> {
        self.dictionary.get(self.codes[row] as usize).cloned()
    }

    /// A run of rows.
    pub fn slice(&self, rows: Range<usize>) -> Texts {
        Texts { codes: self.codes[rows].to_vec(), dictionary: self.dictionary.clone() }
    }
}

impl<'a> FromIterator<Option<&'a str>> for Texts {
    fn from_iter<I: IntoIterator<Item = Option<&'a str>>>(items: I) -> Self {
        let mut known = hash::Map::<&str, u32>::default();
        let mut dictionary = Vec::new();
        let codes = items
            .into_iter()
            .map(|item| match item {
                None => NULL_CODE,
                Some(text) => *known.entry(text).or_insert_with(|| {
                    dictionary.push(Arc::from(text));
                    (dictionary.len() - 1) as u32
                }),
            })
            .collect();
        Texts { codes, dictionary: Arc::new(dictionary) }
    }
}

/// A dictionary of texts that grows: every name has a code.
#[derive(Debug, Default)]
pub struct Dictionary {
    names: Vec<Arc<str>>,
    codes: hash::Map<Arc<str>, u32>,
}

impl Dictionary {
    /// Those of texts that there are.
    pub fn of(texts: &Texts) -> Dictionary {
        let names = texts.dictionary.to_vec();
        Dictionary { codes: names.iter().cloned().zip(0..).collect(), names }
    }

    /// The code of a name.
    pub fn code(&mut self, name: &Arc<str>) -> u32 {
        *self.codes.entry(name.clone()).or_insert_with(|| {
            self.names.push(name.clone());
            (self.names.len() - 1) as u32
        })
    }

    /// All names, by code.
    pub fn into_names(self) -> Arc<Vec<Arc<str>>> {
        Arc::new(self.names)
    }
}

/// A column of values of one type.
#[derive(Debug, Clone, PartialEq)]
pub enum Column {
    /// Integers, or dates as days.
    Int(Ints),
    /// Integers some of which need more than 64 bits. Only evaluation makes these.
    Wide(Ints<BigInt>),
    /// Text.
    Text(Texts),
    /// [`FALSE`], [`UNKNOWN`] or [`TRUE`].
    Bool(Vec<u8>),
}

impl Column {
    /// How many rows the column has.
    pub fn len(&self) -> usize {
        match self {
            Column::Int(ints) => ints.values.len(),
            Column::Wide(ints) => ints.values.len(),
            Column::Text(texts) => texts.codes.len(),
            Column::Bool(truths) => truths.len(),
        }
    }

    /// Whether it has no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the row holds a value.
    pub fn is_valid(&self, row: usize) -> bool {
        match self {
            Column::Int(ints) => ints.is_valid(row),
            Column::Wide(ints) => ints.is_valid(row),
            Column::Text(texts) => texts.codes[row] != NULL_CODE,
            Column::Bool(truths) => truths[row] != UNKNOWN,
        }
    }

    /// Whether some row holds no value.
    pub fn has_nulls(&self) -> bool {
        match self {
            Column::Int(ints) => ints.valid.is_some(),
            Column::Wide(ints) => ints.valid.is_some(),
            Column::Text(texts) => texts.codes.contains(&NULL_CODE),
            Column::Bool(truths) => truths.contains(&UNKNOWN),
        }
    }

    /// A run of rows.
    pub fn slice(&self, rows: Range<usize>) -> Column {
        match self {
            Column::Text(texts) => Column::Text(texts.slice(rows)),
            Column::Int(ints) => Column::Int(Ints {
                values: ints.values[rows.clone()].to_vec(),
                valid: ints.valid.as_ref().map(|valid| valid[rows].to_vec()),
            }),
            Column::Bool(truths) => Column::Bool(truths[rows].to_vec()),
            Column::Wide(ints) => Column::Wide(Ints {
                values: ints.values[rows.clone()].to_vec(),
                valid: ints.valid.as_ref().map(|valid| valid[rows].to_vec()),
            }),
        }
    }

    /// The rows named by `rows`, in that order.
    pub fn gather(&self, rows: &[u32]) -> Column {
        match self {
            Column::Int(ints) => Column::Int(gather_ints(ints, rows)),
            Column::Wide(ints) => Column::Wide(gather_ints(ints, rows)),
            Column::Text(texts) => Column::Text(Texts {
                codes: rows.iter().map(|row| texts.codes[*row as usize]).collect(),
                dictionary: texts.dictionary.clone(),
            }),
            Column::Bool(truths) => Column::Bool(rows.iter().map(|row| truths[*row as usize]).collect()),
        }
    }
}

/// Lays columns of one type end to end; text gets one dictionary without repeats.
pub fn concat(parts: Vec<Column>) -> Column {
    let mut rest = parts.into_iter();
    let rows: usize = rest.as_slice().iter().map(Column::len).sum();
    let Some(mut first) = rest.next() else { return Column::Int(Ints::all(Vec::new())) };
    if let Column::Int(ints) = &mut first {
        ints.values.reserve_exact(rows - ints.values.len());
    }
    match first {
        Column::Text(first) => {
            let parts: Vec<Texts> = std::iter::once(first).chain(rest.filter_map(as_texts)).collect();
            Column::Text(concat_texts(&parts))
        }
        first => rest.fold(first, |all, part| match (all, part) {
            (Column::Int(mut all), Column::Int(part)) => {
                append(&mut all, part);
                Column::Int(all)
            }
            (Column::Bool(all), Column::Bool(part)) => Column::Bool([all, part].concat()),
            _ => unreachable!("parts are of one type"),
        }),
    }
}

fn as_texts(column: Column) -> Option<Texts> {
    match column {
        Column::Text(texts) => Some(texts),
        _ => None,
    }
}

/// Adds rows at the end.
fn append(all: &mut Ints, part: Ints) {
    let before = all.values.len();
    all.values.extend(part.values);
    if all.valid.is_some() || part.valid.is_some() {
        let valid = all.valid.get_or_insert_with(|| vec![true; before]);
        valid.extend(part.valid.unwrap_or_default());
        valid.resize(all.values.len(), true);
    }
}

fn concat_texts(parts: &[Texts]) -> Texts {
    let mut dictionary = Dictionary::default();
    let mut codes = Vec::with_capacity(parts.iter().map(|part| part.codes.len()).sum());
    for part in parts {
        let renamed: Vec<u32> = part.dictionary.iter().map(|name| dictionary.code(name)).collect();
        if renamed.iter().copied().eq(0..renamed.len() as u32) {
            codes.extend_from_slice(&part.codes);
            continue;
        }
        codes.extend(part.codes.iter().map(|code| renamed.get(*code as usize).copied().unwrap_or(NULL_CODE)));
    }
    Texts { codes, dictionary: dictionary.into_names() }
}

fn gather_ints<T: Clone>(ints: &Ints<T>, rows: &[u32]) -> Ints<T> {
    Ints {
        values: rows.iter().map(|row| ints.values[*row as usize].clone()).collect(),
        valid: ints.valid.as_ref().map(|valid| rows.iter().map(|row| valid[*row as usize]).collect()),
    }
}
