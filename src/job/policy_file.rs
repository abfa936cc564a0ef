//! The policy file: products, caps, cool-downs and the rules that decide about lines.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;
use toml::Spanned;
use toml::de::DeValue;

use super::columns::{LINE_COLUMNS, LINE_STATE, line_slots};
use super::decision_column::DecisionColumn;
use super::letter::blanks;
use super::reader::Reader;
use super::scopes::Scopes;
use super::scorecard_file::{Band, Model};
use crate::expr::{Expr, Type};

/// Everything that decides about a line once its account has a score.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// In the order in which raises are given headroom.
    pub products: Vec<Product>,
    /// The most one account may owe or draw over all its lines, minor units.
    pub max_total_limit: Option<i64>,
    /// The same as a multiple of a feature.
    pub affordability: Option<Affordability>,
    /// How long a limit rests after a change.
    pub cooldown: Cooldown,
    /// The first whose condition is true decides.
    pub rules: Vec<Rule>,
    /// The columns that decisions keep only because rules read them, in their order.
    pub kept_columns: Vec<DecisionColumn>,
    /// Positions in the lines scope of the extra columns that rules read.
    pub extra_columns: Vec<usize>,
}

impl Policy {
    /// The position of the product of a name, if it is declared.
    pub fn product(&self, name: &str) -> Option<u8> {
        self.products.iter().position(|product| product.name == name).map(|position| position as u8)
    }

    /// The position of the rule of a name.
    pub fn rule(&self, name: &str) -> Option<u16> {
        self.rules.iter().position(|rule| rule.name == name).map(|position| position as u16)
    }

    /// Positions in the lines scope of the contract's columns that decisions keep because rules read them.
    pub fn kept_of_lines(&self) -> impl Iterator<Item = usize> {
        self.kept_columns.iter().filter_map(|column| match column {
            DecisionColumn::StatusSince => Some(line_slots::STATUS_SINCE),
            DecisionColumn::StatusReason => Some(line_slots::STATUS_REASON),
            _ => None,
        })
    }
}

/// A kind of credit line.
#[derive(Debug, Clone, Default)]
pub struct Product {
    /// As the lines call it.
    pub name: String,
    /// A lowered limit does not go below this, minor units.
    pub min_limit: i64,
    /// A raised limit does not go above this, minor units.
    pub max_limit: i64,
    /// Limits are multiples of this, minor units, at least 1.
    pub step: i64,
    /// The least a raise must add, minor units.
    pub min_raise: i64,
    /// The highest limit by position of the band, minor units.
    pub band_max: Vec<Option<i64>>,
    /// What the raises of a run that no rule pays for may add up to.
    pub raise_budget: Option<Budget>,
}

/// What raises of a run may add up to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Budget {
    /// Minor units.
    Amount(i64),
    /// Basis points of the limits of the accepted lines that it is for.
    Bp(i64),
}

impl Budget {
    /// In minor units, truncated. `limits` is the sum of those of the lines that it is for.
    pub fn amount(self, limits: i128) -> i128 {
        match self {
            Budget::Amount(amount) => amount.into(),
            // What does not fit is more than all raises of a book can add up to.
            Budget::Bp(bp) => limits.saturating_mul(bp.into()) / 10_000,
        }
    }
}

/// exposure ≤ feature × bp ÷ 10000, truncated; null or negative features make it 0.
#[derive(Debug, Clone, Copy)]
pub struct Affordability {
    /// Position among the features.
    pub feature: usize,
    /// Basis points.
    pub bp: i64,
}

/// Days between changes of one line's limit; 0 is no wait.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Cooldown {
    /// From a raise to the next.
    pub raise_after_raise_days: u32,
    /// From a lowering to a raise.
    pub raise_after_lower_days: u32,
    /// From a lowering to the next.
    pub lower_after_lower_days: u32,
}

/// A condition and what to do where it is true.
#[derive(Debug, Clone)]
pub struct Rule {
    /// As decisions call it.
    pub name: String,
    /// Positions of the products it applies to; `None` is all.
    pub products: Option<Vec<usize>>,
    /// What must be true of the line.
    pub when: Expr,
    /// What it does.
    pub action: Action,
    /// Reason code of the decision.
    pub reason: String,
    /// The reason as the person it concerns may read it.
    pub text: Option<String>,
    /// Days from the as-of date until it takes effect.
    pub notice_days: u32,
    /// Raise, lower: to where. Reopen: the new limit, if it changes.
    pub amount: Option<Amount>,
    /// Lower only.
    pub never_below_balance: bool,
    /// Raise only: what its raises are granted from instead of their product's budget.
    pub budget: Option<Budget>,
}

