//! What a run reads: the job bound to its inputs, the deliveries that bear on it, the columns wanted.

use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use rayon::prelude::*;

use super::previous::EarlierRun;
use super::published;
use crate::console::Progress;
use crate::day::{Dates, Day};
use crate::expr::Type;
use crate::failure::in_order;
use crate::features::plan::FeaturePlan;
use crate::input::account_range::AccountRange;
use crate::input::catalog::{self, Catalog, Delivery};
use crate::input::file::OpenFile;
use crate::input::footer_cache::FooterCache;
use crate::input::lines::Lines;
use crate::input::schemas::{self, Inspected};
use crate::input::stream::{InputSource, ReadTally, RepeatSearch, WAVE_ROWS};
use crate::input::wanted::{Role, Units, Wanted};
use crate::input::{issued, judge, previous, snapshot};
use crate::job::{
    FileColumns, From, InputColumns, InputSpec, Inputs, Job, LINE_STATE, RawJob, TRANSACTION_COLUMNS,
};
use crate::publish::identity::Identity;

/// The deliveries of every input.
#[derive(Clone)]
pub struct Deliveries {
    /// Of transactions.
    pub transactions: Arc<Catalog>,
    /// Of repayments.
    pub repayments: Arc<Catalog>,
    /// Of lines.
    pub lines: Arc<Catalog>,
    /// Of earlier adjustments: the job's, if it has them; a simulation's own besides.
    pub issued: Vec<Catalog>,
    /// Of earlier scores, if the job looks back on them.
    pub previous: Option<Catalog>,
}

impl Deliveries {
    /// Lists all inputs.
    pub fn list(inputs: &Inputs) -> Result<Deliveries> {
        Ok(Deliveries {
            transactions: catalog::list(&inputs.transactions)?.into(),
            repayments: catalog::list(&inputs.repayments)?.into(),
            lines: catalog::list(&inputs.lines)?.into(),
            issued: inputs.issued.iter().map(published::list).collect::<Result<_>>()?,
            previous: inputs.previous.as_ref().map(published::list).transpose()?,
        })
    }

    /// What earlier runs published.
    pub fn of_runs(&self) -> impl Iterator<Item = &Catalog> {
        self.issued.iter().chain(&self.previous)
    }
}

/// Lists a job's inputs and resolves it against them. Mistakes in the job files are reported before troubles
/// with the inputs.
pub fn prepare(
    draft: &mut RawJob,
    dates: Option<Dates>,
    footers: &mut FooterCache,
) -> Result<(Job, Deliveries)> {
    let listed = draft.inputs().map(Deliveries::list);
    let job = bind(draft, listed.as_ref().and_then(|listed| listed.as_ref().ok()), dates, footers)?;
    Ok((job, listed.expect("a job without mistakes has inputs")?))
}

/// Resolves a job against the columns of the newest files: lines delivered by the day whose snapshot a
/// run takes, the others by K.
pub fn bind(
    draft: &mut RawJob,
    deliveries: Option<&Deliveries>,
    dates: Option<Dates>,
    footers: &mut FooterCache,
) -> Result<Job> {
    let columns = deliveries.map(|deliveries| input_columns(deliveries, dates, footers)).unwrap_or_default();
    let job = draft.bind(&columns);
    draft.diagnostics.check()?;
    Ok(job.expect("a job without mistakes is bound"))
}

fn input_columns(deliveries: &Deliveries, dates: Option<Dates>, footers: &mut FooterCache) -> InputColumns {
    let (lines_by, known_on) = (dates.map(Dates::lines_by), dates.map(|dates| dates.known_on));
    InputColumns {
        transactions: columns_of(&deliveries.transactions, known_on, footers),
        repayments: columns_of(&deliveries.repayments, known_on, footers),
        lines: columns_of(&deliveries.lines, lines_by, footers),
        lines_had_more: false,
    }
}

