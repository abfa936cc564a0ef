//! Everything that reads a run: verify, audit, steps, gather, explain, diff, report, show, query, scorecard, features.

use serde_json::Value;

use rescore::gather::gather;
use rescore::run::{NightOutcome, Nights, RunRequest};

use super::world::{BOTH, NIGHT, THIN, Trial, World, table};
use crate::support::files::{assert_same, runs_in};
use crate::support::steps::{SharedOut, run_in_steps};
use crate::support::{Cell, day, once_unlocked};

/// A world with a challenger and segments.
fn everything() -> World {
    let world = World::with(BOTH);
    world.append("nightly.toml", THIN);
    world
}

const RUN: &str = "out/date=2026-11-20";

fn json(world: &World, args: &[&str]) -> Value {
    serde_json::from_str(&world.succeed(args)).unwrap()
}

#[test]
fn a_run_keeps_its_files_and_is_verified_and_audited() {
    let world = everything();
    let run = world.run();
    for (kept, written) in [
        ("challenger_scorecard.toml", "challenger/scorecard.toml"),
        ("challenger_policy.toml", "challenger/policy.toml"),
        ("segment_thin.toml", "thin.toml"),
        ("segment_fresh.toml", "thin.toml"),
    ] {
        assert_eq!(std::fs::read_to_string(run.join(kept)).unwrap(), world.read(written));
    }
    world.succeed(&["verify", RUN]);
    world.succeed(&["audit", "jobs/nightly.toml", "--date", NIGHT]);
    // Another salt, or another text of one of its files, is another run.
    world.edit("challenger/policy.toml", "percent = 25", "percent = 26");
    let (code, _, stderr) = world.outcome(&["run", "jobs/nightly.toml", "--date", NIGHT]);
    assert_eq!(code, 6, "{stderr}");
    let (code, stdout, _) = world.outcome(&["audit", "jobs/nightly.toml", "--date", NIGHT]);
    assert_eq!(code, 1, "{stdout}");
}

#[test]
fn totals_are_by_arm_and_segment() {
    let world = everything();
    let run = world.run();
    let manifest = std::fs::read_to_string(run.join("manifest.json")).unwrap();
    let totals = serde_json::from_str::<Value>(&manifest).unwrap()["control_totals"].clone();
    let (scores, decisions) = (table(&run, "scores"), table(&run, "decisions"));
    for arm in ["champion", "challenger"] {
        let own: Vec<usize> = (0..81).filter(|row| scores.column("arm")[*row].text() == Some(arm)).collect();
        assert_eq!(totals["arms"][arm]["accounts"], own.len());
        let sum: i64 = own.iter().map(|row| scores.column("score")[*row].int().unwrap()).sum();
        assert_eq!(totals["arms"][arm]["score_total"], sum);
        let lines = decisions.column("arm").iter().filter(|own| own.text() == Some(arm)).count();
        let actions = totals["arms"][arm]["actions"].as_object().unwrap();
        let counted: i64 = actions
            .values()
            .flat_map(|actions| actions.as_object().unwrap().values())
            .map(|action| action["lines"].as_i64().unwrap())
            .sum();
        assert_eq!(counted as usize, lines);
    }
    let of = |name: &str| totals["segments"][name]["accounts"].as_u64().unwrap();
    let none = scores.column("segment").iter().filter(|one| **one == Cell::Null).count();
    assert_eq!((of("none") as usize, of("fresh") + of("thin")), (none, 81 - none as u64));
}

#[test]
fn a_night_in_steps_gathered_is_that_of_one_process() {
    for trial in [BOTH, Trial { has_policy: false, ..BOTH }] {
        let world = World::with(trial);
        world.append("nightly.toml", THIN);
        world.run_into("one");
        let request = RunRequest {
            job: world.path().join("jobs/nightly.toml"),
            nights: Nights::One { as_of: day(NIGHT), known_on: day(NIGHT) },
            out: Some(world.path().join("steps")),
            replace: false,
            chain: false,
            from_scratch: false,
            memory_bytes: None,
        };
        let shared = SharedOut { parts: 5, key_shards: 1 };
        let NightOutcome { directory, .. } =
            run_in_steps(&request, &world.path().join("work"), shared).unwrap();
        once_unlocked(|| gather(&directory, &world.path().join("gathered"))).unwrap();
        let [found, expected] = ["gathered", "one"].map(|name| runs_in(&world.path().join(name)));
        assert_same(&found, &expected);
    }
}

