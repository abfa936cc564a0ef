//! Calendar days: what an as-of date, a delivery date and a due date are made of.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

/// A civil date as days since 1970-01-01, the representation of Parquet's Date32.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub i32);

const SECONDS_PER_DAY: i64 = 86_400;

impl Day {
    const EPOCH: Date = jiff::civil::date(1970, 1, 1);

    /// The day of a civil date.
    pub fn from_date(date: Date) -> Day {
        let days = Self::EPOCH.until(date).expect("civil dates are within range").get_days();
        Day(days)
    }

    /// The day of an instant in a time zone, from seconds since 1970 in UTC; `None` where no rule of the
    /// zone reaches so far, before the year -9999 or after 9999.
    pub fn of_instant(seconds: i64, zone: &TimeZone) -> Option<Day> {
        // The last days of the calendar lie past the last instant, whose offset they share.
        const SLACK_SECONDS: i64 = 2 * SECONDS_PER_DAY;
        let last = Timestamp::MAX.as_second();
        if seconds > last + SLACK_SECONDS {
            return None;
        }
        let instant = Timestamp::from_second(seconds.min(last)).ok()?;
        Day::of_local(seconds + i64::from(zone.to_offset(instant).seconds()))
    }

    /// The day of a zone-less timestamp, taken as local, from seconds since 1970; `None` where Date32
    /// cannot hold it.
    pub fn of_local(seconds: i64) -> Option<Day> {
        i32::try_from(seconds.div_euclid(SECONDS_PER_DAY)).ok().map(Day)
    }

    /// The day `days` later (earlier where negative), saturating at the representable range.
    pub fn plus(self, days: i32) -> Day {
        Day(self.0.saturating_add(days))
    }

    /// Days from `earlier` to this day, exactly.
    pub fn since(self, earlier: Day) -> i64 {
        i64::from(self.0) - i64::from(earlier.0)
    }

    /// The civil date; `None` outside the years -9999 to 9999, where the calendar ends.
    fn civil(self) -> Option<Date> {
        // A span is itself bounded, and narrower than Date32.
        let span = Span::new().try_days(self.0).ok()?;
        Self::EPOCH.checked_add(span).ok()
    }

    /// Whether it is the last day of its month; no day beyond the calendar is.
    pub fn is_month_end(self) -> bool {
        self.civil().is_some_and(|date| date == date.last_of_month())
    }

    /// Its month as YYYY-MM; beyond the calendar, the day as it prints.
    pub fn month(self) -> String {
        self.civil().map_or_else(|| self.to_string(), |date| date.strftime("%Y-%m").to_string())
    }

    /// As a letter writes it: 20 November 2026.
    pub fn in_words(self) -> String {
        self.civil().map_or_else(|| self.to_string(), |date| date.strftime("%-d %B %Y").to_string())
    }

    /// Every day from this one to `last`, both included.
    pub fn to(self, last: Day) -> impl Iterator<Item = Day> {
        (self.0..=last.0).map(Day)
    }
}

impl FromStr for Day {
    type Err = String;

    /// Takes `YYYY-MM-DD` and nothing else.
    fn from_str(text: &str) -> Result<Day, String> {
        let shape = text.len() == 10
            && text.bytes().enumerate().all(|(i, b)| match i {
                4 | 7 => b == b'-',
                _ => b.is_ascii_digit(),
            });
        match text.parse::<Date>() {
            Ok(date) if shape => Ok(Day::from_date(date)),
            _ => Err(format!("`{text}` is not a date; dates are written YYYY-MM-DD")),
        }
    }
}

impl fmt::Display for Day {
    /// YYYY-MM-DD; beyond the calendar, the number of the day.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.civil() {
            Some(date) => write!(f, "{date}"),
            None => write!(f, "day {} since 1970-01-01", self.0),
        }
    }
}

