//! Files that are meant to harm or are no files for us, and places to write that are not to be written to.

use std::fs;
use std::path::Path;

use super::documents::{Document, PLAIN};
use super::shipped;
use crate::support::book::Book;
use crate::support::{outcome_in, succeed_in};

fn import_in(directory: &Path, more: &[&str]) -> (i32, String) {
    let args = [&["import", "card.pmml", "--from", "pmml", "--out", "card.toml"], more].concat();
    let (code, _, stderr) = outcome_in(directory, &args);
    (code, stderr)
}

fn valid() -> String {
    Document {
        characteristics: r#"<Characteristic name="ages"><Attribute partialScore="1"><True/></Attribute></Characteristic>"#,
        ..PLAIN
    }
    .text()
}

#[test]
fn no_entity_grows_and_nothing_nests_without_end() {
    let bomb = r#"<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><PMML>&b;</PMML>"#;
    let outside = r#"<!DOCTYPE x SYSTEM "file:///etc/passwd"><PMML/>"#;
    let deep = format!("<PMML>{}{}</PMML>", "<a>".repeat(20_000), "</a>".repeat(20_000));
    let many = format!("<PMML>{}</PMML>", "<a/>".repeat(600_000));
    let cases = [
        (bomb.to_string(), "a document type is not read"),
        (outside.to_string(), "a document type is not read"),
        (deep, "lies in more than 64 elements"),
        (many, "more elements than are read"),
        ("<PMML><a></b></PMML>".to_string(), "no well-formed XML"),
        ("<PMML".to_string(), "no well-formed XML"),
        (String::new(), "no well-formed XML"),
        ("<PMML a=\"1\" a=\"2\"/>".to_string(), "no well-formed XML"),
        ("<PMML>&nothing;</PMML>".to_string(), "no well-formed XML"),
        ("x".repeat((16 << 20) + 1), "has more than"),
    ];
    let directory = tempfile::tempdir().unwrap();
    for (text, why) in cases {
        fs::write(directory.path().join("card.pmml"), &text).unwrap();
        let (code, stderr) = import_in(directory.path(), &[]);
        assert_eq!(code, 2, "{stderr}");
        assert!(stderr.contains(why), "{why}\n{stderr}");
        assert!(stderr.len() < 4_000 && !directory.path().join("card.toml").exists(), "{stderr}");
    }
}

