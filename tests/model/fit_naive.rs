//! A fit made naively: all partitions tried, Newton's method on plain rows. It agrees with what the program publishes.

use std::collections::BTreeMap;

use serde_json::Value;

use super::fit_book::{FitBook, Row, rows};

/// So many rows at the bad rate of all are added to every bin.
const PRIOR: f64 = 10.0;

#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Counts {
    good: f64,
    bad: f64,
}

fn count<'r>(rows: impl Iterator<Item = &'r Row>) -> Counts {
    rows.fold(Counts::default(), |sum, row| {
        let weight = row.weight as f64 * row.times as f64;
        if row.bad {
            Counts { bad: sum.bad + weight, ..sum }
        } else {
            Counts { good: sum.good + weight, ..sum }
        }
    })
}

fn woe(own: Counts, all: Counts) -> f64 {
    let rows = all.good + all.bad;
    let good = own.good + PRIOR * all.good / rows;
    let bad = own.bad + PRIOR * all.bad / rows;
    (good / bad).ln() - (all.good / all.bad).ln()
}

fn iv(own: Counts, all: Counts) -> f64 {
    (own.good / all.good - own.bad / all.bad) * woe(own, all)
}

/// What naive binning must keep to.
#[derive(Clone, Copy)]
struct Limits {
    min_rows: f64,
    min_bads: f64,
    max_bins: usize,
    /// 1: weights of evidence rise with the value; -1: they fall; 0: any way.
    direction: i32,
}

/// The largest information value of all partitions of a feature's values that keep to the limits.
fn best_iv(rows: &[Row], feature: usize, limits: Limits) -> Option<f64> {
    let all = count(rows.iter());
    let mut values: BTreeMap<i64, Vec<&Row>> = BTreeMap::new();
    for row in rows {
        if let Some(value) = row.values[feature] {
            values.entry(value).or_default().push(row);
        }
    }
    let counts: Vec<Counts> = values.values().map(|rows| count(rows.iter().copied())).collect();
    let mut best: Option<f64> = None;
    for cuts in 0_u32..1 << (counts.len() - 1) {
        if cuts.count_ones() as usize >= limits.max_bins {
            continue;
        }
        let mut bins = vec![counts[0]];
        for (number, own) in counts.iter().enumerate().skip(1) {
            if cuts & (1 << (number - 1)) != 0 {
                bins.push(Counts::default());
            }
            let last = bins.last_mut().unwrap();
            *last = Counts { good: last.good + own.good, bad: last.bad + own.bad };
        }
        let is_large = |bin: &Counts| bin.good + bin.bad >= limits.min_rows && bin.bad >= limits.min_bads;
        let woes: Vec<f64> = bins.iter().map(|bin| woe(*bin, all)).collect();
        let is_monotone = match limits.direction {
            1 => woes.windows(2).all(|pair| pair[0] < pair[1]),
            -1 => woes.windows(2).all(|pair| pair[0] > pair[1]),
            _ => true,
        };
        if bins.iter().all(is_large) && is_monotone {
            let found = bins.iter().map(|bin| iv(*bin, all)).sum();
            best = Some(best.map_or(found, |best: f64| best.max(found)));
        }
    }
    best
}

/// The information value of the ordinary bins of a characteristic.
fn published_iv(characteristic: &Value, all: Counts) -> f64 {
    let bins = characteristic["bins"].as_array().unwrap();
    let own = |bin: &Value| Counts { good: bin["good"].as_f64().unwrap(), bad: bin["bad"].as_f64().unwrap() };
    bins.iter().filter(|bin| bin["bin"] != "null").map(|bin| iv(own(bin), all)).sum()
}

#[test]
fn bins_are_the_best_of_all_partitions() {
    for (seed, monotone, directions) in [
        (1, "auto", vec![1, -1]),
        (2, "down", vec![-1]),
        (3, "none", vec![0]),
        (4, "auto", vec![1, -1]),
        (5, "down", vec![-1]),
    ] {
        for max_bins in [2, 4, 6] {
            let rows = rows(seed, 700, 2);
            let options = format!(
                "max_bins = {max_bins}\nmonotone = \"{monotone}\"\nmin_iv_milli = 0\n[[fit.characteristic]]\nfeature = \"x0\"\nforce = true"
            );
            let record = FitBook::new(&rows, &options).fit("new", &[]);
            let all = count(rows.iter());
            let first = record["characteristics"]
                .as_array()
                .unwrap()
                .iter()
                .find(|one| one["feature"] == "x0")
                .unwrap();
            let min_rows = ((all.good + all.bad) * 0.05).ceil();
            let found = directions.iter().filter_map(|direction| {
                best_iv(&rows, 0, Limits { min_rows, min_bads: 10.0, max_bins, direction: *direction })
            });
            let best = found.fold(f64::NEG_INFINITY, f64::max);
            let published = published_iv(first, all);
            assert!(
                (best - published).abs() < 1e-12,
                "seed {seed}, {monotone}, {max_bins}: {best} {published}"
            );
        }
    }
}

