//! What arithmetic comes to by the types of its sides: integers, and dates where days are meant.

use super::column::Type;
use super::node::Arithmetic;

/// What dates take, for the help of a mistake.
pub(super) const DATES: &str = "dates subtract to days, and an integer of days is added to or subtracted from a date that stands before it";

/// The type of a step of arithmetic; `None` where its sides do not go together.
pub(super) fn arithmetic_type(op: Arithmetic, left: Type, right: Type) -> Option<Type> {
    use Arithmetic::{Add, Multiply, Remainder, Subtract};
    match (op, left, right) {
        (Subtract, Type::Date | Type::Any, Type::Date) => Some(Type::Int),
        (Add | Subtract, Type::Date, Type::Int) | (Add, Type::Date, Type::Any) => Some(Type::Date),
        // Null may stand for a date or for an integer: so may what it comes to.
        (Subtract, Type::Date, Type::Any) => Some(Type::Any),
        (Add | Subtract, Type::Any, Type::Int | Type::Any) => Some(Type::Any),
        (Add | Subtract, Type::Int, Type::Int | Type::Any) => Some(Type::Int),
        (Multiply | Remainder, Type::Int | Type::Any, Type::Int | Type::Any) => Some(Type::Int),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::expr::{Column, Expr, Frame, Ints, Scope};

    use super::*;

    fn scope() -> Scope {
        let mut scope = Scope::default();
        [("paid", Type::Date), ("due", Type::Date), ("n", Type::Int), ("none", Type::Any), ("t", Type::Text)]
            .into_iter()
            .for_each(|(name, kind)| scope.push(name, kind));
        scope
    }

    fn ints(values: [Option<i64>; 3]) -> Column {
        Column::Int(values.into_iter().collect::<Ints>())
    }

    #[test]
    fn dates_subtract_to_days_and_take_integers() {
        let columns = [
            ints([Some(100), None, Some(90)]),
            ints([Some(95), Some(95), Some(95)]),
            ints([Some(7), Some(7), Some(-7)]),
        ];
        let frame = Frame { rows: 3, columns: columns.iter().map(Some).chain([None, None]).collect() };
        let value = |text: &str| {
            let expr =
                Expr::parse(text, Type::Int, &scope()).unwrap_or_else(|errors| panic!("{text}: {errors:?}"));
            let found = expr.ints(&frame).unwrap();
            [0, 1, 2].map(|row| found.get(row).copied())
        };
        assert_eq!(value("paid - due"), [Some(5), None, Some(-5)]);
        assert_eq!(value("due - date '1970-01-02' + n - n"), [Some(94), Some(94), Some(94)]);
        assert_eq!(value("(due + n) - (paid - 1)"), [Some(3), None, Some(-1)]);
    }

    #[test]
    fn a_date_beyond_all_calendars_is_compared_as_what_it_is() {
        let due = ints([Some(95), Some(95), None]);
        let n = ints([Some(i64::MAX), Some(i64::MIN), Some(1)]);
        let frame = Frame { rows: 3, columns: vec![None, Some(&due), Some(&n), None, None] };
        let expr = Expr::parse("due + n > date '9999-12-31'", Type::Bool, &scope()).unwrap();
        let truths = expr.truths(&frame);
        assert_eq!([0, 1, 2].map(|row| truths.get(row)), [Some(true), Some(false), None]);
    }

    #[test]
    fn what_does_not_go_together_is_refused_where_it_stands() {
        let refused = |text: &str, wanted: Type| {
            let errors = Expr::parse(text, wanted, &scope()).unwrap_err();
            errors.iter().map(|error| text[error.range.clone()].to_string()).collect::<Vec<_>>()
        };
        for (text, places) in [
            ("paid + due", vec!["due"]),
            ("n + due", vec!["due"]),
            ("n - due", vec!["due"]),
            ("paid * 2", vec!["paid"]),
            ("2 % paid", vec!["paid"]),
            ("-paid", vec!["paid"]),
            ("paid - t", vec!["t"]),
            ("t - paid", vec!["t"]),
            ("paid + due + t", vec!["due", "t"]),
        ] {
            assert_eq!(refused(text, Type::Int), places, "{text}");
        }
        // A date is no integer, and days are no date.
        assert_eq!(refused("paid + 1", Type::Int).len(), 1);
        assert_eq!(refused("paid - due > date '2026-01-01'", Type::Bool).len(), 1);
        assert_eq!(refused("paid + 1 = 5", Type::Bool).len(), 1);
    }

    #[test]
    fn null_is_whatever_is_wanted() {
        for (text, wanted) in [
            ("none + 30 > due", Type::Bool),
            ("none - due > 3", Type::Bool),
            ("none + 30 > 3", Type::Bool),
            ("due - none > 3", Type::Bool),
            ("due + none > paid", Type::Bool),
            ("null + n", Type::Int),
            ("none * 2", Type::Int),
        ] {
            assert!(Expr::parse(text, wanted, &scope()).is_ok(), "{text}");
        }
    }
}
