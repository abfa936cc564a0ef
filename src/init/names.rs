//! What columns are called elsewhere: other words for the names here, and the short forms of those words.

use crate::job::input_names::{LINES, REPAYMENTS, TRANSACTIONS};

/// Words of names, each with the forms that systems write it in.
const FORMS: [(&str, &[&str]); 16] = [
    ("account", &["account", "acct", "acc", "acnt"]),
    ("customer", &["customer", "cust", "client", "borrower", "party", "member", "user", "cif"]),
    ("ID", &["id", "no", "num", "number", "nbr", "nr", "key", "code", "cd", "ref", ""]),
    ("DATE", &["date", "dt", "dte", "on", "at", "day", "time", "timestamp", "ts"]),
    ("amount", &["amount", "amt"]),
    ("MINOR", &["", "minor", "minorunits", "cents", "fen"]),
    ("balance", &["balance", "bal"]),
    ("limit", &["limit", "lmt", "lim"]),
    ("product", &["product", "prod", "prd"]),
    ("bill", &["bill", "invoice", "inv", "instalment", "installment", "inst", "statement", "stmt"]),
    ("transaction", &["transaction", "txn", "tran", "trans", "trx", "tx"]),
    ("posted", &["posted", "posting", "post", "booking", "booked"]),
    ("payment", &["payment", "pmt", "pymt", "repayment"]),
    ("paid", &["paid", "repaid"]),
    ("outstanding", &["outstanding", "outst", "os"]),
    ("STATUS", &["status", "stat", "sts"]),
];

/// What may stand before the name of a column of an input.
fn prefixes(input: &str) -> &'static [&'static str] {
    match input {
        TRANSACTIONS => &["", "transaction", "txn", "tran", "trans", "trx", "tx"],
        REPAYMENTS => &["", "repayment", "bill", "loan", "payment", "pmt", "instalment", "installment"],
        _ => &["", "line", "facility", "account", "acct", "loan", "card", "product"],
    }
}

/// Other names of a column, the nearest first: names of one group say as much as each other.
fn synonyms(input: &str, column: &str) -> &'static [&'static [&'static str]] {
    match (input, column) {
        (_, "account_id") => &[&[
            "account ID",
            "customer ID",
            "zhanghao",
            "zhanghuhao",
            "kehuhao",
            "kehu ID",
            "yonghu ID",
            "账号",
            "账户号",
            "客户号",
            "客户编号",
            "用户编号",
        ]],
        (TRANSACTIONS, "posted_on") => &[
            &["posted DATE", "jizhangriqi", "jizhangri", "记账日期", "入账日期"],
            &[
                "transaction DATE",
                "DATE",
                "business DATE",
                "jiaoyiriqi",
                "jiaoyishijian",
                "交易日期",
                "交易时间",
            ],
            &["value DATE", "created DATE", "event DATE"],
        ],
        (TRANSACTIONS, "amount") => &[&[
            "amount MINOR",
            "transaction amount MINOR",
            "posted amount MINOR",
            "amount posted",
            "jine",
            "jiaoyijine",
            "金额",
            "交易金额",
        ]],
        (_, "product") => &[&[
            "product ID",
            "product type",
            "product name",
            "scheme ID",
            "chanpin",
            "chanpindaima",
            "产品",
            "产品代码",
        ]],
        (_, "bill_id") => &[&["bill ID", "zhangdanhao", "zhangdan ID", "账单号", "账单编号"]],
        (_, "due_on") => &[&[
            "due DATE",
            "payment due DATE",
            "bill due DATE",
            "yinghuanriqi",
            "yinghuanri",
            "huankuanri",
            "应还日期",
            "还款日",
            "到期日",
        ]],
        (_, "due_amount") => &[&[
            "due amount MINOR",
            "amount due MINOR",
            "bill amount MINOR",
            "scheduled amount MINOR",
            "total due MINOR",
            "yinghuanjine",
            "应还金额",
        ]],
        (_, "paid_on") => {
            &[&["paid DATE", "DATE paid", "payment DATE", "shihuanriqi", "shihuanri", "实还日期", "还款日期"]]
        }
        (_, "paid_amount") => &[&[
            "paid amount MINOR",
            "amount paid MINOR",
            "payment amount MINOR",
            "shihuanjine",
            "实还金额",
            "还款金额",
        ]],
        (_, "credit_limit") => &[&[
            "credit limit MINOR",
            "limit MINOR",
            "limit amount MINOR",
            "approved limit MINOR",
            "cr limit MINOR",
            "edu",
            "xinyongedu",
            "shouxinedu",
            "额度",
            "信用额度",
            "授信额度",
        ]],
        (_, "balance") => &[
            &[
                "balance MINOR",
                "current balance MINOR",
                "curr balance MINOR",
                "outstanding balance MINOR",
                "outstanding MINOR",
                "outstanding amount MINOR",
                "yue",
                "余额",
                "当前余额",
            ],
            &["used amount MINOR", "drawn amount MINOR", "utilised amount MINOR", "utilized amount MINOR"],
        ],
        (_, "status") => &[&["STATUS", "STATUS code", "zhuangtai", "状态"]],
        (_, "opened_on") => &[&[
            "opened DATE",
            "open DATE",
            "opening DATE",
            "DATE opened",
            "origination DATE",
            "kaihuriqi",
            "开户日期",
        ]],
        (_, "increased_on") => &[&[
            "increased DATE",
            "increase DATE",
            "last increase DATE",
            "last limit increase DATE",
            "limit increased DATE",
        ]],
        (_, "decreased_on") => &[&[
            "decreased DATE",
            "decrease DATE",
            "last decrease DATE",
            "last limit decrease DATE",
            "limit decreased DATE",
        ]],
        (_, "status_since") => {
            &[&["status since", "STATUS DATE", "STATUS changed DATE", "STATUS change DATE"]]
        }
        (_, "status_reason") => &[&["STATUS reason", "STATUS reason code"]],
        _ => &[],
    }
}

