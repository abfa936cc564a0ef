//! `rescore scorecard`: every bin with its points, and what a run has in it, counted again from its tables.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::explain::nights;
use crate::report::recount::shown;
use crate::support::book::Book;
use crate::support::{Cell, Table, outcome_in, succeed_in};

const JOB: &str = "jobs/nightly.toml";
const RUN: &str = "out/date=2026-11-20";

fn json(args: &[&str]) -> Value {
    let mut all = vec!["scorecard"];
    all.extend(args);
    all.push("--json");
    serde_json::from_str(&succeed_in(nights().home(), &all)).unwrap()
}

fn list<'v>(value: &'v Value, name: &str) -> &'v Vec<Value> {
    value[name].as_array().unwrap()
}

/// The place of a value among the bins of a characteristic, the first of which is for nulls.
fn place(bins: &[Value], value: Option<i64>) -> usize {
    let Some(value) = value else { return 0 };
    let holds = |bin: &Value| bin["below"].as_i64().is_none_or(|below| value < below);
    1 + bins[1..].iter().position(holds).unwrap()
}

/// A quotient rounded half away from zero.
fn rounded(sum: i128, count: i128) -> i128 {
    let size = (2 * sum.abs() + count) / (2 * count);
    size * sum.signum()
}

/// Every bin's accounts, share and mean, counted from `features.parquet` and `scores.parquet` row by row.
fn assert_counted(card: &Value, run: &Path) {
    let (features, scores) =
        (Table::read(&run.join("features.parquet")), Table::read(&run.join("scores.parquet")));
    assert_eq!(features.column("account_id"), scores.column("account_id"));
    let score: Vec<i128> = scores.column("score").iter().map(|cell| int(cell).unwrap().into()).collect();
    let all = score.len() as i128;
    assert_eq!(card["run"]["accounts"], score.len());
    assert_eq!(card["run"]["mean_score_thousandths"], rounded(1000 * score.iter().sum::<i128>(), all) as i64);
    for characteristic in list(card, "characteristics") {
        let bins = list(characteristic, "bins");
        let mut found = vec![(0, 0); bins.len()];
        let values = features.column(characteristic["feature"].as_str().unwrap());
        for (value, score) in values.iter().zip(&score) {
            let (accounts, sum) = &mut found[place(bins, int(value))];
            *accounts += 1;
            *sum += score;
        }
        for (bin, (accounts, sum)) in bins.iter().zip(found) {
            assert_eq!(bin["accounts"], accounts as u64, "{characteristic}");
            assert_eq!(bin["share_bp"], rounded(10_000 * accounts, all) as u64, "{characteristic}");
            let mean = (accounts > 0).then(|| rounded(1000 * sum, accounts) as i64);
            assert_eq!(bin["mean_score_thousandths"].as_i64(), mean, "{characteristic}");
        }
        let counted: u64 = bins.iter().map(|bin| bin["accounts"].as_u64().unwrap()).sum();
        assert_eq!(card["run"]["accounts"], counted);
    }
}

fn int(cell: &Cell) -> Option<i64> {
    match cell {
        Cell::Int(value) => Some(*value),
        Cell::Null => None,
        other => panic!("{other:?} is no integer"),
    }
}

#[test]
fn without_a_run_it_is_the_scorecard_as_printed() {
    let card = json(&[JOB]);
    assert_eq!((&card["base"], &card["min"], &card["max"]), (&280.into(), &350.into(), &950.into()));
    assert_eq!(card["run"], Value::Null);
    let bands: Vec<(&str, i64, i64)> = list(&card, "bands")
        .iter()
        .map(|band| {
            (band["band"].as_str().unwrap(), band["from"].as_i64().unwrap(), band["to"].as_i64().unwrap())
        })
        .collect();
    assert_eq!(bands[0], ("poor", 350, 549));
    assert_eq!(bands[4], ("superb", 700, 950));
    let first = &list(&card, "characteristics")[0];
    assert_eq!(first["feature"], "days_past_due");
    let bins: Vec<(&str, i64)> = list(first, "bins")
        .iter()
        .map(|bin| (bin["bin"].as_str().unwrap(), bin["points"].as_i64().unwrap()))
        .collect();
    assert_eq!(bins[..3], [("missing", 10), ("0 or less", 20), ("1 to 3", 5)]);
    assert_eq!(first["bins"][1]["accounts"], Value::Null);

    let text = succeed_in(nights().home(), &["scorecard", JOB]);
    assert!(text.starts_with("job `nightly`: base 280, scores 350 to 950, of which the points reach "));
    let header = text.lines().find(|line| line.trim_start().starts_with("characteristic")).unwrap();
    assert_eq!(header.split_whitespace().collect::<Vec<_>>(), ["characteristic", "bin", "points"]);
    let row = text.lines().find(|line| line.trim_start().starts_with("days_past_due")).unwrap();
    assert_eq!(row.split_whitespace().collect::<Vec<_>>(), ["days_past_due", "missing", "10"]);
}

#[test]
fn the_accounts_of_a_run_are_those_of_its_tables() {
    assert_counted(&json(&[JOB, RUN]), &nights().run("2026-11-20"));
}

