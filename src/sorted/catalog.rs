//! The sorted deliveries of a run: those at hand, those on the shelf, and those that are made, and why.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use rayon::prelude::*;

use super::delivery::{SortedDelivery, StoredColumn};
use super::make::{Maker, PackedDelivery, ToMake};
use super::scratch::Scratch;
use super::shelf::Shelf;
use crate::console::Progress;
use crate::day::Day;
use crate::expr::Type;
use crate::failure::{Kind, failure, in_order, input};
use crate::hash::bytes_hash;
use crate::input::file::OpenFile;
use crate::input::stream::{InputSource, RepeatSearch};
use crate::input::wanted::{Role, Wanted};
use crate::own;
use crate::pieces::piece;

/// Changes whenever a sorted delivery of one version means another thing to the next.
const VERSION: u32 = 1;

/// Sorted deliveries that are not kept for another run take so many bytes of memory unless more is granted; the
/// others lie in files without names.
const MOST_HELD: u64 = piece(256 << 20, 10_000) as u64;

/// What is wanted of an input.
#[derive(Clone)]
pub struct DeliveryRequest<'a> {
    /// The input, with all files that bear on it.
    pub source: InputSource<'a>,
    /// The positions of the columns that features read among the source's, the account first.
    pub kept: Vec<usize>,
    /// Deliveries from this day on are wanted; those before are there for the repeats they may hold. An undated
    /// one always is.
    pub oldest: Day,
    /// The positions of the columns that are read of a delivery.
    pub read: &'a (dyn Fn(Option<Day>) -> Vec<usize> + Sync),
}

/// Why a delivery is sorted anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// Nothing is kept of it.
    New,
    /// Its files, or those before it, have changed.
    Stale,
    /// Some feature reads a column that was not kept.
    Lacking,
    /// What was kept is not as it was written.
    Torn,
}

impl Why {
    /// What there is to say of it beside a number of deliveries.
    pub fn text(self) -> &'static str {
        match self {
            Why::New => "not sorted before",
            Why::Stale => "files changed",
            Why::Lacking => "columns not kept",
            Why::Torn => "torn or foreign",
        }
    }

    /// The same in a sentence.
    fn sentence(self) -> &'static str {
        match self {
            Why::New => "they were not sorted before",
            Why::Stale => "their files have changed",
            Why::Lacking => "features read columns that were not kept",
            Why::Torn => "what was kept of them is torn or foreign",
        }
    }
}

/// What is there of an input, and what must be made.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Outlook {
    /// Deliveries that are sorted already.
    pub sorted: Vec<Option<Day>>,
    /// Those to be sorted, and why.
    pub to_make: Vec<(Option<Day>, Why)>,
}

impl Outlook {
    /// One line a reason, of deliveries that were sorted before.
    fn remarks(&self, input: &str) -> Vec<String> {
        [Why::Stale, Why::Lacking, Why::Torn].into_iter().filter_map(|why| self.remark(input, why)).collect()
    }

    fn remark(&self, input: &str, why: Why) -> Option<String> {
        let days: Vec<Option<Day>> =
            self.to_make.iter().filter(|(_, own)| *own == why).map(|(day, _)| *day).collect();
        let (first, last) = (days.first()?, days.last()?);
        let mut text = format!("{input}: {} deliver{} sorted anew", days.len(), plural(days.len()));
        match (first, last) {
            (Some(first), Some(last)) if first == last => write!(text, ", of {first}"),
            (Some(first), Some(last)) => write!(text, ", from {first} to {last}"),
            _ => Ok(()),
        }
        .expect("text takes all");
        Some(format!("{text}: {}", why.sentence()))
    }
}

/// A delivery of an input, for people.
fn of_day(input: &str, delivery: Option<Day>) -> String {
    delivery.map_or(input.to_string(), |day| format!("{input} of {day}"))
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "y is" } else { "ies are" }
}

/// Sorted deliveries as they were fetched.
pub struct Fetched {
    /// In order.
    pub deliveries: Vec<Arc<SortedDelivery>>,
}

/// What is at hand of a delivery.
struct AtHand {
    key: String,
    sorted: Arc<SortedDelivery>,
    /// Why it was made, until that is reported of a night.
    made: Option<Why>,
}

/// The sorted deliveries of a run's nights.
pub struct SortedDeliveries {
    shelf: Option<Shelf>,
    scratch: Arc<Scratch>,
    at_hand: BTreeMap<(&'static str, Option<Day>), AtHand>,
    /// Bytes that may still be kept in memory.
    memory: u64,
    /// Whether those that are not there are made; else that is an error.
    may_make: bool,
}

impl SortedDeliveries {
    /// None yet; `shelf` keeps them for other runs, `scratch` is a directory for what does not fit in memory, of
    /// which a run may take so many bytes.
    pub fn new(shelf: Option<Shelf>, scratch: &Path, memory: Option<u64>) -> SortedDeliveries {
        // The rest goes to what is read and computed.
        let memory = memory.map_or(MOST_HELD, |bytes| bytes / 2);
        SortedDeliveries {
            shelf,
            scratch: Arc::new(Scratch::in_directory(scratch)),
            at_hand: BTreeMap::new(),
            memory,
            may_make: true,
        }
    }