impl serde::Serialize for Day {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Day {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Day, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// The dates that a run is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dates {
    /// D: the business date scored for.
    pub as_of: Day,
    /// K: only deliveries of this day or before are seen.
    pub known_on: Day,
    /// The first day of the simulation that the run is a day of; `None` for a night.
    pub chain_from: Option<Day>,
}

impl Dates {
    /// The day by which the lines must have been delivered.
    pub fn lines_by(self) -> Day {
        self.chain_from.unwrap_or(self.as_of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_prints_as_it_parses_and_other_shapes_are_refused() {
        for text in ["2026-11-19", "1970-01-01", "1969-12-31", "2024-02-29"] {
            assert_eq!(text.parse::<Day>().unwrap().to_string(), text);
        }
        for text in ["2026-02-29", "20261119", "2026-1-1", "+002026-01-01", ""] {
            assert!(text.parse::<Day>().is_err(), "{text}");
        }
    }

    /// The calendar ends with the years -9999 and 9999, a span of days at 7,304,484, Date32 far beyond both.
    #[test]
    fn every_day_of_date32_can_be_written() {
        for (day, text) in [
            (-4_371_587, "-009999-01-01"),
            (-4_371_588, "day -4371588 since 1970-01-01"),
            (2_932_896, "9999-12-31"),
            (2_932_897, "day 2932897 since 1970-01-01"),
            (7_304_485, "day 7304485 since 1970-01-01"),
            (i32::MAX, "day 2147483647 since 1970-01-01"),
            (i32::MIN, "day -2147483648 since 1970-01-01"),
        ] {
            assert_eq!(Day(day).to_string(), text);
        }
        assert_eq!(Day(i32::MAX).in_words(), "day 2147483647 since 1970-01-01");
        assert_eq!(Day(20_777).in_words(), "20 November 2026");
    }

    #[test]
    fn days_far_apart_are_counted_exactly_and_sums_stop_at_the_last_day() {
        assert_eq!(Day(i32::MAX).since(Day(i32::MIN)), 4_294_967_295);
        assert_eq!(Day(i32::MIN).since(Day(i32::MAX)), -4_294_967_295);
        assert_eq!(Day(i32::MAX - 1).plus(2), Day(i32::MAX));
        assert_eq!(Day(i32::MIN).plus(-1), Day(i32::MIN));
    }

    #[test]
    fn an_instant_falls_on_the_day_of_its_zone() {
        let shanghai = TimeZone::get("Asia/Shanghai").unwrap();
        let evening_utc = 1_763_568_000; // 2025-11-19T16:00:00Z
        assert_eq!(Day::of_instant(evening_utc, &shanghai).unwrap().to_string(), "2025-11-20");
        assert_eq!(Day::of_local(evening_utc).unwrap().to_string(), "2025-11-19");
        assert_eq!(Day::of_local(-1).unwrap().to_string(), "1969-12-31");
    }

    #[test]
    fn the_first_and_last_seconds_of_the_calendar_fall_on_their_days() {
        let (first, last) = (-62_135_596_800, 253_402_300_799); // of the years 1 and 9999 in UTC
        let honolulu = TimeZone::get("Pacific/Honolulu").unwrap();
        assert_eq!(Day::of_instant(first, &TimeZone::UTC).unwrap().to_string(), "0001-01-01");
        assert_eq!(Day::of_instant(first, &honolulu).unwrap().to_string(), "0000-12-31");
        assert_eq!(Day::of_instant(last, &TimeZone::UTC).unwrap().to_string(), "9999-12-31");
        assert_eq!(Day::of_instant(last, &honolulu).unwrap().to_string(), "9999-12-31");
        assert_eq!(Day::of_instant(last + 36_000, &honolulu).unwrap().to_string(), "9999-12-31");
        for beyond in [i64::MIN, -1 << 40, 1 << 40, i64::MAX] {
            assert_eq!(Day::of_instant(beyond, &honolulu), None);
        }
    }
}
