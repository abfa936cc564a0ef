//! Random pairs of runs: the naive model, deciding every step from the inputs, finds the same causes, and
//! they sum to the change line by line and account by account.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::audit::case::{Amount, Budget, Case, Rule};
use crate::audit::draw_job::draw;
use crate::audit::expression::Node;
use crate::audit::files::write_inputs;
use crate::audit::night::night;
use crate::audit::random::Random;
use crate::audit::value::date_text;
use crate::audit::written::write_job_files;
use crate::support::{Cell, Table, outcome_in};

const PAIRS: u64 = 120;

const BOOK_SIZE: usize = 50;

/// Exit codes of a run that has published something: done, or held by a gate.
const PUBLISHED: [i32; 2] = [0, 4];

/// What another run has changed.
#[derive(Debug, Clone, Copy)]
struct Other {
    data: bool,
    scorecard: bool,
    policy: bool,
}

/// A rule about active lines with such a score.
fn scored_rule(name: &str, op: &'static str, score: i64, action: &'static str, amount: Amount) -> Rule {
    let column = |name: &str| Box::new(Node::Column(name.to_string()));
    let is_scored = Node::Compare(op, column("score"), Box::new(Node::Literal(score.into())));
    let is_active = Node::Compare("=", column("status"), Box::new(Node::Literal("active".into())));
    Rule {
        name: name.to_string(),
        products: None,
        when: Node::And(Box::new(is_scored), Box::new(is_active)),
        action,
        reason: "P9".to_string(),
        notice_days: None,
        amount: Some(amount),
        never_below_balance: None,
        budget: None,
    }
}

/// A random case, most often with rules that read the score.
fn left_case(seed: u64, random: &mut Random) -> Case {
    let mut case = draw(seed, BOOK_SIZE);
    if random.chance(75) {
        let rules = &mut case.job.policy.rules;
        rules.insert(0, scored_rule("weak", "<", 400, "lower", Amount::By(500)));
        rules.insert(0, scored_rule("strong", ">=", 405, "raise", Amount::Percent(50)));
    }
    case
}

/// The case of the right run.
fn other(random: &mut Random, left: &Case) -> (Case, Other) {
    let mut right = left.clone();
    let what = match random.chance(30) {
        true => Other { data: false, scorecard: false, policy: true },
        false => Other { data: random.chance(60), scorecard: random.chance(50), policy: random.chance(60) },
    };
    if what.data {
        for input in right.inputs_mut() {
            for file in &mut input.files {
                file.rows.retain(|_| !random.chance(8));
            }
        }
        shift_limits(random, &mut right);
    }
    if what.scorecard {
        right.job.score.base += random.between(-30, 30) as i32;
        for characteristic in &mut right.job.characteristics {
            characteristic.missing += random.between(-60, 60) as i32;
            for (_, points) in &mut characteristic.bins {
                *points += random.between(-60, 60) as i32;
            }
        }
        if random.chance(30) {
            right.job.characteristics.pop();
        }
    }
    if what.policy {
        other_policy(random, &mut right);
    }
    (right, what)
}

/// Gives some lines the limit of another.
fn shift_limits(random: &mut Random, case: &mut Case) {
    let place = case.lines.columns.iter().position(|(name, _)| *name == "credit_limit");
    let place = place.expect("lines have a limit");
    for file in &mut case.lines.files {
        for row in 1..file.rows.len() {
            if random.chance(50) {
                file.rows[row][place] = file.rows[row - 1][place].clone();
            }
        }
    }
}

fn budget(random: &mut Random) -> Budget {
    match random.chance(50) {
        true => Budget::Amount(random.between(0, 3_000)),
        false => Budget::Share(random.between(0, 3_000)),
    }
}

fn other_policy(random: &mut Random, case: &mut Case) {
    let policy = &mut case.job.policy;
    for product in &mut policy.products {
        product.raise_budget = random.chance(70).then(|| budget(random));
    }
    for rule in policy.rules.iter_mut().filter(|rule| rule.action == "raise") {
        rule.budget = random.chance(30).then(|| budget(random));
    }
    if random.chance(40) {
        return;
    }
    for rule in &mut policy.rules {
        rule.amount = rule.amount.map(|amount| match amount {
            Amount::Percent(percent) => Amount::Percent(percent.saturating_add(random.between(0, 20))),
            Amount::By(by) => Amount::By(by.saturating_add(random.between(0, 5_000))),
            Amount::To(to) => Amount::To(to.saturating_add(random.between(0, 5_000))),
        });
    }
    if policy.rules.len() > 1 && random.chance(50) {
        let place = random.below(policy.rules.len());
        policy.rules.remove(place);
    }
    for product in &mut policy.products {
        product.max_limit = product.max_limit.saturating_add(random.between(0, 50_000));
    }
}

