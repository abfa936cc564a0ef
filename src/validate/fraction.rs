//! Quotients of whole numbers, kept whole: what is rounded is told beside what it was rounded from.

use std::cmp::Ordering;

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

/// A quotient, not reduced, so that its parts are the counts that it was made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fraction {
    /// Of any sign; within ± 2¹¹⁰.
    pub numerator: i128,
    /// Above 0, at most 2¹¹⁰.
    pub denominator: u128,
}

/// Decimal places of a fraction where it is read.
const PLACES: u32 = 6;

impl Fraction {
    /// `None` where there is nothing to divide by.
    pub fn new(numerator: i128, denominator: u128) -> Option<Fraction> {
        (denominator > 0).then_some(Fraction { numerator, denominator })
    }

    /// In `parts` of one, such as ten thousandths, rounded half away from zero; `parts` is a power of ten.
    pub fn rounded(self, parts: i128) -> i128 {
        let mut places = parts;
        let size = self.numerator.unsigned_abs();
        // Digit by digit, as by hand: no product is larger than ten times a remainder.
        let (mut quotient, mut rest) = (size / self.denominator, size % self.denominator);
        while places > 1 {
            rest *= 10;
            quotient = quotient * 10 + rest / self.denominator;
            rest %= self.denominator;
            places /= 10;
        }
        if rest * 2 >= self.denominator {
            quotient += 1;
        }
        quotient as i128 * self.numerator.signum()
    }

    /// To six decimal places: the nearest double to what is read there.
    pub fn value(self) -> f64 {
        let parts = 10_i128.pow(PLACES);
        self.rounded(parts) as f64 / parts as f64
    }

    /// As a number with so many decimal places, at most six.
    pub fn text(self, places: u32) -> String {
        let parts = 10_i128.pow(places.min(PLACES));
        let rounded = self.rounded(parts);
        let (sign, size) = (if rounded < 0 { "-" } else { "" }, rounded.unsigned_abs());
        let parts = parts.unsigned_abs();
        format!("{sign}{}.{:0width$}", size / parts, size % parts, width = places as usize)
    }

    /// How it compares with `parts` of ten thousand, exactly.
    pub fn compared_with_bp(self, basis_points: u32) -> Ordering {
        const WHOLE: i128 = 10_000;
        (self.numerator * WHOLE).cmp(&(i128::from(basis_points) * self.denominator as i128))
    }
}

impl Serialize for Fraction {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Fraction", 3)?;
        fields.serialize_field("numerator", &self.numerator)?;
        fields.serialize_field("denominator", &self.denominator)?;
        fields.serialize_field("value", &self.value())?;
        fields.end()
    }
}

/// A statistic to six decimal places, as it is written.
pub fn six_places(value: f64) -> f64 {
    const PARTS: f64 = 1e6;
    // Never the zero with a sign.
    libm::round(value * PARTS) / PARTS + 0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fraction(numerator: i128, denominator: u128) -> Fraction {
        Fraction::new(numerator, denominator).expect("the denominator is not 0")
    }

    #[test]
    fn fractions_are_rounded_as_by_hand() {
        let cases = [
            (fraction(2, 3), "0.6667", 0.666_667),
            (fraction(-1, 8), "-0.1250", -0.125),
            (fraction(1, 2_000_001), "0.0000", 0.0),
            (fraction(1, 2_000_000), "0.0000", 0.000_001),
            (fraction(7, 7), "1.0000", 1.0),
            (fraction(0, 5), "0.0000", 0.0),
            (fraction((1 << 119) - 1, 1 << 119), "1.0000", 1.0),
        ];
        for (fraction, text, value) in cases {
            assert_eq!((fraction.text(4).as_str(), fraction.value()), (text, value), "{fraction:?}");
        }
        assert_eq!(Fraction::new(1, 0), None);
    }

    #[test]
    fn a_bound_is_compared_with_exactly() {
        let auc = fraction(76_211, 100_000);
        assert_eq!(auc.compared_with_bp(7_621), Ordering::Greater);
        assert_eq!(fraction(7_621, 10_000).compared_with_bp(7_621), Ordering::Equal);
        assert_eq!(fraction(7_620, 10_000).compared_with_bp(7_621), Ordering::Less);
    }
}
