//! SQL over tables of a run, by polars: columns in, a statement, columns of plain values out.
//!
//! polars adds without a look at what a type can hold; whoever asks sees to it that sums and products are of Int128.
//! Integers leave as integers. What divides or takes a mean is a float, as the operators of SQL here are.

use std::panic::{self, AssertUnwindSafe};

use anyhow::Result;
use polars::error::{PolarsError, set_warning_function};
use polars::prelude::{
    AnyValue, BooleanChunked, Column as PolarsColumn, DataFrame, DataType, Int64Chunked, IntoColumn,
    IntoLazy, NamedFrom, Series, StringChunked,
};
use polars::sql::SQLContext;

use crate::expr::column::{TRUE, UNKNOWN};
use crate::expr::{Column, Type};

/// A table that a statement may name.
pub struct SqlTable {
    name: String,
    frame: Option<DataFrame>,
    farthest: u64,
}

impl SqlTable {
    /// A table without columns as yet.
    pub fn new(name: &str) -> SqlTable {
        SqlTable { name: name.to_string(), frame: None, farthest: 0 }
    }

    /// Adds rows: the table's columns with their names and types, the same each time.
    pub fn add(&mut self, columns: Vec<(String, Type, Column)>) -> Result<()> {
        for (_, _, column) in &columns {
            if let Column::Int(ints) = column {
                let own = ints.values.iter().map(|value| value.unsigned_abs()).max();
                self.farthest = self.farthest.max(own.unwrap_or(0));
            }
        }
        let rows = columns.first().map_or(0, |(_, _, column)| column.len());
        let columns: Result<Vec<PolarsColumn>, PolarsError> =
            columns.into_iter().map(|(name, kind, column)| polars_column(&name, kind, column)).collect();
        let batch = DataFrame::new(rows, columns?)?;
        match &mut self.frame {
            Some(frame) => drop(frame.vstack_mut(&batch)?),
            None => self.frame = Some(batch),
        }
        Ok(())
    }
}

impl SqlTable {
    /// No value of a column of integers is farther from zero.
    pub fn farthest(&self) -> u128 {
        self.farthest.into()
    }

    /// How many rows it has.
    pub fn rows(&self) -> u128 {
        self.frame.as_ref().map_or(0, |frame| frame.height() as u128)
    }
}

fn polars_column(name: &str, kind: Type, column: Column) -> Result<PolarsColumn, PolarsError> {
    let series = match column {
        Column::Int(ints) => {
            let valid = ints.valid.map(|valid| valid.as_slice().into());
            let days_or_numbers = Int64Chunked::from_vec_validity(name.into(), ints.values, valid);
            let series = days_or_numbers.into_column().take_materialized_series();
            match kind {
                Type::Date => series.cast(&DataType::Int32)?.cast(&DataType::Date)?,
                _ => series,
            }
        }
        Column::Text(texts) => {
            let texts: Vec<Option<&str>> = (0..texts.codes.len()).map(|row| texts.get(row)).collect();
            Series::new(name.into(), texts)
        }
        Column::Bool(truths) => {
            let truths: Vec<Option<bool>> =
                truths.into_iter().map(|truth| (truth != UNKNOWN).then_some(truth == TRUE)).collect();
            Series::new(name.into(), truths)
        }
        Column::Wide(_) => {
            return Err(PolarsError::ComputeError("integers of a table are of 64 bits".into()));
        }
    };
    Ok(series.into_column())
}

/// What a statement comes to.
#[derive(Debug)]
pub struct SqlAnswer {
    /// How many rows.
    pub rows: usize,
    /// By name, in the order of the statement.
    pub columns: Vec<(String, SqlColumn)>,
}

/// A column of an answer; `None` where null.
#[derive(Debug, Clone, PartialEq)]
pub enum SqlColumn {
    /// Integers; money in minor units.
    Int(Vec<Option<i128>>),
    /// What was divided, or is a mean.
    Float(Vec<Option<f64>>),
    /// Text, and whatever has no column of its own here, written out.
    Text(Vec<Option<String>>),
    /// True or false.
    Bool(Vec<Option<bool>>),
    /// Days since 1970-01-01.
    Date(Vec<Option<i32>>),
}

