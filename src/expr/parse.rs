//! From SQL text to a checked expression: the grammar is sqlparser's, the refusals are ours.

use std::ops::Range;

use num_bigint::BigInt;
use sqlparser::ast::{
    BinaryOperator as Op, DataType, Expr as Sql, Function, FunctionArg, FunctionArgExpr, FunctionArguments,
    Ident, Spanned, UnaryOperator, Value,
};
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Location, Token, Tokenizer};

use super::{Arithmetic, Comparison, Expr, ExprError, Node, Scope, Type};
use crate::day::Day;
use crate::job::{listing, near_miss};

const GRAMMAR: &str = "an expression is made of integers, 'text', date '2026-01-31', true, false, null, \
     column names, = <> != < <= > >=, and, or, not, in (…), between, is [not] null, + - * %, \
     case when … end and coalesce(…)";

/// Parses `text`; several mistakes are reported at once.
pub(super) fn parse(text: &str, wanted: Type, scope: &Scope) -> Result<Expr, Vec<ExprError>> {
    let sql = parse_sql(text).map_err(|error| vec![error])?;
    let mut binder = Binder { text, scope, errors: Vec::new() };
    let (node, kind) = binder.bind(&sql);
    if wanted.unify(kind).is_none() {
        let message = format!("this is {}; {} is wanted here", article(kind), article(wanted));
        binder.errors.push(ExprError { range: 0..text.len(), message, help: None });
    }
    binder.errors.dedup_by(|a, b| a.range == b.range && a.message == b.message);
    if !binder.errors.is_empty() {
        return Err(binder.errors);
    }
    let mut columns = Vec::new();
    collect_columns(&node, &mut columns);
    columns.sort_unstable();
    columns.dedup();
    Ok(Expr { text: text.to_string(), kind, columns, node: per_code(node, scope) })
}

fn parse_sql(text: &str) -> Result<Sql, ExprError> {
    let whole =
        |message: String| ExprError { range: 0..text.len(), message, help: Some(GRAMMAR.to_string()) };
    if text.trim().is_empty() {
        return Err(whole("the expression is empty".to_string()));
    }
    let syntax = |error: sqlparser::parser::ParserError| {
        let message = error.to_string().replace("sql parser error: ", "");
        let (message, range) = locate_message(text, &message);
        ExprError { range, message, help: Some(GRAMMAR.to_string()) }
    };
    let dialect = GenericDialect {};
    let tokens = Tokenizer::new(&dialect, text).tokenize_with_location();
    let tokens = tokens.map_err(|error| syntax(error.into()))?;
    if let Some(twice) = tokens.iter().find(|token| token.token == Token::DoubleEq) {
        let range = offset(text, twice.span.start)..offset(text, twice.span.end);
        let message = "the operator `==` is not taken".to_string();
        return Err(ExprError { range, message, help: Some("write `=`".to_string()) });
    }
    let mut parser = Parser::new(&dialect).with_tokens_with_locations(tokens);
    let sql = parser.parse_expr().map_err(syntax)?;
    let rest = parser.peek_token();
    if rest.token != Token::EOF {
        let range = offset(text, rest.span.start)..offset(text, rest.span.end);
        let message = format!("`{}` cannot follow here", rest.token);
        return Err(ExprError { range, message, help: Some(GRAMMAR.to_string()) });
    }
    Ok(sql)
}

/// Splits sqlparser's "… at Line: 1, Column: 7" into the message and the place.
fn locate_message(text: &str, message: &str) -> (String, Range<usize>) {
    let place = message.rsplit_once(" at Line: ").and_then(|(head, tail)| {
        let (line, column) = tail.split_once(", Column: ")?;
        let location = Location::of(line.trim().parse().ok()?, column.trim().parse().ok()?);
        Some((head.to_string(), offset(text, location)))
    });
    match place {
        Some((head, start)) => (head, start..text.len().min(start + 1).max(start)),
        None => (message.to_string(), 0..text.len()),
    }
}

