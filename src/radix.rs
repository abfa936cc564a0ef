//! Puts items in order by counting how many have each key, in time that grows with their number alone.

/// Items in order of their key.
#[derive(Debug, Default)]
pub struct ByKey<T> {
    items: Vec<T>,
    /// By key, behind the last item that has it.
    ends: Vec<usize>,
}

impl<T: Copy + Default> ByKey<T> {
    /// Replaces the items. `keys` is the number of keys; items of one key keep their order.
    pub fn fill(&mut self, items: &[T], keys: usize, key: impl Fn(&T) -> usize) {
        let ByKey { items: sorted, ends } = self;
        ends.clear();
        ends.resize(keys + 1, 0);
        items.iter().for_each(|item| ends[key(item) + 1] += 1);
        (1..=keys).for_each(|key| ends[key] += ends[key - 1]);
        sorted.resize(items.len(), T::default());
        for item in items {
            let end = &mut ends[key(item)];
            sorted[*end] = *item;
            *end += 1;
        }
        ends.truncate(keys);
    }

    /// Calls `each` with every key that some items have, and these.
    pub fn each(&mut self, mut each: impl FnMut(usize, &mut [T])) {
        let mut start = 0;
        for (key, end) in self.ends.iter().enumerate() {
            if start < *end {
                each(key, &mut self.items[start..*end]);
            }
            start = *end;
        }
    }
}

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
    let mut by_digit = ByKey::default();
    for shift in (lowest..bits).step_by(DIGIT_BITS as usize) {
        by_digit.fill(rows, DIGITS, |(number, _)| (distance(*number) >> shift) as usize & (DIGITS - 1));
        std::mem::swap(rows, &mut by_digit.items);
    }
    let alike = rows.chunk_by_mut(|(a, _), (b, _)| distance(*a) >> lowest == distance(*b) >> lowest);
    alike.filter(|alike| alike.len() > 1).for_each(|alike| alike.sort_by_key(|(number, _)| *number));
}

const DIGIT_BITS: u32 = 11;
const DIGITS: usize = 1 << DIGIT_BITS;

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