/// By row the weights of evidence of the characteristics, from the bins as they are named.
fn design(record: &Value, rows: &[Row]) -> Vec<Vec<f64>> {
    let characteristics = record["characteristics"].as_array().unwrap();
    let own = |row: &Row| {
        let values = characteristics.iter().map(|one| {
            let feature: usize = one["feature"].as_str().unwrap()[1..].parse().unwrap();
            bin_of(one, row.values[feature])["woe"].as_f64().unwrap()
        });
        values.collect()
    };
    rows.iter().map(own).collect()
}

/// The bin of a value, from its name.
pub fn bin_of(characteristic: &Value, value: Option<i64>) -> &Value {
    let bins = characteristic["bins"].as_array().unwrap();
    let holds = |name: &str| {
        name.split(" or ").any(|part| match (value, part.split(' ').collect::<Vec<_>>().as_slice()) {
            (None, ["null"]) => true,
            (Some(_), ["all", "values"]) => true,
            (Some(value), ["below", bound]) => value < bound.parse().unwrap(),
            (Some(value), ["from", bound]) => value >= bound.parse().unwrap(),
            (Some(value), [least, "to", most]) => {
                (least.parse().unwrap()..=most.parse::<i64>().unwrap()).contains(&value)
            }
            (Some(value), [only]) => only.parse() == Ok(value),
            _ => false,
        })
    };
    bins.iter()
        .find(|bin| holds(bin["bin"].as_str().unwrap()))
        .unwrap_or_else(|| panic!("no bin of {value:?}"))
}

/// Newton's method, row by row, with Gauss' elimination.
fn logistic(design: &[Vec<f64>], rows: &[Row]) -> Vec<f64> {
    let size = design[0].len() + 1;
    let mut coefficients = vec![0.0; size];
    for _ in 0..30 {
        let mut system = vec![vec![0.0; size + 1]; size];
        for (values, row) in design.iter().zip(rows) {
            let own: Vec<f64> = std::iter::once(1.0).chain(values.iter().copied()).collect();
            let log_odds: f64 = own.iter().zip(&coefficients).map(|(value, one)| value * one).sum();
            let share = 1.0 / (1.0 + (-log_odds).exp());
            let surplus = if row.bad { -share } else { 1.0 - share };
            for left in 0..size {
                for right in 0..size {
                    system[left][right] += share * (1.0 - share) * own[left] * own[right];
                }
                system[left][size] += surplus * own[left];
            }
        }
        let steps = solve(system);
        coefficients.iter_mut().zip(steps).for_each(|(one, step)| *one += step);
    }
    coefficients
}

fn solve(mut system: Vec<Vec<f64>>) -> Vec<f64> {
    let size = system.len();
    for column in 0..size {
        let pivot = (column..size)
            .max_by(|a, b| system[*a][column].abs().total_cmp(&system[*b][column].abs()))
            .unwrap();
        system.swap(column, pivot);
        for row in 0..size {
            if row != column {
                let part = system[row][column] / system[column][column];
                let pivot = system[column].clone();
                system[row].iter_mut().zip(pivot).for_each(|(one, pivot)| *one -= part * pivot);
            }
        }
    }
    (0..size).map(|row| system[row][size] / system[row][row]).collect()
}

#[test]
fn coefficients_are_those_of_newtons_method_on_plain_rows() {
    for seed in 1..4 {
        let rows = rows(seed, 1_500, 4);
        let record = FitBook::new(&rows, "").fit("new", &[]);
        let naive = logistic(&design(&record, &rows), &rows);
        let characteristics = record["characteristics"].as_array().unwrap();
        assert!(characteristics.len() > 1, "{record}");
        assert!((naive[0] - record["intercept"].as_f64().unwrap()).abs() < 1e-8);
        for (one, naive) in characteristics.iter().zip(&naive[1..]) {
            let own = one["coefficient"].as_f64().unwrap();
            assert!((own - naive).abs() < 1e-8 && own > 0.0, "{own} {naive}");
        }
    }
}

#[test]
fn points_are_scaled_evidence_rounded() {
    let rows = rows(9, 1_500, 4);
    let record = FitBook::new(&rows, "pdo = 50\nbase_score = 500\ngood_bad_odds = 10").fit("new", &[]);
    let factor = 50.0 / 2_f64.ln();
    for one in record["characteristics"].as_array().unwrap() {
        let bins = one["bins"].as_array().unwrap();
        let coefficient = one["coefficient"].as_f64().unwrap();
        let exact: Vec<f64> =
            bins.iter().map(|bin| factor * coefficient * bin["woe"].as_f64().unwrap()).collect();
        let least = exact.iter().copied().fold(f64::INFINITY, f64::min);
        for (bin, exact) in bins.iter().zip(exact) {
            let points = bin["points"].as_f64().unwrap();
            assert!((points - (exact - least)).abs() <= 0.5 + 1e-9, "{bin} {exact}");
        }
    }
    let most = 0.5 * (record["characteristics"].as_array().unwrap().len() + 1) as f64;
    assert!(record["largest_deviation"].as_f64().unwrap() <= most);
}