    /// Those of a shelf, on which all that are wanted lie already.
    pub fn kept(shelf: Shelf, scratch: &Path) -> SortedDeliveries {
        SortedDeliveries { may_make: false, ..SortedDeliveries::new(Some(shelf), scratch, None) }
    }

    /// Sorts one delivery, unless its sorted copy is on the shelf already, and says where that lies.
    pub fn sort(
        &mut self,
        request: &DeliveryRequest,
        delivery: Option<Day>,
        progress: &Progress,
    ) -> Result<PathBuf> {
        let key = key(request);
        let made_of = made_of(request, &key, delivery)?;
        let (others, found) = self.find(request, &key, delivery, &made_of);
        if found.is_err() {
            self.make_of(request, &key, &[ToMake { delivery, made_of }], others, progress)?;
        }
        let name = request.source.spec.name;
        let shelf = self.shelf.as_ref().context("copies are kept on a shelf")?;
        match shelf.open(&key, delivery) {
            Some(Ok(_)) => Ok(shelf.path(&key, delivery)),
            _ => Err(failure(
                Kind::Unwritable,
                format!("{}: its sorted copy cannot be kept: see above", of_day(name, delivery)),
            )),
        }
    }

    /// What there is of an input, and the files that would be read; deliveries that are `planned` will be there.
    pub fn outlook(
        &self,
        request: &DeliveryRequest,
        planned: &BTreeSet<(&'static str, Option<Day>)>,
    ) -> Result<(Outlook, Vec<OpenFile>)> {
        let key = key(request);
        let (mut outlook, mut to_make) = (Outlook::default(), Vec::new());
        for delivery in wanted(request) {
            let made_of = made_of(request, &key, delivery)?;
            match self.find(request, &key, delivery, &made_of) {
                (_, Err(why)) if !planned.contains(&(request.source.spec.name, delivery)) => {
                    outlook.to_make.push((delivery, why));
                    to_make.push(ToMake { delivery, made_of });
                }
                _ => outlook.sorted.push(delivery),
            }
        }
        Ok((outlook, files_to_read(&request.source, &to_make)))
    }

    /// A delivery as it is wanted, or why there is none; and the columns that are kept of it.
    fn find(
        &self,
        request: &DeliveryRequest,
        key: &str,
        delivery: Option<Day>,
        made_of: &str,
    ) -> (Vec<StoredColumn>, Result<Arc<SortedDelivery>, Why>) {
        let at_hand = self.at_hand.get(&(request.source.spec.name, delivery));
        let at_hand = at_hand.filter(|known| known.key == key).map(|known| known.sorted.clone());
        let found = match at_hand.map(Ok).or_else(|| self.find_on_shelf(request, key, delivery)) {
            None => return (Vec::new(), Err(Why::New)),
            Some(Err(why)) => return (Vec::new(), Err(why)),
            Some(Ok(found)) => found,
        };
        let columns = found.label.columns.clone();
        let mut read = (request.read)(delivery).into_iter();
        let lacks_none = read.all(|slot| columns.contains(&StoredColumn::of(&request.source.wanted[slot])));
        if found.label.made_of != made_of || found.label.delivery != delivery {
            return (columns, Err(Why::Stale));
        }
        (columns, if lacks_none { Ok(found) } else { Err(Why::Lacking) })
    }

    /// A delivery on the shelf; `None` where there is none.
    fn find_on_shelf(
        &self,
        request: &DeliveryRequest,
        key: &str,
        delivery: Option<Day>,
    ) -> Option<Result<Arc<SortedDelivery>, Why>> {
        let opened = self.shelf.as_ref()?.open(key, delivery)?;
        Some(opened.map(Arc::new).map_err(|error| {
            tracing::info!("{} of {delivery:?}: {error:#}", request.source.spec.name);
            Why::Torn
        }))
    }

    /// All deliveries of an input that are wanted. Those that are not there are made; `progress` shows what that
    /// takes.
    pub fn fetch(&mut self, request: &DeliveryRequest, progress: &Progress) -> Result<Fetched> {
        let key = key(request);
        let name = request.source.spec.name;
        let (mut found, mut to_make) = (BTreeMap::new(), Vec::new());
        let mut outlook = Outlook::default();
        let mut others: Vec<StoredColumn> = Vec::new();
        // In an object store each takes its time.
        let looked_up = in_order(wanted(request).into_par_iter().map(|delivery| {
            let made_of = made_of(request, &key, delivery)?;
            let found = self.find(request, &key, delivery, &made_of);
            Ok((delivery, made_of, found))
        }))?;
        for (delivery, made_of, (columns, known)) in looked_up {
            others.extend(columns.into_iter().filter(|column| !others.contains(column)).collect::<Vec<_>>());
            match known {
                Ok(known) => {
                    let known_as = (name, delivery);
                    if self.at_hand.get(&known_as).is_none_or(|at_hand| at_hand.key != key) {
                        let at_hand = AtHand { key: key.clone(), sorted: known.clone(), made: None };
                        self.at_hand.insert(known_as, at_hand);
                    }
                    found.insert(delivery, known);
                    outlook.sorted.push(delivery);
                }
                Err(why) => {
                    to_make.push(ToMake { delivery, made_of });
                    outlook.to_make.push((delivery, why));
                }
            }
        }
        outlook.remarks(name).iter().for_each(|remark| tracing::warn!("{remark}"));
        if let Some((delivery, why)) = outlook.to_make.first().filter(|_| !self.may_make) {
            let of = of_day(name, *delivery);
            return Err(input(format!(
                "{of}: its sorted copy is not there: {}: sort it again",
                why.sentence()
            )));
        }
        if !to_make.is_empty() {
            for made in self.make_of(request, &key, &to_make, others, progress)? {
                let sorted = Arc::new(made);
                let delivery = sorted.label.delivery;
                let made = outlook.to_make.iter().find(|(made, _)| *made == delivery).map(|(_, why)| *why);
                found.insert(delivery, sorted.clone());
                self.at_hand.insert((name, delivery), AtHand { key: key.clone(), sorted, made });
            }
        }
        Ok(Fetched { deliveries: found.into_values().collect() })
    }

    /// What there was for a night, and what this run has made of it, tonight or in a night before, and not reported
    /// yet.
    pub fn report(&mut self, request: &DeliveryRequest, fetched: Fetched) -> Outlook {
        let mut outlook = Outlook::default();
        for delivery in fetched.deliveries.iter().map(|sorted| sorted.label.delivery) {
            let at_hand = self.at_hand.get_mut(&(request.source.spec.name, delivery));
            match at_hand.and_then(|known| known.made.take()) {
                Some(why) => outlook.to_make.push((delivery, why)),
                None => outlook.sorted.push(delivery),
            }
        }
        outlook
    }

    /// Makes deliveries, with the columns that `others` read besides.
    fn make_of(
        &mut self,
        request: &DeliveryRequest,
        key: &str,
        to_make: &[ToMake],
        others: Vec<StoredColumn>,
        progress: &Progress,
    ) -> Result<Vec<SortedDelivery>> {
        let mut files = files_to_read(&request.source, to_make);
        if let RepeatSearch::Known(_) = request.source.repeats {
            files.retain(|file| to_make.iter().any(|made| made.delivery == file.delivery));
        }
        let source = InputSource { files: &files, ..request.source.clone() };
        let scratch = self.scratch.clone();
        let maker = Maker { source, kept: request.kept.clone(), to_make, scratch: &scratch };
        self.make(&keep_what_others_read(maker, others), key, progress)
    }

    fn make(&mut self, maker: &Maker, key: &str, progress: &Progress) -> Result<Vec<SortedDelivery>> {
        let mut made = Vec::new();
        let mut shelf = self
            .shelf
            .clone()
            .and_then(|shelf| warn_of_loss(shelf.stage(key)).map(|staging| (shelf, staging)));
        let mut memory = self.memory;
        maker.make(memory, progress, |draft: PackedDelivery| {
            let kept = shelf.as_ref().map(|(shelf, staging)| shelf.put(key, staging, &draft));
            // Where there is no space for one, there is none for others.
            let is_full = matches!(&kept, Some(Err(error)) if own::is_out_of_space(error));
            shelf = shelf.take().filter(|_| !is_full);
            match kept.and_then(warn_of_loss) {
                Some(kept) => made.push(kept),
                None => {
                    let (unkept, bytes) = draft.unkept();
                    memory = memory.saturating_sub(bytes);
                    made.push(unkept);
                }
            }
            Ok(memory)
        })?;
        self.memory = memory;
        Ok(made)
    }

    /// Forgets a delivery that is not as it was written, so that it is made again. Returns whether there was one.
    pub fn forget(&mut self, input: &'static str, delivery: Option<Day>) -> bool {
        if !self.may_make {
            return false;
        }
        let Some(AtHand { key, .. }) = self.at_hand.remove(&(input, delivery)) else { return false };
        self.shelf.as_ref().is_none_or(|shelf| warn_of_loss(shelf.remove(&key, delivery)).is_some())
    }

    /// Notes that a night is done that has read an input back to a day, and clears away what is out of reach.
    pub fn note_night(&mut self, request: &DeliveryRequest, as_of: Day) {
        let name = request.source.spec.name;
        let oldest = request.source.spec.is_dated().then_some(request.oldest);
        // In a range later nights reach no further back.
        self.at_hand
            .retain(|(input, delivery), _| *input != name || delivery.is_none() || *delivery >= oldest);
        if let Some(shelf) = &self.shelf {
            warn_of_loss(shelf.note_night(&key(request), as_of, oldest));
        }
    }
}

/// Sorted deliveries that cannot be kept are a loss of time, not of the run.
fn warn_of_loss<T>(kept: Result<T>) -> Option<T> {
    kept.inspect_err(|error| tracing::warn!("sorted deliveries are not kept: {error:#}")).ok()
}

/// The deliveries that are wanted, in order.
fn wanted(request: &DeliveryRequest) -> Vec<Option<Day>> {
    let mut days: Vec<Option<Day>> = request.source.files.iter().map(|file| file.delivery).collect();
    days.dedup();
    days.retain(|day| day.is_none_or(|day| day >= request.oldest));
    days
}

/// Stands for all that sorted deliveries of an input depend on besides files: where they lie on the shelf.
fn key(request: &DeliveryRequest) -> String {
    let InputSource { spec, wanted, units, .. } = &request.source;
    let kinds: Vec<(&str, Type)> = wanted
        .iter()
        .enumerate()
        .filter(|(slot, wanted)| wanted.role == Role::Id || request.source.unique == Some(*slot))
        .map(|(_, wanted)| (wanted.name.as_str(), wanted.kind))
        .collect();
    let unique = spec.unique.as_ref().map(|unique| (&unique.column, unique.within_days));
    let text = format!(
        "rescore {} sorted {VERSION}\n{} {:?} {unique:?}\n{} {:?} {kinds:?}\n",
        env!("CARGO_PKG_VERSION"),
        spec.name,
        spec.rename,
        units.minor_units,
        units.timezone,
    );
    format!("{}/{}", spec.name, &bytes_hash(text.as_bytes())[..16])
}

/// The files that a delivery depends on: its own, and where repeats are left out, those of some days before.
pub(super) fn made_from<'f>(source: &InputSource<'f>, delivery: Option<Day>) -> &'f [OpenFile] {
    let within = source.within_days().unwrap_or(0);
    let first = delivery.map(|day| day.plus(-within));
    let start = source.files.partition_point(|file| file.delivery < first);
    let end = source.files.partition_point(|file| file.delivery <= delivery);
    &source.files[start..end]
}

