//! From deliveries to the features of what is asked: sorted, swept, answered, but for features over lines.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;

use anyhow::Result;

use super::inputs::{Files, oldest_transactions, repayments, transactions};
use super::notices;
use super::ready::{NightAnswers, Ready};
use super::watch::Watch;
use crate::console::Progress;
use crate::day::Day;
use crate::expr::Type;
use crate::failure::input;
use crate::features::bills::{OfRepayments, Repayments};
use crate::features::plan::Plans;
use crate::features::transactions::{Eras, Transactions, slots_kept};
use crate::features::{Answers, Asked, AskedDay, Part, PartAnswers};
use crate::input::file::OpenFile;
use crate::input::reject_log::{RejectLog, RejectedRows};
use crate::input::stream::{InputSource, ReadTally};
use crate::input::wanted::Units;
use crate::job::{Job, REPAYMENT_COLUMNS, input_names};
use crate::sorted::{DeliveryRequest, Fetched, Outlook, SortedDeliveries, TornCopy, Why};

/// The deliveries that features are computed from: those that are sorted already, and those to be sorted.
#[derive(Debug, Default, Clone)]
pub struct Sorting {
    /// By input.
    pub inputs: Vec<(&'static str, Outlook)>,
}

impl fmt::Display for Sorting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sorted: usize = self.inputs.iter().map(|(_, outlook)| outlook.sorted.len()).sum();
        let to_make: Vec<Why> =
            self.inputs.iter().flat_map(|(_, outlook)| &outlook.to_make).map(|(_, why)| *why).collect();
        write!(f, "from {sorted} sorted deliveries, {} to sort", to_make.len())?;
        let mut reasons: Vec<Why> = to_make.clone();
        reasons.sort_unstable();
        reasons.dedup();
        for (number, why) in reasons.into_iter().enumerate() {
            let count = to_make.iter().filter(|own| **own == why).count();
            write!(f, "{} {count} {}", if number == 0 { ":" } else { "," }, why.text())?;
        }
        Ok(())
    }
}

/// What features are computed from.
#[derive(Clone, Copy)]
pub struct FeatureRows<'a> {
    /// The job.
    pub job: &'a Job,
    /// Its inputs.
    pub files: &'a Files,
    /// What decoding depends on.
    pub units: &'a Units,
    /// What is accumulated.
    pub plans: &'a Plans,
    /// The type of account ids.
    pub account_kind: Type,
    /// The first day that is asked.
    pub first: Day,
}

/// What transactions and repayments come to.
pub struct Answered {
    /// The features of what is asked, but for those over lines.
    pub answers: Answers,
    /// By day asked for, the bills for which one delivery holds more than one pair of terms.
    pub conflicts: Vec<u64>,
    /// What is reported of the rows.
    pub intake: Intake,
}

/// What is reported of the rows of transactions and repayments.
pub struct Intake {
    /// Of transactions.
    pub transactions: InputIntake,
    /// Of repayments.
    pub repayments: InputIntake,
}

/// What is reported of the rows of an input.
pub struct InputIntake {
    /// Rows read and left out, of deliveries that are reported.
    pub tally: ReadTally,
    /// What to warn of.
    notices: Vec<String>,
    /// What was sorted already, and what was not.
    outlook: Outlook,
}

impl Intake {
    /// What to warn of.
    pub fn notices(&self) -> impl Iterator<Item = &String> {
        self.transactions.notices.iter().chain(&self.repayments.notices)
    }

    /// What was sorted already, and what was not.
    pub fn sorting(&self) -> Sorting {
        let inputs = [
            (input_names::TRANSACTIONS, self.transactions.outlook.clone()),
            (input_names::REPAYMENTS, self.repayments.outlook.clone()),
        ];
        Sorting { inputs: inputs.into() }
    }
}

