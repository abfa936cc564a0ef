//! Rows of the three inputs, and the Arrow columns that they are gathered in.

use std::sync::Arc;

use arrow_array::builder::{BooleanBuilder, Date32Builder, Int32Builder, Int64Builder, StringBuilder};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Schema};

/// Columns that rows are pushed to, one batch after the other.
pub trait Columns: Default {
    type Row;

    /// Column names and types.
    fn schema() -> Schema;

    fn push(&mut self, row: &Self::Row);

    /// The columns so far, in the schema's order; leaves them empty.
    fn take(&mut self) -> Vec<ArrayRef>;
}

/// The columns so far as a batch.
pub fn batch<C: Columns>(columns: &mut C, schema: &Arc<Schema>) -> RecordBatch {
    RecordBatch::try_new(Arc::clone(schema), columns.take())
        .expect("columns have the types of their schema and one length")
}

fn field(name: &str, data_type: DataType) -> Field {
    Field::new(name, data_type, true)
}

/// A row of `transactions`. What is `None` in no good row is `None` in some bad ones.
#[derive(Clone, Copy)]
pub struct TransactionRow {
    pub transaction_id: i64,
    pub account_id: Option<i64>,
    /// Days since 1970-01-01, as all dates here.
    pub posted_on: Option<i32>,
    /// The line paid with; none: own money.
    pub product: Option<&'static str>,
    pub kind: &'static str,
    pub category: Option<&'static str>,
    pub merchant_id: Option<i32>,
    /// Minor units: above zero what the kind says, below zero the same taken back (`refund`).
    pub amount: Option<i64>,
    pub online: bool,
}

/// The columns of `transactions`.
#[derive(Default)]
pub struct TransactionColumns {
    transaction_id: Int64Builder,
    account_id: Int64Builder,
    posted_on: Date32Builder,
    product: StringBuilder,
    kind: StringBuilder,
    category: StringBuilder,
    merchant_id: Int32Builder,
    amount: Int64Builder,
    online: BooleanBuilder,
}

impl Columns for TransactionColumns {
    type Row = TransactionRow;

    fn schema() -> Schema {
        Schema::new(vec![
            Field::new("transaction_id", DataType::Int64, false),
            field("account_id", DataType::Int64),
            field("posted_on", DataType::Date32),
            field("product", DataType::Utf8),
            Field::new("kind", DataType::Utf8, false),
            field("category", DataType::Utf8),
            field("merchant_id", DataType::Int32),
            field("amount", DataType::Int64),
            Field::new("online", DataType::Boolean, false),
        ])
    }

    fn push(&mut self, row: &TransactionRow) {
        self.transaction_id.append_value(row.transaction_id);
        self.account_id.append_option(row.account_id);
        self.posted_on.append_option(row.posted_on);
        self.product.append_option(row.product);
        self.kind.append_value(row.kind);
        self.category.append_option(row.category);
        self.merchant_id.append_option(row.merchant_id);
        self.amount.append_option(row.amount);
        self.online.append_value(row.online);
    }

    fn take(&mut self) -> Vec<ArrayRef> {
        vec![
            Arc::new(self.transaction_id.finish()),
            Arc::new(self.account_id.finish()),
            Arc::new(self.posted_on.finish()),
            Arc::new(self.product.finish()),
            Arc::new(self.kind.finish()),
            Arc::new(self.category.finish()),
            Arc::new(self.merchant_id.finish()),
            Arc::new(self.amount.finish()),
            Arc::new(self.online.finish()),
        ]
    }
}

/// A row of `repayments`: a bill and its terms, and a payment where `paid_on` is set.
#[derive(Clone, Copy)]
pub struct RepaymentRow {
    pub account_id: Option<i64>,
    pub product: Option<&'static str>,
    pub bill_id: Option<i64>,
    pub due_on: Option<i32>,
    /// Minor units, above zero.
    pub due_amount: Option<i64>,
    pub paid_on: Option<i32>,
    /// Minor units; below zero: an earlier payment bounced.
    pub paid_amount: Option<i64>,
}

