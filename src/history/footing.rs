//! What a history stands on: the features it serves, and every file it was read from.

use std::collections::BTreeMap;
use std::fmt::Write;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::day::Day;
use crate::expr::Scope;
use crate::features::plan::Plan;
use crate::features::transactions::longest_sum;
use crate::input::file::{OpenFile, bytes_hash};
use crate::job::{From, Job, input_names};

/// Changes whenever a history of one version means another thing, or nothing, to the next.
const STATE_VERSION: u32 = 3;

/// What is accumulated of the inputs that have a history.
pub struct Plans {
    /// Of transactions.
    pub transactions: Plan,
    /// Of bills.
    pub bills: Plan,
}

impl Plans {
    /// Those of a job's features.
    pub fn of(job: &Job) -> Plans {
        let plan = |from| Plan::new(&job.features, from);
        Plans { transactions: plan(From::Transactions), bills: plan(From::Bills) }
    }
}

/// One input file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Footing {
    /// The input.
    pub input: String,
    /// Its delivery.
    pub delivery: Option<Day>,
    /// Its name.
    pub file: String,
    /// Bytes.
    pub size: u64,
    /// SHA-256 of its bytes.
    pub sha256: String,
}

impl Footing {
    fn of(input: &str, file: &OpenFile) -> Result<Footing> {
        Ok(Footing {
            input: input.to_string(),
            delivery: file.delivery,
            file: file.file.name.clone(),
            size: file.size,
            sha256: file.sha256()?.to_string(),
        })
    }
}

/// What a history stands on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grounds {
    /// Hash of everything in the job files and the program on which accumulators depend.
    pub key: String,
    /// The first delivery of transactions that bears on the day.
    pub oldest_transactions: Day,
    /// The first of which some sum still holds rows at the end of the day.
    pub oldest_in_sums: Day,
    /// The transactions and repayments read, or to be read.
    pub files: Vec<Footing>,
}

impl Grounds {
    /// Those of a night. Fails where a file cannot be hashed.
    pub fn of(
        job: &Job,
        plans: &Plans,
        as_of: Day,
        oldest_transactions: Day,
        transactions: &[OpenFile],
        repayments: &[OpenFile],
    ) -> Result<Grounds> {
        let transactions = transactions.iter().map(|file| Footing::of(input_names::TRANSACTIONS, file));
        let repayments = repayments.iter().map(|file| Footing::of(input_names::REPAYMENTS, file));
        let files = transactions.chain(repayments).collect::<Result<_>>()?;
        let oldest_in_sums = as_of.plus(1 - longest_sum(&plans.transactions) as i32);
        Ok(Grounds { key: key(job, plans), oldest_transactions, oldest_in_sums, files })
    }

    /// Why a history that stands on these, up to `as_of`, is no start for a night that stands on
    /// `tonight`; `None` if it is one. `past` are the transactions that are too old for the night, of
    /// which the history's sums may hold rows that the night must take out.
    pub fn unfit(&self, as_of: Day, tonight: &Grounds, past: &[OpenFile]) -> Option<String> {
        if self.key != tonight.key {
            return Some("it is of another feature set".into());
        }
        let name = |footing: &'_ Footing| (footing.input.clone(), footing.delivery, footing.file.clone());
        let mut known: BTreeMap<_, &Footing> =
            self.files.iter().map(|footing| (name(footing), footing)).collect();
        let told = |footing: &Footing, what: &str| {
            let of = footing.delivery.map_or(String::new(), |day| format!(" of {day}"));
            Some(format!("{}{of} ({}) {what}", footing.input, footing.file))
        };
        let past: Vec<Footing> = past
            .iter()
            .filter(|file| file.delivery >= Some(self.oldest_in_sums))
            .filter_map(|file| Footing::of(input_names::TRANSACTIONS, file).ok())
            .collect();
        let tonights = tonight.files.iter().filter(|footing| footing.delivery <= Some(as_of));
        for footing in tonights.chain(&past) {
            match known.remove(&name(footing)) {
                None => return told(footing, "has come since"),
                Some(before) if before != footing => return told(footing, "has changed since"),
                Some(_) => {}
            }
        }
        let oldest = self.oldest_in_sums.min(tonight.oldest_transactions);
        let bears = |footing: &&&Footing| {
            footing.input != input_names::TRANSACTIONS || footing.delivery >= Some(oldest)
        };
        let gone = known.values().find(bears)?;
        told(gone, "is missing now")
    }
}

/// Everything that accumulators depend on, besides the rows.
fn key(job: &Job, plans: &Plans) -> String {
    let mut text = format!("rescore {} state {STATE_VERSION}\n", env!("CARGO_PKG_VERSION"));
    let inputs = [&job.inputs.transactions, &job.inputs.repayments];
    let mut say = |what: std::fmt::Arguments| writeln!(text, "{what}").expect("text takes all");
    say(format_args!("{} {:?} {}", job.minor_units, job.timezone, job.bill_tolerance));
    for spec in inputs {
        say(format_args!("{} {:?} {:?} {:?}", spec.name, spec.is_dated(), spec.rename, spec.unique));
    }
    let kind = |scope: &Scope, column: &str| scope.find(column).map(|(_, kind)| kind);
    let rows = [&job.scopes.transactions, &job.scopes.repayments];
    for (spec, scope) in inputs.into_iter().zip(rows) {
        let unique = spec.unique.as_ref().and_then(|unique| kind(scope, &unique.column));
        say(format_args!("{:?} {:?} {unique:?}", kind(scope, "account_id"), kind(scope, "bill_id")));
    }
    let scopes: [&Scope; 2] = [&job.scopes.transactions, &job.scopes.bills];
    for (plan, scope) in [&plans.transactions, &plans.bills].into_iter().zip(scopes) {
        for group in &plan.groups {
            let filter = group.filter.map_or("", |filter| plan.filters[filter].text.as_str());
            let value = group.value.map(|value| &scope.columns[plan.values[value].slot]);
            say(format_args!("{:?} {value:?} {:?} {filter}", group.statistic, group.edges));
        }
        plan.columns.iter().for_each(|slot| say(format_args!("{:?}", scope.columns[*slot])));
    }
    bytes_hash(text.as_bytes())[..16].to_string()
}
