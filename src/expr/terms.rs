//! Which columns an integer expression takes its value from, as far as it keeps their unit.

use num_bigint::BigInt;

use super::node::{Arithmetic, Expr, Node};

impl Expr {
    /// The columns whose values are chosen among or added up to its own, some perhaps a few times; ascending.
    /// `None` where it makes its value otherwise, as a product of two columns.
    pub fn terms(&self) -> Option<Vec<usize>> {
        let mut terms = Vec::new();
        add_terms(&self.node, &mut terms)?;
        terms.sort_unstable();
        terms.dedup();
        Some(terms)
    }
}

fn add_terms(node: &Node, terms: &mut Vec<usize>) -> Option<()> {
    match node {
        Node::Column(slot) => terms.push(*slot),
        Node::Int(_) | Node::Null | Node::Nulls(_) => {}
        Node::Negate(a) => add_terms(a, terms)?,
        Node::Coalesce(all) => all.iter().try_for_each(|one| add_terms(one, terms))?,
        Node::Case(arms, default) => {
            let values = arms.iter().map(|(_, value)| value).chain([&**default]);
            values.into_iter().try_for_each(|value| add_terms(value, terms))?;
        }
        Node::Arithmetic(first, steps) => {
            add_terms(first, terms)?;
            for (op, right) in steps {
                let keeps_unit = match op {
                    Arithmetic::Add | Arithmetic::Subtract => true,
                    Arithmetic::Multiply => is_multiple(right) || (terms.is_empty() && is_multiple(first)),
                    Arithmetic::Remainder => false,
                };
                if !keeps_unit {
                    return None;
                }
                add_terms(right, terms)?;
            }
        }
        _ => return None,
    }
    Some(())
}

/// Whether a factor only says how many times, as 4 does of the quarters of a year. From 100 on it may be a scale, as
/// the 10,000 of basis points, that makes another unit.
fn is_multiple(factor: &Node) -> bool {
    matches!(factor, Node::Int(number) if *number < BigInt::from(100))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expr::{Scope, Type};

    #[test]
    fn terms_are_what_is_added_and_chosen_among_but_not_what_is_asked() {
        let mut scope = Scope::default();
        ["a", "b", "c"].into_iter().for_each(|name| scope.push(name, Type::Int));
        for (text, expected) in [
            ("a", Some(vec![0])),
            ("coalesce(b, 0) - a + 7", Some(vec![0, 1])),
            ("a * 4", Some(vec![0])),
            ("4 * a", Some(vec![0])),
            ("a * 10000 - b * 3", None),
            ("10000 * a", None),
            ("case when c > 3 then a else null end", Some(vec![0])),
            ("-b", Some(vec![1])),
            ("7", Some(vec![])),
            ("a * b", None),
            ("a % 7", None),
        ] {
            assert_eq!(Expr::parse(text, Type::Int, &scope).unwrap().terms(), expected, "{text}");
        }
    }
}
