//! The expression language of the job files: SQL's grammar, integers only, three-valued logic.

mod bind;
pub mod column;
mod conjuncts;
mod evaluate;
mod implies;
mod parse;
mod range;
mod shape;

use std::ops::Range;

use num_bigint::BigInt;

pub use column::{Column, Ints, Texts, Type};
pub use conjuncts::Conjunct;
pub use evaluate::{Frame, Truths};
pub use implies::Form;

/// The names an expression may use, in the order of the frame's columns.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    /// Name and type of each column.
    pub columns: Vec<(String, Type)>,
    /// Whether unknown names are let through, because the input that would tell could not be read.
    pub open: bool,
    /// Columns there are, but of a type that no expression takes, with that type.
    pub unusable: Vec<(String, String)>,
}

impl Scope {
    /// The position and type of a column.
    pub fn find(&self, name: &str) -> Option<(usize, Type)> {
        let slot = self.columns.iter().position(|(known, _)| known == name)?;
        Some((slot, self.columns[slot].1))
    }

    /// Adds a column at the end.
    pub fn push(&mut self, name: impl Into<String>, kind: Type) {
        self.columns.push((name.into(), kind));
    }

    /// The names, for "did you mean".
    pub fn names(&self) -> impl Iterator<Item = &str> + Clone {
        self.columns.iter().map(|(name, _)| name.as_str())
    }
}

/// What is wrong with an expression, and where in its text.
#[derive(Debug, Clone)]
pub struct ExprError {
    /// Bytes of the expression's text; empty where only the whole can be pointed at.
    pub range: Range<usize>,
    /// One sentence.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
}

/// A checked expression, bound to the columns of its [`Scope`].
#[derive(Debug, Clone)]
pub struct Expr {
    /// As written in the job file.
    pub text: String,
    /// What it yields.
    pub kind: Type,
    /// The columns it reads, ascending positions in its scope.
    pub columns: Vec<usize>,
    node: Node,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Remainder,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Debug, Clone)]
enum Node {
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

impl Expr {
    /// Parses and checks an expression that must be of type `wanted`.
    pub fn parse(text: &str, wanted: Type, scope: &Scope) -> Result<Expr, Vec<ExprError>> {
        parse::parse(text, wanted, scope)
    }
}
