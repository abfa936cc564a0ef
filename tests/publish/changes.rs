//! Gates that bound how far a figure may be from that of the run before: each form at its boundary, and
//! where there is no earlier figure.

use rescore::run_dir::gates::GateOutcome;
use serde_json::Value;

use crate::support::Table;
use crate::support::book::{Book, LINES, REPAYMENTS, TODAY, TRANSACTIONS, table};

/// The night before; the days between have no delivery.
const BEFORE: &str = "2026-11-18";

const FIRST_DELIVERY: &str = "2026-11-15";

/// Accounts 1 to 20 with a card each; `segment` says whether the night is the old or the new one. Tonight
/// there is another account, and a rejected line.
fn book() -> Book {
    let book = Book::new();
    std::fs::remove_dir_all(book.path().join("in")).unwrap();
    book.edit("job.toml", "\n[output]", "previous = \"out/date={date}/scores.parquet\"\n\n[output]");
    for (night, segment, accounts) in [(BEFORE, "old", 20), (TODAY, "new", 21)] {
        let lines = (1..=accounts).map(|id| format!("{id} card 1000 0 active 2025-01-01 - - {segment}\n"));
        let rejected = if night == TODAY { "22 card -1 0 active 2025-01-01 - - new" } else { "" };
        book.deliver("lines", night, &table(&LINES, &(lines.collect::<String>() + rejected)));
    }
    for night in [FIRST_DELIVERY, BEFORE, TODAY] {
        book.deliver("transactions", night, &Table::new(&TRANSACTIONS));
        book.deliver("repayments", night, &Table::new(&REPAYMENTS));
    }
    book
}

fn run(book: &Book, night: &str) -> (i32, String) {
    let (code, stdout, stderr) = book.outcome(&["run", "job.toml", "--date", night]);
    (code, stdout + &stderr)
}

fn publish_the_night_before(book: &Book) {
    let (code, text) = run(book, BEFORE);
    assert_eq!(code, 0, "{text}");
}

/// Tonight's gates, whether they hold it or not.
fn gates(book: &Book) -> Vec<Value> {
    tonight(book).0
}

/// Tonight's gates and what the terminal says.
fn tonight(book: &Book) -> (Vec<Value>, String) {
    let (code, text) = run(book, TODAY);
    let place = match code {
        0 => format!("out/date={TODAY}"),
        4 => format!("out/held/date={TODAY}"),
        code => panic!("exit {code}: {text}"),
    };
    let manifest = std::fs::read(book.path().join(place).join("manifest.json")).unwrap();
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    (manifest["gates"].as_array().unwrap().clone(), text)
}

fn gate(name: &str, keys: &str) -> String {
    let keys = keys.split(';').map(|key| format!("{}\n", key.trim())).collect::<String>();
    format!("[[gate]]\nname = \"{name}\"\n{keys}")
}

/// `sum 3 then 4` or `share 1 of 3 then 2 of 4`, or a gate's own keys; basis points; the verdict.
fn check(cases: &str) {
    let book = book();
    let rows: Vec<Vec<&str>> = cases
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(|line| line.split('|').map(str::trim).collect())
        .collect();
    // Nothing else is asked of the night before, so that it is published.
    let job = std::fs::read_to_string(book.path().join("job.toml")).unwrap();
    let written = |bounds: &dyn Fn(&str) -> String| {
        let gates = rows.iter().enumerate();
        let gates = gates.map(|(number, row)| gate(&number.to_string(), &(keys(row[0]) + &bounds(row[1]))));
        job.clone() + &gates.collect::<String>()
    };
    book.put("job.toml", &written(&|_| "; max_change_bp = 0".to_string()));
    publish_the_night_before(&book);
    book.put("job.toml", &written(&|bounds| format!("; max_change_bp = {bounds}")));
    let found = gates(&book);
    let wrong = rows.iter().zip(&found).filter(|(row, gate)| gate["holds"] != (row[2] == "holds"));
    let wrong: Vec<String> = wrong.map(|(row, gate)| format!("{}: {gate}", row.join(" | "))).collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert_eq!(found.len(), rows.len());
}

fn keys(figures: &str) -> String {
    let by_night = |then: &str, now: &str| format!("case when segment = 'old' then {then} else {now} end");
    match figures.split_whitespace().collect::<Vec<_>>()[..] {
        ["sum", then, "then", now] => {
            let sum = by_night(then, now);
            format!("table = \"decisions\"; sum_of = \"{sum}\"; among = \"account_id = 1\"")
        }
        ["share", then, "of", of_then, "then", now, "of", of_now] => {
            let [part, whole] = [by_night(then, now), by_night(of_then, of_now)];
            format!(
                "table = \"decisions\"; share_of = \"account_id <= {part}\"; among = \"account_id <= {whole}\""
            )
        }
        _ => figures.to_string(),
    }
}