impl Rule {
    /// Whether it applies to the product at a position.
    pub fn is_for(&self, product: u8) -> bool {
        self.products.as_ref().is_none_or(|own| own.contains(&usize::from(product)))
    }
}

/// What a rule asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// A higher limit.
    Raise,
    /// A lower limit.
    Lower,
    /// No new drawings; the limit is kept.
    Suspend,
    /// No line; the limit becomes 0.
    Close,
    /// Active again.
    Reopen,
    /// What is pending will not happen.
    Withdraw,
    /// Nothing.
    Hold,
}

impl Action {
    /// As decisions write it.
    pub fn name(self) -> &'static str {
        match self {
            Action::Raise => "raise",
            Action::Lower => "lower",
            Action::Suspend => "suspend",
            Action::Close => "close",
            Action::Reopen => "reopen",
            Action::Withdraw => "withdraw",
            Action::Hold => "hold",
        }
    }

    /// The action of a name.
    pub fn parse(name: &str) -> Option<Action> {
        Action::ALL.into_iter().find(|action| action.name() == name)
    }

    /// All of them, in the order in which summaries list them.
    pub const ALL: [Action; 7] = [
        Action::Raise,
        Action::Lower,
        Action::Suspend,
        Action::Close,
        Action::Reopen,
        Action::Withdraw,
        Action::Hold,
    ];
}

