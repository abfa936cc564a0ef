//! From SQL text to a checked expression: the grammar is sqlparser's, and its size is bounded here.

use std::ops::Range;
use std::thread;

use sqlparser::ast::Expr as Sql;
use sqlparser::dialect::GenericDialect;
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Location, Token, TokenWithSpan, Tokenizer};

use super::bind::bind;
use super::column::Type;
use super::mistake::{ExprError, GRAMMAR, MOST_LEVELS, offset, too_deep};
use super::node::Expr;
use super::scope::Scope;

/// More than any list of shops or codes that a person keeps in a job file.
const MOST_BYTES: usize = 250_000;

/// Names, values and signs of an expression.
const MOST_TOKENS: usize = 50_000;

/// Integers are exact however long, but results fit in 64 bits.
const MOST_DIGITS: usize = 100;

/// How deep sqlparser may descend; what it lets through, the binder counts in levels that people see.
const MOST_DESCENTS: usize = 200;

impl Expr {
    /// Parses and checks an expression that must be of type `wanted`; several mistakes are reported at once.
    pub fn parse(text: &str, wanted: Type, scope: &Scope) -> Result<Expr, Vec<ExprError>> {
        let tokens = tokens(text).map_err(|error| vec![error])?;
        with_stack_for(tokens.len(), || {
            let sql = parse_tokens(text, tokens).map_err(|error| vec![error])?;
            bind(text, &sql, wanted, scope)
        })
    }
}

/// Runs `work` on a stack that fits a tree of so many tokens: sqlparser's is as deep as a chain is long, and
/// its spans, its text and its end are computed by recursion.
fn with_stack_for<T: Send>(tokens: usize, work: impl FnOnce() -> T + Send) -> T {
    const MOST_ON_ANY_STACK: usize = 500;
    const BYTES_A_TOKEN: usize = 8 << 10;
    if tokens <= MOST_ON_ANY_STACK {
        return work();
    }
    thread::scope(|scope| {
        let builder = thread::Builder::new().stack_size(tokens * BYTES_A_TOKEN);
        let worker = builder.spawn_scoped(scope, work).expect("a thread starts");
        worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

fn whole(text: &str, message: String, help: &str) -> ExprError {
    ExprError { range: 0..text.len(), message, help: Some(help.to_string()) }
}

/// Cuts the text into tokens, and bounds them.
pub(super) fn tokens(text: &str) -> Result<Vec<TokenWithSpan>, ExprError> {
    const SPLIT: &str = "split it: features and rules can build on one another";
    if text.trim().is_empty() {
        return Err(whole(text, "the expression is empty".to_string(), GRAMMAR));
    }
    if text.len() > MOST_BYTES {
        let message = format!("the expression has {} bytes; at most {MOST_BYTES} are taken", text.len());
        return Err(whole(text, message, SPLIT));
    }
    let tokens = Tokenizer::new(&GenericDialect {}, text).tokenize_with_location();
    let tokens: Vec<TokenWithSpan> = tokens.map_err(|error| syntax(text, &error.into()))?;
    let counted = tokens.iter().filter(|token| !matches!(token.token, Token::Whitespace(_))).count();
    if counted > MOST_TOKENS {
        let message =
            format!("the expression has {counted} names, values and signs; at most {MOST_TOKENS} are taken");
        return Err(whole(text, message, SPLIT));
    }
    if let Some(token) = first_too_deep(&tokens) {
        return Err(too_deep(offset(text, token.span.start)..offset(text, token.span.end)));
    }
    let refused = tokens.iter().find_map(|token| match &token.token {
        // Of `position` in `position` sqlparser tries all readings, which double at each level.
        Token::Word(word) if word.keyword == Keyword::POSITION && is_called(text, token) => {
            Some((token, format!("the function `{}` is not taken here", word.value), GRAMMAR))
        }
        Token::DoubleEq => Some((token, "the operator `==` is not taken".to_string(), "write `=`")),
        Token::Number(digits, _) if digits.len() > MOST_DIGITS => {
            let message = format!("an integer of {} digits; at most {MOST_DIGITS} are taken", digits.len());
            Some((token, message, "results are 64-bit integers"))
        }
        _ => None,
    });
    match refused {
        Some((token, message, help)) => {
            let range = offset(text, token.span.start)..offset(text, token.span.end);
            Err(ExprError { range, message, help: Some(help.to_string()) })
        }
        None => Ok(tokens),
    }
}

/// Whether a parenthesis follows.
fn is_called(text: &str, token: &TokenWithSpan) -> bool {
    text[offset(text, token.span.end)..].trim_start().starts_with('(')
}

/// Where parentheses, cases and runs of `not` and of signs go deeper than the binder would follow. sqlparser
/// would say something else there, or take another reading.
fn first_too_deep(tokens: &[TokenWithSpan]) -> Option<&TokenWithSpan> {
    let (mut level, mut run) = (0_usize, 0);
    tokens.iter().find(|token| {
        match &token.token {
            Token::Whitespace(_) => return false,
            Token::Word(word) if word.keyword == Keyword::NOT => run += 1,
            Token::Minus | Token::Plus => run += 1,
            other => {
                run = 0;
                match other {
                    Token::LParen => level += 1,
                    Token::Word(word) if word.keyword == Keyword::CASE => level += 1,
                    Token::RParen => level = level.saturating_sub(1),
                    Token::Word(word) if word.keyword == Keyword::END => level = level.saturating_sub(1),
                    _ => {}
                }
            }
        }
        // The first sign of a run may stand between two values.
        level + run > MOST_LEVELS + 1
    })
}

fn parse_tokens(text: &str, tokens: Vec<TokenWithSpan>) -> Result<Sql, ExprError> {
    let dialect = GenericDialect {};
    let parser = Parser::new(&dialect).with_recursion_limit(MOST_DESCENTS);
    let mut parser = parser.with_tokens_with_locations(tokens);
    let sql = parser.parse_expr().map_err(|error| syntax(text, &error))?;
    let rest = parser.peek_token();
    if rest.token != Token::EOF {
        let range = offset(text, rest.span.start)..offset(text, rest.span.end);
        let message = format!("`{}` cannot follow here", rest.token);
        return Err(ExprError { range, message, help: Some(GRAMMAR.to_string()) });
    }
    Ok(sql)
}

/// What sqlparser says, in place.
fn syntax(text: &str, error: &ParserError) -> ExprError {
    if *error == ParserError::RecursionLimitExceeded {
        return too_deep(0..text.len());
    }
    let message = error.to_string().replace("sql parser error: ", "");
    let (message, range) = locate_message(text, &message);
    ExprError { range, message, help: Some(GRAMMAR.to_string()) }
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
