//! From SQL's syntax tree to a checked expression: names, types and what is not taken.

use std::collections::HashMap;
use std::ops::Range;

use num_bigint::BigInt;
use sqlparser::ast::{
    BinaryOperator as Op, DataType, Expr as Sql, Function, FunctionArg, FunctionArgExpr, FunctionArguments,
    Ident, Spanned, UnaryOperator, Value,
};

use super::column::Type;
use super::dates::{DATES, arithmetic_type};
use super::mistake::{ExprError, GRAMMAR, MOST_LEVELS, offset, too_deep};
use super::node::{Arithmetic, Comparison, Expr, Node};
use super::scope::Scope;
use super::shape::{bits, columns_of, per_code};
use crate::day::Day;
use crate::suggest::{listing, near_miss};

/// More mistakes of one expression help nobody.
const MOST_ERRORS: usize = 20;

/// Products of products grow without end.
const MOST_BITS: u64 = 4096;

/// Binds a syntax tree to the columns of a scope.
pub(super) fn bind(text: &str, sql: &Sql, wanted: Type, scope: &Scope) -> Result<Expr, Vec<ExprError>> {
    let mut binder =
        Binder { text, scope, known: HashMap::new(), may_be_text: false, level: 0, errors: Vec::new() };
    let (node, kind) = binder.bind(sql);
    let whole = 0..text.len();
    if wanted.unify(kind).is_none() {
        let message = format!("this is {}; {} is wanted here", article(kind), article(wanted));
        binder.errors.push(ExprError { range: whole.clone(), message, help: None });
    }
    if bits(&node) > MOST_BITS {
        let message =
            format!("its products may need more than {MOST_BITS} bits; results are 64-bit integers");
        binder.errors.push(ExprError { range: whole, message, help: None });
    }
    binder.errors.dedup_by(|a, b| a.range == b.range && a.message == b.message);
    if !binder.errors.is_empty() {
        return Err(binder.errors);
    }
    let columns = columns_of(&node);
    Ok(Expr { text: text.to_string(), kind, columns, node: per_code(node, scope) })
}

struct Binder<'a> {
    text: &'a str,
    scope: &'a Scope,
    /// Names looked up so far.
    known: HashMap<&'a str, Option<(usize, Type)>>,
    /// Whether what is bound is compared with text, so that a name may be text without its quotes.
    may_be_text: bool,
    level: usize,
    errors: Vec<ExprError>,
}

type TypedNode = (Node, Type);

const WRONG: TypedNode = (Node::Null, Type::Any);

/// The operators that make a chain: `a and b and c` stands in the tree as `(a and b) and c`.
#[derive(PartialEq, Eq)]
enum ChainKind {
    And,
    Or,
    Arithmetic,
}

fn chain_of(op: &Op) -> Option<ChainKind> {
    match op {
        Op::And => Some(ChainKind::And),
        Op::Or => Some(ChainKind::Or),
        _ => arithmetic(op).map(|_| ChainKind::Arithmetic),
    }
}

fn arithmetic(op: &Op) -> Option<Arithmetic> {
    match op {
        Op::Plus => Some(Arithmetic::Add),
        Op::Minus => Some(Arithmetic::Subtract),
        Op::Multiply => Some(Arithmetic::Multiply),
        Op::Modulo => Some(Arithmetic::Remainder),
        _ => None,
    }
}

fn comparison(op: &Op) -> Option<Comparison> {
    match op {
        Op::Eq => Some(Comparison::Equal),
        Op::NotEq => Some(Comparison::NotEqual),
        Op::Lt => Some(Comparison::Less),
        Op::LtEq => Some(Comparison::LessOrEqual),
        Op::Gt => Some(Comparison::Greater),
        Op::GtEq => Some(Comparison::GreaterOrEqual),
        _ => None,
    }
}

impl<'a> Binder<'a> {
    fn refuse(&mut self, at: &Sql, message: impl Into<String>, help: Option<String>) -> TypedNode {
        if self.errors.len() < MOST_ERRORS {
            let range = self.range_of(at);
            self.errors.push(ExprError { range, message: message.into(), help });
        }
        WRONG
    }

