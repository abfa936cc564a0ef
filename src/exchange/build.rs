//! From decisions to features, characteristics and bins.

use std::ops::Range;

use super::card::{
    FeatureSource, ImportedBin, ImportedCharacteristic, ImportedFeature, ImportedReason, PlacedPoints,
};
use super::decimal::Decimal;
use super::names::FeatureNames;
use super::options::{ImportOptions, Otherwise};
use super::refusals::Refusals;
use super::tree::{DecisionTree, Speaker, TreeSpan, quoted};

/// A characteristic as a file has it, whatever its conditions.
#[derive(Debug, Clone)]
pub struct ReadCharacteristic {
    /// Its name.
    pub name: String,
    /// Where it is read.
    pub at: Range<usize>,
    /// The field that it reads, if it is one.
    pub field: Option<String>,
    /// The reason in words.
    pub text: String,
    /// The dimension's name; empty for the one of what is imported.
    pub dimension: String,
    /// Whether the person can move it, as our own files say.
    pub actionable: Option<String>,
    /// The code of the characteristic itself.
    pub reason: Option<String>,
    /// What points are held against; `None`: the most that it gives.
    pub baseline: Option<PlacedPoints>,
    /// In file order.
    pub attributes: Vec<ReadAttribute>,
}

/// What a characteristic gives in one case.
#[derive(Debug, Clone)]
pub struct ReadAttribute {
    /// The points.
    pub points: PlacedPoints,
    /// The reason's code.
    pub code: String,
    /// The reason in words, where the attribute has its own.
    pub text: Option<String>,
}

impl ReadCharacteristic {
    /// The baseline as a number.
    fn level(&self) -> Decimal {
        let most = self.attributes.iter().map(|attribute| attribute.points.value).max();
        self.baseline.as_ref().map(|baseline| baseline.value).or(most).unwrap_or(Decimal::ZERO)
    }

    /// The code of what an attribute costs; `None` where it costs nothing, or where no attribute speaks.
    fn code_of(&self, outcome: Speaker) -> Option<&str> {
        let attribute = &self.attributes[outcome?];
        (attribute.points.value < self.level()).then_some(attribute.code.as_str())
    }
}

/// A number that no feature can hold: what comes to it stops the run.
const TOO_LARGE: &str = "99999999999999999999";

/// What is built so far.
pub struct Built<'a> {
    /// In order.
    pub features: Vec<ImportedFeature>,
    /// In file order.
    pub characteristics: Vec<ImportedCharacteristic>,
    /// What goes into the base.
    pub into_base: Decimal,
    /// What whoever takes it over has to know.
    pub notes: Vec<String>,
    names: FeatureNames,
    options: &'a ImportOptions,
    /// Features that have a characteristic.
    in_use: Vec<String>,
}

/// Which attribute speaks by the value of one feature.
struct ByValue {
    feature: String,
    null: Speaker,
    /// Ascending; the last takes all the rest.
    spans: Vec<OutcomeSpan>,
}

#[derive(Clone, Copy)]
struct OutcomeSpan {
    below: Option<i64>,
    outcome: Speaker,
}

