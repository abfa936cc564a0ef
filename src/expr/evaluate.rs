//! Evaluates a checked expression over the columns of a frame, a vector at a time.

use std::borrow::Cow;
use std::sync::Arc;

use num_bigint::{BigInt, Sign};

use super::column::{Column, FALSE, Ints, NULL_CODE, TRUE, Texts, UNKNOWN};
use super::node::{Arithmetic, Comparison, Expr, Node};

/// The columns an expression reads, in the order of its scope. Columns that no expression reads may
/// be missing.
#[derive(Clone)]
pub struct Frame<'a> {
    /// How many rows every column has.
    pub rows: usize,
    /// By position in the scope.
    pub columns: Vec<Option<&'a Column>>,
}

/// A Boolean result: which rows are true (unknown counts as not true).
pub struct Truths(Vec<u8>);

impl Truths {
    /// Whether the row is true.
    #[inline]
    pub fn is_true(&self, row: usize) -> bool {
        self.0[row] == TRUE
    }

    /// Whether the row is true or false; `None` where that is unknown.
    pub fn get(&self, row: usize) -> Option<bool> {
        (self.0[row] != UNKNOWN).then_some(self.0[row] == TRUE)
    }

    /// Row by row, whether it is true.
    pub fn iter(&self) -> impl Iterator<Item = bool> {
        self.0.iter().map(|truth| *truth == TRUE)
    }
}

/// A result of evaluation: a column, or one value for every row.
enum Evaluated<'a> {
    Column(Cow<'a, Column>),
    /// A column of one row that stands for all.
    Constant(Column),
}

impl Expr {
    /// Evaluates a Boolean expression.
    pub fn truths(&self, frame: &Frame) -> Truths {
        Truths(bools(evaluate(&self.node, frame), frame.rows))
    }

    /// Evaluates an expression; a null literal yields integers that are all null.
    pub fn column(&self, frame: &Frame) -> Column {
        match evaluate(&self.node, frame) {
            Evaluated::Column(column) => column.into_owned(),
            Evaluated::Constant(one) => one.gather(&vec![0; frame.rows]),
        }
    }

    /// Evaluates an integer expression exactly. `Err` names the first row whose result does not fit
    /// in 64 bits, and the result.
    pub fn ints(&self, frame: &Frame) -> Result<Ints, (usize, BigInt)> {
        match self.column(frame) {
            Column::Int(ints) => Ok(ints),
            Column::Wide(wide) => narrow(wide),
            Column::Text(_) | Column::Bool(_) => unreachable!("checked to be an integer"),
        }
    }
}

fn narrow(wide: Ints<BigInt>) -> Result<Ints, (usize, BigInt)> {
    let mut values = Vec::with_capacity(wide.values.len());
    for row in 0..wide.values.len() {
        let value = wide.get(row).map(|value| i64::try_from(value.clone()));
        match value.transpose() {
            Ok(value) => values.push(value.unwrap_or_default()),
            Err(_) => return Err((row, wide.values[row].clone())),
        }
    }
    Ok(Ints { values, valid: wide.valid })
}