    fn range_of(&self, at: &Sql) -> Range<usize> {
        let span = at.span();
        match span.start.line {
            0 => 0..self.text.len(),
            _ => offset(self.text, span.start)..offset(self.text, span.end),
        }
    }

    fn bind(&mut self, sql: &'a Sql) -> TypedNode {
        if self.level == MOST_LEVELS {
            if self.errors.len() < MOST_ERRORS {
                self.errors.push(too_deep(self.range_of(sql)));
            }
            return WRONG;
        }
        self.level += 1;
        let bound = self.bind_level(sql);
        self.level -= 1;
        bound
    }

    fn bind_level(&mut self, sql: &'a Sql) -> TypedNode {
        match sql {
            Sql::Nested(inner) => self.bind(inner),
            Sql::Identifier(ident) => self.column(sql, ident),
            Sql::Value(value) => self.literal(sql, &value.value),
            Sql::TypedString(typed) if typed.data_type == DataType::Date && !typed.uses_odbc_syntax => {
                match &typed.value.value {
                    Value::SingleQuotedString(text) => match text.parse::<Day>() {
                        Ok(day) => (Node::Int(BigInt::from(day.0)), Type::Date),
                        Err(message) => self.refuse(sql, message, None),
                    },
                    _ => self.refuse(sql, "a date is written date '2026-01-31'", None),
                }
            }
            Sql::UnaryOp { op, expr } => self.unary(sql, op, expr),
            Sql::BinaryOp { left, op, right } => self.binary(sql, left, op, right),
            Sql::IsNull(inner) => (Node::IsNull(Box::new(self.bind(inner).0)), Type::Bool),
            Sql::IsNotNull(inner) => {
                let is_null = Node::IsNull(Box::new(self.bind(inner).0));
                (Node::Not(Box::new(is_null)), Type::Bool)
            }
            Sql::InList { expr, list, negated } => {
                let (left, kind) = self.bind(expr);
                let items = list.iter().map(|item| self.comparable(sql, kind, item)).collect();
                (negate_if(*negated, Node::In(Box::new(left), items)), Type::Bool)
            }
            Sql::Between { expr, negated, low, high } => {
                let (value, kind) = self.bind(expr);
                let bounds = [low, high].map(|bound| Box::new(self.comparable(sql, kind, bound)));
                (negate_if(*negated, Node::Between(Box::new(value), bounds)), Type::Bool)
            }
            Sql::Case { operand: None, conditions, else_result, .. } => {
                let arms = conditions
                    .iter()
                    .map(|arm| (self.typed(&arm.condition, Type::Bool), self.bind(&arm.result)));
                let arms: Vec<_> = arms.collect();
                let default = match else_result {
                    Some(expr) => self.bind(expr),
                    None => (Node::Null, Type::Any),
                };
                self.case(sql, arms, default)
            }
            Sql::Case { .. } => {
                self.refuse(sql, "`case x when …` is not taken", Some("write case when x = … then …".into()))
            }
            Sql::Function(function) => self.function(sql, function),
            other => {
                let help = if matches!(other, Sql::Interval(_)) { DATES } else { GRAMMAR };
                let what = refused_construct(other);
                self.refuse(sql, format!("{what} is not taken"), Some(help.to_string()))
            }
        }
    }

    fn column(&mut self, at: &Sql, ident: &'a Ident) -> TypedNode {
        let scope = self.scope;
        match self.known.entry(&ident.value).or_insert_with(|| scope.find(&ident.value)) {
            Some((slot, Type::Any)) => (Node::Nulls(*slot), Type::Any),
            Some((slot, kind)) => (Node::Column(*slot), *kind),
            None if scope.open => WRONG,
            None if self.errors.len() >= MOST_ERRORS => WRONG,
            None => {
                if let Some((name, kind)) = scope.unusable.iter().find(|(name, _)| *name == ident.value) {
                    let message = format!("the column `{name}` is {kind}");
                    let help = "expressions take integers, text, Booleans and dates: cast it upstream";
                    return self.refuse(at, message, Some(help.into()));
                }
                let help = match near_miss(&ident.value, scope.names()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None if self.may_be_text => format!("quote text: '{}'", ident.value),
                    None => format!("known here: {}", listing(scope.names())),
                };
                self.refuse(at, format!("there is no column `{}` here", ident.value), Some(help))
            }
        }
    }

