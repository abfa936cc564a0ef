//! Which groups rows count in. Conditions on texts are evaluated once per combination of dictionary
//! codes, all others once per row.

use std::collections::BTreeMap;

use super::plan::{BITS, Plan, Reach};
use crate::expr::column::NULL_CODE;
use crate::expr::{Column, Frame, Texts, Truths};
use crate::pieces::piece;

/// By word of groups, by row, a bit a group within reach.
pub fn masks(plan: &Plan, frame: &Frame, reach: &Reach) -> Vec<Vec<u64>> {
    let grid = Grid::new(plan, frame, reach);
    let truths = |filter: usize| (reach.filters[filter]).then(|| grid.truths(plan, frame, filter));
    let filters: Vec<Option<Truths>> = (0..plan.filters.len()).map(truths).collect();
    (0..plan.mask_words()).map(|word| of_word(word, plan, frame, reach, &grid, &filters)).collect()
}

/// Groups with one filter whose value may be missing share a pass.
fn of_word(
    word: usize,
    plan: &Plan,
    frame: &Frame,
    reach: &Reach,
    grid: &Grid,
    filters: &[Option<Truths>],
) -> Vec<u64> {
    let nullable = |value: usize| {
        frame.columns[plan.values[value].slot].filter(|column| reach.values[value] && column.has_nulls())
    };
    let mut passes: BTreeMap<(Option<usize>, Option<usize>), u64> = BTreeMap::new();
    for (bit, group) in plan.groups.iter().skip(word * BITS).take(BITS).enumerate() {
        if reach.groups[word] >> bit & 1 == 1 {
            let value = group.value.filter(|value| nullable(*value).is_some());
            *passes.entry((value, group.filter)).or_default() |= 1 << bit;
        }
    }
    let mut masks = vec![0; frame.rows];
    let passes: Vec<_> = passes.into_iter().collect();
    for passes in passes.chunk_by(|((a, _), _), ((b, _), _)| a == b) {
        let column = passes[0].0.0.and_then(nullable);
        let valid: Option<Vec<bool>> =
            column.map(|column| (0..frame.rows).map(|row| column.is_valid(row)).collect());
        let counts = |row: usize| valid.as_ref().is_none_or(|valid| valid[row]);
        let of = |filter: &Option<usize>| filter.map(|filter| filters[filter].as_ref().expect("it is read"));
        let is_on_grid = |filter: &Option<usize>| filter.is_none_or(|filter| grid.holds(plan, filter));
        let (on_grid, by_row): (Vec<&_>, Vec<&_>) = passes.iter().partition(|((_, f), _)| is_on_grid(f));
        let bits_at = |place: usize| {
            let holds = |filter: &Option<usize>| of(filter).is_none_or(|truths| truths.is_true(place));
            on_grid.iter().filter(|((_, filter), _)| holds(filter)).fold(0, |all, (_, bits)| all | bits)
        };
        let table: Vec<u64> = (0..grid.places).map(bits_at).collect();
        for (row, mask) in masks.iter_mut().enumerate() {
            *mask |= if counts(row) { table[grid.place(row)] } else { 0 };
        }
        for ((_, filter), bits) in by_row {
            let truths = of(filter).expect("without a filter it is on the grid");
            for ((row, mask), truth) in masks.iter_mut().enumerate().zip(truths.iter()) {
                *mask |= if truth && counts(row) { *bits } else { 0 };
            }
        }
    }
    masks
}

/// Every combination of the codes of some columns of text, null included.
struct Grid {
    slots: Vec<usize>,
    /// How many combinations there are.
    places: usize,
    /// By row, its combination; empty where there is but one.
    rows: Vec<u32>,
    /// By position in the scope, a column of all combinations.
    columns: Vec<Option<Column>>,
}

/// Combinations are worth it only where they are far fewer than rows.
const ROWS_A_PLACE: usize = piece(4, 1);

impl Grid {
    /// Of the columns of those conditions within reach that read texts alone, as long as it stays small.
    fn new(plan: &Plan, frame: &Frame, reach: &Reach) -> Grid {
        let mut grid = Grid { slots: Vec::new(), places: 1, rows: Vec::new(), columns: Vec::new() };
        for (filter, _) in plan.filters.iter().zip(&reach.filters).filter(|(_, is_read)| **is_read) {
            let fresh: Vec<usize> =
                filter.columns.iter().copied().filter(|slot| !grid.slots.contains(slot)).collect();
            let codes = |slot: &usize| texts(frame, *slot).map(|texts| texts.dictionary.len() + 1);
            let places = fresh.iter().try_fold(grid.places, |all, slot| all.checked_mul(codes(slot)?));
            if let Some(places) = places.filter(|places| *places <= frame.rows / ROWS_A_PLACE) {
                grid.places = places;
                grid.slots.extend(fresh);
            }
        }
        grid.lay_out(frame);
        grid
    }

    fn lay_out(&mut self, frame: &Frame) {
        self.columns = vec![None; frame.columns.len()];
        let mut step = 1;
        for slot in &self.slots {
            let texts = texts(frame, *slot).expect("a grid is of texts");
            let null = texts.dictionary.len() as u32;
            let code = |place: usize| match (place / step) as u32 % (null + 1) {
                code if code == null => NULL_CODE,
                code => code,
            };
            let codes = (0..self.places).map(code).collect();
            self.columns[*slot] = Some(Column::Text(Texts { codes, dictionary: texts.dictionary.clone() }));
            let own = texts.codes.iter().map(|code| (*code).min(null) * step as u32);
            match self.rows.is_empty() {
                true => self.rows = own.collect(),
                false => self.rows.iter_mut().zip(own).for_each(|(row, own)| *row += own),
            }
            step *= null as usize + 1;
        }
    }

    /// Whether a condition reads only columns of the grid.
    fn holds(&self, plan: &Plan, filter: usize) -> bool {
        plan.filters[filter].columns.iter().all(|slot| self.slots.contains(slot))
    }

    /// A condition's truth, by combination if the grid holds it, otherwise by row.
    fn truths(&self, plan: &Plan, frame: &Frame, filter: usize) -> Truths {
        let condition = &plan.filters[filter];
        let columns = self.columns.iter().map(Option::as_ref).collect();
        let grid = Frame { rows: self.places, columns };
        if self.holds(plan, filter) {
            return condition.truths(&grid);
        }
        // Only the rows that the texts do not rule out are looked at.
        let bound = condition.bound_by(&self.slots).truths(&grid);
        let rows: Vec<u32> =
            (0..frame.rows).filter(|row| bound.is_true(self.place(*row))).map(|row| row as u32).collect();
        if rows.len() > frame.rows / 2 {
            return condition.truths(frame);
        }
        let gather = |slot: usize| frame.columns[slot].map(|column| column.gather(&rows));
        let gathered: Vec<Option<Column>> = (0..frame.columns.len())
            .map(|slot| condition.columns.contains(&slot).then(|| gather(slot)).flatten())
            .collect();
        let columns = gathered.iter().map(Option::as_ref).collect();
        condition.truths(&Frame { rows: rows.len(), columns }).spread(&rows, frame.rows)
    }

    #[inline]
    fn place(&self, row: usize) -> usize {
        self.rows.get(row).map_or(0, |place| *place as usize)
    }
}

fn texts<'a>(frame: &Frame<'a>, slot: usize) -> Option<&'a Texts> {
    match frame.columns[slot] {
        Some(Column::Text(texts)) => Some(texts),
        _ => None,
    }
}