/// Publishes the run of a case.
fn published(case: &Case, home: &Path) -> Option<PathBuf> {
    write_inputs(case, home);
    write_job_files(case, home);
    let [as_of, known_on] = [case.as_of, case.known_on].map(date_text);
    let (code, _, _) = outcome_in(home, &["run", "job.toml", "--date", &as_of, "--known-on", &known_on]);
    let out = match code {
        4 => home.join("out/held"),
        code if PUBLISHED.contains(&code) => home.join("out"),
        _ => return None,
    };
    let out = if case.known_on > case.as_of { out.join(format!("known={known_on}")) } else { out };
    Some(out.join(format!("date={as_of}")))
}

type Key = (Cell, Cell);

/// The model's decisions of a case: by line all columns.
fn decided(case: &Case) -> Option<BTreeMap<Key, BTreeMap<String, Cell>>> {
    let night = night(case).ok()?;
    let (_, table) = night.tables.into_iter().find(|(name, _)| *name == "decisions")?;
    let names: Vec<String> = table.columns.iter().map(|(name, _)| name.clone()).collect();
    let row = |row: Vec<Cell>| ((row[0].clone(), row[1].clone()), names.iter().cloned().zip(row).collect());
    Some(table.rows.into_iter().map(row).collect())
}

/// The case with nothing that refuses for want of budget, or that cuts either.
fn freed(case: &Case, caps: bool) -> Case {
    let mut case = case.clone();
    let policy = &mut case.job.policy;
    policy.products.iter_mut().for_each(|product| product.raise_budget = None);
    policy.rules.iter_mut().for_each(|rule| rule.budget = None);
    if caps {
        policy.max_total_limit = None;
        policy.affordability = None;
        for product in &mut policy.products {
            product.max_limit = i64::MAX;
            product.band_max.clear();
        }
    }
    case
}

fn limit(row: &BTreeMap<String, Cell>) -> i128 {
    match row["new_limit"] {
        Cell::Int(limit) => limit.into(),
        ref other => panic!("{other:?}"),
    }
}

/// What makes two decisions the same.
fn outcome(row: &BTreeMap<String, Cell>, as_of: i32) -> Vec<Cell> {
    let notice = match row["effective_on"] {
        Cell::Date(day) => Cell::Int(i64::from(day.0) - i64::from(as_of)),
        ref other => other.clone(),
    };
    let names = ["action", "reason", "rule", "new_limit", "new_status", "bound_by"];
    names.iter().map(|name| row[*name].clone()).chain([notice]).collect()
}

/// What `--json` says of causes; sums may need more than 64 bits.
#[derive(Deserialize)]
struct Found {
    scores: Scores,
    score_causes: ScoreCauses,
    decision_causes: DecisionCauses,
}

#[derive(Deserialize)]
struct Scores {
    sum: i128,
}

#[derive(Deserialize)]
struct ScoreCauses {
    total: i128,
}

