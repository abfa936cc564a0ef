//! Which features become characteristics: forward, the one that adds most first, as long as what it adds is no accident.

use rayon::prelude::*;

use super::cells::{CellGroups, Cells};
use super::correlation::{Side, correlation};
use super::regression::{Design, NoMaximum, Regression, regress, share_of_goods};

/// A feature that may become a characteristic.
#[derive(Debug, Clone)]
pub struct FeatureCandidate {
    /// The weight of evidence of each bin; of one whose points are given, what they add to the logarithm of odds.
    pub woe: Vec<f64>,
    /// Whether its points are given: it has no coefficient.
    pub is_given: bool,
    /// Whether it is selected before all others.
    pub is_forced: bool,
}

/// When no more are selected.
#[derive(Debug, Clone, Copy)]
pub struct SelectionLimits {
    /// No more characteristics.
    pub most: usize,
    /// The largest correlation of the weights of evidence of two.
    pub correlation: f64,
    /// The least chi-square, of one degree of freedom, of what one adds.
    pub chi_square: f64,
}

/// Why a feature is no characteristic.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum NotSelected {
    /// Its weights of evidence go with those of a selected one.
    Correlated {
        /// Position of that candidate.
        with: usize,
        /// The correlation.
        correlation: f64,
    },
    /// With it, a coefficient would have the wrong sign.
    WrongSign {
        /// Position of the candidate whose coefficient it is.
        of: usize,
    },
    /// With it, goods and bads are told apart without fail, or it is made of those that are selected.
    NoMaximum,
    /// What it adds may be an accident.
    AddsLittle {
        /// The chi-square of what it would add; below 0 where its coefficient would have the wrong sign.
        chi_square: f64,
    },
    /// There are as many as there may be.
    Full,
}

impl NotSelected {
    /// The same with positions of features, given those of candidates.
    pub fn of_features(self, features: &[usize]) -> NotSelected {
        match self {
            NotSelected::Correlated { with, correlation } => {
                NotSelected::Correlated { with: features[with], correlation }
            }
            NotSelected::WrongSign { of } => NotSelected::WrongSign { of: features[of] },
            other => other,
        }
    }
}

/// A step of the selection.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SelectionStep {
    /// Position of the candidate that was taken.
    pub candidate: usize,
    /// The chi-square of what it adds to those before it.
    pub chi_square: f64,
    /// The logarithm of the likelihood with it.
    pub log_likelihood: f64,
}

/// What was selected.
#[derive(Debug, Clone)]
pub struct ForwardSelection {
    /// In the order in which they were taken.
    pub steps: Vec<SelectionStep>,
    /// The regression on those of the steps that have coefficients, in their order.
    pub regression: Regression,
    /// Why others were not, by position of the candidate.
    pub rest: Vec<(usize, NotSelected)>,
}

/// Selects from candidates, whose bins in cells are given in the same order.
pub fn select(
    candidates: &[FeatureCandidate],
    cells: &Cells,
    limits: SelectionLimits,
) -> Result<ForwardSelection, NoMaximum> {
    let mut search = SelectionSearch::new(candidates, cells, limits)?;
    for given in (0..candidates.len()).filter(|number| candidates[*number].is_given) {
        search.take_given(given)?;
    }
    for forced in (0..candidates.len()).filter(|number| candidates[*number].is_forced) {
        if !candidates[forced].is_given {
            let chi_square = search.chi_square(forced);
            search.try_to_take(forced, chi_square);
        }
    }
    while search.steps.len() < limits.most {
        let Some((best, chi_square)) = search.best_waiting() else { break };
        if chi_square < limits.chi_square {
            break;
        }
        search.try_to_take(best, chi_square);
    }
    search.drop_faded()?;
    Ok(search.finish())
}

struct SelectionSearch<'c> {
    candidates: &'c [FeatureCandidate],
    cells: &'c Cells,
    limits: SelectionLimits,
    /// By the candidates of the steps.
    groups: CellGroups,
    steps: Vec<SelectionStep>,
    regression: Regression,
    /// By group: the share of goods that the regression predicts.
    predicted: Vec<f64>,
    /// By group: 1 and the weights of evidence of those that have coefficients, side by side.
    columns: Vec<f64>,
    /// By candidate: whether it was neither taken nor refused.
    waiting: Vec<bool>,
    rest: Vec<(usize, NotSelected)>,
}

