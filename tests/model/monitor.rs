//! `rescore monitor`: published nights counted again from their tables, as their outcomes mature.

use std::collections::BTreeMap;
use std::fs;

use arrow_schema::DataType;
use rescore::validate::gains::{ScoreWeights, score_psi};
use serde_json::Value;

use super::home::{Applicant, CARD, ModelHome};
use super::ranked::{self, Judged};
use super::validate::applicants;
use crate::support::parts::split;
use crate::support::{Cell, Table, day};

const NIGHTS: [&str; 4] = ["2026-01-31", "2026-02-27", "2026-02-28", "2026-03-31"];

/// What happens to an account after a night, by hand: who owes much is bad, and of some nothing is known.
fn fate(account: i64, owed: i64) -> Cell {
    if account % 11 == 0 { Cell::Null } else { Cell::Int(i64::from((account * 37 + owed * 3) % 500 < owed)) }
}

/// A home with published nights, on each of which a bit more is owed; outcomes are known of all but the last.
fn nights() -> ModelHome {
    let people = applicants(150);
    let home = ModelHome::new(&people);
    let mut outcomes =
        Table::new(&[("account_id", DataType::Int64), ("as_of", DataType::Date32), ("bad", DataType::Int64)]);
    for (number, night) in (0..).zip(NIGHTS) {
        let more = |one: &Applicant| Applicant { owed: one.owed + 15 * number, ..one.clone() };
        let people: Vec<Applicant> = people.iter().map(more).collect();
        home.write_lines(&people);
        let (code, out, error) = home.outcome(&["run", "nightly.toml", "--date", night]);
        assert_eq!(code, 0, "{out}{error}");
        if night != NIGHTS[3] {
            for (account, one) in (1..).zip(&people) {
                outcomes =
                    outcomes.row([Cell::Int(account), Cell::Date(day(night)), fate(account, one.owed)]);
            }
        }
    }
    outcomes.write(&home.file("known.parquet"));
    home
}

fn monitored(home: &ModelHome, more: &[&str], code: i32) -> Value {
    let (found, out, error) = home.outcome(&[&["monitor", "out"], more].concat());
    assert_eq!(found, code, "{out}{error}");
    serde_json::from_str(&fs::read_to_string(home.file("monitor/monitor.json")).unwrap()).unwrap()
}

/// What a night's own tables say of an account.
struct Scored {
    account: i64,
    score: i64,
    owed: i64,
}

