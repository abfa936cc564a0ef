//! Any scorecard of ours, written as PMML, is well formed, scores as PMML's rules say, and comes back the same.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use proptest::prelude::*;
use rescore::job::{Actionable, Scorecard};
use roxmltree::Document;

use super::card::{filled, import, import_text};
use super::naive_pmml::{NaivePmml, TextRow};
use crate::support::{project, shipped_in, succeed_in};

/// A characteristic as it is drawn.
#[derive(Debug, Clone)]
struct Drawn {
    cuts: Vec<i64>,
    points: Vec<i32>,
    missing: i32,
    dimension: usize,
    has_missing_reason: bool,
    baseline: Option<i32>,
    actionable: usize,
    text: String,
}

fn drawn() -> impl Strategy<Value = Drawn> {
    let cuts = prop::collection::btree_set(prop_oneof![-50_i64..50, any::<i32>().prop_map(i64::from)], 0..6);
    let points = prop::collection::vec(-60_i32..60, 7);
    let text = "[a-z <>&\"'é\n\t]{0,12}";
    let baseline = prop::option::weighted(0.3, -80_i32..80);
    (cuts, points, -60_i32..60, 0..2_usize, any::<bool>(), baseline, 0..4_usize, text).prop_map(
        |(cuts, points, missing, dimension, has_missing_reason, baseline, actionable, text)| Drawn {
            cuts: cuts.into_iter().collect(),
            points,
            missing,
            dimension,
            has_missing_reason,
            baseline,
            actionable,
            text,
        },
    )
}

/// The scorecard file of some characteristics.
fn card(all: &[Drawn], reasons: usize, [min, width]: [i32; 2]) -> String {
    let text = |text: &str| toml::Value::String(text.to_string()).to_string();
    let mut card = String::new();
    for number in 0..all.len() {
        card += &format!(
            "[[feature]]\nname = \"f {number}\"\nfrom = \"lines\"\nagg = \"max\"\nof = \"balance\"\n\n"
        );
    }
    card += &format!("[score]\nbase = 7\nmin = {min}\nmax = {}\nreasons = {reasons}\n\n", min + width);
    card += &format!(
        "[[band]]\nname = \"low <\"\nfrom = {min}\n\n[[band]]\nname = \"high\"\nfrom = {}\n\n",
        min + 3
    );
    card += "[[dimension]]\nname = \"one\"\ntitle = \"One & only\"\n\n[[dimension]]\nname = \"two\"\ntitle = \"\"\n\n";
    for (number, one) in all.iter().enumerate() {
        let dimension = ["one", "two"][one.dimension];
        card += &format!(
            "[[characteristic]]\nfeature = \"f {number}\"\ndimension = \"{dimension}\"\nreason = \"R{number}\"\n"
        );
        card += &format!("text = {}\nmissing = {}\n", text(&one.text), one.missing);
        if one.has_missing_reason {
            card += &format!(
                "missing_reason = \"M{number}\"\nmissing_text = {}\n",
                text(&format!("no {}", one.text))
            );
        }
        card += &one.baseline.map_or(String::new(), |baseline| format!("baseline = {baseline}\n"));
        card +=
            ["", "actionable = false\n", "actionable = \"up\"\n", "actionable = \"down\"\n"][one.actionable];
        let bins = one
            .cuts
            .iter()
            .zip(&one.points)
            .map(|(cut, points)| format!("{{ below = {cut}, points = {points} }}, "));
        card += &format!("bins = [ {}{{ points = {} }} ]\n\n", bins.collect::<String>(), one.points[6]);
    }
    card
}

