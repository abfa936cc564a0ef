//! Sorts rows by whole numbers that lie close, in time that grows with the number of rows alone.

/// Rows with numbers, put in order of number; those of one number stay in the order in which they were.
pub fn sort_rows(rows: &mut Vec<(i64, u32)>) {
    const FEW: usize = 256;
    if rows.is_sorted_by_key(|(number, _)| *number) {
        return;
    }
    if rows.len() <= FEW {
        return rows.sort_by_key(|(number, _)| *number);
    }
    let least = rows.iter().map(|(number, _)| *number).min().unwrap_or(0);
    let most = rows.iter().map(|(number, _)| *number).max().unwrap_or(0);
    let distance = |number: i64| number.wrapping_sub(least) as u64;
    let bits = u64::BITS - distance(most).leading_zeros();
    // Two digits leave few rows of other numbers side by side, unless these lie in heaps.
    let lowest = bits.saturating_sub(2 * DIGIT_BITS);
    let mut sorted = vec![(0, 0); rows.len()];
    for shift in (lowest..bits).step_by(DIGIT_BITS as usize) {
        by_digit(rows, &mut sorted, |number| (distance(number) >> shift) as usize & (DIGITS - 1));
        std::mem::swap(rows, &mut sorted);
    }
    let alike = rows.chunk_by_mut(|(a, _), (b, _)| distance(*a) >> lowest == distance(*b) >> lowest);
    alike.filter(|alike| alike.len() > 1).for_each(|alike| alike.sort_by_key(|(number, _)| *number));
}

const DIGIT_BITS: u32 = 11;
const DIGITS: usize = 1 << DIGIT_BITS;

/// Puts rows in order of one digit of their numbers.
fn by_digit(rows: &[(i64, u32)], sorted: &mut [(i64, u32)], digit: impl Fn(i64) -> usize) {
    let mut places = [0_usize; DIGITS];
    rows.iter().for_each(|(number, _)| places[digit(*number)] += 1);
    let mut next = 0;
    for place in &mut places {
        next += std::mem::replace(place, next);
    }
    for row in rows {
        let place = &mut places[digit(row.0)];
        sorted[*place] = *row;
        *place += 1;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn rows_come_in_order_of_number_then_as_they_were(
            numbers in prop::collection::vec(prop_oneof![-3_i64..3, any::<i64>(), 0_i64..1 << 30], 0..600),
        ) {
            let mut rows: Vec<(i64, u32)> = numbers.into_iter().zip(0..).collect();
            let mut expected = rows.clone();
            expected.sort_unstable();
            sort_rows(&mut rows);
            prop_assert_eq!(rows, expected);
        }
    }
}
