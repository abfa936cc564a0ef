//! A scorecard without its job: features, points and bands, to be scored with and held against others.

use anyhow::Result;

use super::declared::declarations;
use super::diagnostics::Diagnostics;
use super::feature_file::Feature;
use super::scopes::{InputColumns, input_scopes};
use super::scorecard_file::{self, Characteristic, Scorecard};
use super::source::Source;
use super::terms::{Declarations, of_features};

/// A scorecard by itself. Its features are not computed from it: what they name of inputs is taken to be there.
#[derive(Debug, Clone)]
pub struct CardTerms {
    /// As read.
    pub source: Source,
    /// Features in file order.
    pub features: Vec<Feature>,
    /// Points, bands, dimensions.
    pub scorecard: Scorecard,
    /// Minor units short that still settle a bill.
    pub bill_tolerance: i64,
    /// By feature: how it is declared.
    declarations: Vec<toml::Value>,
}

impl CardTerms {
    /// Reads a scorecard's text. Its mistakes are told all at once.
    pub fn bind(source: &Source) -> Result<CardTerms> {
        let mut diagnostics = Diagnostics::default();
        let scopes = of_features(&input_scopes(&InputColumns::default()), &[source]);
        let model = scorecard_file::read(source, &scopes, &mut diagnostics);
        diagnostics.check()?;
        let declarations = declarations(&[source], &model.features);
        Ok(CardTerms {
            source: source.clone(),
            features: model.features,
            scorecard: model.scorecard,
            bill_tolerance: model.bill_tolerance,
            declarations,
        })
    }

    /// How its features are declared.
    pub fn declarations(&self) -> Declarations<'_> {
        Declarations::new(&self.features, &self.declarations, self.bill_tolerance)
    }

    /// The name of a characteristic's feature.
    pub fn name_of(&self, characteristic: &Characteristic) -> &str {
        &self.features[characteristic.feature].name
    }

    /// Whether a feature is the sum of the limits of all lines of an account.
    pub fn is_sum_of_limits(&self, feature: usize) -> bool {
        let table = &self.declarations[feature];
        let is = |key: &str, value: &str| table.get(key).and_then(toml::Value::as_str) == Some(value);
        is("from", "lines") && is("agg", "sum") && is("of", "credit_limit") && table.get("where").is_none()
    }
}
