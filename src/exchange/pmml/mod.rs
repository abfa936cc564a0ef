//! PMML scorecards in, versions 4.0 to 4.4.
//!
//! ```text
//! xml ─▶ fields, predicates ─▶ attributes ─ decide ─▶ a tree a characteristic ─ build, reasons ─▶ ImportedCard
//! ```
//!
//! Conditions are not translated but tried: the values of a field fall into cells within which every comparison of
//! the document comes out the same, and PMML's own rules say which attribute speaks in each.

mod attributes;
mod cells;
mod decide;
mod expression;
mod fields;
mod predicates;
mod reasons;
mod value;
mod xml;

use anyhow::Result;

pub use attributes::Extensions;

use super::build::{Built, ReadAttribute, ReadCharacteristic};
use super::card::{
    FeatureSource, ImportedBand, ImportedCard, ImportedDimension, ImportedFeature, NumberUnits, PlacedPoints,
};
use super::decimal::Decimal;
use super::names::FeatureNames;
use super::options::{ImportOptions, ReasonChoice};
use super::refusals::Refusals;
use crate::job::{Diagnostics, Source};
use attributes::{WrittenCharacteristic, points};
use cells::codes;
use decide::{UsedField, decide};
use expression::Constants;
use predicates::FieldNames;
use reasons::{OwnReasons, ReasonPlan};
use value::ValueKind;
use xml::Element;

/// Reads a PMML scorecard; all that cannot be taken over is refused at once.
pub fn read(source: &Source, options: &ImportOptions) -> Result<ImportedCard> {
    let mut refusals = Refusals { source, diagnostics: Diagnostics::default() };
    let card =
        xml::parse(source, &mut refusals.diagnostics).and_then(|root| card(&root, options, &mut refusals));
    refusals.diagnostics.check()?;
    Ok(card.expect("a file without refusals is read"))
}

fn card(root: &Element, options: &ImportOptions, refusals: &mut Refusals) -> Option<ImportedCard> {
    let scorecard = scorecard(root, refusals)?;
    let fields = fields::read(root, scorecard, refusals);
    if refusals.any() {
        return None;
    }
    let derived = root.all("TransformationDictionary").chain(scorecard.all("LocalTransformations"));
    let names =
        FieldNames { fields: &fields, derived: derived.flat_map(|all| all.all("DerivedField")).collect() };
    let written = attributes::read(scorecard, &names, refusals);
    let clamp = targets(scorecard, &written, refusals);
    if refusals.any() {
        return None;
    }
    let plan = reasons::plan(scorecard, options.reasons, refusals)?;
    let own: Vec<_> = written
        .iter()
        .enumerate()
        .map(|(number, one)| OwnReasons::of(one, number, &plan, refusals))
        .collect();
    let own: Vec<OwnReasons> = own.into_iter().collect::<Option<_>>()?;
    let is_ours = root.child("Header").and_then(|header| header.child("Application"));
    let is_ours = is_ours.and_then(|application| application.value("name")) == Some(Extensions::EXTENDER);
    if matches!(plan, ReasonPlan::Below(_)) && !is_ours {
        reasons::check_codes(&written, &own, refusals);
    }
    let extensions = Extensions::of(scorecard);
    let dimensions: Vec<ImportedDimension> = extensions.all("dimension").filter_map(dimension).collect();
    let built = build(&fields, &written, &own, &dimensions, options, refusals)?;
    let mut codes: Vec<&str> = built.characteristics.iter().map(|one| one.reason.as_str()).collect();
    codes.sort_unstable();
    codes.dedup();
    let count = reasons::count(scorecard, &plan, options.reasons, codes.len());
    let count = extensions.get("reasons").and_then(|count| count.parse().ok()).unwrap_or(count);
    let initial = points(scorecard, "initialScore", refusals)?;
    let initial = initial.unwrap_or(PlacedPoints { value: Decimal::ZERO, at: scorecard.at.clone() });
    let Some(base) = initial.value.plus(built.into_base) else {
        refusals.refuse(("Scorecard", initial.at), "its points have too many digits", None);
        return None;
    };
    let mut notes = built.notes;
    note_reasons(options, &plan, count, &mut notes);
    note_outputs(scorecard, &mut notes);
    Some(ImportedCard {
        name: scorecard.value("modelName").unwrap_or("scorecard").to_string(),
        base: PlacedPoints { value: base, at: initial.at },
        clamp,
        reasons: count,
        bands: extensions.all("band").filter_map(band).collect(),
        dimensions,
        features: built.features,
        characteristics: built.characteristics,
        notes,
    })
}