/// The columns of the newest file that is visible. One that it lacks and the file before has is named all
/// the same, so that the file is blamed, not the expression; where a column is of type Null, files before
/// give its type.
fn columns_of(catalog: &Catalog, by: Option<Day>, footers: &mut FooterCache) -> Option<FileColumns> {
    let mut visible: Vec<&Delivery> =
        catalog.deliveries.iter().filter(|delivery| delivery.date <= by || by.is_none()).collect();
    if visible.is_empty() {
        visible.extend(catalog.deliveries.first());
    }
    let files =
        visible.iter().rev().flat_map(|delivery| delivery.files.iter().map(|file| (delivery.date, file)));
    let mut columns: Option<FileColumns> = None;
    for (number, (date, file)) in files.enumerate() {
        // The newest two files are enough, unless a column of type Null has no type yet.
        let has_untyped = columns.iter().flatten().any(|(_, kind)| *kind == Ok(Type::Any));
        if number > 1 && !has_untyped {
            break;
        }
        let opened = footers.open_one(&catalog.spec, date, file).ok();
        let found = opened.map(|file| file.columns(&catalog.spec));
        let Some(columns) = &mut columns else {
            columns = Some(found?);
            continue;
        };
        for (name, kind) in found.into_iter().flatten() {
            match columns.iter_mut().find(|(known, _)| *known == name) {
                None if number == 1 => columns.push((name, kind)),
                Some((_, known)) if *known == Ok(Type::Any) => *known = kind,
                _ => {}
            }
        }
    }
    columns
}

/// The input files a run stands on, opened.
pub struct Files {
    pub(crate) transactions: Vec<OpenFile>,
    pub(crate) repayments: Vec<OpenFile>,
    pub(crate) lines: Vec<OpenFile>,
    pub(crate) issued: Vec<(InputSpec, Vec<OpenFile>)>,
    pub(super) previous: Option<EarlierRun>,
    pub(crate) snapshot: Option<Day>,
}

/// The deliveries of the lines that a run reads and the day of its snapshot. Fails where something must
/// have been delivered and was not.
pub(super) fn required(
    job: &Job,
    deliveries: &Deliveries,
    dates: Dates,
) -> Result<(Option<Day>, Vec<Delivery>)> {
    deliveries.transactions.require(dates.as_of)?;
    deliveries.repayments.require(dates.as_of)?;
    snapshot::snapshot_of(&deliveries.lines, dates.lines_by(), job.lines_max_age_days)
}

impl Files {
    /// Finds and opens them; whatever must have been delivered and was not is an error.
    pub fn open(
        job: &Job,
        deliveries: &Deliveries,
        dates: Dates,
        footers: &mut FooterCache,
    ) -> Result<Files> {
        let Dates { as_of, known_on, .. } = dates;
        let (snapshot, lines) = required(job, deliveries, dates)?;
        let oldest = oldest_transactions(job, as_of, within_days(job));
        let transactions = deliveries.transactions.within(oldest, known_on);
        let repayments = deliveries.repayments.within(Day(i32::MIN), known_on);
        let previous = deliveries.previous.as_ref();
        let previous = previous.map(|catalog| EarlierRun::find(catalog, as_of, footers)).transpose()?;
        Ok(Files {
            issued: open_issued(deliveries, as_of, footers)?,
            transactions: footers.open(&job.inputs.transactions, &transactions)?,
            repayments: footers.open(&job.inputs.repayments, &repayments)?,
            lines: footers.open(&job.inputs.lines, &lines)?,
            previous,
            snapshot,
        })
    }

    /// Opens what bears on any of some days, from `first` to `last`; `lines` are the deliveries of all snapshots
    /// that are read. None of it need be there.
    pub fn of_days(
        job: &Job,
        deliveries: &Deliveries,
        first: Day,
        last: Dates,
        lines: &[Delivery],
        footers: &mut FooterCache,
    ) -> Result<Files> {
        let transactions =
            deliveries.transactions.within(oldest_transactions(job, first, within_days(job)), last.known_on);
        let repayments = deliveries.repayments.within(Day(i32::MIN), last.known_on);
        Ok(Files {
            issued: open_issued(deliveries, last.as_of, footers)?,
            transactions: footers.open(&job.inputs.transactions, &transactions)?,
            repayments: footers.open(&job.inputs.repayments, &repayments)?,
            lines: footers.open(&job.inputs.lines, lines)?,
            previous: None,
            snapshot: None,
        })
    }

