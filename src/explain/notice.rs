//! The notice to the person of what was decided against them: what, from when, and why, in plain words.
//!
//! A decision is adverse where it leaves less credit (lower, suspend, close), or where a raise or a reopen
//! that the rules asked for was not made. What is withdrawn was announced, so that this is said, too, whichever
//! way it goes. The notice names no features, rules or codes: the sentences are those
//! that scorecard and policy hold for the person.

use std::cmp::Ordering;

use anyhow::Result;
use serde::Serialize;

use super::direction::worth;
use super::explanation::find;
use super::what_if::{Assessment, WhatIf};
use crate::console::{money, visible};
use crate::day::Day;
use crate::input::lines::{Pending, Status};
use crate::job::{Action, Job, Rule};
use crate::policy::{Cap, Decision, Refusal};
use crate::run_dir::PublishedRun;
use crate::score::score;

/// The notice to one person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Notice {
    /// The account.
    pub account_id: String,
    /// The day of the decisions.
    pub decided_on: Day,
    /// One a line that something adverse was decided about, or something withdrawn; none if there is none.
    pub lines: Vec<LineNotice>,
    /// The whole text, as it may be sent.
    pub text: String,
}

/// What the notice says of a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LineNotice {
    /// The line's product.
    pub product: String,
    /// What happens, in a sentence.
    pub what: String,
    /// When it takes effect; null where something is not done.
    pub effective_on: Option<Day>,
    /// Why, in sentences: the rule's own, or why a raise was not made.
    pub why: Vec<String>,
    /// The reasons of the score, where the score took part; together with `why` at most the scorecard's
    /// `reasons`.
    pub score_reasons: Vec<String>,
}

/// Writes the notice for an account.
pub fn notice(run: &PublishedRun, account: &str) -> Result<Notice> {
    let facts = find(run, account)?;
    let what_if = WhatIf::new(run, &facts)?;
    let now = what_if.as_it_is()?;
    let lines: Vec<LineNotice> =
        (0..now.decisions.len()).filter_map(|line| line_notice(&what_if, &now, line)).collect();
    let account_id = facts.lines.accounts.ids.text(0);
    let decided_on = run.manifest.as_of;
    let text = text(&account_id, decided_on, &lines);
    Ok(Notice { account_id, decided_on, lines, text })
}

fn line_notice(what_if: &WhatIf, now: &Assessment, line: usize) -> Option<LineNotice> {
    let job = &what_if.job;
    let decision = &now.decisions[line];
    let rule = decision.rule_of(&job.policy)?;
    let lines = &what_if.facts.lines;
    let product = lines.product.get(line)?.to_string();
    let pending = lines.pending[line].filter(|_| decision.action == Action::Withdraw);
    let what = match pending {
        Some(pending) => withdrawn(job, decision, &product, pending),
        None => what(job, decision, rule, &product, lines.limit[line])?,
    };
    let mut why: Vec<String> = match decision.refusal {
        Some(refusal) => vec![refused_because(refusal, decision.bound_by).to_string()],
        None => rule.text.iter().map(|text| what_if.filled(text)).collect(),
    };
    // Where nothing else speaks, the score has to.
    let is_adverse = pending.is_none_or(|pending| is_loss(decision, pending));
    let uses_score = is_adverse && (why.is_empty() || takes_score(what_if, decision, rule));
    let mut score_reasons = if uses_score { score_reasons(what_if) } else { Vec::new() };
    score_reasons.truncate(job.scorecard.reasons.saturating_sub(why.len()));
    if why.is_empty() && score_reasons.is_empty() {
        why.push("It follows from our regular review of all credit lines.".to_string());
    }
    Some(LineNotice { product, what, effective_on: decision.effective_on, why, score_reasons })
}

/// What is done, or not done, to the person's disadvantage; `None` where nothing is.
fn what(job: &Job, decision: &Decision, rule: &Rule, product: &str, old_limit: i64) -> Option<String> {
    let new_limit = money(decision.new_limit.into(), job.minor_units);
    let day = decision.effective_on.map(Day::in_words).unwrap_or_default();
    match (decision.action, rule.action, decision.refusal) {
        (Action::Lower, ..) => Some(format!(
            "On {day} the limit of your {product} line will be lowered from {} to {new_limit}.",
            money(old_limit.into(), job.minor_units),
        )),
        (Action::Suspend, ..) => Some(format!(
            "From {day} your {product} line is suspended: it cannot be used for the time being. Its limit stays at {new_limit}.",
        )),
        (Action::Close, ..) => Some(format!("On {day} your {product} line will be closed.")),
        // What is not done because it is done already, or on its way, takes nothing from anybody.
        (Action::Hold, Action::Raise | Action::Reopen, Some(Refusal::NoChange | Refusal::Pending)) => None,
        (Action::Hold, Action::Raise, Some(_)) => Some(format!(
            "We have looked at raising the limit of your {product} line and decided not to. It stays at {new_limit}.",
        )),
        (Action::Hold, Action::Reopen, Some(_)) => {
            Some(format!("We have looked at opening your {product} line again and decided not to."))
        }
        _ => None,
    }
}

