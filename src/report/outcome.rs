//! What a run came to: actions, limits, reasons, rules, caps.

use std::collections::BTreeMap;

use super::figures::{Figures, LineCounts, RaiseKey, Raises};
use crate::console::{money, thousands};
use crate::html::{Bar, Cell, Section, Table, money_column, percent, scale_about_zero, scale_to};
use crate::job::{Action, Remit, Rule};
use crate::policy::{Purse, Refusal};
use crate::run_dir::PublishedRun;
use crate::run_dir::manifest::ActionTotals;

/// Every product's totals of an action; those without lines left out.
fn totals(run: &PublishedRun, product: &str, action: Action) -> Option<ActionTotals> {
    run.manifest.control_totals.actions.get(product)?.get(action.name()).copied()
}

fn change(totals: &ActionTotals) -> i128 {
    totals.new_limit - totals.old_limit
}

/// An action and its colour.
fn action_key(action: Action) -> (String, String) {
    (action.name().to_string(), format!("a-{}", action.name()))
}

/// What is refused and its colour.
fn refused_key() -> (String, String) {
    ("refused".to_string(), "refused".to_string())
}

/// Actions by product, in counts and money.
pub(super) fn actions(run: &PublishedRun) -> Section {
    let units = run.job.minor_units;
    let products = &run.manifest.control_totals.actions;
    let mut shares = Table::new(
        "What is done with the lines of each product",
        &["product", "#lines", "#adjusted", "share of its lines"],
    )
    .scale(3, vec![(0, "0 %".to_string()), (1000, "100 %".to_string())])
    .legend(Action::ALL.into_iter().filter(|action| *action != Action::Hold).map(action_key));
    for (product, actions) in products {
        let all: u64 = actions.values().map(|totals| totals.lines).sum();
        let adjusted = Action::ALL.into_iter().filter(|action| *action != Action::Hold);
        let adjusted: Vec<(Action, u64)> =
            adjusted.filter_map(|action| Some((action, totals(run, product, action)?.lines))).collect();
        let pieces: Vec<(u128, String)> = adjusted
            .iter()
            .map(|(action, lines)| (u128::from(*lines), format!("a-{}", action.name())))
            .collect();
        let words: Vec<String> =
            adjusted.iter().map(|(action, lines)| format!("{} {lines}", action.name())).collect();
        let sum: u64 = adjusted.iter().map(|(_, lines)| lines).sum();
        shares.rows.push(vec![
            Cell::text(product),
            Cell::count(all),
            Cell::number(format!("{} ({})", thousands(sum.into()), percent(sum, all))),
            Cell::bar(Bar::stacked(&pieces, all.into(), format!("{product}: {}", words.join(", ")))),
        ]);
    }
    let all = products.values().flat_map(BTreeMap::values);
    let most = all.map(|totals| change(totals).unsigned_abs()).max().unwrap_or(0);
    let [before, after, changed] = ["#limits before", "#limits after", "#change"]
        .map(|name| money_column(name, run.job.currency.as_deref()));
    let mut table = Table::new(
        "Counts and money by product and action",
        &["product", "action", "#lines", &before, &after, &changed, "change"],
    )
    .scale(6, scale_about_zero(money(-(most as i128), units), money(most as i128, units)));
    for product in products.keys() {
        for action in Action::ALL {
            let Some(totals) = totals(run, product, action) else { continue };
            let ActionTotals { lines, old_limit, new_limit, .. } = totals;
            let figures = format!("control_totals.actions.{product}.{}", action.name());
            let change = change(&totals);
            let alt = format!("{product} {}: {}", action.name(), money(change, units));
            table.rows.push(vec![
                Cell::text(product),
                Cell::text(action.name()).tone(&format!("key a-{}", action.name())),
                Cell::count(lines).figure(format!("{figures}.lines"), lines),
                Cell::money(old_limit, units).figure(format!("{figures}.old_limit"), old_limit),
                Cell::money(new_limit, units).figure(format!("{figures}.new_limit"), new_limit),
                Cell::money(change, units),
                Cell::bar(Bar::about_zero(change, most, alt)),
            ]);
        }
    }
    Section {
        id: "actions".to_string(),
        title: "Actions".to_string(),
        note: "Held lines are those whose limit and status stay as they are.".to_string(),
        tables: vec![shares, table],
        ..Section::default()
    }
}

