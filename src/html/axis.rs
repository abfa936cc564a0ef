//! Axes: round steps between values, where a value lies along them, and how their figures are written.

use crate::console::{money, thousands};

/// An axis whose ends are whole steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Axis {
    /// The value where it begins.
    pub least: i128,
    /// The value where it ends, above `least`.
    pub most: i128,
    /// From one tick to the next: 1, 2 or 5 times a power of ten.
    pub step: i128,
}

impl Axis {
    /// From zero, or from below it where values are, to the first whole step that no value exceeds, in about `steps`.
    pub fn from_zero(values: impl IntoIterator<Item = i128>, steps: i128) -> Axis {
        let (least, most) = values
            .into_iter()
            .fold((0, 0), |(least, most): (i128, i128), value| (least.min(value), most.max(value)));
        Axis::over(least, most, steps)
    }

    /// Over all values between two, in about `steps`.
    pub fn over(least: i128, most: i128, steps: i128) -> Axis {
        let step = round_step(most - least, steps);
        let least = least.div_euclid(step) * step;
        let most = -(-most).div_euclid(step) * step;
        Axis { least, most: most.max(least + step), step }
    }

    /// The values at its ticks, ascending.
    pub fn ticks(&self) -> Vec<i128> {
        (0..=(self.most - self.least) / self.step).map(|number| self.least + number * self.step).collect()
    }

    /// How far from its beginning a value lies where the whole axis is `length` long.
    pub fn along(&self, value: i128, length: u32) -> u32 {
        let distance = (value.clamp(self.least, self.most) - self.least) * i128::from(length);
        u32::try_from(distance / (self.most - self.least)).unwrap_or(length)
    }
}

/// The least of 1, 2 and 5 times the powers of ten that cuts a span into at most so many steps.
pub fn round_step(span: i128, steps: i128) -> i128 {
    const POWERS: u32 = 37;
    let rounded = (0..POWERS).flat_map(|power| [1, 2, 5].map(|factor| factor * 10_i128.pow(power)));
    let mut fitting = rounded.filter(|step| step.saturating_mul(steps.max(1)) >= span);
    fitting.next().unwrap_or(10_i128.pow(POWERS))
}

