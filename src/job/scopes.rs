//! The names each kind of expression may use: the contract's columns, and extra ones of the inputs.

use super::columns::{
    BILL_COLUMNS, LINE_COLUMNS, LINE_HISTORY, LINE_STATE, REPAYMENT_COLUMNS, SCORE_COLUMNS,
    TRANSACTION_COLUMNS,
};
use crate::expr::{Scope, Type};

/// The columns of a file by contract name; `Err` names the type of one that no expression can take.
pub type FileColumns = Vec<(String, Result<Type, String>)>;

/// The columns of each input, as far as a file could be opened.
#[derive(Debug, Default, Clone)]
pub struct InputColumns {
    /// Of transactions; `None` where no file could be looked at.
    pub transactions: Option<FileColumns>,
    /// Of repayments.
    pub repayments: Option<FileColumns>,
    /// Of lines.
    pub lines: Option<FileColumns>,
    /// Whether lines had columns besides those, of which nothing is known any more.
    pub lines_had_more: bool,
}

/// The names each kind of expression may use.
#[derive(Debug, Clone)]
pub struct Scopes {
    /// Columns of a transaction.
    pub transactions: Scope,
    /// Columns of a bill.
    pub bills: Scope,
    /// Whether there are repayments, and so bills.
    pub has_repayments: bool,
    /// Columns of a line, as `lines` features see them.
    pub lines: Scope,
    /// Columns of a repayment row; only `unique` names extra ones.
    pub repayments: Scope,
    /// What a rule's `when` sees.
    pub facts: Scope,
    /// What a gate on `scores` sees.
    pub scores: Scope,
    /// What a gate on `decisions` sees.
    pub decisions: Scope,
}

impl Scopes {
    /// The type of account ids.
    pub fn account_kind(&self) -> Type {
        self.lines.columns[0].1
    }
}

fn scope_of(contract: &[(&str, Type)], found: Option<&FileColumns>) -> Scope {
    let mut scope = Scope { open: found.is_none(), ..Scope::default() };
    for (name, kind) in contract {
        let seen = found.and_then(|found| found.iter().find(|(column, _)| column == name));
        let kind = match (kind, seen) {
            (Type::Any, Some((_, Ok(kind @ (Type::Int | Type::Text))))) => *kind,
            _ => *kind,
        };
        scope.push(*name, kind);
    }
    for (name, kind) in found.into_iter().flatten() {
        match kind {
            Ok(kind) if scope.find(name).is_none() => scope.push(name, *kind),
            Ok(_) => {}
            Err(found) => scope.unusable.push((name.clone(), found.clone())),
        }
    }
    scope
}

/// The scopes over the inputs' columns; those of scores and decisions follow from the scorecard and the policy.
pub(super) fn input_scopes(columns: &InputColumns) -> Scopes {
    let repayments = scope_of(&REPAYMENT_COLUMNS, columns.repayments.as_ref());
    let mut bills = scope_of(&BILL_COLUMNS, Some(&Vec::new()));
    bills.columns[1].1 = repayments.columns[2].1;
    let mut lines = scope_of(&LINE_COLUMNS, columns.lines.as_ref());
    lines.open |= columns.lines_had_more;
    // What the program makes of a line has its name to itself: an extra column of that name is not seen.
    let made = LINE_STATE.iter().chain(&LINE_HISTORY).chain(&SCORE_COLUMNS).map(|(name, _)| *name);
    let made: Vec<&str> = made.collect();
    lines.columns.retain(|(name, _)| !made.contains(&name.as_str()));
    let mut facts = lines.clone();
    LINE_STATE.iter().for_each(|(name, kind)| lines.push(*name, *kind));
    LINE_STATE.iter().chain(&LINE_HISTORY).for_each(|(name, kind)| facts.push(*name, *kind));
    Scopes {
        transactions: scope_of(&TRANSACTION_COLUMNS, columns.transactions.as_ref()),
        bills,
        has_repayments: true,
        lines,
        repayments,
        facts,
        scores: Scope::default(),
        decisions: Scope::default(),
    }
}
