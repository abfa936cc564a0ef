//! The shape of a checked expression: its parts, the columns it reads, how wide its integers may grow.

use std::collections::HashMap;

use super::column::Type;
use super::node::{Arithmetic, Expr, Node};
use super::scope::Scope;

/// The parts of a node.
pub(super) fn children(node: &Node) -> Vec<&Node> {
    match node {
        Node::Column(_) | Node::Nulls(_) => vec![],
        Node::Int(_) | Node::Text(_) | Node::Bool(_) | Node::Null => vec![],
        Node::Negate(a) | Node::Not(a) | Node::IsNull(a) | Node::PerCode(_, a) => vec![a],
        Node::Compare(_, a, b) => vec![a, b],
        Node::Between(a, [low, high]) => vec![a, low, high],
        Node::Arithmetic(first, steps) => {
            [&**first].into_iter().chain(steps.iter().map(|(_, b)| b)).collect()
        }
        Node::In(a, items) => [&**a].into_iter().chain(items).collect(),
        Node::And(all) | Node::Or(all) | Node::Coalesce(all) => all.iter().collect(),
        Node::Case(arms, default) => arms.iter().flat_map(|(a, b)| [a, b]).chain([&**default]).collect(),
    }
}

/// The columns a node reads, ascending.
pub(super) fn columns_of(node: &Node) -> Vec<usize> {
    let mut columns = Vec::new();
    let mut waiting = vec![node];
    while let Some(node) = waiting.pop() {
        match node {
            Node::Column(slot) | Node::Nulls(slot) => columns.push(*slot),
            node => waiting.extend(children(node)),
        }
    }
    columns.sort_unstable();
    columns.dedup();
    columns
}

impl Expr {
    /// The same over a scope in which its columns stand at other positions.
    pub fn moved(mut self, to: &dyn Fn(usize) -> usize) -> Expr {
        move_columns(&mut self.node, to);
        self.columns = columns_of(&self.node);
        self
    }
}

/// Gives every column that a node reads another position.
fn move_columns(node: &mut Node, to: &dyn Fn(usize) -> usize) {
    let all = |nodes: &mut Vec<Node>| nodes.iter_mut().for_each(|node| move_columns(node, to));
    match node {
        Node::Column(slot) | Node::Nulls(slot) => *slot = to(*slot),
        Node::Int(_) | Node::Text(_) | Node::Bool(_) | Node::Null => {}
        Node::Negate(a) | Node::Not(a) | Node::IsNull(a) => move_columns(a, to),
        Node::PerCode(slot, a) => {
            *slot = to(*slot);
            move_columns(a, to);
        }
        Node::Compare(_, a, b) => {
            move_columns(a, to);
            move_columns(b, to);
        }
        Node::Between(a, bounds) => {
            move_columns(a, to);
            bounds.iter_mut().for_each(|bound| move_columns(bound, to));
        }
        Node::Arithmetic(first, steps) => {
            move_columns(first, to);
            steps.iter_mut().for_each(|(_, node)| move_columns(node, to));
        }
        Node::In(a, items) => {
            move_columns(a, to);
            all(items);
        }
        Node::And(nodes) | Node::Or(nodes) | Node::Coalesce(nodes) => all(nodes),
        Node::Case(arms, default) => {
            for (condition, value) in arms {
                move_columns(condition, to);
                move_columns(value, to);
            }
            move_columns(default, to);
        }
    }
}

/// How many bits an integer part may need at the most.
pub(super) fn bits(node: &Node) -> u64 {
    match node {
        Node::Column(_) => 64,
        Node::Int(number) => number.bits(),
        Node::Arithmetic(first, steps) => {
            // A sum of n terms is wider than its widest by as many bits as n has.
            let mut terms = 1_u64;
            let wide = steps.iter().fold(bits(first), |wide, (op, right)| match op {
                Arithmetic::Multiply => {
                    wide.saturating_add(bits_of_terms(std::mem::replace(&mut terms, 1)) + bits(right))
                }
                _ => {
                    terms += 1;
                    wide.max(bits(right))
                }
            });
            wide.saturating_add(bits_of_terms(terms))
        }
        node => children(node).into_iter().map(bits).max().unwrap_or(0),
    }
}

fn bits_of_terms(terms: u64) -> u64 {
    u64::from(terms.ilog2()) + 1
}

/// The text column that a part reads and nothing else, if it is one.
fn text_column(node: &Node, scope: &Scope) -> Option<usize> {
    match columns_of(node)[..] {
        [slot] if scope.columns[slot].1 == Type::Text => Some(slot),
        _ => None,
    }
}

/// Wraps the largest parts that read a single text column.
pub(super) fn per_code(node: Node, scope: &Scope) -> Node {
    if matches!(node, Node::Column(_)) {
        return node;
    }
    if let Some(slot) = text_column(&node, scope) {
        return Node::PerCode(slot, Box::new(node));
    }
    let wrap = |node: Box<Node>| Box::new(per_code(*node, scope));
    let wrap_all = |all: Vec<Node>| all.into_iter().map(|node| per_code(node, scope)).collect();
    match node {
        Node::Negate(a) => Node::Negate(wrap(a)),
        Node::Not(a) => Node::Not(wrap(a)),
        Node::IsNull(a) => Node::IsNull(wrap(a)),
        Node::Arithmetic(first, steps) => {
            let steps = steps.into_iter().map(|(op, right)| (op, per_code(right, scope)));
            Node::Arithmetic(wrap(first), steps.collect())
        }
        Node::Compare(op, a, b) => Node::Compare(op, wrap(a), wrap(b)),
        Node::Between(a, bounds) => Node::Between(wrap(a), bounds.map(wrap)),
        Node::In(a, items) => Node::In(wrap(a), wrap_all(items)),
        Node::And(all) => Node::And(wrap_all(by_column(all, scope, Node::And))),
        Node::Or(all) => Node::Or(wrap_all(by_column(all, scope, Node::Or))),
        Node::Coalesce(all) => Node::Coalesce(wrap_all(all)),
        Node::Case(arms, default) => {
            let arms = arms.into_iter().map(|(a, b)| (per_code(a, scope), per_code(b, scope)));
            Node::Case(arms.collect(), wrap(default))
        }
        leaf => leaf,
    }
}

/// Puts the operands of a chain that read the same text column together, so that they are wrapped as one.
fn by_column(all: Vec<Node>, scope: &Scope, chain: fn(Vec<Node>) -> Node) -> Vec<Node> {
    let mut groups: Vec<Vec<Node>> = Vec::new();
    let mut known = HashMap::new();
    for node in all {
        let group = match text_column(&node, scope) {
            Some(column) => *known.entry(column).or_insert(groups.len()),
            None => groups.len(),
        };
        match groups.get_mut(group) {
            Some(group) => group.push(node),
            None => groups.push(vec![node]),
        }
    }
    let whole =
        groups.into_iter().map(|mut group| if group.len() == 1 { group.remove(0) } else { chain(group) });
    whole.collect()
}