    /// Opens the repayments that had arrived by a day, and checks their columns.
    pub fn of_repayments(
        job: &Job,
        deliveries: &Deliveries,
        known_on: Day,
        footers: &mut FooterCache,
    ) -> Result<Files> {
        let visible = deliveries.repayments.within(Day(i32::MIN), known_on);
        let files = Files {
            transactions: Vec::new(),
            repayments: footers.open(&job.inputs.repayments, &visible)?,
            lines: Vec::new(),
            issued: Vec::new(),
            previous: None,
            snapshot: None,
        };
        let units = Units::of(job);
        let repayments = repayments(job, &files, &units, job.scopes.account_kind());
        let inspected = Inspected::new(&job.inputs.repayments, &files.repayments, repayments.wanted);
        schemas::check(&[inspected], &units, job.mixed_money)?;
        Ok(files)
    }

    /// Opens the newest delivery of every input.
    pub fn newest(deliveries: &Deliveries, footers: &mut FooterCache) -> Result<Files> {
        Ok(Files {
            transactions: open_newest(&deliveries.transactions, footers)?,
            repayments: open_newest(&deliveries.repayments, footers)?,
            lines: open_newest(&deliveries.lines, footers)?,
            issued: deliveries
                .issued
                .iter()
                .map(|catalog| Ok((catalog.spec.clone(), open_newest(catalog, footers)?)))
                .collect::<Result<_>>()?,
            previous: None,
            snapshot: deliveries.lines.deliveries.last().and_then(|delivery| delivery.date),
        })
    }

    fn all(&self) -> impl Iterator<Item = &OpenFile> {
        let issued = self.issued.iter().flat_map(|(_, files)| files);
        let of_runs = issued.chain(self.previous.iter().flat_map(|previous| &previous.files));
        self.transactions.iter().chain(&self.repayments).chain(&self.lines).chain(of_runs)
    }

    /// Hashes them, but for those of which it is known what that comes to.
    pub(crate) fn hash(&self, footers: &mut FooterCache, as_of: Day) -> Result<()> {
        footers.hash(self.all(), as_of)
    }

    /// Reads anew the bytes of a delivery's files, and of those before it in which a repeat may have been seen: fails
    /// where they do not come to the hashes that are known of them.
    pub(crate) fn check_bytes(
        &self,
        files: &[OpenFile],
        delivery: Option<Day>,
        within_days: Option<i32>,
    ) -> Result<()> {
        let first = delivery.map(|day| day.plus(-within_days.unwrap_or(0)));
        let own = files.iter().filter(|file| first <= file.delivery && file.delivery <= delivery);
        own.collect::<Vec<_>>().into_par_iter().try_for_each(OpenFile::check_bytes)
    }

    /// Fails where one was changed while the run read it.
    pub(crate) fn check_unchanged(&self) -> Result<()> {
        let files: Vec<&OpenFile> = self.all().collect();
        in_order(files.par_iter().map(|file| file.check_unchanged())).map(drop)
    }

    /// The files of the snapshot itself.
    pub(crate) fn snapshot_files(&self) -> impl Iterator<Item = &OpenFile> {
        self.lines.iter().filter(|file| file.delivery == self.snapshot)
    }

    /// Checks every file's columns against the contract, and reports everything that is wrong.
    pub fn check_schemas(&self, job: &Job, deliveries: &Deliveries, footers: &mut FooterCache) -> Result<()> {
        let units = Units::of(job);
        let of_transactions = FeaturePlan::new(&job.features, From::Transactions);
        let account_kind = job.scopes.account_kind();
        let (transactions, _) = transactions(job, self, &units, &of_transactions, account_kind);
        let repayments = repayments(job, self, &units, account_kind);
        let lines: Vec<Wanted> = wanted_lines(job).into_iter().map(|(_, wanted)| wanted).collect();
        let earlier = earlier_snapshots(&deliveries.lines, self.snapshot, &self.lines, &lines, footers);
        let mut inputs = vec![
            Inspected::new(&job.inputs.transactions, &self.transactions, transactions.wanted),
            Inspected::new(&job.inputs.repayments, &self.repayments, repayments.wanted),
            Inspected { earlier, ..Inspected::new(&job.inputs.lines, &self.lines, lines) },
        ];
        for (spec, files) in &self.issued {
            inputs.push(Inspected::new(spec, files, issued::wanted(account_kind)));
        }
        if let Some(EarlierRun { spec, files, .. }) = &self.previous {
            inputs.push(Inspected::new(spec, files, previous::wanted(account_kind)));
        }
        schemas::check(&inputs, &units, job.mixed_money)
    }

