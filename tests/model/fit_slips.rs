//! What a fit refuses, and what it says then.

use std::fs;

use super::fit_book::{FitBook, Row, model, rows};

/// Refused with an exit code, saying this.
fn expect(book: &FitBook, more: &[&str], code: i32, said: &str) {
    let (found, stderr) = book.refused("new", more);
    assert_eq!(found, code, "{stderr}");
    assert!(stderr.contains(said), "{stderr}");
    assert!(!book.path().join("new/fit.json").exists());
}

#[test]
fn few_bads_are_refused_and_can_be_forced() {
    let few = |bads: usize| -> Vec<Row> {
        let mut left = bads;
        let own = rows(1, 900, 2).into_iter();
        own.map(|row| {
            let bad = row.bad && left > 0;
            left -= usize::from(bad);
            Row { bad, ..row }
        })
        .collect()
    };
    let book = FitBook::new(&few(49), "min_bin_bads = 1");
    expect(&book, &[], 6, "49 bad rows are in the part train");
    book.fit("forced", &["--force"]);
    book.deliver(&few(50));
    book.fit("fifty", &[]);
    book.deliver(&few(0));
    expect(&book, &["--force"], 3, "rows of the part train are good and none is bad");
}

#[test]
fn nothing_to_fit_on_is_refused() {
    let book = FitBook::new(&rows(1, 300, 2), "");
    book.put("model.toml", &model("holdout = \"account_id > 0\"", ""));
    book.draw();
    expect(&book, &["--force"], 3, "no row of the part train is good or bad");
}

#[test]
fn a_sample_of_something_else_is_refused() {
    let book = FitBook::new(&rows(1, 600, 2), "");
    book.put("model.toml", &model("holdout_bp = 100", ""));
    expect(&book, &[], 3, "draw it again: rescore sample model.toml");
    book.put("model.toml", &model("", ""));
    let card = book.read("jobs/scorecard.toml");
    book.put(
        "jobs/scorecard.toml",
        &card.replace("agg = \"max\"\nof = \"v1\"", "agg = \"min\"\nof = \"v1\""),
    );
    expect(&book, &[], 3, "(`x1`, for one)");
    fs::remove_file(book.path().join("sample.parquet")).unwrap();
    let (code, _) = book.refused("new", &[]);
    assert_ne!(code, 0);
}

#[test]
fn mistakes_about_features_are_told_with_their_lines() {
    let rows = rows(1, 600, 2);
    for (fit, said) in [
        ("[[fit.characteristic]]\nfeature = \"x9\"", "there is no feature `x9`"),
        ("[[fit.characteristic]]\nfeature = \"x0\"\npoints = [1]", "points of `x0` need its cuts"),
        ("[[fit.characteristic]]\nfeature = \"x0\"\ncuts = [5, 2]", "do not ascend"),
        (
            "[[fit.characteristic]]\nfeature = \"x0\"\nforce = true\nexclude = true",
            "both forced and excluded",
        ),
        (
            "[[fit.characteristic]]\nfeature = \"x0\"\n[[fit.characteristic]]\nfeature = \"x0\"",
            "there are two",
        ),
        (
            "[[fit.characteristic]]\nfeature = \"x0\"\ncuts = [2, 5]\npoints = [1, 2]",
            "2 points for 4 bins: below 2, 2 to 4, from 5 and null",
        ),
        ("max_bins = 1000", "max_bins is at most 100"),
    ] {
        expect(&FitBook::new(&rows, fit), &[], 2, said);
    }
}

#[test]
fn features_that_say_nothing_make_no_card() {
    let rows: Vec<Row> = rows(1, 600, 2).into_iter().map(|row| Row::new(&[Some(1), None], row.bad)).collect();
    expect(&FitBook::new(&rows, ""), &[], 6, "no feature tells goods from bads");
}

#[test]
fn what_stands_in_the_way_is_left_alone() {
    let book = FitBook::new(&rows(1, 900, 2), "");
    let (code, stderr) = book.refused("jobs", &[]);
    assert_eq!(code, 6, "{stderr}");
    book.fit("new", &[]);
    let (code, stderr) = book.refused("new", &[]);
    assert!(code == 6 && stderr.contains("--replace replaces it"), "{stderr}");
    book.fit("new", &["--replace"]);
    let card = book.read("new/scorecard.toml");
    book.put("new/scorecard.toml", &card.replace("TODO: say", "Say"));
    book.put("new/policy.toml", &format!("{}\n# ours", book.read("new/policy.toml")));
    let (code, stderr) = book.refused("new", &["--replace"]);
    assert!(code == 6 && stderr.contains("`policy.toml`"), "{stderr}");
    assert!(book.read("new/policy.toml").ends_with("# ours"));
    book.put("other/notes.txt", "mine");
    let (code, stderr) = book.refused("other", &["--replace"]);
    assert!(code == 6 && stderr.contains("no directory that `rescore fit` made"), "{stderr}");
    fs::create_dir(book.path().join("empty")).unwrap();
    book.fit("empty", &[]);
    let left: Vec<String> = fs::read_dir(book.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    assert!(left.iter().all(|name| !name.starts_with(".staging")), "{left:?}");
}
