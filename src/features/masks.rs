//! Which groups rows count in. Rows that count in the same groups are of one pattern; patterns are numbered.
//! Conditions on texts are evaluated once per combination of dictionary codes, all others once per row.

use std::borrow::Cow;
use std::hash::BuildHasher;
use std::sync::Arc;

use hashbrown::HashTable;

use super::plan::{BITS, FeaturePlan, Group, Reach};
use crate::expr::column::NULL_CODE;
use crate::expr::{Column, Expr, Frame, Ints, Texts};
use crate::hash::HASHER;
use crate::pieces::piece;

/// What rows are sifted by whose texts have the same dictionaries: conditions on texts alone are decided once for
/// all of them.
pub struct Sieve {
    grid: Grid,
    /// By combination of texts, the pattern that they alone come to.
    of_texts: Vec<u32>,
    /// What a row may bear out besides.
    steps: Vec<SieveStep>,
    patterns: Patterns,
}

/// What changes the pattern of a row.
struct SieveStep {
    cause: Cause,
    /// The groups it bears on, by word, a bit each.
    groups: Vec<u64>,
    /// By pattern before it, the pattern after it, or [`UNKNOWN`].
    next: Vec<u32>,
}

enum Cause {
    /// A condition that reads more than texts holds; by combination of texts, whether it may.
    Holds { filter: usize, may_hold: Vec<bool> },
    /// A value of the plan is null: what takes it does not count.
    Lacks { value: usize },
}

/// A pattern that has not been looked for.
const UNKNOWN: u32 = u32::MAX;

/// With more patterns than this a sieve is not used again.
const MOST_PATTERNS: usize = piece(1 << 12, 4);

/// The pattern of rows that count nowhere.
pub const NOWHERE: u32 = 0;

impl Sieve {
    /// That of the dictionaries of a frame.
    pub fn new(plan: &FeaturePlan, frame: &Frame, reach: &Reach) -> Sieve {
        let grid = Grid::new(plan, frame, reach);
        let of_grid = grid.frame();
        let mut masks = vec![vec![0; plan.mask_words()]; grid.combinations];
        let mut steps = Vec::new();
        let filters = (0..plan.filters.len()).filter(|filter| reach.filters[*filter]).map(Some);
        for filter in filters.chain([None]) {
            let groups = groups(plan, reach, |group| group.filter == filter);
            if let Some(filter) = filter.filter(|filter| !grid.holds(plan, *filter)) {
                let may_hold = truths(&plan.filters[filter].bound_by(&grid.slots), &of_grid);
                steps.push(SieveStep { cause: Cause::Holds { filter, may_hold }, groups, next: Vec::new() });
                continue;
            }
            let holds = filter.map(|filter| truths(&plan.filters[filter], &of_grid));
            let holds = holds.unwrap_or(vec![true; grid.combinations]);
            for (mask, _) in masks.iter_mut().zip(holds).filter(|(_, holds)| *holds) {
                mask.iter_mut().zip(&groups).for_each(|(word, bits)| *word |= bits);
            }
        }
        for value in (0..plan.values.len()).filter(|value| reach.values[*value]) {
            let groups = groups(plan, reach, |group| group.value == Some(value));
            steps.push(SieveStep { cause: Cause::Lacks { value }, groups, next: Vec::new() });
        }
        let mut patterns = Patterns::new(plan.mask_words());
        let of_texts = masks.iter().map(|mask| patterns.number(mask)).collect();
        Sieve { grid, of_texts, steps, patterns }
    }

    /// Whether it can be used again: the frame's texts have the same dictionaries.
    pub fn suits(&self, frame: &Frame) -> bool {
        let is_same =
            self.grid.slots.iter().all(|slot| match (&self.grid.columns[*slot], frame.columns[*slot]) {
                (Some(Column::Text(own)), Some(Column::Text(texts))) => {
                    Arc::ptr_eq(&own.dictionary, &texts.dictionary)
                }
                _ => false,
            });
        is_same && self.patterns.len() <= MOST_PATTERNS
    }

