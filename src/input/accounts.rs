//! The accounts of the book: every id has a position, ascending by id.

use std::cmp::Ordering;
use std::hash::BuildHasher;
use std::sync::Arc;

use hashbrown::HashTable;

use super::account_id::Id;
use super::account_range::AccountRange;
use crate::expr::{Column, Ints, Texts, Type};
use crate::hash::HASHER;

/// Ids in ascending order; text by bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ids {
    /// Int64 ids.
    Int(Vec<i64>),
    /// Text ids.
    Text(Vec<Arc<str>>),
}

impl Ids {
    /// None, of a type.
    pub fn none(kind: Type) -> Ids {
        if kind == Type::Text { Ids::Text(Vec::new()) } else { Ids::Int(Vec::new()) }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Ids::Int(ids) => ids.len(),
            Ids::Text(ids) => ids.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One of them.
    pub fn get(&self, position: usize) -> Id {
        match self {
            Ids::Int(ids) => Id::Int(ids[position]),
            Ids::Text(ids) => Id::Text(ids[position].clone()),
        }
    }

    /// Those at some positions.
    pub fn gather(&self, positions: &[u32]) -> Ids {
        match self {
            Ids::Int(ids) => Ids::Int(positions.iter().map(|position| ids[*position as usize]).collect()),
            Ids::Text(ids) => {
                Ids::Text(positions.iter().map(|position| ids[*position as usize].clone()).collect())
            }
        }
    }

    /// All of them, a row each.
    pub fn to_column(&self) -> Column {
        match self {
            Ids::Int(ids) => Column::Int(Ints::all(ids.clone())),
            Ids::Text(ids) => {
                Column::Text(Texts { codes: (0..ids.len() as u32).collect(), dictionary: ids.clone().into() })
            }
        }
    }

    /// These and others, each once.
    pub fn union(self, others: &Ids) -> Ids {
        fn union<T: Ord + Clone>(mut all: Vec<T>, others: &[T]) -> Vec<T> {
            if all != others {
                all.extend_from_slice(others);
                // This sort makes use of what is in order already.
                all.sort();
                all.dedup();
            }
            all
        }
        match (self, others) {
            (Ids::Int(all), Ids::Int(others)) => Ids::Int(union(all, others)),
            (Ids::Text(all), Ids::Text(others)) => Ids::Text(union(all, others)),
            (all, _) => all,
        }
    }

    /// The id as text, whatever its type.
    pub fn text(&self, position: usize) -> String {
        match self {
            Ids::Int(ids) => ids[position].to_string(),
            Ids::Text(ids) => ids[position].to_string(),
        }
    }

    /// The type of an id column.
    pub fn kind(&self) -> Type {
        match self {
            Ids::Int(_) => Type::Int,
            Ids::Text(_) => Type::Text,
        }
    }
}

/// The accounts with at least one accepted line.
pub struct Accounts {
    /// Ascending, each once.
    pub ids: Ids,
    /// The ids of which these are the book's: rows of others are not this process's to look at.
    pub range: AccountRange,
    /// Of integers.
    steps: Steps,
    /// Of texts.
    table: HashTable<u32>,
}

/// The position of an id that is not in the book.
pub const OFF_BOOK: u32 = u32::MAX;

impl Accounts {
    /// Indexes ids that are ascending and distinct.
    pub fn new(ids: Ids) -> Accounts {
        let (mut steps, mut table) = (Steps::default(), HashTable::new());
        match &ids {
            Ids::Int(ids) => steps = Steps::new(ids),
            Ids::Text(ids) => {
                table.reserve(ids.len(), |position| text_hash(&ids[*position as usize]));
                for (position, id) in (0..).zip(ids) {
                    table.insert_unique(text_hash(id), position, |known| text_hash(&ids[*known as usize]));
                }
            }
        }
        Accounts { ids, range: AccountRange::default(), steps, table }
    }

    /// Likewise, where only a range of ids is computed.
    pub fn within(ids: Ids, range: AccountRange) -> Accounts {
        Accounts { range, ..Accounts::new(ids) }
    }

    /// How many accounts there are.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// The position of each row's id; [`OFF_BOOK`] where it is null or not in the book.
    pub fn positions(&self, column: &Column) -> Vec<u32> {
        match (&self.ids, column) {
            (Ids::Int(ids), Column::Int(ints)) => {
                if ints.valid.is_none() {
                    return ints.values.iter().map(|id| self.find_int(ids, *id)).collect();
                }
                let rows = 0..ints.values.len();
                rows.map(|row| ints.get(row).map_or(OFF_BOOK, |id| self.find_int(ids, *id))).collect()
            }
            (Ids::Text(ids), Column::Text(texts)) => {
                let by_code: Vec<u32> = texts.dictionary.iter().map(|id| self.find_text(ids, id)).collect();
                texts
                    .codes
                    .iter()
                    .map(|code| by_code.get(*code as usize).copied().unwrap_or(OFF_BOOK))
                    .collect()
            }
            _ => vec![OFF_BOOK; column.len()],
        }
    }