fn made_of(request: &DeliveryRequest, key: &str, delivery: Option<Day>) -> Result<String> {
    let mut text = format!("{key}\n");
    for file in made_from(&request.source, delivery) {
        let day = file.delivery.map_or("undated".to_string(), |day| day.to_string());
        writeln!(text, "{day} {} {} {}", file.size, file.sha256()?, file.file.name)?;
    }
    Ok(bytes_hash(text.as_bytes()))
}

/// The files of deliveries to be made, and of those before them in which a repeat may have been seen.
fn files_to_read(source: &InputSource, to_make: &[ToMake]) -> Vec<OpenFile> {
    let mut wanted = vec![false; source.files.len()];
    for made in to_make {
        let own = made_from(source, made.delivery);
        let start = source.files.partition_point(|file| file.delivery < own[0].delivery);
        wanted[start..start + own.len()].fill(true);
    }
    let files = source.files.iter().zip(wanted);
    files.filter(|(_, wanted)| *wanted).map(|(file, _)| file.clone()).collect()
}

/// Keeps the columns that other jobs read besides, where all files to be read have them.
fn keep_what_others_read<'a>(mut maker: Maker<'a>, others: Vec<StoredColumn>) -> Maker<'a> {
    const KINDS: [Type; 4] = [Type::Int, Type::Text, Type::Bool, Type::Date];
    let known: Vec<_> = maker.source.files.iter().map(|file| file.columns(maker.source.spec)).collect();
    for StoredColumn { name, kind } in others {
        let place = maker.source.wanted.iter().position(|wanted| wanted.name == name);
        let Some(kind) = KINDS.into_iter().find(|own| own.name() == kind) else { continue };
        let place = match place {
            Some(place) => place,
            None if known.iter().all(|columns| columns.contains(&(name.clone(), Ok(kind)))) => {
                maker.source.wanted.push(Wanted::new(&name, Role::Extra).of(kind));
                maker.source.wanted.len() - 1
            }
            None => continue,
        };
        if !maker.kept.contains(&place) {
            maker.kept.push(place);
        }
    }
    maker
}
