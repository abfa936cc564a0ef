//! What is said about mistakes, and with which exit code: whoever made one must see what to do.

mod additions;
mod expressions;
mod grammar;
mod hints;
mod inputs;
mod job_files;
mod kept;
mod order;

use crate::support::book::Book;

/// A name, the file to change, the text to replace (nothing: text is added at the end), and by what.
type Mistake = (&'static str, &'static str, &'static str, &'static str);

/// Makes each mistake in a plain book of its own; what is said about all of them, one after the other.
fn told_about(mistakes: &[Mistake]) -> String {
    let told = mistakes.iter().map(|(name, file, from, to)| {
        let book = Book::new();
        match *from {
            "" => book.append(file, to),
            from => book.edit(file, from, to),
        }
        told(name, &book, 2)
    });
    told.collect()
}

/// Runs the book, which must fail with an exit code and publish nothing.
fn told(name: &str, book: &Book, expected_code: i32) -> String {
    let (code, stdout, stderr) = book.run();
    assert_eq!(code, expected_code, "{name}\n{stdout}\n{stderr}");
    assert_eq!(stdout, "", "{name}");
    let published = book.path().join("out").read_dir().into_iter().flatten().flatten();
    let published: Vec<_> = published.map(|entry| entry.file_name()).filter(|name| name != ".lock").collect();
    assert!(published.is_empty(), "{name}: {published:?}");
    format!("=== {name} (exit {code})\n{stderr}\n")
}

/// Compares with a snapshot that says nothing but the text.
macro_rules! assert_told {
    ($told:expr) => {
        insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!($told);
        });
    };
}
use assert_told;
