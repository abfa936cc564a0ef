//! Who meets the lock is told who holds it: process, host, since when, and what it does.

use std::fs::File;
use std::io::Read;

use crate::support::book::{Book, TODAY};

#[test]
fn the_lock_tells_process_host_start_and_job() {
    let book = Book::new();
    book.publish();
    let mut lock = File::options().read(true).write(true).open(book.path().join("out/.lock")).unwrap();
    let mut held = String::new();
    lock.read_to_string(&mut held).unwrap();
    lock.lock().unwrap();
    let (code, stdout, stderr) = book.run();
    assert_eq!((code, stdout.as_str()), (5, ""), "{stderr}");
    assert_eq!(stderr, format!("error: out is in use by {}; wait for it\n", held.trim()));
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let (process, rest) = held.trim().split_once(&format!(" on host {host} since ")).expect("a host");
    assert!(process.strip_prefix("process ").unwrap().parse::<u32>().is_ok(), "{held}");
    let (since, what) = rest.split_once(", ").unwrap();
    assert!(since.parse::<jiff::Timestamp>().is_ok(), "{held}");
    assert_eq!(what, format!("running job.toml (plain of {TODAY})"));
}
