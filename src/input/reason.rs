//! Why a row is left out.

use serde::{Deserialize, Serialize};

/// The reasons, in the order in which the first that holds is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// `account_id` null or empty.
    MissingAccount,
    /// `product` null or empty.
    MissingProduct,
    /// `bill_id` null or empty.
    MissingBill,
    /// A date that must be there is null.
    MissingDate,
    /// An amount that must be there is null.
    MissingAmount,
    /// `due_amount` ≤ 0, `credit_limit` < 0.
    BadAmount,
    /// Paid without a date, or dated without an amount.
    BadPayment,
    /// `status` null or unknown.
    BadStatus,
    /// A date after the delivery's.
    AfterDelivery,
    /// The snapshot names the line more than once.
    DuplicateLine,
    /// An earlier row has the same `unique` value.
    DuplicateRow,
}

impl Reason {
    /// In order.
    pub const ALL: [Reason; 11] = [
        Reason::MissingAccount,
        Reason::MissingProduct,
        Reason::MissingBill,
        Reason::MissingDate,
        Reason::MissingAmount,
        Reason::BadAmount,
        Reason::BadPayment,
        Reason::BadStatus,
        Reason::AfterDelivery,
        Reason::DuplicateLine,
        Reason::DuplicateRow,
    ];

    /// As rejects.parquet writes it.
    pub fn name(self) -> &'static str {
        match self {
            Reason::MissingAccount => "missing_account",
            Reason::MissingProduct => "missing_product",
            Reason::MissingBill => "missing_bill",
            Reason::MissingDate => "missing_date",
            Reason::MissingAmount => "missing_amount",
            Reason::BadAmount => "bad_amount",
            Reason::BadPayment => "bad_payment",
            Reason::BadStatus => "bad_status",
            Reason::AfterDelivery => "after_delivery",
            Reason::DuplicateLine => "duplicate_line",
            Reason::DuplicateRow => "duplicate_row",
        }
    }
}
