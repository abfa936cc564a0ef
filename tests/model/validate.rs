//! `rescore validate`: its figures counted again by hand, bounds, swap sets, groups of people, and what it refuses.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;

use super::home::{Applicant, CARD, ModelHome, score};
use super::ranked::{self, Judged};
use crate::support::files::copy;
use crate::support::{Table, outcome_in, project};

const DAYS: [&str; 4] = ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"];

/// Applicants by a fixed sequence, worse the more they owe; every one of the four parts of figures has some.
pub fn applicants(count: u64) -> Vec<Applicant> {
    let mut state = 7_u64;
    let mut next = move |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let one = |number: u64| {
        let owed = next(400) as i64;
        let bad = match next(500) as i64 {
            490.. => None,
            draw => Some(i64::from(draw < 40 + owed / 2)),
        };
        Applicant {
            owed,
            limit: 500 + next(1_000) as i64,
            bad,
            as_of: DAYS[number as usize % 4],
            weight: 1 + next(3) as i64,
            group: ["a", "b", ""][next(3) as usize],
            region: ["north", "south"][next(2) as usize],
        }
    };
    (0..count).map(one).collect()
}

fn part(one: &Applicant) -> &'static str {
    match (one.as_of >= "2026-03-01", one.region) {
        (true, _) => "out_of_time",
        (false, "south") => "holdout",
        (false, _) => "train",
    }
}

fn judged<'a>(of: impl IntoIterator<Item = &'a Applicant>) -> Vec<Judged> {
    let judged = |one: &Applicant| {
        Some(Judged { score: score(one), is_bad: one.bad? == 1, weight: one.weight.unsigned_abs() })
    };
    of.into_iter().filter_map(judged).collect()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

fn of_part<'v>(value: &'v Value, name: &str) -> &'v Value {
    list(value).iter().find(|one| one["part"] == name).unwrap_or_else(|| panic!("no part {name} in {value}"))
}

/// Holds a slice against all its pairs.
fn assert_ranked(found: &Value, rows: &[Judged]) {
    let (concordant, tied, total) = ranked::pairs(rows);
    let weight =
        |is_bad: bool| rows.iter().filter(|row| row.is_bad == is_bad).map(|row| row.weight).sum::<u64>();
    assert_eq!((&found["good"], &found["bad"]), (&weight(false).into(), &weight(true).into()), "{found}");
    let ranking = &found["ranking"];
    if total == 0 {
        assert!(ranking.is_null(), "{found}");
        return;
    }
    assert_eq!(ranking["pairs"]["concordant"], concordant, "{found}");
    assert_eq!(ranking["pairs"]["tied"], tied);
    assert_eq!(ranking["pairs"]["total"], total);
    assert_eq!(ranking["auc"]["numerator"], 2 * concordant + tied);
    assert_eq!(ranking["auc"]["denominator"], 2 * total);
    let near = |found: &Value, wanted: f64| {
        assert!((found.as_f64().unwrap() - wanted).abs() < 2e-6, "{found} is not {wanted}");
    };
    near(&ranking["ks"]["value"], ranked::ks(rows));
    near(&ranking["auc_bounds"]["standard_error"], ranked::standard_error(rows));
}

fn validated(people: &[Applicant]) -> (ModelHome, Value) {
    let home = ModelHome::new(people);
    home.append("model.toml", "\n[validate]\nby = [\"group\", \"region\"]\n");
    home.sample();
    let found = home.validate(&[], 0);
    (home, found)
}

#[test]
fn figures_are_those_of_all_pairs_by_part_month_and_segment() {
    let people = applicants(240);
    let (_home, found) = validated(&people);
    assert_ranked(of_part(&found["parts"], "all"), &judged(&people));
    for name in ["train", "holdout", "out_of_time"] {
        let own = || people.iter().filter(|one| part(one) == name);
        assert_ranked(of_part(&found["parts"], name), &judged(own()));
        for segment in list(&found["segments"]).iter().filter(|segment| segment["part"] == name) {
            let value = segment["value"].as_str().unwrap_or_default();
            let of =
                |one: &&Applicant| (if segment["by"] == "group" { one.group } else { one.region }) == value;
            assert_ranked(segment, &judged(own().filter(of)));
        }
    }
    assert_eq!(list(&found["months"]).len(), 4);
    for month in list(&found["months"]) {
        let of = |one: &&Applicant| one.as_of.starts_with(month["value"].as_str().unwrap());
        assert_ranked(month, &judged(people.iter().filter(of)));
    }
    // Without a group: null, and not left out.
    assert!(
        list(&found["segments"]).iter().any(|segment| segment["by"] == "group" && segment["value"].is_null())
    );
}

