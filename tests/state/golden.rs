//! The golden cases night after night: what an independent implementation computed, from sorted deliveries too.

use std::fs;
use std::os::unix::fs::symlink;

use crate::golden::check_run;
use crate::support::{outcome_in, project};

/// D, K where it differs, and whether the case tells what must come of it.
const NIGHTS: [(&str, Option<&str>, bool); 9] = [
    ("2026-11-13", None, false),
    ("2026-11-14", None, false),
    ("2026-11-15", None, true),
    ("2026-11-16", None, false),
    ("2026-11-17", None, false),
    ("2026-11-17", Some("2026-11-20"), true),
    ("2026-11-18", None, false),
    ("2026-11-19", None, true),
    ("2026-11-20", None, true),
];

#[test]
fn integer_ids_and_money_night_after_night() {
    check_case("ints");
}

#[test]
fn text_ids_and_an_undated_input_night_after_night() {
    check_case("strings");
}

#[test]
fn decimal_money_and_a_renamed_column_night_after_night() {
    check_case("renamed");
}

fn check_case(case: &str) {
    let expected = project().join("tests/golden").join(case);
    let place = tempfile::tempdir().unwrap();
    symlink(expected.join("data"), place.path().join("data")).unwrap();
    fs::create_dir(place.path().join("jobs")).unwrap();
    for file in fs::read_dir(expected.join("jobs")).unwrap() {
        let file = file.unwrap().path();
        let mut text = fs::read_to_string(&file).unwrap();
        if file.ends_with("nightly.toml") {
            text += "\n[state]\ndir = \"../states\"\n";
        }
        fs::write(place.path().join("jobs").join(file.file_name().unwrap()), text).unwrap();
    }
    let mut sorted_before = 0;
    for (as_of, known_on, is_told) in NIGHTS {
        let mut args = vec!["run", "jobs/nightly.toml", "--date", as_of];
        args.extend(known_on.iter().flat_map(|known_on| ["--known-on", known_on]));
        let (code, _, stderr) = outcome_in(place.path(), &args);
        let run = match known_on {
            Some(known_on) => format!("known={known_on}/date={as_of}"),
            None => format!("date={as_of}"),
        };
        if !is_told && code == 3 {
            continue;
        }
        assert_eq!(code, 0, "{stderr}");
        let found = place.path().join("out").join(&run);
        let manifest = fs::read_to_string(found.join("manifest.json")).unwrap();
        sorted_before += usize::from(!manifest.contains("\"basis\": \"from 0 sorted deliveries"));
        if is_told {
            check_run(&found, &expected.join("expected").join(&run));
        }
    }
    assert!(sorted_before >= 4, "{sorted_before} nights used what others had sorted");
}
