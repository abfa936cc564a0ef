//! An arm comes to what a job with its scorecard and policy comes to alone, and a job without a challenger to what it
//! came to before there were any.

use std::path::Path;

use rescore::hash::xxh3_64;

use super::world::{BOTH, NIGHT, THIN, Trial, World, edited, table};
use crate::audit::night::night;
use crate::audit::read_case::read_case;
use crate::audit::value::Value;
use crate::support::{Cell, Table, day};

/// The job with the challenger's files in the place of its own.
fn as_challenger(trial: Trial) -> World {
    let world = World::new();
    if trial.has_scorecard {
        world.put("scorecard.toml", &world.read("challenger/scorecard.toml"));
    }
    if trial.has_policy {
        let policy = world.read("challenger/policy.toml");
        // As a trial of a policy alone has it.
        let policy = if trial.has_scorecard { policy } else { edited(&policy, "visits_14d = 0 and ", "") };
        world.put("policy.toml", &policy);
    }
    world
}

/// Takes budgets out, which are of an arm's accounts alone.
fn without_budgets(world: &World) {
    for (file, budget) in [("policy.toml", 0), ("challenger/policy.toml", 1)] {
        let text = world.read(file);
        let budgets = ["raise_budget = 1_500_000\n", "raise_budget = 700_000\n"];
        let found = budgets.iter().find(|budget| text.contains(**budget)).unwrap_or(&budgets[budget]);
        world.put(file, &edited(&text, found, ""));
    }
}

/// Compares the rows of some accounts, in the columns that both tables have.
fn assert_same_rows(table: &Table, alone: &Table, is_own: impl Fn(&Cell) -> bool) -> usize {
    let columns: Vec<&String> =
        alone.columns.iter().map(|(name, _)| name).filter(|name| table.position(name).is_some()).collect();
    assert!(columns.len() > 8, "{columns:?}");
    let rows = |table: &Table| -> Vec<Vec<Cell>> {
        let places: Vec<usize> = columns.iter().map(|name| table.position(name).unwrap()).collect();
        let id = table.position("account_id").unwrap();
        let own = table.rows.iter().filter(|row| is_own(&row[id]));
        own.map(|row| places.iter().map(|place| row[*place].clone()).collect()).collect()
    };
    let (found, expected) = (rows(table), rows(alone));
    assert_eq!(found, expected);
    found.len()
}

/// The accounts of an arm.
fn accounts_of(scores: &Table, arm: &str) -> Vec<Cell> {
    let arms = scores.column("account_id").into_iter().zip(scores.column("arm"));
    arms.filter(|(_, own)| own.text() == Some(arm)).map(|(account, _)| account).collect()
}

fn check(trial: Trial) {
    let world = World::with(trial);
    without_budgets(&world);
    let run = world.run();
    let (champion, challenger) = (World::new(), as_challenger(trial));
    without_budgets(&champion);
    without_budgets(&challenger);
    let (champion, challenger) = (champion.run(), challenger.run());
    let scores = table(&run, "scores");
    for (arm, alone) in [("champion", &champion), ("challenger", &challenger)] {
        let accounts = accounts_of(&scores, arm);
        for name in ["scores", "features", "decisions", "adjustments"] {
            let rows = assert_same_rows(&table(&run, name), &table(alone, name), |account| {
                accounts.contains(account)
            });
            assert!(rows > 5, "{trial:?} {arm} {name}: {rows}");
        }
    }
}

/// The arm of an account by the formula of the contract.
fn arm_of(trial: Trial, account: &Value) -> &'static str {
    let Value::Int(id) = account else { return "champion" };
    let drawn = xxh3_64(format!("{}\0{id}", trial.salt).as_bytes()) % 10_000;
    if drawn < trial.share_bp.into() { "challenger" } else { "champion" }
}

