//! The days of a sample: weekdays, paydays, seasons, and the months that bills fall due in.

use jiff::civil::{Date, Weekday, date};

/// Days that the calendar reaches back before its first delivery: late rows and refunds look there.
pub const DAYS_BEFORE: i32 = 20;

/// How busy an ordinary day is: the unit of `Day::busy`.
pub const ORDINARY_BUSY: u64 = 256;

/// Monday to Sunday, in sixteenths of an ordinary day; they add up to seven days.
const WEEK: [u64; 7] = [14, 14, 14, 15, 17, 20, 18];

/// The first day of the lunar year, when shops close after a fortnight of shopping.
const LUNAR_NEW_YEARS: [Date; 16] = [
    date(2020, 1, 25),
    date(2021, 2, 12),
    date(2022, 2, 1),
    date(2023, 1, 22),
    date(2024, 2, 10),
    date(2025, 1, 29),
    date(2026, 2, 17),
    date(2027, 2, 6),
    date(2028, 1, 26),
    date(2029, 2, 13),
    date(2030, 2, 3),
    date(2031, 1, 23),
    date(2032, 2, 11),
    date(2033, 1, 31),
    date(2034, 2, 19),
    date(2035, 2, 8),
];

/// A date as days since 1970-01-01, as Arrow's Date32 counts them.
pub fn day_number(date: Date) -> i32 {
    (date - Date::constant(1970, 1, 1)).get_days()
}

/// One date and what it means for spending.
#[derive(Clone, Copy)]
pub struct Day {
    pub date: Date,
    /// Days since 1970-01-01.
    pub number: i32,
    /// Months since year 0.
    pub month: u32,
    /// How much is spent: `ORDINARY_BUSY` on an ordinary day.
    pub busy: u64,
    /// Bit n is set where a salary of the n-th of the month is paid on this day: those of a
    /// weekend are paid on the Friday before.
    paydays: u64,
}

impl Day {
    fn new(date: Date) -> Day {
        let day_of_month = u32::from(date.day().unsigned_abs());
        let paydays = match date.weekday() {
            Weekday::Saturday | Weekday::Sunday => 0,
            Weekday::Friday => 0b111 << day_of_month,
            _ => 1u64 << day_of_month,
        };
        let weekday = date.weekday().to_monday_zero_offset() as usize;
        Day {
            date,
            number: day_number(date),
            month: month_of(date),
            busy: WEEK[weekday] * season(date),
            paydays,
        }
    }

    /// True where the salary of the `day_of_month`-th is paid on this day.
    pub fn pays(&self, day_of_month: u8) -> bool {
        self.paydays >> day_of_month & 1 == 1
    }

    /// The day of the month, from 1.
    pub fn day_of_month(&self) -> i64 {
        i64::from(self.date.day())
    }
}

fn month_of(date: Date) -> u32 {
    date.year() as u32 * 12 + date.month() as u32 - 1
}

/// The season of a date in sixteenths of an ordinary one: festivals, holidays, the weeks before them.
fn season(date: Date) -> u64 {
    let from_lunar_new_year = LUNAR_NEW_YEARS
        .iter()
        .find(|new_year| new_year.year() == date.year())
        .map(|&new_year| day_number(date) - day_number(new_year));
    match (date.month(), date.day(), from_lunar_new_year) {
        (11, 11, _) => 48,
        (6, 18, _) => 35,
        (12, 12, _) => 26,
        (_, _, Some(-14..=-1)) => 23,
        (_, _, Some(0..=6)) => 11,
        (12, 31, _) | (1, 1, _) => 22,
        (10, 1..=7, _) => 21,
        (11, 1..=10, _) | (6, 8..=17, _) => 18,
        (11, 12..=20, _) | (6, 19..=25, _) => 14,
        _ => 16,
    }
}

/// The days from `DAYS_BEFORE` the first delivery to the last one.
pub struct Calendar {
    days: Vec<Day>,
}

impl Calendar {
    /// The calendar of the deliveries `from..=to`.
    pub fn new(from: Date, to: Date) -> Calendar {
        let first = from.saturating_sub(jiff::Span::new().days(DAYS_BEFORE));
        let days = first.series(jiff::Span::new().days(1));
        Calendar { days: days.take_while(|&date| date <= to).map(Day::new).collect() }
    }

    /// The delivery days, in order.
    pub fn deliveries(&self) -> &[Day] {
        &self.days[DAYS_BEFORE as usize..]
    }

    /// The day of that number, `before` days earlier.
    pub fn earlier(&self, day: &Day, before: i32) -> &Day {
        &self.days[(day.number - before - self.days[0].number) as usize]
    }
}

/// A month in which bills fall due.
#[derive(Clone, Copy)]
pub struct Cycle {
    /// Months since year 0.
    pub month: u32,
    /// The number of the month's first day.
    pub first: i32,
}

/// Months looked back upon: longer than any bill stays in motion.
const CYCLES: usize = 9;

/// The months whose bills can move on `day`, the latest first: from that of `ahead` days later.
pub fn cycles(day: &Day, ahead: i32) -> [Cycle; CYCLES] {
    let mut first = day.date.saturating_add(jiff::Span::new().days(ahead)).first_of_month();
    std::array::from_fn(|index| {
        if index > 0 {
            first = first.saturating_sub(jiff::Span::new().months(1));
        }
        Cycle { month: month_of(first), first: day_number(first) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_salary_is_paid_once_a_month_and_never_on_a_weekend() {
        let calendar = Calendar::new(date(2026, 1, 1), date(2026, 12, 31));
        for day_of_month in [5, 10, 15, 25, 28] {
            let paid: Vec<&Day> = calendar.deliveries().iter().filter(|day| day.pays(day_of_month)).collect();
            assert_eq!(paid.len(), 12);
            assert!(
                paid.iter().all(|day| { !matches!(day.date.weekday(), Weekday::Saturday | Weekday::Sunday) })
            );
        }
    }

    #[test]
    fn the_shopping_festivals_are_the_busiest_days() {
        let busy = |date| Day::new(date).busy;
        assert!(busy(date(2026, 11, 11)) > 2 * busy(date(2026, 11, 4)));
        assert!(busy(date(2026, 6, 18)) > 2 * busy(date(2026, 6, 4)));
        assert!(busy(date(2026, 2, 14)) > busy(date(2026, 2, 18)));
        assert_eq!(WEEK.iter().sum::<u64>(), 7 * 16);
    }

    #[test]
    fn cycles_go_back_month_by_month() {
        let day = Day::new(date(2026, 1, 25));
        let found = cycles(&day, 10);
        assert_eq!(found[0].first, day_number(date(2026, 2, 1)));
        assert_eq!(found[2].first, day_number(date(2025, 12, 1)));
        assert_eq!(found[0].month, found[2].month + 2);
    }
}
