//! The columns that the contract names: of each input, of what is made of a line, of scores.

use crate::expr::Type;

/// The columns of lines that the contract names, in the order every scope over lines starts with.
pub const LINE_COLUMNS: [(&str, Type); 10] = [
    ("account_id", Type::Any),
    ("product", Type::Text),
    ("credit_limit", Type::Int),
    ("balance", Type::Int),
    ("status", Type::Text),
    ("opened_on", Type::Date),
    ("increased_on", Type::Date),
    ("decreased_on", Type::Date),
    ("status_since", Type::Date),
    ("status_reason", Type::Text),
];

/// The positions of those columns in every scope over lines.
pub mod line_slots {
    /// Whose line it is.
    pub const ACCOUNT: usize = 0;
    /// Which product.
    pub const PRODUCT: usize = 1;
    /// Minor units.
    pub const CREDIT_LIMIT: usize = 2;
    /// Minor units.
    pub const BALANCE: usize = 3;
    /// What can be done with it.
    pub const STATUS: usize = 4;
    /// When it was opened.
    pub const OPENED_ON: usize = 5;
    /// When the limit last went up.
    pub const INCREASED_ON: usize = 6;
    /// When it last went down.
    pub const DECREASED_ON: usize = 7;
    /// Since when it has its status.
    pub const STATUS_SINCE: usize = 8;
    /// Why it has its status.
    pub const STATUS_REASON: usize = 9;
}

/// Those of them that a delivery may lack.
pub const OPTIONAL_LINE_COLUMNS: [&str; 4] =
    ["increased_on", "decreased_on", "status_since", "status_reason"];

/// The columns of transactions that the contract names.
pub const TRANSACTION_COLUMNS: [(&str, Type); 3] =
    [("account_id", Type::Any), ("posted_on", Type::Date), ("amount", Type::Int)];

/// The columns of repayments that the contract names.
pub const REPAYMENT_COLUMNS: [(&str, Type); 7] = [
    ("account_id", Type::Any),
    ("product", Type::Text),
    ("bill_id", Type::Any),
    ("due_on", Type::Date),
    ("due_amount", Type::Int),
    ("paid_on", Type::Date),
    ("paid_amount", Type::Int),
];

/// The columns of a bill, in the order of the bills scope.
pub const BILL_COLUMNS: [(&str, Type); 10] = [
    ("product", Type::Text),
    ("bill_id", Type::Any),
    ("due_on", Type::Date),
    ("due_amount", Type::Int),
    ("paid", Type::Int),
    ("settled_on", Type::Date),
    ("is_open", Type::Bool),
    ("days_late", Type::Int),
    ("outstanding", Type::Int),
    ("is_due", Type::Bool),
];

/// The position of the column that says whether a bill is due: features that name it see bills that are not, too.
pub const BILL_IS_DUE: usize = BILL_COLUMNS.len() - 1;

/// What a line's own features see besides its columns.
pub const LINE_STATE: [(&str, Type); 3] =
    [("days_open", Type::Int), ("is_pending", Type::Bool), ("pending_limit", Type::Int)];

/// What a rule sees of a line besides that.
pub const LINE_HISTORY: [(&str, Type); 3] =
    [("days_since_increase", Type::Int), ("days_since_decrease", Type::Int), ("days_in_status", Type::Int)];

/// What is known of an account's score before its dimensions and features: the columns that the scores
/// scope begins with.
pub const SCORE_COLUMNS: [(&str, Type); 4] = [
    ("score", Type::Int),
    ("band", Type::Text),
    ("previous_score", Type::Int),
    ("previous_band", Type::Text),
];

/// What scores say besides where a job has segments.
pub const SEGMENT_COLUMNS: [(&str, Type); 1] = [("segment", Type::Text)];

/// What they say besides where it has a challenger.
pub const ARM_COLUMNS: [(&str, Type); 3] =
    [("arm", Type::Text), ("champion_score", Type::Int), ("challenger_score", Type::Int)];
