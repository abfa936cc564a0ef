//! Logistic regression: argmin searches for the coefficients, Newton's steps by Cholesky end the search.

use argmin::core::{Error, Executor, Gradient, Hessian, State};
use argmin::solver::newton::Newton;
use nalgebra::{Cholesky, DMatrix, DVector, Dyn};

/// Rows that are alike in all columns, and what happened to them; sums go over them in this order.
#[derive(Debug, Clone, Default)]
pub struct Design {
    /// By column, a value a row. The intercept is none of them.
    pub columns: Vec<Vec<f64>>,
    /// By row, what is added to its logarithm of odds.
    pub offset: Vec<f64>,
    /// By row, the weight of goods.
    pub good: Vec<f64>,
    /// By row, the weight of bads.
    pub bad: Vec<f64>,
}

/// A regression that has converged.
#[derive(Debug, Clone)]
pub struct Regression {
    /// The intercept, then a coefficient a column: of the logarithm of the odds of good to bad.
    pub coefficients: Vec<f64>,
    /// The standard errors of the coefficients.
    pub errors: Vec<f64>,
    /// The logarithm of the likelihood.
    pub log_likelihood: f64,
    /// The information matrix, taken apart.
    pub information: Cholesky<f64, Dyn>,
}

/// No coefficients make the likelihood largest: the columns separate goods from bads, or one is made of others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoMaximum;

/// How far a gradient may be from 0 for each row.
const CONVERGED: f64 = 1e-10;

/// Odds of e^25 to one have been fitted to nothing but certainty.
const MOST_LOG_ODDS: f64 = 25.0;

impl Design {
    /// The logarithm of the odds of a row.
    fn log_odds(&self, coefficients: &[f64], row: usize) -> f64 {
        let own = self.columns.iter().enumerate();
        own.fold(coefficients[0] + self.offset[row], |sum, (number, column)| {
            sum + coefficients[number + 1] * column[row]
        })
    }

    fn rows(&self) -> usize {
        self.good.len()
    }

    /// The share of goods that coefficients predict for a row.
    pub fn share_of_goods(&self, coefficients: &[f64], row: usize) -> f64 {
        share_of_goods(self.log_odds(coefficients, row))
    }

    /// 1 for the intercept, and the values of a row.
    pub fn row(&self, row: usize) -> impl Iterator<Item = f64> {
        std::iter::once(1.0).chain(self.columns.iter().map(move |column| column[row]))
    }
}

/// The share of goods that the logarithm of odds stands for.
pub fn share_of_goods(log_odds: f64) -> f64 {
    1.0 / (1.0 + libm::exp(-log_odds))
}

/// ln(1 + e^x), without overflow.
fn log_one_plus_exp(x: f64) -> f64 {
    x.max(0.0) + libm::log1p(libm::exp(-x.abs()))
}

struct Likelihood<'d>(&'d Design);

impl Likelihood<'_> {
    /// The logarithm of the likelihood.
    fn log_likelihood(&self, coefficients: &[f64]) -> f64 {
        let design = self.0;
        (0..design.rows()).fold(0.0, |sum, row| {
            let log_odds = design.log_odds(coefficients, row);
            let of_good = design.good[row] * log_one_plus_exp(-log_odds);
            sum - of_good - design.bad[row] * log_one_plus_exp(log_odds)
        })
    }
}

impl Gradient for Likelihood<'_> {
    type Param = DVector<f64>;
    type Gradient = DVector<f64>;

    fn gradient(&self, coefficients: &DVector<f64>) -> Result<DVector<f64>, Error> {
        let design = self.0;
        let mut gradient = DVector::zeros(coefficients.len());
        for row in 0..design.rows() {
            let all = design.good[row] + design.bad[row];
            let surplus = all * design.share_of_goods(coefficients.as_slice(), row) - design.good[row];
            gradient[0] += surplus;
            for (number, column) in design.columns.iter().enumerate() {
                gradient[number + 1] += surplus * column[row];
            }
        }
        Ok(gradient)
    }
}

