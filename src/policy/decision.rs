//! What is decided about a line, why it is refused, and what cuts it.

use crate::day::Day;
use crate::input::lines::{Lines, Status};
use crate::job::{Action, Policy, Rule};

/// Why an action is not carried out, in order of precedence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Refusal {
    /// The policy does not declare the line's product.
    NoProduct,
    /// No rule's condition is true.
    NoRule,
    /// The action needs a line in another status.
    NotActive,
    /// It would change nothing.
    NoChange,
    /// An earlier adjustment is still to take effect.
    Pending,
    /// The snapshot holds a rejected row of the account.
    RejectedLine,
    /// The limit changed too recently.
    Cooldown,
    /// A cap leaves no room for a raise.
    Cap,
    /// The limit is already as low as it may be.
    Floor,
    /// The raise is too small to be worth making.
    BelowMinRaise,
    /// The run's raises of the product have used up their budget.
    Budget,
}

impl Refusal {
    /// As decisions write it.
    pub fn name(self) -> &'static str {
        match self {
            Refusal::NoProduct => "no_product",
            Refusal::NoRule => "no_rule",
            Refusal::NotActive => "not_active",
            Refusal::NoChange => "no_change",
            Refusal::Pending => "pending",
            Refusal::RejectedLine => "rejected_line",
            Refusal::Cooldown => "cooldown",
            Refusal::Cap => "cap",
            Refusal::Floor => "floor",
            Refusal::BelowMinRaise => "below_min_raise",
            Refusal::Budget => "budget",
        }
    }
}

impl Refusal {
    /// All of them, in order of precedence.
    pub const ALL: [Refusal; 11] = [
        Refusal::NoProduct,
        Refusal::NoRule,
        Refusal::NotActive,
        Refusal::NoChange,
        Refusal::Pending,
        Refusal::RejectedLine,
        Refusal::Cooldown,
        Refusal::Cap,
        Refusal::Floor,
        Refusal::BelowMinRaise,
        Refusal::Budget,
    ];

    /// For whoever looks after the book.
    pub fn in_words(self) -> &'static str {
        match self {
            Refusal::NoProduct => "the policy does not declare the product",
            Refusal::NoRule => "no rule is true",
            Refusal::NotActive => "the line is not in a status that allows it",
            Refusal::NoChange => "it would change nothing",
            Refusal::Pending => "an earlier adjustment is still to take effect",
            Refusal::RejectedLine => "the snapshot holds a rejected row of the account",
            Refusal::Cooldown => "the limit changed too recently",
            Refusal::Cap => "a cap leaves no room for a raise",
            Refusal::Floor => "the limit is already as low as it may be",
            Refusal::BelowMinRaise => "the raise would be too small to be worth making",
            Refusal::Budget => "the raises of better scores have used up the budget",
        }
    }
}

/// What can cut a raise, in the order in which they are applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cap {
    /// The product's highest limit.
    ProductMax,
    /// The product's highest limit for the band.
    BandMax,
    /// The account's exposure over all lines.
    TotalLimit,
    /// The account's exposure as a multiple of a feature.
    Affordability,
}

impl Cap {
    /// As decisions write it.
    pub fn name(self) -> &'static str {
        match self {
            Cap::ProductMax => "product_max",
            Cap::BandMax => "band_max",
            Cap::TotalLimit => "total_limit",
            Cap::Affordability => "affordability",
        }
    }
}

/// What is decided about a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision {
    /// What happens.
    pub action: Action,
    /// Why the rule's action does not happen; `None` gives the rule's own reason.
    pub refusal: Option<Refusal>,
    /// Position of the rule; `None` if none applied.
    pub rule: Option<u16>,
    /// Minor units; the old one on hold.
    pub new_limit: i64,
    /// The old one on hold.
    pub new_status: Status,
    /// The cap that cut last.
    pub bound_by: Option<Cap>,
    /// `None` on hold.
    pub effective_on: Option<Day>,
}

impl Decision {
    /// A decision that changes nothing.
    pub fn hold(lines: &Lines, line: usize, rule: Option<u16>, refusal: Option<Refusal>) -> Decision {
        Decision {
            action: Action::Hold,
            refusal,
            rule,
            new_limit: lines.limit[line],
            new_status: lines.status[line],
            bound_by: None,
            effective_on: None,
        }
    }

    /// The rule that decided, if one applied.
    pub fn rule_of<'p>(&self, policy: &'p Policy) -> Option<&'p Rule> {
        self.rule.map(|rule| &policy.rules[usize::from(rule)])
    }

    /// The code: why the rule's action does not happen, else the rule's own.
    pub fn reason<'p>(&self, policy: &'p Policy) -> &'p str {
        match self.refusal {
            Some(refusal) => refusal.name(),
            None => &self.rule_of(policy).expect("an action has a rule").reason,
        }
    }
}
