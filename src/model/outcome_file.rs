//! Outcomes from a file: which of its rows belongs to a row of the sample, and what it says.

use std::path::Path;

use anyhow::Result;
use rayon::prelude::*;

use super::file::Match;
use super::outcome::Outcomes;
use super::rows::SpineRows;
use super::sample::RowOutcome;
use crate::console::Progress;
use crate::day::Day;
use crate::expr::column::{FALSE, TRUE};
use crate::expr::{Column, Texts, Type};
use crate::failure::input;
use crate::hash;
use crate::input::accounts::{Accounts, OFF_BOOK, compare_ids, distinct_ids, id_text};
use crate::input::file::OpenFile;
use crate::input::wanted::{Role, Units, Wanted};
use crate::input::whole::{open_whole, read_whole};
use crate::job::{InputSpec, Job, input_names};
use crate::spine::days_of;

/// A file of outcomes, in order of account, product and day.
pub(super) struct OutcomeFile {
    file: OpenFile,
    accounts: Accounts,
    /// Whether products count.
    has_products: bool,
    /// Numbers of products.
    products: hash::Map<String, u32>,
    /// Each key once.
    entries: Vec<Entry>,
    /// The last as-of date; `None` where no row has one.
    last: Option<Day>,
    /// Rows that say what another row says, too.
    repeats: u64,
    /// Rows without an account or a date.
    without_key: u64,
}

/// What a row of the outcomes is found by, and what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    account: u32,
    product: u32,
    as_of: Day,
    row: u32,
    outcome: RowOutcome,
}

impl Entry {
    fn key(&self) -> (u32, u32, Day) {
        (self.account, self.product, self.as_of)
    }
}

/// Stands for no product.
const NO_PRODUCT: u32 = u32::MAX;

/// Stands for a product that the outcomes don't know.
const UNKNOWN_PRODUCT: u32 = u32::MAX - 1;

/// Looks up the outcome of every row. Rows of the file that have one key and disagree are an error.
pub(super) fn look_up(
    path: &Path,
    column: &str,
    by: Match,
    rows: &SpineRows,
    job: &Job,
    progress: &Progress,
) -> Result<Outcomes> {
    let outcomes = OutcomeFile::read(path, column, rows.product.is_some(), job, progress)?;
    let by_row = outcomes.of_rows(rows, by);
    outcomes.file.check_unchanged()?;
    let OutcomeFile { repeats, without_key, last, .. } = outcomes;
    Ok(Outcomes { by_row, known_until: last, repeats, without_key, ..Outcomes::default() })
}

impl OutcomeFile {
    /// What happened to each row.
    pub(super) fn of_rows(&self, rows: &SpineRows, by: Match) -> Vec<RowOutcome> {
        let accounts = self.accounts.positions(&rows.asked.account);
        let by_row = (0..rows.len()).into_par_iter().map(|row| {
            let Some(as_of) = rows.asked.days[row].map(|day| day.as_of) else { return RowOutcome::Unmatched };
            let product = match &rows.product {
                Some(products) if self.has_products => self.product(products.get(row)),
                _ => NO_PRODUCT,
            };
            self.of(accounts[row], product, as_of, by)
        });
        by_row.collect()
    }

    /// Reads it; products count where the spine has them and the file has them, too.
    pub(super) fn read(
        path: &Path,
        column: &str,
        spine_has_products: bool,
        job: &Job,
        progress: &Progress,
    ) -> Result<OutcomeFile> {
        let spec = InputSpec::of_file(input_names::OUTCOMES, path);
        let file = open_whole(&spec, path)?;
        let account_kind = job.scopes.account_kind();
        let mut wanted = vec![
            Wanted::new("account_id", Role::Id).of(account_kind),
            Wanted::new("as_of", Role::Date),
            outcome_column(&file, &spec, column)?,
        ];
        let has_products =
            spine_has_products && file.columns(&spec).iter().any(|(name, _)| name == "product");
        if has_products {
            wanted.push(Wanted::new("product", Role::Text).of(Type::Text));
        }
        let mut columns = read_whole(&file, &spec, &wanted, &Units::of(job), progress)?.into_iter();
        let mut next = || columns.next().expect("as many as wanted");
        let (account, as_of, outcome) = (next(), next(), next());
        let products = has_products.then(next);
        let Column::Int(as_of) = as_of else { unreachable!("dates are days") };
        let outcome = values(&outcome, column, &file.subject)?;
        let days: Vec<Option<Day>> = days_of(&as_of).collect();
        let (accounts, keyed) = accounts_of(&account, &days);
        let without_key = (days.len() - keyed.len()) as u64;
        let mut known = hash::Map::default();
        let numbers = products.as_ref().map(|products| numbers(products, &mut known));
        let positions = accounts.positions(&account);
        let entries = keyed.into_iter().map(|row| Entry {
            account: positions[row as usize],
            product: numbers.as_ref().map_or(NO_PRODUCT, |numbers| numbers[row as usize]),
            as_of: days[row as usize].expect("it has a key"),
            row,
            outcome: outcome[row as usize],
        });
        let mut entries: Vec<Entry> = entries.collect();
        entries.par_sort_unstable();
        let last = entries.iter().map(|entry| entry.as_of).max();
        check_agreement(&entries, &file, &account)?;
        let rows = entries.len();
        entries.dedup_by_key(|entry| entry.key());
        let repeats = (rows - entries.len()) as u64;
        Ok(OutcomeFile { file, accounts, has_products, products: known, entries, last, repeats, without_key })
    }

