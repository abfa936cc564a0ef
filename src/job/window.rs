//! Which days before D an aggregate looks at: (D − skip_days − days, D − skip_days].

/// The window of an aggregate, in ages of rows: days from a row's date to D.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Window {
    /// How many days it is long; `None` is all of them, however old.
    pub days: Option<u32>,
    /// How many days before D it ends.
    pub skip_days: u32,
}

impl Window {
    /// The age that is too great for it; `None` where none is.
    pub fn end_age(self) -> Option<u32> {
        self.days.map(|days| self.skip_days.saturating_add(days))
    }

    /// Whether a row of an age, in days, is in it.
    pub fn holds(self, age: i64) -> bool {
        i64::from(self.skip_days) <= age && self.end_age().is_none_or(|end| age < i64::from(end))
    }

    /// Whether all ages of another are in it.
    pub fn holds_all_of(self, other: Window) -> bool {
        let ends_later = match (self.end_age(), other.end_age()) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(own), Some(end)) => end <= own,
        };
        self.skip_days <= other.skip_days && ends_later
    }

    /// Whether some ages are in both.
    pub fn overlaps(self, other: Window) -> bool {
        self.holds(other.skip_days.into()) || other.holds(self.skip_days.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(skip_days: u32, days: impl Into<Option<u32>>) -> Window {
        Window { days: days.into(), skip_days }
    }

    #[test]
    fn windows_hold_ages_and_one_another() {
        let month_before = window(30, 30);
        let held = [29, 30, 59, 60].map(|age| month_before.holds(age));
        assert_eq!(held, [false, true, true, false]);
        let holds_all = |outer: Window| outer.holds_all_of(month_before);
        assert!([window(30, 31), window(0, 60), window(0, None)].into_iter().all(holds_all));
        assert!(![window(31, None), window(0, 59), window(30, 29)].into_iter().any(holds_all));
        assert!(!month_before.holds_all_of(window(30, None)));
        let overlaps = |other: Window| month_before.overlaps(other) && other.overlaps(month_before);
        assert!([window(0, 31), window(59, 1), window(0, None)].into_iter().all(overlaps));
        assert!(![window(0, 30), window(60, None)].into_iter().any(overlaps));
    }
}
