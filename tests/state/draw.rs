//! Random books that last: the audit's cases with deliveries for every night, rows posted on time, and
//! accounts that come and go.

use std::collections::BTreeSet;

use crate::audit::CROWD;
use crate::audit::case::{Case, DataFile, Input, Layout};
use crate::audit::draw_job;
use crate::audit::random::Random;
use crate::audit::value::Value;

/// Days of deliveries before a case's own date, and after it.
pub const BEFORE_DAYS: i32 = 6;
const AFTER_DAYS: i32 = 14;

/// Rows, features, rules of a case grow with its size.
const SIZE: usize = 60;

/// A case that keeps states and can be run on any of its days.
pub fn lasting(random: &mut Random, is_crowd: bool) -> Case {
    let seed = random.next();
    let mut case =
        if is_crowd { draw_job::draw_crowd(seed, SIZE, CROWD) } else { draw_job::draw(seed, SIZE) };
    case.job.keeps_state = true;
    case.earlier_nights = None;
    case.lines.lacking.clear();
    case.job.lines_max_age_days = BEFORE_DAYS + AFTER_DAYS;
    let (first, last) = (case.as_of - BEFORE_DAYS, case.as_of + AFTER_DAYS);
    for number in 0..3 {
        let is_lines = number == 2;
        let input = &mut *case.inputs_mut()[number];
        if input.layout == Layout::Undated && (is_lines || random.chance(75)) {
            input.layout = Layout::Partitioned;
        }
        if input.is_dated() {
            let every_percent = if is_lines { 50 } else { 95 };
            deliver_daily(random, input, first..=last, every_percent);
        }
    }
    post_on_time(random, &mut case.transactions);
    case.lines.files.iter_mut().for_each(|file| leave(random, file));
    case
}

/// Fills days without a delivery with rows like those of others.
fn deliver_daily(
    random: &mut Random,
    input: &mut Input,
    days: std::ops::RangeInclusive<i32>,
    every_percent: u64,
) {
    let donors = input.files.clone();
    for day in days.clone() {
        let is_there = input.files.iter().any(|file| file.delivery == day);
        if !donors.is_empty() && !is_there && (day == *days.start() || random.chance(every_percent)) {
            let rows = copied(random, input, &donors, day);
            let donor = random.pick(&donors);
            input.files.push(DataFile { delivery: day, rows, ..donor });
        }
    }
}

/// Rows of another delivery as they would come on a day.
pub fn copied(random: &mut Random, input: &Input, donors: &[DataFile], day: i32) -> Vec<Vec<Value>> {
    let donor = random.pick(donors);
    let mut rows = donor.rows.clone();
    for (place, (column, _)) in input.columns.iter().enumerate() {
        for row in &mut rows {
            // A bill's terms are its own, whichever delivery tells them.
            if let (Value::Date(date), false) = (&mut row[place], *column == "due_on" && random.chance(60)) {
                *date = date.saturating_add(day - donor.delivery);
            }
        }
    }
    rows.retain(|_| random.chance(90));
    rows
}

/// The audit's rows are mostly late.
fn post_on_time(random: &mut Random, input: &mut Input) {
    for file in &mut input.files {
        for row in &mut file.rows {
            if random.chance(60) {
                row[1] = Value::Date(file.delivery);
            }
        }
    }
}

/// Some accounts have no line in a snapshot.
fn leave(random: &mut Random, file: &mut DataFile) {
    let accounts: BTreeSet<Value> = file.rows.iter().map(|row| row[0].clone()).collect();
    let gone: BTreeSet<Value> = accounts.into_iter().filter(|_| random.chance(15)).collect();
    file.rows.retain(|row| !gone.contains(&row[0]));
}
