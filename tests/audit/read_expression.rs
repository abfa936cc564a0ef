//! Reads the SQL of a job file into the model's own tree.

use num_bigint::BigInt;

use super::expression::Node;
use super::value::Value;
use crate::support::day;

/// The expression that a text is.
pub fn read_expression(text: &str) -> Node {
    let mut reader = Reader { tokens: tokens(text), next: 0 };
    let node = reader.disjunction();
    assert_eq!(reader.next, reader.tokens.len(), "`{text}` goes on after {node:?}");
    node
}

/// Words, numbers, quoted texts with their first quote, signs.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let length = match first {
            '\'' => 1 + rest[1..].find('\'').expect("a closing quote"),
            first if is_word(first) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
            _ if ["<>", "!=", "<=", ">="].iter().any(|sign| rest.starts_with(sign)) => 2,
            _ => 1,
        };
        tokens.push(rest[..length].to_string());
        let closing = usize::from(first == '\'');
        rest = rest[length + closing..].trim_start();
    }
    tokens
}

struct Reader {
    tokens: Vec<String>,
    next: usize,
}

impl Reader {
    fn peek(&self) -> &str {
        self.tokens.get(self.next).map_or("", String::as_str)
    }

    fn take(&mut self) -> String {
        self.next += 1;
        self.tokens[self.next - 1].clone()
    }

    fn accept(&mut self, token: &str) -> bool {
        let is_it = self.peek() == token;
        self.next += usize::from(is_it);
        is_it
    }

    fn expect(&mut self, token: &str) {
        assert!(self.accept(token), "`{}` in the place of `{token}`", self.peek());
    }

    fn disjunction(&mut self) -> Node {
        let mut node = self.conjunction();
        while self.accept("or") {
            node = Node::Or(Box::new(node), Box::new(self.conjunction()));
        }
        node
    }

    fn conjunction(&mut self) -> Node {
        let mut node = self.negation();
        while self.accept("and") {
            node = Node::And(Box::new(node), Box::new(self.negation()));
        }
        node
    }

    fn negation(&mut self) -> Node {
        if self.accept("not") { Node::Not(Box::new(self.negation())) } else { self.predicate() }
    }

    fn predicate(&mut self) -> Node {
        let of = Box::new(self.sum());
        if self.accept("is") {
            let negated = self.accept("not");
            self.expect("null");
            return Node::IsNull(of, negated);
        }
        let negated = self.accept("not");
        if self.accept("in") {
            self.expect("(");
            return Node::In(of, self.list(), negated);
        }
        if self.accept("between") {
            let low = Box::new(self.sum());
            self.expect("and");
            return Node::Between(of, low, Box::new(self.sum()), negated);
        }
        for sign in ["=", "<>", "!=", "<", "<=", ">", ">="] {
            if self.accept(sign) {
                return Node::Compare(sign, of, Box::new(self.sum()));
            }
        }
        *of
    }

    fn sum(&mut self) -> Node {
        let mut node = self.product();
        while matches!(self.peek(), "+" | "-") {
            let sign = if self.take() == "+" { '+' } else { '-' };
            node = Node::Arithmetic(sign, Box::new(node), Box::new(self.product()));
        }
        node
    }

    fn product(&mut self) -> Node {
        let mut node = self.signed();
        while matches!(self.peek(), "*" | "%") {
            let sign = if self.take() == "*" { '*' } else { '%' };
            node = Node::Arithmetic(sign, Box::new(node), Box::new(self.signed()));
        }
        node
    }

    fn signed(&mut self) -> Node {
        if self.accept("-") { Node::Negate(Box::new(self.signed())) } else { self.atom() }
    }

    /// After the opening parenthesis.
    fn list(&mut self) -> Vec<Node> {
        let mut nodes = vec![self.disjunction()];
        while self.accept(",") {
            nodes.push(self.disjunction());
        }
        self.expect(")");
        nodes
    }

    fn atom(&mut self) -> Node {
        let token = self.take();
        match token.as_str() {
            "(" => {
                let node = self.disjunction();
                self.expect(")");
                Node::Nested(Box::new(node))
            }
            "coalesce" => {
                self.expect("(");
                Node::Coalesce(self.list())
            }
            "case" => self.case(),
            "null" => Node::Literal(Value::Null),
            "true" | "false" => Node::Literal((token == "true").into()),
            "date" => Node::Literal(Value::Date(day(&self.take()[1..]).0)),
            text if text.starts_with('\'') => Node::Literal(text[1..].into()),
            text if text.starts_with(|c: char| c.is_ascii_digit()) => {
                Node::Literal(text.parse::<BigInt>().expect("an integer").into())
            }
            name => Node::Column(name.to_string()),
        }
    }

    fn case(&mut self) -> Node {
        let mut arms = Vec::new();
        while self.accept("when") {
            let when = self.disjunction();
            self.expect("then");
            arms.push((when, self.disjunction()));
        }
        let default = self.accept("else").then(|| Box::new(self.disjunction()));
        self.expect("end");
        Node::Case(arms, default)
    }
}
