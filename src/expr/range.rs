//! Between what bounds an integer expression must lie, given those of its columns; for searches.

use super::node::{Arithmetic, Expr, Node};

/// Both ends included; the ends of `i128` stand for no bound.
type Range = (i128, i128);

const ANY: Range = (i128::MIN, i128::MAX);

impl Expr {
    /// The least and the most it can be, cut to 64 bits; `of` gives those of a column. Never too narrow,
    /// often too wide.
    pub fn range(&self, of: &dyn Fn(usize) -> (i64, i64)) -> (i64, i64) {
        let (least, most) = range(&self.node, of).unwrap_or(ANY);
        let [least, most] = [least, most].map(|bound| bound.clamp(i64::MIN.into(), i64::MAX.into()) as i64);
        (least, most)
    }
}

/// `None` for a part that is always null.
fn range(node: &Node, of: &dyn Fn(usize) -> (i64, i64)) -> Option<Range> {
    match node {
        Node::Column(slot) => {
            let (least, most) = of(*slot);
            let least = if least == i64::MIN { ANY.0 } else { i128::from(least) };
            let most = if most == i64::MAX { ANY.1 } else { i128::from(most) };
            Some((least, most))
        }
        Node::Int(number) => Some(i128::try_from(number.clone()).map_or(ANY, |number| (number, number))),
        Node::Null | Node::Nulls(_) => None,
        Node::Negate(a) => {
            let (least, most) = range(a, of)?;
            Some((negated(most), negated(least)))
        }
        Node::Arithmetic(first, steps) => {
            steps.iter().try_fold(range(first, of)?, |a, (op, b)| Some(after(*op, a, range(b, of)?)))
        }
        Node::Coalesce(all) => union(all.iter(), of),
        Node::Case(arms, default) => union(arms.iter().map(|(_, then)| then).chain([&**default]), of),
        Node::PerCode(_, inner) => range(inner, of),
        _ => Some(ANY),
    }
}

fn after(op: Arithmetic, a: Range, b: Range) -> Range {
    match op {
        Arithmetic::Add => (a.0.saturating_add(b.0), a.1.saturating_add(b.1)),
        Arithmetic::Subtract => (a.0.saturating_add(negated(b.1)), a.1.saturating_add(negated(b.0))),
        Arithmetic::Multiply if a.0 >= 0 && b.0 >= 0 => (a.0.saturating_mul(b.0), a.1.saturating_mul(b.1)),
        Arithmetic::Remainder if a.0 >= 0 => (0, a.1),
        _ => ANY,
    }
}

fn union<'a>(nodes: impl Iterator<Item = &'a Node>, of: &dyn Fn(usize) -> (i64, i64)) -> Option<Range> {
    nodes.filter_map(|node| range(node, of)).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
}

/// The other side of 0; no bound stays none.
fn negated(bound: i128) -> i128 {
    match bound {
        i128::MIN => i128::MAX,
        i128::MAX => i128::MIN,
        bound => -bound,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expr::{Scope, Type};

    #[test]
    fn bounds_follow_from_those_of_the_columns() {
        let mut scope = Scope::default();
        scope.push("count", Type::Int);
        scope.push("free", Type::Int);
        let of = |slot: usize| if slot == 0 { (0, 90) } else { (i64::MIN, i64::MAX) };
        for (text, expected) in [
            ("count", (0, 90)),
            ("count + 1", (1, 91)),
            ("10 - count", (-80, 10)),
            ("-count", (-90, 0)),
            ("count * 2 + 3", (3, 183)),
            ("count % 7", (0, 90)),
            ("case when free > 3 then null else coalesce(count, 100) end", (0, 100)),
            ("free", (i64::MIN, i64::MAX)),
            ("free + 1", (i64::MIN, i64::MAX)),
            ("count * free", (i64::MIN, i64::MAX)),
        ] {
            assert_eq!(Expr::parse(text, Type::Int, &scope).unwrap().range(&of), expected, "{text}");
        }
    }
}
