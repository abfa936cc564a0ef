//! The five forms of a gate, each at its boundary: a share passes where n × 10000 meets bp × N exactly.

use serde_json::Value;

use super::files_in;
use crate::support::Table;
use crate::support::book::{Book, REPAYMENTS, TODAY, TRANSACTIONS, table};

/// Measures a table of gates in one run: what the gate says, and whether it must hold.
fn check(book: &Book, gates: &str) {
    let rows: Vec<Vec<&str>> = gates
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(|line| line.split('|').map(str::trim).collect())
        .collect();
    for (number, row) in rows.iter().enumerate() {
        let keys = row[0].split(';').map(|key| format!("{}\n", key.trim())).collect::<String>();
        book.append("job.toml", &format!("[[gate]]\nname = \"{number}\"\n{keys}"));
    }
    let (code, stdout, stderr) = book.run();
    let expected: Vec<bool> = rows.iter().map(|row| row[1] == "holds").collect();
    assert_eq!(code == 0, expected.iter().all(|holds| *holds), "{stdout}\n{stderr}");
    let mut files = files_in(&book.path().join("out"));
    files.retain(|name, _| name.ends_with("manifest.json"));
    let (_, manifest) = files.pop_first().unwrap();
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    for (number, row) in rows.iter().enumerate() {
        let gate = &manifest["gates"][number];
        assert_eq!(gate["holds"], expected[number], "{}: {gate}", row[0]);
    }
}

#[test]
fn shares_of_decisions_and_scores() {
    // Four lines, one of them suspended; three accounts, one of them with 400 points.
    check(
        &Book::new(),
        r#"
        table = "decisions"; share_of = "action = 'suspend'"; max_bp = 2500                                | holds
        table = "decisions"; share_of = "action = 'suspend'"; max_bp = 2499                                | fails
        table = "decisions"; share_of = "action = 'suspend'"; min_bp = 2500                                | holds
        table = "decisions"; share_of = "action = 'suspend'"; min_bp = 2501                                | fails
        table = "decisions"; share_of = "action = 'suspend'"; min_bp = 2500; max_bp = 2500                 | holds
        table = "decisions"; share_of = "action = 'suspend'"; among = "product = 'loan'"; max_bp = 5000    | holds
        table = "decisions"; share_of = "action = 'suspend'"; among = "product = 'loan'"; max_bp = 4999    | fails
        table = "decisions"; share_of = "action = 'suspend'"; among = "product = 'gold'"; max_bp = 0       | holds
        table = "decisions"; share_of = "action = 'suspend'"; among = "product = 'gold'"; min_bp = 10000   | holds
        table = "decisions"; share_of = "segment = 'private'"; min_bp = 2500; max_bp = 2500                | holds
        table = "decisions"; share_of = "segment = 'mass'"; among = "segment is not null"; max_bp = 6666   | fails
        table = "decisions"; share_of = "segment = 'mass'"; among = "segment is not null"; max_bp = 6667   | holds
        table = "decisions"; share_of = "segment <> 'mass'"; min_bp = 2501                                 | fails
        table = "scores"; share_of = "score <= 400"; max_bp = 3333                                         | fails
        table = "scores"; share_of = "score <= 400"; max_bp = 3334                                         | holds
        table = "scores"; share_of = "score <= 400"; min_bp = 3333                                         | holds
        table = "scores"; share_of = "score <= 400"; min_bp = 3334                                         | fails
        table = "scores"; share_of = "band = 'poor' and history >= 0 and limits > 0"; min_bp = 10000       | holds
        table = "scores"; share_of = "score <= 400"; max_bp = -1                                           | fails
        "#,
    );
}

#[test]
fn sums_over_decisions_and_scores() {
    check(
        &Book::new(),
        r#"
        table = "decisions"; sum_of = "balance"; max = 110000                                     | holds
        table = "decisions"; sum_of = "balance"; max = 109999                                     | fails
        table = "decisions"; sum_of = "balance"; min = 110000                                     | holds
        table = "decisions"; sum_of = "balance"; min = 110001                                     | fails
        table = "decisions"; sum_of = "-balance"; min = -110000; max = -110000                    | holds
        table = "decisions"; sum_of = "balance"; among = "product = 'loan'"; max = 90000          | holds
        table = "decisions"; sum_of = "balance"; among = "product = 'gold'"; min = 0; max = 0     | holds
        table = "decisions"; sum_of = "days_since_increase"; min = 323; max = 323                 | holds
        table = "decisions"; sum_of = "9223372036854775807 * 9223372036854775807"; max = 9223372036854775807 | fails
        table = "decisions"; sum_of = "9223372036854775807"; min = 9223372036854775807            | holds
        table = "scores"; sum_of = "limits"; min = 430000; max = 430000                           | holds
        table = "scores"; sum_of = "spend_30d"; among = "spend_30d < 30000"; max = 19999          | fails
        "#,
    );
}

#[test]
fn rows_rejected_rows_and_missing_days() {
    let book = Book::new();
    let broken = "
        21  1  2026-11-20  100  purchase  a  true
        22  1  2026-11-20  100  purchase  a  true
        23  -  2026-11-20  100  purchase  a  true";
    book.deliver("transactions", TODAY, &table(&TRANSACTIONS, broken));
    book.deliver("transactions", "2026-11-16", &Table::new(&TRANSACTIONS));
    book.deliver("repayments", TODAY, &Table::new(&REPAYMENTS));
    check(
        &book,
        r#"
        rows = "lines"; min = 4                        | holds
        rows = "lines"; min = 5                        | fails
        rows = "lines"; max = 4                        | holds
        rows = "lines"; max = 3                        | fails
        rows = "transactions"; min = 2; max = 2        | holds
        rows = "repayments"; max = 0                   | holds
        rejected = "transactions"; max_bp = 3333       | fails
        rejected = "transactions"; max_bp = 3334       | holds
        rejected = "transactions"; min_bp = 3333       | holds
        rejected = "transactions"; min_bp = 3334       | fails
        rejected = "repayments"; max_bp = 0            | holds
        rejected = "repayments"; min_bp = 10000        | holds
        rejected = "lines"; max_bp = 0                 | holds
        missing_days = "transactions"; max = 2         | holds
        missing_days = "transactions"; max = 1         | fails
        missing_days = "transactions"; min = 2         | holds
        missing_days = "transactions"; min = 3         | fails
        missing_days = "repayments"; max = 0           | holds
        "#,
    );
}