/// The columns of `repayments`.
#[derive(Default)]
pub struct RepaymentColumns {
    account_id: Int64Builder,
    product: StringBuilder,
    bill_id: Int64Builder,
    due_on: Date32Builder,
    due_amount: Int64Builder,
    paid_on: Date32Builder,
    paid_amount: Int64Builder,
}

impl Columns for RepaymentColumns {
    type Row = RepaymentRow;

    fn schema() -> Schema {
        Schema::new(vec![
            field("account_id", DataType::Int64),
            field("product", DataType::Utf8),
            field("bill_id", DataType::Int64),
            field("due_on", DataType::Date32),
            field("due_amount", DataType::Int64),
            field("paid_on", DataType::Date32),
            field("paid_amount", DataType::Int64),
        ])
    }

    fn push(&mut self, row: &RepaymentRow) {
        self.account_id.append_option(row.account_id);
        self.product.append_option(row.product);
        self.bill_id.append_option(row.bill_id);
        self.due_on.append_option(row.due_on);
        self.due_amount.append_option(row.due_amount);
        self.paid_on.append_option(row.paid_on);
        self.paid_amount.append_option(row.paid_amount);
    }

    fn take(&mut self) -> Vec<ArrayRef> {
        vec![
            Arc::new(self.account_id.finish()),
            Arc::new(self.product.finish()),
            Arc::new(self.bill_id.finish()),
            Arc::new(self.due_on.finish()),
            Arc::new(self.due_amount.finish()),
            Arc::new(self.paid_on.finish()),
            Arc::new(self.paid_amount.finish()),
        ]
    }
}

/// A row of `lines`.
#[derive(Clone, Copy)]
pub struct LineRow {
    pub account_id: Option<i64>,
    pub product: Option<&'static str>,
    /// Minor units, as `balance`.
    pub credit_limit: Option<i64>,
    pub balance: Option<i64>,
    pub status: Option<&'static str>,
    pub opened_on: Option<i32>,
    pub increased_on: Option<i32>,
    pub decreased_on: Option<i32>,
    /// Since when, and why, the status is what it is.
    pub status_since: Option<i32>,
    pub status_reason: Option<&'static str>,
}

/// The columns of `lines`.
#[derive(Default)]
pub struct LineColumns {
    account_id: Int64Builder,
    product: StringBuilder,
    credit_limit: Int64Builder,
    balance: Int64Builder,
    status: StringBuilder,
    opened_on: Date32Builder,
    increased_on: Date32Builder,
    decreased_on: Date32Builder,
    status_since: Date32Builder,
    status_reason: StringBuilder,
}

impl Columns for LineColumns {
    type Row = LineRow;

    fn schema() -> Schema {
        Schema::new(vec![
            field("account_id", DataType::Int64),
            field("product", DataType::Utf8),
            field("credit_limit", DataType::Int64),
            field("balance", DataType::Int64),
            field("status", DataType::Utf8),
            field("opened_on", DataType::Date32),
            field("increased_on", DataType::Date32),
            field("decreased_on", DataType::Date32),
            field("status_since", DataType::Date32),
            field("status_reason", DataType::Utf8),
        ])
    }

    fn push(&mut self, row: &LineRow) {
        self.account_id.append_option(row.account_id);
        self.product.append_option(row.product);
        self.credit_limit.append_option(row.credit_limit);
        self.balance.append_option(row.balance);
        self.status.append_option(row.status);
        self.opened_on.append_option(row.opened_on);
        self.increased_on.append_option(row.increased_on);
        self.decreased_on.append_option(row.decreased_on);
        self.status_since.append_option(row.status_since);
        self.status_reason.append_option(row.status_reason);
    }

    fn take(&mut self) -> Vec<ArrayRef> {
        vec![
            Arc::new(self.account_id.finish()),
            Arc::new(self.product.finish()),
            Arc::new(self.credit_limit.finish()),
            Arc::new(self.balance.finish()),
            Arc::new(self.status.finish()),
            Arc::new(self.opened_on.finish()),
            Arc::new(self.increased_on.finish()),
            Arc::new(self.decreased_on.finish()),
            Arc::new(self.status_since.finish()),
            Arc::new(self.status_reason.finish()),
        ]
    }
}