/// How a target limit is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Amount {
    /// old ± trunc(old × percent ÷ 100).
    Percent(i64),
    /// old ± this, minor units.
    By(i64),
    /// This, minor units.
    To(i64),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawProduct {
    name: Spanned<String>,
    min_limit: Spanned<i64>,
    max_limit: Spanned<i64>,
    step: Spanned<i64>,
    min_raise: Option<Spanned<i64>>,
    #[serde(default)]
    band_max: BTreeMap<Spanned<String>, Spanned<i64>>,
    raise_budget: Option<Spanned<i64>>,
    raise_budget_bp: Option<Spanned<i64>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct RawAccount {
    max_total_limit: Option<Spanned<i64>>,
    affordability: Option<RawAffordability>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAffordability {
    feature: Spanned<String>,
    bp: Spanned<i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRule {
    name: Spanned<String>,
    products: Option<Spanned<Vec<Spanned<String>>>>,
    when: Spanned<String>,
    action: Spanned<Action>,
    reason: Spanned<String>,
    text: Option<Spanned<String>>,
    notice_days: Option<Spanned<u32>>,
    percent: Option<Spanned<i64>>,
    by: Option<Spanned<i64>>,
    to: Option<Spanned<i64>>,
    never_below_balance: Option<Spanned<bool>>,
    budget: Option<Spanned<i64>>,
    budget_bp: Option<Spanned<i64>>,
}

/// What is left of the file once its tables are taken out: nothing, so that all else is unknown.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "the names are there to be told")]
struct PolicyRest {
    product: Option<IgnoredAny>,
    account: Option<IgnoredAny>,
    cooldown: Option<IgnoredAny>,
    rule: Option<IgnoredAny>,
}

/// Positions of products are kept in a byte.
const MOST_PRODUCTS: usize = 255;

/// More than anybody can read.
const MOST_RULES: usize = 2_000;

/// Ten years: no notice is longer, and effective dates stay within the calendar.
const LONGEST_NOTICE_DAYS: u32 = 3653;

pub(super) fn read(reader: &mut Reader, scopes: &Scopes, model: &Model) -> Policy {
    let mut top = reader.top();
    let products = reader.tables(&mut top, "product", MOST_PRODUCTS);
    let rules = reader.tables(&mut top, "rule", MOST_RULES);
    let account = reader.take_key::<RawAccount>(&mut top, "account");
    let cooldown = reader.take_key::<Cooldown>(&mut top, "cooldown");
    let span = top.span();
    reader.take::<PolicyRest>(Spanned::new(span, DeValue::Table(top.into_inner())));
    let mut policy =
        Policy { cooldown: cooldown.map(Spanned::into_inner).unwrap_or_default(), ..Policy::default() };
    for raw in products {
        let name = raw.get_ref().get("name").and_then(|name| name.get_ref().as_str().map(str::to_string));
        let product = match reader.take(raw).map(Spanned::into_inner) {
            Some(raw) => Some(product_of(reader, raw, &model.scorecard.bands, &policy.products)),
            // It is declared, if badly: rules that name it are not to blame.
            None => name.map(|name| Product { name, ..Product::default() }),
        };
        policy.products.extend(product);
    }
    if let Some(account) = account {
        read_account(reader, account.into_inner(), model, &mut policy);
    }
    for raw in rules {
        let rule = reader.take::<RawRule>(raw);
        if let Some(text) = rule.as_ref().and_then(|raw| raw.get_ref().text.as_ref()) {
            check_blanks(reader, text, model);
        }
        let rule = rule.and_then(|raw| rule_of(reader, raw, scopes, &policy));
        policy.rules.extend(rule);
    }
    let mut read: Vec<usize> = policy.rules.iter().flat_map(|rule| rule.when.columns.clone()).collect();
    read.sort_unstable();
    read.dedup();
    let kept = DecisionColumn::ALL.into_iter().filter(|column| {
        column.is_on_demand() && read.iter().any(|slot| column.is_read_as(&scopes.facts.columns[*slot].0))
    });
    policy.kept_columns = kept.collect();
    let extra = LINE_COLUMNS.len()..scopes.lines.columns.len() - LINE_STATE.len();
    policy.extra_columns = extra.filter(|slot| read.binary_search(slot).is_ok()).collect();
    for slot in &policy.extra_columns {
        let name = &scopes.lines.columns[*slot].0;
        if DecisionColumn::named(name).is_some() {
            let message = format!("a rule reads the lines' own column `{name}`, but decisions have one, too");
            let help = format!("give it another name: [rename.lines] line_{name} = \"{name}\"");
            reader.error(0..0, message, Some(help));
        }
    }
    policy
}

/// Notes where an amount is less than it may be.
fn at_least(reader: &mut Reader, least: i64, what: &str, value: &Spanned<i64>) -> i64 {
    if *value.get_ref() < least {
        reader.error(value.span(), format!("{what} is at least {least}"), None);
    }
    *value.get_ref()
}

fn product_of(reader: &mut Reader, raw: RawProduct, bands: &[Band], above: &[Product]) -> Product {
    let name = raw.name.get_ref().clone();
    if above.iter().any(|product| product.name == name) {
        reader.error(raw.name.span(), format!("there are two products `{name}`"), None);
    }
    let min_limit = at_least(reader, 0, "min_limit", &raw.min_limit);
    let max_limit = at_least(reader, 0, "max_limit", &raw.max_limit);
    if max_limit < min_limit {
        reader.error(raw.max_limit.span(), "max_limit is less than min_limit", None);
    }
    let mut band_max = vec![None; bands.len()];
    for (band, most) in &raw.band_max {
        match bands.iter().position(|known| known.name == *band.get_ref()) {
            Some(position) => band_max[position] = Some(at_least(reader, 0, "band_max", most)),
            None => reader.unknown_name("band", band, bands.iter().map(|band| band.name.as_str())),
        }
    }
    Product {
        name,
        min_limit,
        max_limit,
        step: at_least(reader, 1, "step", &raw.step),
        min_raise: raw.min_raise.as_ref().map_or(0, |value| at_least(reader, 0, "min_raise", value)),
        band_max,
        raise_budget: budget(
            reader,
            ("raise_budget", &raw.raise_budget),
            ("raise_budget_bp", &raw.raise_budget_bp),
        ),
    }
}

/// A budget that is given as an amount or in basis points.
fn budget(
    reader: &mut Reader,
    (amount_key, amount): (&str, &Option<Spanned<i64>>),
    (bp_key, bp): (&str, &Option<Spanned<i64>>),
) -> Option<Budget> {
    let of_amount = amount.as_ref().map(|value| Budget::Amount(at_least(reader, 0, amount_key, value)));
    let of_bp = bp.as_ref().map(|value| Budget::Bp(at_least(reader, 0, bp_key, value)));
    if let (Some(_), Some(bp)) = (amount, bp) {
        reader.error(bp.span(), format!("give {amount_key} or {bp_key}, not both"), None);
    }
    of_amount.or(of_bp)
}

fn read_account(reader: &mut Reader, raw: RawAccount, model: &Model, policy: &mut Policy) {
    policy.max_total_limit =
        raw.max_total_limit.as_ref().map(|value| at_least(reader, 0, "max_total_limit", value));
    if let Some(raw) = raw.affordability {
        let bp = at_least(reader, 0, "bp", &raw.bp);
        match model.features.iter().position(|feature| feature.name == *raw.feature.get_ref()) {
            Some(feature) => policy.affordability = Some(Affordability { feature, bp }),
            None if model.incomplete => {}
            None => {
                let names = model.features.iter().map(|feature| feature.name.as_str());
                reader.unknown_name("feature", &raw.feature, names);
            }
        }
    }
}

/// What a text puts in must be features.
fn check_blanks(reader: &mut Reader, text: &Spanned<String>, model: &Model) {
    let names = model.features.iter().map(|feature| feature.name.as_str());
    for blank in blanks(text.get_ref()) {
        if !model.incomplete && !names.clone().any(|name| name == blank.feature) {
            let name = Spanned::new(text.span(), blank.feature.to_string());
            reader.unknown_name("feature", &name, names.clone());
        }
    }
}

fn rule_of(reader: &mut Reader, raw: Spanned<RawRule>, scopes: &Scopes, policy: &Policy) -> Option<Rule> {
    let place = raw.span();
    let raw = raw.into_inner();
    let name = raw.name.get_ref().clone();
    if policy.rules.iter().any(|rule| rule.name == name) {
        reader.error(raw.name.span(), format!("there are two rules `{name}`"), None);
    }
    let products = raw.products.as_ref().map(|names| {
        let mut positions = Vec::new();
        for name in names.get_ref() {
            match policy.products.iter().position(|product| product.name == *name.get_ref()) {
                Some(position) => positions.push(position),
                None => {
                    reader.unknown_name("product", name, policy.products.iter().map(|p| p.name.as_str()));
                }
            }
        }
        positions
    });
    let amount = amount_of(reader, &raw, place);
    let action = *raw.action.get_ref();
    if let (true, Some(flag)) = (action != Action::Lower, &raw.never_below_balance) {
        reader.error(flag.span(), "never_below_balance goes with `lower`", None);
    }
    let budget = budget(reader, ("budget", &raw.budget), ("budget_bp", &raw.budget_bp));
    for (key, value) in [("budget", &raw.budget), ("budget_bp", &raw.budget_bp)] {
        if let (true, Some(value)) = (action != Action::Raise, value) {
            reader.error(value.span(), format!("`{key}` goes with `raise`"), None);
        }
    }
    let notice_days = raw.notice_days.as_ref().map_or(0, |days| *days.get_ref());
    if let (Action::Withdraw, Some(days)) = (action, &raw.notice_days) {
        reader.error(days.span(), "a withdraw takes effect at once: it has no notice_days", None);
    }
    if let Some(days) = raw.notice_days.as_ref().filter(|_| notice_days > LONGEST_NOTICE_DAYS) {
        reader.error(days.span(), format!("notice is of at most {LONGEST_NOTICE_DAYS} days"), None);
    }
    Some(Rule {
        name,
        products,
        when: reader.expression(&raw.when, Type::Bool, &scopes.facts)?,
        action,
        reason: raw.reason.into_inner(),
        text: raw.text.map(Spanned::into_inner),
        notice_days,
        amount,
        never_below_balance: raw.never_below_balance.is_some_and(Spanned::into_inner),
        budget,
    })
}

fn amount_of(reader: &mut Reader, raw: &RawRule, place: std::ops::Range<usize>) -> Option<Amount> {
    let mut given = Vec::new();
    let mut take = |name: &'static str, value: &Option<Spanned<i64>>, least, make: fn(i64) -> Amount| {
        if let Some(value) = value {
            given.push((name, value.span(), make(at_least(reader, least, name, value))));
        }
    };
    take("percent", &raw.percent, 1, Amount::Percent);
    take("by", &raw.by, 1, Amount::By);
    take("to", &raw.to, 0, Amount::To);
    match (raw.action.get_ref(), &given[..]) {
        (Action::Raise | Action::Lower, [(_, _, amount)]) => Some(*amount),
        (Action::Raise | Action::Lower, _) => {
            let message = format!("a {} has exactly one of percent, by, to", raw.action.get_ref().name());
            reader.error(place, message, None);
            None
        }
        (Action::Reopen, [("to", _, amount)]) => Some(*amount),
        (_, []) => None,
        (action, [(name, span, _), ..]) => {
            let message = format!("`{name}` does not go with `{}`", action.name());
            reader.error(span.clone(), message, None);
            None
        }
    }
}