/// Why there is no answer.
#[derive(Debug)]
pub enum SqlTrouble {
    /// No table has a column of this name.
    NoColumn(String),
    /// There is no table of this name.
    NoTable(String),
    /// Two columns of the answer have this name.
    TwoOfOneName(String),
    /// Anything else, in one line.
    Other(String),
    /// The engine broke down over it.
    Panic(String),
}

/// Answers a statement over tables. Without `order by` the rows are in any order.
pub fn answer(tables: Vec<SqlTable>, statement: &str) -> Result<SqlAnswer, SqlTrouble> {
    set_warning_function(|_, _| {});
    let computed = guarded(|| {
        let mut context = SQLContext::new();
        for SqlTable { name, frame, .. } in tables {
            context.register(&name, frame.unwrap_or_default().lazy());
        }
        let frame = context.execute(statement)?.collect()?;
        let columns = frame.columns().iter();
        let columns: Result<Vec<_>, PolarsError> = columns
            .map(|column| Ok((column.name().to_string(), plain(column.as_materialized_series())?)))
            .collect();
        Ok(SqlAnswer { rows: frame.height(), columns: columns? })
    });
    computed.map_err(SqlTrouble::Panic)?.map_err(|error: PolarsError| trouble(&error))
}

/// Runs what may panic; `Err` is what the panic said. Nothing is printed of it.
fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let done = panic::catch_unwind(AssertUnwindSafe(work));
    panic::set_hook(hook);
    done.map_err(|said| {
        let text = said.downcast_ref::<String>().map(String::as_str);
        first_line(text.or_else(|| said.downcast_ref::<&str>().copied()).unwrap_or("it did not say why"))
    })
}

fn plain(series: &Series) -> Result<SqlColumn, PolarsError> {
    Ok(match series.dtype() {
        kind if kind.is_integer() => {
            let wide = series.cast(&DataType::Int128)?;
            SqlColumn::Int(wide.i128()?.iter().collect())
        }
        kind if kind.is_float() => {
            let wide = series.cast(&DataType::Float64)?;
            SqlColumn::Float(wide.f64()?.iter().collect())
        }
        DataType::Boolean => {
            let truths: &BooleanChunked = series.bool()?;
            SqlColumn::Bool(truths.iter().collect())
        }
        DataType::String => {
            let texts: &StringChunked = series.str()?;
            SqlColumn::Text(texts.iter().map(|text| text.map(str::to_string)).collect())
        }
        DataType::Date => {
            let days = series.cast(&DataType::Int32)?;
            SqlColumn::Date(days.i32()?.iter().collect())
        }
        _ => SqlColumn::Text(series.iter().map(written_out).collect()),
    })
}

fn written_out(value: AnyValue) -> Option<String> {
    (!value.is_null()).then(|| value.to_string())
}

fn trouble(error: &PolarsError) -> SqlTrouble {
    match error {
        PolarsError::Context { error, .. } | PolarsError::ExprContext { error, .. } => trouble(error),
        PolarsError::ColumnNotFound(message) | PolarsError::SchemaFieldNotFound(message) => {
            match quoted(message) {
                Some(name) => SqlTrouble::NoColumn(name),
                None => SqlTrouble::Other(first_line(message)),
            }
        }
        PolarsError::Duplicate(message) => match quoted(message) {
            Some(name) => SqlTrouble::TwoOfOneName(name),
            None => SqlTrouble::Other(first_line(message)),
        },
        PolarsError::SQLInterface(message) if message.starts_with("relation ") => match quoted(message) {
            Some(name) => SqlTrouble::NoTable(name),
            None => SqlTrouble::Other(first_line(message)),
        },
        other => SqlTrouble::Other(first_line(&other.to_string())),
    }
}

/// The first name in quotes of any kind.
fn quoted(message: &str) -> Option<String> {
    let start = message.find(['"', '\'', '`'])?;
    let quote = message[start..].chars().next()?;
    let name = message[start + 1..].split(quote).next()?;
    Some(name.to_string()).filter(|name| !name.is_empty())
}

