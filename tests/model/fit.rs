//! Fitted cards: what holds of every one of them, whatever it is fitted on.

use std::fs;

use serde_json::Value;

use super::fit_book::{FitBook, Row, model, own, rows};
use super::fit_naive::bin_of;
use crate::support::{Cell, Table, files, succeed_in};

/// The card without the line that names the sample's file.
fn card(book: &FitBook, out: &str) -> String {
    let text = book.read(&format!("{out}/scorecard.toml"));
    text.lines().filter(|line| !line.contains("sample sha256")).map(|line| format!("{line}\n")).collect()
}

/// What was fitted without the sample's hash and what follows from it.
fn without_hash(mut record: Value) -> Value {
    record["sample_sha256"] = Value::Null;
    record["files"] = Value::Null;
    record
}

#[test]
fn points_of_the_published_card_add_up_to_the_score_that_was_fitted() {
    for seed in 1..4 {
        let rows = rows(seed, 1_200, 5);
        let book = FitBook::new(&rows, "");
        let record = book.fit("jobs-new", &[]);
        let scores = book.scores("jobs-new/nightly.toml").column("score");
        let factor = 40.0 / 2_f64.ln();
        let deviation = record["largest_deviation"].as_f64().unwrap();
        for (row, score) in rows.iter().zip(scores) {
            let (mut points, mut log_odds) =
                (record["base"].as_i64().unwrap(), record["intercept"].as_f64().unwrap());
            for one in record["characteristics"].as_array().unwrap() {
                let feature: usize = one["feature"].as_str().unwrap()[1..].parse().unwrap();
                let bin = bin_of(one, row.values[feature]);
                points += bin["points"].as_i64().unwrap();
                log_odds += one["coefficient"].as_f64().unwrap() * bin["woe"].as_f64().unwrap();
            }
            assert_eq!(score, Cell::Int(points));
            let exact = 600.0 + factor * (log_odds - 20_f64.ln());
            assert!((exact - points as f64).abs() <= deviation + 1e-9, "{exact} {points} {deviation}");
        }
        let train = &record["parts"][0];
        let [observed, predicted] =
            ["observed_bad_rate", "predicted_bad_rate"].map(|name| train[name].as_f64().unwrap());
        assert!((observed - predicted).abs() < 0.01 * observed, "{train}");
    }
}

#[test]
fn neither_order_nor_threads_change_a_byte() {
    let mut rows = rows(5, 1_500, 6);
    let book = FitBook::new(&rows, "");
    let first = book.fit("a", &["--threads", "1"]);
    let again = book.fit("b", &["--threads", "4"]);
    assert_eq!(without_hash(first.clone()), without_hash(again));
    for name in ["scorecard.toml", "policy.toml", "fit.html", "thresholds.toml"] {
        assert_eq!(book.read(&format!("a/{name}")), book.read(&format!("b/{name}")), "{name}");
    }
    rows.reverse();
    rows.rotate_left(377);
    book.deliver(&rows);
    let turned = book.fit("c", &[]);
    assert_eq!(card(&book, "a"), card(&book, "c"));
    assert_eq!(without_hash(first), without_hash(turned));
}

#[test]
fn a_row_twice_is_a_row_of_weight_two() {
    let twice: Vec<Row> = rows(6, 900, 4);
    let with = |weight: i64, times: usize| -> Vec<Row> {
        let own = twice.iter().enumerate();
        own.map(
            |(number, row)| if number % 3 == 0 { Row { weight, times, ..row.clone() } } else { row.clone() },
        )
        .collect()
    };
    let book = FitBook::new(&with(1, 2), "");
    let repeated = book.fit("a", &[]);
    book.deliver(&with(2, 1));
    let weighed = book.fit("b", &[]);
    assert_eq!(card(&book, "a"), card(&book, "b"));
    assert_eq!(without_hash(repeated), without_hash(weighed));
}