/// Limits before and after, by product.
pub(super) fn limits(run: &PublishedRun) -> Section {
    let units = run.job.minor_units;
    let totals = &run.manifest.control_totals;
    let by_product: Vec<(&String, [i128; 2])> = totals
        .actions
        .iter()
        .map(|(product, actions)| {
            let old = actions.values().map(|totals| totals.old_limit).sum();
            let new = actions.values().map(|totals| totals.new_limit).sum();
            (product, [old, new])
        })
        .collect();
    let most = by_product.iter().flat_map(|(_, limits)| limits).map(|limit| limit.unsigned_abs()).max();
    let most = most.unwrap_or(0);
    let [limits, changed] =
        ["#limits", "#change"].map(|name| money_column(name, run.job.currency.as_deref()));
    let mut table =
        Table::new("Sums of limits before and after", &["product", "when", &limits, "limits", &changed])
            .scale(3, scale_to(money(most as i128, units)))
            .legend([("before".to_string(), "s1".to_string()), ("after".to_string(), "s4".to_string())]);
    for (product, [old, new]) in by_product {
        let [bar_before, bar_after] =
            [(old, "before", "s1"), (new, "after", "s4")].map(|(limit, when, colour)| {
                let alt = format!("{product} {when}: {}", money(limit, units));
                Cell::bar(Bar::of(limit.unsigned_abs(), most, colour, alt))
            });
        table.rows.push(vec![
            Cell::text(product),
            Cell::text("before").tone("soft"),
            Cell::money(old, units),
            bar_before,
            Cell::default(),
        ]);
        table.rows.push(vec![
            Cell::text(product).tone("soft"),
            Cell::text("after"),
            Cell::money(new, units),
            bar_after,
            Cell::money(new - old, units),
        ]);
    }
    let change = totals.new_limit_total - totals.old_limit_total;
    table.rows.push(vec![
        Cell::text("all").tone("strong"),
        Cell::text("after"),
        Cell::money(totals.new_limit_total, units).tone("strong"),
        Cell::default(),
        Cell::money(change, units).tone("strong"),
    ]);
    Section { tables: vec![table], ..Section::new("limits", "Limits") }
}

/// Reasons by frequency: those of the scores, and those of the decisions.
pub(super) fn reasons(run: &PublishedRun, figures: &Figures) -> Section {
    let job = &run.job;
    let mut sentences: BTreeMap<&str, &str> = BTreeMap::new();
    for one in job.cards().into_iter().flat_map(|card| &card.characteristics) {
        sentences.insert(&one.reason, &one.text);
        sentences.extend(one.missing_reason.iter().map(|(code, text)| (code.as_str(), text.as_str())));
    }
    let counted = by_frequency(figures.score_reasons.iter().map(|(code, accounts)| (code, *accounts)));
    let most = counted.first().map_or(0, |(_, accounts)| *accounts);
    let mut of_scores =
        Table::new("Reasons of the scores", &["reason", "#accounts", "#share", "how often", "it says"])
            .scale(3, scale_to(thousands(most.into())));
    for (code, accounts) in counted {
        let text = sentences.get(code.as_str()).copied().unwrap_or_default();
        of_scores.rows.push(vec![
            Cell::text(code),
            Cell::count(accounts),
            Cell::number(percent(accounts, figures.accounts())),
            Cell::bar(Bar::of(accounts.into(), most.into(), "s3", format!("{accounts} accounts"))),
            Cell::text(text).tone("prose"),
        ]);
    }
    let mut meanings: BTreeMap<&str, String> = BTreeMap::new();
    for rule in job.remits().into_iter().flat_map(|remit| &remit.policy.rules) {
        meanings
            .entry(&rule.reason)
            .or_insert_with(|| rule.text.clone().unwrap_or_else(|| rule.name.clone()));
    }
    for refusal in Refusal::ALL {
        meanings.insert(refusal.name(), format!("refused: {}", refusal.in_words()));
    }
    let counted = by_frequency(figures.reasons.iter().map(|(code, tally)| (code, tally.lines)));
    let most = counted.first().map_or(0, |(_, lines)| *lines);
    let mut of_decisions = Table::new(
        "Reasons of the decisions",
        &["reason", "#lines", "#of them held", "how often", "it says"],
    )
    .scale(3, scale_to(thousands(most.into())));
    for (code, lines) in counted {
        let text = meanings.get(code.as_str()).cloned().unwrap_or_default();
        of_decisions.rows.push(vec![
            Cell::text(code),
            Cell::count(lines),
            Cell::count(figures.reasons[code].held),
            Cell::bar(Bar::of(lines.into(), most.into(), "s3", format!("{lines} lines"))),
            Cell::text(text).tone("prose"),
        ]);
    }
    Section {
        id: "reasons".to_string(),
        title: "Reasons".to_string(),
        note: format!("A score gives up to {} reasons, a decision one.", job.scorecard.reasons),
        tables: vec![of_scores, of_decisions],
        ..Section::default()
    }
}

