//! What a bin tells: weight of evidence, information value, and how far a distribution has moved.
//!
//! All of it by the natural logarithm of `libm`, in the order of the bins, so that every machine comes to the same.

use super::tally::GoodsAndBads;

/// ln((goods in the bin ÷ goods) ÷ (bads in the bin ÷ bads)): above 0 where the bin is better than all rows. A bin without
/// goods or bads counts as half a row of them. `None` where all rows are of one kind, or the bin is empty.
pub fn weight_of_evidence(bin: GoodsAndBads, all: GoodsAndBads) -> Option<f64> {
    if all.good == 0 || all.bad == 0 || bin.total() == 0 {
        return None;
    }
    Some(libm::log(share(bin.good, all.good) / share(bin.bad, all.bad)))
}

/// Σ (share of the goods − share of the bads) · WoE over bins: below 0.02 a characteristic tells next to nothing, from
/// 0.3 on it is strong (Siddiqi, Credit Risk Scorecards, 2006). `None` where all rows are of one kind.
pub fn information_value(bins: &[GoodsAndBads]) -> Option<f64> {
    let all = bins.iter().fold(GoodsAndBads::default(), |sum, bin| sum.plus(*bin));
    if all.good == 0 || all.bad == 0 {
        return None;
    }
    let told = bins.iter().filter_map(|bin| {
        let distance = share(bin.good, all.good) - share(bin.bad, all.bad);
        Some(distance * weight_of_evidence(*bin, all)?)
    });
    Some(told.sum())
}

/// Population stability index: Σ (r − l) · ln(r ÷ l), l and r being the shares of both sides in a bin; a bin that is
/// empty on one side counts as half a row there, one that is empty on both is left out (Siddiqi, 2006). Below 0.1 a
/// distribution is steady, from 0.25 on it has moved. `None` where a side has no rows.
pub fn stability_index(bins: &[[u64; 2]]) -> Option<f64> {
    let [left, right] = [0, 1].map(|side| bins.iter().map(|bin| bin[side]).sum::<u64>());
    if left == 0 || right == 0 {
        return None;
    }
    let moved = bins.iter().filter(|bin| **bin != [0; 2]).map(|[l, r]| {
        let (l, r) = (share(*l, left), share(*r, right));
        (r - l) * libm::log(r / l)
    });
    Some(moved.sum())
}

/// Half a row stands for none.
fn share(count: u64, all: u64) -> f64 {
    (if count == 0 { 0.5 } else { count as f64 }) / all as f64
}

/// Cuts values, ascending with their weights, into about so many groups of equal weight; values alike are never parted.
/// By group, where it ends in the list. A group is full once it and those before it have come to their share.
pub fn equal_groups(weights: &[u64], groups: u64) -> Vec<usize> {
    let total: u128 = weights.iter().map(|weight| u128::from(*weight)).sum();
    let mut ends = Vec::new();
    let mut seen = 0_u128;
    for (number, weight) in weights.iter().enumerate() {
        seen += u128::from(*weight);
        let is_last = number + 1 == weights.len();
        let is_full = seen * u128::from(groups) >= total * (ends.len() as u128 + 1);
        if is_last || (is_full && (ends.len() as u64) + 1 < groups && *weight > 0) {
            ends.push(number + 1);
        }
    }
    ends
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bin(good: u64, bad: u64) -> GoodsAndBads {
        GoodsAndBads { good, bad }
    }

    #[test]
    fn a_textbook_case() {
        // Two bins: 50 % and 50 % before, 60 % and 40 % after: 0.1 ln 1.2 − 0.1 ln 0.8 = 0.0405.
        let moved = stability_index(&[[50, 60], [50, 40]]).expect("both sides have rows");
        assert!((moved - 0.040_546_5).abs() < 1e-7, "{moved}");
        assert_eq!(stability_index(&[[50, 50], [50, 50], [0, 0]]), Some(0.0));
        assert_eq!(stability_index(&[[1, 0]]), None);
        // 80 of 100 goods and 20 of 50 bads: ln(0.8 ÷ 0.4) = ln 2.
        let evidence = weight_of_evidence(bin(80, 20), bin(100, 50)).expect("there are both");
        assert!((evidence - std::f64::consts::LN_2).abs() < 1e-12, "{evidence}");
        // (0.8 − 0.4) ln 2 + (0.2 − 0.6) ln(1 ÷ 3) = 0.7167.
        let value = information_value(&[bin(80, 20), bin(20, 30)]).expect("there are both");
        assert!((value - 0.716_703_787_7).abs() < 1e-9, "{value}");
    }

    #[test]
    fn one_kind_alone_tells_nothing() {
        assert_eq!(information_value(&[bin(3, 0), bin(4, 0)]), None);
        assert_eq!(weight_of_evidence(bin(3, 0), bin(7, 0)), None);
        assert_eq!(weight_of_evidence(bin(0, 0), bin(7, 1)), None);
        assert!(weight_of_evidence(bin(3, 0), bin(7, 1)).is_some_and(f64::is_finite));
    }

    #[test]
    fn groups_are_equal_and_never_part_ties() {
        assert_eq!(equal_groups(&[1; 100], 10), (1..=10).map(|tenth| tenth * 10).collect::<Vec<_>>());
        // The first has two shares of a quarter; the next is full as soon as more than half is in.
        assert_eq!(equal_groups(&[50, 1, 1, 48], 4), [1, 2, 4]);
        assert_eq!(equal_groups(&[7], 10), [1]);
        assert_eq!(equal_groups(&[], 10), [0; 0]);
        assert_eq!(equal_groups(&[0, 0, 5], 2), [3]);
    }
}