#[test]
fn table_json_and_page_say_the_same() {
    let home = nights().home();
    let card = json(&[JOB, RUN]);
    let text = succeed_in(home, &["scorecard", JOB, RUN]);
    let page = tempfile::tempdir().unwrap();
    let page = page.path().join("report.html");
    succeed_in(home, &["report", RUN, "--out", page.to_str().unwrap()]);
    let page = shown(&fs::read_to_string(&page).unwrap(), "Accounts by bin of each characteristic");
    let mut rows = page[1..].iter();
    let mut lines = text.lines().skip_while(|line| !line.trim_start().starts_with("characteristic")).skip(1);
    for characteristic in list(&card, "characteristics") {
        for bin in list(characteristic, "bins") {
            let row: Vec<&str> = rows.next().unwrap().iter().map(String::as_str).collect();
            let line = lines.next().unwrap();
            let label = bin["bin"].as_str().unwrap();
            assert_eq!(row[1], label);
            let [points, accounts, share, mean] = [row[2], row[3], row[4], row[6]];
            for cell in [label, points, accounts, share, mean] {
                assert!(line.contains(cell), "`{line}` lacks `{cell}`");
            }
            let digits = |text: &str| text.replace([',', '.', ' ', '%'], "").parse::<i64>().ok();
            assert_eq!(digits(points), bin["points"].as_i64());
            assert_eq!(digits(accounts), bin["accounts"].as_i64());
            assert_eq!(digits(share), bin["share_bp"].as_i64());
            assert_eq!(digits(mean), bin["mean_score_thousandths"].as_i64());
        }
    }
    assert_eq!((rows.next(), lines.next()), (None, None));
}

/// The bins and points are the job's, the scores the run's.
#[test]
fn another_scorecard_bins_the_features_of_the_run() {
    let home = tempfile::tempdir().unwrap();
    for file in ["nightly.toml", "scorecard.toml", "policy.toml"] {
        fs::copy(nights().home().join("jobs").join(file), home.path().join(file)).unwrap();
    }
    let scorecard = home.path().join("scorecard.toml");
    let text = fs::read_to_string(&scorecard).unwrap();
    let bin = "    { below = 1, points = 20 },\n";
    assert!(text.contains(bin));
    let other = "    { below = 0, points = 40 },\n    { below = 1, points = 30 },\n";
    fs::write(&scorecard, text.replacen(bin, other, 1)).unwrap();
    let job = home.path().join("nightly.toml");
    let card = json(&[job.to_str().unwrap(), RUN]);
    let points: Vec<i64> = list(&list(&card, "characteristics")[0], "bins")[..3]
        .iter()
        .map(|bin| bin["points"].as_i64().unwrap())
        .collect();
    assert_eq!(points, [10, 40, 30]);
    assert_counted(&card, &nights().run("2026-11-20"));
    let own = json(&[JOB, RUN]);
    assert_eq!(card["run"], own["run"]);
}

/// A feature is another if its window is, or the tolerance of the bills it is made of, or if it has another name.
#[test]
fn a_run_with_other_features_is_refused_by_name() {
    let edits: [(&str, &str, &str); 3] = [
        ("'refund')\"\ndays = 30", "'refund')\"\ndays = 31", "its feature `spend_30d` is declared otherwise"),
        ("[score]", "[bills]\ntolerance = 1\n[score]", "its feature `days_past_due` is declared otherwise"),
        ("[[feature]]\nname = \"online_30d\"", ADDED, "it has no feature `spent_online`"),
    ];
    for (from, to, why) in edits {
        let book = Book::new();
        book.publish();
        let args = ["scorecard", "job.toml", "out/date=2026-11-20"];
        let (code, stdout, stderr) = book.outcome(&args);
        assert_eq!((code, stderr.as_str()), (0, ""), "{stdout}");
        book.edit("scorecard.toml", from, to);
        if to == ADDED {
            book.append("scorecard.toml", ADDED_CHARACTERISTIC);
        }
        let (code, stdout, stderr) = book.outcome(&args);
        assert_eq!((code, stdout.as_str()), (3, ""), "{stderr}");
        let stderr = stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(stderr.contains(why), "{stderr}");
        assert_eq!(
            stderr.matches("declared otherwise").count() + stderr.matches("has no feature").count(),
            1
        );
        assert!(stderr.contains("score the night with this job first"), "{stderr}");
    }
}

const ADDED: &str = r#"[[feature]]
name = "spent_online"
from = "transactions"
agg = "sum"
of = "amount"
where = "is_online"
days = 30

[[feature]]
name = "online_30d""#;

const ADDED_CHARACTERISTIC: &str = r#"
[[characteristic]]
feature = "spent_online"
dimension = "behaviour"
reason = "R03"
text = "Little is bought online"
missing = 0
bins = [{ points = 1 }]
"#;

#[test]
fn what_is_no_job_or_no_run_is_refused() {
    let home = nights().home();
    let (code, _, stderr) = outcome_in(home, &["scorecard", "jobs/policy.toml"]);
    assert_eq!(code, 2, "{stderr}");
    let (code, _, stderr) = outcome_in(home, &["scorecard", JOB, "jobs"]);
    assert_eq!(code, 3, "{stderr}");
    assert!(stderr.contains("it has no manifest.json, so it is no whole run"), "{stderr}");
}