impl<'c> SelectionSearch<'c> {
    fn new(
        candidates: &'c [FeatureCandidate],
        cells: &'c Cells,
        limits: SelectionLimits,
    ) -> Result<SelectionSearch<'c>, NoMaximum> {
        let groups = CellGroups::all(cells);
        let regression = regress(&design(candidates, &[], &groups), &[0.0])?;
        let predicted = vec![share_of_goods(regression.coefficients[0])];
        Ok(SelectionSearch {
            candidates,
            cells,
            limits,
            groups,
            steps: Vec::new(),
            regression,
            predicted,
            columns: vec![1.0],
            waiting: vec![true; candidates.len()],
            rest: Vec::new(),
        })
    }

    fn taken(&self) -> Vec<usize> {
        self.steps.iter().map(|step| step.candidate).collect()
    }

    /// Stands on a regression on some candidates that groups are made by.
    fn stand_on(&mut self, taken: &[usize], groups: CellGroups, regression: Regression) {
        let design = design(self.candidates, taken, &groups);
        let rows = 0..groups.counts.len();
        self.predicted =
            rows.clone().map(|group| design.share_of_goods(&regression.coefficients, group)).collect();
        self.columns = rows.flat_map(|group| design.row(group)).collect();
        (self.groups, self.regression) = (groups, regression);
    }

    /// Takes a candidate whose points are given.
    fn take_given(&mut self, candidate: usize) -> Result<(), NoMaximum> {
        self.waiting[candidate] = false;
        let groups = self.groups.split(self.cells, candidate);
        let mut taken = self.taken();
        taken.push(candidate);
        let regression = regress(&design(self.candidates, &taken, &groups), &self.regression.coefficients)?;
        let log_likelihood = regression.log_likelihood;
        self.steps.push(SelectionStep { candidate, chi_square: 0.0, log_likelihood });
        self.stand_on(&taken, groups, regression);
        Ok(())
    }

    /// Takes a candidate unless a coefficient turns wrong; then refuses it.
    fn try_to_take(&mut self, candidate: usize, chi_square: f64) {
        self.waiting[candidate] = false;
        let groups = self.groups.split(self.cells, candidate);
        let mut taken = self.taken();
        taken.push(candidate);
        let mut first = self.regression.coefficients.clone();
        first.push(0.0);
        match regress(&design(self.candidates, &taken, &groups), &first) {
            Err(NoMaximum) => self.rest.push((candidate, NotSelected::NoMaximum)),
            Ok(regression) => match self.wrong_sign(&taken, &regression) {
                Some(of) => self.rest.push((candidate, NotSelected::WrongSign { of })),
                None => {
                    let log_likelihood = regression.log_likelihood;
                    self.steps.push(SelectionStep { candidate, chi_square, log_likelihood });
                    self.stand_on(&taken, groups, regression);
                    self.refuse_correlated(candidate);
                }
            },
        }
    }

    /// The candidate whose coefficient is not positive.
    fn wrong_sign(&self, taken: &[usize], regression: &Regression) -> Option<usize> {
        let own = taken.iter().filter(|number| !self.candidates[**number].is_given);
        own.zip(&regression.coefficients[1..])
            .find(|(_, coefficient)| **coefficient <= 0.0)
            .map(|(of, _)| *of)
    }

    fn refuse_correlated(&mut self, with: usize) {
        for other in 0..self.candidates.len() {
            if !self.waiting[other] || self.candidates[other].is_forced || self.candidates[other].is_given {
                continue;
            }
            let side =
                |number: usize| Side { woe: &self.candidates[number].woe, bins: &self.cells.bins[number] };
            let correlation = correlation(side(with), side(other), &self.cells.counts);
            if correlation.abs() > self.limits.correlation {
                self.waiting[other] = false;
                self.rest.push((other, NotSelected::Correlated { with, correlation }));
            }
        }
    }

    /// Of those that wait, the one that adds most, and its chi-square.
    fn best_waiting(&self) -> Option<(usize, f64)> {
        let waiting: Vec<usize> = (0..self.candidates.len()).filter(|number| self.waiting[*number]).collect();
        let added: Vec<f64> = waiting.par_iter().map(|candidate| self.chi_square(*candidate)).collect();
        let mut best: Option<(usize, f64)> = None;
        for (candidate, chi_square) in waiting.into_iter().zip(added) {
            if best.is_none_or(|(_, known)| chi_square > known) {
                best = Some((candidate, chi_square));
            }
        }
        best
    }

    /// Rao's score test of what a candidate would add: chi-square of one degree of freedom, below 0 where its coefficient
    /// would be.
    fn chi_square(&self, candidate: usize) -> f64 {
        let FeatureCandidate { woe, .. } = &self.candidates[candidate];
        let width = self.regression.coefficients.len();
        // By bin of the candidate: the surplus of goods, the information, the information times each column.
        let mut surplus = vec![0.0; woe.len()];
        let mut information = vec![0.0; woe.len()];
        let mut crossed = vec![0.0; woe.len() * width];
        let cells = self.cells.bins[candidate].iter().zip(&self.cells.counts).zip(&self.groups.of_cell);
        for ((bin, counts), group) in cells {
            let (bin, group) = (usize::from(*bin), *group as usize);
            let rows = counts.rows() as f64;
            let share = self.predicted[group];
            let weight = rows * share * (1.0 - share);
            surplus[bin] += counts.good as f64 - rows * share;
            information[bin] += weight;
            let own = &mut crossed[bin * width..(bin + 1) * width];
            for (sum, value) in own.iter_mut().zip(&self.columns[group * width..(group + 1) * width]) {
                *sum += weight * value;
            }
        }
        let (mut slope, mut own) = (0.0, 0.0);
        let mut with_taken = nalgebra::DVector::zeros(width);
        for (bin, woe) in woe.iter().enumerate() {
            slope += surplus[bin] * woe;
            own += information[bin] * woe * woe;
            for column in 0..width {
                with_taken[column] += crossed[bin * width + column] * woe;
            }
        }
        let explained = with_taken.dot(&self.regression.information.solve(&with_taken));
        let left = own - explained;
        if left <= own * 1e-9 {
            return 0.0;
        }
        slope * slope.abs() / left
    }

    /// Leaves those out, one by one, that add little beside those that came after them.
    fn drop_faded(&mut self) -> Result<(), NoMaximum> {
        loop {
            let taken = self.taken();
            let own: Vec<usize> =
                taken.iter().copied().filter(|one| !self.candidates[*one].is_given).collect();
            let regression = &self.regression;
            let walds = own.iter().enumerate().map(|(position, candidate)| {
                let z = regression.coefficients[position + 1] / regression.errors[position + 1];
                (*candidate, z * z)
            });
            let free = walds.filter(|(candidate, _)| !self.candidates[*candidate].is_forced);
            let Some((weakest, chi_square)) = free.min_by(|a, b| a.1.total_cmp(&b.1)) else { return Ok(()) };
            if chi_square >= self.limits.chi_square {
                return Ok(());
            }
            self.steps.retain(|step| step.candidate != weakest);
            self.rest.push((weakest, NotSelected::AddsLittle { chi_square }));
            let taken = self.taken();
            let all = CellGroups::all(self.cells);
            let groups = taken.iter().fold(all, |groups, candidate| groups.split(self.cells, *candidate));
            let first = vec![0.0; own.len()];
            let regression = regress(&design(self.candidates, &taken, &groups), &first)?;
            self.stand_on(&taken, groups, regression);
        }
    }

    fn finish(mut self) -> ForwardSelection {
        let is_full = self.steps.len() >= self.limits.most;
        for candidate in (0..self.candidates.len()).filter(|number| self.waiting[*number]) {
            let chi_square = self.chi_square(candidate);
            let why = if is_full && chi_square >= self.limits.chi_square {
                NotSelected::Full
            } else {
                NotSelected::AddsLittle { chi_square }
            };
            self.rest.push((candidate, why));
        }
        self.rest.sort_by_key(|(candidate, _)| *candidate);
        ForwardSelection { steps: self.steps, regression: self.regression, rest: self.rest }
    }
}

/// The rows of a regression on candidates that groups are made by.
fn design(candidates: &[FeatureCandidate], taken: &[usize], groups: &CellGroups) -> Design {
    let mut design = Design {
        columns: Vec::new(),
        offset: vec![0.0; groups.counts.len()],
        good: groups.counts.iter().map(|counts| counts.good as f64).collect(),
        bad: groups.counts.iter().map(|counts| counts.bad as f64).collect(),
    };
    for (candidate, bins) in taken.iter().zip(&groups.bins) {
        let FeatureCandidate { woe, is_given, .. } = &candidates[*candidate];
        let values = bins.iter().map(|bin| woe[usize::from(*bin)]);
        if *is_given {
            design.offset.iter_mut().zip(values).for_each(|(offset, value)| *offset += value);
        } else {
            design.columns.push(values.collect());
        }
    }
    design
}