    fn product(&self, name: Option<&str>) -> u32 {
        name.map_or(NO_PRODUCT, |name| self.products.get(name).copied().unwrap_or(UNKNOWN_PRODUCT))
    }

    /// What happened to an account's line after a day.
    fn of(&self, account: u32, product: u32, as_of: Day, by: Match) -> RowOutcome {
        let last_day = match by {
            Match::Exact => as_of,
            Match::Next { within_days } => as_of.plus(within_days as i32),
        };
        if account != OFF_BOOK {
            let first = self.entries.partition_point(|entry| entry.key() < (account, product, as_of));
            let found = self.entries.get(first).filter(|entry| {
                (entry.account, entry.product) == (account, product) && entry.as_of <= last_day
            });
            if let Some(entry) = found {
                return entry.outcome;
            }
        }
        if self.last.is_none_or(|last| last < last_day) {
            RowOutcome::Immature
        } else {
            RowOutcome::Unmatched
        }
    }
}

/// The column that says what happened, which must be of integers or Booleans.
fn outcome_column(file: &OpenFile, spec: &InputSpec, column: &str) -> Result<Wanted> {
    let columns = file.columns(spec);
    let found = columns.iter().find(|(name, _)| name == column);
    let wanted = Wanted::new(column, Role::Extra);
    let what = match found {
        // Its absence is told as that of any other.
        None | Some((_, Ok(Type::Any))) => return Ok(wanted),
        Some((_, Ok(kind @ (Type::Int | Type::Bool)))) => return Ok(wanted.of(*kind)),
        Some((_, Ok(kind))) => kind.name(),
        Some((_, Err(found))) => found,
    };
    Err(input(format!(
        "{}: the column {column} is of type {what}: an outcome is 0 (good) or 1 (bad), or a Boolean that is true where \
         it is bad, or null where it is neither",
        file.subject
    )))
}

/// What each row says.
fn values(outcome: &Column, column: &str, subject: &str) -> Result<Vec<RowOutcome>> {
    let of_truth = |bad: bool| if bad { RowOutcome::Bad } else { RowOutcome::Good };
    let ints = match outcome {
        Column::Bool(truths) => {
            return Ok(truths
                .iter()
                .map(|truth| match *truth {
                    FALSE => of_truth(false),
                    TRUE => of_truth(true),
                    _ => RowOutcome::Indeterminate,
                })
                .collect());
        }
        Column::Int(ints) => ints,
        _ => unreachable!("outcomes are integers or Booleans"),
    };
    let mut outcomes = Vec::with_capacity(ints.values.len());
    for row in 0..ints.values.len() {
        outcomes.push(match ints.get(row) {
            None => RowOutcome::Indeterminate,
            Some(0) => of_truth(false),
            Some(1) => of_truth(true),
            Some(other) => {
                return Err(input(format!(
                    "{subject}: row {row} has {column} {other}: an outcome is 0 (good) or 1 (bad), or null where it is \
                     neither"
                )));
            }
        });
    }
    Ok(outcomes)
}

/// The accounts of the rows that have one and a date, and these rows.
fn accounts_of(account: &Column, days: &[Option<Day>]) -> (Accounts, Vec<u32>) {
    let is_named = |row: usize| match account {
        Column::Text(texts) => texts.get(row).is_some_and(|id| !id.is_empty()),
        column => column.is_valid(row),
    };
    let keyed = (0..days.len()).filter(|row| days[*row].is_some() && is_named(*row)).map(|row| row as u32);
    let keyed: Vec<u32> = keyed.collect();
    let mut sorted = keyed.clone();
    sorted.par_sort_unstable_by(|a, b| compare_ids(account, *a as usize, *b as usize));
    (Accounts::new(distinct_ids(account, &sorted)), keyed)
}

/// By row, the number of its product; `known` gets their names.
fn numbers(products: &Column, known: &mut hash::Map<String, u32>) -> Vec<u32> {
    let Column::Text(Texts { codes, dictionary }) = products else { unreachable!("products are text") };
    let mut of_code = Vec::with_capacity(dictionary.len());
    for name in dictionary.iter() {
        let next = known.len() as u32;
        of_code.push(*known.entry(name.to_string()).or_insert(next));
    }
    codes.iter().map(|code| of_code.get(*code as usize).copied().unwrap_or(NO_PRODUCT)).collect()
}

/// Fails where two rows of one key say different things.
fn check_agreement(entries: &[Entry], file: &OpenFile, account: &Column) -> Result<()> {
    let twice = entries.windows(2).filter(|pair| pair[0].key() == pair[1].key());
    let Some(pair) = twice.into_iter().find(|pair| pair[0].outcome != pair[1].outcome) else { return Ok(()) };
    let id = id_text(account, pair[0].row as usize).unwrap_or_default();
    Err(input(format!(
        "{}: account {id} has two outcomes on {}: {} in row {} and {} in row {}: leave the one that is true, or name \
         the product in the spine and in the outcomes, if they are of two lines",
        file.subject,
        pair[0].as_of,
        pair[0].outcome.name(),
        pair[0].row,
        pair[1].outcome.name(),
        pair[1].row,
    )))
}