/// How near a name comes to that of a column of an input: 0 is nearest; `None` where it says something else.
pub(super) fn nearness(input: &str, column: &str, name: &str) -> Option<usize> {
    let name = joined(name);
    synonyms(input, column)
        .iter()
        .position(|group| group.iter().any(|synonym| is_form(input, synonym, &name)))
}

/// A name as its letters and digits, so that `CustNo`, `cust_no` and `CUST-NO` are one.
fn joined(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn is_form(input: &str, synonym: &str, name: &str) -> bool {
    let words: Vec<&str> = synonym.split(' ').collect();
    prefixes(input).iter().any(|prefix| {
        let Some(rest) = name.strip_prefix(prefix) else { return false };
        // What is left of a prefix must still say what the column is: `account` alone is no `ID`.
        !rest.is_empty() && consists_of(rest, &words)
    })
}

/// Whether a name is made of a form of each word, in order.
fn consists_of(name: &str, words: &[&str]) -> bool {
    let Some((first, rest)) = words.split_first() else { return name.is_empty() };
    let forms =
        FORMS.iter().find(|(word, _)| word == first).map_or(std::slice::from_ref(first), |(_, forms)| forms);
    forms.iter().any(|form| name.strip_prefix(form).is_some_and(|left| consists_of(left, rest)))
}

/// What a column of a contract name is, for who is asked which of theirs it is.
pub(super) fn meaning(input: &str, column: &str) -> &'static str {
    match (input, column) {
        (_, "account_id") => "whose it is",
        (TRANSACTIONS, "posted_on") => "the date it was posted",
        (TRANSACTIONS, "amount") => "its amount",
        (_, "product") => "which product the line is of",
        (_, "bill_id") => "which bill or instalment the row is of",
        (_, "due_on") => "when the bill is due",
        (_, "due_amount") => "what is due",
        (_, "paid_on") => "when it was paid, null where the row is no payment",
        (_, "paid_amount") => "what was paid",
        (LINES, "credit_limit") => "the line's limit",
        (LINES, "balance") => "what is drawn",
        (LINES, "status") => "active, suspended or closed",
        (LINES, "opened_on") => "when the line was opened",
        _ => "an optional column",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_other_systems_are_known() {
        for (input, column, name) in [
            (TRANSACTIONS, "account_id", "CustNo"),
            (TRANSACTIONS, "account_id", "ACCT_NBR"),
            (TRANSACTIONS, "account_id", "customerId"),
            (TRANSACTIONS, "account_id", "KeHuHao"),
            (TRANSACTIONS, "account_id", "客户号"),
            (TRANSACTIONS, "posted_on", "PostingDate"),
            (TRANSACTIONS, "posted_on", "txn_dt"),
            (TRANSACTIONS, "amount", "TXN_AMT"),
            (TRANSACTIONS, "amount", "amount_cents"),
            (REPAYMENTS, "bill_id", "invoiceNumber"),
            (REPAYMENTS, "due_on", "due_date"),
            (REPAYMENTS, "due_amount", "AmtDue"),
            (REPAYMENTS, "paid_on", "payment_date"),
            (REPAYMENTS, "paid_amount", "paidAmt"),
            (LINES, "credit_limit", "creditLimit"),
            (LINES, "credit_limit", "LMT_AMT"),
            (LINES, "balance", "CurrBal"),
            (LINES, "status", "acct_status"),
            (LINES, "opened_on", "OpenDate"),
            (LINES, "product", "prod_cd"),
            (LINES, "increased_on", "last_increase_date"),
        ] {
            assert!(nearness(input, column, name).is_some(), "{input} {column} {name}");
        }
    }

    #[test]
    fn other_names_say_something_else() {
        for (input, column, name) in [
            (TRANSACTIONS, "account_id", "merchant_id"),
            (TRANSACTIONS, "account_id", "transaction_id"),
            (TRANSACTIONS, "amount", "fee_amount"),
            (TRANSACTIONS, "posted_on", "expiry_date"),
            (REPAYMENTS, "due_amount", "paid_amount"),
            (REPAYMENTS, "paid_on", "due_date"),
            (LINES, "balance", "credit_limit"),
            (LINES, "opened_on", "closed_date"),
        ] {
            assert_eq!(nearness(input, column, name), None, "{input} {column} {name}");
        }
        let (near, far) = (
            nearness(TRANSACTIONS, "posted_on", "post_date"),
            nearness(TRANSACTIONS, "posted_on", "value_date"),
        );
        assert!(near < far);
    }
}
