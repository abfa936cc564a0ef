//! Decimal numbers as files write them, exactly: points and cuts never pass through a float.

use std::cmp::Ordering;
use std::fmt;

/// Places behind the point that are taken; a double written in full has at most twenty or so.
const MOST_PLACES: u32 = 30;

/// Digits that are taken.
const MOST_DIGITS: usize = 34;

/// units ÷ 10^places, without zeros at its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decimal {
    units: i128,
    places: u32,
}

impl Decimal {
    /// Nothing.
    pub const ZERO: Decimal = Decimal { units: 0, places: 0 };

    /// Reads `12`, `-0.50`, `1.5E-3`. `None` for what is no number, for infinities, and for more digits than are
    /// taken (34, and 30 behind the point).
    pub fn parse(text: &str) -> Option<Decimal> {
        let text = text.trim();
        let (number, exponent) = match text.split_once(['e', 'E']) {
            Some((number, exponent)) => (number, exponent.parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (sign, number) = match number.strip_prefix('-') {
            Some(rest) => (-1, rest),
            None => (1, number.strip_prefix('+').unwrap_or(number)),
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let digits = format!("{whole}{fraction}");
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let digits = digits.trim_start_matches('0');
        let kept = digits.trim_end_matches('0');
        if kept.is_empty() {
            return Some(Decimal::ZERO);
        }
        if kept.len() > MOST_DIGITS {
            return None;
        }
        let dropped = i32::try_from(digits.len() - kept.len()).ok()?;
        let places = i32::try_from(fraction.len()).ok()?.checked_sub(exponent)?.checked_sub(dropped)?;
        let units = sign * kept.parse::<i128>().ok()?;
        if places > MOST_PLACES as i32 {
            return None;
        }
        if places >= 0 {
            return Some(Decimal { units, places: places as u32 });
        }
        let zeros = places.unsigned_abs();
        let is_long = kept.len() + zeros as usize > MOST_DIGITS;
        (!is_long).then(|| Decimal { units: units * 10_i128.pow(zeros), places: 0 })
    }

    fn of(mut units: i128, mut places: u32) -> Decimal {
        while places > 0 && units % 10 == 0 {
            units /= 10;
            places -= 1;
        }
        Decimal { units, places }
    }

    /// A whole number.
    pub fn whole(value: i64) -> Decimal {
        Decimal { units: value.into(), places: 0 }
    }

    /// The product with a factor; `None` where it has too many digits.
    pub fn times(self, factor: i64) -> Option<Decimal> {
        Some(Decimal::of(self.units.checked_mul(factor.into())?, self.places))
    }

    /// The sum; `None` where it has too many digits.
    pub fn plus(self, other: Decimal) -> Option<Decimal> {
        let places = self.places.max(other.places);
        Some(Decimal::of(self.units_of(places)?.checked_add(other.units_of(places)?)?, places))
    }

    /// Its distance from 0.
    pub fn abs(self) -> Decimal {
        Decimal { units: self.units.abs(), ..self }
    }

    /// With the other sign.
    pub fn negative(self) -> Decimal {
        Decimal { units: -self.units, ..self }
    }

    /// Halfway between two numbers; `None` where it has too many digits.
    pub fn between(self, other: Decimal) -> Option<Decimal> {
        let sum = self.plus(other)?;
        Some(Decimal::of(sum.units.checked_mul(5)?, sum.places + 1))
    }

    fn units_of(self, places: u32) -> Option<i128> {
        self.units.checked_mul(10_i128.checked_pow(places - self.places)?)
    }

    /// Whether it has nothing behind the point.
    pub fn is_whole(self) -> bool {
        self.places == 0
    }

    /// The largest whole number that is not larger.
    pub fn floor(self) -> i128 {
        self.units.div_euclid(10_i128.pow(self.places))
    }

    /// The least whole number that is not less.
    pub fn ceil(self) -> i128 {
        self.floor() + i128::from(!self.is_whole())
    }

    /// The nearest whole number, halves away from zero.
    pub fn rounded(self) -> i128 {
        let one = 10_i128.pow(self.places);
        let (whole, rest) = (self.units / one, (self.units % one).abs());
        // A rest of half or more; its double fits, as it is less than 10^30.
        whole + if 2 * rest >= one { self.units.signum() } else { 0 }
    }

    /// Places behind the point.
    pub fn places(self) -> u32 {
        self.places
    }

    /// What lies behind the point, from 0 up to 1, at 30 places.
    fn fraction(self) -> i128 {
        let one = 10_i128.pow(self.places);
        self.units.rem_euclid(one) * 10_i128.pow(MOST_PLACES + 1 - self.places.min(MOST_PLACES + 1))
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Decimal) -> Ordering {
        self.floor().cmp(&other.floor()).then_with(|| self.fraction().cmp(&other.fraction()))
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Decimal) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.units < 0 { "-" } else { "" };
        let one = 10_u128.pow(self.places);
        let (whole, rest) = (self.units.unsigned_abs() / one, self.units.unsigned_abs() % one);
        match self.places as usize {
            0 => write!(f, "{sign}{whole}"),
            places => write!(f, "{sign}{whole}.{rest:0places$}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        Decimal::parse(text).unwrap_or_else(|| panic!("{text} is no number"))
    }

    #[test]
    fn numbers_are_read_as_written() {
        let cases = [
            ("12", "12"),
            ("-0.50", "-0.5"),
            ("+3.", "3"),
            (".25", "0.25"),
            ("1.5E-3", "0.0015"),
            ("25e2", "2500"),
            ("-0", "0"),
            ("000", "0"),
            ("0.1", "0.1"),
            ("1.2345678901234567e-05", "0.000012345678901234567"),
        ];
        for (text, shown) in cases {
            assert_eq!(decimal(text).to_string(), shown, "{text}");
        }
        for text in ["", "-", ".", "inf", "NaN", "1,5", "1e400", "0x10", "1 2", "1e-40"] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
    }

    #[test]
    fn numbers_are_ordered_and_rounded() {
        let ascending = ["-3", "-2.5", "-2.4", "-0.000001", "0", "0.1", "0.11", "2.5", "10", "1e20"];
        for pair in ascending.windows(2) {
            assert!(decimal(pair[0]) < decimal(pair[1]), "{pair:?}");
        }
        let rounded = ascending.map(|text| decimal(text).rounded());
        assert_eq!(rounded[..8], [-3, -3, -2, 0, 0, 0, 0, 3]);
        assert_eq!((decimal("-2.5").floor(), decimal("-2.5").ceil()), (-3, -2));
        assert_eq!((decimal("7").floor(), decimal("7").ceil()), (7, 7));
        assert_eq!(decimal("0.1").between(decimal("0.2")), Some(decimal("0.15")));
        assert_eq!(decimal("1.25").times(100), Some(decimal("125")));
        assert_eq!(decimal("1.25").plus(decimal("-0.25")), Some(decimal("1")));
    }
}