    /// By input.
    pub fn by_input<'a>(&'a self, job: &'a Job) -> Vec<(&'a InputSpec, &'a [OpenFile])> {
        let mut all: Vec<(&InputSpec, &[OpenFile])> = vec![
            (&job.inputs.transactions, &self.transactions),
            (&job.inputs.repayments, &self.repayments),
            (&job.inputs.lines, &self.lines),
        ];
        all.extend(self.issued.iter().map(|(spec, files)| (spec, &**files)));
        all.extend(self.previous.iter().map(|previous| (&previous.spec, &*previous.files)));
        all
    }

    /// What identifies a run that stands on them.
    pub(super) fn identity(&self, job: &Job, dates: Dates) -> Result<Identity> {
        let previous = self.previous.as_ref().and_then(|previous| previous.run.clone());
        Identity::of(&job.sources, &self.by_input(job), previous, dates)
    }
}

/// Opens the adjustments issued before a day, by catalog.
fn open_issued(
    deliveries: &Deliveries,
    as_of: Day,
    footers: &mut FooterCache,
) -> Result<Vec<(InputSpec, Vec<OpenFile>)>> {
    let mut issued = Vec::new();
    for catalog in &deliveries.issued {
        let earlier = catalog.within(Day(i32::MIN), as_of.plus(-1));
        issued.push((catalog.spec.clone(), footers.open(&catalog.spec, &earlier)?));
    }
    Ok(issued)
}

/// Opens an input's newest delivery.
fn open_newest(catalog: &Catalog, footers: &mut FooterCache) -> Result<Vec<OpenFile>> {
    footers.open(&catalog.spec, catalog.deliveries.last().map_or(&[], std::slice::from_ref))
}

/// The files of snapshots before the one that is read, where it lacks a column that they may have had.
/// One that cannot be opened is passed over: nothing else is read of it.
pub(crate) fn earlier_snapshots(
    lines: &Catalog,
    snapshot: Option<Day>,
    files: &[OpenFile],
    wanted: &[Wanted],
    footers: &mut FooterCache,
) -> Vec<OpenFile> {
    const REMEMBERED_DAYS: i32 = 31;
    let Some(snapshot) = snapshot.filter(|_| schemas::lacks_some(&lines.spec, files, wanted)) else {
        return Vec::new();
    };
    let earlier = lines.within(snapshot.plus(-REMEMBERED_DAYS), snapshot.plus(-1));
    let opened = earlier.chunks(1).filter_map(|delivery| footers.open(&lines.spec, delivery).ok());
    opened.flatten().collect()
}

/// Longest window over transactions; at least the as-of date itself, whose rejects are listed.
fn transactions_window(job: &Job) -> i32 {
    let plan = FeaturePlan::new(&job.features, From::Transactions);
    plan.longest_days.map_or(i32::MAX, |days| days.max(1) as i32)
}

/// How many days before it a repeat of a transaction may have been delivered.
fn within_days(job: &Job) -> i32 {
    let within = job.inputs.transactions.unique.as_ref().map_or(0, |unique| unique.within_days);
    i32::try_from(within).unwrap_or(i32::MAX)
}

/// The first delivery date whose rows are within reach of a window, and so many days before.
pub(super) fn oldest_transactions(job: &Job, as_of: Day, before: i32) -> Day {
    as_of.plus(-transactions_window(job)).plus(-before).plus(1)
}

