//! Sums and products in 128 bits: a statement with its integer columns cast where they are added up or multiplied.
//!
//! polars adds 64-bit integers without a look at whether the sum fits, and it cannot group or join by wider ones. So
//! columns stay as they are, but for those within a `sum`; within other arithmetic only where that might run over.

use std::ops::ControlFlow;

use sqlparser::ast::{
    BinaryOperator, CastKind, DataType, Expr, Ident, Statement as Sql, UnaryOperator, Value, ValueWithSpan,
    VisitMut, VisitorMut,
};

/// What is known of the numbers that a statement computes with.
pub(super) struct Known<'a> {
    /// Columns that hold integers.
    pub integers: Vec<&'a str>,
    /// Columns of any other type.
    pub others: Vec<&'a str>,
    /// No value of a column is farther from zero.
    pub farthest: u128,
    /// No table has more rows.
    pub most_rows: u128,
}

/// Whether a statement could run over 64 bits where nothing can be done about it: `Err` is the name that it adds up.
pub(super) fn widen(statement: &mut Sql, known: &Known) -> Result<bool, String> {
    let mut counted = ArithmeticCount::default();
    let _ = statement.visit(&mut counted);
    let farthest = known.farthest.max(counted.largest_literal).max(known.most_rows).max(1);
    let of_a_row =
        farthest.saturating_pow(counted.products + 1).saturating_mul(u128::from(counted.additions) + 1);
    let mut widening =
        Widening { known, depth: 0, sums: 0, is_tight: fits(of_a_row), has_changed: false, derived: None };
    let _ = statement.visit(&mut widening);
    let of_all = of_a_row.saturating_mul(known.most_rows.max(1).saturating_pow(counted.relations.max(1)));
    match widening.derived {
        Some(name) if !fits(of_all) => Err(name),
        _ => Ok(widening.has_changed),
    }
}

fn fits(bound: u128) -> bool {
    bound <= u128::from(i64::MAX.unsigned_abs())
}

/// How much a statement computes.
#[derive(Default)]
struct ArithmeticCount {
    products: u32,
    additions: u32,
    relations: u32,
    largest_literal: u128,
}

impl VisitorMut for ArithmeticCount {
    type Break = ();

    fn pre_visit_relation(&mut self, _: &mut sqlparser::ast::ObjectName) -> ControlFlow<()> {
        self.relations += 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        match expr {
            Expr::BinaryOp { op: BinaryOperator::Multiply, .. } => self.products += 1,
            Expr::BinaryOp { op: BinaryOperator::Plus | BinaryOperator::Minus, .. } => self.additions += 1,
            // A power is as many products as anybody writes.
            Expr::Function(function) if is_named(&function.name.to_string(), &["pow", "power"]) => {
                self.products += 16
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_value(&mut self, value: &mut ValueWithSpan) -> ControlFlow<()> {
        if let Value::Number(digits, _) = &value.value {
            let whole = digits.split(['.', 'e', 'E']).next().unwrap_or_default();
            self.largest_literal = self.largest_literal.max(whole.parse().unwrap_or(0));
        }
        ControlFlow::Continue(())
    }
}

fn is_named(function: &str, names: &[&str]) -> bool {
    names.iter().any(|name| function.eq_ignore_ascii_case(name))
}

/// Casts integer columns where they are added up.
struct Widening<'k> {
    known: &'k Known<'k>,
    /// Arithmetic around what is visited.
    depth: u32,
    /// Sums around it.
    sums: u32,
    /// Whether no arithmetic of a row can run over.
    is_tight: bool,
    has_changed: bool,
    /// A name within a sum that is no column of a table.
    derived: Option<String>,
}

enum Around {
    Sum,
    Arithmetic,
    Nothing,
}

fn around(expr: &Expr) -> Around {
    match expr {
        Expr::Function(function) => match function.name.to_string() {
            name if is_named(&name, &["sum"]) => Around::Sum,
            name if is_named(&name, &["abs", "pow", "power"]) => Around::Arithmetic,
            _ => Around::Nothing,
        },
        Expr::BinaryOp {
            op: BinaryOperator::Plus | BinaryOperator::Minus | BinaryOperator::Multiply,
            ..
        }
        | Expr::UnaryOp { op: UnaryOperator::Minus, .. } => Around::Arithmetic,
        _ => Around::Nothing,
    }
}

impl VisitorMut for Widening<'_> {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        match around(expr) {
            Around::Sum => self.sums += 1,
            Around::Arithmetic => self.depth += 1,
            Around::Nothing => {}
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        match around(expr) {
            Around::Sum => self.sums -= 1,
            Around::Arithmetic => self.depth -= 1,
            Around::Nothing => self.widen(expr),
        }
        ControlFlow::Continue(())
    }
}