impl Hessian for Likelihood<'_> {
    type Param = DVector<f64>;
    type Hessian = DMatrix<f64>;

    fn hessian(&self, coefficients: &DVector<f64>) -> Result<DMatrix<f64>, Error> {
        let design = self.0;
        let size = coefficients.len();
        let mut hessian = DMatrix::zeros(size, size);
        let mut own = vec![1.0; size];
        for row in 0..design.rows() {
            let predicted = design.share_of_goods(coefficients.as_slice(), row);
            let weight = (design.good[row] + design.bad[row]) * predicted * (1.0 - predicted);
            for (number, column) in design.columns.iter().enumerate() {
                own[number + 1] = column[row];
            }
            for left in 0..size {
                for right in 0..=left {
                    hessian[(left, right)] += weight * own[left] * own[right];
                }
            }
        }
        hessian.fill_upper_triangle_with_lower_triangle();
        Ok(hessian)
    }
}

/// Finds the coefficients that make the likelihood largest, from a first guess.
pub fn regress(design: &Design, first: &[f64]) -> Result<Regression, NoMaximum> {
    /// The parts of Newton's steps that are taken, where whole ones lead astray, and how often three of them.
    const WAYS: [NewtonWay; 3] = [
        NewtonWay { part: 1.0, rounds: 10 },
        NewtonWay { part: 0.5, rounds: 30 },
        NewtonWay { part: 0.1, rounds: 100 },
    ];
    let rows: f64 = design.good.iter().zip(&design.bad).fold(0.0, |sum, (good, bad)| sum + good + bad);
    let found = WAYS.iter().find_map(|way| search(design, first, way, rows));
    finish(design, found.ok_or(NoMaximum)?, rows)
}

/// How Newton's method is tried.
struct NewtonWay {
    part: f64,
    rounds: usize,
}

/// Coefficients close to the best ones, if this way leads to them.
fn search(design: &Design, first: &[f64], way: &NewtonWay, rows: f64) -> Option<DVector<f64>> {
    const STEPS: u64 = 3;
    let mut coefficients = DVector::from_column_slice(first);
    for _ in 0..way.rounds {
        let gradient = Likelihood(design).gradient(&coefficients).ok()?;
        if gradient.amax() <= COARSE * rows {
            return Some(coefficients);
        }
        let solver = Newton::new().with_gamma(way.part).ok()?;
        let executor = Executor::new(Likelihood(design), solver).ctrlc(false).timer(false);
        let found = executor.configure(|state| state.param(coefficients).max_iters(STEPS)).run().ok()?;
        coefficients = found.state.get_param()?.clone();
        if !coefficients.iter().all(|one| one.abs() <= MOST_LOG_ODDS) {
            return None;
        }
    }
    None
}

/// How far the gradient may be from 0 for each row where Newton's steps take over.
const COARSE: f64 = 1e-5;

/// Newton's steps from close by.
fn finish(design: &Design, mut coefficients: DVector<f64>, rows: f64) -> Result<Regression, NoMaximum> {
    const MOST_STEPS: usize = 20;
    for _ in 0..MOST_STEPS {
        let gradient = Likelihood(design).gradient(&coefficients).map_err(|_| NoMaximum)?;
        let hessian = Likelihood(design).hessian(&coefficients).map_err(|_| NoMaximum)?;
        let scale = hessian.diagonal().max();
        let information = Cholesky::new(hessian).ok_or(NoMaximum)?;
        let least = information.l_dirty().diagonal().min();
        // A column that is made of others leaves nothing on the diagonal.
        if least * least <= scale * 1e-12 {
            return Err(NoMaximum);
        }
        if gradient.amax() <= CONVERGED * rows {
            let covariance = information.inverse();
            let log_likelihood = Likelihood(design).log_likelihood(coefficients.as_slice());
            let errors = covariance.diagonal().iter().map(|variance| libm::sqrt(*variance)).collect();
            let coefficients = coefficients.iter().copied().collect();
            return Ok(Regression { coefficients, errors, log_likelihood, information });
        }
        coefficients -= information.solve(&gradient);
    }
    Err(NoMaximum)
}
