//! The values of a field in cells: within one, every comparison that a model makes comes out the same.

use super::super::decimal::Decimal;
use super::expression::FieldConstants;
use super::fields::Field;
use super::value::{FieldValue, ValueKind};

/// Some values of a field that nothing tells apart.
#[derive(Debug, Clone)]
pub struct FieldCell {
    /// One of them.
    pub example: FieldValue,
    /// Which values of the feature they are.
    pub values: CellValues,
}

/// Values of a feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CellValues {
    /// Null.
    Null,
    /// A single number of the field, and the whole number that it is, if it is one.
    Point(Option<i64>),
    /// All numbers between two neighbouring points, and the last whole number among them, if there is one.
    Between(Option<LastWhole>),
}

/// The last whole number of some.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LastWhole {
    /// This one.
    At(i64),
    /// There is none: they have no end.
    Endless,
}

/// A number of a field is out of what a feature can hold, at the feature's scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutOfRange(pub Decimal);

/// A text that no file has, for all that is not named.
const ANOTHER_TEXT: &str = "\u{1}another";

/// The cells of a field, nulls first, then ascending. `scale` units of the feature are one of the field.
pub fn cells(field: &Field, constants: &FieldConstants, scale: i64) -> Result<Vec<FieldCell>, OutOfRange> {
    let null = FieldCell { example: FieldValue::Missing, values: CellValues::Null };
    let coded = |texts: &mut dyn Iterator<Item = (i64, String)>| {
        texts
            .map(|(code, text)| FieldCell {
                example: FieldValue::Text(text),
                values: CellValues::Point(Some(code)),
            })
            .collect::<Vec<_>>()
    };
    let rest = match field.kind {
        ValueKind::Truth => coded(&mut [(0, "false".to_string()), (1, "true".to_string())].into_iter()),
        ValueKind::Text => {
            let named = (1..).zip(codes(field, constants));
            coded(&mut std::iter::once((0, ANOTHER_TEXT.to_string())).chain(named))
        }
        ValueKind::Whole | ValueKind::Real => numbers(field, constants, scale)?,
    };
    Ok(std::iter::once(null).chain(rest).collect())
}

/// The texts of a field in the order of their codes, the first of which is 1.
pub fn codes(field: &Field, constants: &FieldConstants) -> Vec<String> {
    let mut texts: Vec<String> = Vec::new();
    let listed = field.valid.iter().chain(&field.missing).chain(&field.invalid);
    let listed = listed.filter_map(|value| match value {
        FieldValue::Text(text) => Some(text),
        _ => None,
    });
    for text in listed.chain(&constants.texts) {
        if !texts.contains(text) {
            texts.push(text.clone());
        }
    }
    texts
}

/// Points and what lies between them.
fn numbers(field: &Field, constants: &FieldConstants, scale: i64) -> Result<Vec<FieldCell>, OutOfRange> {
    let mut points: Vec<Decimal> = field.cuts();
    points.extend(&constants.numbers);
    points.sort();
    points.dedup();
    let number = |value: Decimal| FieldValue::Number(value);
    let Some(first) = points.first() else {
        let all = CellValues::Between(Some(LastWhole::Endless));
        return Ok(vec![FieldCell { example: number(Decimal::ZERO), values: all }]);
    };
    let one = Decimal::whole(1);
    let before = first.plus(one.negative()).ok_or(OutOfRange(*first))?;
    let mut cells = Vec::new();
    let mut example = before;
    let mut from: Option<Decimal> = None;
    for point in &points {
        let scaled = scaled(*point, scale)?;
        let whole = scaled.is_whole().then(|| scaled.floor() as i64);
        let last_before = scaled.ceil() - 1;
        let is_some = from.is_none_or(|from| from.floor() < last_before);
        let last = is_some.then_some(LastWhole::At(last_before as i64));
        cells.push(FieldCell { example: number(example), values: CellValues::Between(last) });
        cells.push(FieldCell { example: number(*point), values: CellValues::Point(whole) });
        from = Some(scaled);
        let next = points.iter().find(|next| *next > point).copied();
        let inner = next.map_or(point.plus(one), |next| point.between(next));
        example = inner.ok_or(OutOfRange(*point))?;
    }
    let values = CellValues::Between(Some(LastWhole::Endless));
    cells.push(FieldCell { example: number(example), values });
    Ok(cells)
}

/// In units of the feature, where its bounds fit.
fn scaled(point: Decimal, scale: i64) -> Result<Decimal, OutOfRange> {
    let scaled = point.times(scale).ok_or(OutOfRange(point))?;
    let fits = |value: i128| value > i128::from(i64::MIN) + 1 && value < i128::from(i64::MAX) - 1;
    if fits(scaled.floor()) && fits(scaled.ceil()) { Ok(scaled) } else { Err(OutOfRange(point)) }
}
