//! Rows that are in the same bins of all candidates, in the order of their bins: neither the order of a sample's rows nor
//! how their weight is spread over them can change a sum.

use rayon::prelude::*;

use super::evidence::OutcomeWeights;

/// The distinct rows.
#[derive(Debug, Clone, Default)]
pub struct Cells {
    /// By candidate: the bin of every cell.
    pub bins: Vec<Vec<u8>>,
    /// By cell: what happened.
    pub counts: Vec<OutcomeWeights>,
}

impl Cells {
    /// Sorts rows by their bins and joins those that are alike; `bins` has a column a candidate.
    pub fn of(bins: &[&[u8]], rows: &[OutcomeWeights]) -> Cells {
        let mut order: Vec<u32> =
            (0..rows.len() as u32).filter(|row| rows[*row as usize].rows() > 0).collect();
        // A row's bins side by side: they are compared often.
        let width = bins.len();
        let mut keys = vec![0_u8; width * rows.len()];
        for (candidate, column) in bins.iter().enumerate() {
            for (row, bin) in column.iter().enumerate() {
                keys[row * width + candidate] = *bin;
            }
        }
        let key = |row: &u32| &keys[*row as usize * width..(*row as usize + 1) * width];
        order.par_sort_unstable_by(|a, b| key(a).cmp(key(b)));
        let mut firsts: Vec<u32> = Vec::new();
        let mut counts: Vec<OutcomeWeights> = Vec::new();
        for row in &order {
            match firsts.last().filter(|last| key(last) == key(row)) {
                Some(_) => {
                    let last = counts.len() - 1;
                    counts[last] += rows[*row as usize];
                }
                None => {
                    firsts.push(*row);
                    counts.push(rows[*row as usize]);
                }
            }
        }
        let column = |column: &&[u8]| firsts.iter().map(|row| column[*row as usize]).collect();
        Cells { bins: bins.par_iter().map(column).collect(), counts }
    }
}

/// Cells that are in the same bins of some candidates.
#[derive(Debug, Clone)]
pub struct CellGroups {
    /// By cell: its group.
    pub of_cell: Vec<u32>,
    /// By group: what happened.
    pub counts: Vec<OutcomeWeights>,
    /// By candidate that groups are made by, by group: the bin.
    pub bins: Vec<Vec<u8>>,
}

impl CellGroups {
    /// All cells in one group.
    pub fn all(cells: &Cells) -> CellGroups {
        let all = cells.counts.iter().fold(OutcomeWeights::default(), |sum, counts| sum + *counts);
        CellGroups { of_cell: vec![0; cells.counts.len()], counts: vec![all], bins: Vec::new() }
    }

    /// Groups of cells that are in the same bin of one candidate more.
    pub fn split(&self, cells: &Cells, candidate: usize) -> CellGroups {
        /// No candidate has more bins.
        const BINS: usize = 256;
        let column = &cells.bins[candidate];
        let keys = self.of_cell.iter().zip(column);
        let keys: Vec<usize> = keys.map(|(group, bin)| *group as usize * BINS + usize::from(*bin)).collect();
        let mut numbers = vec![u32::MAX; self.counts.len() * BINS];
        keys.iter().for_each(|key| numbers[*key] = 0);
        let mut bins = vec![Vec::new(); self.bins.len() + 1];
        let mut found = 0;
        for (key, number) in numbers.iter_mut().enumerate().filter(|(_, number)| **number == 0) {
            *number = found;
            found += 1;
            for (old, new) in self.bins.iter().zip(&mut bins) {
                new.push(old[key / BINS]);
            }
            bins[self.bins.len()].push((key % BINS) as u8);
        }
        let mut counts = vec![OutcomeWeights::default(); found as usize];
        let of_cell: Vec<u32> = keys.into_iter().map(|key| numbers[key]).collect();
        for (group, own) in of_cell.iter().zip(&cells.counts) {
            counts[*group as usize] += *own;
        }
        CellGroups { of_cell, counts, bins }
    }
}
