//! Values that are kept one by one: as many features as there is room for are right, one more is refused.

use crate::support::Cell;
use crate::support::book::{Book, TODAY, TRANSACTIONS, table};

/// As many different conditions as a source may have under min, max and distinct.
const MOST: i64 = 512;

/// Features, each of the least amount above a bound of its own, in two windows.
fn features(count: i64) -> String {
    let feature = |bound: i64, days: i64| {
        format!(
            "\n[[feature]]\nname = \"above_{bound}_{days}d\"\nfrom = \"transactions\"\nagg = \"min\"\n\
             of = \"amount\"\nwhere = \"amount >= {bound}\"\ndays = {days}\n"
        )
    };
    (0..count).map(|bound| feature(bound, 1) + &feature(bound, 30)).collect()
}

#[test]
fn every_kept_value_is_right_up_to_the_most_and_one_more_is_refused() {
    let book = Book::new();
    let rows = |account: i64| -> String {
        let row = |amount: i64| format!("{} {account} {TODAY} {amount} cash - -\n", 1000 * account + amount);
        (0..MOST).filter(|amount| amount % (account + 1) == 0).map(row).collect()
    };
    book.deliver("transactions", TODAY, &table(&TRANSACTIONS, &[1, 2, 3].map(rows).concat()));
    let scorecard = std::fs::read_to_string(book.path().join("scorecard.toml")).unwrap();
    book.append("scorecard.toml", &features(MOST));
    book.publish();
    let found = book.output("features");
    for bound in 0..MOST {
        let least = |account: i64| match (bound + account) / (account + 1) * (account + 1) {
            least if least < MOST => Cell::Int(least),
            _ => Cell::Null,
        };
        let expected = [1, 2, 3].map(least);
        assert_eq!(found.column(&format!("above_{bound}_1d")), expected, "{bound}");
    }
    book.put("scorecard.toml", &(scorecard + &features(MOST + 1)));
    let (code, _, stderr) = book.outcome(&["run", "job.toml", "--date", TODAY, "--replace"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("at most 512 features of one source are a min, max or distinct"), "{stderr}");
}