impl<'a> Built<'a> {
    /// With the features of the fields.
    pub fn new(features: Vec<ImportedFeature>, names: FeatureNames, options: &'a ImportOptions) -> Built<'a> {
        Built {
            features,
            characteristics: Vec::new(),
            into_base: Decimal::ZERO,
            notes: Vec::new(),
            names,
            options,
            in_use: Vec::new(),
        }
    }

    /// Adds a characteristic that was decided.
    pub fn add(&mut self, read: &ReadCharacteristic, tree: &DecisionTree, refusals: &mut Refusals) {
        self.guard(read, tree);
        let by_value = self.by_value(read, tree);
        let mut codes: Vec<&str> = Vec::new();
        let on_values = by_value.spans.iter().filter_map(|span| read.code_of(span.outcome));
        for code in on_values {
            if !codes.contains(&code) {
                codes.push(code);
            }
        }
        let of_null = read.code_of(by_value.null);
        match (&codes[..], of_null) {
            ([] | [_], _) => {
                let code = codes.first().copied().or(read.reason.as_deref()).or(of_null);
                let code = code.unwrap_or(&read.attributes[0].code);
                let missing = of_null.filter(|missing| *missing != code);
                self.add_whole(read, &by_value, code, missing);
            }
            _ => {
                codes.extend(of_null.filter(|code| !codes.contains(code)));
                self.add_parts(read, &by_value, &codes, refusals);
            }
        }
    }

    /// A feature that stops the run where no attribute speaks, as PMML has no score then.
    fn guard(&mut self, read: &ReadCharacteristic, tree: &DecisionTree) {
        if !tree.has_gap() {
            return;
        }
        // All that matters here is whether any speaks.
        let tree = tree.map(|outcome| outcome.map(|_| 0));
        let gaps = match &tree {
            DecisionTree::Leaf(_) => "always".to_string(),
            DecisionTree::Split(_) => tree.gaps().join(" or "),
        };
        let then = match self.options.otherwise {
            Otherwise::Stop => {
                "no score, so that a run stops at it (--otherwise least, or points, gives it some)"
            }
            Otherwise::Least => "the fewest points of the characteristic",
            Otherwise::Points(_) => "the points of --otherwise",
        };
        self.notes
            .push(format!("characteristic `{}` has no attribute where {gaps}: it gets {then}", read.name));
        if self.options.otherwise != Otherwise::Stop {
            return;
        }
        let leaf = |outcome: Speaker| if outcome.is_some() { "0" } else { TOO_LARGE }.to_string();
        let name = self.names.take(&format!("{}_has_points", read.name));
        let source = FeatureSource::Expression(tree.expression(&leaf));
        self.features.push(ImportedFeature { name, field: read.name.clone(), source });
    }

    /// The feature that a characteristic is about, and which attribute speaks by its value.
    fn by_value(&mut self, read: &ReadCharacteristic, tree: &DecisionTree) -> ByValue {
        let single = match (tree, &read.field) {
            (DecisionTree::Split(split), _) => {
                leaves(&split.spans).map(|spans| (split.feature.clone(), split.null.clone(), spans))
            }
            (DecisionTree::Leaf(outcome), Some(only)) => {
                let feature = self.features.iter().find(|feature| feature.field == *only);
                let spans = vec![OutcomeSpan { below: None, outcome: *outcome }];
                feature.map(|feature| (feature.name.clone(), tree.clone(), spans))
            }
            _ => None,
        };
        if let Some((feature, DecisionTree::Leaf(null), spans)) = single {
            let feature = self.once(feature, read);
            return ByValue { feature, null, spans };
        }
        // The number of the attribute, from 1; 0 where none speaks.
        let leaf = |outcome: Speaker| outcome.map_or(0, |number| number + 1).to_string();
        let feature = self.names.take(&read.name);
        let source = FeatureSource::Expression(tree.expression(&leaf));
        self.features.push(ImportedFeature { name: feature.clone(), field: read.name.clone(), source });
        let count = read.attributes.len();
        let first = if tree.has_gap() { 0 } else { 1 };
        let spans = (first..=count).map(|number| OutcomeSpan {
            below: (number < count).then_some(number as i64 + 1),
            outcome: number.checked_sub(1),
        });
        ByValue { feature, null: None, spans: spans.collect() }
    }

    /// The feature itself, or one that is the same where it has a characteristic already.
    fn once(&mut self, feature: String, read: &ReadCharacteristic) -> String {
        if !self.in_use.contains(&feature) {
            self.in_use.push(feature.clone());
            return feature;
        }
        self.alias(&feature, read, "")
    }

    /// Another feature of the same values.
    fn alias(&mut self, feature: &str, read: &ReadCharacteristic, code: &str) -> String {
        let separator = if code.is_empty() { "" } else { "_" };
        let name = self.names.take(&format!("{}{separator}{code}", read.name));
        let source = FeatureSource::Expression(quoted(feature));
        self.features.push(ImportedFeature { name: name.clone(), field: read.name.clone(), source });
        name
    }

    fn points(&self, read: &ReadCharacteristic, outcome: Speaker) -> PlacedPoints {
        let least =
            read.attributes.iter().map(|attribute| &attribute.points).min_by_key(|points| points.value);
        let least = least.expect("there is an attribute").clone();
        match (outcome, self.options.otherwise) {
            (Some(number), _) => read.attributes[number].points.clone(),
            (None, Otherwise::Points(value)) => PlacedPoints { value, at: read.at.clone() },
            (None, Otherwise::Stop | Otherwise::Least) => least,
        }
    }

    /// One characteristic, as it is read.
    fn add_whole(
        &mut self,
        read: &ReadCharacteristic,
        by_value: &ByValue,
        code: &str,
        missing_code: Option<&str>,
    ) {
        let text = read.text.clone();
        let of_null = by_value.null.map(|number| &read.attributes[number]);
        let missing_text = of_null.and_then(|attribute| attribute.text.clone());
        let missing_code = missing_code
            .or_else(|| of_null.map(|attribute| attribute.code.as_str()).filter(|_| missing_text.is_some()));
        let missing_reason = missing_code.map(|code| ImportedReason {
            code: code.to_string(),
            text: missing_text.unwrap_or(format!("{text} (missing)")),
        });
        let most = by_value.spans.iter().map(|span| span.outcome).chain([by_value.null]);
        let most = most.map(|outcome| self.points(read, outcome).value).max();
        let bins = by_value
            .spans
            .iter()
            .map(|span| ImportedBin { below: span.below, points: self.points(read, span.outcome) });
        let characteristic = ImportedCharacteristic {
            feature: by_value.feature.clone(),
            dimension: read.dimension.clone(),
            reason: code.to_string(),
            text,
            missing: self.points(read, by_value.null),
            missing_reason,
            actionable: read.actionable.clone(),
            baseline: read.baseline.clone().filter(|baseline| Some(baseline.value) != most),
            bins: bins.collect(),
        };
        self.characteristics.push(characteristic);
    }

    /// One characteristic a code.
    fn add_parts(
        &mut self,
        read: &ReadCharacteristic,
        by_value: &ByValue,
        codes: &[&str],
        refusals: &mut Refusals,
    ) {
        let level = read.level();
        let Some(base) = self.into_base.plus(level) else {
            refusals.refuse(("Characteristic", read.at.clone()), "its points have too many digits", None);
            return;
        };
        self.into_base = base;
        self.notes.push(format!(
            "characteristic `{}` has a reason an attribute: it became {} characteristics, one a reason, which give its points \
             less {level}; the base has them back",
            read.name,
            codes.len()
        ));
        for (part, code) in codes.iter().enumerate() {
            let feature =
                if part == 0 { by_value.feature.clone() } else { self.alias(&by_value.feature, read, code) };
            let points = |outcome: Speaker| {
                let PlacedPoints { value, at } = self.points(read, outcome);
                // What costs nothing has no code; it goes with the first.
                let own_code = read.code_of(outcome).or((part == 0).then_some(code));
                let is_own = own_code == Some(code);
                let value = if is_own { value.plus(level.negative()) } else { Some(Decimal::ZERO) };
                PlacedPoints { value: value.unwrap_or(Decimal::ZERO), at }
            };
            let missing = points(by_value.null);
            let bins = by_value
                .spans
                .iter()
                .map(|span| ImportedBin { below: span.below, points: points(span.outcome) });
            let characteristic = ImportedCharacteristic {
                feature,
                dimension: read.dimension.clone(),
                reason: (*code).to_string(),
                text: format!("{} ({code})", read.name),
                missing,
                missing_reason: None,
                actionable: read.actionable.clone(),
                baseline: Some(PlacedPoints { value: Decimal::ZERO, at: read.at.clone() }),
                bins: merged(bins.collect()),
            };
            self.characteristics.push(characteristic);
        }
    }
}

/// Neighbours that give the same made one.
fn merged(bins: Vec<ImportedBin>) -> Vec<ImportedBin> {
    let mut merged: Vec<ImportedBin> = Vec::new();
    for bin in bins {
        match merged.last_mut() {
            Some(last) if last.points.value == bin.points.value => last.below = bin.below,
            _ => merged.push(bin),
        }
    }
    merged
}

/// The outcomes of spans that are decided; `None` where one is decided by another feature.
fn leaves(spans: &[TreeSpan]) -> Option<Vec<OutcomeSpan>> {
    let leaf = |span: &TreeSpan| match span.tree {
        DecisionTree::Leaf(outcome) => Some(OutcomeSpan { below: span.below, outcome }),
        DecisionTree::Split(_) => None,
    };
    spans.iter().map(leaf).collect()
}
