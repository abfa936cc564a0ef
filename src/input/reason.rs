//! Why a row is left out.

use serde::{Deserialize, Serialize};

/// The reasons, in the order in which the first that holds is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RejectReason {
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

impl RejectReason {
    /// In order.
    pub const ALL: [RejectReason; 11] = [
        RejectReason::MissingAccount,
        RejectReason::MissingProduct,
        RejectReason::MissingBill,
        RejectReason::MissingDate,
        RejectReason::MissingAmount,
        RejectReason::BadAmount,
        RejectReason::BadPayment,
        RejectReason::BadStatus,
        RejectReason::AfterDelivery,
        RejectReason::DuplicateLine,
        RejectReason::DuplicateRow,
    ];

    /// As rejects.parquet writes it.
    pub fn name(self) -> &'static str {
        match self {
            RejectReason::MissingAccount => "missing_account",
            RejectReason::MissingProduct => "missing_product",
            RejectReason::MissingBill => "missing_bill",
            RejectReason::MissingDate => "missing_date",
            RejectReason::MissingAmount => "missing_amount",
            RejectReason::BadAmount => "bad_amount",
            RejectReason::BadPayment => "bad_payment",
            RejectReason::BadStatus => "bad_status",
            RejectReason::AfterDelivery => "after_delivery",
            RejectReason::DuplicateLine => "duplicate_line",
            RejectReason::DuplicateRow => "duplicate_row",
        }
    }
}