#[test]
fn bins_add_up_and_their_indices_are_those_of_the_definition() {
    let people = applicants(240);
    let (home, found) = validated(&people);
    let characteristic = &found["characteristics"][0];
    assert_eq!(characteristic["feature"], "owed");
    let bin = |one: &Applicant| [100, 200, 300].iter().filter(|below| one.owed >= **below).count() + 1;
    let mut outcomes: BTreeMap<&str, Vec<[u64; 2]>> = BTreeMap::new();
    let mut rows: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for one in &people {
        let weight = one.weight.unsigned_abs();
        rows.entry(part(one)).or_insert_with(|| vec![0; 5])[bin(one)] += weight;
        let own = outcomes.entry(part(one)).or_insert_with(|| vec![[0; 2]; 5]);
        if let Some(bad) = one.bad {
            own[bin(one)][bad as usize] += weight;
        }
    }
    let near = |found: &Value, wanted: f64| {
        assert!((found.as_f64().unwrap() - wanted).abs() < 2e-6, "{found} is not {wanted}");
    };
    for (part, counts) in &outcomes {
        near(&characteristic["information_value"][part], ranked::information_value(counts).unwrap());
        for (bin, [good, bad]) in counts.iter().enumerate() {
            let own = &characteristic["bins"][bin]["parts"][part];
            assert_eq!((&own["good"], &own["bad"]), (&(*good).into(), &(*bad).into()), "{part} {bin}");
        }
        if *part != "train" {
            let bins: Vec<[u64; 2]> =
                rows["train"].iter().zip(&rows[part]).map(|(train, own)| [*train, *own]).collect();
            near(&characteristic["psi"][part], ranked::psi(&bins).unwrap());
        }
    }
    let file = Table::read_columns(&home.file("validation/bins.parquet"), &["feature", "part", "bad"]);
    let sum: i64 = (0..file.rows.len())
        .filter(|row| {
            file.column("feature")[*row].text() == Some("owed")
                && file.column("part")[*row].text() == Some("train")
        })
        .map(|row| file.column("bad")[row].int().unwrap())
        .sum();
    assert_eq!(sum as u64, outcomes["train"].iter().map(|counts| counts[1]).sum::<u64>());
}

