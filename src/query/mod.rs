//! SQL over the tables of a run: what a statement names is read, and nothing is written to the run.

mod output;
mod statement;
mod wide;

use std::path::Path;
use std::thread;

use anyhow::{Context, Result};

pub use output::{csv_bytes, for_people, json_lines, write_file};

use crate::expr::{Column, Type};
use crate::failure::{Kind, failure};
use crate::frame::sql::{SqlAnswer, SqlTable, SqlTrouble, answer};
use crate::run_dir::table_files::TABLES;
use crate::run_dir::{RunDirectory, rows};
use crate::suggest::{listing, near_miss};
use statement::Statement;
use wide::Known;

/// A chain of operators is as deep as it is long; this is enough for the longest statement that is taken.
const STACK_BYTES: usize = 256 << 20;

/// Answers a statement over the tables of a run. Without `order by` the rows are in any order.
pub fn query(run: &Path, text: &str) -> Result<SqlAnswer> {
    thread::scope(|scope| {
        let worker = thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, || {
            let statement = Statement::parse(text)?;
            let (run, _) = RunDirectory::open(run)?;
            answer_over(&run, &statement)
        });
        let joined = worker.context("start a thread")?.join();
        joined.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

fn answer_over(run: &RunDirectory, statement: &Statement) -> Result<SqlAnswer> {
    let named = TABLES.into_iter().filter(|table| statement.may_name_table(table));
    let mut known: Vec<(&str, Vec<(String, Type)>)> = Vec::new();
    for table in named {
        known.push((table, rows::columns(run, table)?));
    }
    let mut tables = Vec::new();
    for (table, columns) in &known {
        tables.push(read(run, table, columns, statement)?);
    }
    let named = |is_int: bool| {
        let columns = known.iter().flat_map(|(_, columns)| columns);
        let of_kind = columns.filter(move |(_, kind)| (*kind == Type::Int) == is_int);
        of_kind.map(|(name, _)| name.as_str()).collect()
    };
    let numbers = Known {
        integers: named(true),
        others: named(false),
        farthest: tables.iter().map(SqlTable::farthest).max().unwrap_or(0),
        most_rows: tables.iter().map(SqlTable::rows).max().unwrap_or(0),
    };
    let text = statement.in_128_bits(&numbers)?;
    let answer = answer(tables, &text).map_err(|trouble| refused(trouble, &known))?;
    if answer.columns.is_empty() {
        return Err(failure(Kind::Usage, "query: the statement selects no column"));
    }
    Ok(answer)
}

/// Reads the columns of a table that the statement may name.
fn read(
    run: &RunDirectory,
    table: &str,
    columns: &[(String, Type)],
    statement: &Statement,
) -> Result<SqlTable> {
    let mut wanted: Vec<&(String, Type)> =
        columns.iter().filter(|(name, _)| statement.may_name_column(name)).collect();
    if wanted.is_empty() {
        // Rows can be counted by any.
        wanted.extend(columns.first());
    }
    let names: Vec<&str> = wanted.iter().map(|(name, _)| name.as_str()).collect();
    let mut sql = SqlTable::new(table);
    rows::for_batches(run, table, &names, |batch| {
        let kind =
            |name: &str| wanted.iter().find(|(known, _)| known == name).map_or(Type::Any, |(_, kind)| *kind);
        let columns = batch.columns.into_iter();
        let columns: Vec<(String, Type, Column)> =
            columns.map(|(name, column)| (name.clone(), kind(&name), column)).collect();
        sql.add(columns)
    })?;
    Ok(sql)
}

fn refused(trouble: SqlTrouble, known: &[(&str, Vec<(String, Type)>)]) -> anyhow::Error {
    let usage = |message: String| failure(Kind::Usage, message);
    match trouble {
        SqlTrouble::NoTable(name) => {
            let help = match near_miss(&name, TABLES.into_iter()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("a run has {}", TABLES.join(", ")),
            };
            usage(format!("query: there is no table `{name}`: {help}"))
        }
        SqlTrouble::NoColumn(name) => {
            let columns = known.iter().flat_map(|(_, columns)| columns.iter().map(|(name, _)| name.as_str()));
            let help = match near_miss(&name, columns.clone()) {
                Some(near) if near != name => format!("did you mean `{near}`?"),
                _ => format!("there are {}", listing(columns)),
            };
            let of: Vec<&str> = known.iter().map(|(table, _)| *table).collect();
            usage(format!("query: there is no column `{name}` here (of {}): {help}", of.join(", ")))
        }
        SqlTrouble::TwoOfOneName(name) => usage(format!(
            "query: two columns of the answer are called `{name}`: name them, as in max(score) as best"
        )),
        SqlTrouble::Other(why) => usage(format!("query: {why}")),
        SqlTrouble::Panic(why) => usage(format!(
            "query: the SQL engine broke down over this statement ({why}): write it another way; what it groups or joins by must \
             be of 64 bits, as in cast(score + 1 as bigint)"
        )),
    }
}