fn evaluate<'a>(node: &Node, frame: &Frame<'a>) -> Evaluated<'a> {
    let rows = frame.rows;
    match node {
        Node::Column(slot) => {
            Evaluated::Column(Cow::Borrowed(frame.columns[*slot].expect("the frame holds what is read")))
        }
        Node::Int(number) => Evaluated::Constant(match i64::try_from(number.clone()) {
            Ok(number) => Column::Int(Ints::all(vec![number])),
            Err(_) => Column::Wide(Ints::all(vec![number.clone()])),
        }),
        Node::Text(text) => Evaluated::Constant(Column::Text([Some(text.as_str())].into_iter().collect())),
        Node::Bool(truth) => Evaluated::Constant(Column::Bool(vec![if *truth { TRUE } else { FALSE }])),
        Node::Null | Node::Nulls(_) => {
            Evaluated::Constant(Column::Int(Ints { values: vec![0], valid: Some(vec![false]) }))
        }
        Node::Negate(inner) => {
            let zero = Evaluated::Constant(Column::Int(Ints::all(vec![0])));
            arithmetic(Arithmetic::Subtract, zero, evaluate(inner, frame), rows)
        }
        Node::Arithmetic(first, steps) => steps.iter().fold(evaluate(first, frame), |value, (op, right)| {
            arithmetic(*op, value, evaluate(right, frame), rows)
        }),
        Node::Compare(op, left, right) => compare(*op, &evaluate(left, frame), &evaluate(right, frame), rows),
        Node::In(left, items) => {
            let left = evaluate(left, frame);
            let equal =
                items.iter().map(|item| compare(Comparison::Equal, &left, &evaluate(item, frame), rows));
            fold_truths(equal, rows, u8::max)
        }
        Node::Between(value, [low, high]) => {
            let value = evaluate(value, frame);
            let sides = [(Comparison::GreaterOrEqual, low), (Comparison::LessOrEqual, high)];
            fold_truths(
                sides.map(|(op, bound)| compare(op, &value, &evaluate(bound, frame), rows)),
                rows,
                u8::min,
            )
        }
        Node::And(all) => fold_truths(all.iter().map(|node| evaluate(node, frame)), rows, u8::min),
        Node::Or(all) => fold_truths(all.iter().map(|node| evaluate(node, frame)), rows, u8::max),
        Node::Not(inner) => {
            let truths = bools(evaluate(inner, frame), rows).into_iter().map(|truth| TRUE - truth);
            Evaluated::owned(Column::Bool(truths.collect()))
        }
        Node::IsNull(inner) => {
            let value = evaluate(inner, frame);
            let truths = (0..rows).map(|row| if value.is_valid(row) { FALSE } else { TRUE });
            Evaluated::owned(Column::Bool(truths.collect()))
        }
        Node::Coalesce(all) => {
            let values: Vec<Evaluated> = all.iter().map(|node| evaluate(node, frame)).collect();
            let choices = (0..rows).map(|row| values.iter().position(|value| value.is_valid(row)));
            select(&values, choices, rows)
        }
        Node::Case(arms, default) => {
            let conditions: Vec<Vec<u8>> =
                arms.iter().map(|(when, _)| bools(evaluate(when, frame), rows)).collect();
            let results = arms.iter().map(|(_, then)| then).chain([&**default]);
            let values: Vec<Evaluated> = results.map(|node| evaluate(node, frame)).collect();
            let otherwise = arms.len();
            let choices = (0..rows)
                .map(|row| conditions.iter().position(|truths| truths[row] == TRUE).or(Some(otherwise)));
            select(&values, choices, rows)
        }
        Node::PerCode(slot, inner) => per_code(*slot, inner, frame),
    }
}

/// Evaluates a part that reads one text column once per dictionary entry (and once for null), where
/// that is less work than once per row.
fn per_code<'a>(slot: usize, inner: &Node, frame: &Frame<'a>) -> Evaluated<'a> {
    let Some(Column::Text(texts)) = frame.columns[slot] else {
        return evaluate(inner, frame);
    };
    let entries = texts.dictionary.len();
    if entries >= frame.rows {
        return evaluate(inner, frame);
    }
    let codes = (0..entries as u32).chain([NULL_CODE]).collect();
    let dictionary = Column::Text(Texts { codes, dictionary: texts.dictionary.clone() });
    let mut columns = vec![None; frame.columns.len()];
    columns[slot] = Some(&dictionary);
    let by_code = match evaluate(inner, &Frame { rows: entries + 1, columns }) {
        Evaluated::Constant(one) => return Evaluated::Constant(one),
        Evaluated::Column(column) => column.into_owned(),
    };
    let rows: Vec<u32> = texts.codes.iter().map(|code| (*code).min(entries as u32)).collect();
    Evaluated::owned(by_code.gather(&rows))
}

