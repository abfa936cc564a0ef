//! The rows of a sample before anything is known of them: those of a spine's file, or the book on some days.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;
use jiff::tz::TimeZone;

use super::file::Every;
use super::sample::SpineColumn;
use crate::console::{Progress, plain_path, plural};
use crate::day::Day;
use crate::expr::column::concat;
use crate::expr::{Column, Ints, Scope, Texts, Type};
use crate::failure::input;
use crate::input::accounts::Ids;
use crate::input::file::OpenFile;
use crate::input::wanted::{Role, Units, Wanted};
use crate::input::whole::{open_whole, read_whole};
use crate::job::{InputSpec, Job, input_names};
use crate::spine::{AskedRows, FeatureSweep, LeftOut, days_of};

/// The rows of a sample, and what the spine says of them.
pub(super) struct SpineRows {
    /// Whose features are asked for, each row with K = as_of.
    pub asked: AskedRows,
    /// Of which line, where the spine tells.
    pub product: Option<Texts>,
    /// For how many rows a row stands.
    pub weight: Vec<i64>,
    /// The spine's other columns.
    pub extra: Vec<SpineColumn>,
    /// What messages call them.
    pub subject: String,
    /// What to warn of.
    pub warnings: Vec<String>,
    file: Option<SpineFile>,
}

/// The file that a spine was read from.
struct SpineFile {
    file: OpenFile,
    spec: InputSpec,
    units: Units,
}

const ACCOUNT: &str = "account_id";
const AS_OF: &str = "as_of";
const KNOWN_ON: &str = "known_on";
const PRODUCT: &str = "product";
const WEIGHT: &str = "weight";

/// Columns of the sample's file that no spine can bring.
const MADE: [&str; 4] = ["outcome", "part", "score", "band"];

impl SpineRows {
    /// Reads a spine's file with all its columns. Weights are 0 or more; `known_on` is refused.
    pub fn read(path: &Path, timezone: Option<&TimeZone>, progress: &Progress) -> Result<SpineRows> {
        let spec = InputSpec::of_file(input_names::SPINE, path);
        let file = open_whole(&spec, path)?;
        let units = Units { minor_units: 0, timezone: timezone.cloned() };
        let mut warnings = Vec::new();
        let mut wanted = vec![Wanted::new(ACCOUNT, Role::Id), Wanted::new(AS_OF, Role::Date)];
        for (name, kind) in file.columns(&spec) {
            match (name.as_str(), kind) {
                (ACCOUNT | AS_OF, _) => {}
                (KNOWN_ON, _) => {
                    return Err(input(format!(
                        "{}: it has a column known_on: a row of a sample knows what was known on its as_of, and no \
                         later: leave the column out",
                        file.subject
                    )));
                }
                (PRODUCT, _) => wanted.push(Wanted::new(PRODUCT, Role::Text).of(Type::Text)),
                (WEIGHT, _) => wanted.push(Wanted::new(WEIGHT, Role::Extra).of(Type::Int)),
                (_, Ok(kind)) => wanted.push(Wanted::new(&name, Role::Extra).of(kind)),
                (_, Err(found)) => warnings.push(format!(
                    "{}: the column {name} is left out: it is of type {found}, and a sample takes integers, text, \
                     Booleans and dates",
                    file.subject
                )),
            }
        }
        let columns = read_whole(&file, &spec, &wanted, &units, progress)?;
        let mut columns: BTreeMap<usize, Column> = columns.into_iter().enumerate().collect();
        let mut take = |name: &str| {
            let place = wanted.iter().position(|wanted| wanted.name == name)?;
            columns.remove(&place)
        };
        let account = take(ACCOUNT).expect("it is wanted");
        let as_of = ints(take(AS_OF).expect("it is wanted"));
        let product = take(PRODUCT).map(texts);
        let weight = match take(WEIGHT) {
            Some(weight) => weights(&ints(weight), &file.subject)?,
            None => vec![1; account.len()],
        };
        let extra = columns.into_iter().map(|(place, values)| {
            let Wanted { name, kind, .. } = &wanted[place];
            SpineColumn { name: name.clone(), kind: *kind, values }
        });
        let extra = extra.collect();
        let asked = AskedRows::on(account, days_of(&as_of));
        let subject = file.subject.clone();
        let file = Some(SpineFile { file, spec, units });
        Ok(SpineRows { asked, product, weight, extra, subject, warnings, file })
    }

    /// All accounts of the book on some days: in order of day, then of account.
    pub fn of_book(
        (from, to): (Day, Day),
        every: Every,
        sweep: &mut FeatureSweep,
        progress: &Progress,
    ) -> Result<SpineRows> {
        let days = days(from, to, every, sweep)?;
        let wanted = days.len();
        let (mut parts, mut as_of) = (Vec::new(), Vec::new());
        let mut left: BTreeMap<LeftOut, Vec<Day>> = BTreeMap::new();
        for book in sweep.books(days, progress)? {
            match book.accounts {
                Ok(ids) => {
                    as_of.extend(std::iter::repeat_n(Some(book.as_of), ids.len()));
                    parts.push(ids.to_column());
                }
                Err(why) => left.entry(why).or_default().push(book.as_of),
            }
        }
        let subject = format!("the book from {from} to {to}");
        if parts.is_empty() {
            let why = left.keys().next().map_or("no such day", |why| why.name());
            let message = format!("{subject}: none of {} can be taken: {why}", plural(wanted, "day"));
            return Err(input(message + ": name days in [sample] for which there are deliveries"));
        }
        let warnings = left.iter().map(|(why, days)| {
            let days: Vec<String> = days.iter().map(Day::to_string).collect();
            format!("{subject}: {} left out ({}): {}", plural(days.len(), "day"), why.name(), listed(&days))
        });
        let warnings = warnings.collect();
        let account = if parts.is_empty() {
            Ids::none(sweep.job.scopes.account_kind()).to_column()
        } else {
            concat(parts)
        };
        let weight = vec![1; account.len()];
        let asked = AskedRows::on(account, as_of);
        Ok(SpineRows { asked, product: None, weight, extra: Vec::new(), subject, warnings, file: None })
    }

