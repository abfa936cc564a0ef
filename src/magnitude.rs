//! Values by magnitude, in steps whose width grows with them.
//!
//! With `digits` binary digits told apart behind the first, what is nearer to 0 than 2^(digits + 1) has a step of its
//! own, and every doubling above has 2^digits of them. Steps of negative values are the negatives of those of their
//! magnitudes, so that steps ascend as values do.

/// The step of a value.
#[inline]
pub const fn step(value: i64, digits: u32) -> i32 {
    let size = value.unsigned_abs();
    // Worked out for small sizes too, as no branch has to be guessed then.
    let doublings = (size | 1 << digits).ilog2() - digits;
    let step = (doublings << digits) as i32 + (size >> doublings) as i32;
    if value < 0 { -step } else { step }
}

/// The value of a step that is nearest zero.
pub fn bound(step: i32, digits: u32) -> i64 {
    let size = i128::from(step.unsigned_abs());
    let doublings = (size >> digits).max(1) - 1;
    let size = (size - (doublings << digits)) << doublings;
    let value = if step < 0 { -size } else { size };
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// How far steps are from that of 0 at most.
pub const fn farthest(digits: u32) -> usize {
    step(i64::MIN, digits).unsigned_abs() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_ascend_and_a_value_is_within_a_step_of_its_bound() {
        let sizes = (0..200).chain([1_000, 65_535, 65_536, 1 << 40, i64::MAX]);
        let values = sizes.flat_map(|size| [size, -size]).chain([i64::MIN]);
        let mut values: Vec<i64> = values.collect();
        values.sort_unstable();
        for digits in [3, 7] {
            let steps: Vec<i32> = values.iter().map(|value| step(*value, digits)).collect();
            assert!(steps.is_sorted(), "{steps:?}");
            assert!(steps.iter().all(|step| step.unsigned_abs() as usize <= farthest(digits)));
            for (value, step) in values.iter().zip(steps) {
                let (size, bound) = (value.unsigned_abs(), bound(step, digits).unsigned_abs());
                assert!(bound <= size && size - bound <= size >> digits, "{value}: {bound}");
                assert!(size >> (digits + 1) > 0 || bound == size, "{value}: {bound}");
            }
        }
        assert_eq!([bound(step(i64::MIN, 3), 3), bound(step(-17, 3), 3)], [i64::MIN, -16]);
    }
}
