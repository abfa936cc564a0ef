//! Whether one condition can be true only where another is, as far as `and`, `or` and `not` show.
//!
//! The conditions between those are compared as they are written: that `a > 2` is true only where `a > 0` is, is not seen.
//! So a yes is always right, and a no may be a don't-know.

use std::collections::BTreeSet;

use sqlparser::ast::{BinaryOperator, Expr as Sql, UnaryOperator};
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::Parser;

/// Longer conditions are compared by their text alone.
const MOST_BYTES: usize = 4_000;

/// Parts of which all combinations of true, false and unknown are tried: at most 2,187.
const MOST_PARTS: usize = 7;

/// How a condition is put together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Form {
    /// Something that is true, false or unknown, as written.
    Part(String),
    /// All of them.
    And(Vec<Form>),
    /// One of them.
    Or(Vec<Form>),
    /// The opposite; of unknown, unknown.
    Not(Box<Form>),
}

/// Three-valued logic: false, unknown, true.
type Truth = i8;

impl Form {
    /// Of a condition's text; none at all is always true.
    pub fn of(text: Option<&str>) -> Form {
        let Some(text) = text else { return Form::And(Vec::new()) };
        if text.len() <= MOST_BYTES
            && let Ok(mut parser) = Parser::new(&GenericDialect {}).try_with_sql(text)
            && let Ok(sql) = parser.parse_expr()
        {
            return form(&sql);
        }
        Form::Part(text.split_whitespace().collect::<Vec<_>>().join(" "))
    }

    /// Whether `other` is true wherever this is.
    pub fn implies(&self, other: &Form) -> bool {
        if self == other {
            return true;
        }
        let mut parts = BTreeSet::new();
        self.collect(&mut parts);
        other.collect(&mut parts);
        let parts: Vec<&str> = parts.into_iter().collect();
        if parts.len() > MOST_PARTS {
            return false;
        }
        let combinations = 3_usize.pow(parts.len() as u32);
        (0..combinations).all(|number| self.truth(&parts, number) < 1 || other.truth(&parts, number) == 1)
    }

    fn collect<'a>(&'a self, parts: &mut BTreeSet<&'a str>) {
        match self {
            Form::Part(text) => drop(parts.insert(text)),
            Form::And(all) | Form::Or(all) => all.iter().for_each(|one| one.collect(parts)),
            Form::Not(one) => one.collect(parts),
        }
    }

    /// What it comes to under one combination of its parts' truths: a digit of base 3 a part, false, unknown or true.
    fn truth(&self, parts: &[&str], combination: usize) -> Truth {
        match self {
            Form::Part(text) => {
                let position = parts.iter().position(|part| part == text).unwrap_or(0);
                (combination / 3_usize.pow(position as u32) % 3) as Truth - 1
            }
            Form::And(all) => all.iter().map(|one| one.truth(parts, combination)).min().unwrap_or(1),
            Form::Or(all) => all.iter().map(|one| one.truth(parts, combination)).max().unwrap_or(-1),
            Form::Not(one) => -one.truth(parts, combination),
        }
    }
}

fn form(sql: &Sql) -> Form {
    match sql {
        Sql::Nested(inner) => form(inner),
        Sql::BinaryOp { left, op: BinaryOperator::And, right } => Form::And(vec![form(left), form(right)]),
        Sql::BinaryOp { left, op: BinaryOperator::Or, right } => Form::Or(vec![form(left), form(right)]),
        Sql::UnaryOp { op: UnaryOperator::Not, expr } => Form::Not(Box::new(form(expr))),
        other => Form::Part(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_from_what() {
        for (a, b, expected) in [
            (Some("is_open"), None, true),
            (None, Some("is_open"), false),
            (Some("kind = 'a' and amount > 0"), Some("kind  =  'a'"), true),
            (Some("kind = 'a'"), Some("kind = 'a' and amount > 0"), false),
            (Some("kind = 'a'"), Some("(kind = 'a' or kind = 'b')"), true),
            (Some("not is_open and days_late = 0"), Some("not (is_open and days_late = 0)"), true),
            (Some("not (is_open and days_late = 0)"), Some("not is_open and days_late = 0"), false),
            (Some("b and a"), Some("a and b"), true),
            (Some("a"), Some("b or not b"), false),
            (Some("days_late > 2"), Some("days_late > 0"), false),
        ] {
            assert_eq!(Form::of(a).implies(&Form::of(b)), expected, "{a:?} {b:?}");
        }
    }
}