impl<'a> Evaluated<'a> {
    fn owned(column: Column) -> Evaluated<'a> {
        Evaluated::Column(Cow::Owned(column))
    }

    /// The column behind the value, and what to multiply a row number by to find its entry.
    fn parts(&self) -> (&Column, usize) {
        match self {
            Evaluated::Column(column) => (column, 1),
            Evaluated::Constant(one) => (one, 0),
        }
    }

    fn is_valid(&self, row: usize) -> bool {
        let (column, stride) = self.parts();
        column.is_valid(row * stride)
    }

    fn is_zero(&self, row: usize) -> bool {
        match self.parts() {
            (Column::Int(ints), stride) => ints.values[row * stride] == 0,
            (Column::Wide(ints), stride) => ints.values[row * stride].sign() == Sign::NoSign,
            _ => unreachable!("checked to be an integer"),
        }
    }

    /// Row by row, whether it holds a value; `None` where all do.
    fn validity(&self, rows: usize) -> Option<Cow<'_, [bool]>> {
        let column = match self {
            Evaluated::Column(column) => &**column,
            Evaluated::Constant(one) => return (!one.is_valid(0)).then(|| vec![false; rows].into()),
        };
        match column {
            Column::Int(ints) => ints.valid.as_deref().map(Cow::Borrowed),
            Column::Wide(ints) => ints.valid.as_deref().map(Cow::Borrowed),
            Column::Text(_) | Column::Bool(_) if !column.has_nulls() => None,
            Column::Text(texts) => Some(texts.codes.iter().map(|code| *code != NULL_CODE).collect()),
            Column::Bool(truths) => Some(truths.iter().map(|truth| *truth != UNKNOWN).collect()),
        }
    }

    /// Whether it is a null literal, which fits any type.
    fn is_null(&self) -> bool {
        matches!(self, Evaluated::Constant(one) if !one.is_valid(0))
    }
}

fn bools(value: Evaluated, rows: usize) -> Vec<u8> {
    match value {
        Evaluated::Column(column) => match column.into_owned() {
            Column::Bool(truths) => truths,
            // A column of nulls, as `case when x then null end` yields.
            _ => vec![UNKNOWN; rows],
        },
        Evaluated::Constant(Column::Bool(one)) => vec![one[0]; rows],
        Evaluated::Constant(_) => vec![UNKNOWN; rows],
    }
}

fn fold_truths<'a>(
    sides: impl IntoIterator<Item = Evaluated<'a>>,
    rows: usize,
    combine: fn(u8, u8) -> u8,
) -> Evaluated<'a> {
    let mut sides = sides.into_iter().map(|side| bools(side, rows));
    let mut truths = sides.next().unwrap_or_default();
    for side in sides {
        truths.iter_mut().zip(side).for_each(|(truth, other)| *truth = combine(*truth, other));
    }
    Evaluated::owned(Column::Bool(truths))
}

/// Which rows both sides hold a value in; `None` where all do.
fn both_valid(left: &Evaluated, right: &Evaluated, rows: usize) -> Option<Vec<bool>> {
    match (left.validity(rows), right.validity(rows)) {
        (None, None) => None,
        (Some(valid), None) | (None, Some(valid)) => Some(valid.into_owned()),
        (Some(a), Some(b)) => Some(a.iter().zip(&*b).map(|(a, b)| *a & *b).collect()),
    }
}

fn arithmetic<'a>(op: Arithmetic, left: Evaluated, right: Evaluated, rows: usize) -> Evaluated<'a> {
    let mut valid = both_valid(&left, &right, rows);
    if op == Arithmetic::Remainder {
        mark_zero_divisors(&right, rows, &mut valid);
    }
    if let (Column::Int(a), Column::Int(b)) = (left.parts().0, right.parts().0)
        && let Some(values) =
            narrow_arithmetic(op, (a, left.parts().1), (b, right.parts().1), rows, valid.as_deref())
    {
        return Evaluated::owned(Column::Int(Ints { values, valid }));
    }
    let values = (0..rows).map(|row| {
        if valid.as_ref().is_some_and(|valid| !valid[row]) {
            return BigInt::ZERO;
        }
        let (a, b) = (wide(&left, row), wide(&right, row));
        match op {
            Arithmetic::Add => a + b,
            Arithmetic::Subtract => a - b,
            Arithmetic::Multiply => a * b,
            Arithmetic::Remainder => a % b,
        }
    });
    let values = values.collect();
    Evaluated::owned(Column::Wide(Ints { values, valid }))
}

