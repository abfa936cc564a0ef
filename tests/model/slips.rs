//! What is said about a model file, a spine and outcomes that cannot be used: exit code, place, and what to do.

use arrow_schema::DataType::{Boolean, Date32, Int64, Utf8};

use super::{quarter, spine};
use crate::support::book::{Book, table};

const GOOD: &str =
    "job = \"job.toml\"\n[sample]\nspine = \"spine.parquet\"\n[outcome]\nfile = \"outcomes.parquet\"\n";

fn ready() -> Book {
    let book = quarter(&[]);
    spine(&book, "1 2026-02-10\n2 2026-02-10");
    let columns = [("account_id", Int64), ("as_of", Date32), ("bad", Int64)];
    table(&columns, "1 2026-02-10 0\n2 2026-02-10 1").write(&book.path().join("outcomes.parquet"));
    book
}

/// What is said of each model file, and with which exit code.
fn told(models: &[(&str, i32, &str)]) -> String {
    let book = ready();
    let told = models.iter().map(|(name, expected, model)| {
        book.put("model.toml", model);
        let (code, stdout, stderr) = book.outcome(&["sample", "model.toml"]);
        assert_eq!((code, stdout.as_str()), (*expected, ""), "{name}\n{stderr}");
        assert!(!book.path().join("sample.parquet").exists(), "{name}");
        format!("=== {name} (exit {code})\n{stderr}\n")
    });
    told.collect()
}

macro_rules! assert_told {
    ($told:expr) => {
        insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!($told);
        });
    };
}

#[test]
fn model_files_with_slips() {
    let of_file = |more: &str| format!("{GOOD}{more}");
    let computed = |outcome: &str| {
        format!("job = \"job.toml\"\n[sample]\nspine = \"spine.parquet\"\n[outcome]\n{outcome}")
    };
    let cases = [
        ("no job", 2, "[sample]\nspine = \"spine.parquet\"\n[outcome]\nfile = \"outcomes.parquet\"\n".to_string()),
        ("a job that is not there", 2, GOOD.replace("job.toml", "jobs.toml")),
        ("nothing but a job", 2, "job = \"job.toml\"\n".to_string()),
        ("a key that is none", 2, of_file("wihtin = 3\n")),
        ("both kinds of outcome", 2, of_file("due_within_days = 3\n")),
        ("within an exact match", 2, of_file("within = 3\n")),
        ("exclude names no column", 2, of_file("exclude = \"days_past_du > 3\"\n")),
        ("exclude is no truth", 2, of_file("exclude = \"days_past_due + 1\"\n")),
        ("holdout sees no feature", 2, of_file("[split]\nholdout = \"days_past_due > 3\"\n")),
        ("holdout twice", 2, of_file("[split]\nholdout = \"account_id = 1\"\nholdout_bp = 100\n")),
        ("all is held out", 2, of_file("[split]\nholdout_bp = 10000\n")),
        (
            "bad sees bills alone",
            2,
            computed("due_within_days = 30\nseen_after_days = 45\nbad = \"days_late >= 30\"\n"),
        ),
        (
            "seen before it is due",
            2,
            computed("due_within_days = 30\nseen_after_days = 20\nbad = \"max_days_late >= 30\"\n"),
        ),
        (
            "days in the wrong order",
            2,
            "job = \"job.toml\"\n[sample]\nfrom = 2026-02-01\nto = 2026-01-01\nevery = \"week\"\n[outcome]\nfile = \
             \"outcomes.parquet\"\n"
                .to_string(),
        ),
        (
            "days without deliveries",
            3,
            "job = \"job.toml\"\n[sample]\nfrom = 2025-02-01\nto = 2025-03-01\nevery = \"week\"\n[outcome]\nfile = \
             \"outcomes.parquet\"\n"
                .to_string(),
        ),
        ("no such outcomes", 3, of_file("").replace("outcomes.parquet", "outcome.parquet")),
        ("no such column", 3, of_file("column = \"default\"\n")),
    ];
    let cases: Vec<(&str, i32, &str)> =
        cases.iter().map(|(name, code, text)| (*name, *code, text.as_str())).collect();
    assert_told!(told(&cases));
}

/// What is done to the files of a sample, and what to call it.
type Trouble<'a> = (&'a str, i32, &'a dyn Fn(&Book));

#[test]
fn spines_and_outcomes_with_slips() {
    let write = |book: &Book, file: &str, columns: &[(&str, arrow_schema::DataType)], rows: &str| {
        table(columns, rows).write(&book.path().join(file));
    };
    let spine_with = |book: &Book, name: &'static str, kind: arrow_schema::DataType, cell: &str| {
        let columns = [("account_id", Int64), ("as_of", Date32), (name, kind)];
        write(book, "spine.parquet", &columns, &format!("1 2026-02-10 {cell}"));
    };
    let outcomes = |book: &Book, kind: arrow_schema::DataType, rows: &str| {
        write(book, "outcomes.parquet", &[("account_id", Int64), ("as_of", Date32), ("bad", kind)], rows);
    };
    let cases: [Trouble; 9] = [
        ("known_on", 3, &|book| spine_with(book, "known_on", Date32, "2026-02-11")),
        ("a feature's name", 3, &|book| spine_with(book, "spend_30d", Int64, "1")),
        ("the outcome's name", 3, &|book| spine_with(book, "outcome", Utf8, "good")),
        ("a negative weight", 3, &|book| spine_with(book, "weight", Int64, "-1")),
        ("no weight", 3, &|book| spine_with(book, "weight", Int64, "-")),
        ("text ids", 3, &|book| {
            write(book, "spine.parquet", &[("account_id", Utf8), ("as_of", Date32)], "1 2026-02-10");
        }),
        ("an outcome of 2", 3, &|book| outcomes(book, Int64, "1 2026-02-10 0\n2 2026-02-10 2")),
        ("an outcome in words", 3, &|book| outcomes(book, Utf8, "1 2026-02-10 bad")),
        ("two outcomes of a day", 3, &|book| {
            outcomes(book, Boolean, "2 2026-02-10 true\n1 2026-02-10 true\n2 2026-02-10 false");
        }),
    ];
    let told = cases.iter().map(|(name, expected, make)| {
        let book = ready();
        book.put("model.toml", GOOD);
        make(&book);
        let (code, stdout, stderr) = book.outcome(&["sample", "model.toml"]);
        assert_eq!((code, stdout.as_str()), (*expected, ""), "{name}\n{stderr}");
        format!("=== {name} (exit {code})\n{stderr}\n")
    });
    assert_told!(told.collect::<String>());
}

#[test]
fn a_path_without_toml_is_a_book_and_needs_its_arguments() {
    let book = ready();
    let (code, _, stderr) = book.outcome(&["sample", "model"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("--accounts, --from, --to and --seed"), "{stderr}");
}
