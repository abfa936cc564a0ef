//! The accounts of the book: every id has a position, ascending by id.

use std::cmp::Ordering;
use std::hash::BuildHasher;
use std::sync::{Arc, Mutex};

use foldhash::fast::FixedState;
use hashbrown::{HashMap, HashTable};

use crate::expr::{Column, Ints, Type};

/// Ids in ascending order; text by bytes.
#[derive(Debug, Clone)]
pub enum Ids {
    /// Int64 ids.
    Int(Vec<i64>),
    /// Text ids.
    Text(Vec<Arc<str>>),
}

impl Ids {
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
    table: HashTable<u32>,
}

/// An id by itself.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Id {
    /// Int64.
    Int(i64),
    /// Text.
    Text(Arc<str>),
}

/// Ids that are not in the book, numbered in the order in which they are met: numbers stand for identity
/// only.
#[derive(Default)]
pub struct Strangers {
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    numbers: HashMap<Id, u32, FixedState>,
    ids: Vec<Id>,
}

impl Strangers {
    /// The number of a row's id, which is not null.
    pub fn number(&self, column: &Column, row: usize) -> u32 {
        self.number_of(match column {
            Column::Text(texts) => Id::Text(texts.dictionary[texts.codes[row] as usize].clone()),
            Column::Int(ints) => Id::Int(ints.values[row]),
            _ => unreachable!("ids are integers or text"),
        })
    }

    /// The number of an id.
    pub fn number_of(&self, id: Id) -> u32 {
        let mut known = self.known.lock().expect("no thread panicked");
        let next = known.ids.len() as u32;
        let number = *known.numbers.entry(id.clone()).or_insert(next);
        if number == next {
            known.ids.push(id);
        }
        number
    }

    /// How many have been met.
    pub fn len(&self) -> usize {
        self.known.lock().expect("no thread panicked").ids.len()
    }

    /// Whether none has.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All ids, by number.
    pub fn into_ids(self) -> Vec<Id> {
        self.known.into_inner().expect("no thread panicked").ids
    }
}

/// The position of an id that is not in the book.
pub const STRANGER: u32 = u32::MAX;

/// Fixed, so that nothing depends on a seed.
const HASHER: FixedState = FixedState::with_seed(0);

impl Accounts {
    /// Indexes ids that are ascending and distinct.
    pub fn new(ids: Ids) -> Accounts {
        let mut table = HashTable::with_capacity(ids.len());
        match &ids {
            Ids::Int(ids) => fill(&mut table, ids, |id| HASHER.hash_one(*id)),
            Ids::Text(ids) => fill(&mut table, ids, |id| HASHER.hash_one(id.as_bytes())),
        }
        Accounts { ids, table }
    }

    /// How many accounts there are.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// The position of each row's id; [`STRANGER`] where it is null or not in the book.
    pub fn positions(&self, column: &Column) -> Vec<u32> {
        match (&self.ids, column) {
            (Ids::Int(ids), Column::Int(ints)) => self.find_ints(ids, ints),
            (Ids::Text(ids), Column::Text(texts)) => {
                let by_code: Vec<u32> = texts.dictionary.iter().map(|id| self.find_text(ids, id)).collect();
                texts
                    .codes
                    .iter()
                    .map(|code| by_code.get(*code as usize).copied().unwrap_or(STRANGER))
                    .collect()
            }
            _ => vec![STRANGER; column.len()],
        }
    }

    /// The position of an id, if it is in the book.
    pub fn find(&self, id: &Id) -> Option<u32> {
        let position = match (&self.ids, id) {
            (Ids::Int(ids), Id::Int(id)) => self.find_int(ids, *id),
            (Ids::Text(ids), Id::Text(id)) => self.find_text(ids, id),
            _ => STRANGER,
        };
        (position != STRANGER).then_some(position)
    }

    /// The position of an id given as text, if it is in the book.
    pub fn find_named(&self, id: &str) -> Option<u32> {
        let position = match &self.ids {
            Ids::Int(ids) => self.find_int(ids, id.parse().ok()?),
            Ids::Text(ids) => self.find_text(ids, id),
        };
        (position != STRANGER).then_some(position)
    }

    /// The positions of ids that tend to ascend: the next is looked for close after the one before.
    fn find_ints(&self, ids: &[i64], column: &Ints) -> Vec<u32> {
        const NEAR: usize = 8;
        const BLOCKS: usize = 16;
        let mut next = 0;
        let mut find = |id: i64| {
            let is_ahead = ids.get(next).is_some_and(|first| *first <= id);
            for near in ids[next..].chunks_exact(NEAR).take(if is_ahead { BLOCKS } else { 0 }) {
                if near[NEAR - 1] < id {
                    next += NEAR;
                    continue;
                }
                // Counting all of them takes no branch that depends on the data.
                next += near.iter().map(|near| usize::from(*near < id)).sum::<usize>();
                return if ids[next] == id { next as u32 } else { STRANGER };
            }
            let position = self.find_int(ids, id);
            if position != STRANGER {
                next = position as usize;
            }
            position
        };
        if column.valid.is_none() {
            return column.values.iter().map(|id| find(*id)).collect();
        }
        let find = |row: usize| column.get(row).map_or(STRANGER, |id| find(*id));
        (0..column.values.len()).map(find).collect()
    }

    #[inline]
    fn find_int(&self, ids: &[i64], id: i64) -> u32 {
        let found = self.table.find(HASHER.hash_one(id), |position| ids[*position as usize] == id);
        found.copied().unwrap_or(STRANGER)
    }

    fn find_text(&self, ids: &[Arc<str>], id: &str) -> u32 {
        let hash = HASHER.hash_one(id.as_bytes());
        self.table.find(hash, |position| *ids[*position as usize] == *id).copied().unwrap_or(STRANGER)
    }
}

fn fill<T>(table: &mut HashTable<u32>, ids: &[T], hash: impl Fn(&T) -> u64) {
    for (position, id) in ids.iter().enumerate() {
        table.insert_unique(hash(id), position as u32, |other| hash(&ids[*other as usize]));
    }
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
            let id = |row: usize| texts.dictionary[texts.codes[row] as usize].clone();
            Ids::Text(rows.into_iter().map(id).collect())
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