fn mark_zero_divisors(divisor: &Evaluated, rows: usize, valid: &mut Option<Vec<bool>>) {
    for row in (0..rows).filter(|row| divisor.is_zero(*row)) {
        valid.get_or_insert_with(|| vec![true; rows])[row] = false;
    }
}

/// The result in 64 bits, or `None` where some valid row needs more.
fn narrow_arithmetic(
    op: Arithmetic,
    (a, a_stride): (&Ints, usize),
    (b, b_stride): (&Ints, usize),
    rows: usize,
    valid: Option<&[bool]>,
) -> Option<Vec<i64>> {
    let operands = (0..rows).map(|row| (a.values[row * a_stride], b.values[row * b_stride]));
    // A loop an operator, so that none is chosen row by row.
    match op {
        Arithmetic::Add => unless_overflown(operands.map(|(a, b)| a.overflowing_add(b)), valid),
        Arithmetic::Subtract => unless_overflown(operands.map(|(a, b)| a.overflowing_sub(b)), valid),
        Arithmetic::Multiply => unless_overflown(operands.map(|(a, b)| a.overflowing_mul(b)), valid),
        // Rows with divisor 0 are null already; the remainder of i64::MIN and -1 is 0.
        Arithmetic::Remainder => {
            Some(operands.map(|(a, b)| if b == 0 { 0 } else { a.wrapping_rem(b) }).collect())
        }
    }
}

/// The values, unless one of a valid row has run over.
fn unless_overflown(
    results: impl ExactSizeIterator<Item = (i64, bool)>,
    valid: Option<&[bool]>,
) -> Option<Vec<i64>> {
    let mut values = Vec::with_capacity(results.len());
    let mut overflow = false;
    for (row, (value, over)) in results.enumerate() {
        overflow |= over && valid.is_none_or(|valid| valid[row]);
        values.push(value);
    }
    (!overflow).then_some(values)
}

fn wide(value: &Evaluated, row: usize) -> BigInt {
    match value.parts() {
        (Column::Int(ints), stride) => BigInt::from(ints.values[row * stride]),
        (Column::Wide(ints), stride) => ints.values[row * stride].clone(),
        _ => unreachable!("checked to be an integer"),
    }
}

fn compare<'a>(op: Comparison, left: &Evaluated, right: &Evaluated, rows: usize) -> Evaluated<'a> {
    if left.is_null() || right.is_null() {
        return Evaluated::Constant(Column::Bool(vec![UNKNOWN]));
    }
    let ((a, i), (b, j)) = (left.parts(), right.parts());
    let valid = both_valid(left, right, rows);
    let valid = valid.as_deref();
    let truths = match (a, b) {
        (Column::Int(a), Column::Int(b)) => match (i, j) {
            // A loop for each, over slices as long as it runs.
            (1, 1) => {
                let (a, b) = (&a.values[..rows], &b.values[..rows]);
                truths(op, rows, valid, |row| a[row].cmp(&b[row]))
            }
            (1, _) => {
                let (a, b) = (&a.values[..rows], b.values[0]);
                truths(op, rows, valid, |row| a[row].cmp(&b))
            }
            _ => truths(op, rows, valid, |row| a.values[0].cmp(&b.values[row * j])),
        },
        (Column::Text(a), Column::Text(b)) => {
            truths(op, rows, valid, |row| a.get(row * i).cmp(&b.get(row * j)))
        }
        (Column::Bool(a), Column::Bool(b)) => truths(op, rows, valid, |row| a[row * i].cmp(&b[row * j])),
        _ => truths(op, rows, valid, |row| wide(left, row).cmp(&wide(right, row))),
    };
    Evaluated::owned(Column::Bool(truths))
}