impl FeatureRows<'_> {
    /// Calls `each` with what is wanted of transactions and of repayments.
    pub fn requests<T>(
        &self,
        days: &[AskedDay],
        each: impl FnOnce(DeliveryRequest, DeliveryRequest) -> T,
    ) -> T {
        let FeatureRows { job, files, units, account_kind, .. } = *self;
        let plan = &self.plans.transactions;
        let (source, slots) = transactions(job, files, units, plan, account_kind);
        let eras = Eras::new(plan, days);
        let read = |delivery: Option<Day>| positions_among(&slots, &eras.slots(delivery));
        let kept = positions_among(&slots, &slots_kept(&plan.columns));
        let transactions =
            DeliveryRequest { source, kept, oldest: oldest_transactions(job, self.first, 0), read: &read };

        let source = repayments(job, files, units, account_kind);
        let all = |_: Option<Day>| (0..REPAYMENT_COLUMNS.len()).collect();
        let repayments = DeliveryRequest { source, kept: all(None), oldest: Day(i32::MIN), read: &all };
        each(transactions, repayments)
    }

    /// What there is of sorted deliveries, and what a run would read; deliveries that are `planned` will be there.
    pub fn outlook(
        &self,
        copies: &SortedDeliveries,
        days: &[AskedDay],
        planned: &BTreeSet<(&'static str, Option<Day>)>,
    ) -> Result<(Sorting, [Vec<OpenFile>; 2])> {
        self.requests(days, |transactions, repayments| {
            let (transactions, read) = copies.outlook(&transactions, planned)?;
            let (repayments, also_read) = copies.outlook(&repayments, planned)?;
            let inputs =
                vec![(input_names::TRANSACTIONS, transactions), (input_names::REPAYMENTS, repayments)];
            Ok((Sorting { inputs }, [read, also_read]))
        })
    }

    /// Sorts what is not sorted yet, and answers.
    pub fn sweep(&self, asked: &Asked, parts: &[Part], work: &mut Work) -> Result<Swept> {
        let days = asked.distinct_days();
        self.requests(&days, |transactions, repayments| {
            let transactions =
                work.of_input(&transactions, |fetched| self.sweep_transactions(asked, parts, fetched))?;
            let repayments =
                work.of_input(&repayments, |fetched| self.sweep_repayments(asked, parts, fetched))?;
            Ok(Swept { transactions, repayments })
        })
    }

    /// Sorts what is not sorted yet of repayments, and answers the features of bills.
    pub fn sweep_bills(
        &self,
        asked: &Asked,
        parts: &[Part],
        work: &mut Work,
    ) -> Result<OfInput<OfRepayments>> {
        self.requests(&asked.distinct_days(), |_, repayments| {
            work.of_input(&repayments, |fetched| self.sweep_repayments(asked, parts, fetched))
        })
    }

    /// Likewise for a night, of which some may be answered already. Deliveries dated `reported_from` or later are
    /// counted and their rejects listed, undated ones always.
    pub fn answer(
        &self,
        asked: &Asked,
        parts: &[Part],
        ready: Option<NightAnswers>,
        reported_from: Day,
        work: &mut Work,
    ) -> Result<Answered> {
        let (job, plans) = (self.job, self.plans);
        let (mut of_transactions, mut of_repayments, mut ready_conflicts) = (None, None, 0);
        if let Some(NightAnswers { transactions, repayments, conflicts, .. }) = ready {
            (of_transactions, of_repayments, ready_conflicts) =
                (Some(transactions), Some(repayments), conflicts);
        }
        self.requests(&asked.distinct_days(), |transactions, repayments| {
            let mut answers = Answers::new(&job.features, parts);
            let OfInput { answers: swept, fetched } =
                work.of_input(&transactions, |fetched| match taken(&mut of_transactions, fetched) {
                    Some(answers) => Ok(answers),
                    None => self.sweep_transactions(asked, parts, fetched),
                })?;
            answers.add(swept);
            let watch = notices::of_transactions(job, plans, reported_from);
            let transactions = self.report(&transactions, fetched, watch, work)?;

            let OfInput { answers: swept, fetched } =
                work.of_input(&repayments, |fetched| match taken(&mut of_repayments, fetched) {
                    Some(answers) => Ok(OfRepayments { answers, conflicts: vec![ready_conflicts] }),
                    None => self.sweep_repayments(asked, parts, fetched),
                })?;
            let OfRepayments { answers: of_bills, conflicts } = swept;
            answers.add(of_bills);
            let watch = notices::of_repayments(job, reported_from);
            let repayments = self.report(&repayments, fetched, watch, work)?;
            Ok(Answered { answers, conflicts, intake: Intake { transactions, repayments } })
        })
    }

    /// What is reported of a night's rows where features are computed elsewhere.
    pub fn intake(&self, day: AskedDay, work: &mut Work) -> Result<Intake> {
        let (job, plans) = (self.job, self.plans);
        self.requests(&[day], |transactions, repayments| {
            let fetched = work.of_input(&transactions, |_| Ok(()))?.fetched;
            let watch = notices::of_transactions(job, plans, day.as_of);
            let transactions = self.report(&transactions, fetched, watch, work)?;
            let fetched = work.of_input(&repayments, |_| Ok(()))?.fetched;
            let watch = notices::of_repayments(job, day.as_of);
            let repayments = self.report(&repayments, fetched, watch, work)?;
            Ok(Intake { transactions, repayments })
        })
    }

    /// What is reported of an input's rows: of those delivered from a day on, which `watch` says, and undated ones.
    fn report(
        &self,
        request: &DeliveryRequest,
        fetched: Fetched,
        watch: Watch,
        work: &mut Work,
    ) -> Result<InputIntake> {
        let tally = tally(&request.source, &fetched, watch.from, work.scratch)?;
        let notices = watch.notices_of(&fetched.deliveries)?;
        let outlook = work.copies.report(request, fetched);
        work.copies.note_night(request, self.first);
        Ok(InputIntake { tally, notices, outlook })
    }

    fn sweep_transactions(
        &self,
        asked: &Asked,
        parts: &[Part],
        fetched: &Fetched,
    ) -> Result<Vec<PartAnswers>> {
        let scope = &self.job.scopes.transactions;
        let (features, plan, deliveries) =
            (&self.job.features, &self.plans.transactions, &fetched.deliveries);
        Transactions { features, plan, scope, asked, parts, deliveries }.sweep()
    }

    fn sweep_repayments(&self, asked: &Asked, parts: &[Part], fetched: &Fetched) -> Result<OfRepayments> {
        let known_ons: Vec<Day> = asked.distinct_days().iter().map(|day| day.known_on).collect();
        let (features, plans, deliveries) = (&self.job.features, &self.plans.bills, &fetched.deliveries);
        let (tolerance, known_ons) = (self.job.bill_tolerance, &known_ons);
        Repayments { features, plans, asked, parts, deliveries, tolerance, known_ons }.sweep()
    }
}