/// Every account is decided again from the run itself, by what decided about it.
#[test]
fn explain_says_what_decided_and_the_other_score() {
    for trial in [BOTH, Trial { has_policy: false, ..BOTH }, Trial { has_scorecard: false, ..BOTH }] {
        let world = World::with(trial);
        world.append("nightly.toml", THIN);
        let scores = table(&world.run(), "scores");
        for row in (0..81).step_by(16) {
            let cell = |column: &str| scores.column(column)[row].clone();
            let account = cell("account_id").int().unwrap().to_string();
            let found = json(&world, &["explain", RUN, "--account", &account, "--json"]);
            assert_eq!(found["score"]["score"].as_i64(), cell("score").int());
            let decided = &found["decided_by"];
            assert_eq!(decided["arm"].as_str(), cell("arm").text());
            assert_eq!(decided["segment"].as_str(), cell("segment").text());
            let is_challenger = cell("arm").text() == Some("challenger");
            let other = if is_challenger { "champion_score" } else { "challenger_score" };
            assert_eq!(decided["other_score"].as_i64(), cell(other).int());
            let card = match (is_challenger && trial.has_scorecard, cell("segment").text()) {
                (true, _) => "challenger_scorecard.toml".to_string(),
                (_, Some(segment)) => format!("segment_{segment}.toml"),
                _ => "scorecard.toml".to_string(),
            };
            assert_eq!(decided["scorecard"], card.as_str());
            let policy =
                if is_challenger && trial.has_policy { "challenger_policy.toml" } else { "policy.toml" };
            assert_eq!(decided["policy"], policy);
        }
        let text = world.succeed(&[
            "explain",
            RUN,
            "--account",
            &scores.column("account_id")[0].int().unwrap().to_string(),
        ]);
        assert!(text.contains("decided by "), "{text}");
    }
}

/// What would change a decision leaves the account with its scorecard.
#[test]
fn no_change_leads_to_another_segment() {
    let world = World::new();
    let segment =
        "\n[[segment]]\nname = \"tardy\"\nwhen = \"on_time_bp < 7000\"\nscorecard = \"thin.toml\"\n";
    world.append("nightly.toml", segment);
    let scores = table(&world.run(), "scores");
    let own = World::new();
    own.run();
    // Where one scorecard decides about everybody, some changes go beyond the bound.
    let mut beyond = [0, 0];
    for row in (0..81).step_by(10) {
        let account = scores.column("account_id")[row].int().unwrap().to_string();
        for (number, world) in [&world, &own].into_iter().enumerate() {
            let found = json(world, &["explain", RUN, "--account", &account, "--json"]);
            let lines = found["lines"].as_array().unwrap();
            let turns = lines.iter().flat_map(|line| {
                let turns = &line["turns"];
                ["better", "worse"].into_iter().flat_map(|way| turns[way].as_array().unwrap())
            });
            let is_beyond = |turn: &&Value| {
                let [from, to] =
                    ["from", "to"].map(|end| turn[end].as_i64().is_some_and(|value| value < 7_000));
                turn["feature"] == "on_time_bp" && from != to
            };
            beyond[number] += turns.filter(is_beyond).count();
        }
    }
    assert!(beyond[0] == 0 && beyond[1] > 0, "{beyond:?}");
}

