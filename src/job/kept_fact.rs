//! The facts that decisions keep only where a rule reads them.

/// A fact that decisions keep only where a rule reads it, so that a run can be decided again from itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeptFact {
    /// Since when the line has its status.
    StatusSince,
    /// The adjustment's reason that gave it.
    StatusReason,
    /// The account's score of the run before.
    PreviousScore,
    /// Its band.
    PreviousBand,
}

impl KeptFact {
    /// All of them, in the order of their columns in decisions.
    pub const ALL: [KeptFact; 4] =
        [KeptFact::StatusSince, KeptFact::StatusReason, KeptFact::PreviousScore, KeptFact::PreviousBand];

    /// As decisions call it.
    pub fn name(self) -> &'static str {
        match self {
            KeptFact::StatusSince => "status_since",
            KeptFact::StatusReason => "status_reason",
            KeptFact::PreviousScore => "previous_score",
            KeptFact::PreviousBand => "previous_band",
        }
    }

    /// Whether rules that read a name read it.
    pub(super) fn is_read_as(self, name: &str) -> bool {
        name == self.name() || self == KeptFact::StatusSince && name == "days_in_status"
    }
}