/// Days without a delivery, by input, that a run of the day would have wanted.
pub fn missing_days(job: &Job, deliveries: &Deliveries, as_of: Day) -> [(&'static str, Vec<Day>); 2] {
    let [transactions, repayments] = [From::Transactions, From::Bills].map(|from| {
        FeaturePlan::new(&job.features, from).longest_days.map(|days| as_of.plus(-(days as i32)))
    });
    [
        (job.inputs.transactions.name, deliveries.transactions.missing_days(transactions, as_of)),
        (job.inputs.repayments.name, deliveries.repayments.missing_days(repayments, as_of)),
    ]
}

/// What to read of lines, with each column's position in the scope.
pub(crate) fn wanted_lines(job: &Job) -> Vec<(usize, Wanted)> {
    let scope = &job.scopes.lines;
    let of_lines = FeaturePlan::new(&job.features, From::Lines);
    let mut needed = of_lines.columns;
    needed.extend(&job.policy.extra_columns);
    let spec = &job.inputs.lines;
    needed.extend(spec.unique.as_ref().and_then(|unique| scope.find(&unique.column)).map(|(slot, _)| slot));
    let inputs = scope.columns.len() - LINE_STATE.len();
    needed.retain(|slot| *slot < inputs);
    needed.sort_unstable();
    needed.dedup();
    snapshot::wanted(spec, scope, &needed)
}

/// What to read of transactions, and each column's position in the scope.
pub(crate) fn transactions<'a>(
    job: &'a Job,
    files: &'a Files,
    units: &'a Units,
    plan: &FeaturePlan,
    account_kind: Type,
) -> (InputSource<'a>, Vec<usize>) {
    let spec = &job.inputs.transactions;
    let scope = &job.scopes.transactions;
    let mut slots: Vec<usize> = (0..TRANSACTION_COLUMNS.len()).collect();
    let unique = spec.unique.as_ref().and_then(|unique| scope.find(&unique.column)).map(|(slot, _)| slot);
    for slot in plan.columns.iter().copied().chain(unique) {
        if !slots.contains(&slot) {
            slots.push(slot);
        }
    }
    const ROLES: [Role; TRANSACTION_COLUMNS.len()] = [Role::Id, Role::Date, Role::Money];
    let mut wanted: Vec<Wanted> = Vec::with_capacity(slots.len());
    for slot in &slots {
        let (name, kind) = &scope.columns[*slot];
        wanted.push(Wanted::new(name, ROLES.get(*slot).copied().unwrap_or(Role::Extra)).of(*kind));
    }
    wanted[0].kind = account_kind;
    let source = InputSource {
        spec,
        files: &files.transactions,
        wanted,
        units,
        judge: judge::judge_transactions,
        unique: unique.and_then(|unique| slots.iter().position(|slot| *slot == unique)),
        repeats: RepeatSearch::All,
        wave_rows: WAVE_ROWS,
    };
    (source, slots)
}

pub(crate) fn repayments<'a>(
    job: &'a Job,
    files: &'a Files,
    units: &'a Units,
    account_kind: Type,
) -> InputSource<'a> {
    let spec = &job.inputs.repayments;
    let roles = [Role::Id, Role::Text, Role::Id, Role::Date, Role::Money, Role::Date, Role::Money];
    let scope = &job.scopes.repayments;
    let contract = scope.columns.iter().zip(roles);
    let mut wanted: Vec<Wanted> =
        contract.map(|((name, kind), role)| Wanted::new(name, role).of(*kind)).collect();
    wanted[0].kind = account_kind;
    let unique = spec.unique.as_ref().map(|unique| {
        match wanted.iter().position(|column| column.name == unique.column) {
            Some(position) => position,
            None => {
                let kind = scope.find(&unique.column).map_or(Type::Any, |(_, kind)| kind);
                wanted.push(Wanted::new(&unique.column, Role::Extra).of(kind));
                wanted.len() - 1
            }
        }
    });
    let judge = judge::judge_repayments;
    InputSource {
        spec,
        files: &files.repayments,
        wanted,
        units,
        judge,
        unique,
        repeats: RepeatSearch::All,
        wave_rows: WAVE_ROWS,
    }
}

/// Reads the book as it was delivered.
pub(super) fn read_lines(
    job: &Job,
    files: &Files,
    units: &Units,
    scratch: &Path,
    progress: &Progress,
) -> Result<Lines> {
    let range = AccountRange::default();
    let read = read_lines_of(job, files, &range, units, scratch, progress)?;
    read.map_err(|tally| snapshot::none_accepted(&tally, files.snapshot))
}

/// Reads the lines of a range of accounts; where not one is accepted, the rows that were read.
pub(crate) fn read_lines_of(
    job: &Job,
    files: &Files,
    range: &AccountRange,
    units: &Units,
    scratch: &Path,
    progress: &Progress,
) -> Result<Result<Lines, ReadTally>> {
    let scope_len = job.scopes.lines.columns.len();
    let spec = &job.inputs.lines;
    let reading = snapshot::LinesReading { spec, units, scratch, progress, only: None, range };
    snapshot::load_any(reading, &files.lines, files.snapshot, wanted_lines(job), scope_len)
}