#[test]
fn a_share_may_differ_by_so_many_basis_points() {
    check(
        "
        share 1 of 4 then 1 of 5    | 500   | holds
        share 1 of 4 then 1 of 5    | 499   | fails
        share 1 of 5 then 1 of 4    | 500   | holds
        share 1 of 5 then 1 of 4    | 499   | fails
        share 1 of 3 then 2 of 3    | 3334  | holds
        share 1 of 3 then 2 of 3    | 3333  | fails
        share 2 of 3 then 1 of 3    | 3334  | holds
        share 2 of 3 then 1 of 3    | 3333  | fails
        share 2 of 4 then 10 of 20  | 0     | holds
        share 7 of 20 then 7 of 19  | 185   | holds
        share 7 of 20 then 7 of 19  | 184   | fails
        share 0 of 9 then 9 of 9    | 10000 | holds
        share 0 of 9 then 9 of 9    | 9999  | fails
        share 0 of 9 then 0 of 3    | 0     | holds
        share 0 of 0 then 9 of 9    | 0     | holds
        share 9 of 9 then 0 of 0    | 0     | holds
        share 0 of 0 then 0 of 0    | 0     | holds
        share 1 of 9 then 9 of 9    | 9223372036854775807 | holds
        share 1 of 4 then 1 of 4    | 9; max_bp = 2499    | fails
        share 1 of 4 then 1 of 4    | 9; max_bp = 2500    | holds
        share 1 of 4 then 2 of 4    | 9; max_bp = 9999    | fails
        ",
    );
}

#[test]
fn a_sum_may_differ_by_so_many_basis_points_of_the_earlier_one() {
    check(
        "
        sum 1000 then 1100          | 1000  | holds
        sum 1000 then 1100          | 999   | fails
        sum 1000 then 900           | 1000  | holds
        sum 1000 then 900           | 999   | fails
        sum 1100 then 1000          | 910   | holds
        sum 1100 then 1000          | 909   | fails
        sum 3 then 4                | 3334  | holds
        sum 3 then 4                | 3333  | fails
        sum -1000 then -1100        | 1000  | holds
        sum -1000 then -1100        | 999   | fails
        sum -1000 then -900         | 1000  | holds
        sum -1000 then -900         | 999   | fails
        sum -1000 then 1000         | 20000 | holds
        sum -1000 then 1000         | 19999 | fails
        sum 1000 then 0             | 10000 | holds
        sum 1000 then 0             | 9999  | fails
        sum 0 then 0                | 0     | holds
        sum 0 then 1                | 9223372036854775807 | fails
        sum 0 then -1               | 9223372036854775807 | fails
        sum 7 then 7                | 0     | holds
        sum 7 then 7                | 0; max = 6          | fails
        sum 7 then 9                | 9; max = 9          | fails
        sum 9223372036854775807*9223372036854775807 then 9223372036854775807*9223372036854775807+1 | 0 | fails
        sum 9223372036854775807*9223372036854775807 then 9223372036854775807*9223372036854775807+1 | 1 | holds
        ",
    );
}

/// 20 lines, then 21 of 22; of 4 days before, 2 were missing, then 3 of 6.
#[test]
fn counts_and_rejected_rows_are_held_against_those_of_the_run_before() {
    check(
        r#"
        rows = "lines"                   | 500   | holds
        rows = "lines"                   | 499   | fails
        rows = "transactions"            | 0     | holds
        rejected = "lines"               | 455   | holds
        rejected = "lines"               | 454   | fails
        rejected = "transactions"        | 0     | holds
        missing_days = "transactions"    | 5000  | holds
        missing_days = "transactions"    | 4999  | fails
        "#,
    );
}

const SUM: &str = "table = \"decisions\"; sum_of = \"credit\"; max_change_bp = 0";

fn sum_gate(name: &str) -> String {
    gate(name, &SUM.replace("credit", "case when segment = 'old' then 3 else 5 end"))
}

#[test]
fn without_an_earlier_figure_a_gate_holds_and_says_so() {
    type Change = fn(&Book);
    let renamed = |book: &Book| book.edit("job.toml", "name = \"sum\"", "name = \"another\"");
    let other_form = |book: &Book| {
        book.edit(
            "job.toml",
            "sum_of = \"case when segment = 'old' then 3 else 5 end\"",
            "share_of = \"true\"",
        );
    };
    let unpublished = |book: &Book| {
        std::fs::remove_file(book.path().join(format!("out/date={BEFORE}/manifest.json"))).unwrap();
    };
    let without = |book: &Book| book.edit("job.toml", "previous = \"out/date={date}/scores.parquet\"\n", "");
    let cases: [(&str, Change, bool); 5] = [
        ("nothing", |_| {}, false),
        ("the gate has another name", renamed, true),
        ("the gate has another form", other_form, true),
        ("no manifest lies beside the scores", unpublished, true),
        ("the job names no previous", without, true),
    ];
    for (name, change, holds) in cases {
        let book = book();
        book.append("job.toml", &sum_gate("sum"));
        publish_the_night_before(&book);
        change(&book);
        let (found, text) = tonight(&book);
        assert_eq!(found[0]["holds"], holds, "{name}: {found:?}");
        assert_eq!(found[0]["earlier"].is_null(), holds, "{name}: {found:?}");
        let outcome: GateOutcome = serde_json::from_value(found[0].clone()).unwrap();
        let words = outcome.in_words(2).bounds;
        assert_eq!(words.contains("of which there is no figure"), holds, "{name}: {words} {text}");
    }
}

