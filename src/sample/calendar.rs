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
pub struct CalendarDay {
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
    /// The month of the day `BILLED_BEFORE` days later and the one after: what is bought on this day
    /// is billed in one of them.
    billing: [Cycle; 2],
    /// The day of the month `BILLED_BEFORE` days later.
    billed_day: u8,
}

/// A bill is made out and delivered this many days before it is due.
pub const BILLED_BEFORE: i32 = 10;

impl CalendarDay {
    fn new(date: Date) -> CalendarDay {
        let day_of_month = u32::from(date.day().unsigned_abs());
        let paydays = match date.weekday() {
            Weekday::Saturday | Weekday::Sunday => 0,
            Weekday::Friday => 0b111 << day_of_month,
            _ => 1u64 << day_of_month,
        };
        let weekday = date.weekday().to_monday_zero_offset() as usize;
        let billed = date.saturating_add(jiff::Span::new().days(BILLED_BEFORE));
        CalendarDay {
            date,
            number: day_number(date),
            month: month_of(date),
            busy: WEEK[weekday] * season(date),
            paydays,
            billing: [0, 1].map(|months| Cycle::of(billed, months)),
            billed_day: billed.day().unsigned_abs(),
        }
    }

    /// The month whose bill holds what is bought on this day with a line whose bills fall due on
    /// the `due_day`-th.
    pub fn cycle(&self, due_day: u8) -> &Cycle {
        &self.billing[usize::from(self.billed_day > due_day)]
    }

    /// True where the salary of the `day_of_month`-th is paid on this day.
    pub fn pays(&self, day_of_month: u8) -> bool {
        self.paydays >> day_of_month & 1 == 1
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
    days: Vec<CalendarDay>,
}

impl Calendar {
    /// The calendar of the deliveries `from..=to`.
    pub fn new(from: Date, to: Date) -> Calendar {
        let first = from.saturating_sub(jiff::Span::new().days(DAYS_BEFORE));
        let days = first.series(jiff::Span::new().days(1));
        Calendar { days: days.take_while(|&date| date <= to).map(CalendarDay::new).collect() }
    }

    /// The delivery days, in order.
    pub fn deliveries(&self) -> &[CalendarDay] {
        &self.days[DAYS_BEFORE as usize..]
    }

    /// The day of that number, `before` days earlier.
    pub fn earlier(&self, day: &CalendarDay, before: i32) -> &CalendarDay {
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
    /// The number of the first day of the month before.
    pub first_before: i32,
}

impl Cycle {
    /// The month so many `months` after that of `date`.
    fn of(date: Date, months: i32) -> Cycle {
        let first = date.first_of_month().saturating_add(jiff::Span::new().months(months));
        let before = first.saturating_sub(jiff::Span::new().months(1));
        Cycle { month: month_of(first), first: day_number(first), first_before: day_number(before) }
    }
}

/// Months looked back upon: those of the oldest unpaid bill, and a year of instalments before it.
const CYCLES: i32 = 32;

/// The months whose bills can move on `date`, the latest first: from the one after that of the day
/// `BILLED_BEFORE` days later.
pub fn cycles(date: Date) -> Vec<Cycle> {
    let latest = date.saturating_add(jiff::Span::new().days(BILLED_BEFORE));
    (-1..CYCLES).map(|months| Cycle::of(latest, -months)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_salary_is_paid_once_a_month_and_never_on_a_weekend() {
        let calendar = Calendar::new(date(2026, 1, 1), date(2026, 12, 31));
        for day_of_month in [5, 10, 15, 25, 28] {
            let paid: Vec<&CalendarDay> =
                calendar.deliveries().iter().filter(|day| day.pays(day_of_month)).collect();
            assert_eq!(paid.len(), 12);
            assert!(
                paid.iter().all(|day| { !matches!(day.date.weekday(), Weekday::Saturday | Weekday::Sunday) })
            );
        }
    }

    /// A window of 30 days between the two holds no salary.
    #[test]
    fn a_salary_of_a_weekend_leaves_more_than_30_days_to_the_next() {
        let calendar = Calendar::new(date(2026, 7, 1), date(2026, 8, 31));
        let paid: Vec<Date> =
            calendar.deliveries().iter().filter(|day| day.pays(10)).map(|day| day.date).collect();
        assert_eq!(paid, [date(2026, 7, 10), date(2026, 8, 10)]);
    }

    #[test]
    fn the_shopping_festivals_are_the_busiest_days() {
        let busy = |date| CalendarDay::new(date).busy;
        assert!(busy(date(2026, 11, 11)) > 2 * busy(date(2026, 11, 4)));
        assert!(busy(date(2026, 6, 18)) > 2 * busy(date(2026, 6, 4)));
        assert!(busy(date(2026, 2, 14)) > busy(date(2026, 2, 18)));
        assert_eq!(WEEK.iter().sum::<u64>(), 7 * 16);
    }

    #[test]
    fn cycles_go_back_month_by_month() {
        let found = cycles(date(2026, 1, 25));
        assert_eq!(found[1].first, day_number(date(2026, 2, 1)));
        assert_eq!(found[3].first, day_number(date(2025, 12, 1)));
        assert_eq!(found[3].first_before, day_number(date(2025, 11, 1)));
        assert_eq!(found[1].month, found[3].month + 2);
    }

    #[test]
    fn what_is_bought_after_the_bill_is_made_out_is_in_the_next() {
        // The bill due on 5 March is made out on 23 February.
        assert_eq!(CalendarDay::new(date(2026, 2, 23)).cycle(5).first, day_number(date(2026, 3, 1)));
        assert_eq!(CalendarDay::new(date(2026, 2, 24)).cycle(5).first, day_number(date(2026, 4, 1)));
    }
}
