//! What becomes of a feature: a characteristic, or why it is none.

use super::binning::FeatureBins;
use super::select::NotSelected;
use crate::model::{CharacteristicOptions, FitOptions};

/// What becomes of a feature.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Fate {
    /// It may be selected.
    Waits,
    /// It is a characteristic.
    Selected {
        /// Which one.
        place: usize,
    },
    /// The model file leaves it out.
    Excluded,
    /// It is null in all rows.
    OnlyNulls,
    /// All rows are in one bin.
    OneBin,
    /// No bin has both goods and bads.
    Separates,
    /// It tells too little.
    LowIv,
    /// It was not selected; positions in it are those of features.
    NotSelected(NotSelected),
}

impl Fate {
    /// Whether a feature may be selected.
    pub fn before_selection(
        options: &FitOptions,
        wish: Option<&CharacteristicOptions>,
        bins: &FeatureBins,
    ) -> Fate {
        let (is_forced, is_given) =
            wish.map_or((false, false), |wish| (wish.force, wish.points.is_some() && !wish.exclude));
        let rows = bins.counts.iter().map(|bin| bin.rows());
        let others: u64 = rows.take(bins.null()).sum();
        if wish.is_some_and(|wish| wish.exclude) {
            Fate::Excluded
        } else if is_given {
            Fate::Waits
        } else if others == 0 {
            Fate::OnlyNulls
        } else if bins.is_constant() {
            Fate::OneBin
        } else if bins.separates() {
            Fate::Separates
        } else if !is_forced && bins.iv < f64::from(options.min_iv_milli) / 1_000.0 {
            Fate::LowIv
        } else {
            Fate::Waits
        }
    }

    /// In a word or two, as `fit.json` has it.
    pub fn name(&self) -> &'static str {
        match self {
            Fate::Waits | Fate::Selected { .. } => "selected",
            Fate::Excluded => "excluded",
            Fate::OnlyNulls => "only_nulls",
            Fate::OneBin => "one_bin",
            Fate::Separates => "separates",
            Fate::LowIv => "low_iv",
            Fate::NotSelected(NotSelected::Correlated { .. }) => "correlated",
            Fate::NotSelected(NotSelected::WrongSign { .. }) => "wrong_sign",
            Fate::NotSelected(NotSelected::NoMaximum) => "no_maximum",
            Fate::NotSelected(NotSelected::AddsLittle { .. }) => "adds_little",
            Fate::NotSelected(NotSelected::Full) => "full",
        }
    }

    /// Why it is no characteristic, as a sentence; `names` are those of the features.
    pub fn reason(&self, options: &FitOptions, iv: f64, names: &[String]) -> String {
        match self {
            Fate::Waits | Fate::Selected { .. } => "it is a characteristic".to_string(),
            Fate::Excluded => "the model file excludes it".to_string(),
            Fate::OnlyNulls => "it is null in all rows".to_string(),
            Fate::OneBin => "no cut parts it into bins that are large enough".to_string(),
            Fate::Separates => "no bin has both goods and bads; does it see what happened later?".to_string(),
            Fate::LowIv => {
                format!("its information value {iv:.3} is below {:.3}", f64::from(options.min_iv_milli) / 1e3)
            }
            Fate::NotSelected(why) => not_selected(why, names),
        }
    }
}

fn not_selected(why: &NotSelected, names: &[String]) -> String {
    match why {
        NotSelected::Correlated { with, correlation } => {
            format!("it goes with `{}` (correlation {correlation:.2})", names[*with])
        }
        NotSelected::WrongSign { of } => {
            format!("with it, the coefficient of `{}` has the wrong sign", names[*of])
        }
        NotSelected::NoMaximum => {
            "with it, goods and bads are told apart without fail, or it is made of those that are selected"
                .to_string()
        }
        NotSelected::AddsLittle { chi_square } if *chi_square <= 0.0 => {
            "beside those that are selected, it would count the wrong way round".to_string()
        }
        NotSelected::AddsLittle { chi_square } => {
            format!("it adds little to those that are selected (chi-square {chi_square:.1})")
        }
        NotSelected::Full => {
            "there are as many characteristics as there may be: max_characteristics, or one for ten bads"
                .to_string()
        }
    }
}
