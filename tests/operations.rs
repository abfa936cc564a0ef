//! What those see who operate nights: logs, metrics, lineage, notices, the lock; and the verbs that look after runs.

mod audit;
mod ends;
mod issued;
mod lineage;
mod lock;
mod logs;
mod metrics;
mod notify;
mod prune;
mod templates;
mod verify;

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use crate::support::book::Book;

/// A gate that never holds.
const NEVER: &str = "\n[[gate]]\nname = \"never\"\nrows = \"lines\"\nmin = 99\n";

/// Puts a script into the book that can be run.
fn script(book: &Book, name: &str, text: &str) -> PathBuf {
    book.put(name, &format!("#!/bin/sh\n{text}\n"));
    let path = book.path().join(name);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}
