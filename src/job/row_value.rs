//! What an aggregate takes of each row: a column, or an integer expression over the row.

use std::ops::Range;

use toml::Spanned;

use super::reader::Reader;
use super::statistic::{Operand, Statistic};
use crate::expr::{Expr, Scope, Type};

/// What an aggregate takes of each row, as `of` says it.
#[derive(Debug, Clone)]
pub struct RowValue {
    /// As written.
    pub text: String,
    /// Where it comes from.
    pub source: ValueSource,
    /// Name and type of the columns that it is made of, as far as it keeps their unit; of an integer, dates stand for
    /// days.
    pub terms: Vec<(String, Type)>,
}

/// Where the value of a row comes from.
#[derive(Debug, Clone)]
pub enum ValueSource {
    /// A column, by its position in the scope.
    Column(usize),
    /// Computed from columns of the row; an integer.
    Expression(Expr),
}

impl ValueSource {
    /// The positions in the scope of the columns that are read.
    pub fn columns(&self) -> &[usize] {
        match self {
            ValueSource::Column(slot) => std::slice::from_ref(slot),
            ValueSource::Expression(expr) => &expr.columns,
        }
    }

    /// Whether both come to the same on every row.
    pub fn is_same(&self, other: &ValueSource) -> bool {
        match (self, other) {
            (ValueSource::Column(own), ValueSource::Column(slot)) => own == slot,
            (ValueSource::Expression(own), ValueSource::Expression(expr)) => own.text == expr.text,
            _ => false,
        }
    }
}

/// Resolves `of`: `Some(None)` where the statistic takes none, `None` where it is wrong. `place` is the feature's.
pub(super) fn resolve(
    reader: &mut Reader,
    of: Option<&Spanned<String>>,
    statistic: Statistic,
    place: Range<usize>,
    scope: &Scope,
) -> Option<Option<RowValue>> {
    let operand = statistic.operand();
    let Some(of) = of else {
        if operand == Operand::None {
            return Some(None);
        }
        reader.error(place, "the feature does not say which column it is `of`", None);
        return None;
    };
    if operand == Operand::None {
        reader.error(of.span(), "this `agg` counts rows or dates: it takes no `of`", None);
        return None;
    }
    let text = of.get_ref().clone();
    match scope.find(&text) {
        Some((_, kind)) if operand == Operand::Integer && kind.unify(Type::Int).is_none() => {
            let message = format!("`{text}` is a {} column; this `agg` takes integers", kind.name());
            reader.error(of.span(), message, None);
            None
        }
        Some((slot, kind)) => {
            let terms = vec![(text.clone(), kind)];
            Some(Some(RowValue { text, source: ValueSource::Column(slot), terms }))
        }
        // There is no input to read it from, so any column will do; its name may be any text.
        None if scope.open && (is_a_name(&text) || Expr::parse(&text, Type::Int, scope).is_err()) => {
            let terms = vec![(text.clone(), Type::Any)];
            Some(Some(RowValue { text, source: ValueSource::Column(0), terms }))
        }
        None if is_a_name(&text) => {
            reader.unknown_name("column", of, scope.names());
            None
        }
        None => {
            let expr = reader.expression(of, Type::Int, scope)?;
            let terms = expr.terms().unwrap_or_default().into_iter().map(|slot| scope.columns[slot].clone());
            let terms = terms.collect();
            Some(Some(RowValue { text, source: ValueSource::Expression(expr), terms }))
        }
    }
}

/// Whether it can only be meant as a column's name.
pub(super) fn is_a_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_alphabetic() || first == '_')
        && text.chars().all(|c| c.is_alphanumeric() || c == '_')
}