/// The most frequent first, ties by name.
fn by_frequency<'a>(all: impl Iterator<Item = (&'a String, u64)>) -> Vec<(&'a String, u64)> {
    let mut all: Vec<(&String, u64)> = all.collect();
    all.sort_by_key(|(name, count)| (std::cmp::Reverse(*count), *name));
    all
}

/// How often each rule decided, and what came of it; a section for each policy.
pub(super) fn rules(run: &PublishedRun, figures: &Figures) -> Vec<Section> {
    let remits = run.job.remits().into_iter().enumerate();
    remits.map(|(number, remit)| rules_of(number, &remit, figures)).collect()
}

fn rules_of(number: usize, remit: &Remit, figures: &Figures) -> Section {
    let rules = &remit.policy.rules;
    let count = |rule: &Rule| figures.rules.get(&(number, rule.name.clone())).copied().unwrap_or_default();
    let counts: Vec<LineCounts> = rules.iter().map(count).collect();
    let most = counts.iter().map(|counts| counts.lines).max().unwrap_or(0);
    let mut table = Table::new(
        "Lines by the rule that decided, in the policy's order",
        &["##", "rule", "action", "#lines", "#carried out", "#refused", "how often"],
    )
    .scale(6, scale_to(thousands(most.into())))
    .legend(Action::ALL.map(action_key).into_iter().chain([refused_key()]));
    for (number, (rule, LineCounts { lines, held })) in rules.iter().zip(counts.iter().copied()).enumerate() {
        let is_hold = rule.action == Action::Hold;
        let (done, refused) = if is_hold { (lines, 0) } else { (lines - held, held) };
        let pieces = [
            (u128::from(done), format!("a-{}", rule.action.name())),
            (refused.into(), "refused".to_string()),
        ];
        let alt = format!("{}: {done} carried out, {refused} refused", rule.name);
        table.rows.push(vec![
            Cell::number((number + 1).to_string()),
            Cell::text(&rule.name),
            Cell::text(rule.action.name()).tone(&format!("key a-{}", rule.action.name())),
            if lines == 0 { Cell::number("never").tone("soft") } else { Cell::count(lines) },
            Cell::count(done),
            Cell::count(refused),
            Cell::bar(Bar::stacked(&pieces, most.into(), alt)),
        ]);
    }
    let never = rules.iter().zip(&counts).filter(|(_, counts)| counts.lines == 0);
    let never: Vec<&str> = never.map(|(rule, _)| rule.name.as_str()).collect();
    let note = if never.is_empty() {
        "Every rule decided about some line.".to_string()
    } else {
        format!("{} of {} rules decided about no line: {}.", never.len(), rules.len(), never.join("; "))
    };
    let (id, title) = match remit.arm {
        None => ("rules".to_string(), "Rules".to_string()),
        Some(arm) => (format!("rules-{}", arm.name()), format!("Rules of the {}", arm.name())),
    };
    Section { id, title, note, tables: vec![table], ..Section::default() }
}