#[derive(Debug, Deserialize)]
struct DecisionCauses {
    parts: Vec<Part>,
    decisions: u64,
    change: i128,
    changed: u64,
    moved: i128,
    notes: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Part {
    cause: String,
    decisions: u64,
    change: i128,
}

/// By cause: decisions, money.
type Causes = BTreeMap<String, (i128, i128)>;

/// The causes as the model finds them.
fn naive_causes(left: &Case, right: &Case) -> Option<Causes> {
    let on = |scorecard: &Case, policy: &Case| {
        let mut case = right.clone();
        case.job = scorecard.job.clone();
        case.job.policy = policy.job.policy.clone();
        case
    };
    let steps = [("data", on(left, left)), ("scorecard", on(right, left)), ("policy", right.clone())];
    let wishes: Vec<_> =
        steps.iter().map(|(_, case)| decided(&freed(case, true))).collect::<Option<Vec<_>>>()?;
    let first = decided(&freed(left, true))?;
    let (capped_left, capped_right) = (decided(&freed(left, false))?, decided(&freed(right, false))?);
    let (granted_left, granted_right) = (decided(left)?, decided(right)?);
    let mut causes = Causes::new();
    let mut add = |cause: &str, decisions: i128, money: i128| {
        let part = causes.entry(cause.to_string()).or_default();
        *part = (part.0 + decisions, part.1 + money);
    };
    for key in granted_left.keys().filter(|key| !granted_right.contains_key(*key)) {
        add("lines only on one side", 1, -limit(&granted_left[key]));
    }
    for (key, row) in &granted_right {
        let Some(before) = granted_left.get(key) else {
            add("lines only on one side", 1, limit(row));
            continue;
        };
        if outcome(before, left.as_of) == outcome(row, right.as_of) {
            continue;
        }
        let path: Vec<_> =
            std::iter::once(&first[key]).chain(wishes.iter().map(|wishes| &wishes[key])).collect();
        let as_of = [left.as_of, right.as_of, right.as_of, right.as_of];
        let moved =
            |step: usize| outcome(path[step], as_of[step]) != outcome(path[step + 1], as_of[step + 1]);
        for (step, (cause, _)) in steps.iter().enumerate() {
            add(cause, 0, limit(path[step + 1]) - limit(path[step]));
        }
        let caps = |capped: &BTreeMap<String, Cell>, wished| limit(capped) - limit(wished);
        add("caps", 0, caps(&capped_right[key], path[3]) - caps(&capped_left[key], path[0]));
        let (l, r) = (&capped_left[key], &capped_right[key]);
        add("budget", 0, limit(row) - limit(r) - (limit(before) - limit(l)));
        let main = match (0..3).rfind(|step| moved(*step)) {
            _ if outcome(l, left.as_of) == outcome(r, right.as_of) => "budget",
            Some(step) => steps[step].0,
            None => "caps",
        };
        add(main, 1, 0);
    }
    Some(causes)
}

#[test]
fn the_model_finds_the_same_causes_and_they_sum_to_the_change() {
    let mut compared = 0;
    let mut seen: Causes = Causes::new();
    for seed in 0..PAIRS {
        let mut random = Random::new(seed + 1_000);
        let left = left_case(seed, &mut random);
        let (right, what) = other(&mut random, &left);
        let (home, other_home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let runs = (published(&left, home.path()), published(&right, other_home.path()));
        let (Some(left_run), Some(right_run)) = runs else { continue };
        let changes = home.path().join("changes.parquet");
        let paths = [&left_run, &right_run, &changes].map(|path| path.to_str().unwrap().to_string());
        let args = ["diff", "--json", &paths[0], &paths[1], "--out", &paths[2]];
        let (code, stdout, stderr) = outcome_in(home.path(), &args);
        assert!(code < 2, "seed {seed}: {stderr}");
        let found: Found = serde_json::from_str(&stdout).unwrap();
        let causes = &found.decision_causes;
        let about = format!("seed {seed}, {what:?}: {causes:?}");
        assert_eq!(causes.change, causes.moved, "{about}");
        assert_eq!(causes.decisions, causes.changed, "{about}");
        assert_eq!(found.score_causes.total, found.scores.sum, "{about}");
        assert!(causes.parts.iter().all(|part| part.cause != "not explained"), "{about}");
        sums_hold_row_by_row(&left_run, &right_run, &Table::read(&changes), &about);
        if causes.notes.is_empty() {
            let Some(naive) = naive_causes(&left, &right) else { continue };
            for part in &causes.parts {
                let found = (part.decisions.into(), part.change);
                let expected = naive.get(&part.cause).copied().unwrap_or_default();
                assert_eq!(found, expected, "{}: {about}\n{naive:?}", part.cause);
                let total = seen.entry(part.cause.clone()).or_default();
                *total = (total.0 + found.0, total.1 + found.1.abs());
            }
            compared += 1;
        }
    }
    assert!(compared > PAIRS / 2, "{compared}");
    for cause in ["data", "scorecard", "policy", "caps", "budget", "lines only on one side"] {
        let (decisions, money) = seen.get(cause).copied().unwrap_or_default();
        assert!(decisions > 0 && money > 0, "{cause} was never seen to move anything: {seen:?}");
    }
}

/// Column by key of a table.
fn values(run: &Path, table: &str, column: &str) -> BTreeMap<Vec<Cell>, i128> {
    let table = Table::read(&run.join(format!("{table}.parquet")));
    let place = table.columns.iter().position(|(name, _)| name == column).unwrap();
    let key = usize::from(table.columns[1].0 == "product") + 1;
    let value = |row: &Vec<Cell>| match row[place] {
        Cell::Int(value) => (row[..key].to_vec(), i128::from(value)),
        ref other => panic!("{other:?}"),
    };
    table.rows.iter().map(value).collect()
}

/// Left + what each cause moved = right, for every account's score and every line's new limit.
fn sums_hold_row_by_row(left: &Path, right: &Path, changes: &Table, about: &str) {
    let text = |cell: &Cell| if let Cell::Text(text) = cell { text.clone() } else { String::new() };
    for (table, column) in [("scores", "score"), ("decisions", "new_limit")] {
        let (before, after) = (values(left, table, column), values(right, table, column));
        let mut moved: BTreeMap<Vec<Cell>, (i128, usize)> = BTreeMap::new();
        for row in changes.rows.iter().filter(|row| text(&row[0]) == table && text(&row[3]).contains("cause"))
        {
            let key = row[1..if table == "scores" { 2 } else { 3 }].to_vec();
            let Cell::Int(amount) = row[8] else { panic!("{row:?}") };
            let sum = moved.entry(key).or_default();
            sum.0 += i128::from(amount);
            sum.1 += usize::from(text(&row[3]) == "main_cause");
        }
        for key in before.keys().chain(after.keys()) {
            let (sum, mains) = moved.get(key).copied().unwrap_or_default();
            let both = before.contains_key(key) && after.contains_key(key);
            if table == "scores" && !both {
                continue;
            }
            let of = |side: &BTreeMap<Vec<Cell>, i128>| side.get(key).copied().unwrap_or(0);
            assert_eq!(of(&before) + sum, of(&after), "{table} {key:?}: {about}");
            assert!(mains <= 1, "{table} {key:?}: {about}");
        }
    }
}
