//! Expressions of the model: a tree of its own, printed as SQL for the job files and evaluated as is.

use num_bigint::BigInt;

use super::value::{Row, Value, date_of, date_text};

/// An expression.
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    Column(String),
    Literal(Value),
    Negate(Box<Node>),
    /// One of + - * %.
    Arithmetic(char, Box<Node>, Box<Node>),
    /// One of = <> != < <= > >=.
    Compare(&'static str, Box<Node>, Box<Node>),
    And(Box<Node>, Box<Node>),
    Or(Box<Node>, Box<Node>),
    Not(Box<Node>),
    In(Box<Node>, Vec<Node>, bool),
    Between(Box<Node>, Box<Node>, Box<Node>, bool),
    IsNull(Box<Node>, bool),
    Case(Vec<(Node, Node)>, Option<Box<Node>>),
    Coalesce(Vec<Node>),
    /// Parentheses that need not be there.
    Nested(Box<Node>),
}

/// How tightly a node binds, loosest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Strength {
    Or,
    And,
    Not,
    Compare,
    Sum,
    Product,
    Sign,
    Atom,
}

impl Node {
    fn strength(&self) -> Strength {
        match self {
            Node::Or(..) => Strength::Or,
            Node::And(..) => Strength::And,
            Node::Not(_) => Strength::Not,
            Node::Compare(..) | Node::In(..) | Node::Between(..) | Node::IsNull(..) => Strength::Compare,
            Node::Arithmetic('+' | '-', ..) => Strength::Sum,
            Node::Arithmetic(..) => Strength::Product,
            Node::Negate(_) => Strength::Sign,
            Node::Literal(Value::Int(value)) if *value < BigInt::ZERO => Strength::Sign,
            _ => Strength::Atom,
        }
    }

    /// As a job file writes it, with parentheses where they are needed.
    pub fn sql(&self) -> String {
        let not = |negated: &bool| if *negated { "not " } else { "" };
        let list = |nodes: &[Node]| nodes.iter().map(Node::sql).collect::<Vec<_>>().join(", ");
        match self {
            Node::Column(name) => name.clone(),
            Node::Literal(value) => literal(value),
            Node::Negate(of) => format!("-{}", of.at_least(Strength::Atom)),
            Node::Arithmetic(op, left, right) => {
                let (same, tighter) = match op {
                    '+' | '-' => (Strength::Sum, Strength::Product),
                    _ => (Strength::Product, Strength::Sign),
                };
                format!("{} {op} {}", left.at_least(same), right.at_least(tighter))
            }
            Node::Compare(op, left, right) => {
                format!("{} {op} {}", left.at_least(Strength::Sum), right.at_least(Strength::Sum))
            }
            Node::And(left, right) => {
                format!("{} and {}", left.at_least(Strength::And), right.at_least(Strength::Not))
            }
            Node::Or(left, right) => {
                format!("{} or {}", left.at_least(Strength::Or), right.at_least(Strength::And))
            }
            Node::Not(of) => format!("not {}", of.at_least(Strength::Not)),
            Node::In(of, items, negated) => {
                format!("{} {}in ({})", of.at_least(Strength::Sum), not(negated), list(items))
            }
            Node::Between(of, low, high, negated) => {
                let [of, low, high] = [of, low, high].map(|node| node.at_least(Strength::Sum));
                format!("{of} {}between {low} and {high}", not(negated))
            }
            Node::IsNull(of, negated) => format!("{} is {}null", of.at_least(Strength::Sum), not(negated)),
            Node::Case(arms, default) => {
                let arms =
                    arms.iter().map(|(when, then)| format!("when {} then {} ", when.sql(), then.sql()));
                let default = default.iter().map(|node| format!("else {} ", node.sql()));
                format!("case {}end", arms.chain(default).collect::<String>())
            }
            Node::Coalesce(items) => format!("coalesce({})", list(items)),
            Node::Nested(of) => format!("({})", of.sql()),
        }
    }

    fn at_least(&self, least: Strength) -> String {
        if self.strength() < least { format!("({})", self.sql()) } else { self.sql() }
    }

    /// Whether a column is named anywhere in it.
    pub fn names(&self, column: &str) -> bool {
        if let Node::Column(name) = self {
            return name == column;
        }
        self.children().iter().any(|child| child.names(column))
    }

    /// The nodes right below this one.
    pub fn children(&self) -> Vec<&Node> {
        match self {
            Node::Column(_) | Node::Literal(_) => Vec::new(),
            Node::Negate(of) | Node::Not(of) | Node::Nested(of) | Node::IsNull(of, _) => vec![of],
            Node::Arithmetic(_, a, b) | Node::Compare(_, a, b) | Node::And(a, b) | Node::Or(a, b) => {
                vec![a, b]
            }
            Node::In(of, items, _) => std::iter::once(&**of).chain(items).collect(),
            Node::Between(of, low, high, _) => vec![of, low, high],
            Node::Case(arms, default) => {
                let arms = arms.iter().flat_map(|(when, then)| [when, then]);
                arms.chain(default.iter().map(|node| &**node)).collect()
            }
            Node::Coalesce(items) => items.iter().collect(),
        }
    }

