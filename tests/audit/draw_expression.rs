//! Random expressions over a scope, of a wanted type.

use num_bigint::BigInt;

use super::expression::Node;
use super::random::Random;
use super::value::{Kind, Value};

/// What may be drawn from.
pub struct Drawer<'a> {
    pub random: &'a mut Random,
    /// Near this day lie the dates of the book.
    pub as_of: i32,
    /// Whether amounts near the ends of Int64, and beyond, occur.
    pub is_extreme: bool,
    /// Whether dates take part in arithmetic.
    pub has_dates: bool,
}

/// Names and types.
pub type Columns = Vec<(String, Kind)>;

/// Text that occurs in some column, or nearly.
const TEXTS: [&str; 26] = [
    "",
    "a",
    "A",
    "b",
    "é",
    "it's",
    "buy",
    "sell",
    "Buy",
    "p",
    "q",
    "r",
    "zz",
    "active",
    "suspended",
    "closed",
    "low",
    "mid",
    "high",
    "raise",
    "hold",
    "9",
    "withdraw",
    "P1",
    "P2",
    "P9",
];

const INTS: [i64; 16] = [0, 1, 2, 3, 5, 7, 10, 50, 100, 150, 1000, -1, -2, -7, -100, 2500];

impl Drawer<'_> {
    pub fn node(&mut self, kind: Kind, depth: usize, columns: &Columns) -> Node {
        let node = self.bare_node(kind, depth, columns);
        if self.random.chance(5) { Node::Nested(Box::new(node)) } else { node }
    }

    fn bare_node(&mut self, kind: Kind, depth: usize, columns: &Columns) -> Node {
        if depth == 0 {
            return self.leaf(kind, columns);
        }
        let roll = self.random.below(100);
        match (roll, kind) {
            (0..7, _) => self.case(kind, depth, columns),
            (7..14, _) => {
                let count = 1 + self.random.below(3);
                Node::Coalesce((0..count).map(|_| self.node(kind, depth - 1, columns)).collect())
            }
            (14..30, _) => self.leaf(kind, columns),
            (_, Kind::Int) => self.arithmetic(depth, columns),
            (_, Kind::Bool) => self.condition(depth, columns),
            (_, Kind::Date) if self.has_dates => {
                let op = self.random.pick(&['+', '-']);
                let date = self.boxed(Kind::Date, depth - 1, columns);
                Node::Arithmetic(op, date, self.boxed(Kind::Int, depth - 1, columns))
            }
            _ => self.leaf(kind, columns),
        }
    }

    fn boxed(&mut self, kind: Kind, depth: usize, columns: &Columns) -> Box<Node> {
        Box::new(self.node(kind, depth, columns))
    }

    fn case(&mut self, kind: Kind, depth: usize, columns: &Columns) -> Node {
        let count = 1 + self.random.below(2);
        let arms = (0..count)
            .map(|_| (self.node(Kind::Bool, depth - 1, columns), self.node(kind, depth - 1, columns)));
        let arms = arms.collect();
        let default = self.random.chance(70).then(|| self.boxed(kind, depth - 1, columns));
        Node::Case(arms, default)
    }

    fn arithmetic(&mut self, depth: usize, columns: &Columns) -> Node {
        if self.random.chance(10) {
            return Node::Negate(self.boxed(Kind::Int, depth - 1, columns));
        }
        if self.has_dates && self.random.chance(40) {
            let [later, earlier] = [depth - 1; 2].map(|depth| self.boxed(Kind::Date, depth, columns));
            return Node::Arithmetic('-', later, earlier);
        }
        let op = self.random.pick(&['+', '-', '+', '-', '*', '%']);
        let left = self.boxed(Kind::Int, depth - 1, columns);
        Node::Arithmetic(op, left, self.boxed(Kind::Int, depth - 1, columns))
    }

    fn condition(&mut self, depth: usize, columns: &Columns) -> Node {
        let below = depth - 1;
        match self.random.below(10) {
            0..=1 => {
                Node::And(self.boxed(Kind::Bool, below, columns), self.boxed(Kind::Bool, below, columns))
            }
            2..=3 => Node::Or(self.boxed(Kind::Bool, below, columns), self.boxed(Kind::Bool, below, columns)),
            4 => Node::Not(self.boxed(Kind::Bool, below, columns)),
            5 => {
                let kind = self.kind();
                Node::IsNull(self.boxed(kind, below, columns), self.random.chance(50))
            }
            6 => {
                let kind = self.kind();
                let of = self.boxed(kind, below, columns);
                let count = 1 + self.random.below(3);
                let items = (0..count).map(|_| self.node(kind, 0, columns)).collect();
                Node::In(of, items, self.random.chance(40))
            }
            7 => {
                let kind = self.kind();
                let [of, low, high] = [below, 0, 0].map(|depth| self.boxed(kind, depth, columns));
                Node::Between(of, low, high, self.random.chance(40))
            }
            _ => self.comparison(below, columns),
        }
    }

    fn comparison(&mut self, depth: usize, columns: &Columns) -> Node {
        let kind = self.kind();
        let op = self.random.pick(&["=", "<>", "!=", "<", "<=", ">", ">="]);
        let left = self.boxed(kind, depth, columns);
        let right = if self.random.chance(60) { self.literal(kind) } else { self.node(kind, depth, columns) };
        Node::Compare(op, left, Box::new(right))
    }

    fn kind(&mut self) -> Kind {
        self.random.pick(&[Kind::Int, Kind::Int, Kind::Int, Kind::Text, Kind::Text, Kind::Date, Kind::Bool])
    }

    fn leaf(&mut self, kind: Kind, columns: &Columns) -> Node {
        let own: Vec<&String> =
            columns.iter().filter(|(_, found)| *found == kind).map(|(name, _)| name).collect();
        if !own.is_empty() && self.random.chance(80) {
            return Node::Column(self.random.pick(&own).clone());
        }
        if kind == Kind::Bool && self.random.chance(70) {
            return self.comparison(0, columns);
        }
        self.literal(kind)
    }

    fn literal(&mut self, kind: Kind) -> Node {
        if self.random.chance(4) {
            return Node::Literal(Value::Null);
        }
        Node::Literal(match kind {
            Kind::Int => self.int(),
            Kind::Text => self.random.pick(&TEXTS).into(),
            Kind::Bool => self.random.chance(50).into(),
            Kind::Date => Value::Date(self.as_of + self.random.between(-14, 4) as i32),
        })
    }

    fn int(&mut self) -> Value {
        if self.is_extreme && self.random.chance(20) {
            let beyond = BigInt::from(i64::MAX) * 3;
            let ends = [BigInt::from(i64::MAX), BigInt::from(i64::MIN), beyond, BigInt::from(1_i64 << 40)];
            return self.random.pick(&ends).into();
        }
        self.random.pick(&INTS).into()
    }
}