#[test]
fn neither_the_order_of_rows_nor_threads_change_a_byte() {
    let people = applicants(120);
    let (home, _) = validated(&people);
    let read = || {
        ["validation.json", "bins.parquet", "validation.html"]
            .map(|name| fs::read(home.file("validation").join(name)).unwrap())
    };
    let first = read();
    let (code, _, error) = {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_rescore"));
        command
            .current_dir(home.path())
            .args(["validate", "model.toml"])
            .env("RAYON_NUM_THREADS", "1")
            .env("POLARS_MAX_THREADS", "1");
        let output = command.output().unwrap();
        (output.status.code(), (), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    assert_eq!(code, Some(0), "{error}");
    assert!(first == read(), "another number of threads, other bytes");
    home.write_spine(&people, true);
    home.sample();
    home.validate(&[], 0);
    // The sample's own hash is of its rows in their order.
    let without_hash = |bytes: &[u8]| {
        let mut json: Value = serde_json::from_slice(bytes).unwrap();
        json["of"]["sample_sha256"] = Value::Null;
        json
    };
    let turned = read();
    assert_eq!(without_hash(&first[0]), without_hash(&turned[0]));
    assert!(first[1] == turned[1], "bins of rows in another order are other bytes");
}

#[test]
fn a_missed_bound_ends_with_4_and_everything_is_written() {
    let home = ModelHome::new(&applicants(240));
    home.append("model.toml", "\n[validate]\nmin_auc_bp = 9990\nmax_psi_milli = 100000\n");
    home.sample();
    let found = home.validate(&[], 4);
    assert_eq!(found["holds"], false);
    let missed: Vec<&Value> = list(&found["bounds"]).iter().filter(|bound| bound["holds"] == false).collect();
    assert_eq!(
        missed.iter().map(|bound| bound["of"].as_str().unwrap()).collect::<Vec<_>>(),
        ["holdout", "out_of_time"]
    );
    let (_, out, _) = home.outcome(&["validate", "model.toml"]);
    assert!(out.starts_with("missed min_auc_bp = 9990: AUC 0."), "{out}");
    home.edit("model.toml", "9990", "10");
    assert_eq!(home.validate(&[], 0)["holds"], true);
}

#[test]
fn one_class_alone_is_told_and_divides_nothing() {
    let mut people = applicants(60);
    people.iter_mut().for_each(|one| one.bad = one.bad.map(|_| 0));
    let home = ModelHome::new(&people);
    home.append("model.toml", "\n[validate]\nmin_auc_bp = 1\n");
    home.sample();
    let found = home.validate(&[], 4);
    assert!(of_part(&found["parts"], "all")["ranking"].is_null());
    assert!(found["odds"].is_null());
    assert_eq!(found["bounds"][0]["found"], "no bad");
    let remarks = found["remarks"].to_string();
    assert!(remarks.contains("There is no bad in the rows out of time"), "{remarks}");
    // Nothing known at all.
    people.iter_mut().for_each(|one| one.bad = None);
    let home = ModelHome::new(&people);
    home.sample();
    let found = home.validate(&[], 0);
    assert_eq!(list(&found["parts"]).len(), 1);
    assert!(found["parts"][0]["bad_rate"].is_null());
}

/// A card that gives points for limits alone.
fn other_card() -> String {
    CARD.replace("{ below = 100, points = 90 }, { below = 200, points = 60 }, { below = 300, points = 30 }, { points = 0 }", "{ points = 40 }")
        .replace("{ below = 1000, points = 0 }, { points = 20 }", "{ below = 1000, points = 0 }, { points = 60 }")
}

#[test]
fn a_swap_set_is_counted_by_hand_with_its_money() {
    let people = applicants(240);
    let home = ModelHome::new(&people);
    home.put("other.toml", &other_card());
    home.sample();
    let found = home.validate(&["--scorecard", "other.toml"], 0);
    let swap = &found["current"]["swap_set"];
    assert_eq!((&swap["rows_of"], &swap["money"]), (&"unseen".into(), &"limits".into()));
    let mut cells: BTreeMap<(bool, bool), [i64; 5]> = BTreeMap::new();
    for one in people.iter().filter(|one| part(one) != "train") {
        // Good from 550 on.
        let other = 540 + if one.limit < 1_000 { 0 } else { 60 };
        let cell = cells.entry((other >= 550, score(one) >= 550)).or_default();
        let bad = one.bad == Some(1);
        let add = [
            one.weight,
            if one.bad == Some(0) { one.weight } else { 0 },
            if bad { one.weight } else { 0 },
            one.weight * one.limit,
            if bad { one.weight * one.limit } else { 0 },
        ];
        cell.iter_mut().zip(add).for_each(|(sum, more)| *sum += more);
    }
    let table = &swap["thresholds"][0];
    assert_eq!(table["above"], "band good or better");
    for (name, key) in [
        ("both", (true, true)),
        ("swapped_in", (true, false)),
        ("swapped_out", (false, true)),
        ("neither", (false, false)),
    ] {
        let of = |field: &str| table[name][field].as_i64().unwrap();
        let own = ["rows", "good", "bad", "money", "money_of_bads"].map(of);
        assert_eq!(own, cells[&key], "{name}");
    }
    assert_ranked(of_part(&found["current"]["parts"], "all"), &judged(&people));
}

#[test]
fn groups_of_people_have_shares_of_approval_and_their_ratio() {
    let people = applicants(240);
    let home = ModelHome::new(&people);
    home.append(
        "model.toml",
        "\n[fairness]\ncolumns = [\"group\"]\napproved = \"band = 'good' or score >= 540\"\n",
    );
    home.sample();
    let found = home.validate(&[], 0);
    let figures = &found["fairness"][0];
    let mut shares = Vec::new();
    for group in list(&figures["groups"]) {
        let value = group["value"].as_str().unwrap_or_default();
        let own = || people.iter().filter(|one| one.group == value);
        let (all, approved) = own().fold((0, 0), |(all, approved), one| {
            (all + one.weight, approved + if score(one) >= 540 { one.weight } else { 0 })
        });
        assert_eq!(
            (&group["approved"]["numerator"], &group["approved"]["denominator"]),
            (&approved.into(), &all.into())
        );
        assert_ranked(&group["outcomes"], &judged(own()));
        shares.push(approved as f64 / all as f64);
    }
    assert_eq!(shares.len(), 3);
    let (least, most) =
        (shares.iter().copied().fold(2.0, f64::min), shares.iter().copied().fold(0.0, f64::max));
    let ratio = figures["adverse_impact"]["ratio"]["value"].as_f64().unwrap();
    assert!((ratio - least / most).abs() < 1e-6, "{ratio}");
    assert_eq!(figures["adverse_impact"]["is_below_four_fifths"], least / most < 0.8);
}

#[test]
fn what_groups_people_may_be_read_by_nothing() {
    let cases = [
        (
            "scorecard.toml",
            "of = \"balance\"",
            "of = \"balance\"\nwhere = \"group = 'a'\"",
            "`where` of feature `owed`",
        ),
        ("policy.toml", "when = \"true\"", "when = \"group = 'a'\"", "`when` of rule `all`"),
        ("scorecard.toml", "name = \"owed\"", "name = \"group\"", "the name of feature `group`"),
    ];
    for (file, from, to, place) in cases {
        let home = ModelHome::new(&applicants(20));
        home.append("model.toml", "\n[fairness]\ncolumns = [\"group\"]\n");
        home.edit(file, from, to);
        if place.contains("group`") && file == "scorecard.toml" && to.starts_with("name") {
            home.edit(file, "feature = \"owed\"", "feature = \"group\"");
        }
        let (code, _, error) = home.outcome(&["validate", "model.toml"]);
        assert_eq!(code, 2, "{error}");
        assert!(error.contains(place) && error.contains("columns = [\"group\"]"), "{error}");
    }
}

#[test]
fn mistakes_are_told_with_their_fix() {
    let home = ModelHome::new(&applicants(20));
    let (code, _, error) = home.outcome(&["validate", "model.toml"]);
    assert_eq!(code, 3, "{error}");
    assert!(error.contains("rescore sample"), "{error}");
    home.sample();
    home.append("model.toml", "\n[validate]\nby = [\"gruop\"]\n");
    let (code, _, error) = home.outcome(&["validate", "model.toml"]);
    assert!(code == 2 && error.contains("gruop") && error.contains("group"), "{error}");
    home.edit("model.toml", "by = [\"gruop\"]", "by = []");
    home.append("model.toml", "\n[fairness]\ncolumns = [\"group\"]\napproved = \"scoer > 1\"\n");
    let (code, _, error) = home.outcome(&["validate", "model.toml"]);
    assert!(code == 2 && error.contains("did you mean `score`"), "{error}");
    home.edit("model.toml", "approved = \"scoer > 1\"", "");
    // Something else in the way stays.
    fs::create_dir(home.file("validation")).unwrap();
    fs::write(home.file("validation/notes.txt"), "mine").unwrap();
    let (code, _, error) = home.outcome(&["validate", "model.toml"]);
    assert!(code == 6 && error.contains("move it away"), "{error}");
    assert_eq!(fs::read_to_string(home.file("validation/notes.txt")).unwrap(), "mine");
    // A sample that was drawn otherwise is refused.
    home.edit("model.toml", "out_of_time = 2026-03-01", "out_of_time = 2026-02-01");
    let (code, _, error) = home.outcome(&["validate", "model.toml", "--out", "elsewhere"]);
    assert!(code == 3 && error.contains("rescore sample model.toml"), "{error}");
}

#[test]
fn a_card_that_reads_other_features_has_them_computed() {
    let people = applicants(120);
    let home = ModelHome::new(&people);
    home.sample();
    let other = CARD
        .replace("name = \"owed\"", "name = \"debt_now\"")
        .replace("feature = \"owed\"", "feature = \"debt_now\"");
    home.put("other.toml", &other);
    let found = home.validate(&["--scorecard", "other.toml"], 0);
    assert_eq!(found["characteristics"][0]["feature"], "debt_now");
    assert_ranked(of_part(&found["parts"], "all"), &judged(&people));
    // The same scores under both: nobody is swapped.
    let table = &found["current"]["swap_set"]["thresholds"][0];
    assert_eq!((&table["swapped_in"]["rows"], &table["swapped_out"]["rows"]), (&0.into(), &0.into()));
}

#[test]
fn taiwan_has_the_figures_that_are_told_of_it() {
    let home = tempfile::tempdir().unwrap();
    for directory in ["jobs/taiwan", "sample_data/taiwan"] {
        copy(&project().join(directory), &home.path().join(directory));
    }
    let model = "jobs/taiwan/model.toml";
    for args in [vec!["sample", model], vec!["validate", model]] {
        let (code, out, error) = outcome_in(home.path(), &args);
        assert_eq!(code, 0, "{out}{error}");
    }
    let json = fs::read_to_string(home.path().join("jobs/taiwan/validation/validation.json")).unwrap();
    let found: Value = serde_json::from_str(&json).unwrap();
    let ranking = &of_part(&found["parts"], "all")["ranking"];
    assert_eq!(ranking["pairs"]["concordant"], 115_905_028);
    assert_eq!(ranking["pairs"]["tied"], 4_505_677);
    assert_eq!(ranking["pairs"]["total"], 155_043_504);
    let four = |value: &Value| (value["value"].as_f64().unwrap() * 10_000.0).round();
    assert_eq!((four(&ranking["auc"]), four(&ranking["ks"])), (7_621.0, 4_096.0));
}
