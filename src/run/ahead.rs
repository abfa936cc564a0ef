//! Several nights of a range in one sweep: features over transactions and bills depend on nothing that the nights
//! before issue, so those of the next nights are answered with tonight's.

use std::sync::Arc;

use anyhow::Result;
use rayon::prelude::*;

use super::answers::{FeatureRows, Swept, Work};
use super::inputs::{Deliveries, Files, oldest_transactions, read_lines};
use super::ready::{Ahead, NightAnswers, Ready};
use super::session::Session;
use crate::console::Progress;
use crate::day::{Dates, Day};
use crate::features::plan::Plans;
use crate::features::{Asked, AskedDay, Part, PartAnswers};
use crate::input::accounts::{Accounts, Ids};
use crate::input::wanted::Units;
use crate::job::Job;
use crate::pieces::piece;
use crate::places;
use crate::sorted::SortedDelivery;

/// Nights answered at once: what they share is read and decoded once, what they come to is held until it is their
/// turn.
const NIGHTS_AT_ONCE: usize = piece(4, 2);

/// A night that is asked for, and the accounts of its book.
struct AskedNight {
    as_of: Day,
    ids: Ids,
}

/// Answers tonight and the nights after it, as far as their books can be read by now. Whatever is wrong with one of
/// them is reported when it is its turn.
pub(super) fn look_ahead(
    session: &mut Session,
    job: &Job,
    deliveries: &Deliveries,
    dates: Dates,
    tonight: &Accounts,
    progress: &Progress,
) -> Ahead {
    let units = Units::of(job);
    let mut nights = vec![AskedNight { as_of: dates.as_of, ids: tonight.ids.clone() }];
    for as_of in session.nights_after(dates.as_of).into_iter().take(NIGHTS_AT_ONCE - 1) {
        let dates = Dates { as_of, known_on: as_of, ..dates };
        match ids_of(session, job, deliveries, dates, &units, progress) {
            Ok(ids) => nights.push(AskedNight { as_of, ids }),
            Err(error) => {
                tracing::info!("the night of {as_of} is not looked ahead to: {error:#}");
                break;
            }
        }
    }
    if nights.len() < 2 {
        return Ahead::new();
    }
    let swept = sweep(session, job, deliveries, &units, &nights, progress);
    swept.inspect_err(|error| tracing::info!("nights are answered one by one: {error:#}")).unwrap_or_default()
}

fn ids_of(
    session: &mut Session,
    job: &Job,
    deliveries: &Deliveries,
    dates: Dates,
    units: &Units,
    progress: &Progress,
) -> Result<Ids> {
    let files = Files::open(job, deliveries, dates, &mut session.footers)?;
    files.check_schemas(job, deliveries, &mut session.footers)?;
    Ok(read_lines(job, &files, units, &places::scratch(&session.out), progress)?.accounts.ids)
}

fn sweep(
    session: &mut Session,
    job: &Job,
    deliveries: &Deliveries,
    units: &Units,
    nights: &[AskedNight],
    progress: &Progress,
) -> Result<Ahead> {
    let (first, last) = (nights[0].as_of, nights[nights.len() - 1].as_of);
    let until = Dates { as_of: last, known_on: last, chain_from: None };
    let files = Files::of_days(job, deliveries, first, until, &[], &mut session.footers)?;
    files.hash(&mut session.footers, last)?;
    let plans = Plans::of(&job.features);
    let accounts =
        Accounts::new(nights.iter().fold(nights[0].ids.clone(), |all, night| all.union(&night.ids)));
    let asked = ask(&accounts, nights);
    let parts = asked.parts();
    let account_kind = accounts.ids.kind();
    let rows = FeatureRows { job, files: &files, units, plans: &plans, account_kind, first };
    let scratch = &places::scratch(&session.out);
    let copies = &mut session.copies;
    let mut work = Work { copies, scratch, progress, lap: &mut |_| {} };
    let Swept { transactions, repayments } = rows.sweep(&asked, &parts, &mut work)?;
    let ahead = nights.iter().zip(&repayments.answers.conflicts).map(|(night, conflicts)| {
        let split = |answers: &[PartAnswers]| split(&asked, &parts, answers, night.as_of);
        let (parts, of_transactions) = split(&transactions.answers);
        let (_, of_repayments) = split(&repayments.answers.answers);
        let made_of = |deliveries: &[Arc<SortedDelivery>], oldest: Day| {
            let seen = deliveries
                .iter()
                .map(|delivery| &delivery.label)
                .filter(|label| label.delivery.is_none_or(|day| oldest <= day && day <= night.as_of));
            seen.map(|label| label.made_of.clone()).collect()
        };
        let oldest = oldest_transactions(job, night.as_of, 0);
        let ready = NightAnswers {
            ids: night.ids.clone(),
            parts,
            transactions: Ready {
                stands_on: made_of(&transactions.fetched.deliveries, oldest),
                answers: of_transactions,
            },
            repayments: Ready {
                stands_on: made_of(&repayments.fetched.deliveries, Day(i32::MIN)),
                answers: of_repayments,
            },
            conflicts: *conflicts,
        };
        (night.as_of, ready)
    });
    Ok(ahead.collect())
}

/// Asks every account for the nights whose book holds it.
fn ask<'a>(accounts: &'a Accounts, nights: &[AskedNight]) -> Asked<'a> {
    let mut is_asked: Vec<Vec<bool>> = Vec::new();
    for night in nights {
        let mut own = vec![false; accounts.len()];
        let positions = accounts.positions(&night.ids.to_column());
        positions.into_iter().for_each(|position| own[position as usize] = true);
        is_asked.push(own);
    }
    let (mut starts, mut days) = (Vec::with_capacity(accounts.len() + 1), Vec::new());
    for account in 0..accounts.len() {
        starts.push(days.len() as u32);
        let own = nights.iter().zip(&is_asked).filter(|(_, is_asked)| is_asked[account]);
        days.extend(own.map(|(night, _)| AskedDay { as_of: night.as_of, known_on: night.as_of }));
    }
    starts.push(days.len() as u32);
    Asked { accounts, starts, days }
}

/// Of the answers of all nights those of one, and its parts: those of all, as far as it has accounts there.
fn split(
    asked: &Asked,
    parts: &[Part],
    answers: &[PartAnswers],
    as_of: Day,
) -> (Vec<Part>, Vec<PartAnswers>) {
    let own = parts.par_iter().zip(answers).map(|(part, answers)| {
        let days = asked.days[part.slots()].iter().zip(0..);
        let slots: Vec<u32> = days.filter(|(day, _)| day.as_of == as_of).map(|(_, slot)| slot).collect();
        (slots.len() as u32, answers.gather(&slots))
    });
    let own: Vec<(u32, PartAnswers)> = own.collect();
    let mut first = 0;
    let (mut own_parts, mut own_answers) = (Vec::new(), Vec::new());
    for (count, answers) in own.into_iter().filter(|(count, _)| *count > 0) {
        let end = first + count;
        own_parts.push(Part { first_account: first, end_account: end, first_slot: first, end_slot: end });
        own_answers.push(answers);
        first = end;
    }
    (own_parts, own_answers)
}
