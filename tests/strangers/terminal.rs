//! The terminal: no control character of anybody's data reaches it, and nothing is undone where it cannot be written.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use arrow_schema::DataType::{Date32, Int64, Utf8};

use crate::support::book::{Book, TODAY, YESTERDAY, delivered, table};
use crate::support::{Cell, Table, rescore_in, succeed_in};

/// What a terminal acts on: a colour, another line, the writing turned round, one byte for an escape.
const NASTY: &str = "a\u{1b}[31m\nb\u{202e}c\u{9b}2J\u{7f}";

/// The same within a string of TOML.
const NASTY_IN_TOML: &str = "a\\u001b[31m\\nb\u{202e}c\\u009b2J\\u007f";

/// A book in which accounts, products, reasons, gates and the job are called so.
fn nasty_book() -> Book {
    let book = Book::new();
    for file in ["scorecard.toml", "policy.toml"] {
        let text = fs::read_to_string(book.path().join(file)).unwrap();
        let names = ["card", "Bills are past due", "A bill is long past due", "good cards"];
        let rename = |text: String, name: &str| {
            text.replace(&format!("\"{name}\""), &format!("\"{name} {NASTY_IN_TOML}\""))
        };
        book.put(file, &names.into_iter().fold(text, rename));
    }
    book.edit("job.toml", "name = \"plain\"", &format!("name = \"plain {NASTY_IN_TOML}\""));
    let gate = format!("\n[[gate]]\nname = \"gate {NASTY_IN_TOML}\"\nrows = \"lines\"\nmin = 1\n");
    book.append("job.toml", &gate);
    for input in ["transactions", "repayments", "lines"] {
        for date in [YESTERDAY, TODAY] {
            let path = book.path().join(delivered(input, date));
            if path.exists() {
                renamed(Table::read(&path)).write(&path);
            }
        }
    }
    book
}

/// The table with accounts as text and products that are called otherwise.
fn renamed(mut rows: Table) -> Table {
    let position = |name: &str| rows.columns.iter().position(|(known, _)| known == name);
    let (account, product) = (position("account_id").unwrap(), position("product"));
    rows.columns[account].1 = Utf8;
    for row in &mut rows.rows {
        if let Cell::Int(id) = row[account] {
            row[account] = Cell::Text(format!("{id} {NASTY}"));
        }
        if let Some(product) = product
            && row[product] == Cell::Text("card".to_string())
        {
            row[product] = Cell::Text(format!("card {NASTY}"));
        }
    }
    rows
}

/// Asserts that nothing in what was printed moves a terminal but the ends of its own lines.
fn assert_plain(args: &[&str], output: &Output) {
    for (stream, bytes) in [("stdout", &output.stdout), ("stderr", &output.stderr)] {
        let text = String::from_utf8(bytes.clone()).unwrap();
        let moves = |c: &char| (c.is_control() && *c != '\n') || *c == '\u{202e}';
        let found: Vec<char> = text.chars().filter(moves).collect();
        assert!(found.is_empty(), "{args:?} {stream}: {found:?} in\n{text}");
        let is_made_by_data = text.lines().any(|line| line.trim_start().starts_with("b\\u{202e}"));
        assert!(!is_made_by_data, "{args:?} {stream}: a line that data made in\n{text}");
    }
}

/// Runs each verb and looks at what is printed.
fn check(book: &Book, verbs: &[(&[&str], i32)]) {
    for (args, code) in verbs {
        let output = rescore_in(book.path(), args);
        assert_plain(args, &output);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(*code), "{args:?}\n{stderr}");
    }
}

#[test]
fn data_never_reach_a_terminal_as_control_characters() {
    let book = nasty_book();
    let (today, account) = (format!("out/date={TODAY}"), format!("1 {NASTY}"));
    check(
        &book,
        &[
            (&["check", "job.toml", "--date", TODAY], 0),
            (&["run", "job.toml", "--date", TODAY, "--out", "again"], 0),
            (&["run", "job.toml", "--date", TODAY, "--out", "again", "-vv", "--replace", "--json"], 0),
            (&["run", "job.toml", "--from", TODAY, "--to", TODAY], 0),
            (&["run", "job.toml", "--from", TODAY, "--to", TODAY, "--plan"], 0),
            (&["explain", &today, "--account", &account], 0),
            (&["explain", &today, "--account", &account, "--json"], 0),
            (&["explain", &today, "--account", &account, "--adverse-action"], 0),
            (&["explain", &today, "--account", &account, "--against", &today], 0),
            (&["explain", &today, "--account", NASTY], 3),
            (&["diff", &today, &today], 0),
            (&["diff", &today, &today, "--where", NASTY], 2),
            (&["verify", NASTY], 3),
            (&["report", &today, "--out", "page.html"], 0),
            (&["check", NASTY], 2),
            (&["run", "job.toml", "--date", NASTY], 2),
        ],
    );
}

