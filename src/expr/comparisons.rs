//! Where an expression holds a column against an integer, as it is written: so that the integer can be moved in its text.

use std::ops::Range;

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::mistake::offset;
use super::parse::tokens;

/// Which values a bound takes along.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BoundKind {
    /// It parts values less than it from it and those above: `<`, `>=`, the first of `between`.
    FromIt,
    /// It parts it and values less than it from those above: `<=`, `>`, the last of `between`.
    AfterIt,
}

/// An integer that a column is held against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenBound {
    /// The column's name.
    pub column: String,
    /// The integer.
    pub value: i64,
    /// Where the integer is written, with its sign.
    pub place: Range<usize>,
    /// On which side it lies itself.
    pub kind: BoundKind,
}

/// The columns that an expression reads in another way than as a bound: `=`, `in`, arithmetic, another column.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WrittenBounds {
    /// In the order of the text.
    pub bounds: Vec<WrittenBound>,
    /// Each as often as it is read so.
    pub others: Vec<String>,
}

/// The bounds of some columns in an expression that can be parsed.
pub fn written_bounds(text: &str, columns: &[&str]) -> WrittenBounds {
    let Ok(tokens) = tokens(text) else { return WrittenBounds::default() };
    let tokens: Vec<&TokenWithSpan> =
        tokens.iter().filter(|token| !matches!(token.token, Token::Whitespace(_))).collect();
    let mut found = WrittenBounds::default();
    for (position, token) in tokens.iter().enumerate() {
        let Token::Word(word) = &token.token else { continue };
        if !columns.contains(&word.value.as_str()) {
            continue;
        }
        let reading = BoundReading { text, tokens: &tokens, column: &word.value };
        let bounds = reading.after(position).or_else(|| reading.before(position));
        match bounds {
            Some(bounds) => found.bounds.extend(bounds),
            None => found.others.push(word.value.clone()),
        }
    }
    found
}

struct BoundReading<'t> {
    text: &'t str,
    tokens: &'t [&'t TokenWithSpan],
    column: &'t str,
}

/// An integer in the text.
struct WrittenInteger {
    value: i64,
    place: Range<usize>,
    /// The position of what stands behind it.
    next: usize,
}

