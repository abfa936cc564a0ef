//! Files that cannot be read as what they claim to be: refused by name.

use std::fs;

use super::{Case, check};
use crate::support::book::{TODAY, delivered};

#[test]
fn files_that_are_no_parquet_are_refused_by_name() {
    check(&[Case {
        kind: "text where Parquet should be",
        input: |book| fs::write(book.path().join(delivered("repayments", TODAY)), "no Parquet").unwrap(),
        exit: 3,
        message: "read repayments of 2026-11-20",
    }]);
}
