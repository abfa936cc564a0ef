//! What a validation counts, counted again by the definitions: pair by pair, row by row.

use std::collections::BTreeSet;

/// A row with an outcome.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Judged {
    pub score: i64,
    pub is_bad: bool,
    pub weight: u64,
}

/// Rows of weight 1, each as often as its weight says.
fn single(rows: &[Judged]) -> Vec<(i64, bool)> {
    rows.iter().flat_map(|row| std::iter::repeat_n((row.score, row.is_bad), row.weight as usize)).collect()
}

fn kinds(rows: &[Judged]) -> (Vec<i64>, Vec<i64>) {
    let of = |wanted: bool| single(rows).into_iter().filter(|row| row.1 == wanted).map(|row| row.0).collect();
    (of(false), of(true))
}

/// Concordant, tied and all pairs.
pub fn pairs(rows: &[Judged]) -> (u64, u64, u64) {
    let (goods, bads) = kinds(rows);
    let (mut concordant, mut tied) = (0, 0);
    for good in &goods {
        for bad in &bads {
            concordant += u64::from(good > bad);
            tied += u64::from(good == bad);
        }
    }
    (concordant, tied, (goods.len() * bads.len()) as u64)
}

fn at_or_below(scores: &[i64], score: i64) -> f64 {
    scores.iter().filter(|own| **own <= score).count() as f64 / scores.len() as f64
}

/// The largest distance between both distributions.
pub fn ks(rows: &[Judged]) -> f64 {
    let (goods, bads) = kinds(rows);
    let scores: BTreeSet<i64> = goods.iter().chain(&bads).copied().collect();
    let distance = |score: i64| (at_or_below(&bads, score) - at_or_below(&goods, score)).abs();
    scores.into_iter().map(distance).fold(0.0, f64::max)
}

/// DeLong's standard error by its definition: the variance of every row's placement among the other kind.
pub fn standard_error(rows: &[Judged]) -> f64 {
    let (goods, bads) = kinds(rows);
    let kernel = |good: &i64, bad: &i64| match good.cmp(bad) {
        std::cmp::Ordering::Greater => 1.0,
        std::cmp::Ordering::Equal => 0.5,
        std::cmp::Ordering::Less => 0.0,
    };
    let of_goods: Vec<f64> = goods
        .iter()
        .map(|good| bads.iter().map(|bad| kernel(good, bad)).sum::<f64>() / bads.len() as f64)
        .collect();
    let of_bads: Vec<f64> = bads
        .iter()
        .map(|bad| goods.iter().map(|good| kernel(good, bad)).sum::<f64>() / goods.len() as f64)
        .collect();
    (variance(&of_goods) / goods.len() as f64 + variance(&of_bads) / bads.len() as f64).sqrt()
}

fn variance(values: &[f64]) -> f64 {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (values.len() - 1) as f64
}

/// The stability index of two counts by bin.
pub fn psi(bins: &[[u64; 2]]) -> Option<f64> {
    let sums = [0, 1].map(|side| bins.iter().map(|bin| bin[side]).sum::<u64>() as f64);
    if sums.contains(&0.0) {
        return None;
    }
    let shares = bins
        .iter()
        .filter(|bin| **bin != [0, 0])
        .map(|bin| [0, 1].map(|side| (if bin[side] == 0 { 0.5 } else { bin[side] as f64 }) / sums[side]));
    Some(shares.map(|[old, new]| (new - old) * (new / old).ln()).sum())
}

/// Information value of goods and bads by bin.
pub fn information_value(bins: &[[u64; 2]]) -> Option<f64> {
    // The index of the goods' distribution against the bads' is the same sum.
    psi(bins)
}