    /// How many accounts come before an id, whether it is in the book or not.
    pub fn before(&self, id: &Id) -> u32 {
        (match (&self.ids, id) {
            (Ids::Int(ids), Id::Int(id)) => self.steps.before(ids, *id),
            (Ids::Text(ids), Id::Text(id)) => ids.partition_point(|known| known < id),
            _ => 0,
        }) as u32
    }

    /// The position of an id given as text, if it is in the book.
    pub fn find_named(&self, id: &str) -> Option<u32> {
        let position = match &self.ids {
            Ids::Int(ids) => self.find_int(ids, id.parse().ok()?),
            Ids::Text(ids) => self.find_text(ids, id),
        };
        (position != OFF_BOOK).then_some(position)
    }

    #[inline]
    fn find_int(&self, ids: &[i64], id: i64) -> u32 {
        let position = self.steps.before(ids, id);
        if ids.get(position) == Some(&id) { position as u32 } else { OFF_BOOK }
    }

    fn find_text(&self, ids: &[Arc<str>], id: &str) -> u32 {
        let found = self.table.find(text_hash(id), |position| *ids[*position as usize] == *id);
        found.copied().unwrap_or(OFF_BOOK)
    }
}

fn text_hash(id: &str) -> u64 {
    HASHER.hash_one(id.as_bytes())
}

/// Ascending integers by equal steps of their span: the few of a step are looked at one by one.
#[derive(Default)]
struct Steps {
    first: i64,
    /// A step is so many bits wide.
    bits: u32,
    /// By step, how many integers come before it; and how many there are.
    starts: Vec<u32>,
}

/// About so many steps for an integer: most hold one or none.
const STEPS_AN_ID: usize = 4;

/// More than this are searched by halves.
const FEW: usize = 8;

impl Steps {
    fn new(ids: &[i64]) -> Steps {
        let (Some(first), Some(last)) = (ids.first(), ids.last()) else { return Steps::default() };
        let span = last.wrapping_sub(*first) as u64;
        // About as many steps as a power of two that is near so many for an id.
        let bits = bit_length(span).saturating_sub(bit_length((STEPS_AN_ID * ids.len()) as u64) - 1);
        let mut starts = vec![0; (span >> bits) as usize + 2];
        ids.iter().for_each(|id| starts[(id.wrapping_sub(*first) as u64 >> bits) as usize + 1] += 1);
        (1..starts.len()).for_each(|step| starts[step] += starts[step - 1]);
        Steps { first: *first, bits, starts }
    }

    /// How many of the integers are below one.
    #[inline]
    fn before(&self, ids: &[i64], id: i64) -> usize {
        if id < self.first {
            return 0;
        }
        let step = (id.wrapping_sub(self.first) as u64 >> self.bits) as usize;
        let Some(&[start, end]) = self.starts.get(step..).and_then(|steps| steps.first_chunk()) else {
            return ids.len();
        };
        // Mostly it is the first of its step.
        if ids.get(start as usize).is_none_or(|first| *first >= id) {
            return start as usize;
        }
        let (start, own) = (start as usize, &ids[start as usize..end as usize]);
        if own.len() > FEW {
            return start + own.partition_point(|own| *own < id);
        }
        start + own.iter().take_while(|own| **own < id).count()
    }
}

fn bit_length(number: u64) -> u32 {
    u64::BITS - number.leading_zeros()
}

/// Orders two rows of an id column (neither null), as outputs are sorted.
pub fn compare_ids(column: &Column, a: usize, b: usize) -> Ordering {
    match column {
        Column::Int(ints) => ints.values[a].cmp(&ints.values[b]),
        Column::Text(texts) => texts.get(a).cmp(&texts.get(b)),
        _ => Ordering::Equal,
    }
}

/// The distinct ids of the rows, which are sorted.
pub fn distinct_ids(column: &Column, sorted_rows: &[u32]) -> Ids {
    let mut rows: Vec<usize> = sorted_rows.iter().map(|row| *row as usize).collect();
    rows.dedup_by(|a, b| compare_ids(column, *a, *b).is_eq());
    match column {
        Column::Text(texts) => {
            let codes = rows.into_iter().map(|row| texts.codes[row] as usize);
            Ids::Text(codes.map(|code| texts.dictionary[code].clone()).collect())
        }
        Column::Int(ints) => Ids::Int(rows.into_iter().map(|row| ints.values[row]).collect()),
        _ => Ids::Int(Vec::new()),
    }
}

/// A row's id as text; `None` where null.
pub fn id_text(column: &Column, row: usize) -> Option<String> {
    match column {
        Column::Int(ints) => ints.get(row).map(i64::to_string),
        Column::Text(texts) => texts.get(row).map(str::to_string),
        _ => None,
    }
}
