//! sample.parquet read back: the same sample, and nobody else's.

use std::fs;
use std::path::Path;

use arrow_schema::DataType::{Date32, Int64, Utf8};
use rescore::console::Progress;
use rescore::expr::Type;
use rescore::model::{ModelFile, ModelSample, RowOutcome, SamplePart, draw, features_of_scorecard};
use rescore::spine::SweepOptions;

use super::{quarter, taiwan};
use crate::support::book::{Book, table};
use crate::support::{Table, day, files};

fn options(directory: &Path) -> SweepOptions {
    SweepOptions { memory_bytes: None, from_scratch: true, scratch: directory.to_path_buf() }
}

/// A book with a spine of two rows, their outcomes, and a sample drawn of them.
fn drawn() -> (Book, ModelFile, ModelSample) {
    let book = quarter(&[]);
    let columns = [("account_id", Int64), ("as_of", Date32), ("seen_on", Date32), ("segment", Utf8)];
    let rows = "2 2026-02-10 2026-02-11 web\n1 2026-02-10 - -";
    table(&columns, rows).write(&book.path().join("spine.parquet"));
    let columns = [("account_id", Int64), ("as_of", Date32), ("bad", Int64)];
    table(&columns, "1 2026-02-10 0\n2 2026-02-10 1").write(&book.path().join("outcomes.parquet"));
    book.put(
        "model.toml",
        "job = \"job.toml\"\n[sample]\nspine = \"spine.parquet\"\n[outcome]\nfile = \"outcomes.parquet\"\n",
    );
    let model = ModelFile::read(&book.path().join("model.toml")).unwrap();
    let drawn = draw(&model, options(book.path()), &Progress::hidden()).unwrap();
    drawn.sample.write(&model.sample).unwrap();
    (book, model, drawn.sample)
}

#[test]
fn a_sample_is_read_as_it_was_written() {
    let (_book, model, drawn) = drawn();
    let read = ModelSample::read(&model.sample).unwrap();
    assert_eq!(read.account, drawn.account);
    assert_eq!(read.as_of, [Some(day("2026-02-10")); 2]);
    assert_eq!(
        (&read.weight[..], &read.outcome[..]),
        (&[1, 1][..], &[RowOutcome::Bad, RowOutcome::Good][..])
    );
    assert_eq!(read.part, [SamplePart::Train; 2]);
    assert_eq!((&read.names, &read.features), (&drawn.names, &drawn.features));
    let kinds: Vec<(&str, Type)> =
        read.extra.iter().map(|column| (column.name.as_str(), column.kind)).collect();
    assert_eq!(kinds, [("seen_on", Type::Date), ("segment", Type::Text)]);
    assert_eq!(read.origin, drawn.origin);
    assert_eq!(read.hash.len(), 64);
}

#[test]
fn what_rescore_sample_did_not_write_is_no_sample() {
    let (book, model, _) = drawn();
    Table::read(&model.sample).write(&book.path().join("other.parquet"));
    let refused = ModelSample::read(&book.path().join("other.parquet")).unwrap_err().to_string();
    assert!(refused.contains("it is no sample that `rescore sample` drew"), "{refused}");
}

/// What is done to the files, and what the sample is told to be of: another model, another feature, or still its own.
type Change<'a> = (&'a str, &'a dyn Fn(&Book), Option<&'a str>);

#[test]
fn a_sample_belongs_to_its_model_and_its_features() {
    let cases: [Change; 5] = [
        ("nothing", &|_| {}, None),
        (
            "a comment and a blank",
            &|book| {
                book.edit(
                    "scorecard.toml",
                    "days = 30\n\n[[feature]]\nname = \"online_30d\"",
                    "days =  30 # a month\n\n[[feature]]\nname = \"online_30d\"",
                )
            },
            None,
        ),
        ("how it is fitted", &|book| book.append("model.toml", "[fit]\npdo = 20\n"), None),
        (
            "the outcome",
            &|book| book.append("model.toml", "match = \"next\"\nwithin = 3\n"),
            Some("another [sample], [outcome] or [split]"),
        ),
        (
            "a feature",
            &|book| {
                book.edit(
                    "scorecard.toml",
                    "days = 30\n\n[[feature]]\nname = \"online_30d\"",
                    "days = 31\n\n[[feature]]\nname = \"online_30d\"",
                )
            },
            Some("feature spend_30d is not defined as"),
        ),
    ];
    for (name, change, expected) in cases {
        let (book, model, sample) = drawn();
        change(&book);
        let now = ModelFile::read(&book.path().join("model.toml")).unwrap();
        let other = features_of_scorecard(
            &now,
            &book.path().join("scorecard.toml"),
            options(book.path()),
            &Progress::hidden(),
        );
        let found = sample.check_belongs(&model.sample, &now, &other.unwrap().definitions);
        match (expected, found) {
            (None, found) => found.unwrap(),
            (Some(words), found) => {
                let message = found.unwrap_err().to_string();
                assert!(message.contains(words) && message.contains("rescore sample"), "{name}: {message}");
            }
        }
    }
}

/// A card that is validated may read what the sample has not: it is computed for the same rows.
#[test]
fn features_of_another_card_are_drawn_for_the_same_rows() {
    let directory = tempfile::tempdir().unwrap();
    files::copy(&taiwan(), directory.path());
    let model = ModelFile::read(&directory.path().join("jobs/model.toml")).unwrap();
    let mut sample = draw(&model, options(directory.path()), &Progress::hidden()).unwrap().sample;
    let card = directory.path().join("jobs/other.toml");
    let text = fs::read_to_string(directory.path().join("jobs/scorecard.toml")).unwrap();
    let added = "[[feature]]\nname = \"twice_now\"\nexpr = \"status_now * 2\"\n\n[[characteristic]]\nfeature = \"status_now\"";
    fs::write(&card, text.replacen("[[characteristic]]\nfeature = \"status_now\"", added, 1)).unwrap();
    let other = features_of_scorecard(&model, &card, options(directory.path()), &Progress::hidden()).unwrap();
    assert_eq!(sample.lacks(&other.definitions), ["twice_now"]);
    let before = sample.feature("status_now").unwrap().clone();
    sample.replace_features(other).unwrap();
    assert_eq!(sample.feature("status_now").unwrap(), &before);
    let twice = sample.feature("twice_now").unwrap();
    assert!((0..sample.len()).all(|row| twice.get(row).copied() == before.get(row).map(|value| 2 * value)));
}