#[test]
fn diff_finds_nothing_between_a_run_and_itself_and_names_the_arm_as_a_cause() {
    let world = everything();
    world.run_into("one");
    world.run_into("other");
    let of = |name: &str| format!("{name}/date={NIGHT}");
    let (code, stdout, stderr) = world.outcome(&["diff", &of("one"), &of("other")]);
    assert_eq!(code, 0, "{stdout}{stderr}");
    world.edit("nightly.toml", "share_bp = 4000", "share_bp = 7000");
    world.run_into("more");
    let (code, stdout, stderr) = world.outcome(&["diff", &of("one"), &of("more"), "--json"]);
    assert_eq!(code, 1, "{stderr}");
    let found: Value = serde_json::from_str(&stdout).unwrap();
    let causes = &found["decision_causes"];
    assert_eq!(causes["notes"].as_array().unwrap().len(), 0, "{causes}");
    assert_eq!((&causes["decisions"], &causes["change"]), (&causes["changed"], &causes["moved"]), "{causes}");
    let parts = causes["parts"].as_array().unwrap();
    let part = |name: &str| parts.iter().find(|part| part["cause"] == name);
    assert!(part("arm").unwrap()["decisions"].as_u64().unwrap() > 0, "{causes}");
    assert!(part("not explained").is_none(), "{causes}");
    assert_eq!(part("data").unwrap()["decisions"], 0, "{causes}");
    let scores = &found["score_causes"];
    assert_eq!((&scores["total"], &scores["data"]), (&scores["moved"], &0.into()), "{scores}");
    assert_eq!(scores["not_separable"], 0, "{scores}");
    let arms = found["arms"].as_array().unwrap();
    let moved = arms.iter().find(|arm| arm["left"] == "champion" && arm["right"] == "challenger").unwrap();
    assert!(moved["accounts"].as_u64().unwrap() > 10, "{arms:?}");
    let text = world.outcome(&["diff", &of("one"), &of("more")]).1;
    assert!(text.contains("champion to challenger"), "{text}");
}

/// Other data, another scorecard of the challenger, another policy of it: each by its name, for each arm.
#[test]
fn diff_explains_nights_and_edits_of_several_scorecards() {
    let world = everything();
    world.run_into("one");
    world.succeed(&["run", "jobs/nightly.toml", "--date", "2026-11-19", "--out", "one"]);
    world.edit("challenger/policy.toml", "percent = 25", "percent = 30");
    world.edit("challenger/scorecard.toml", "base = 433", "base = 470");
    world.run_into("two");
    for (left, right, cause) in [
        ("one/date=2026-11-19", "one/date=2026-11-20", "data"),
        ("one/date=2026-11-20", "two/date=2026-11-20", "scorecard"),
        ("one/date=2026-11-19", "two/date=2026-11-20", "scorecard"),
    ] {
        let (code, stdout, stderr) = world.outcome(&["diff", left, right, "--json"]);
        assert_eq!(code, 1, "{stderr}");
        let found: Value = serde_json::from_str(&stdout).unwrap();
        let causes = &found["decision_causes"];
        assert_eq!(causes["notes"].as_array().unwrap().len(), 0, "{causes}");
        assert_eq!(
            (&causes["decisions"], &causes["change"]),
            (&causes["changed"], &causes["moved"]),
            "{causes}"
        );
        let parts = causes["parts"].as_array().unwrap();
        assert!(parts.iter().all(|part| part["cause"] != "not explained"), "{causes}");
        let part = parts.iter().find(|part| part["cause"] == cause).unwrap();
        assert!(part["decisions"].as_u64().unwrap() > 0, "{cause}: {causes}");
        assert_eq!(found["score_causes"]["total"], found["score_causes"]["moved"]);
    }
}

#[test]
fn a_run_without_a_challenger_is_held_against_one_with_it() {
    let world = World::new();
    world.run_into("before");
    world.append("nightly.toml", &BOTH.text());
    world.run_into("after");
    let (code, stdout, stderr) =
        world.outcome(&["diff", &format!("before/date={NIGHT}"), &format!("after/date={NIGHT}"), "--json"]);
    assert_eq!(code, 1, "{stderr}");
    let found: Value = serde_json::from_str(&stdout).unwrap();
    let causes = &found["decision_causes"];
    assert_eq!((&causes["decisions"], &causes["change"]), (&causes["changed"], &causes["moved"]), "{causes}");
    let parts = causes["parts"].as_array().unwrap();
    assert!(parts.iter().all(|part| part["cause"] != "not explained"), "{causes}");
}