#[test]
fn what_says_nothing_is_left_out_by_name() {
    let rows: Vec<Row> = rows(7, 1_000, 2)
        .into_iter()
        .enumerate()
        .map(|(number, row)| {
            let edge = if row.bad { i64::MIN } else { i64::MAX };
            let mixed = if number % 5 == 0 { Some(0) } else { Some(edge) };
            let own = [row.values[0], Some(7), None, Some(i64::from(row.bad)), row.values[0], mixed];
            Row::new(&own, row.bad)
        })
        .collect();
    let book = FitBook::new(&rows, "min_bin_bads = 0");
    let record = book.fit("new", &[]);
    let left_out = record["left_out"].as_array().unwrap();
    let reason =
        |name: &str| left_out.iter().find(|one| one["feature"] == name).map(|one| one["reason"].clone());
    assert_eq!(reason("x1"), Some("one_bin".into()));
    assert_eq!(reason("x2"), Some("only_nulls".into()));
    assert_eq!(reason("x3"), Some("separates".into()));
    assert!(reason("x4").is_some() || reason("x0").is_some(), "two alike: {record}");
    book.scores("new/nightly.toml");
}

#[test]
fn values_at_the_ends_of_integers_have_bins() {
    let rows: Vec<Row> = rows(8, 1_000, 1)
        .into_iter()
        .map(|row| {
            let ends = [i64::MIN, i64::MIN + 1, -1, 0, 1, i64::MAX - 1, i64::MAX, i64::MAX, i64::MAX];
            Row::new(&[row.values[0].map(|value| ends[value as usize])], row.bad)
        })
        .collect();
    let specials =
        "[[fit.characteristic]]\nfeature = \"x0\"\nspecial = [-9223372036854775808, 9223372036854775807]";
    for fit in ["max_bins = 9\nmin_bin_bads = 1", specials] {
        let book = FitBook::new(&rows, fit);
        let record = book.fit("new", &[]);
        let scores = book.scores("new/nightly.toml").column("score");
        for (row, score) in rows.iter().zip(scores) {
            let bin = bin_of(&record["characteristics"][0], row.values[0]);
            let points = record["base"].as_i64().unwrap() + bin["points"].as_i64().unwrap();
            assert_eq!(score, Cell::Int(points), "{row:?}");
        }
    }
}

#[test]
fn the_files_keep_what_the_operator_wrote() {
    let book = FitBook::new(&rows(2, 1_500, 3), "");
    let record = book.fit("jobs-new", &[]);
    let card = book.read("jobs-new/scorecard.toml");
    for kept in [
        "# The card.\n",
        "# Ours since 2020.\n",
        "name = \"high\" # the better ones\n",
        "] # two\n",
        "# Feature 2.\n",
    ] {
        assert!(card.contains(kept), "{kept}\n{card}");
    }
    let job = book.read("jobs-new/nightly.toml");
    assert!(job.contains("scorecard = \"scorecard.toml\" # the card\n"), "{job}");
    assert!(job.contains(
        "# rescore fit: it was \"../out\"; a trial does not publish over it.\ndir = \"../out-jobs-new\"\n"
    ));
    // Every threshold on the score is moved to where it keeps its share.
    let thresholds = record["thresholds"].as_array().unwrap();
    assert_eq!(thresholds.len(), 2, "{thresholds:?}");
    for (one, text) in thresholds.iter().zip([book.read("jobs-new/policy.toml"), job]) {
        let written = if one["file"] == "policy" {
            format!("when = \"score < {} or x0 > 1000\"", one["new"])
        } else {
            format!("share_of = \"score >= {}\" # many", one["new"])
        };
        assert!(text.contains(&written), "{written}\n{text}");
    }
    assert!(book.read("jobs-new/policy.toml").contains("# The weak ones.\n"));
    let (old, new) = (book.scores("jobs/nightly.toml"), book.scores("jobs-new/nightly.toml"));
    assert_eq!((old.rows.len(), new.rows.len()), (1_500, 1_500));
    let fresh =
        record["characteristics"].as_array().unwrap().iter().filter(|one| one["is_new"] == true).count();
    let checked = succeed_in(book.path(), &["check", "jobs-new/nightly.toml"]);
    assert_eq!(checked.matches("is still to be written").count(), fresh, "{checked}");
}