/// The byte offset of a 1-based line and column, columns counted in characters.
fn offset(text: &str, at: Location) -> usize {
    let line_start =
        text.split_inclusive('\n').take((at.line as usize).saturating_sub(1)).map(str::len).sum::<usize>();
    text[line_start..]
        .char_indices()
        .nth((at.column as usize).saturating_sub(1))
        .map_or(text.len(), |(i, _)| line_start + i)
}

struct Binder<'a> {
    text: &'a str,
    scope: &'a Scope,
    errors: Vec<ExprError>,
}

type Bound = (Node, Type);

const WRONG: Bound = (Node::Null, Type::Any);

impl Binder<'_> {
    fn refuse(&mut self, at: &Sql, message: impl Into<String>, help: Option<String>) -> Bound {
        let span = at.span();
        let range = match span.start.line {
            0 => 0..self.text.len(),
            _ => offset(self.text, span.start)..offset(self.text, span.end),
        };
        self.errors.push(ExprError { range, message: message.into(), help });
        WRONG
    }

    fn bind(&mut self, sql: &Sql) -> Bound {
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
                let any = list.iter().map(|item| self.compare(sql, Comparison::Equal, expr, item));
                let any = Node::Or(any.collect());
                (negate_if(*negated, any), Type::Bool)
            }
            Sql::Between { expr, negated, low, high } => {
                let from = self.compare(sql, Comparison::GreaterOrEqual, expr, low);
                let to = self.compare(sql, Comparison::LessOrEqual, expr, high);
                (negate_if(*negated, Node::And(vec![from, to])), Type::Bool)
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
                let what = refused_construct(other);
                self.refuse(sql, format!("{what} is not taken"), Some(GRAMMAR.to_string()))
            }
        }
    }

    fn column(&mut self, at: &Sql, ident: &Ident) -> Bound {
        match self.scope.find(&ident.value) {
            Some((slot, Type::Any)) => (Node::Nulls(slot), Type::Any),
            Some((slot, kind)) => (Node::Column(slot), kind),
            None if self.scope.open => WRONG,
            None => {
                if let Some((name, kind)) = self.scope.unusable.iter().find(|(name, _)| *name == ident.value)
                {
                    let message = format!("the column `{name}` is {kind}");
                    let help = "expressions take integers, text, Booleans and dates: cast it upstream";
                    return self.refuse(at, message, Some(help.into()));
                }
                let help = match near_miss(&ident.value, self.scope.names()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("known here: {}", listing(self.scope.names())),
                };
                self.refuse(at, format!("there is no column `{}` here", ident.value), Some(help))
            }
        }
    }

    fn literal(&mut self, at: &Sql, value: &Value) -> Bound {
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

    fn unary(&mut self, at: &Sql, op: &UnaryOperator, inner: &Sql) -> Bound {
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

    fn binary(&mut self, at: &Sql, left: &Sql, op: &Op, right: &Sql) -> Bound {
        let arithmetic = |op| (Some(op), None);
        let comparison = |op| (None, Some(op));
        let (arithmetic, comparison) = match op {
            Op::And | Op::Or => {
                let sides = vec![self.typed(left, Type::Bool), self.typed(right, Type::Bool)];
                let node = if *op == Op::And { Node::And(sides) } else { Node::Or(sides) };
                return (node, Type::Bool);
            }
            Op::Plus => arithmetic(Arithmetic::Add),
            Op::Minus => arithmetic(Arithmetic::Subtract),
            Op::Multiply => arithmetic(Arithmetic::Multiply),
            Op::Modulo => arithmetic(Arithmetic::Remainder),
            Op::Eq => comparison(Comparison::Equal),
            Op::NotEq => comparison(Comparison::NotEqual),
            Op::Lt => comparison(Comparison::Less),
            Op::LtEq => comparison(Comparison::LessOrEqual),
            Op::Gt => comparison(Comparison::Greater),
            Op::GtEq => comparison(Comparison::GreaterOrEqual),
            Op::Divide => {
                let help = "use a `ratio` feature: it says its scale and how it rounds";
                return self.refuse(at, "division `/` is not taken", Some(help.into()));
            }
            other => {
                let message = format!("the operator `{other}` is not taken");
                return self.refuse(at, message, Some(GRAMMAR.into()));
            }
        };
        match (arithmetic, comparison) {
            (Some(op), _) => {
                let left = Box::new(self.typed(left, Type::Int));
                let right = Box::new(self.typed(right, Type::Int));
                (Node::Arithmetic(op, left, right), Type::Int)
            }
            (None, Some(op)) => (self.compare(at, op, left, right), Type::Bool),
            (None, None) => unreachable!("every operator above is one or the other"),
        }
    }

    fn compare(&mut self, at: &Sql, op: Comparison, left: &Sql, right: &Sql) -> Node {
        let ((left, left_kind), (right, right_kind)) = (self.bind(left), self.bind(right));
        if left_kind.unify(right_kind).is_none() {
            let message = format!("{} is compared with {}", article(left_kind), article(right_kind));
            self.refuse(at, message, Some("both sides must be of one type".into()));
        }
        Node::Compare(op, Box::new(left), Box::new(right))
    }

    fn typed(&mut self, sql: &Sql, wanted: Type) -> Node {
        let (node, kind) = self.bind(sql);
        if kind.unify(wanted).is_none() {
            let message = format!("this is {}; {} is wanted here", article(kind), article(wanted));
            self.refuse(sql, message, None);
        }
        node
    }

    fn case(&mut self, at: &Sql, arms: Vec<(Node, Bound)>, default: Bound) -> Bound {
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

    fn function(&mut self, at: &Sql, function: &Function) -> Bound {
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
                let bound: Vec<Bound> = arguments.into_iter().map(|sql| self.bind(sql)).collect();
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

pub(super) fn children(node: &Node) -> Vec<&Node> {
    match node {
        Node::Column(_) | Node::Nulls(_) => vec![],
        Node::Int(_) | Node::Text(_) | Node::Bool(_) | Node::Null => vec![],
        Node::Negate(a) | Node::Not(a) | Node::IsNull(a) | Node::PerCode(_, a) => vec![a],
        Node::Arithmetic(_, a, b) | Node::Compare(_, a, b) => vec![a, b],
        Node::And(all) | Node::Or(all) | Node::Coalesce(all) => all.iter().collect(),
        Node::Case(arms, default) => arms.iter().flat_map(|(a, b)| [a, b]).chain([&**default]).collect(),
    }
}

fn collect_columns(node: &Node, into: &mut Vec<usize>) {
    match node {
        Node::Column(slot) | Node::Nulls(slot) => into.push(*slot),
        node => children(node).into_iter().for_each(|child| collect_columns(child, into)),
    }
}

/// Wraps the largest parts that read a single text column.
fn per_code(node: Node, scope: &Scope) -> Node {
    let mut columns = Vec::new();
    collect_columns(&node, &mut columns);
    columns.dedup();
    match columns[..] {
        _ if matches!(node, Node::Column(_)) => return node,
        [slot] if scope.columns[slot].1 == Type::Text => return Node::PerCode(slot, Box::new(node)),
        _ => {}
    }
    let wrap = |node: Box<Node>| Box::new(per_code(*node, scope));
    let wrap_all = |all: Vec<Node>| all.into_iter().map(|node| per_code(node, scope)).collect();
    match node {
        Node::Negate(a) => Node::Negate(wrap(a)),
        Node::Not(a) => Node::Not(wrap(a)),
        Node::IsNull(a) => Node::IsNull(wrap(a)),
        Node::Arithmetic(op, a, b) => Node::Arithmetic(op, wrap(a), wrap(b)),
        Node::Compare(op, a, b) => Node::Compare(op, wrap(a), wrap(b)),
        Node::And(all) => Node::And(wrap_all(all)),
        Node::Or(all) => Node::Or(wrap_all(all)),
        Node::Coalesce(all) => Node::Coalesce(wrap_all(all)),
        Node::Case(arms, default) => {
            let arms = arms.into_iter().map(|(a, b)| (per_code(a, scope), per_code(b, scope)));
            Node::Case(arms.collect(), wrap(default))
        }
        leaf => leaf,
    }
}
