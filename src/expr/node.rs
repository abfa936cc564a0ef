//! A checked expression: its text, its type, and the tree that is evaluated.

use num_bigint::BigInt;

use super::column::Type;

/// A checked expression, bound to the columns of its [`Scope`](super::Scope).
#[derive(Debug, Clone)]
pub struct Expr {
    /// As written in the job file.
    pub text: String,
    /// What it yields.
    pub kind: Type,
    /// The columns it reads, ascending positions in its scope.
    pub columns: Vec<usize>,
    pub(super) node: Node,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Remainder,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Debug, Clone)]
pub(super) enum Node {
    Column(usize),
    /// A column in which every row is null: it fits any type, as a null literal does.
    Nulls(usize),
    Int(BigInt),
    Text(String),
    Bool(bool),
    Null,
    Negate(Box<Node>),
    /// A value, and what is done to it step by step.
    Arithmetic(Box<Node>, Vec<(Arithmetic, Node)>),
    Compare(Comparison, Box<Node>, Box<Node>),
    /// Whether it equals one of those.
    In(Box<Node>, Vec<Node>),
    /// Whether it lies between the two, both included.
    Between(Box<Node>, [Box<Node>; 2]),
    And(Vec<Node>),
    Or(Vec<Node>),
    Not(Box<Node>),
    IsNull(Box<Node>),
    /// The first that is not null.
    Coalesce(Vec<Node>),
    /// Conditions with their values, then the value of `else`.
    Case(Vec<(Node, Node)>, Box<Node>),
    /// A part that reads one text column and nothing else: evaluated once per dictionary code.
    PerCode(usize, Box<Node>),
}
