//! How the weights of evidence of two features go together.

use super::evidence::OutcomeWeights;

/// One of the two.
#[derive(Debug, Clone, Copy)]
pub struct Side<'a> {
    /// By bin.
    pub woe: &'a [f64],
    /// By row: its bin.
    pub bins: &'a [u8],
}

/// The correlation of the weights of evidence of two features over all rows; 0 where one of them is constant. Rows are
/// counted by bins first, exactly, so that their order bears on nothing.
pub fn correlation(one: Side, other: Side, rows: &[OutcomeWeights]) -> f64 {
    /// Below it, a variance is what rounding leaves of none.
    const NO_SPREAD: f64 = 1e-18;
    let width = other.woe.len();
    let mut counted = vec![0_u64; one.woe.len() * width];
    for ((a, b), row) in one.bins.iter().zip(other.bins).zip(rows) {
        counted[usize::from(*a) * width + usize::from(*b)] += row.rows();
    }
    let all: u64 = counted.iter().sum();
    let mut sums = [0.0; 5];
    for (slot, rows) in counted.iter().enumerate() {
        let share = *rows as f64 / all.max(1) as f64;
        let (a, b) = (one.woe[slot / width], other.woe[slot % width]);
        sums.iter_mut().zip([a, b, a * a, b * b, a * b]).for_each(|(sum, term)| *sum += share * term);
    }
    let [mean_a, mean_b, square_a, square_b, product] = sums;
    let spread = (square_a - mean_a * mean_a) * (square_b - mean_b * mean_b);
    if spread <= NO_SPREAD { 0.0 } else { (product - mean_a * mean_b) / libm::sqrt(spread) }
}