fn scored(home: &ModelHome, night: &str) -> Vec<Scored> {
    let run = home.file(&format!("out/date={night}"));
    let (features, scores) =
        (Table::read(&run.join("features.parquet")), Table::read(&run.join("scores.parquet")));
    let int = |table: &Table, name: &str, row: usize| table.column(name)[row].int().unwrap();
    (0..scores.rows.len())
        .map(|row| Scored {
            account: int(&scores, "account_id", row),
            score: int(&scores, "score", row),
            owed: int(&features, "owed", row),
        })
        .collect()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

fn near(found: &Value, wanted: Option<f64>) {
    match (found.as_f64(), wanted) {
        (Some(found), Some(wanted)) => assert!((found - wanted).abs() < 2e-6, "{found} is not {wanted}"),
        (found, wanted) => assert_eq!(found, wanted),
    }
}

#[test]
fn months_nights_and_bins_are_those_of_the_tables() {
    let home = nights();
    let found = monitored(&home, &["--outcome", "known.parquet"], 0);
    let nights: Vec<(&str, Vec<Scored>)> =
        NIGHTS.iter().map(|night| (*night, scored(&home, night))).collect();
    let weights = |of: &[&Scored]| {
        let mut weights = ScoreWeights::new();
        of.iter().for_each(|one| *weights.entry(one.score).or_default() += 1);
        weights
    };
    let all = |of: &[Scored]| weights(&of.iter().collect::<Vec<_>>());
    let bins = |of: &[&Scored]| {
        let mut bins = [0_u64; 5];
        of.iter().for_each(|one| {
            bins[1 + [100, 200, 300].iter().filter(|below| one.owed >= **below).count()] += 1
        });
        bins
    };
    let moved = |own: [u64; 5]| {
        let reference = bins(&nights[0].1.iter().collect::<Vec<_>>());
        let pairs: Vec<[u64; 2]> = reference.iter().zip(own).map(|(old, new)| [*old, new]).collect();
        ranked::psi(&pairs)
    };
    assert_eq!(list(&found["nights"]).len(), 4);
    for (night, (date, own)) in list(&found["nights"]).iter().zip(&nights) {
        assert_eq!((&night["as_of"], &night["accounts"]), (&(*date).into(), &own.len().into()));
        near(&night["score_psi"], score_psi(&all(&nights[0].1), &all(own)));
    }
    let owed = &found["characteristics"][0];
    assert_eq!(owed["feature"], "owed");
    for (shift, (_, own)) in list(&owed["nights"]).iter().zip(&nights) {
        near(&shift["psi"], moved(bins(&own.iter().collect::<Vec<_>>())));
    }
    for (month, of_bins) in list(&found["months"]).iter().zip(list(&owed["months"])) {
        let name = month["month"].as_str().unwrap();
        let own: Vec<&(&str, Vec<Scored>)> =
            nights.iter().filter(|night| night.0.starts_with(name)).collect();
        assert_eq!(month["nights"], own.len());
        let rows: Vec<&Scored> = own.iter().flat_map(|night| &night.1).collect();
        near(&of_bins["psi"], moved(bins(&rows)));
        let known: Vec<Judged> = rows
            .iter()
            .filter(|_| name != "2026-03")
            .filter_map(|one| {
                Some(Judged { score: one.score, is_bad: fate(one.account, one.owed).int()? == 1, weight: 1 })
            })
            .collect();
        let (concordant, tied, total) = ranked::pairs(&known);
        let pairs = &month["known"]["ranking"]["pairs"];
        if total == 0 {
            assert!(pairs.is_null());
            assert_eq!(month["outcomes"]["immature"], rows.len());
            continue;
        }
        assert_eq!(
            (&pairs["concordant"], &pairs["tied"], &pairs["total"]),
            (&concordant.into(), &tied.into(), &total.into())
        );
        let goods: u64 = list(&of_bins["bins"]).iter().map(|bin| bin["good"].as_u64().unwrap()).sum();
        assert_eq!(goods, known.iter().filter(|row| !row.is_bad).count() as u64);
        // An account that comes on two nights is no second account.
        assert_eq!(month["known"]["ranking"]["auc_bounds"].is_null(), own.len() > 1);
    }
}

#[test]
fn bounds_end_with_4_and_nights_can_be_chosen() {
    let home = nights();
    let outcome = ["--outcome", "known.parquet", "--max-psi-milli", "0"];
    let found = monitored(&home, &outcome, 4);
    assert_eq!((found["holds"].as_bool(), list(&found["bounds"]).len()), (Some(false), 3));
    let found =
        monitored(&home, &[&outcome[..], &["--from", "2026-02-27", "--to", "2026-02-27"]].concat(), 0);
    assert_eq!((&found["reference"], list(&found["nights"]).len()), (&"2026-02-27".into(), 1));
    let found = monitored(&home, &["--outcome", "known.parquet", "--min-auc-bp", "9999"], 4);
    let missed: Vec<&str> =
        list(&found["bounds"]).iter().map(|bound| bound["of"].as_str().unwrap()).collect();
    assert_eq!(missed, ["2026-01", "2026-02"], "a month of which nothing is known is held against nothing");
}

#[test]
fn a_model_file_says_what_happened_and_who_is_left_out() {
    let home = nights();
    home.edit("model.toml", "outcomes.parquet", "known.parquet");
    home.edit(
        "model.toml",
        "column = \"bad\"",
        "column = \"bad\"\nmatch = \"next\"\nwithin = 20\nexclude = \"owed >= 250\"",
    );
    home.append("model.toml", "\n[validate]\nmin_auc_bp = 9999\n");
    let found = monitored(&home, &["--outcome", "model.toml"], 4);
    let mut outcomes: BTreeMap<&str, u64> = BTreeMap::new();
    for one in scored(&home, NIGHTS[0]) {
        let name = match (one.owed >= 250, fate(one.account, one.owed).int()) {
            (true, _) => "excluded",
            (false, None) => "indeterminate",
            (false, Some(1)) => "bad",
            (false, Some(_)) => "good",
        };
        *outcomes.entry(name).or_default() += 1;
    }
    let night = &found["nights"][0];
    for (name, count) in &outcomes {
        assert_eq!(night["outcomes"][name], *count, "{name}");
    }
    assert_eq!(night["accounts"], 150 - outcomes["excluded"]);
}

#[test]
fn held_nights_do_not_count_and_released_ones_do() {
    let home = nights();
    home.append("nightly.toml", "\n[[gate]]\nname = \"none\"\nrows = \"lines\"\nmin = 100000\n");
    let (code, _, error) = home.outcome(&["run", "nightly.toml", "--date", "2026-04-30"]);
    assert_eq!(code, 4, "{error}");
    assert_eq!(list(&monitored(&home, &["--outcome", "known.parquet"], 0)["nights"]).len(), 4);
    let (code, _, error) = home.outcome(&["release", "out", "--date", "2026-04-30"]);
    assert_eq!(code, 0, "{error}");
    assert_eq!(list(&monitored(&home, &["--outcome", "known.parquet"], 0)["nights"]).len(), 5);
}

#[test]
fn a_run_in_parts_is_the_same_night() {
    let home = nights();
    let whole = monitored(&home, &["--outcome", "known.parquet"], 0);
    split(&home.file("out/date=2026-02-28"), 3);
    assert_eq!(monitored(&home, &["--outcome", "known.parquet"], 0), whole);
}

#[test]
fn another_scorecard_is_told_and_its_features_are_compared_where_they_are_the_same() {
    let home = nights();
    home.edit(
        "scorecard.toml",
        "of = \"credit_limit\"",
        "of = \"credit_limit\"\nwhere = \"status = 'active'\"",
    );
    let (code, _, error) = home.outcome(&["run", "nightly.toml", "--date", "2026-04-30"]);
    assert_eq!(code, 0, "{error}");
    let found = monitored(&home, &["--outcome", "known.parquet"], 0);
    assert!(found["remarks"].to_string().contains("The scorecard changed 1 time"), "{}", found["remarks"]);
    let psi = |characteristic: usize, night: usize| {
        &found["characteristics"][characteristic]["nights"][night]["psi"]
    };
    assert!(psi(0, 0).is_number() && psi(0, 4).is_number());
    assert!(psi(1, 0).is_null() && psi(1, 4).is_number(), "limits are computed otherwise before");
}

#[test]
fn mistakes_are_told() {
    let home = nights();
    let cases: [(&[&str], i32, &str); 5] = [
        (&["--outcome", "known.parquet", "--match", "next"], 2, "--within 60"),
        (&["--outcome", "known.parquet", "--within", "3"], 2, "--match next"),
        (&["--outcome", "model.toml", "--column", "bad"], 2, "model file"),
        (
            &["--outcome", "known.parquet", "--from", "2027-01-01"],
            3,
            "no published night lies in it from 2027-01-01",
        ),
        (&["--outcome", "known.parquet", "--column", "worse"], 3, "worse"),
    ];
    for (args, code, message) in cases {
        let (found, _, error) = home.outcome(&[&["monitor", "out"], args].concat());
        assert_eq!(found, code, "{error}");
        assert!(error.contains(message), "{error}");
    }
    fs::create_dir(home.file("monitor")).unwrap();
    fs::write(home.file("monitor/monitor.json"), "{}").unwrap();
    let (code, _, error) = home.outcome(&["monitor", "out", "--outcome", "known.parquet"]);
    assert!(code == 6 && error.contains("move it away"), "{error}");
}

#[test]
fn arms_are_ranked_each_by_itself_and_months_by_the_champions_score() {
    let home = nights();
    let plain = monitored(&home, &["--outcome", "known.parquet", "--to", NIGHTS[0]], 0);
    // The challenger's card has another scale, and likes middling debts best.
    home.put("other.toml", &CARD.replace("base = 500", "base = 300").replace("points = 60", "points = 95"));
    home.append(
        "nightly.toml",
        "\n[challenger]\nscorecard = \"other.toml\"\nshare_bp = 4000\nsalt = \"a\"\n",
    );
    home.write_lines(&applicants(150));
    let run = ["run", "nightly.toml", "--date", NIGHTS[0], "--replace"];
    let (code, out, error) = home.outcome(&run);
    assert_eq!(code, 0, "{out}{error}");
    let found = monitored(&home, &["--outcome", "known.parquet", "--to", NIGHTS[0]], 0);
    assert_eq!(found["months"][0]["known"], plain["months"][0]["known"]);
    let scores = Table::read(&home.file(&format!("out/date={}/scores.parquet", NIGHTS[0])));
    let owed: Vec<i64> = scored(&home, NIGHTS[0]).iter().map(|one| one.owed).collect();
    let arms = list(&found["arms"]["arms"]);
    assert_eq!(arms.len(), 2);
    for arm in arms {
        let is_own =
            |row: &usize| scores.column("arm")[*row] == Cell::Text(arm["arm"].as_str().unwrap().into());
        let rows: Vec<usize> = (0..scores.rows.len()).filter(is_own).collect();
        let judged = rows.iter().filter_map(|row| {
            let int = |name: &str| scores.column(name)[*row].int().unwrap();
            let is_bad = fate(int("account_id"), owed[*row]).int()? == 1;
            Some(Judged { score: int("score"), is_bad, weight: 1 })
        });
        let (concordant, tied, total) = ranked::pairs(&judged.collect::<Vec<_>>());
        let pairs = &arm["known"]["ranking"]["pairs"];
        let own = (&pairs["concordant"], &pairs["tied"], &pairs["total"]);
        assert_eq!(own, (&concordant.into(), &tied.into(), &total.into()), "{arm}");
        assert!(total > 0);
    }
    // `validate --runs` compares the same arms.
    home.edit("model.toml", "outcomes.parquet", "known.parquet");
    home.sample();
    assert_eq!(home.validate(&["--runs", "out"], 0)["arms"]["arms"][0]["arm"], "challenger");
}