#[test]
fn differences_and_mistakes_are_told_without_control_characters() {
    let book = nasty_book();
    succeed_in(book.path(), &["run", "job.toml", "--date", TODAY]);
    book.edit("scorecard.toml", "base = 400", "base = 410");
    succeed_in(book.path(), &["run", "job.toml", "--date", TODAY, "--out", "other"]);
    let (left, right) = (format!("out/date={TODAY}"), format!("other/date={TODAY}"));
    book.append("policy.toml", "\n[\"x\\u001b[31m\\nb\"]\n# \u{202e}\n");
    check(
        &book,
        &[
            (&["diff", &left, &right], 1),
            (&["diff", &left, &right, "--json"], 1),
            (&["diff", &left, &right, "--summary"], 1),
            (&["diff", "out", "other"], 1),
            (&["run", "job.toml", "--date", TODAY], 2),
        ],
    );
}

#[test]
fn names_of_files_and_columns_are_shown_and_not_obeyed() {
    let book = Book::new();
    fs::write(book.path().join(format!("in/lines/date={TODAY}/{NASTY}.parquet")), "no Parquet").unwrap();
    check(&book, &[(&["run", "job.toml", "--date", TODAY], 3)]);
    let book = Book::new();
    let columns = [("account_id", Int64), ("posted_on", Date32), ("amount", Int64), (NASTY, Utf8)];
    book.deliver("transactions", TODAY, &table(&columns, "1 2026-11-20 100 x"));
    check(&book, &[(&["run", "job.toml", "--date", TODAY], 3)]);
}

#[test]
fn json_says_in_escapes_what_data_say() {
    let book = nasty_book();
    let (run, account) = (format!("out/date={TODAY}"), format!("1 {NASTY}"));
    succeed_in(book.path(), &["run", "job.toml", "--date", TODAY]);
    let said = succeed_in(book.path(), &["explain", &run, "--account", &account, "--json"]);
    let said: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(said["account_id"], account);
}

/// Runs the binary through a shell that redirects its output: exit code and what is left of stderr.
fn redirected(directory: &Path, args: &[&str], redirection: &str) -> (i32, String) {
    let script = format!("\"$0\" \"$@\" {redirection}; exit ${{PIPESTATUS[0]}}");
    let mut command = Command::new("bash");
    command.current_dir(directory).args(["-c", &script, env!("CARGO_BIN_EXE_rescore")]).args(args);
    let output = command.output().unwrap();
    (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn what_was_done_is_done_whether_or_not_it_can_be_told() {
    const REDIRECTIONS: [&str; 6] =
        [">/dev/full", ">/dev/full 2>/dev/full", "2>/dev/full", ">&- 2>&-", "| true", "2>&1 | true"];
    let book = Book::new();
    book.publish();
    let run = format!("out/date={TODAY}");
    let verbs: [(&[&str], i32); 17] = [
        (&["run", "job.toml", "--date", TODAY, "--replace"], 0),
        (&["run", "job.toml", "--date", TODAY, "--replace", "--json"], 0),
        (&["run", "job.toml", "--date", TODAY, "--plan"], 0),
        (&["check", "job.toml"], 0),
        (&["diff", &run, &run], 0),
        (&["diff", &run, &run, "--json"], 0),
        (&["explain", &run, "--account", "1"], 0),
        (&["explain", &run, "--account", "77"], 3),
        (&["verify", &run], 0),
        (&["report", &run], 0),
        (&["--help"], 0),
        (&["--version"], 0),
        (&["run", "--help"], 0),
        (&["completions", "bash"], 0),
        (&["man"], 0),
        (&["nonsense"], 2),
        (&["check", "nothing.toml"], 2),
    ];
    for (args, code) in verbs {
        for redirection in REDIRECTIONS {
            let (ended, stderr) = redirected(book.path(), args, redirection);
            assert_eq!(ended, code, "{args:?} {redirection}\n{stderr}");
            assert!(!stderr.contains("panicked"), "{args:?} {redirection}\n{stderr}");
        }
    }
}

#[test]
fn a_range_goes_on_when_nobody_listens() {
    for redirection in [">/dev/full 2>/dev/full", "2>&1 | true"] {
        let book = Book::new();
        book.deliver("lines", YESTERDAY, &Table::read(&book.path().join(delivered("lines", TODAY))));
        let args = ["run", "job.toml", "--from", YESTERDAY, "--to", TODAY];
        let (code, stderr) = redirected(book.path(), &args, redirection);
        assert_eq!(code, 0, "{redirection}\n{stderr}");
        for date in [YESTERDAY, TODAY] {
            assert!(
                book.path().join(format!("out/date={date}/manifest.json")).exists(),
                "{redirection} {date}"
            );
        }
    }
}