#[test]
fn thresholds_stay_where_that_is_asked_for() {
    let book = FitBook::new(&rows(2, 1_500, 3), "");
    let record = book.fit("new", &["--keep-thresholds"]);
    assert_eq!(book.read("new/policy.toml"), book.read("jobs/policy.toml"));
    assert_eq!(record["thresholds_moved"], false);
    assert!(book.read("new/thresholds.toml").contains("NOT moved"));
}

#[test]
fn bands_have_the_shares_that_they_had() {
    let book = FitBook::new(&rows(3, 2_000, 4), "");
    let record = book.fit("new", &[]);
    let bands = |table: &Table| {
        let high = table.column("band").iter().filter(|band| band.text() == Some("high")).count();
        high as f64 / table.rows.len() as f64
    };
    let (old, new) = (bands(&book.scores("jobs/nightly.toml")), bands(&book.scores("new/nightly.toml")));
    assert!((old - new).abs() < 0.05, "{old} {new} {}", record["bands"]);
}

#[test]
fn a_feature_may_be_forced_excluded_cut_and_given_points() {
    let rows = rows(4, 1_500, 4);
    let fit = "[[fit.characteristic]]\nfeature = \"x0\"\nexclude = true\n[[fit.characteristic]]\nfeature = \"x1\"\ncuts = \
               [2, 5]\npoints = [40, 20, 0, 10]\n[[fit.characteristic]]\nfeature = \"x3\"\nforce = true\n\
               [[fit.characteristic]]\nfeature = \"x2\"\nspecial = [4]\nmonotone = \"down\"";
    let book = FitBook::new(&rows, fit);
    let record = book.fit("new", &[]);
    let found = |name: &str| {
        record["characteristics"].as_array().unwrap().iter().find(|one| one["feature"] == name).cloned()
    };
    assert!(found("x0").is_none());
    let given = found("x1").unwrap();
    let points: Vec<i64> =
        given["bins"].as_array().unwrap().iter().map(|bin| bin["points"].as_i64().unwrap()).collect();
    assert_eq!((points, &given["coefficient"]), (vec![40, 20, 0, 10], &Value::Null));
    let special = found("x2").unwrap();
    assert!(special["bins"].as_array().unwrap().iter().any(|bin| bin["bin"] == "4"), "{special}");
    let scores = book.scores("new/nightly.toml").column("score");
    assert_eq!(scores.len(), rows.len());
}

#[test]
fn a_held_out_part_is_not_fitted_on() {
    let rows = rows(4, 1_500, 3);
    let book = FitBook::new(&rows, "");
    book.put("model.toml", &model("holdout = \"account_id % 10 >= 7\"", ""));
    book.draw();
    let before = book.fit("a", &[]);
    let others: Vec<Row> = rows
        .iter()
        .enumerate()
        .map(
            |(number, row)| {
                if (number + 1) % 10 >= 7 { Row { bad: !row.bad, ..row.clone() } } else { row.clone() }
            },
        )
        .collect();
    book.deliver(&others);
    let after = book.fit("b", &[]);
    assert_eq!(before["characteristics"], after["characteristics"]);
    assert_ne!(before["parts"][1], after["parts"][1]);
}

/// What was fitted on Taiwan's customers stays as it is, to the byte.
#[test]
fn a_card_of_real_customers() {
    let book = tempfile::tempdir().unwrap();
    for part in ["jobs", "data"] {
        files::copy(&own(part), &book.path().join(part));
    }
    succeed_in(book.path(), &["sample", "jobs/model.toml", "-q"]);
    succeed_in(book.path(), &["fit", "jobs/model.toml", "--out", "jobs-new", "-q"]);
    let card = fs::read_to_string(book.path().join("jobs-new/scorecard.toml")).unwrap();
    let from = card.find("[[characteristic]]").unwrap();
    let head: Vec<&str> = card.lines().filter(|line| !line.contains("sha256")).take(16).collect();
    insta::assert_snapshot!("taiwan", format!("{}\n…\n{}", head.join("\n"), &card[from..]));
}
