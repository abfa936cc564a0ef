//! Reasons of a PMML scorecard: by how far points are below a baseline, as ours are.
//!
//! Where attributes have codes of their own, a characteristic becomes several, one a code: each gives its attributes'
//! points less the baseline, and nothing elsewhere; the baseline goes into the base. So every sum and every point that
//! is missed stay the same.

use std::collections::BTreeMap;

use super::super::card::PlacedPoints;
use super::super::options::ReasonChoice;
use super::super::refusals::Refusals;
use super::attributes::{WrittenAttribute, WrittenCharacteristic, points};
use super::xml::Element;

/// How reasons are made.
#[derive(Debug, Clone)]
pub enum ReasonPlan {
    /// By the points below a baseline; that of characteristics that have none of their own.
    Below(BaselineSource),
    /// Ours: by the points below the most of the characteristic.
    Ours,
}

/// The baseline of characteristics that have none of their own.
#[derive(Debug, Clone)]
pub enum BaselineSource {
    /// That of the scorecard.
    Given(PlacedPoints),
    /// The most that the characteristic gives.
    Most,
    /// None: each must have its own.
    None,
}

/// Decides how reasons are made; what ours cannot do is refused.
pub fn plan(scorecard: &Element, choice: ReasonChoice, refusals: &mut Refusals) -> Option<ReasonPlan> {
    if choice != ReasonChoice::Same || scorecard.value("useReasonCodes") == Some("false") {
        return Some(ReasonPlan::Ours);
    }
    let algorithm = scorecard.value("reasonCodeAlgorithm").unwrap_or("pointsBelow");
    if algorithm != "pointsBelow" {
        let why = format!(
            "reasonCodeAlgorithm=\"{algorithm}\": the reasons would be what gave the most points; here they are what cost the \
             most"
        );
        let help = "--reasons ours takes the points and gives our reasons, --reasons none gives none";
        refusals.refuse(("Scorecard", scorecard.place_of("reasonCodeAlgorithm")), why, Some(help));
        return None;
    }
    let given = points(scorecard, "baselineScore", refusals)?;
    let is_most = scorecard.value("baselineMethod") == Some("max");
    Some(ReasonPlan::Below(match (given, is_most) {
        (Some(given), _) => BaselineSource::Given(given),
        (None, true) => BaselineSource::Most,
        (None, false) => BaselineSource::None,
    }))
}

/// How many reasons the outputs ask for; all there are, where they say nothing.
pub fn count(scorecard: &Element, plan: &ReasonPlan, choice: ReasonChoice, codes: usize) -> usize {
    const MOST_REASONS: usize = 20;
    let is_unused = scorecard.value("useReasonCodes") == Some("false");
    if choice == ReasonChoice::None || (is_unused && choice == ReasonChoice::Same) {
        return 0;
    }
    let outputs = scorecard.all("Output").flat_map(|all| all.all("OutputField"));
    let asked = outputs.filter(|output| output.value("feature") == Some("reasonCode"));
    let ranks = asked.map(|output| output.value("rank").and_then(|rank| rank.parse().ok()).unwrap_or(1));
    let asked = ranks.max().filter(|_| matches!(plan, ReasonPlan::Below(_)) || choice == ReasonChoice::Ours);
    asked.unwrap_or(codes).min(MOST_REASONS)
}

/// The reasons of one characteristic.
#[derive(Debug, Clone)]
pub struct OwnReasons {
    /// What points are held against; `None`: the most that it gives.
    pub baseline: Option<PlacedPoints>,
    /// By attribute.
    pub codes: Vec<String>,
}

impl OwnReasons {
    /// Of a characteristic; a code that is missing where one is needed is refused.
    pub fn of(
        written: &WrittenCharacteristic,
        number: usize,
        plan: &ReasonPlan,
        refusals: &mut Refusals,
    ) -> Option<OwnReasons> {
        let code = |attribute: &WrittenAttribute| attribute.reason.clone().or(written.reason.clone());
        let ReasonPlan::Below(source) = plan else {
            // One code a characteristic: there is no telling what those of attributes would mean.
            let own = written.reason.clone().or(written.attributes.iter().find_map(code));
            let own = own.unwrap_or(format!("R{:02}", number + 1));
            return Some(OwnReasons { baseline: None, codes: vec![own; written.attributes.len()] });
        };
        let help = Some("--reasons ours gives our reasons, --reasons none gives none");
        let codes: Option<Vec<String>> = written.attributes.iter().map(code).collect();
        let Some(codes) = codes else {
            let why =
                format!("`{}` has an attribute without a reasonCode, and none of its own", written.name);
            refusals.refuse(("Characteristic", written.at.clone()), why, help);
            return None;
        };
        let baseline = match (&written.baseline, source) {
            (Some(own), _) | (None, BaselineSource::Given(own)) => Some(own.clone()),
            (None, BaselineSource::Most) => None,
            (None, BaselineSource::None) => {
                let why = format!(
                    "`{}` has no baselineScore to hold points against, nor has the scorecard",
                    written.name
                );
                refusals.refuse(("Characteristic", written.at.clone()), why, help);
                return None;
            }
        };
        Some(OwnReasons { baseline, codes })
    }
}

/// Refuses a code of two characteristics: PMML adds up what both cost.
pub fn check_codes(written: &[WrittenCharacteristic], reasons: &[OwnReasons], refusals: &mut Refusals) {
    let mut owners: BTreeMap<&str, &WrittenCharacteristic> = BTreeMap::new();
    for (characteristic, own) in written.iter().zip(reasons) {
        for code in &own.codes {
            let owner = owners.entry(code).or_insert(characteristic);
            if owner.at != characteristic.at {
                let why = format!(
                    "the reason `{code}` is that of `{}`, too: PMML adds up what both cost, here each is named by itself",
                    owner.name
                );
                let help = Some("give each its own code, or --reasons ours");
                refusals.refuse(("Characteristic", characteristic.at.clone()), why, help);
                break;
            }
        }
    }
}