impl BoundReading<'_> {
    fn token(&self, position: usize) -> Option<&Token> {
        self.tokens.get(position).map(|token| &token.token)
    }

    /// The bounds behind a column: `score < 580`, `score between 580 and 640`.
    fn after(&self, position: usize) -> Option<Vec<WrittenBound>> {
        if !self.begins(position) {
            return None;
        }
        if let Some(kind) = self.token(position + 1).and_then(bound_kind) {
            let integer = self.integer(position + 2).filter(|integer| self.ends(integer.next))?;
            return Some(vec![self.bound(integer, kind)]);
        }
        let is = |position: usize, keyword: Keyword| matches!(self.token(position), Some(Token::Word(word)) if word.keyword == keyword);
        let between = position + 1 + usize::from(is(position + 1, Keyword::NOT));
        if !is(between, Keyword::BETWEEN) {
            return None;
        }
        let low = self.integer(between + 1).filter(|low| is(low.next, Keyword::AND))?;
        let high = self.integer(low.next + 1).filter(|high| self.ends(high.next))?;
        Some(vec![self.bound(low, BoundKind::FromIt), self.bound(high, BoundKind::AfterIt)])
    }

    /// The bound before a column: `580 > score`.
    fn before(&self, position: usize) -> Option<Vec<WrittenBound>> {
        let kind = bound_kind(self.token(position.checked_sub(1)?)?)?;
        // Seen from the other side, the bound itself is on the other side, too.
        let kind = match kind {
            BoundKind::FromIt => BoundKind::AfterIt,
            BoundKind::AfterIt => BoundKind::FromIt,
        };
        let digits = position.checked_sub(2)?;
        let has_sign = digits > 0 && matches!(self.token(digits - 1), Some(Token::Minus));
        let start = digits - usize::from(has_sign);
        let integer = self.integer(start).filter(|integer| integer.next == position - 1)?;
        (self.begins(start) && self.ends(position + 1)).then(|| vec![self.bound(integer, kind)])
    }

    /// Whether nothing is computed with what begins here.
    fn begins(&self, position: usize) -> bool {
        let Some(before) = position.checked_sub(1).and_then(|before| self.token(before)) else { return true };
        match before {
            Token::LParen | Token::Comma => true,
            Token::Word(word) => STARTERS.contains(&word.keyword),
            _ => false,
        }
    }

    /// Whether nothing is computed with what ends before here.
    fn ends(&self, position: usize) -> bool {
        match self.token(position) {
            None | Some(Token::RParen | Token::Comma | Token::EOF) => true,
            Some(Token::Word(word)) => ENDERS.contains(&word.keyword),
            Some(_) => false,
        }
    }

    fn integer(&self, position: usize) -> Option<WrittenInteger> {
        let is_negative = matches!(self.token(position), Some(Token::Minus));
        let digits = position + usize::from(is_negative);
        let Some(Token::Number(number, _)) = self.token(digits) else { return None };
        let value: i64 = number.replace('_', "").parse().ok()?;
        let start = offset(self.text, self.tokens[position].span.start);
        let end = offset(self.text, self.tokens[digits].span.end);
        Some(WrittenInteger {
            value: if is_negative { -value } else { value },
            place: start..end,
            next: digits + 1,
        })
    }

    fn bound(&self, integer: WrittenInteger, kind: BoundKind) -> WrittenBound {
        WrittenBound { column: self.column.to_string(), value: integer.value, place: integer.place, kind }
    }
}

/// What may stand before a comparison.
const STARTERS: [Keyword; 6] =
    [Keyword::AND, Keyword::OR, Keyword::NOT, Keyword::WHEN, Keyword::THEN, Keyword::ELSE];

/// What may stand behind one.
const ENDERS: [Keyword; 6] =
    [Keyword::AND, Keyword::OR, Keyword::THEN, Keyword::ELSE, Keyword::END, Keyword::WHEN];

fn bound_kind(sign: &Token) -> Option<BoundKind> {
    match sign {
        Token::Lt | Token::GtEq => Some(BoundKind::FromIt),
        Token::LtEq | Token::Gt => Some(BoundKind::AfterIt),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_found_where_they_are_written() {
        for (text, bounds, others) in [
            ("score < 580", vec![("580", BoundKind::FromIt)], 0),
            ("score <= 580 and late = 0", vec![("580", BoundKind::AfterIt)], 0),
            ("(score>-5)", vec![("-5", BoundKind::AfterIt)], 0),
            ("not score >= 5 or 7 > score", vec![("5", BoundKind::FromIt), ("7", BoundKind::FromIt)], 0),
            ("7 >= score", vec![("7", BoundKind::AfterIt)], 0),
            ("-7 <= score", vec![("-7", BoundKind::FromIt)], 0),
            (
                "score not between 1 and 20 and x between 3 and 4",
                vec![("1", BoundKind::FromIt), ("20", BoundKind::AfterIt)],
                0,
            ),
            ("score + 1 < 580", vec![], 1),
            ("2 * score < 580", vec![], 1),
            ("score < 580 + x", vec![], 1),
            ("580 + 1 > score", vec![], 1),
            ("score = 580 or score in (1, 2)", vec![], 2),
            ("score < previous_score", vec![], 1),
            ("case when score < 600 then 1 else score end", vec![("600", BoundKind::FromIt)], 1),
        ] {
            let found = written_bounds(text, &["score"]);
            let own: Vec<(&str, BoundKind)> =
                found.bounds.iter().map(|bound| (&text[bound.place.clone()], bound.kind)).collect();
            assert_eq!((own, found.others.len()), (bounds, others), "{text}");
        }
    }
}
