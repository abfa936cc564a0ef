//! Gates by arm and segment.

use serde_json::Value;

use super::world::{BOTH, THIN, World, table};

const GATES: &str = r#"
[[gate]]
name = "challengers"
table = "scores"
share_of = "arm = 'challenger'"
max_bp = 10000
[[gate]]
name = "difference"
table = "scores"
sum_of = "challenger_score - champion_score"
among = "arm = 'challenger' and segment is null and active_days_30d >= 0"
max = 1000000
[[gate]]
name = "closed"
table = "decisions"
share_of = "action = 'close'"
among = "arm = 'challenger' and credit_history < 500"
max_bp = 10000
[[gate]]
name = "thin money"
table = "decisions"
sum_of = "new_limit - old_limit"
among = "segment = 'thin' and score >= 350 and months_on_book >= 0"
max = 1000000000
"#;

#[test]
fn gates_count_arms_and_segments() {
    let world = World::with(BOTH);
    world.append("nightly.toml", THIN);
    world.append("nightly.toml", GATES);
    let run = world.run();
    let manifest = std::fs::read_to_string(run.join("manifest.json")).unwrap();
    let manifest: Value = serde_json::from_str(&manifest).unwrap();
    let figure = |name: &str| {
        let gates = manifest["gates"].as_array().unwrap();
        let gate = gates.iter().find(|gate| gate["name"] == name).unwrap();
        (gate["figure"].as_str().unwrap().parse::<i64>().unwrap(), gate["among"].as_i64())
    };
    let (scores, decisions) = (table(&run, "scores"), table(&run, "decisions"));
    let is_of = |row: usize, column: &str, name: &str| scores.column(column)[row].text() == Some(name);
    let challengers = (0..81).filter(|row| is_of(*row, "arm", "challenger"));
    assert_eq!(figure("challengers"), (challengers.clone().count() as i64, Some(81)));
    let plain = challengers.filter(|row| scores.column("segment")[*row].text().is_none());
    let int = |column: &str, row: usize| scores.column(column)[row].int().unwrap();
    let difference: i64 = plain.map(|row| int("challenger_score", row) - int("champion_score", row)).sum();
    assert_eq!(figure("difference").0, difference);
    let account = |row: usize| {
        let id = &decisions.column("account_id")[row];
        scores.column("account_id").iter().position(|known| known == id).unwrap()
    };
    let lines = 0..decisions.rows.len();
    let own = lines.clone().filter(|row| decisions.column("arm")[*row].text() == Some("challenger"));
    let closed = own.clone().filter(|row| decisions.column("action")[*row].text() == Some("close"));
    assert_eq!(figure("closed"), (closed.count() as i64, Some(own.count() as i64)));
    let thin = lines.filter(|row| is_of(account(*row), "segment", "thin"));
    let limit = |column: &str, row: usize| decisions.column(column)[row].int().unwrap();
    assert_eq!(
        figure("thin money").0,
        thin.map(|row| limit("new_limit", row) - limit("old_limit", row)).sum::<i64>()
    );
}