impl Widening<'_> {
    fn widen(&mut self, expr: &mut Expr) {
        let is_added = self.sums > 0 || (self.depth > 0 && !self.is_tight);
        let Some(name) = column(expr).filter(|_| is_added) else { return };
        let is_other = self.known.others.contains(&name.as_str());
        if self.known.integers.contains(&name.as_str()) && !is_other {
            let own = std::mem::replace(expr, Expr::Identifier(Ident::new("")));
            *expr = Expr::Cast {
                kind: CastKind::Cast,
                expr: Box::new(own),
                data_type: DataType::Int128,
                format: None,
            };
            self.has_changed = true;
        } else if !is_other {
            self.derived.get_or_insert(name);
        }
    }
}

/// The name of a column, with or without its table's.
fn column(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Identifier(name) => Some(name.value.clone()),
        Expr::CompoundIdentifier(names) => names.last().map(|name| name.value.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use sqlparser::dialect::GenericDialect;
    use sqlparser::parser::Parser;

    use super::*;

    fn widened(text: &str, farthest: u128) -> Result<String, String> {
        let mut statement = Parser::parse_sql(&GenericDialect {}, text).unwrap().remove(0);
        let known = Known {
            integers: vec!["score", "balance"],
            others: vec!["band"],
            farthest,
            most_rows: 1_000_000,
        };
        widen(&mut statement, &known).map(|_| statement.to_string())
    }

    #[test]
    fn what_is_added_up_is_of_128_bits() {
        for (text, expected) in [
            (
                "SELECT sum(balance) FROM scores GROUP BY score",
                "SELECT sum(CAST(balance AS Int128)) FROM scores GROUP BY score",
            ),
            ("SELECT score FROM scores WHERE score > 5", "SELECT score FROM scores WHERE score > 5"),
            ("SELECT score + 1 FROM scores", "SELECT score + 1 FROM scores"),
            (
                "SELECT sum(s.score / 2.0) FROM scores s",
                "SELECT sum(CAST(s.score AS Int128) / 2.0) FROM scores s",
            ),
            (
                "SELECT sum(CASE WHEN band = 'a' THEN 1 END) FROM scores",
                "SELECT sum(CASE WHEN band = 'a' THEN 1 END) FROM scores",
            ),
        ] {
            assert_eq!(widened(text, 1_000), Ok(expected.to_string()));
        }
        let text = "SELECT score * balance FROM scores";
        assert_eq!(widened(text, 1_000), Ok(text.to_string()));
        let wide = "SELECT CAST(score AS Int128) * CAST(balance AS Int128) FROM scores";
        assert_eq!(widened(text, 10_000_000_000), Ok(wide.to_string()));
    }

    #[test]
    fn a_name_made_in_the_statement_is_refused_where_its_sum_might_not_fit() {
        let text = "SELECT sum(b) FROM (SELECT balance AS b FROM scores) AS t";
        assert_eq!(widened(text, 1_000), Ok(text.to_string()));
        assert_eq!(widened(text, 1 << 60), Err("b".to_string()));
    }
}