/// The naive model of each arm: the job with its scorecard and policy, budgets too, over a book of the arm's lines alone.
fn check_model(trial: Trial) {
    let world = World::with(trial);
    for (file, from, to) in [
        ("policy.toml", "raise_budget = 1_500_000", "raise_budget = 400_000"),
        ("challenger/policy.toml", "raise_budget = 700_000", "raise_budget = 100_000"),
    ] {
        world.edit(file, from, to);
    }
    let run = world.run();
    for (arm, alone) in [("champion", World::new()), ("challenger", as_challenger(trial))] {
        let file = if arm == "challenger" { "challenger/policy.toml" } else { "policy.toml" };
        alone.put("policy.toml", &world.read(file));
        let mut case = read_case(alone.path());
        (case.as_of, case.known_on) = (day(NIGHT).0, day(NIGHT).0);
        let id = case.lines.columns.iter().position(|(name, _)| *name == "account_id").unwrap();
        for file in &mut case.lines.files {
            file.rows.retain(|row| arm_of(trial, &row[id]) == arm);
        }
        let model = night(&case).unwrap();
        for (name, expected) in model.tables.iter().filter(|(name, _)| *name != "rejects") {
            let accounts = expected.column("account_id");
            let found = table(&run, name);
            let own = accounts_of(&table(&run, "scores"), arm);
            let rows = assert_same_rows(&found, expected, |account| own.contains(account));
            assert!(rows > 5 && accounts.iter().all(|account| own.contains(account)), "{arm} {name}");
        }
    }
}

#[test]
fn the_naive_model_of_each_arm_computes_the_same() {
    check_model(BOTH);
    check_model(Trial { has_scorecard: false, ..BOTH });
}

#[test]
fn each_arm_is_what_a_job_of_its_own_comes_to() {
    check(BOTH);
}

#[test]
fn so_it_is_with_a_scorecard_alone_and_with_a_policy_alone() {
    check(Trial { has_policy: false, ..BOTH });
    check(Trial { has_scorecard: false, ..BOTH });
}

/// Points of the scorecard that decided add up, others are null.
#[test]
fn the_points_of_a_row_add_up_to_its_score() {
    let world = World::with(BOTH);
    world.append("nightly.toml", THIN);
    let scores = table(&world.run(), "scores");
    let points: Vec<usize> =
        (0..scores.columns.len()).filter(|place| scores.columns[*place].0.starts_with("points_")).collect();
    let (arm, segment) = (scores.column("arm"), scores.column("segment"));
    let mut clamped = 0;
    for (row, cells) in scores.rows.iter().enumerate() {
        let given: Vec<i64> = points.iter().filter_map(|place| cells[*place].int()).collect();
        let (base, characteristics) = match (arm[row].text(), segment[row].text()) {
            (Some("challenger"), _) => (433, 9),
            (_, Some(_)) => (540, 2),
            _ => (420, 9),
        };
        assert_eq!(given.len(), characteristics, "{cells:?}");
        let exact = base + given.iter().sum::<i64>();
        let dimensions =
            ["credit_history", "capacity", "behaviour"].map(|name| scores.column(name)[row].int().unwrap());
        assert_eq!(exact, base + dimensions.iter().sum::<i64>());
        let score = scores.column("score")[row].int().unwrap();
        assert_eq!(score, exact.clamp(350, 950));
        clamped += usize::from(score != exact);
    }
    assert!(clamped < scores.rows.len() / 2);
}

/// Budgets are of an arm's own accounts where it has a policy of its own, and one where there is one policy.
#[test]
fn budgets_are_of_the_accounts_that_a_policy_decides_about() {
    let spent = |run: &Path, arm: Option<&str>| -> i64 {
        let decisions = table(run, "decisions");
        let column = |name: &str| decisions.column(name);
        let (old, new) = (column("old_limit"), column("new_limit"));
        (0..decisions.rows.len())
            .filter(|row| column("action")[*row].text() == Some("raise"))
            .filter(|row| column("product")[*row].text() == Some("huabei"))
            .filter(|row| arm.is_none_or(|arm| column("arm")[*row].text() == Some(arm)))
            .map(|row| new[row].int().unwrap() - old[row].int().unwrap())
            .sum()
    };
    let refused = |run: &Path| {
        let reasons = table(run, "decisions").column("reason");
        reasons.iter().filter(|reason| reason.text() == Some("budget")).count()
    };
    let world = World::with(BOTH);
    world.edit("policy.toml", "raise_budget = 1_500_000", "raise_budget = 300_000");
    world.edit("challenger/policy.toml", "raise_budget = 700_000", "raise_budget = 100_000");
    let run = world.run();
    assert!(spent(&run, Some("champion")) <= 300_000);
    assert!(spent(&run, Some("challenger")) <= 100_000);
    assert!(refused(&run) > 0);
    let world = World::with(Trial { has_policy: false, ..BOTH });
    world.edit("policy.toml", "raise_budget = 1_500_000", "raise_budget = 300_000");
    let run = world.run();
    assert!(spent(&run, None) <= 300_000);
    assert!(refused(&run) > 0);
}