/// The positions of the scope's slots that are read among those that are decoded.
fn positions_among(slots: &[usize], read: &[usize]) -> Vec<usize> {
    (0..slots.len()).filter(|position| read.contains(&slots[*position])).collect()
}

/// What sweeps work with.
pub struct Work<'a> {
    /// The sorted deliveries.
    pub copies: &'a mut SortedDeliveries,
    /// Where files may be put that go with the run.
    pub scratch: &'a Path,
    /// Shows how far it is.
    pub progress: &'a Progress,
    /// Called as each stage is done, with its name.
    pub lap: &'a mut dyn FnMut(&str),
}

impl Work<'_> {
    /// Fetches an input's sorted deliveries and answers from them. Where one turns out to be torn, it is made again,
    /// and everything answered anew.
    fn of_input<T>(
        &mut self,
        request: &DeliveryRequest,
        mut answer: impl FnMut(&Fetched) -> Result<T>,
    ) -> Result<OfInput<T>> {
        let name = request.source.spec.name;
        let mut forgotten = BTreeSet::new();
        loop {
            let fetched = self.copies.fetch(request, self.progress)?;
            (self.lap)(&format!("{name} sorted"));
            let error = match answer(&fetched) {
                Ok(answers) => {
                    (self.lap)(&format!("features of {name}"));
                    return Ok(OfInput { fetched, answers });
                }
                Err(error) => error,
            };
            let torn = error.downcast_ref::<TornCopy>().map(|torn| torn.delivery);
            match torn.filter(|delivery| forgotten.insert(*delivery)) {
                Some(delivery) if self.copies.forget(name, delivery) => {
                    let of = delivery.map_or(String::new(), |day| format!(" of {day}"));
                    tracing::warn!("{name}{of}: {error:#}: it is sorted anew");
                }
                _ if torn.is_some() => return Err(input(format!("{name}: {error:#}"))),
                _ => return Err(error),
            }
        }
    }
}

/// What an input comes to.
pub struct OfInput<T> {
    /// Its sorted deliveries.
    pub fetched: Fetched,
    /// The answers from them.
    pub answers: T,
}

/// What a sweep comes to.
pub struct Swept {
    /// By part.
    pub transactions: OfInput<Vec<PartAnswers>>,
    /// By part, and bills.
    pub repayments: OfInput<OfRepayments>,
}

/// Answers that are there already, if they stand on the deliveries that were fetched.
fn taken(ready: &mut Option<Ready>, fetched: &Fetched) -> Option<Vec<PartAnswers>> {
    ready
        .take_if(|ready| ready.stands_on(fetched.deliveries.iter().map(|delivery| &**delivery)))
        .map(|ready| ready.answers)
}

/// Counts the rows of the deliveries that are reported, and lists their rejects.
fn tally(source: &InputSource, fetched: &Fetched, from: Day, scratch: &Path) -> Result<ReadTally> {
    let rejects = RejectLog::new(source.spec.name, source.files, scratch);
    let mut tally = ReadTally { rejects, ..ReadTally::default() };
    for delivery in &fetched.deliveries {
        if delivery.label.delivery.is_some_and(|day| day < from) {
            continue;
        }
        tally.read += delivery.label.read;
        let first_file = source.files.partition_point(|file| file.delivery < delivery.label.delivery);
        delivery.rejects(|rows| {
            let mut moved = RejectedRows::default();
            for row in rows.rows() {
                let mut row = row?;
                row.file += first_file as u32;
                moved.push_row(&row);
            }
            tally.rejects.append(&moved)
        })?;
    }
    Ok(tally)
}
