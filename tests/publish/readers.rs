//! Readers while runs are replaced under them: one consistent run each, as docs/outputs.md says.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use rustix::fs::{CWD, Mode, OFlags, openat};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::audit::from_environment;
use crate::support::book::{Book, TODAY};
use crate::support::succeed_in;

/// How often the run is replaced; REPLACES asks for another number.
const REPLACES: usize = 100;

/// What a manifest says of one table.
fn hash_in(manifest: &[u8], table: &str) -> String {
    let manifest: Value = serde_json::from_slice(manifest).expect("a whole manifest");
    let outputs = manifest["outputs"].as_array().unwrap();
    let output = outputs.iter().find(|output| output["file"] == table).unwrap();
    output["sha256"].as_str().unwrap().to_string()
}

fn own_hash(manifest: &[u8]) -> String {
    let manifest: Value = serde_json::from_slice(manifest).expect("a whole manifest");
    manifest["timing"]["manifest_sha256"].as_str().unwrap().to_string()
}

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

const TABLES: [&str; 5] =
    ["adjustments.parquet", "decisions.parquet", "features.parquet", "rejects.parquet", "scores.parquet"];

/// Opens the directory once and reads everything from it.
fn read_by_directory(run: &Path) {
    let flags = OFlags::DIRECTORY | OFlags::RDONLY;
    let directory = openat(CWD, run, flags, Mode::empty()).expect("a run is in its place at all times");
    let read = |name: &str| {
        let file = openat(&directory, name, OFlags::RDONLY, Mode::empty());
        let mut file = fs::File::from(file.unwrap_or_else(|error| panic!("{name} is gone: {error}")));
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut file, &mut bytes).unwrap();
        bytes
    };
    let manifest = read("manifest.json");
    for table in TABLES {
        assert_eq!(hash(&read(table)), hash_in(&manifest, table), "{table} is of another run");
    }
}

/// Reads the manifest, then tables by path; one that is of another run is looked for among those replaced.
fn read_by_path(out: &Path, run: &Path) {
    let manifest = fs::read(run.join("manifest.json")).expect("a run is in its place at all times");
    for table in TABLES {
        let wanted = hash_in(&manifest, table);
        let found = fs::read(run.join(table)).expect("a table is in its place at all times");
        if hash(&found) != wanted {
            let kept = superseded(out, &own_hash(&manifest)).expect("a replaced run is kept");
            assert_eq!(hash(&fs::read(kept.join(table)).unwrap()), wanted, "{table} of {}", kept.display());
        }
    }
}

fn superseded(out: &Path, manifest_sha256: &str) -> Option<PathBuf> {
    let entries = fs::read_dir(out.join("superseded")).ok()?.flatten().map(|entry| entry.path());
    let is_it = |path: &PathBuf| path.to_str().is_some_and(|name| name.ends_with(&manifest_sha256[..16]));
    entries.filter(is_it).max()
}

#[test]
fn readers_find_one_run_whole_while_it_is_replaced() {
    let book = Book::new();
    book.publish();
    let (out, run) = (book.path().join("out"), book.path().join(format!("out/date={TODAY}")));
    let (done, reads) = (AtomicBool::new(false), AtomicUsize::new(0));
    let read_on = |read: &dyn Fn()| {
        while !done.load(Ordering::Relaxed) {
            read();
            reads.fetch_add(1, Ordering::Relaxed);
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(|| read_on(&|| read_by_directory(&run)));
        scope.spawn(|| read_on(&|| read_by_path(&out, &run)));
        for replace in 0..from_environment("REPLACES").unwrap_or(REPLACES) {
            // Other bytes each time.
            book.edit(
                "scorecard.toml",
                &format!("base = {}", 400 + replace),
                &format!("base = {}", 401 + replace),
            );
            let args = ["run", "job.toml", "--date", TODAY, "--replace", "--threads", "1", "--quiet"];
            let replaced = std::panic::catch_unwind(|| succeed_in(book.path(), &args));
            if let Err(panic) = replaced {
                done.store(true, Ordering::Relaxed);
                std::panic::resume_unwind(panic);
            }
        }
        done.store(true, Ordering::Relaxed);
    });
    println!("{} reads", reads.load(Ordering::Relaxed));
    assert!(reads.load(Ordering::Relaxed) > 100);
}