    /// The accounts that a night scored.
    pub fn of_night(account: Column, as_of: Day) -> SpineRows {
        let rows = account.len();
        SpineRows {
            asked: AskedRows::on(account, std::iter::repeat_n(Some(as_of), rows)),
            product: None,
            weight: vec![1; rows],
            extra: Vec::new(),
            subject: format!("the accounts of the night of {as_of}"),
            warnings: Vec::new(),
            file: None,
        }
    }

    /// Checks that the ids are of the job's type, and that no column has the name of one that the sample makes.
    pub fn check_against(&self, job: &Job) -> Result<()> {
        if let Some(SpineFile { file, spec, units }) = &self.file {
            file.bind(spec, &[Wanted::new(ACCOUNT, Role::Id).of(job.scopes.account_kind())], units)?;
        }
        let made =
            |name: &str| MADE.contains(&name) || job.features.iter().any(|feature| feature.name == name);
        match self.extra.iter().find(|column| made(&column.name)) {
            None => Ok(()),
            Some(SpineColumn { name, .. }) => Err(input(format!(
                "{}: it has a column {name}, and the sample has one of that name: rename it in the spine",
                self.subject
            ))),
        }
    }

    /// Fails where the file was changed while it was read.
    pub fn check_unchanged(&self) -> Result<()> {
        self.file.as_ref().map_or(Ok(()), |spine| spine.file.check_unchanged())
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.asked.len()
    }

    /// The names that expressions over the spine see, in the order of [`SpineRows::columns`].
    pub fn scope(&self, job: &Job) -> Scope {
        let mut scope = Scope::default();
        scope.push(ACCOUNT, job.scopes.account_kind());
        scope.push(AS_OF, Type::Date);
        if self.product.is_some() {
            scope.push(PRODUCT, Type::Text);
        }
        scope.push(WEIGHT, Type::Int);
        self.extra.iter().for_each(|column| scope.push(&column.name, column.kind));
        scope
    }

    /// The columns of [`SpineRows::scope`].
    pub fn columns(&self) -> Vec<Column> {
        let as_of = self.asked.days.iter().map(|day| day.map(|day| i64::from(day.as_of.0)));
        let mut columns = vec![self.asked.account.clone(), Column::Int(as_of.collect())];
        columns.extend(self.product.clone().map(Column::Text));
        columns.push(Column::Int(Ints::all(self.weight.clone())));
        columns.extend(self.extra.iter().map(|column| column.values.clone()));
        columns
    }
}

/// The days on which the whole book is taken, ascending.
fn days(from: Day, to: Day, every: Every, sweep: &FeatureSweep) -> Result<Vec<Day>> {
    const WEEK: usize = 7;
    match every {
        Every::MonthEnd => Ok(from.to(to).filter(|day| day.is_month_end()).collect()),
        Every::Week => Ok(from.to(to).step_by(WEEK).collect()),
        Every::Snapshot => {
            let lines = &sweep.deliveries.lines;
            if !lines.spec.is_dated() {
                let path = plain_path(Path::new(&lines.spec.pattern));
                return Err(input(format!(
                    "[sample] every = \"snapshot\": lines ({path}) are not delivered by date: take \"month-end\" or \
                     \"week\", or a spine"
                )));
            }
            let dates = lines.deliveries.iter().filter_map(|delivery| delivery.date);
            Ok(dates.filter(|day| from <= *day && *day <= to).collect())
        }
    }
}

/// Some days in words, not too many.
fn listed(days: &[String]) -> String {
    const MOST: usize = 5;
    match days.get(MOST..) {
        Some(more) if !more.is_empty() => format!("{} and {} more", days[..MOST].join(", "), more.len()),
        _ => days.join(", "),
    }
}

fn weights(weight: &Ints, subject: &str) -> Result<Vec<i64>> {
    let bad = (0..weight.values.len()).find(|row| weight.get(*row).is_none_or(|weight| *weight < 0));
    let Some(row) = bad else { return Ok(weight.values.clone()) };
    let found = weight.get(row).map_or("null".to_string(), i64::to_string);
    Err(input(format!(
        "{subject}: row {row} has weight {found}: a weight is 0 or more: how many rows it stands for"
    )))
}

fn ints(column: Column) -> Ints {
    match column {
        Column::Int(ints) => ints,
        _ => unreachable!("dates and weights are integers"),
    }
}

fn texts(column: Column) -> Texts {
    match column {
        Column::Text(texts) => texts,
        _ => unreachable!("products are text"),
    }
}