/// All that a scorecard says, in words that two of them can be compared by.
fn said(card: &Scorecard) -> Vec<String> {
    let bands = card.bands.iter().map(|band| format!("{} {}", band.name, band.from));
    let dimensions =
        card.dimensions.iter().map(|dimension| format!("{} {}", dimension.name, dimension.title));
    let characteristics = card.characteristics.iter().map(|one| {
        let bins: Vec<_> = one.bins.iter().map(|bin| (bin.below, bin.points)).collect();
        let actionable = match one.actionable {
            Actionable::Freely => "freely",
            Actionable::Never => "never",
            Actionable::Up => "up",
            Actionable::Down => "down",
        };
        format!(
            "{} {} {:?} {} {:?} {} {actionable} {bins:?}",
            one.dimension,
            one.reason,
            one.text,
            one.missing,
            one.missing_reason,
            one.baseline()
        )
    });
    let head = format!("{} {} {} {}", card.base, card.min, card.max, card.reasons);
    std::iter::once(head).chain(bands).chain(dimensions).chain(characteristics).collect()
}

fn exported(directory: &Path, card: &str) -> String {
    fs::write(directory.join("card.toml"), card).unwrap();
    succeed_in(directory, &["export", "card.toml", "--to", "pmml"])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn pmml_comes_back_as_the_same_scorecard(
        all in prop::collection::vec(drawn(), 1..4),
        reasons in 0..6_usize,
        min in -100_i32..20,
        width in 3..200_i32,
        values in prop::collection::vec(prop::option::of(-60_i64..60), 12),
    ) {
        let directory = tempfile::tempdir().unwrap();
        let written = card(&all, reasons, [min, width]);
        let pmml = exported(directory.path(), &written);
        let document = Document::parse(&pmml).unwrap();
        let imported = import_text(&pmml, &[]).unwrap();
        let own = rescore::job::LoneScorecard::read(&directory.path().join("card.toml")).unwrap();
        prop_assert_eq!(said(&imported.card.scorecard), said(&own.scorecard));
        for row in values.chunks(all.len()).filter(|row| row.len() == all.len()) {
            let features: BTreeMap<String, Option<i64>> =
                row.iter().enumerate().map(|(number, value)| (format!("f {number}"), *value)).collect();
            let texts: TextRow = features
                .iter()
                .filter_map(|(name, value)| Some((name.clone(), value.as_ref()?.to_string())))
                .collect();
            let (score, mut codes) = NaivePmml::new(&document, &texts).score().unwrap();
            codes.truncate(reasons);
            let found = imported.score(&features).unwrap();
            prop_assert_eq!((found.score, found.reasons), (score as i64, codes));
        }
    }
}

#[test]
fn shipped_scorecards_come_back_the_same() {
    let directory = tempfile::tempdir().unwrap();
    shipped_in(directory.path());
    for job in ["jobs/nightly.toml", "jobs/taiwan/nightly.toml"] {
        succeed_in(directory.path(), &["export", job, "--to", "pmml", "--out", "card.pmml"]);
        let imported = import(
            &directory.path().join("card.pmml"),
            "pmml",
            &["--job", project().join(job).to_str().unwrap()],
        );
        let imported = imported.unwrap_or_else(|error| panic!("{error}"));
        assert!(!imported.text.contains("TO FILL"));
        let own = rescore::job::LoneScorecard::read(&project().join(job)).unwrap();
        assert_eq!(said(&imported.card.scorecard), said(&own.scorecard));
        assert_eq!(filled(&imported.text).matches("[[feature]]").count(), own.features.len());
    }
}

#[test]
fn what_xml_cannot_hold_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let one = Drawn {
        cuts: vec![1],
        points: vec![1; 7],
        missing: 0,
        dimension: 0,
        has_missing_reason: false,
        baseline: None,
        actionable: 0,
        text: "a \u{1} b".to_string(),
    };
    fs::write(directory.path().join("card.toml"), card(&[one], 1, [0, 9])).unwrap();
    let (code, _, stderr) =
        crate::support::outcome_in(directory.path(), &["export", "card.toml", "--to", "pmml"]);
    assert!(code == 2 && stderr.contains("XML cannot hold the character"), "{stderr}");
}