    fn literal(&mut self, at: &Sql, value: &Value) -> TypedNode {
        match value {
            Value::Number(digits, false) => match digits.parse::<BigInt>() {
                Ok(number) => (Node::Int(number), Type::Int),
                Err(_) => self.refuse(
                    at,
                    format!("`{digits}` is not an integer: no float takes part in a result"),
                    Some("write money in minor units and shares in basis points".into()),
                ),
            },
            Value::SingleQuotedString(text) => (Node::Text(text.clone()), Type::Text),
            Value::Boolean(truth) => (Node::Bool(*truth), Type::Bool),
            Value::Null => (Node::Null, Type::Any),
            other => self.refuse(at, format!("the literal {other} is not taken"), Some(GRAMMAR.into())),
        }
    }

    fn unary(&mut self, at: &Sql, op: &UnaryOperator, inner: &'a Sql) -> TypedNode {
        match op {
            UnaryOperator::Minus => {
                let node = match self.typed(inner, Type::Int) {
                    Node::Int(number) => Node::Int(-number),
                    inner => Node::Negate(Box::new(inner)),
                };
                (node, Type::Int)
            }
            UnaryOperator::Not => (Node::Not(Box::new(self.typed(inner, Type::Bool))), Type::Bool),
            other => self.refuse(at, format!("the operator `{other}` is not taken"), Some(GRAMMAR.into())),
        }
    }

    fn binary(&mut self, at: &Sql, left: &'a Sql, op: &'a Op, right: &'a Sql) -> TypedNode {
        if let Some(chain) = chain_of(op) {
            return self.chain(&chain, left, op, right);
        }
        if let Some(op) = comparison(op) {
            let (left, kind) = self.bind(left);
            let right = self.comparable(at, kind, right);
            return (Node::Compare(op, Box::new(left), Box::new(right)), Type::Bool);
        }
        if *op == Op::Divide {
            let help = "use a `ratio` feature: it says its scale and how it rounds";
            return self.refuse(at, "division `/` is not taken", Some(help.into()));
        }
        self.refuse(at, format!("the operator `{op}` is not taken"), Some(GRAMMAR.into()))
    }

    /// Binds the operands of a chain, left to right, as one level.
    fn chain(&mut self, chain: &ChainKind, left: &'a Sql, op: &'a Op, right: &'a Sql) -> TypedNode {
        let (mut first, mut steps) = (left, vec![(op, right)]);
        while let Sql::BinaryOp { left, op, right } = first
            && chain_of(op).as_ref() == Some(chain)
        {
            steps.push((op, right));
            first = left;
        }
        steps.reverse();
        if *chain == ChainKind::Arithmetic {
            let steps = steps.into_iter().filter_map(|(op, right)| Some((arithmetic(op)?, right)));
            return self.arithmetic(first, steps.collect());
        }
        let operands = std::iter::once(first).chain(steps.into_iter().map(|(_, right)| right));
        let operands = operands.map(|operand| self.typed(operand, Type::Bool)).collect();
        let node = if *chain == ChainKind::And { Node::And(operands) } else { Node::Or(operands) };
        (node, Type::Bool)
    }