fn truths(
    op: Comparison,
    rows: usize,
    valid: Option<&[bool]>,
    order: impl Fn(usize) -> std::cmp::Ordering,
) -> Vec<u8> {
    // A loop an operator, so that none is chosen row by row.
    match op {
        Comparison::Equal => truths_if(rows, valid, |row| order(row).is_eq()),
        Comparison::NotEqual => truths_if(rows, valid, |row| order(row).is_ne()),
        Comparison::Less => truths_if(rows, valid, |row| order(row).is_lt()),
        Comparison::LessOrEqual => truths_if(rows, valid, |row| order(row).is_le()),
        Comparison::Greater => truths_if(rows, valid, |row| order(row).is_gt()),
        Comparison::GreaterOrEqual => truths_if(rows, valid, |row| order(row).is_ge()),
    }
}

fn truths_if(rows: usize, valid: Option<&[bool]>, holds: impl Fn(usize) -> bool) -> Vec<u8> {
    match valid {
        None => (0..rows).map(|row| truth_of(holds(row))).collect(),
        Some(valid) => {
            let valid = valid[..rows].iter().enumerate();
            valid.map(|(row, is_valid)| if *is_valid { truth_of(holds(row)) } else { UNKNOWN }).collect()
        }
    }
}

#[inline]
fn truth_of(holds: bool) -> u8 {
    if holds { TRUE } else { FALSE }
}

/// Takes each row from the value chosen for it; no choice is null.
fn select<'a>(
    values: &[Evaluated],
    choices: impl Iterator<Item = Option<usize>>,
    rows: usize,
) -> Evaluated<'a> {
    let picks: Vec<Option<&Evaluated>> = choices
        .map(|choice| choice.map(|i| &values[i]))
        .enumerate()
        .map(|(row, pick)| pick.filter(|value| value.is_valid(row)))
        .collect();
    let mut picked = picks.iter().flatten().map(|value| value.parts().0);
    let is_wide = picked.clone().any(|column| matches!(column, Column::Wide(_)));
    let rows_of = picks.iter().enumerate();
    let column = match picked.next() {
        Some(Column::Int(_) | Column::Wide(_)) if is_wide => {
            Column::Wide(rows_of.map(|(row, pick)| pick.map(|value| wide(value, row))).collect())
        }
        Some(Column::Int(_) | Column::Wide(_)) => {
            let ints = rows_of.map(|(row, pick)| match pick.map(Evaluated::parts) {
                Some((Column::Int(ints), stride)) => Some(ints.values[row * stride]),
                _ => None,
            });
            Column::Int(ints.collect())
        }
        Some(Column::Text(_)) => select_text(values, &picks),
        Some(Column::Bool(_)) => {
            let truths = rows_of.map(|(row, pick)| match pick.map(Evaluated::parts) {
                Some((Column::Bool(truths), stride)) => truths[row * stride],
                _ => UNKNOWN,
            });
            Column::Bool(truths.collect())
        }
        None => Column::Int(Ints { values: vec![0; rows], valid: Some(vec![false; rows]) }),
    };
    debug_assert_eq!(column.len(), rows);
    Evaluated::owned(column)
}

/// Lays the dictionaries end to end and shifts the codes.
fn select_text(values: &[Evaluated], picks: &[Option<&Evaluated>]) -> Column {
    let mut dictionary = Vec::new();
    let mut starts = Vec::new();
    for value in values {
        starts.push((std::ptr::from_ref(value), dictionary.len() as u32));
        if let (Column::Text(texts), _) = value.parts() {
            dictionary.extend(texts.dictionary.iter().cloned());
        }
    }
    let codes = picks.iter().enumerate().map(|(row, pick)| {
        let Some(value) = pick else { return NULL_CODE };
        let (_, start) =
            starts.iter().find(|(known, _)| std::ptr::eq(*known, *value)).expect("a pick is a value");
        match value.parts() {
            (Column::Text(texts), stride) => start + texts.codes[row * stride],
            _ => unreachable!("all values are of one type"),
        }
    });
    Column::Text(Texts { codes: codes.collect(), dictionary: Arc::new(dictionary) })
}
