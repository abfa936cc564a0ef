//! What an expression demands at the least: the parts that must all be true, for lints; and the integers
//! it holds things against, for searches.

use num_bigint::BigInt;

use super::parse::children;
use super::{Comparison, Expr, Node};

/// A part that must be true where the whole is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Conjunct<'a> {
    /// It never is.
    False,
    /// The column lies between the two, both included, where given.
    Between(usize, Option<i64>, Option<i64>),
    /// The column is this text.
    Equals(usize, &'a str),
}

impl Expr {
    /// The parts of a conjunction that say something simple; others are left out.
    pub fn conjuncts(&self) -> Vec<Conjunct<'_>> {
        let mut found = Vec::new();
        collect(&self.node, &mut found);
        found
    }

    /// Every integer in it that fits in 64 bits, as often as it stands there.
    pub fn integers(&self) -> Vec<i64> {
        let mut found = Vec::new();
        let mut waiting = vec![&self.node];
        while let Some(node) = waiting.pop() {
            if let Node::Int(number) = node {
                found.extend(i64::try_from(number.clone()));
            }
            waiting.extend(children(node));
        }
        found
    }

    /// Whether it is the literal `true`.
    pub fn is_always_true(&self) -> bool {
        matches!(self.node, Node::Bool(true))
    }
}

fn collect<'a>(node: &'a Node, found: &mut Vec<Conjunct<'a>>) {
    match node {
        Node::PerCode(_, inner) => collect(inner, found),
        Node::And(all) => all.iter().for_each(|part| collect(part, found)),
        Node::Bool(false) | Node::Null => found.push(Conjunct::False),
        Node::Compare(op, a, b) => match (&**a, &**b) {
            (Node::Column(slot), Node::Int(number)) => found.extend(between(*slot, *op, number)),
            (Node::Int(number), Node::Column(slot)) => found.extend(between(*slot, mirrored(*op), number)),
            (Node::Column(slot), Node::Text(text)) | (Node::Text(text), Node::Column(slot))
                if *op == Comparison::Equal =>
            {
                found.push(Conjunct::Equals(*slot, text));
            }
            _ => {}
        },
        _ => {}
    }
}

fn between(slot: usize, op: Comparison, number: &BigInt) -> Option<Conjunct<'static>> {
    let number = i64::try_from(number.clone()).ok()?;
    let (least, most) = match op {
        Comparison::Equal => (Some(number), Some(number)),
        Comparison::Less => (None, Some(number.checked_sub(1)?)),
        Comparison::LessOrEqual => (None, Some(number)),
        Comparison::Greater => (Some(number.checked_add(1)?), None),
        Comparison::GreaterOrEqual => (Some(number), None),
        Comparison::NotEqual => return None,
    };
    Some(Conjunct::Between(slot, least, most))
}

fn mirrored(op: Comparison) -> Comparison {
    match op {
        Comparison::Less => Comparison::Greater,
        Comparison::LessOrEqual => Comparison::GreaterOrEqual,
        Comparison::Greater => Comparison::Less,
        Comparison::GreaterOrEqual => Comparison::LessOrEqual,
        same => same,
    }
}