    /// Its value on a row, exactly.
    pub fn value(&self, row: &Row) -> Value {
        match self {
            Node::Column(name) => row.get(name).unwrap_or_else(|| panic!("no column {name}")).clone(),
            Node::Literal(value) => value.clone(),
            Node::Nested(of) => of.value(row),
            Node::Negate(of) => of.value(row).int().map(|value| -value).into(),
            Node::Arithmetic(op, left, right) => arithmetic(*op, &left.value(row), &right.value(row)),
            Node::Compare(op, left, right) => compare(op, &left.value(row), &right.value(row)).into(),
            Node::And(left, right) => both(left.truth(row), right.truth(row)).into(),
            Node::Or(left, right) => either(left.truth(row), right.truth(row)).into(),
            Node::Not(of) => of.truth(row).map(|truth| !truth).into(),
            Node::In(of, items, negated) => {
                let of = of.value(row);
                let found = items.iter().map(|item| compare("=", &of, &item.value(row)));
                negate(found.fold(Some(false), either), *negated).into()
            }
            Node::Between(of, low, high, negated) => {
                let of = of.value(row);
                let from = compare(">=", &of, &low.value(row));
                let to = compare("<=", &of, &high.value(row));
                negate(both(from, to), *negated).into()
            }
            Node::IsNull(of, negated) => (of.value(row).is_null() != *negated).into(),
            Node::Case(arms, default) => match arms.iter().find(|(when, _)| when.is_true(row)) {
                Some((_, then)) => then.value(row),
                None => default.as_ref().map_or(Value::Null, |node| node.value(row)),
            },
            Node::Coalesce(items) => {
                let values = items.iter().map(|item| item.value(row));
                values.into_iter().find(|value| !value.is_null()).unwrap_or(Value::Null)
            }
        }
    }

    fn truth(&self, row: &Row) -> Option<bool> {
        match self.value(row) {
            Value::Bool(truth) => Some(truth),
            _ => None,
        }
    }

    /// Whether a row counts.
    pub fn is_true(&self, row: &Row) -> bool {
        self.truth(row) == Some(true)
    }
}

fn literal(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Bool(truth) => truth.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Date(day) => format!("date '{}'", date_text(*day)),
        Value::FarDate(days) => panic!("{days} days are no literal"),
        Value::Text(text) => format!("'{}'", text.replace('\'', "''")),
    }
}

fn arithmetic(op: char, left: &Value, right: &Value) -> Value {
    match (left.days(), right.days()) {
        (Some(left), Some(right)) => (left - right).into(),
        (Some(date), None) => match right.int() {
            Some(days) => date_of(if op == '+' { date + days } else { date - days }),
            None => Value::Null,
        },
        _ => match (left.int(), right.int()) {
            (Some(left), Some(right)) => arithmetic_of_ints(op, left, right),
            _ => Value::Null,
        },
    }
}

fn arithmetic_of_ints(op: char, left: BigInt, right: BigInt) -> Value {
    match op {
        '+' => (left + right).into(),
        '-' => (left - right).into(),
        '*' => (left * right).into(),
        _ if right == BigInt::ZERO => Value::Null,
        _ => (left % right).into(),
    }
}

fn compare(op: &str, left: &Value, right: &Value) -> Option<bool> {
    if left.is_null() || right.is_null() {
        return None;
    }
    if let (Some(left), Some(right)) = (left.days(), right.days()) {
        return compare(op, &left.into(), &right.into());
    }
    Some(match op {
        "=" => left == right,
        "<>" | "!=" => left != right,
        "<" => left < right,
        "<=" => left <= right,
        ">" => left > right,
        ">=" => left >= right,
        other => panic!("no operator {other}"),
    })
}

fn both(left: Option<bool>, right: Option<bool>) -> Option<bool> {
    match (left, right) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

fn either(left: Option<bool>, right: Option<bool>) -> Option<bool> {
    match (left, right) {
        (Some(true), _) | (_, Some(true)) => Some(true),
        (Some(false), Some(false)) => Some(false),
        _ => None,
    }
}

fn negate(truth: Option<bool>, negated: bool) -> Option<bool> {
    truth.map(|truth| truth != negated)
}

#[test]
fn printed_expressions_keep_their_parentheses_only_where_they_must() {
    let column = |name: &str| Box::new(Node::Column(name.into()));
    let sum = Node::Arithmetic('+', column("a"), column("b"));
    let product = Node::Arithmetic('*', Box::new(sum.clone()), column("c"));
    let minus = Node::Arithmetic('-', column("a"), Box::new(sum));
    let negative = Node::Negate(Box::new(Node::Literal((-5i64).into())));
    let cases = [(product, "(a + b) * c"), (minus, "a - (a + b)"), (negative, "-(-5)")];
    for (node, sql) in cases {
        assert_eq!(node.sql(), sql);
    }
}
