//! What an expression demands at the least: the parts that must all be true, for lints; what must hold of
//! some columns alone, to skip rows; and the integers it holds things against, for searches.

use num_bigint::BigInt;

use super::node::{Comparison, Expr, Node};
use super::shape::children;

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

    /// A condition that reads only columns of `slots` and is true wherever this one is.
    pub fn bound_by(&self, slots: &[usize]) -> Expr {
        let node = possible(&self.node, slots);
        let columns = self.columns.iter().copied().filter(|slot| slots.contains(slot)).collect();
        Expr { text: self.text.clone(), kind: self.kind, columns, node }
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

    /// Every text that it asks a column to equal, with the column's position in the scope.
    pub fn texts_asked_for(&self) -> Vec<(usize, &str)> {
        let mut found = Vec::new();
        let mut waiting = vec![&self.node];
        while let Some(node) = waiting.pop() {
            let (left, others): (&Node, &[Node]) = match node {
                Node::Compare(Comparison::Equal, a, b) => match (&**a, &**b) {
                    (column @ Node::Column(_), text) => (column, std::slice::from_ref(text)),
                    (text, column) => (column, std::slice::from_ref(text)),
                },
                Node::In(a, items) => (a, items),
                _ => {
                    waiting.extend(children(node));
                    continue;
                }
            };
            let Node::Column(slot) = left else { continue };
            found.extend(others.iter().filter_map(|other| match other {
                Node::Text(text) => Some((*slot, text.as_str())),
                _ => None,
            }));
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Whether it is the literal `true`.
    pub fn is_always_true(&self) -> bool {
        matches!(self.node, Node::Bool(true))
    }
}

fn possible(node: &Node, slots: &[usize]) -> Node {
    match node {
        node if reads_only(node, slots) => node.clone(),
        Node::And(all) => Node::And(all.iter().map(|part| possible(part, slots)).collect()),
        Node::Or(all) => Node::Or(all.iter().map(|part| possible(part, slots)).collect()),
        Node::Between(value, [low, high]) => {
            let sides = [(Comparison::GreaterOrEqual, low), (Comparison::LessOrEqual, high)];
            let sides =
                sides.map(|(op, bound)| possible(&Node::Compare(op, value.clone(), bound.clone()), slots));
            Node::And(sides.to_vec())
        }
        _ => Node::Bool(true),
    }
}

fn reads_only(node: &Node, slots: &[usize]) -> bool {
    match node {
        Node::Column(slot) => slots.contains(slot),
        node => children(node).into_iter().all(|child| reads_only(child, slots)),
    }
}

fn collect<'a>(node: &'a Node, found: &mut Vec<Conjunct<'a>>) {
    match node {
        Node::PerCode(_, inner) => collect(inner, found),
        Node::And(all) => all.iter().for_each(|part| collect(part, found)),
        Node::Bool(false) | Node::Null | Node::Nulls(_) => found.push(Conjunct::False),
        Node::Compare(op, a, b) => found.extend(compared(*op, a, b)),
        Node::Between(value, [low, high]) => {
            found.extend(compared(Comparison::GreaterOrEqual, value, low));
            found.extend(compared(Comparison::LessOrEqual, value, high));
        }
        _ => {}
    }
}

fn compared<'a>(op: Comparison, a: &'a Node, b: &'a Node) -> Option<Conjunct<'a>> {
    match (a, b) {
        (Node::Column(slot), Node::Int(number)) => between(*slot, op, number),
        (Node::Int(number), Node::Column(slot)) => between(*slot, mirrored(op), number),
        (Node::Column(slot), Node::Text(text)) | (Node::Text(text), Node::Column(slot))
            if op == Comparison::Equal =>
        {
            Some(Conjunct::Equals(*slot, text))
        }
        _ => None,
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