/// The caps that cut raises, and what became of those.
pub(super) fn caps(run: &PublishedRun, figures: &Figures) -> Section {
    let most = figures.caps.values().map(|tally| tally.lines).max().unwrap_or(0);
    let mut table = Table::new(
        "Raises and reopens by the cap that cut them last",
        &["product", "cap", "#lines", "#granted with less", "#refused", "how often"],
    )
    .scale(5, scale_to(thousands(most.into())))
    .legend([("granted with less".to_string(), "a-raise".to_string()), refused_key()]);
    for ((product, cap), tally) in &figures.caps {
        let granted = tally.lines - tally.held;
        let pieces =
            [(u128::from(granted), "a-raise".to_string()), (tally.held.into(), "refused".to_string())];
        let alt = format!("{product}, {cap}: {granted} granted, {} refused", tally.held);
        table.rows.push(vec![
            Cell::text(product),
            Cell::text(cap.replace('_', " ")),
            Cell::count(tally.lines),
            Cell::count(granted),
            Cell::count(tally.held),
            Cell::bar(Bar::stacked(&pieces, most.into(), alt)),
        ]);
    }
    let budget = figures.reasons.get(Refusal::Budget.name()).copied().unwrap_or_default().lines;
    let mut note = if figures.caps.is_empty() {
        "No cap cut any raise.".to_string()
    } else {
        "A raise is cut by each cap in turn; the last one that did is named.".to_string()
    };
    if budget > 0 {
        note += &format!(" {} raises were refused because the budget was used up.", thousands(budget.into()));
    }
    let caps = (!figures.caps.is_empty()).then_some(table);
    let tables = caps.into_iter().chain(budgets(run, figures)).collect();
    Section { note, tables, ..Section::new("caps", "Caps that bind") }
}

/// How much of each budget the raises took; none where the policy has no budget.
fn budgets(run: &PublishedRun, figures: &Figures) -> Option<Table> {
    let [budget, taken] = ["#budget", "#taken"].map(|name| money_column(name, run.job.currency.as_deref()));
    let mut table = Table::new(
        "Budgets of raises",
        &["budget of", &budget, "#raises", &taken, "share taken", "#refused"],
    )
    .scale(4, vec![(0, "0 %".to_string()), (1000, "100 %".to_string())]);
    for (number, remit) in run.job.remits().into_iter().enumerate() {
        for purse in Purse::all(remit.policy) {
            table.rows.push(budget_row(run, figures, number, &remit, purse));
        }
    }
    (!table.rows.is_empty()).then_some(table)
}

/// A budget of the `number`th policy of the job.
fn budget_row(
    run: &PublishedRun,
    figures: &Figures,
    number: usize,
    remit: &Remit,
    purse: Purse,
) -> Vec<Cell> {
    let (policy, units) = (remit.policy, run.job.minor_units);
    let mut sum = Raises::default();
    for (RaiseKey { product, rule, .. }, raises) in
        figures.raises.iter().filter(|(key, _)| key.policy == number)
    {
        let Some((product, rule)) = policy.product(product).zip(policy.rule(rule)) else { continue };
        if Purse::of(policy, product, rule) == Some(purse) {
            sum.granted += raises.granted;
            sum.increase += raises.increase;
            sum.refused += raises.refused;
        }
    }
    let budget = run.budget(remit.arm.unwrap_or_default(), purse);
    let owner = match remit.arm {
        None => purse.owner(policy),
        Some(arm) => format!("{}, {}", purse.owner(policy), arm.name()),
    };
    let alt = format!("{owner}: {} of {}", money(sum.increase, units), money(budget, units));
    vec![
        Cell::text(&owner),
        Cell::money(budget, units),
        Cell::count(sum.granted),
        Cell::money(sum.increase, units),
        Cell::bar(Bar::of(sum.increase.unsigned_abs(), budget.unsigned_abs(), "a-raise", alt)),
        Cell::count(sum.refused),
    ]
}