/// The one scorecard of a document.
fn scorecard<'e>(root: &'e Element, refusals: &mut Refusals) -> Option<&'e Element> {
    if root.name != "PMML" {
        refusals.refuse((&root.name, root.at.clone()), "this is no PMML document", None);
        return None;
    }
    let not_models = ["Header", "MiningBuildTask", "DataDictionary", "TransformationDictionary"];
    let models: Vec<&Element> =
        root.content().filter(|child| !not_models.contains(&child.name.as_str())).collect();
    let scorecards: Vec<&&Element> = models.iter().filter(|model| model.name == "Scorecard").collect();
    let scorecard = match (&scorecards[..], &models[..]) {
        ([only], [_]) => only,
        ([], [other, ..]) => {
            refusals.refuse((&other.name, other.at.clone()), "this model is no Scorecard", None);
            return None;
        }
        ([], []) => {
            refusals.refuse((&root.name, root.at.clone()), "there is no Scorecard in it", None);
            return None;
        }
        _ => {
            let other = models.get(1).unwrap_or(&models[0]);
            let help = "leave one Scorecard in the file, and import the others by themselves";
            refusals.refuse((&other.name, other.at.clone()), "there is more than one model", Some(help));
            return None;
        }
    };
    if scorecard.value("isScorable") == Some("false") {
        refusals.refuse(
            ("Scorecard", scorecard.place_of("isScorable")),
            "it says that it is not to be used",
            None,
        );
        return None;
    }
    if scorecard.value("functionName").is_some_and(|function| function != "regression") {
        refusals.refuse(("Scorecard", scorecard.place_of("functionName")), "a score is a regression", None);
        return None;
    }
    Some(scorecard)
}

fn build<'a>(
    fields: &[fields::Field],
    written: &[WrittenCharacteristic],
    own: &[OwnReasons],
    dimensions: &[ImportedDimension],
    options: &'a ImportOptions,
    refusals: &mut Refusals,
) -> Option<Built<'a>> {
    let mut constants = Constants::default();
    let attributes = written.iter().flat_map(|one| &one.attributes);
    attributes.for_each(|attribute| attribute.predicate.collect(&mut constants));
    let mut names = FeatureNames::new(dimensions.iter().map(|dimension| dimension.name.as_str()));
    let mut used = Vec::new();
    for own in &constants.fields {
        let field = fields.iter().find(|field| field.name == own.name)?;
        let feature = names.take(&field.name);
        used.push(UsedField::new(field, feature, &constants, options, refusals)?);
    }
    let decided: Vec<_> = written.iter().map(|one| decide(one, &mut used, options, refusals)).collect();
    let features = used.iter().map(|own| feature(own, &constants)).collect();
    let mut built = Built::new(features, names, options);
    for ((one, tree), own) in written.iter().zip(decided).zip(own) {
        built.add(&read_as(one, own), &tree?, refusals);
    }
    Some(built)
}

/// The feature of a field.
fn feature(used: &UsedField, constants: &Constants) -> ImportedFeature {
    let field = used.field;
    let source = match field.kind {
        ValueKind::Truth => FeatureSource::Truth,
        ValueKind::Text => {
            FeatureSource::Codes(codes(field, &constants.of(&field.name).cloned().unwrap_or_default()))
        }
        ValueKind::Whole | ValueKind::Real => {
            FeatureSource::Number(NumberUnits { scale: used.scale, fractions: used.fractions() })
        }
    };
    ImportedFeature { name: used.feature.clone(), field: field.name.clone(), source }
}