    /// Puts the pattern of each row in place of what there is; `values` are those of the plan, where they are read.
    pub fn sift(
        &mut self,
        plan: &FeaturePlan,
        frame: &Frame,
        values: &[Option<Cow<Column>>],
        patterns: &mut Vec<u32>,
    ) {
        let combinations = self.grid.combinations_of(frame);
        patterns.clear();
        patterns.resize(frame.rows, self.of_texts[0]);
        let texts = patterns.iter_mut().zip(&combinations);
        texts.for_each(|(pattern, combination)| *pattern = self.of_texts[*combination as usize]);
        for SieveStep { cause, groups, next } in &mut self.steps {
            for row in cause.rows(plan, frame, values, &combinations) {
                let pattern = &mut patterns[row as usize];
                if next.len() <= *pattern as usize {
                    next.resize(self.patterns.len(), UNKNOWN);
                }
                let next = &mut next[*pattern as usize];
                if *next == UNKNOWN {
                    let mask = self.patterns.mask(*pattern).iter().zip(&*groups);
                    let mask: Vec<u64> = match cause {
                        Cause::Holds { .. } => mask.map(|(word, bits)| word | bits).collect(),
                        Cause::Lacks { .. } => mask.map(|(word, bits)| word & !bits).collect(),
                    };
                    *next = self.patterns.number(&mask);
                }
                *pattern = *next;
            }
        }
    }

    /// The patterns met so far.
    pub fn patterns(&self) -> &Patterns {
        &self.patterns
    }
}

impl Cause {
    /// The rows that it bears on.
    fn rows(
        &self,
        plan: &FeaturePlan,
        frame: &Frame,
        values: &[Option<Cow<Column>>],
        combinations: &[u32],
    ) -> Vec<u32> {
        match self {
            Cause::Holds { filter, may_hold } => {
                // Only the rows that the texts do not rule out are looked at.
                let rows = rows_where(frame.rows, |row| {
                    may_hold[combinations.get(row).map_or(0, |combination| *combination as usize)]
                });
                let condition = &plan.filters[*filter];
                let gathered = frame.columns.iter().enumerate().map(|(slot, column)| {
                    let column = column.filter(|_| condition.columns.contains(&slot));
                    column.map(|column| column.gather(&rows))
                });
                let gathered: Vec<Option<Column>> = gathered.collect();
                let columns = gathered.iter().map(Option::as_ref).collect();
                let truths = condition.truths(&Frame { rows: rows.len(), columns });
                rows.iter().zip(truths.iter()).filter(|(_, holds)| *holds).map(|(row, _)| *row).collect()
            }
            Cause::Lacks { value } => {
                let column = values[*value].as_deref().expect("what groups take is read");
                match column {
                    Column::Int(Ints { valid: Some(valid), .. }) => rows_where(frame.rows, |row| !valid[row]),
                    Column::Text(texts) => rows_where(frame.rows, |row| texts.codes[row] == NULL_CODE),
                    column if column.has_nulls() => rows_where(frame.rows, |row| !column.is_valid(row)),
                    _ => Vec::new(),
                }
            }
        }
    }
}

/// By row of a frame, whether a condition is true.
fn truths(condition: &Expr, frame: &Frame) -> Vec<bool> {
    condition.truths(frame).iter().collect()
}

/// The rows that pass. What passes is hard to foresee: no branch depends on it.
fn rows_where(rows: usize, passes: impl Fn(usize) -> bool) -> Vec<u32> {
    let mut found = vec![0; rows + 1];
    let mut end = 0;
    for row in 0..rows {
        found[end] = row as u32;
        end += usize::from(passes(row));
    }
    found.truncate(end);
    found
}

/// The groups within reach that pass, by word, a bit each.
fn groups(plan: &FeaturePlan, reach: &Reach, passes: impl Fn(&Group) -> bool) -> Vec<u64> {
    let mut words = vec![0; plan.mask_words()];
    for (number, group) in plan.groups.iter().enumerate() {
        words[number / BITS] |= u64::from(passes(group)) << (number % BITS);
    }
    words.iter_mut().zip(&reach.groups).for_each(|(word, reached)| *word &= reached);
    words
}

/// Words of groups, a bit each, numbered; the first has none.
pub struct Patterns {
    masks: Vec<u64>,
    mask_words: usize,
    known: HashTable<u32>,
}

