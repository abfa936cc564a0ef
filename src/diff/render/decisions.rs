//! Decisions, the money they move, and why they changed.

use super::sections::{FindingsSection, count, signed_money, sum_sentence};
use crate::console::money;
use crate::diff::causes::decisions::DecisionCauses;
use crate::diff::tally::decisions::{ActionMigration, DecisionChanges, Money, ProductMoney};
use crate::job::Action;

pub(super) fn sections(
    decisions: &DecisionChanges,
    minor_units: u32,
    limit: usize,
    is_summary: bool,
) -> Vec<FindingsSection> {
    let is_moved = |moved: &&ActionMigration| moved.left != moved.right;
    let has_moved = decisions.actions.iter().any(|moved| is_moved(&moved));
    let mut sections = vec![FindingsSection::new("decisions").say(format!(
        "{} of {} lines on both sides are decided otherwise",
        count(decisions.changed),
        count(decisions.lines)
    ))];
    if !is_summary && has_moved {
        sections.push(actions(&decisions.actions));
        let row = |moved: &ActionMigration| {
            let change = signed_money(moved.change, minor_units);
            let product = moved.product.clone();
            vec![product, name(moved.left).into(), name(moved.right).into(), count(moved.lines), change]
        };
        let rows = decisions.actions.iter().filter(is_moved).map(row).collect();
        let header = ["product", "left", "right", "lines", "limits"];
        sections.push(FindingsSection::new("actions that changed").table(&header, rows).cut(limit));
    }
    // Products of which nothing differs say nothing that the sum over all does not.
    let is_told = |money: &&ProductMoney| {
        money.product.is_none() || !is_summary && (has_moved || money.delta != Money::default())
    };
    let rows = decisions.money.iter().filter(is_told).flat_map(|money| money_rows(money, minor_units));
    let header = ["product", "", "left", "right", "delta"];
    sections.push(FindingsSection::new("money").table(&header, rows.collect()));
    sections
}

fn name(action: Option<&'static str>) -> &'static str {
    action.unwrap_or("not there")
}

/// By product: left actions down, right actions across.
fn actions(actions: &[ActionMigration]) -> FindingsSection {
    let places = || Action::ALL.into_iter().map(|action| Some(action.name())).chain([None]);
    let across: Vec<_> = places().filter(|place| actions.iter().any(|moved| moved.right == *place)).collect();
    let mut header = vec!["product", "left, right"];
    header.extend(across.iter().map(|place| name(*place)));
    header.push("all");
    let row = |row: &[ActionMigration]| {
        let lines = |place: &Option<&str>| {
            row.iter().find(|moved| moved.right == *place).map_or(0, |moved| moved.lines)
        };
        let all = row.iter().map(|moved| moved.lines).sum();
        let counts = across.iter().map(lines).chain([all]).map(count);
        [row[0].product.clone(), name(row[0].left).to_string()].into_iter().chain(counts).collect()
    };
    let rows = actions.chunk_by(|a, b| (&a.product, a.left) == (&b.product, b.left)).map(row);
    FindingsSection::new("actions").table(&header, rows.collect())
}

fn money_rows(sums: &ProductMoney, minor_units: u32) -> Vec<Vec<String>> {
    let product = sums.product.as_deref().unwrap_or("all");
    let row = |what: &str, of: fn(&Money) -> i128| {
        let [left, right] = [&sums.left, &sums.right].map(|side| money(of(side), minor_units));
        vec![product.to_string(), what.to_string(), left, right, signed_money(of(&sums.delta), minor_units)]
    };
    vec![
        row("raises", |money| money.raises),
        row("lowers", |money| money.lowers),
        row("limits after", |money| money.limits),
        row("exposure after", |money| money.exposure),
    ]
}

pub(super) fn causes(causes: &DecisionCauses, minor_units: u32) -> Option<FindingsSection> {
    if causes.decisions == 0 && causes.change == 0 && causes.notes.is_empty() {
        return None;
    }
    let row = |cause: &str, decisions: u64, change: i128| {
        vec![cause.to_string(), count(decisions), signed_money(change, minor_units)]
    };
    let mut rows: Vec<Vec<String>> =
        causes.parts.iter().map(|part| row(&part.cause, part.decisions, part.change)).collect();
    rows.push(row("total", causes.decisions, causes.change));
    let mut section =
        FindingsSection::new("why decisions changed").table(&["cause", "decisions", "limits"], rows);
    section.sentences = causes.notes.clone();
    let is_equal = causes.decisions == causes.changed && causes.change == causes.moved;
    let whole =
        format!("{} decisions and {}", count(causes.changed), signed_money(causes.moved, minor_units));
    Some(section.say(sum_sentence(is_equal, whole, "the tables'")))
}