/// A characteristic with its reasons.
fn read_as(written: &WrittenCharacteristic, own: &OwnReasons) -> ReadCharacteristic {
    let attributes = written.attributes.iter().zip(&own.codes).map(|(attribute, code)| ReadAttribute {
        points: attribute.points.clone(),
        code: code.clone(),
        text: attribute.extensions.get("text").map(str::to_string),
    });
    let field = match &written.constants.fields[..] {
        [only] => Some(only.name.clone()),
        _ => None,
    };
    ReadCharacteristic {
        name: written.name.clone(),
        at: written.at.clone(),
        field,
        text: written.extensions.get("text").unwrap_or(&written.name).to_string(),
        dimension: written.extensions.get("dimension").unwrap_or_default().to_string(),
        actionable: written.extensions.get("actionable").map(str::to_string),
        reason: written.reason.clone(),
        baseline: own.baseline.clone(),
        attributes: attributes.collect(),
    }
}

/// The bounds of the score; what else targets do to it is refused.
fn targets(
    scorecard: &Element,
    written: &[WrittenCharacteristic],
    refusals: &mut Refusals,
) -> [Option<PlacedPoints>; 2] {
    let mut clamp = [None, None];
    for target in scorecard.all("Targets").flat_map(|all| all.all("Target")) {
        for (name, harmless) in [("rescaleFactor", "1"), ("rescaleConstant", "0")] {
            let given = points(target, name, refusals).flatten();
            if given.is_some_and(|given| Some(given.value) != Decimal::parse(harmless)) {
                let why = format!("{name} changes the score after it is added up");
                let help = "multiply partialScore, initialScore and baselineScore by it instead";
                refusals.refuse(("Target", target.place_of(name)), why, Some(help));
            }
        }
        let is_whole = written.iter().flat_map(|one| &one.attributes).all(|one| one.points.value.is_whole());
        if target.attribute("castInteger").is_some() && !is_whole {
            let why = "castInteger rounds a score whose points are not whole";
            refusals.refuse(("Target", target.place_of("castInteger")), why, None);
        }
        for (bound, name) in clamp.iter_mut().zip(["min", "max"]) {
            *bound = points(target, name, refusals).flatten();
        }
    }
    clamp
}

fn band(text: &str) -> Option<ImportedBand> {
    let (from, name) = text.split_once(' ')?;
    Some(ImportedBand { name: name.to_string(), from: from.parse().ok()? })
}

fn dimension(text: &str) -> Option<ImportedDimension> {
    let (name, title) = text.split_once('\n')?;
    Some(ImportedDimension { name: name.to_string(), title: title.to_string() })
}

fn note_reasons(options: &ImportOptions, plan: &ReasonPlan, count: usize, notes: &mut Vec<String>) {
    notes.push(match (plan, options.reasons) {
        (_, ReasonChoice::None) => "no reasons are given, as --reasons none says".to_string(),
        (ReasonPlan::Ours, ReasonChoice::Ours) => {
            "reasons are ours: what cost the most points against the best bin of its characteristic; the document's may be \
             others"
                .to_string()
        }
        (ReasonPlan::Ours, _) => "the document uses no reason codes, and none are given".to_string(),
        (ReasonPlan::Below(_), _) => format!(
            "{count} reasons are given, those of points below the baseline; one that is not below it is never named"
        ),
    });
}

/// Outputs that are something else than the score and its reasons.
fn note_outputs(scorecard: &Element, notes: &mut Vec<String>) {
    for output in scorecard.all("Output").flat_map(|all| all.all("OutputField")) {
        let feature = output.value("feature").unwrap_or("predictedValue");
        if !["predictedValue", "reasonCode"].contains(&feature) {
            let name = output.value("name").unwrap_or_default();
            notes.push(format!(
                "the output `{name}` ({feature}) is left out: it is made of the score afterwards"
            ));
        }
    }
}