/// What was to come and will not.
fn withdrawn(job: &Job, decision: &Decision, product: &str, pending: Pending) -> String {
    let limit = money(pending.limit.into(), job.minor_units);
    let planned = match (pending.status, pending.limit.cmp(&decision.new_limit)) {
        (Status::Closed, _) => "closing".to_string(),
        (Status::Suspended, _) if decision.new_status == Status::Active => "suspension".to_string(),
        (Status::Active, _) if decision.new_status != Status::Active => "reopening".to_string(),
        (_, Ordering::Less) => format!("lowering to {limit}"),
        (_, Ordering::Greater) => format!("raise to {limit}"),
        (_, Ordering::Equal) => "change".to_string(),
    };
    let stays = match decision.new_status {
        Status::Active => {
            format!("Its limit stays at {}.", money(decision.new_limit.into(), job.minor_units))
        }
        other => format!("It stays {}.", other.name()),
    };
    let day = pending.on.in_words();
    format!("The {planned} of your {product} line that was planned for {day} will not take place. {stays}")
}

/// Whether withdrawing takes something from the person.
fn is_loss(decision: &Decision, pending: Pending) -> bool {
    worth(pending.status, pending.limit) > worth(decision.new_status, decision.new_limit)
}

/// Why a raise or a reopen is not made, to the person.
fn refused_because(refusal: Refusal, bound_by: Option<Cap>) -> &'static str {
    let small = refusal == Refusal::BelowMinRaise;
    match (refusal, bound_by) {
        (Refusal::Cap | Refusal::BelowMinRaise, Some(Cap::ProductMax)) => {
            "The limit is at, or close to, the highest there is for this kind of line."
        }
        (Refusal::Cap | Refusal::BelowMinRaise, Some(Cap::BandMax)) => {
            "The limit is at, or close to, the highest we give with your present score."
        }
        (Refusal::Cap | Refusal::BelowMinRaise, Some(Cap::TotalLimit)) => {
            "All your credit with us together is at, or close to, the most we give to one person."
        }
        (Refusal::Cap | Refusal::BelowMinRaise, Some(Cap::Affordability)) => {
            "All your credit with us together is at, or close to, what we believe you can afford."
        }
        _ if small => "The raise would have been too small to be of use.",
        (Refusal::NotActive, _) => "The line is not in use at present.",
        (Refusal::RejectedLine, _) => {
            "Our record of one of your lines is incomplete and has to be put right first."
        }
        (Refusal::Cooldown, _) => {
            "The limit was changed only recently, and we leave some time between changes."
        }
        (Refusal::Budget, _) => {
            "Raises are limited in number each day, and those of the day went to higher scores."
        }
        _ => "It is not possible at present.",
    }
}

/// Whether the score had a part in the decision: the rule's condition reads it, the band's cap bound, or
/// the budget went to better scores.
fn takes_score(what_if: &WhatIf, decision: &Decision, rule: &Rule) -> bool {
    let job = &what_if.job;
    if decision.refusal.is_some() {
        return decision.bound_by == Some(Cap::BandMax) || decision.refusal == Some(Refusal::Budget);
    }
    let dimensions = job.scorecard.dimensions.iter().map(|one| one.name.as_str());
    let slots =
        ["score", "band"].into_iter().chain(dimensions).filter_map(|name| job.scopes.facts.find(name));
    slots.into_iter().any(|(slot, _)| rule.when.columns.contains(&slot))
}

/// The sentences of the reasons that the run gave for the score.
fn score_reasons(what_if: &WhatIf) -> Vec<String> {
    let card = &what_if.job.scorecard;
    let scores = score(card, &what_if.facts.features, 1);
    let mut sentences: Vec<String> = Vec::new();
    for reason in scores.reasons.iter().filter_map(|reasons| reasons[0]) {
        let characteristic = &card.characteristics[usize::from(reason.characteristic)];
        let sentence = match (&characteristic.missing_reason, reason.is_missing) {
            (Some((_, text)), true) => text,
            _ => &characteristic.text,
        };
        if !sentences.contains(sentence) {
            sentences.push(sentence.clone());
        }
    }
    sentences
}

fn text(account: &str, on: Day, lines: &[LineNotice]) -> String {
    let account = visible(account);
    if lines.is_empty() {
        return format!(
            "Nothing adverse was decided about account {account} on {}: there is nothing to give notice of.",
            on.in_words()
        );
    }
    let mut parts = vec![format!("Account {account}\n{}", on.in_words())];
    for line in lines {
        parts.push(wrap(&line.what, ""));
        let mut why = vec!["Why:".to_string()];
        why.extend(line.why.iter().map(|sentence| wrap(&ended(sentence), "  - ")));
        parts.push(why.join("\n"));
        if !line.score_reasons.is_empty() {
            let mut reasons = vec!["What weighed most against you in your score:".to_string()];
            reasons.extend(line.score_reasons.iter().map(|sentence| wrap(&ended(sentence), "  - ")));
            parts.push(reasons.join("\n"));
        }
    }
    parts.push(wrap(
        "If you think that something here is not right, please tell us: we will look into it and decide again.",
        "",
    ));
    parts.join("\n\n")
}

/// A sentence with its full stop.
fn ended(sentence: &str) -> String {
    let is_ended = sentence.ends_with(['.', '!', '?', '。', '！', '？']);
    if is_ended { sentence.to_string() } else { format!("{sentence}.") }
}

/// Lines of a bearable length; the first begins with `lead`, the others below its end.
fn wrap(text: &str, lead: &str) -> String {
    const WIDTH: usize = 78;
    let indent = " ".repeat(lead.chars().count());
    let mut lines = vec![lead.to_string()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().expect("it starts with one");
        let is_empty = line.trim_end().chars().count() <= lead.trim_end().chars().count();
        if !is_empty && line.chars().count() + 1 + word.chars().count() > WIDTH {
            lines.push(format!("{indent}{word}"));
        } else {
            if !is_empty {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines.join("\n")
}