/// What figures are counted in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FigureUnit {
    /// Things of a name.
    Count(&'static str),
    /// Minor units of money, shown in whole ones; of a currency where the job names it.
    Money {
        /// Decimal places.
        minor_units: u32,
        /// Three letters, or none.
        currency: Option<String>,
    },
    /// Tenths of things of a name.
    Tenths(&'static str),
    /// Ten-thousandths, shown as percentages; of what.
    BasisPoints(&'static str),
    /// Ten-thousandths of one, shown as a number with four decimal places; of a name.
    Ratio(&'static str),
}

impl FigureUnit {
    /// A figure as it is read.
    pub fn text(&self, value: i128) -> String {
        match self {
            FigureUnit::Count(_) => thousands(value),
            FigureUnit::Money { minor_units, .. } => money(value, *minor_units),
            FigureUnit::Tenths(_) => tenths(value),
            FigureUnit::BasisPoints(_) => basis_points(value),
            FigureUnit::Ratio(_) => ten_thousandths(value),
        }
    }

    /// A difference as it is read: with its sign, but for 0.
    pub fn signed(&self, value: i128) -> String {
        let text = self.text(value);
        if value > 0 { format!("+{text}") } else { text }
    }

    /// Its name; empty for what has none.
    pub fn name(&self) -> String {
        match self {
            FigureUnit::Count(name) | FigureUnit::Tenths(name) | FigureUnit::Ratio(name) => name.to_string(),
            FigureUnit::Money { currency, .. } => currency.clone().unwrap_or_else(|| "money".to_string()),
            FigureUnit::BasisPoints(of) => format!("% {of}").trim_end().to_string(),
        }
    }

    /// What stands above an axis, and at its ticks: large figures in thousands of thousands.
    pub fn axis(&self, axis: &Axis) -> (String, Vec<String>) {
        if matches!(self, FigureUnit::Ratio(_)) {
            let short = |value| self.text(value).trim_end_matches("00").to_string();
            return (self.name(), axis.ticks().into_iter().map(short).collect());
        }
        const LARGE: [(i128, &str); 2] = [(1_000_000_000, "billion "), (1_000_000, "million ")];
        let whole = match self {
            FigureUnit::Money { minor_units, .. } => 10_i128.pow(*minor_units),
            FigureUnit::Tenths(_) => 10,
            FigureUnit::BasisPoints(_) => 100,
            FigureUnit::Count(_) | FigureUnit::Ratio(_) => 1,
        };
        let large = LARGE.iter().find(|(size, _)| axis.step % (whole * size) == 0);
        let (divisor, prefix) = large.map_or((whole, ""), |(size, prefix)| (whole * size, *prefix));
        let labels = axis.ticks().into_iter().map(|value| {
            if axis.step % divisor == 0 && axis.least % divisor == 0 {
                thousands(value / divisor)
            } else {
                self.text(value).trim_end_matches(" %").to_string()
            }
        });
        (format!("{prefix}{}", self.name()), labels.collect())
    }
}

/// Tenths as a number with one decimal place.
pub fn tenths(tenths: i128) -> String {
    let sign = if tenths < 0 { "-" } else { "" };
    let size = tenths.unsigned_abs();
    format!("{sign}{}.{}", thousands((size / 10) as i128), size % 10)
}

/// Ten-thousandths as a number with four decimal places.
fn ten_thousandths(value: i128) -> String {
    const WHOLE: u128 = 10_000;
    let sign = if value < 0 { "-" } else { "" };
    let size = value.unsigned_abs();
    format!("{sign}{}.{:04}", size / WHOLE, size % WHOLE)
}

/// Basis points as a percentage.
pub fn basis_points(value: i128) -> String {
    let sign = if value < 0 { "-" } else { "" };
    let size = value.unsigned_abs();
    format!("{sign}{}.{:02} %", thousands((size / 100) as i128), size % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_begins_at_zero_and_ends_at_a_round_number() {
        let axis = Axis::from_zero([2_158, 2_166], 5);
        assert_eq!(axis, Axis { least: 0, most: 2_500, step: 500 });
        assert_eq!(axis.ticks(), [0, 500, 1_000, 1_500, 2_000, 2_500]);
        assert_eq!((axis.along(2_500, 1000), axis.along(1_250, 1000), axis.along(-1, 1000)), (1000, 500, 0));
        assert_eq!(Axis::from_zero([], 5).ticks(), [0, 1]);
        assert_eq!(Axis::from_zero([-7, 12], 5), Axis { least: -10, most: 15, step: 5 });
        assert_eq!(Axis::over(350, 950, 5).ticks(), [200, 400, 600, 800, 1_000]);
    }

    #[test]
    fn figures_on_an_axis_are_short() {
        let yuan = FigureUnit::Money { minor_units: 2, currency: Some("CNY".to_string()) };
        let (name, labels) = yuan.axis(&Axis::from_zero([2_893_630_000], 3));
        assert_eq!(
            (name.as_str(), labels),
            ("million CNY", ["0", "10", "20", "30"].map(String::from).to_vec())
        );
        let (name, labels) = yuan.axis(&Axis::from_zero([90], 3));
        assert_eq!((name.as_str(), labels), ("CNY", ["0.00", "0.50", "1.00"].map(String::from).to_vec()));
        let (name, labels) = FigureUnit::BasisPoints("of the rows").axis(&Axis::from_zero([41], 5));
        assert_eq!(name, "% of the rows");
        assert_eq!(labels, ["0.00", "0.10", "0.20", "0.30", "0.40", "0.50"]);
        assert_eq!(
            (yuan.signed(5), yuan.signed(0), yuan.signed(-5)),
            ("+0.05".into(), "0.00".into(), "-0.05".into())
        );
    }
}
