//! Decisions, the money they move, and why they changed.

use std::cmp::Reverse;

use super::section::{Detail, FindingsSection, count, signed_money, sum_sentence};
use crate::console::money;
use crate::diff::causes::decisions::DecisionCauses;
use crate::diff::tally::decisions::{ActionMigration, DecisionChanges, ProductMoney};
use crate::job::Action;

pub(super) fn sections(
    decisions: &DecisionChanges,
    minor_units: u32,
    limit: usize,
    detail: Detail,
) -> Vec<FindingsSection> {
    let mut sections = vec![money_moved(decisions, minor_units, detail)];
    if detail != Detail::Headlines {
        sections.push(changed_actions(decisions, minor_units, limit, detail));
    }
    sections
}

/// By product and over all; but where everything is shown, only what is not the same in both.
fn money_moved(decisions: &DecisionChanges, minor_units: u32, detail: Detail) -> FindingsSection {
    let rows = decisions.money.iter();
    let rows = rows.filter(|money| detail != Detail::Headlines || money.product.is_none());
    let rows = rows.flat_map(|money| money_rows(money, minor_units, detail == Detail::Full));
    let header = ["product", "", "left", "right", "change"];
    FindingsSection::new("money").table(&header, rows.collect())
}

/// From which action to which; but where everything is shown, those that moved most money first.
fn changed_actions(
    decisions: &DecisionChanges,
    minor_units: u32,
    limit: usize,
    detail: Detail,
) -> FindingsSection {
    let mut moved: Vec<&ActionMigration> =
        decisions.actions.iter().filter(|migration| migration.left != migration.right).collect();
    if detail != Detail::Full {
        moved.sort_by_key(|migration| Reverse((migration.change.unsigned_abs(), migration.lines)));
    }
    let on_both = moved.iter().filter(|migration| migration.left.is_some() && migration.right.is_some());
    let otherwise = decisions.changed.saturating_sub(on_both.map(|migration| migration.lines).sum());
    let rows = moved.iter().map(|migration| {
        let (left, right) = (action_name(migration.left), action_name(migration.right));
        let change = signed_money(migration.change, minor_units);
        vec![migration.product.clone(), left.into(), right.into(), count(migration.lines), change]
    });
    let header = ["product", "left", "right", "lines", "limits"];
    let section = FindingsSection::new("actions that changed").table(&header, rows.collect()).cut(limit);
    if otherwise == 0 {
        return section;
    }
    let lines = if otherwise == 1 { "1 line has".into() } else { format!("{} lines have", count(otherwise)) };
    section.say(if moved.is_empty() {
        format!("no action changed, but {lines} another limit, reason or rule")
    } else {
        format!("besides, {lines} the same action with another limit, reason or rule")
    })
}

fn action_name(action: Option<&'static str>) -> &'static str {
    action.unwrap_or("not there")
}

/// By product: left actions down, right actions across.
pub(super) fn actions(migrations: &[ActionMigration]) -> FindingsSection {
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

/// The sums of a product, or of all; those that are the same in both are left out unless `all` are wanted.
fn money_rows(sums: &ProductMoney, minor_units: u32, all: bool) -> Vec<Vec<String>> {
    let product = sums.product.as_deref().unwrap_or("all");
    let (left, right, change) = (&sums.left, &sums.right, &sums.delta);
    let rows = [
        ("raises", left.raises, right.raises, change.raises),
        ("lowers", left.lowers, right.lowers, change.lowers),
        ("limits after", left.limits, right.limits, change.limits),
        ("exposure after", left.exposure, right.exposure, change.exposure),
    ];
    let rows =
        rows.into_iter().filter(|(.., change)| all || *change != 0).map(|(what, left, right, change)| {
            let (left, right) = (money(left, minor_units), money(right, minor_units));
            vec![product.to_string(), what.to_string(), left, right, signed_money(change, minor_units)]
        });
    rows.collect()
}

/// What moved decisions and limits; but where everything is shown, without what moved nothing.
pub(super) fn causes(causes: &DecisionCauses, minor_units: u32, detail: Detail) -> Option<FindingsSection> {
    if causes.decisions == 0 && causes.change == 0 && causes.notes.is_empty() {
        return None;
    }
    let parts = causes.parts.iter().map(|part| (part.cause.as_str(), part.decisions, part.change));
    let parts = parts.filter(|part| detail == Detail::Full || (part.1, part.2) != (0, 0));
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
