//! Decisions, the money they move, and why they changed.

use super::section::{FindingsSection, count, signed_money, sum_sentence};
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
    let moved: Vec<&ActionMigration> =
        decisions.actions.iter().filter(|migration| migration.left != migration.right).collect();
    let mut sections = vec![FindingsSection::new("decisions").say(format!(
        "{} of {} lines on both sides are decided otherwise",
        count(decisions.changed),
        count(decisions.lines)
    ))];
    if !is_summary && !moved.is_empty() {
        sections.push(actions(&decisions.actions));
        let rows = moved.iter().map(|migration| {
            let (left, right) = (action_name(migration.left), action_name(migration.right));
            let change = signed_money(migration.change, minor_units);
            vec![migration.product.clone(), left.into(), right.into(), count(migration.lines), change]
        });
        let header = ["product", "left", "right", "lines", "limits"];
        let section = FindingsSection::new("actions that changed").table(&header, rows.collect());
        sections.push(section.cut(limit));
    }
    // Where nothing differs, the sum over all products says as much as the products.
    let shown = decisions.money.iter().filter(|money| {
        let differs = !moved.is_empty() || money.delta != Money::default();
        money.product.is_none() || (!is_summary && differs)
    });
    let rows = shown.flat_map(|money| money_rows(money, minor_units));
    let header = ["product", "", "left", "right", "delta"];
    sections.push(FindingsSection::new("money").table(&header, rows.collect()));
    sections
}

fn action_name(action: Option<&'static str>) -> &'static str {
    action.unwrap_or("not there")
}

/// By product: left actions down, right actions across.
fn actions(migrations: &[ActionMigration]) -> FindingsSection {
    let all = Action::ALL.into_iter().map(|action| Some(action.name())).chain([None]);
    let across: Vec<Option<&str>> =
        all.filter(|action| migrations.iter().any(|migration| migration.right == *action)).collect();
    let mut header = vec!["product", "left, right"];
    header.extend(across.iter().map(|action| action_name(*action)));
    header.push("all");
    let from_one_action = migrations.chunk_by(|a, b| (&a.product, a.left) == (&b.product, b.left));
    let rows = from_one_action.map(|migrations| {
        let mut row = vec![migrations[0].product.clone(), action_name(migrations[0].left).to_string()];
        row.extend(across.iter().map(|action| {
            let migration = migrations.iter().find(|migration| migration.right == *action);
            count(migration.map_or(0, |migration| migration.lines))
        }));
        row.push(count(migrations.iter().map(|migration| migration.lines).sum()));
        row
    });
    FindingsSection::new("actions").table(&header, rows.collect())
}

fn money_rows(sums: &ProductMoney, minor_units: u32) -> Vec<Vec<String>> {
    let product = sums.product.as_deref().unwrap_or("all");
    let (left, right, delta) = (&sums.left, &sums.right, &sums.delta);
    let rows = [
        ("raises", left.raises, right.raises, delta.raises),
        ("lowers", left.lowers, right.lowers, delta.lowers),
        ("limits after", left.limits, right.limits, delta.limits),
        ("exposure after", left.exposure, right.exposure, delta.exposure),
    ];
    let rows = rows.map(|(what, left, right, delta)| {
        let (left, right) = (money(left, minor_units), money(right, minor_units));
        vec![product.to_string(), what.to_string(), left, right, signed_money(delta, minor_units)]
    });
    rows.to_vec()
}

pub(super) fn causes(causes: &DecisionCauses, minor_units: u32) -> Option<FindingsSection> {
    if causes.decisions == 0 && causes.change == 0 && causes.notes.is_empty() {
        return None;
    }
    let parts = causes.parts.iter().map(|part| (part.cause.as_str(), part.decisions, part.change));
    let rows = parts.chain([("total", causes.decisions, causes.change)]).map(|(cause, decisions, change)| {
        vec![cause.to_string(), count(decisions), signed_money(change, minor_units)]
    });
    let mut section = FindingsSection::new("why decisions changed")
        .table(&["cause", "decisions", "limits"], rows.collect());
    section.sentences = causes.notes.clone();
    let is_equal = causes.decisions == causes.changed && causes.change == causes.moved;
    let whole =
        format!("{} decisions and {}", count(causes.changed), signed_money(causes.moved, minor_units));
    Some(section.say(sum_sentence(is_equal, whole, "the tables'")))
}
