//! A statement as it is written: one, that only reads; and which tables and columns it may name.

use std::collections::HashSet;

use anyhow::Result;
use sqlparser::ast::{SetExpr, Statement as Sql};
use sqlparser::dialect::GenericDialect;
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserOptions};
use sqlparser::tokenizer::{Token, Tokenizer};

use super::wide::{Known, widen};
use crate::failure::{Kind, failure};

/// More names, values and signs than anybody writes by hand; trees of more go deep.
const MOST_TOKENS: usize = 5_000;

/// More than that many of them need.
const MOST_BYTES: usize = 100_000;

/// A statement that only reads.
pub(super) struct Statement {
    parsed: Sql,
    /// As it was given.
    text: String,
    /// All words in it, keywords among them.
    words: HashSet<String>,
    /// Whether it may name columns without their names, as `*` does.
    names_all: bool,
}

impl Statement {
    /// Takes one statement; any that would change something is refused.
    pub(super) fn parse(text: &str) -> Result<Statement> {
        if text.len() > MOST_BYTES {
            return Err(refused(&format!("it has {} bytes; at most {MOST_BYTES} are taken", text.len())));
        }
        let tokens = Tokenizer::new(&GenericDialect {}, text).tokenize();
        let tokens = tokens.map_err(|error| refused(&error.to_string()))?;
        let tokens: Vec<Token> =
            tokens.into_iter().filter(|token| !matches!(token, Token::Whitespace(_))).collect();
        if tokens.len() > MOST_TOKENS {
            let found = tokens.len();
            return Err(refused(&format!(
                "it has {found} names, values and signs; at most {MOST_TOKENS} are taken"
            )));
        }
        let parsed = parsed(text)?;
        let words = tokens.iter().filter_map(|token| match token {
            Token::Word(word) => Some(word.value.clone()),
            _ => None,
        });
        Ok(Statement {
            parsed,
            text: text.to_string(),
            words: words.collect(),
            names_all: names_all(&tokens),
        })
    }

    /// As polars is given it: with sums and products in 128 bits.
    pub(super) fn in_128_bits(&self, known: &Known) -> Result<String> {
        let mut widened = self.parsed.clone();
        match widen(&mut widened, known) {
            Ok(true) => Ok(widened.to_string()),
            Ok(false) => Ok(self.text.clone()),
            Err(name) => Err(refused(&format!(
                "a sum of `{name}` might not fit in 64 bits: write cast({name} as int128), or add up the column of the \
                 table itself"
            ))),
        }
    }

    /// Whether the name of a table is among its words.
    pub(super) fn may_name_table(&self, table: &str) -> bool {
        self.words.contains(table) || self.shows_tables()
    }

    /// Whether a column may be needed.
    pub(super) fn may_name_column(&self, column: &str) -> bool {
        self.names_all || self.words.contains(column)
    }

    fn shows_tables(&self) -> bool {
        self.words.iter().any(|word| word.eq_ignore_ascii_case("show"))
    }
}

/// The one statement of a text, if it only reads.
fn parsed(text: &str) -> Result<Sql> {
    // As polars reads it.
    let options = ParserOptions { trailing_commas: true, ..ParserOptions::default() };
    let parser = Parser::new(&GenericDialect {}).with_options(options);
    let parsed = parser.try_with_sql(text).and_then(|mut parser| parser.parse_statements());
    let mut statements = parsed.map_err(|error| refused(&error.to_string()))?;
    let reads = |statement: &Sql| match statement {
        Sql::Query(query) => !matches!(
            *query.body,
            SetExpr::Insert(_) | SetExpr::Update(_) | SetExpr::Delete(_) | SetExpr::Merge(_)
        ),
        Sql::ShowTables { .. } => true,
        _ => false,
    };
    match &statements[..] {
        [] => Err(refused(
            "it is empty; write a select, as in \"select action, count(*) from decisions group by action\"",
        )),
        [one] if reads(one) => Ok(statements.remove(0)),
        [_] => Err(refused("a run is only read: write a select, with … select, or show tables")),
        more => Err(refused(&format!("it is {} statements; one is taken at a time", more.len()))),
    }
}

/// Whether something stands for columns that are not named: a `*` that neither multiplies nor counts, a natural
/// join, a choice of columns by pattern.
fn names_all(tokens: &[Token]) -> bool {
    let is_word =
        |token: &Token, word: &str| matches!(token, Token::Word(own) if own.value.eq_ignore_ascii_case(word));
    tokens.iter().enumerate().any(|(position, token)| match token {
        Token::Mul => {
            let before = |steps: usize| position.checked_sub(steps).map(|at| &tokens[at]);
            let counts = matches!(before(1), Some(Token::LParen))
                && before(2).is_some_and(|token| is_word(token, "count"));
            !counts && !before(1).is_some_and(ends_operand)
        }
        token => ["natural", "columns"].iter().any(|word| is_word(token, word)),
    })
}

/// Whether a value may end with a token, so that a `*` after it multiplies.
fn ends_operand(token: &Token) -> bool {
    match token {
        Token::Word(word) => {
            let before_a_list = [Keyword::SELECT, Keyword::DISTINCT, Keyword::ALL, Keyword::FROM];
            word.quote_style.is_some() || !before_a_list.contains(&word.keyword)
        }
        Token::Number(..) | Token::SingleQuotedString(_) | Token::RParen | Token::RBracket => true,
        _ => false,
    }
}

fn refused(why: &str) -> anyhow::Error {
    let why = why.trim_start_matches("sql parser error: ");
    failure(Kind::Usage, format!("query: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_named_is_wanted() {
        let statement =
            Statement::parse("select band, count(*) from scores where score * 2 > 900 group by band")
                .unwrap();
        assert!(statement.may_name_table("scores") && !statement.may_name_table("decisions"));
        assert!(statement.may_name_column("band") && !statement.may_name_column("reason_1"));
        for all in [
            "select * from scores",
            "select s.* from scores s",
            "select score, * from scores",
            "select distinct * from scores",
            "select 1 from scores natural join features",
        ] {
            assert!(Statement::parse(all).unwrap().may_name_column("reason_1"), "{all}");
        }
    }

    #[test]
    fn whatever_does_not_read_is_refused() {
        for (text, why) in [
            ("delete from scores", "a run is only read"),
            ("drop table scores", "a run is only read"),
            ("create table a as select 1", "a run is only read"),
            ("truncate table scores", "a run is only read"),
            ("explain select 1", "a run is only read"),
            ("select 1; select 2", "2 statements"),
            ("", "it is empty"),
            ("select 'a", "Unterminated string"),
            ("selec 1", "Expected"),
        ] {
            let error = Statement::parse(text).err().map(|error| error.to_string()).unwrap_or_default();
            assert!(error.contains(why), "{text}: {error}");
            assert_eq!(error.lines().count(), 1);
        }
        assert!(Statement::parse("show tables").unwrap().may_name_table("scores"));
        assert!(Statement::parse(&format!("select 1{}", " + 1".repeat(3_000))).is_err());
    }
}