#[test]
fn pages_tables_and_queries_are_by_arm() {
    let world = everything();
    let run = world.run();
    world.succeed(&["report", RUN, "--out", "page.html"]);
    let page = std::fs::read_to_string(world.path().join("page.html")).unwrap();
    for part in [
        "Accounts by arm",
        "Lines and money by action and arm",
        "Accounts by segment",
        "Rules of the challenger",
        "Scorecard: challenger",
        "Scorecard: thin",
    ] {
        assert!(page.contains(part), "{part}");
    }
    let shown = world.succeed(&["show", RUN]);
    assert!(shown.contains("challenger") && shown.contains("mean score"), "{shown}");
    let counted = world.succeed(&[
        "query",
        RUN,
        "select arm, count(*) as n from scores group by arm order by arm",
        "--csv",
    ]);
    let own =
        table(&run, "scores").column("arm").iter().filter(|arm| arm.text() == Some("challenger")).count();
    assert!(counted.contains(&format!("challenger,{own}")), "{counted}");
    world.succeed(&["run", "jobs/nightly.toml", "--date", "2026-11-19"]);
    world.succeed(&["report", RUN, "--against", "out/date=2026-11-19", "--out", "page.html"]);
}

/// Each scorecard counts the accounts that it decided about.
#[test]
fn scorecards_count_their_own_accounts() {
    let world = everything();
    let scores = table(&world.run(), "scores");
    let mut all = 0;
    for card in ["own", "fresh", "thin", "challenger"] {
        let found = json(&world, &["scorecard", "jobs/nightly.toml", RUN, "--card", card, "--json"]);
        let is_own =
            |row: &usize| match (scores.column("arm")[*row].text(), scores.column("segment")[*row].text()) {
                (Some("challenger"), _) => card == "challenger",
                (_, segment) => card == segment.unwrap_or("own"),
            };
        let own: Vec<usize> = (0..81).filter(is_own).collect();
        assert_eq!(found["run"]["accounts"], own.len(), "{card}");
        assert_eq!(found["card"], card);
        for bin in found["characteristics"].as_array().unwrap() {
            let counted: u64 =
                bin["bins"].as_array().unwrap().iter().map(|bin| bin["accounts"].as_u64().unwrap()).sum();
            assert_eq!(counted as usize, own.len());
        }
        all += own.len();
    }
    assert_eq!(all, 81);
    let (code, _, stderr) = world.outcome(&["scorecard", "jobs/nightly.toml", "--card", "nobody"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("own, fresh, thin, challenger"), "{stderr}");
}

/// The scores of a spine are those of the night.
#[test]
fn features_with_scores_are_those_of_the_run() {
    let world = everything();
    let scores = table(&world.run(), "scores");
    let mut spine = crate::support::Table::new(&[
        ("account_id", arrow_schema::DataType::Int64),
        ("as_of", arrow_schema::DataType::Date32),
    ]);
    for account in scores.column("account_id") {
        spine = spine.row([account, Cell::Date(day(NIGHT))]);
    }
    spine.write(&world.path().join("spine.parquet"));
    world.succeed(&[
        "features",
        "jobs/nightly.toml",
        "--spine",
        "spine.parquet",
        "--scores",
        "--out",
        "wide.parquet",
    ]);
    let wide = crate::support::Table::read(&world.path().join("wide.parquet"));
    for (name, _) in &scores.columns {
        assert_eq!(wide.column(name), scores.column(name), "{name}");
    }
}

/// Later nights read the scores of nights with a challenger, and a simulation goes on from them.
#[test]
fn nights_look_back_on_scores_and_simulations_run() {
    let world = everything();
    world.edit(
        "nightly.toml",
        "[unique.transactions]",
        "previous = \"../out/date={date}/scores.parquet\"\n[unique.transactions]",
    );
    world.succeed(&["run", "jobs/nightly.toml", "--from", "2026-11-19", "--to", NIGHT]);
    let (before, tonight) = (
        table(&world.path().join("out/date=2026-11-19"), "scores"),
        table(&world.path().join(RUN), "decisions"),
    );
    let known: Vec<(Cell, Cell)> =
        before.column("account_id").into_iter().zip(before.column("score")).collect();
    let previous = tonight.column("account_id").into_iter().zip(tonight.column("previous_score"));
    for (account, score) in previous {
        let expected =
            known.iter().find(|(id, _)| *id == account).map_or(Cell::Null, |(_, score)| score.clone());
        assert_eq!(score, expected);
    }
    world.succeed(&[
        "run",
        "jobs/nightly.toml",
        "--from",
        "2026-11-19",
        "--to",
        NIGHT,
        "--chain",
        "--out",
        "trial",
    ]);
    world.succeed(&["verify", "trial"]);
    world.succeed(&["verify", "out"]);
}
