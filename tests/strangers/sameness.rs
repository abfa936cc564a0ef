//! A run is what it read: the bytes of its input files tell runs apart, whatever else about them is the same.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use arrow_schema::DataType::{Date32, Int64, Utf8};
use rescore::failure::exit_code;
use rescore::hash::{bytes_hash, file_hash};
use rescore::input::catalog::InputFile;
use rescore::input::file::{self, OpenFile};
use rescore::job::InputSpec;
use serde_json::Value;

use crate::support::Table;
use crate::support::book::{Book, TODAY, TRANSACTIONS, YESTERDAY, delivered, table};
use crate::support::thrift::footer;

fn manifest(book: &Book, out: &str) -> Value {
    let path = book.path().join(format!("{out}/date={TODAY}/manifest.json"));
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// Writes a file again with rows that leave its size and footer as they were, and sets its times back.
fn restate(path: &Path, rows: &Table) {
    let before = fs::read(path).unwrap();
    let modified = path.metadata().unwrap().modified().unwrap();
    rows.write(path);
    let after = fs::read(path).unwrap();
    assert_eq!((after.len(), footer(&after)), (before.len(), footer(&before)), "only the rows differ");
    assert_ne!(after, before);
    File::options().write(true).open(path).unwrap().set_modified(modified).unwrap();
}

/// The rows of a file, two of them with a column's values exchanged.
fn exchanged(path: &Path, column: &str, rows: [usize; 2]) -> Table {
    let mut table = Table::read(path);
    let place = table.columns.iter().position(|(name, _)| name == column).unwrap();
    let [left, right] = rows.map(|row| table.rows[row][place].clone());
    (table.rows[rows[0]][place], table.rows[rows[1]][place]) = (right, left);
    table
}

/// A plain book of which earlier runs have issued something.
fn with_issued() -> Book {
    let book = Book::new();
    book.edit("job.toml", "\n[output]", "issued = \"in/issued/date={date}/*.parquet\"\n\n[output]");
    let columns = [
        ("account_id", Int64),
        ("product", Utf8),
        ("new_limit", Int64),
        ("new_status", Utf8),
        ("effective_on", Date32),
    ];
    let rows = "
        1  card  150000  active  2026-11-19
        2  card  250000  active  2026-11-21
        3  loan   90000  active  2026-11-20";
    book.deliver("issued", YESTERDAY, &table(&columns, rows));
    book
}

#[test]
fn files_restated_with_the_same_size_footer_and_time_make_another_run() {
    for (input, date, column) in [
        ("issued", YESTERDAY, "effective_on"),
        ("transactions", YESTERDAY, "amount"),
        ("repayments", YESTERDAY, "due_amount"),
        ("lines", TODAY, "balance"),
    ] {
        let book = with_issued();
        book.publish();
        let before = manifest(&book, "out");
        let path = book.path().join(delivered(input, date));
        restate(&path, &exchanged(&path, column, [0, 1]));
        let (code, _, stderr) = book.run();
        assert_eq!(code, 6, "{input}: {stderr}");
        assert!(stderr.contains(&format!("({input} date={date}/part-0.parquet)")), "{stderr}");
        let (code, _, stderr) = book.outcome(&["run", "job.toml", "--date", TODAY, "--replace"]);
        assert_eq!(code, 0, "{stderr}");
        assert_ne!(manifest(&book, "out")["fingerprint"], before["fingerprint"], "{input}");
    }
}

#[test]
fn the_manifest_tells_the_hash_and_rows_of_every_input_file() {
    let book = with_issued();
    book.publish();
    let manifest = manifest(&book, "out");
    let inputs = manifest["inputs"].as_array().unwrap();
    assert_eq!(inputs.len(), 6);
    for entry in inputs {
        let path = book
            .path()
            .join(delivered(entry["input"].as_str().unwrap(), entry["delivery"].as_str().unwrap()));
        assert_eq!(entry["sha256"], file_hash(&path).unwrap(), "{entry}");
        assert_eq!(entry["rows"], Table::read(&path).rows.len(), "{entry}");
        assert_eq!(entry["size"], path.metadata().unwrap().len(), "{entry}");
    }
}

const HASHES: &str = "states/input-hashes";

fn keep_states(book: &Book) {
    book.append("job.toml", "[state]\ndir = \"states\"\n");
}

fn text(book: &Book) -> String {
    fs::read_to_string(book.path().join(HASHES)).unwrap()
}

#[test]
fn hashes_are_remembered_of_files_that_are_still_the_same() {
    let book = Book::new();
    keep_states(&book);
    book.publish();
    assert!(!book.path().join(HASHES).exists(), "what was written this moment may change within it");
    std::thread::sleep(Duration::from_millis(2_100));
    book.publish();
    let whole = text(&book);
    assert_eq!(whole.lines().count(), 6);
    let plain = manifest(&book, "out")["inputs"].clone();

    // A hash that is told wrongly shows whether it is taken from there.
    let (label, lines) = whole.split_once('\n').unwrap();
    let forged: String = lines
        .lines()
        .map(|line| {
            let mut cells: Vec<&str> = line.split(' ').collect();
            let zeros = "0".repeat(64);
            cells[7] = &zeros;
            cells.join(" ") + "\n"
        })
        .collect();
    let label = label.rsplit_once(' ').unwrap().0;
    let seal = |lines: &str| format!("{label} {}\n{lines}", bytes_hash(lines.as_bytes()));
    let hashes = |more: &[&str]| {
        let args = [&["run", "job.toml", "--date", TODAY, "--replace", "--out", "again"], more].concat();
        let (code, _, stderr) = book.outcome(&args);
        assert_eq!(code, 0, "{stderr}");
        manifest(&book, "again")["inputs"].clone()
    };
    let put = |text: &str| fs::write(book.path().join(HASHES), text).unwrap();
    put(&seal(&forged));
    assert_eq!(hashes(&[])[0]["sha256"], "0".repeat(64));
    assert_eq!(hashes(&["--from-scratch"]), plain, "which leaves all that was remembered aside");

    // Whatever is wrong with it, or with one file, is hashed again.
    for wrong in [
        &format!("{label} {}\n{forged}", "0".repeat(64)),
        &seal(&forged.replace(' ', "  ")),
        &seal(&forged).replacen("hashes 1", "hashes 0", 1),
        &whole[..whole.len() / 2],
        "rescore input hashes ",
    ] {
        put(wrong);
        assert_eq!(hashes(&[]), plain, "{wrong}");
    }
    put(&seal(&forged));
    let path = book.path().join(delivered("transactions", TODAY));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let inputs = hashes(&[]);
    let of_today = inputs.as_array().unwrap().iter().find(|entry| entry["delivery"] == TODAY).unwrap();
    assert_eq!(of_today["sha256"], file_hash(&path).unwrap(), "its inode was changed");
}

#[test]
fn what_others_have_left_in_place_of_the_hashes_is_left_alone() {
    let book = Book::new();
    std::thread::sleep(Duration::from_millis(2_100));
    keep_states(&book);
    fs::create_dir(book.path().join("states")).unwrap();
    fs::write(book.path().join(HASHES), "my notes").unwrap();
    let (code, _, stderr) = book.run();
    assert_eq!(code, 0, "{stderr}");
    assert!(
        stderr.contains("the hashes of the inputs are not kept: states/input-hashes is there"),
        "{stderr}"
    );
    assert_eq!(text(&book), "my notes");
}

fn opened(path: PathBuf) -> OpenFile {
    let spec = InputSpec {
        without: Vec::new(),
        name: "transactions",
        pattern: String::new(),
        root: PathBuf::new(),
        rename: Default::default(),
        unique: None,
    };
    file::open(&spec, Some(crate::support::day(TODAY)), &InputFile::at("part".into(), path)).unwrap()
}

#[test]
fn a_file_that_is_written_to_while_it_is_read_is_told() {
    let book = Book::new();
    let path = book.path().join(delivered("transactions", TODAY));
    let file = opened(path.clone());
    let before = file_hash(&path).unwrap();
    file.check_unchanged().unwrap();

    // Another file in its place: what is read is still the one that was opened.
    fs::copy(&path, book.path().join("other")).unwrap();
    table(&TRANSACTIONS, "1 1 2026-11-20 5 purchase a true").write(&book.path().join("other"));
    fs::rename(book.path().join("other"), &path).unwrap();
    assert_eq!((file.sha256().unwrap(), file.rows()), (before.as_str(), 4));
    file.check_unchanged().unwrap();

    let file = opened(path.clone());
    std::thread::sleep(Duration::from_millis(20));
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes).unwrap();
    let error = file.check_unchanged().unwrap_err();
    assert_eq!(exit_code(&error), 3);
    let expected =
        format!("read transactions of {TODAY} ({}): it was changed while it was read", path.display());
    assert!(error.to_string().starts_with(&expected), "{error}");
}

#[test]
fn more_files_than_may_be_open_are_read_all_the_same() {
    let book = Book::new();
    let path = book.path().join(delivered("transactions", TODAY));
    let rows = Table::read(&path);
    for part in 0..150 {
        let rows = Table { columns: rows.columns.clone(), rows: vec![rows.rows[part % 4].clone()] };
        rows.write(&path.with_file_name(format!("part-{part}.parquet")));
    }
    book.publish();
    let run = "ulimit -n 60; exec \"$0\" run job.toml --date 2026-11-20 --out few";
    let ended = Command::new("sh")
        .args(["-c", run, env!("CARGO_BIN_EXE_rescore")])
        .current_dir(book.path())
        .output()
        .unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    assert_eq!(manifest(&book, "few")["fingerprint"], manifest(&book, "out")["fingerprint"]);
    assert_eq!(manifest(&book, "few")["outputs"], manifest(&book, "out")["outputs"]);
}
