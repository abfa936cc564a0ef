//! What is wrong with an expression, and where in its text.

use std::ops::Range;

use sqlparser::tokenizer::Location;

/// What is wrong with an expression, and where in its text.
#[derive(Debug, Clone)]
pub struct ExprError {
    /// Bytes of the expression's text; empty where only the whole can be pointed at.
    pub range: Range<usize>,
    /// One sentence.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
}

/// What an expression may be made of, for the help of a mistake.
pub(super) const GRAMMAR: &str = "an expression is made of integers, 'text', date '2026-01-31', true, false, null, \
     column names, = <> != < <= > >=, and, or, not, in (…), between, is [not] null, + - * %, \
     case when … end and coalesce(…)";

/// Levels of an expression within one another; chains of `and`, `or` and of sums are one level.
pub(super) const MOST_LEVELS: usize = 64;

/// The mistake of an expression that is nested too deeply at a range of its text.
pub(super) fn too_deep(range: Range<usize>) -> ExprError {
    let message = format!("the expression is nested too deeply: at most {MOST_LEVELS} levels are taken");
    let help = "split it: features and rules can build on one another";
    ExprError { range, message, help: Some(help.to_string()) }
}

/// The byte offset of a 1-based line and column, columns counted in characters.
pub(super) fn offset(text: &str, at: Location) -> usize {
    let line_start =
        text.split_inclusive('\n').take((at.line as usize).saturating_sub(1)).map(str::len).sum::<usize>();
    text[line_start..]
        .char_indices()
        .nth((at.column as usize).saturating_sub(1))
        .map_or(text.len(), |(i, _)| line_start + i)
}
