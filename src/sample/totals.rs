//! What was written of a sample.

use serde::Serialize;

/// What was written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Rows of `transactions`, broken copies and rows that come twice among them.
    pub transactions: u64,
    /// Rows of `repayments`, broken copies among them.
    pub repayments: u64,
    /// Bills that are made out within the sample.
    pub bills: u64,
    /// Rows of `lines`, of all snapshots, broken copies among them.
    pub lines: u64,
    /// Size of all files.
    pub bytes: u64,
    /// Broken copies of good rows: each is to be rejected, the two of a `duplicate_line` both.
    pub bad_rows: u64,
    /// Rows delivered after the day on which they were posted or paid.
    pub late_rows: u64,
}

impl Totals {
    /// Adds those of another part.
    pub fn add(&mut self, other: &Totals) {
        self.transactions += other.transactions;
        self.repayments += other.repayments;
        self.bills += other.bills;
        self.lines += other.lines;
        self.bytes += other.bytes;
        self.bad_rows += other.bad_rows;
        self.late_rows += other.late_rows;
    }
}