#[test]
fn the_run_before_is_the_latest_published_one_of_the_week() {
    let nights = [("2026-11-13", true), ("2026-11-12", false)];
    for (night, is_of_the_week) in nights {
        let book = book();
        let lines = (1..=20).map(|id| format!("{id} card 1000 0 active 2025-01-01 - - old\n"));
        book.deliver("lines", night, &table(&LINES, &lines.collect::<String>()));
        book.deliver("transactions", night, &Table::new(&TRANSACTIONS));
        book.deliver("repayments", night, &Table::new(&REPAYMENTS));
        book.append("job.toml", &sum_gate("sum"));
        let (code, text) = run(&book, night);
        assert_eq!(code, 0, "{text}");
        assert_eq!(gates(&book)[0]["holds"], !is_of_the_week, "{night}");
    }
}

#[test]
fn a_held_run_is_no_run_before_until_it_is_released() {
    let book = book();
    let never = gate("never", "rows = \"lines\"; min = 1000");
    book.append("job.toml", &(sum_gate("sum") + &never));
    let (code, text) = run(&book, BEFORE);
    assert_eq!(code, 4, "{text}");
    assert!(gates(&book)[0]["earlier"].is_null());
    std::fs::remove_dir_all(book.path().join(format!("out/held/date={TODAY}"))).unwrap();
    let (code, _, stderr) = book.outcome(&["release", "out", "--date", BEFORE]);
    assert_eq!(code, 0, "{stderr}");
    assert_eq!(gates(&book)[0]["earlier"]["figure"], "60");
}

/// What could change a verdict is not passed over.
#[test]
fn a_damaged_run_before_is_an_error_and_not_passed_over() {
    let cut = |path: &std::path::Path| {
        let bytes = std::fs::read(path).unwrap();
        std::fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
    };
    for file in ["manifest.json", "scores.parquet"] {
        let book = book();
        book.append("job.toml", &sum_gate("sum"));
        publish_the_night_before(&book);
        cut(&book.path().join(format!("out/date={BEFORE}/{file}")));
        let (code, text) = run(&book, TODAY);
        assert_eq!(code, 3, "{file}: {text}");
        assert!(text.contains(BEFORE), "{file}: {text}");
    }
    // Whole, but of another run: the manifest does not tell of it.
    let book = book();
    book.append("job.toml", &sum_gate("sum"));
    publish_the_night_before(&book);
    let scores = book.path().join(format!("out/date={BEFORE}/scores.parquet"));
    let mut other = Table::read(&scores);
    other.rows.pop();
    other.write(&scores);
    let (code, text) = run(&book, TODAY);
    assert_eq!(code, 3, "{text}");
    assert!(text.contains("scores.parquet"), "{text}");
}

/// Of the 21 accounts tonight 20 had a score; all scores are 460, as nobody has a bill.
#[test]
fn gates_see_the_score_and_the_band_of_the_run_before() {
    let book = book();
    publish_the_night_before(&book);
    let cases = [
        ("table = \"scores\"; share_of = \"previous_score is null\"; min_bp = 476; max_bp = 477", true),
        ("table = \"scores\"; share_of = \"previous_band = 'poor'\"; min_bp = 9523; max_bp = 9524", true),
        (
            "table = \"scores\"; share_of = \"score = previous_score\"; among = \"previous_score is not null\"; min_bp = 10000",
            true,
        ),
        ("table = \"scores\"; sum_of = \"previous_score - score\"; min = 0; max = 0", true),
        ("table = \"decisions\"; share_of = \"previous_score is null\"; max_bp = 475", false),
        ("table = \"decisions\"; share_of = \"previous_band <> band\"; max_bp = 0", true),
        ("table = \"decisions\"; sum_of = \"previous_score\"; min = 9200; max = 9200", true),
    ];
    for (number, (keys, _)) in cases.iter().enumerate() {
        book.append("job.toml", &gate(&number.to_string(), keys));
    }
    for ((keys, holds), gate) in cases.iter().zip(gates(&book)) {
        assert_eq!(gate["holds"], *holds, "{keys}: {gate}");
    }
}
