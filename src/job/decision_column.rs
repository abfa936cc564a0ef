//! The columns of a decision, once for all: tables, gates, reading back and scopes follow this list.

use crate::expr::Type;

/// A column of decisions.parquet after `account_id`, in the order in which they stand there. Extra columns of
/// lines that rules read follow them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DecisionColumn {
    /// The line's product.
    Product,
    /// What happens.
    Action,
    /// The code: the rule's own, or why its action does not happen.
    Reason,
    /// The rule that decided; null where none applied.
    Rule,
    /// Minor units.
    OldLimit,
    /// Minor units; the old one on hold.
    NewLimit,
    /// Before.
    OldStatus,
    /// After; the old one on hold.
    NewStatus,
    /// The cap that cut last; null where none did.
    BoundBy,
    /// Null on hold.
    EffectiveOn,
    /// Of the account.
    Score,
    /// Of the account.
    Band,
    /// Minor units.
    Balance,
    /// From `opened_on` to the as-of date.
    DaysOpen,
    /// Null where the limit was never raised.
    DaysSinceIncrease,
    /// Null where it was never lowered.
    DaysSinceDecrease,
    /// Minor units; null where no earlier adjustment is still to take effect.
    PendingLimit,
    /// Likewise.
    PendingStatus,
    /// Likewise.
    PendingOn,
    /// Since when the line has its status.
    StatusSince,
    /// The adjustment's reason that gave it.
    StatusReason,
    /// The account's score of the run before.
    PreviousScore,
    /// Its band.
    PreviousBand,
    /// Of the account, of a job with a challenger.
    Arm,
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ColumnSpec {
    /// As tables and expressions call it.
    pub name: &'static str,
    /// The type.
    pub kind: Type,
    /// Whether it may be null.
    pub nullable: bool,
}

impl DecisionColumn {
    /// All of them.
    pub const ALL: [DecisionColumn; 24] = [
        DecisionColumn::Product,
        DecisionColumn::Action,
        DecisionColumn::Reason,
        DecisionColumn::Rule,
        DecisionColumn::OldLimit,
        DecisionColumn::NewLimit,
        DecisionColumn::OldStatus,
        DecisionColumn::NewStatus,
        DecisionColumn::BoundBy,
        DecisionColumn::EffectiveOn,
        DecisionColumn::Score,
        DecisionColumn::Band,
        DecisionColumn::Balance,
        DecisionColumn::DaysOpen,
        DecisionColumn::DaysSinceIncrease,
        DecisionColumn::DaysSinceDecrease,
        DecisionColumn::PendingLimit,
        DecisionColumn::PendingStatus,
        DecisionColumn::PendingOn,
        DecisionColumn::StatusSince,
        DecisionColumn::StatusReason,
        DecisionColumn::PreviousScore,
        DecisionColumn::PreviousBand,
        DecisionColumn::Arm,
    ];

    /// Its name, its type, and whether it may be null.
    pub fn spec(self) -> ColumnSpec {
        let always = |name, kind| ColumnSpec { name, kind, nullable: false };
        let or_null = |name, kind| ColumnSpec { name, kind, nullable: true };
        match self {
            DecisionColumn::Product => always("product", Type::Text),
            DecisionColumn::Action => always("action", Type::Text),
            DecisionColumn::Reason => always("reason", Type::Text),
            DecisionColumn::Rule => or_null("rule", Type::Text),
            DecisionColumn::OldLimit => always("old_limit", Type::Int),
            DecisionColumn::NewLimit => always("new_limit", Type::Int),
            DecisionColumn::OldStatus => always("old_status", Type::Text),
            DecisionColumn::NewStatus => always("new_status", Type::Text),
            DecisionColumn::BoundBy => or_null("bound_by", Type::Text),
            DecisionColumn::EffectiveOn => or_null("effective_on", Type::Date),
            DecisionColumn::Score => always("score", Type::Int),
            DecisionColumn::Band => always("band", Type::Text),
            DecisionColumn::Balance => always("balance", Type::Int),
            DecisionColumn::DaysOpen => always("days_open", Type::Int),
            DecisionColumn::DaysSinceIncrease => or_null("days_since_increase", Type::Int),
            DecisionColumn::DaysSinceDecrease => or_null("days_since_decrease", Type::Int),
            DecisionColumn::PendingLimit => or_null("pending_limit", Type::Int),
            DecisionColumn::PendingStatus => or_null("pending_status", Type::Text),
            DecisionColumn::PendingOn => or_null("pending_on", Type::Date),
            DecisionColumn::StatusSince => or_null("status_since", Type::Date),
            DecisionColumn::StatusReason => or_null("status_reason", Type::Text),
            DecisionColumn::PreviousScore => or_null("previous_score", Type::Int),
            DecisionColumn::PreviousBand => or_null("previous_band", Type::Text),
            DecisionColumn::Arm => always("arm", Type::Text),
        }
    }

    /// As tables and expressions call it.
    pub fn name(self) -> &'static str {
        self.spec().name
    }

    /// The column of a name, if decisions have one.
    pub fn named(name: &str) -> Option<DecisionColumn> {
        DecisionColumn::ALL.into_iter().find(|column| column.name() == name)
    }

    /// Whether it is money, in minor units.
    pub fn is_money(self) -> bool {
        matches!(
            self,
            DecisionColumn::OldLimit
                | DecisionColumn::NewLimit
                | DecisionColumn::Balance
                | DecisionColumn::PendingLimit
        )
    }

    /// Whether decisions keep it only where a rule reads it, or where there are arms, so that a run can be decided again
    /// from itself.
    pub fn is_on_demand(self) -> bool {
        matches!(
            self,
            DecisionColumn::StatusSince
                | DecisionColumn::StatusReason
                | DecisionColumn::PreviousScore
                | DecisionColumn::PreviousBand
                | DecisionColumn::Arm
        )
    }

    /// Whether it is the account's, of whose scores it comes.
    pub fn is_of_score(self) -> bool {
        matches!(
            self,
            DecisionColumn::Score
                | DecisionColumn::Band
                | DecisionColumn::PreviousScore
                | DecisionColumn::PreviousBand
                | DecisionColumn::Arm
        )
    }

    /// Whether a run whose rules read a name keeps it for that.
    pub(super) fn is_read_as(self, name: &str) -> bool {
        name == self.name() || self == DecisionColumn::StatusSince && name == "days_in_status"
    }
}
