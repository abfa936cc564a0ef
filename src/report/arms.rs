//! The arms of a job with a challenger, side by side, and the segments.

use crate::console::{money, thousands};
use crate::html::{Bar, Cell, Section, Table, money_column, percent, scale_to};
use crate::job::{Action, Arm};
use crate::run_dir::PublishedRun;
use crate::run_dir::manifest::{ActionTotals, ArmTotals, ScoreTotals};
use crate::summary::mean_score;

/// Accounts, mean scores, actions and money by arm, accounts by segment; `None` where the job has neither.
pub(super) fn section(run: &PublishedRun) -> Option<Section> {
    let totals = &run.manifest.control_totals;
    let mut tables = Vec::new();
    let mut notes: Vec<String> = Vec::new();
    if let Some(challenger) = &run.job.variants.challenger {
        let arms = Arm::ALL.map(|arm| totals.arms.get(arm.name()).cloned().unwrap_or_default());
        tables.extend([accounts(&arms), actions(run, &arms)]);
        let what = match (&challenger.scorecard, &challenger.policy) {
            (Some(_), Some(_)) => "a scorecard and a policy of its own",
            (Some(_), None) => "a scorecard of its own",
            _ => "a policy of its own",
        };
        let share = crate::html::basis_points(challenger.share_bp.into());
        notes.push(format!("The challenger has {what}, for {share} of the accounts."));
    }
    if !totals.segments.is_empty() {
        tables.push(segments(run));
        notes.push(
            "A segment's accounts are scored by its own scorecard, unless the challenger has one."
                .to_string(),
        );
    }
    let note = notes.join(" ");
    let title = if run.job.variants.challenger.is_some() { "Arms" } else { "Segments" };
    (!tables.is_empty()).then(|| Section { note, tables, ..Section::new("arms", title) })
}

fn accounts(arms: &[ArmTotals; 2]) -> Table {
    let all: u64 = arms.iter().map(|arm| arm.scores.accounts).sum();
    let most = arms.iter().map(|arm| arm.scores.accounts).max().unwrap_or(0);
    let header = ["arm", "#accounts", "#share", "accounts", "#mean score", "#lines", "#adjustments"];
    let mut table = Table::new("Accounts by arm", &header).scale(3, scale_to(thousands(most.into())));
    for (number, (arm, totals)) in Arm::ALL.into_iter().zip(arms).enumerate() {
        let ScoreTotals { accounts, .. } = totals.scores;
        let lines = |is_counted: fn(&str) -> bool| -> u64 {
            let counted = totals.actions.values().flatten().filter(|(action, _)| is_counted(action));
            counted.map(|(_, totals)| totals.lines).sum()
        };
        let alt = format!("{accounts} accounts in the {}'s arm", arm.name());
        table.rows.push(vec![
            Cell::text(arm.name()).tone("strong"),
            Cell::count(accounts),
            Cell::number(percent(accounts, all)),
            Cell::bar(Bar::of(accounts.into(), most.into(), if number == 0 { "s4" } else { "s2" }, alt)),
            Cell::number(mean_score(totals.scores)),
            Cell::count(lines(|_| true)),
            Cell::count(lines(|action| action != Action::Hold.name())),
        ]);
    }
    table
}

/// By product and action, lines and money of both arms.
fn actions(run: &PublishedRun, arms: &[ArmTotals; 2]) -> Table {
    let units = run.job.minor_units;
    let changed = money_column("#change", run.job.currency.as_deref());
    let header = ["product", "action", "arm", "#lines", "#share of the arm's", &changed, "#change a line"];
    let mut table = Table::new("Lines and money by action and arm", &header);
    let products = &run.manifest.control_totals.actions;
    for (product, by_action) in products {
        for action in Action::ALL.into_iter().filter(|action| by_action.contains_key(action.name())) {
            for (arm, totals) in Arm::ALL.into_iter().zip(arms) {
                let of_product = totals.actions.get(product);
                let of_action = of_product.and_then(|actions| actions.get(action.name()));
                let ActionTotals { lines, old_limit, new_limit } = of_action.copied().unwrap_or_default();
                let all = of_product.map_or(0, |actions| actions.values().map(|one| one.lines).sum());
                let change = new_limit - old_limit;
                let mean = crate::frame::mean(change, lines, 1);
                table.rows.push(vec![
                    Cell::text(product),
                    Cell::text(action.name()).tone(&format!("key a-{}", action.name())),
                    Cell::text(arm.name()),
                    Cell::count(lines),
                    Cell::number(percent(lines, all)),
                    Cell::money(change, units),
                    Cell::number(mean.map_or("–".to_string(), |mean| money(mean, units))),
                ]);
            }
        }
    }
    table
}

fn segments(run: &PublishedRun) -> Table {
    let segments = &run.manifest.control_totals.segments;
    let all: u64 = segments.values().map(|scores| scores.accounts).sum();
    let mut table = Table::new("Accounts by segment", &["segment", "#accounts", "#share", "#mean score"]);
    for (segment, scores) in segments {
        table.rows.push(vec![
            Cell::text(segment),
            Cell::count(scores.accounts),
            Cell::number(percent(scores.accounts, all)),
            Cell::number(mean_score(*scores)),
        ]);
    }
    table
}
