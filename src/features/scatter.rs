//! Packed rows on their way to their partitions: gathered until a partition has enough of them to be
//! worth fetching into cache.

use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use super::Partitions;
use super::rows::Packed;

use crate::pieces::piece;

/// Rows waiting, by partition.
pub struct Scatter {
    partitions: Partitions,
    /// Of the book, those whose rows come.
    accounts: usize,
    waiting: Vec<Mutex<Vec<Packed>>>,
    rows: AtomicUsize,
}

/// So many rows an account are worth a visit to all partitions.
const ROWS_AN_ACCOUNT: usize = piece(2, 0);

/// Fewer rows than this may wait in any case.
const ROWS_AT_LEAST: usize = piece(1 << 20, 8);

impl Scatter {
    /// Nothing waits yet; rows will come for some of the partitions.
    pub fn new(partitions: Partitions, own: Range<usize>) -> Scatter {
        let own = own.start..own.end.min(partitions.of_book());
        let accounts = own.map(|partition| partitions.accounts(partition).len()).sum();
        let waiting = (0..partitions.count()).map(|_| Mutex::default()).collect();
        Scatter { partitions, accounts, waiting, rows: AtomicUsize::new(0) }
    }

    /// Takes rows in but those that are left out; best in order of account, since neighbours of one
    /// partition go together.
    pub fn take(&self, rows: &Packed, is_left_out: impl Fn(usize) -> bool) {
        let partition = |row: usize| self.partitions.of(rows.row(row).account());
        let mut next = 0;
        while next < rows.len() {
            let (start, owner) = (next, partition(next));
            next += 1;
            if is_left_out(start) {
                continue;
            }
            while next < rows.len() && partition(next) == owner && !is_left_out(next) {
                next += 1;
            }
            let mut waiting = self.waiting[owner].lock().expect("no thread panicked");
            let like = waiting.iter().position(|waiting| waiting.is_like(rows)).unwrap_or_else(|| {
                waiting.push(Packed::like(rows));
                waiting.len() - 1
            });
            waiting[like].extend(rows, start..next);
            self.rows.fetch_add(next - start, Ordering::Relaxed);
        }
    }

    /// Flushes if enough rows wait.
    pub fn flush_if_full(&self, each: impl Fn(usize, &[Packed]) + Sync) {
        if self.is_full() {
            self.flush(each);
        }
    }

    fn is_full(&self) -> bool {
        self.rows.load(Ordering::Relaxed) >= ROWS_AT_LEAST.max(ROWS_AN_ACCOUNT * self.accounts)
    }

    /// Hands every partition, in parallel, the rows that wait for it.
    pub fn flush(&self, each: impl Fn(usize, &[Packed]) + Sync) {
        self.waiting.par_iter().enumerate().for_each(|(partition, waiting)| {
            let mut waiting = waiting.lock().expect("no thread panicked");
            // Their memory is used again, unless no more rows of that shape come.
            waiting.retain(|rows| !rows.is_empty());
            if !waiting.is_empty() {
                each(partition, &waiting);
                waiting.iter_mut().for_each(Packed::clear);
            }
        });
        self.rows.store(0, Ordering::Relaxed);
    }
}