    /// Binds a chain of arithmetic, left to right.
    fn arithmetic(&mut self, first: &'a Sql, steps: Vec<(Arithmetic, &'a Sql)>) -> TypedNode {
        let (node, mut kind) = self.number_or_date(first);
        let mut bound = Vec::with_capacity(steps.len());
        for (op, right) in steps {
            let (node, right_kind) = self.number_or_date(right);
            kind = match arithmetic_type(op, kind, right_kind) {
                Some(kind) => kind,
                None => {
                    let misplaced = if right_kind == Type::Date { right } else { first };
                    self.refuse_type(misplaced, Type::Date, Type::Int, Some(DATES)).1
                }
            };
            bound.push((op, node));
        }
        (Node::Arithmetic(Box::new(node), bound), kind)
    }

    fn number_or_date(&mut self, sql: &'a Sql) -> TypedNode {
        match self.bind(sql) {
            (_, kind @ (Type::Text | Type::Bool)) => self.refuse_type(sql, kind, Type::Int, None),
            bound => bound,
        }
    }

    fn refuse_type(&mut self, at: &Sql, found: Type, wanted: Type, help: Option<&str>) -> TypedNode {
        let message = format!("this is {}; {} is wanted here", article(found), article(wanted));
        self.refuse(at, message, help.map(str::to_string))
    }

    /// Binds what a value of type `kind` is compared with.
    fn comparable(&mut self, at: &Sql, kind: Type, other: &'a Sql) -> Node {
        self.may_be_text = kind == Type::Text && matches!(other, Sql::Identifier(_));
        let (node, other_kind) = self.bind(other);
        self.may_be_text = false;
        if kind.unify(other_kind).is_none() {
            let message = format!("{} is compared with {}", article(kind), article(other_kind));
            self.refuse(at, message, Some("both sides must be of one type".into()));
        }
        node
    }

    fn typed(&mut self, sql: &'a Sql, wanted: Type) -> Node {
        let (node, kind) = self.bind(sql);
        if kind.unify(wanted).is_none() {
            self.refuse_type(sql, kind, wanted, None);
        }
        node
    }

    fn case(&mut self, at: &Sql, arms: Vec<(Node, TypedNode)>, default: TypedNode) -> TypedNode {
        let kind = self.common_type(at, arms.iter().map(|(_, (_, kind))| *kind).chain([default.1]));
        let arms = arms.into_iter().map(|(when, (then, _))| (when, then)).collect();
        (Node::Case(arms, Box::new(default.0)), kind)
    }

    fn common_type(&mut self, at: &Sql, kinds: impl Iterator<Item = Type>) -> Type {
        let mut common = Type::Any;
        for kind in kinds {
            match common.unify(kind) {
                Some(kind) => common = kind,
                None => {
                    let message = format!("one value is {}, another {}", article(common), article(kind));
                    return self.refuse(at, message, Some("all values must be of one type".into())).1;
                }
            }
        }
        common
    }

    fn function(&mut self, at: &Sql, function: &'a Function) -> TypedNode {
        let name = function.name.to_string();
        let plain = function.over.is_none()
            && function.filter.is_none()
            && function.within_group.is_empty()
            && function.null_treatment.is_none();
        let arguments = match &function.args {
            FunctionArguments::List(list) if plain && name.eq_ignore_ascii_case("coalesce") => {
                let clean = list.duplicate_treatment.is_none() && list.clauses.is_empty();
                list.args
                    .iter()
                    .map(|argument| match argument {
                        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) if clean => Some(expr),
                        _ => None,
                    })
                    .collect::<Option<Vec<_>>>()
            }
            _ => None,
        };
        match arguments {
            Some(arguments) if !arguments.is_empty() => {
                let bound: Vec<TypedNode> = arguments.into_iter().map(|sql| self.bind(sql)).collect();
                let kind = self.common_type(at, bound.iter().map(|(_, kind)| *kind));
                (Node::Coalesce(bound.into_iter().map(|(node, _)| node).collect()), kind)
            }
            _ => self.refuse(at, format!("the function `{name}` is not taken here"), Some(GRAMMAR.into())),
        }
    }
}

fn negate_if(negated: bool, node: Node) -> Node {
    if negated { Node::Not(Box::new(node)) } else { node }
}

/// What to call a construct outside the grammar.
fn refused_construct(sql: &Sql) -> String {
    match sql {
        Sql::Cast { .. } | Sql::Convert { .. } => "a cast".into(),
        Sql::Subquery(_) | Sql::Exists { .. } | Sql::InSubquery { .. } => "a subquery".into(),
        Sql::Like { .. } | Sql::ILike { .. } | Sql::SimilarTo { .. } | Sql::RLike { .. } => {
            "pattern matching".into()
        }
        Sql::CompoundIdentifier(_) => format!("the qualified name `{sql}`"),
        Sql::TypedString(typed) => format!("a literal of type {}", typed.data_type),
        Sql::Interval(_) => "an interval".into(),
        Sql::Tuple(_) => "a list outside `in`".into(),
        other => format!("`{other}`"),
    }
}

fn article(kind: Type) -> &'static str {
    match kind {
        Type::Int => "an integer",
        Type::Text => "text",
        Type::Bool => "a Boolean",
        Type::Date => "a date",
        Type::Any => "null",
    }
}
