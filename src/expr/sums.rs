//! Whether an expression is a sum of certain columns, so that what they are measured in is what it is measured in.

use super::node::{Arithmetic, Expr, Node};

/// What a part of an expression is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Term {
    /// An integer or null, which goes with any unit.
    Number,
    /// Made of those columns.
    Sum,
    /// Something else.
    Other,
}

impl Expr {
    /// Whether it adds up, subtracts or chooses among columns (positions in its scope) for which `is_one` holds, and
    /// nothing else but integers.
    pub fn is_sum_of(&self, is_one: &dyn Fn(usize) -> bool) -> bool {
        term(&self.node, is_one) == Term::Sum
    }
}

fn term(node: &Node, is_one: &dyn Fn(usize) -> bool) -> Term {
    let any_of = |nodes: &mut dyn Iterator<Item = &Node>| {
        nodes.map(|node| term(node, is_one)).max().unwrap_or(Term::Number)
    };
    match node {
        Node::Column(column) if is_one(*column) => Term::Sum,
        Node::Int(_) | Node::Null | Node::Nulls(_) => Term::Number,
        Node::Negate(value) => term(value, is_one),
        Node::Arithmetic(first, steps) => {
            let is_added =
                |(step, _): &(Arithmetic, Node)| matches!(step, Arithmetic::Add | Arithmetic::Subtract);
            if !steps.iter().all(is_added) {
                return Term::Other;
            }
            any_of(&mut std::iter::once(&**first).chain(steps.iter().map(|(_, value)| value)))
        }
        Node::Coalesce(values) => any_of(&mut values.iter()),
        Node::Case(branches, last) => {
            any_of(&mut branches.iter().map(|(_, value)| value).chain(std::iter::once(&**last)))
        }
        _ => Term::Other,
    }
}
