//! What a night says on the screen: to whoever looks on, to a mail, to a program; in colour and without, wide and narrow.

mod dates;
mod held;
mod json;
mod runs;
mod screen;

use std::process::Command;

use crate::support::book::{Book, TODAY, YESTERDAY, delivered};
use crate::support::{Table, succeed_in};

/// Yesterday's lines as well, so that both nights can run.
fn two_nights() -> Book {
    let book = Book::new();
    book.deliver("lines", YESTERDAY, &Table::read(&book.path().join(delivered("lines", TODAY))));
    book
}

/// A share and a sum of money that do not hold, and a gate that only warns.
const GATES: &str = r#"
[[gate]]
name = "suspensions"
table = "decisions"
share_of = "action = 'suspend'"
max_bp = 1000

[[gate]]
name = "limits of the book"
table = "decisions"
sum_of = "old_limit"
max = 300000

[[gate]]
name = "rows of the day"
rows = "transactions"
min = 1_000
severity = "warn"

[[gate]]
name = "book is there"
rows = "lines"
min = 1
"#;

/// Yesterday is published by job.toml, and gated.toml holds today.
fn published_then_gated() -> Book {
    let book = two_nights();
    succeed_in(book.path(), &["run", "job.toml", "--date", YESTERDAY]);
    let job = std::fs::read_to_string(book.path().join("job.toml")).unwrap();
    book.put("gated.toml", &format!("{job}{GATES}"));
    book
}

/// What the binary prints where lines may be so wide, in colour or not: exit code, stdout and stderr.
fn on_screen(book: &Book, columns: u16, color: &str, args: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rescore"));
    command.current_dir(book.path()).args(args).args(["--color", color]);
    let output = command.env("COLUMNS", columns.to_string()).env_remove("NO_COLOR").output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

/// A text with what differs from run to run left out, and escapes that can be read.
fn stable(text: &str) -> String {
    let lines = text.lines().map(|line| {
        let line = match line.split_once("made 20") {
            Some((before, _)) => format!("{before}made …"),
            None => line.to_string(),
        };
        let words = line.split(' ').map(|word| if is_seconds(word) { "N.N" } else { word });
        words.collect::<Vec<_>>().join(" ").replace('\u{1b}', "<esc>")
    });
    lines.map(|line| format!("{}\n", line.trim_end())).collect()
}

/// A time in seconds, with one decimal place.
fn is_seconds(word: &str) -> bool {
    word.split_once('.').is_some_and(|(whole, tenth)| {
        tenth.len() == 1 && [whole, tenth].iter().all(|part| part.bytes().all(|b| b.is_ascii_digit()))
    })
}