/// The first line of a message, without the parts of programs that some quote.
fn first_line(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default().trim_end_matches(':').trim();
    match (line.find(" {"), line.rfind('}')) {
        (Some(start), Some(end)) if start < end => format!("{} …{}", &line[..start], &line[end + 1..]),
        _ => line.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expr::{Ints, Texts};

    fn table() -> SqlTable {
        let mut table = SqlTable::new("book");
        for values in [vec![Some(i64::MAX), None], vec![Some(i64::MAX), Some(-1)]] {
            let rows = values.len();
            let amounts: Ints = values.into_iter().collect();
            let names: Texts = ["a", "b"].into_iter().map(Some).take(rows).collect();
            let days: Ints = [Some(0), None].into_iter().take(rows).collect();
            let added = table.add(vec![
                ("amount".to_string(), Type::Int, Column::Int(amounts)),
                ("name".to_string(), Type::Text, Column::Text(names)),
                ("day".to_string(), Type::Date, Column::Int(days)),
            ]);
            added.unwrap();
        }
        table
    }

    fn column(statement: &str) -> SqlColumn {
        answer(vec![table()], statement).unwrap().columns.remove(0).1
    }

    #[test]
    fn what_is_cast_to_128_bits_does_not_run_over() {
        let most = i128::from(i64::MAX);
        let sum = column("select sum(cast(amount as int128)) from book");
        assert_eq!(sum, SqlColumn::Int(vec![Some(2 * most - 1)]));
        let squares = column("select max(cast(amount as int128) * cast(amount as int128)) from book");
        assert_eq!(squares, SqlColumn::Int(vec![Some(most * most)]));
        let by_name =
            column("select sum(cast(amount as int128)) as s from book group by name order by s desc");
        assert_eq!(by_name, SqlColumn::Int(vec![Some(2 * most), Some(-1)]));
    }

    #[test]
    fn messages_are_one_line_without_parts_of_programs() {
        assert_eq!(
            first_line("exists Query { a: B { c } } is not supported\nat all"),
            "exists Query … is not supported"
        );
        assert_eq!(first_line("plain:"), "plain");
    }

    #[test]
    fn columns_are_filtered_joined_and_compared() {
        let count = |statement: &str| match column(statement) {
            SqlColumn::Int(values) => values[0].unwrap(),
            other => panic!("{other:?}"),
        };
        for (statement, expected) in [
            ("select count(*) from book where amount > 5", 2),
            ("select count(*) from book where amount in (-1, 7)", 1),
            ("select count(*) from book where amount between -5 and 5", 1),
            ("select count(*) from book where amount is null", 1),
            ("select count(*) from book where day = date '1970-01-01'", 2),
            ("select count(*) from book where day is null and name = 'b'", 2),
            ("select count(distinct amount) from book", 2),
            ("select count(*) from book a join book b on a.amount = b.amount", 5),
            ("select count(*) from (select amount from book group by amount) t", 3),
            ("select count(*) from (select name, sum(amount) from book group by name) t", 2),
            ("with t as (select amount from book) select count(*) from t where amount = -1", 1),
            ("select sum(case when amount > 0 then 1 else 0 end) from book", 2),
        ] {
            assert_eq!(count(statement), expected, "{statement}");
        }
        assert_eq!(column("select max(day) from book"), SqlColumn::Date(vec![Some(0)]));
        assert_eq!(
            column("select avg(amount) from book where amount < 0"),
            SqlColumn::Float(vec![Some(-1.0)])
        );
    }

    #[test]
    fn what_is_not_there_is_named() {
        let trouble = |statement: &str| answer(vec![table()], statement).unwrap_err();
        assert!(matches!(trouble("select amuont from book"), SqlTrouble::NoColumn(name) if name == "amuont"));
        assert!(matches!(trouble("select 1 from bok"), SqlTrouble::NoTable(name) if name == "bok"));
        assert!(matches!(trouble("select nosuch(amount) from book"), SqlTrouble::Other(_)));
    }

    #[test]
    fn a_panic_is_an_error_with_its_words() {
        assert_eq!(guarded(|| panic!("it broke\nbadly")).unwrap_err(), "it broke");
        assert_eq!(guarded(|| 1), Ok(1));
    }
}
