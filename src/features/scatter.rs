//! Packed rows on their way to their partitions: gathered until a partition has enough of them to be
//! worth fetching into cache.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use super::Partitions;
use super::rows::{Packed, Row};

/// Rows waiting, by partition.
pub struct Scatter {
    partitions: Partitions,
    waiting: Vec<Mutex<Vec<Packed>>>,
    rows: AtomicUsize,
}

/// So many rows an account are worth a visit to all partitions.
const ROWS_AN_ACCOUNT: usize = 4;

/// Fewer rows than this may wait in any case.
const ROWS_AT_LEAST: usize = 1 << 20;

impl Scatter {
    /// Nothing waits yet.
    pub fn new(partitions: Partitions) -> Scatter {
        let waiting = (0..partitions.count()).map(|_| Mutex::default()).collect();
        Scatter { partitions, waiting, rows: AtomicUsize::new(0) }
    }

    /// Takes rows in, best in order of account: neighbours of one partition go together.
    pub fn take<'r>(&self, rows: impl Iterator<Item = Row<'r>>) {
        let mut rows = rows.peekable();
        let mut taken = 0;
        while let Some(first) = rows.peek() {
            let partition = self.partitions.of(first.account());
            let mut waiting = self.waiting[partition].lock().expect("no thread panicked");
            if !waiting.last().is_some_and(|last| last.is_like(first)) {
                waiting.push(Packed::like(first));
            }
            let last = waiting.last_mut().expect("pushed where there was none");
            while let Some(row) = rows.next_if(|row| self.partitions.of(row.account()) == partition) {
                last.push(row);
                taken += 1;
            }
        }
        self.rows.fetch_add(taken, Ordering::Relaxed);
    }

    /// Whether enough rows wait.
    pub fn is_full(&self) -> bool {
        let accounts = self.partitions.accounts(self.partitions.of_book() - 1).end as usize;
        self.rows.load(Ordering::Relaxed) >= ROWS_AT_LEAST.max(ROWS_AN_ACCOUNT * accounts)
    }

    /// Hands every partition, in parallel, the rows that wait for it.
    pub fn flush(&self, each: impl Fn(usize, &[Packed]) + Sync) {
        self.waiting.par_iter().enumerate().for_each(|(partition, waiting)| {
            let waiting = std::mem::take(&mut *waiting.lock().expect("no thread panicked"));
            if !waiting.is_empty() {
                each(partition, &waiting);
            }
        });
        self.rows.store(0, Ordering::Relaxed);
    }
}
