//! `--json`: one line a run from every verb, and errors as JSON too.

use serde_json::Value;

use super::{published_then_gated, two_nights};
use crate::support::book::{TODAY, YESTERDAY};
use crate::support::{outcome_in, rescore_in, succeed_in};

/// The lines that a verb prints, each as JSON.
fn lines(directory: &std::path::Path, args: &[&str]) -> Vec<Value> {
    let output = rescore_in(directory, args);
    let text = String::from_utf8(output.stdout).unwrap();
    let parsed = text.lines().map(serde_json::from_str);
    parsed.collect::<Result<_, _>>().unwrap_or_else(|error| panic!("{args:?}: {error} in\n{text}"))
}

#[test]
fn every_verb_prints_json_a_line_a_run() {
    let book = published_then_gated();
    succeed_in(book.path(), &["run", "job.toml", "--date", TODAY]);
    let (left, right) = (format!("out/date={YESTERDAY}"), format!("out/date={TODAY}"));
    let range = ["run", "job.toml", "--from", YESTERDAY, "--to", TODAY];
    let verbs: [(&[&str], usize); 13] = [
        (&["run", "job.toml", "--date", TODAY], 1),
        (&range, 2),
        (&["runs", "out"], 2),
        (&["show", &right], 1),
        (&["check", "job.toml"], 1),
        (&["check", "job.toml", "--date", "latest"], 1),
        (&["verify", &right], 1),
        (&["diff", &left, &right], 1),
        (&["explain", &right, "--account", "1"], 1),
        (&["scorecard", "job.toml", &right], 1),
        (&["report", &right], 1),
        (&["gather", &right, "--out", "gathered"], 1),
        (
            &[
                "sample",
                "a/../book",
                "--accounts",
                "20",
                "--from",
                "2026-01-01",
                "--to",
                "2026-01-02",
                "--seed",
                "1",
            ],
            1,
        ),
    ];
    for (args, count) in verbs {
        let found = lines(book.path(), &[args, &["--json"]].concat());
        assert_eq!(found.len(), count, "{args:?}");
        assert!(found.iter().all(Value::is_object), "{args:?}: {found:?}");
        let text = found.iter().map(Value::to_string).collect::<String>();
        assert!(!text.contains("/../"), "{args:?}: {text}");
    }
}

#[test]
fn errors_are_json_where_json_is_asked_for() {
    let book = two_nights();
    let cases: [(&[&str], u8, &str); 5] = [
        (&["run", "job.toml", "--date", "2026-11-25"], 3, "input"),
        (&["run", "job.toml", "--date", "soon"], 2, "usage"),
        (&["run", "none.toml", "--date", TODAY], 2, "usage"),
        (&["show", "out"], 3, "input"),
        (&["nonsense"], 2, "usage"),
    ];
    for (args, exit, kind) in cases {
        let (code, stdout, stderr) = outcome_in(book.path(), &[args, &["--json"]].concat());
        assert_eq!((code, stdout.as_str()), (i32::from(exit), ""), "{args:?}");
        let error: Value = serde_json::from_str(stderr.lines().last().unwrap()).unwrap();
        assert_eq!(
            (&error["error"]["exit"], &error["error"]["kind"]),
            (&exit.into(), &kind.into()),
            "{args:?}"
        );
        assert!(error["error"]["message"].as_str().is_some_and(|message| !message.is_empty()));
    }
    let book = published_then_gated();
    let (code, stdout, stderr) = book.outcome(&["run", "gated.toml", "--date", TODAY, "--json"]);
    assert_eq!(code, 4);
    let said: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(said["ending"], "held");
    let error: Value = serde_json::from_str(stderr.lines().last().unwrap()).unwrap();
    assert_eq!(error["error"]["kind"], "held");
}