impl Patterns {
    fn new(mask_words: usize) -> Patterns {
        let mut patterns = Patterns { masks: Vec::new(), mask_words, known: HashTable::new() };
        patterns.number(&vec![0; mask_words]);
        patterns
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// The words of a pattern.
    pub fn mask(&self, pattern: u32) -> &[u64] {
        &self.masks[pattern as usize * self.mask_words..][..self.mask_words]
    }

    fn number(&mut self, mask: &[u64]) -> u32 {
        let hash = HASHER.hash_one(mask);
        if let Some(known) = self.known.find(hash, |pattern| self.mask(*pattern) == mask) {
            return *known;
        }
        let next = self.len() as u32;
        self.masks.extend(mask);
        let Patterns { masks, mask_words, known } = self;
        known.insert_unique(hash, next, |pattern| {
            HASHER.hash_one(&masks[*pattern as usize * *mask_words..][..*mask_words])
        });
        next
    }
}

/// Every combination of the codes of some columns of text, null included.
struct Grid {
    slots: Vec<usize>,
    /// How many combinations there are.
    combinations: usize,
    /// By position in the scope, a column of all combinations.
    columns: Vec<Option<Column>>,
}

/// Combinations are worth it only where they are far fewer than rows.
const ROWS_A_COMBINATION: usize = piece(4, 1);

impl Grid {
    /// Of the columns of those conditions within reach that read texts alone, as long as it stays small.
    fn new(plan: &FeaturePlan, frame: &Frame, reach: &Reach) -> Grid {
        let mut grid = Grid { slots: Vec::new(), combinations: 1, columns: vec![None; frame.columns.len()] };
        for (filter, _) in plan.filters.iter().zip(&reach.filters).filter(|(_, is_read)| **is_read) {
            let fresh: Vec<usize> =
                filter.columns.iter().copied().filter(|slot| !grid.slots.contains(slot)).collect();
            let combinations = fresh.iter().try_fold(grid.combinations, |all, slot| {
                // Null is one more than the codes of the dictionary.
                all.checked_mul(texts(frame, *slot)?.dictionary.len() + 1)
            });
            if let Some(combinations) = combinations.filter(|all| *all <= frame.rows / ROWS_A_COMBINATION) {
                grid.combinations = combinations;
                grid.slots.extend(fresh);
            }
        }
        grid.lay_out(frame);
        grid
    }

    fn lay_out(&mut self, frame: &Frame) {
        let mut step = 1;
        for slot in &self.slots {
            let texts = texts(frame, *slot).expect("a grid is of texts");
            let null = texts.dictionary.len() as u32;
            let codes = (0..self.combinations).map(|combination| {
                let code = (combination / step) as u32 % (null + 1);
                if code == null { NULL_CODE } else { code }
            });
            let (codes, dictionary) = (codes.collect(), texts.dictionary.clone());
            self.columns[*slot] = Some(Column::Text(Texts { codes, dictionary }));
            step *= null as usize + 1;
        }
    }

    fn frame(&self) -> Frame<'_> {
        Frame { rows: self.combinations, columns: self.columns.iter().map(Option::as_ref).collect() }
    }

    /// By row, its combination; empty where there is but one.
    fn combinations_of(&self, frame: &Frame) -> Vec<u32> {
        let mut combinations = Vec::new();
        let mut step = 1;
        for slot in &self.slots {
            let texts = texts(frame, *slot).expect("a grid is of texts");
            let null = texts.dictionary.len() as u32;
            let own = texts.codes.iter().map(|code| (*code).min(null) * step);
            if combinations.is_empty() {
                combinations = own.collect();
            } else {
                combinations.iter_mut().zip(own).for_each(|(combination, own)| *combination += own);
            }
            step *= null + 1;
        }
        combinations
    }

    /// Whether a condition reads only columns of the grid.
    fn holds(&self, plan: &FeaturePlan, filter: usize) -> bool {
        plan.filters[filter].columns.iter().all(|slot| self.slots.contains(slot))
    }
}

fn texts<'a>(frame: &Frame<'a>, slot: usize) -> Option<&'a Texts> {
    match frame.columns[slot] {
        Some(Column::Text(texts)) => Some(texts),
        _ => None,
    }
}