#[test]
fn encodings_that_are_known_are_read() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("card.pmml");
    let german = valid().replace("\"ages\"", "\"Jahre über\"");
    let utf16 = |swap: bool| {
        let units = std::iter::once(0xFEFF).chain(german.encode_utf16());
        units.flat_map(|unit| if swap { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect::<Vec<u8>>()
    };
    let latin = german.replace("version=\"1.0\"", "version=\"1.0\" encoding=\"ISO-8859-1\"");
    let latin: Vec<u8> = latin.chars().map(|character| u8::try_from(u32::from(character)).unwrap()).collect();
    for bytes in [format!("\u{FEFF}{german}").into_bytes(), utf16(false), utf16(true), latin] {
        fs::write(&path, bytes).unwrap();
        let (code, stderr) = import_in(directory.path(), &[]);
        assert_eq!(code, 0, "{stderr}");
        assert!(fs::read_to_string(directory.path().join("card.toml")).unwrap().contains("Jahre über"));
    }
    for (bytes, why) in [
        (
            valid().replace("version=\"1.0\"", "version=\"1.0\" encoding=\"GBK\"").into_bytes(),
            "`gbk` is not read",
        ),
        (b"<PMML>\n\xFF</PMML>".to_vec(), "line 2, byte 7: 0xFF is not UTF-8"),
    ] {
        fs::write(&path, bytes).unwrap();
        let (code, stderr) = import_in(directory.path(), &[]);
        assert!(code == 2 && stderr.contains(why), "{stderr}");
    }
    fs::remove_file(&path).unwrap();
    let (code, stderr) = import_in(directory.path(), &[]);
    assert!(code == 2 && stderr.contains("card.pmml"), "{stderr}");
}

#[test]
fn names_never_reach_the_terminal_or_the_file_as_control_characters() {
    let directory = tempfile::tempdir().unwrap();
    let text = valid().replace("\"ages\"", "\"a&#10;[score]&#9;&#x85;é\"");
    fs::write(directory.path().join("card.pmml"), text).unwrap();
    let stdout =
        succeed_in(directory.path(), &["import", "card.pmml", "--from", "pmml", "--out", "card.toml"]);
    let written = fs::read_to_string(directory.path().join("card.toml")).unwrap();
    let is_tame = |text: &str| text.chars().all(|character| !character.is_control() || character == '\n');
    assert!(is_tame(&stdout) && is_tame(&written), "{stdout}{written}");
    let parsed: toml::Table = written.parse().unwrap();
    assert_eq!(parsed["score"]["base"].as_integer(), Some(100));
}

#[test]
fn what_stands_there_is_not_written_over() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("card.pmml"), valid()).unwrap();
    let args = ["import", "card.pmml", "--from", "pmml", "--out", "jobs-new"];
    succeed_in(directory.path(), &args);
    let path = directory.path().join("jobs-new/scorecard.toml");
    let first = fs::read(&path).unwrap();
    let (code, _, stderr) = outcome_in(directory.path(), &args);
    assert!(code == 6 && stderr.contains("is there already"), "{stderr}");
    let named = ["import", "card.pmml", "--from", "pmml", "--out", "jobs-new/scorecard.toml"];
    succeed_in(directory.path(), &named);
    assert_eq!(fs::read(&path).unwrap(), first);
    let stdout =
        succeed_in(directory.path(), &["import", "card.pmml", "--from", "pmml", "--out", "/dev/stdout"]);
    assert_eq!(stdout.as_bytes(), first);
}

#[test]
fn a_job_lends_its_features() {
    let book = Book::new();
    let text = r#"<Characteristic name="spends"><Attribute partialScore="1">
        <SimplePredicate field="spend_30d" operator="lessThan" value="5"/></Attribute>
        <Attribute partialScore="2"><True/></Attribute></Characteristic>"#;
    let text = Document { characteristics: "", ..PLAIN }
        .text()
        .replace("<Characteristics></Characteristics>", &format!("<Characteristics>{text}</Characteristics>"))
        .replace("name=\"age\"", "name=\"spend_30d\"");
    fs::write(book.path().join("card.pmml"), &text).unwrap();
    let (code, stderr) = import_in(book.path(), &["--job", "job.toml"]);
    assert_eq!(code, 0, "{stderr}");
    let written = fs::read_to_string(book.path().join("card.toml")).unwrap();
    assert!(!written.contains("TO FILL"), "{written}");
    let job = fs::read_to_string(book.path().join("job.toml")).unwrap();
    fs::write(book.path().join("new.toml"), job.replace("\"scorecard.toml\"", "\"card.toml\"")).unwrap();
    let (_, _, stderr) = outcome_in(book.path(), &["check", "new.toml"]);
    assert!(!stderr.contains("card.toml"), "the policy may miss names, the card has no mistakes: {stderr}");
    // A text of that name is something else than the job's number.
    let text = text.replace("dataType=\"integer\"", "dataType=\"string\"").replace("lessThan", "equal");
    fs::write(book.path().join("card.pmml"), text).unwrap();
    let (code, stderr) = import_in(book.path(), &["--job", "job.toml"]);
    assert!(code == 2 && stderr.contains("something else than is wanted"), "{stderr}");
}

#[test]
fn stubs_are_refused_until_they_are_filled() {
    let book = Book::new();
    let card = shipped("department.pmml");
    let args = ["import", card.to_str().unwrap(), "--from", "pmml", "--out", "scorecard.toml"];
    succeed_in(book.path(), &args);
    let (code, _, stderr) = outcome_in(book.path(), &["check", "job.toml"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("a feature has exactly one of `from`, `ratio`, `expr`"), "{stderr}");
}
