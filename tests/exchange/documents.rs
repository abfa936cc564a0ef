//! A document for each predicate, treatment and derivation: imported, it scores every row as PMML's rules do.

use std::fs;

use super::card::{import, import_text};
use super::rows::assert_same;
use super::shipped;

/// A document of two numbers, a text and a truth, with what is said about them.
pub struct Document {
    /// `DataField` elements instead of the usual ones.
    pub dictionary: &'static str,
    /// Attributes of the mining fields, by name.
    pub mining: &'static [(&'static str, &'static str)],
    /// Derived fields.
    pub derived: &'static str,
    /// Attributes of the scorecard.
    pub scorecard: &'static str,
    /// Targets and the like.
    pub beside: &'static str,
    /// Characteristics.
    pub characteristics: &'static str,
}

pub const PLAIN: Document = Document {
    dictionary: r#"<DataField name="age" optype="continuous" dataType="integer"/>
        <DataField name="income" optype="continuous" dataType="double"/>
        <DataField name="kind" optype="categorical" dataType="string"/>
        <DataField name="owner" optype="categorical" dataType="boolean"/>"#,
    mining: &[],
    derived: "",
    scorecard: r#"initialScore="100" useReasonCodes="false""#,
    beside: "",
    characteristics: "",
};

impl Document {
    pub fn text(&self) -> String {
        let fields = ["age", "income", "kind", "owner"].map(|name| {
            let own = self.mining.iter().find(|(field, _)| *field == name).map_or("", |(_, own)| own);
            format!("<MiningField name=\"{name}\" {own}/>")
        });
        format!(
            r#"<?xml version="1.0"?>
<PMML xmlns="http://www.dmg.org/PMML-4_4" version="4.4">
  <Header/>
  <DataDictionary>{}</DataDictionary>
  <TransformationDictionary>{}</TransformationDictionary>
  <Scorecard functionName="regression" {}>
    <MiningSchema>{}</MiningSchema>
    {}
    <Characteristics>{}</Characteristics>
  </Scorecard>
</PMML>"#,
            self.dictionary,
            self.derived,
            self.scorecard,
            fields.join(""),
            self.beside,
            self.characteristics
        )
    }
}

const AGES: &str = r#"<Characteristic name="ages">
    <Attribute partialScore="5"><SimplePredicate field="age" operator="lessThan" value="30"/></Attribute>
    <Attribute partialScore="9"><SimplePredicate field="age" operator="lessOrEqual" value="50"/></Attribute>
    <Attribute partialScore="20"><SimplePredicate field="age" operator="greaterThan" value="50"/></Attribute>
</Characteristic>"#;

const KINDS: &str = r#"<Characteristic name="kinds">
    <Attribute partialScore="3"><SimplePredicate field="kind" operator="equal" value="car"/></Attribute>
    <Attribute partialScore="7"><SimplePredicate field="kind" operator="notEqual" value="house"/></Attribute>
    <Attribute partialScore="1"><True/></Attribute>
</Characteristic>"#;

/// By name: a document, and whether some of its rows have no score.
fn documents() -> Vec<(&'static str, Document, bool)> {
    vec![
        ("bounds of integers", Document { characteristics: AGES, ..PLAIN }, true),
        ("texts", Document { characteristics: KINDS, ..PLAIN }, false),
        (
            "cuts between integers",
            Document {
                characteristics: r#"<Characteristic name="ages">
                    <Attribute partialScore="5"><SimplePredicate field="age" operator="lessOrEqual" value="3.5"/></Attribute>
                    <Attribute partialScore="6"><SimplePredicate field="age" operator="greaterOrEqual" value="7.25"/></Attribute>
                    <Attribute partialScore="8"><True/></Attribute></Characteristic>"#,
                ..PLAIN
            },
            false,
        ),
        (
            "the first that is true speaks",
            Document {
                characteristics: r#"<Characteristic name="ages">
                    <Attribute partialScore="1"><SimplePredicate field="age" operator="equal" value="40"/></Attribute>
                    <Attribute partialScore="2"><SimplePredicate field="age" operator="greaterThan" value="30"/></Attribute>
                    <Attribute partialScore="3"><SimplePredicate field="age" operator="greaterThan" value="10"/></Attribute>
                    <Attribute partialScore="4"><SimplePredicate field="age" operator="isNotMissing"/></Attribute>
                    <Attribute partialScore="-7"><SimplePredicate field="age" operator="isMissing"/></Attribute>
                </Characteristic>"#,
                ..PLAIN
            },
            false,
        ),
        (
            "a number with fractions, cut from below",
            Document {
                characteristics: r#"<Characteristic name="incomes">
                    <Attribute partialScore="-2"><SimplePredicate field="income" operator="lessThan" value="10"/></Attribute>
                    <Attribute partialScore="4"><SimplePredicate field="income" operator="lessThan" value="20"/></Attribute>
                    <Attribute partialScore="6"><True/></Attribute></Characteristic>"#,
                ..PLAIN
            },
            false,
        ),
        (
            "a number with fractions, cut from both sides",
            Document {
                characteristics: r#"<Characteristic name="incomes">
                    <Attribute partialScore="-2"><SimplePredicate field="income" operator="lessThan" value="10"/></Attribute>
                    <Attribute partialScore="4"><SimplePredicate field="income" operator="lessOrEqual" value="20"/></Attribute>
                    <Attribute partialScore="6"><True/></Attribute></Characteristic>"#,
                ..PLAIN
            },
            false,
        ),
        (
            "compound predicates and what is unknown",
            Document {
                characteristics: r#"<Characteristic name="mixed">
                    <Attribute partialScore="1"><CompoundPredicate booleanOperator="and">
                        <SimplePredicate field="age" operator="greaterThan" value="30"/>
                        <SimplePredicate field="kind" operator="equal" value="car"/></CompoundPredicate></Attribute>
                    <Attribute partialScore="2"><CompoundPredicate booleanOperator="or">
                        <SimplePredicate field="age" operator="lessThan" value="20"/>
                        <SimplePredicate field="owner" operator="equal" value="true"/></CompoundPredicate></Attribute>
                    <Attribute partialScore="4"><CompoundPredicate booleanOperator="xor">
                        <SimplePredicate field="age" operator="lessThan" value="25"/>
                        <SimplePredicate field="kind" operator="equal" value="house"/>
                        <SimplePredicate field="owner" operator="equal" value="false"/></CompoundPredicate></Attribute>
                    <Attribute partialScore="8"><CompoundPredicate booleanOperator="surrogate">
                        <SimplePredicate field="kind" operator="equal" value="house"/>
                        <SimplePredicate field="age" operator="lessThan" value="40"/>
                        <False/></CompoundPredicate></Attribute>
                    <Attribute partialScore="16"><True/></Attribute></Characteristic>"#,
                ..PLAIN
            },
            false,
        ),
        (
            "sets",
            Document {
                characteristics: r#"<Characteristic name="kinds">
                    <Attribute partialScore="3"><SimpleSetPredicate field="kind" booleanOperator="isIn">
                        <Array type="string" n="2">car "house"</Array></SimpleSetPredicate></Attribute>
                    <Attribute partialScore="5"><SimpleSetPredicate field="kind" booleanOperator="isNotIn">
                        <Array type="string">boat</Array></SimpleSetPredicate></Attribute>
                    <Attribute partialScore="9"><True/></Attribute></Characteristic>
                <Characteristic name="ages">
                    <Attribute partialScore="3"><SimpleSetPredicate field="age" booleanOperator="isIn">
                        <Array type="int" n="3">1 2 5</Array></SimpleSetPredicate></Attribute>
                    <Attribute partialScore="4"><True/></Attribute></Characteristic>"#,
                ..PLAIN
            },
            false,
        ),
        (
            "two characteristics on a field, one on none",
            Document {
                characteristics: r#"<Characteristic name="first">
                    <Attribute partialScore="3"><SimplePredicate field="age" operator="lessThan" value="30"/></Attribute>
                    <Attribute partialScore="5"><True/></Attribute></Characteristic>
                <Characteristic name="second">
                    <Attribute partialScore="30"><SimplePredicate field="age" operator="greaterThan" value="50"/></Attribute>
                    <Attribute partialScore="50"><True/></Attribute></Characteristic>
                <Characteristic><Attribute partialScore="1000"><True/></Attribute></Characteristic>"#,
                ..PLAIN
            },
            false,
        ),
        (
            "missing values replaced",
            Document {
                mining: &[("age", r#"missingValueReplacement="40""#)],
                characteristics: AGES,
                ..PLAIN
            },
            false,
        ),
        (
            "missing values are invalid",
            Document {
                mining: &[("kind", r#"missingValueTreatment="returnInvalid""#)],
                characteristics: KINDS,
                ..PLAIN
            },
            true,
        ),
        (
            "values that mean missing, and invalid ones",
            Document {
                dictionary: r#"<DataField name="age" optype="continuous" dataType="integer">
                        <Value value="-1" property="missing"/><Value value="99" property="invalid"/></DataField>
                    <DataField name="income" optype="continuous" dataType="double"/>
                    <DataField name="kind" optype="categorical" dataType="string">
                        <Value value="car"/><Value value="house"/><Value value="boat"/>
                        <Value value="none" property="missing"/></DataField>
                    <DataField name="owner" optype="categorical" dataType="boolean"/>"#,
                mining: &[("age", r#"invalidValueTreatment="asMissing" missingValueReplacement="10""#)],
                characteristics: concat!(
                    r#"<Characteristic name="kinds">
                    <Attribute partialScore="3"><SimplePredicate field="kind" operator="equal" value="car"/></Attribute>
                    <Attribute partialScore="7"><SimplePredicate field="kind" operator="isMissing"/></Attribute>
                    <Attribute partialScore="1"><True/></Attribute></Characteristic>"#,
                    r#"<Characteristic name="ages">
                    <Attribute partialScore="5"><SimplePredicate field="age" operator="lessThan" value="30"/></Attribute>
                    <Attribute partialScore="9"><True/></Attribute></Characteristic>"#
                ),
                ..PLAIN
            },
            true,
        ),
        (
            "intervals that are valid, others as they are, as another, as missing",
            Document {
                dictionary: r#"<DataField name="age" optype="continuous" dataType="integer">
                        <Interval closure="closedOpen" leftMargin="18" rightMargin="100"/></DataField>
                    <DataField name="income" optype="continuous" dataType="double">
                        <Interval closure="openClosed" leftMargin="0" rightMargin="1000"/></DataField>
                    <DataField name="kind" optype="categorical" dataType="string"><Value value="car"/></DataField>
                    <DataField name="owner" optype="categorical" dataType="boolean"/>"#,
                mining: &[
                    ("age", r#"invalidValueTreatment="asIs""#),
                    ("income", r#"invalidValueTreatment="asValue" invalidValueReplacement="500""#),
                    ("kind", r#"invalidValueTreatment="asMissing""#),
                ],
                characteristics: r#"<Characteristic name="ages">
                    <Attribute partialScore="5"><SimplePredicate field="age" operator="lessThan" value="30"/></Attribute>
                    <Attribute partialScore="9"><True/></Attribute></Characteristic>
                <Characteristic name="incomes">
                    <Attribute partialScore="5"><SimplePredicate field="income" operator="lessOrEqual" value="300"/></Attribute>
                    <Attribute partialScore="9"><SimplePredicate field="income" operator="isNotMissing"/></Attribute>
                    <Attribute partialScore="11"><True/></Attribute></Characteristic>
                <Characteristic name="kinds">
                    <Attribute partialScore="5"><SimplePredicate field="kind" operator="equal" value="car"/></Attribute>
                    <Attribute partialScore="9"><SimplePredicate field="kind" operator="isMissing"/></Attribute></Characteristic>"#,
                ..PLAIN
            },
            false,
        ),
        (
            "outliers",
            Document {
                mining: &[
                    ("age", r#"outliers="asExtremeValues" lowValue="20" highValue="60""#),
                    ("income", r#"outliers="asMissingValues" lowValue="0" highValue="100""#),
                ],
                characteristics: r#"<Characteristic name="ages">
                    <Attribute partialScore="5"><SimplePredicate field="age" operator="lessOrEqual" value="20"/></Attribute>
                    <Attribute partialScore="6"><SimplePredicate field="age" operator="greaterOrEqual" value="60"/></Attribute>
                    <Attribute partialScore="9"><True/></Attribute></Characteristic>
                <Characteristic name="incomes">
                    <Attribute partialScore="5"><SimplePredicate field="income" operator="isMissing"/></Attribute>
                    <Attribute partialScore="9"><True/></Attribute></Characteristic>"#,
                ..PLAIN
            },
            false,
        ),
        (
            "derived by intervals, by a table, by a choice",
            Document {
                derived: r#"<DerivedField name="class" optype="categorical" dataType="string">
                    <Discretize field="age" mapMissingTo="none" defaultValue="rest">
                        <DiscretizeBin binValue="young"><Interval closure="openOpen" rightMargin="30"/></DiscretizeBin>
                        <DiscretizeBin binValue="middle"><Interval closure="closedClosed" leftMargin="30" rightMargin="50"/></DiscretizeBin>
                    </Discretize></DerivedField>
                <DerivedField name="worth" optype="continuous" dataType="double">
                    <MapValues outputColumn="out" defaultValue="0">
                        <FieldColumnPair field="class" column="in"/><FieldColumnPair field="kind" column="kind"/>
                        <InlineTable><row><in>young</in><kind>car</kind><out>2.5</out></row>
                        <row><in>middle</in><kind>house</kind><out>-1</out></row></InlineTable></MapValues></DerivedField>
                <DerivedField name="late" optype="continuous" dataType="integer">
                    <Apply function="if"><Apply function="greaterThan"><FieldRef field="age"/><Constant>60</Constant></Apply>
                        <FieldRef field="age"/><Constant>0</Constant></Apply></DerivedField>
                <DerivedField name="has_car" optype="continuous" dataType="integer">
                    <NormDiscrete field="kind" value="car" mapMissingTo="0"/></DerivedField>"#,
                characteristics: r#"<Characteristic name="classes">
                    <Attribute partialScore="1"><SimplePredicate field="class" operator="equal" value="young"/></Attribute>
                    <Attribute partialScore="2"><SimplePredicate field="class" operator="equal" value="none"/></Attribute>
                    <Attribute partialScore="3"><True/></Attribute></Characteristic>
                <Characteristic name="worths">
                    <Attribute partialScore="10"><SimplePredicate field="worth" operator="greaterThan" value="2"/></Attribute>
                    <Attribute partialScore="20"><SimplePredicate field="worth" operator="lessThan" value="0"/></Attribute>
                    <Attribute partialScore="30"><SimplePredicate field="worth" operator="isMissing"/></Attribute>
                    <Attribute partialScore="40"><True/></Attribute></Characteristic>
                <Characteristic name="lates">
                    <Attribute partialScore="100"><SimplePredicate field="late" operator="greaterOrEqual" value="70"/></Attribute>
                    <Attribute partialScore="200"><SimplePredicate field="has_car" operator="equal" value="1"/></Attribute>
                    <Attribute partialScore="300"><True/></Attribute></Characteristic>"#,
                ..PLAIN
            },
            false,
        ),
        (
            "bounds of the score",
            Document {
                beside: r#"<Targets><Target field="score" min="104" max="108"/></Targets>"#,
                characteristics: AGES,
                ..PLAIN
            },
            true,
        ),
        (
            "reasons below a baseline, by attribute and by characteristic",
            Document {
                scorecard: r#"useReasonCodes="true" reasonCodeAlgorithm="pointsBelow" baselineScore="6""#,
                characteristics: r#"<Characteristic name="ages" reasonCode="A" baselineScore="12">
                    <Attribute partialScore="15"><SimplePredicate field="age" operator="lessThan" value="30"/></Attribute>
                    <Attribute partialScore="9" reasonCode="A2"><SimplePredicate field="age" operator="lessThan" value="40"/></Attribute>
                    <Attribute partialScore="2"><SimplePredicate field="age" operator="lessThan" value="50"/></Attribute>
                    <Attribute partialScore="-4" reasonCode="A3"><True/></Attribute></Characteristic>
                <Characteristic name="kinds" reasonCode="K">
                    <Attribute partialScore="1" reasonCode="KM"><SimplePredicate field="kind" operator="isMissing"/></Attribute>
                    <Attribute partialScore="8"><SimplePredicate field="kind" operator="equal" value="car"/></Attribute>
                    <Attribute partialScore="0"><True/></Attribute></Characteristic>
                <Characteristic name="owners" reasonCode="O">
                    <Attribute partialScore="4"><SimplePredicate field="owner" operator="equal" value="true"/></Attribute>
                    <Attribute partialScore="-1"><True/></Attribute></Characteristic>"#,
                ..PLAIN
            },
            false,
        ),
    ]
}

#[test]
fn every_row_scores_as_by_pmmls_rules() {
    for (name, document, has_invalid) in documents() {
        let text = document.text();
        let imported = import_text(&text, &[]).unwrap_or_else(|error| panic!("{name}: {error}"));
        let [_, invalid] = assert_same(name, &text, &imported);
        assert_eq!(invalid > 0, has_invalid, "{name}");
    }
}

#[test]
fn shipped_documents_score_as_by_pmmls_rules() {
    for (name, characteristics) in [("department.pmml", 3), ("attribute_reasons.pmml", 6)] {
        let path = shipped(name);
        let imported = import(&path, "pmml", &[]).unwrap();
        assert_eq!(imported.card.scorecard.characteristics.len(), characteristics);
        assert_same(name, &fs::read_to_string(&path).unwrap(), &imported);
    }
}

#[test]
fn fractions_need_their_units() {
    let document = Document {
        characteristics: r#"<Characteristic name="incomes">
            <Attribute partialScore="0.5"><SimplePredicate field="income" operator="lessThan" value="10.25"/></Attribute>
            <Attribute partialScore="-1.25"><True/></Attribute></Characteristic>"#,
        ..PLAIN
    };
    let text = document.text();
    let error = import_text(&text, &["--scale", "exact"]).unwrap_err();
    assert!(
        error.contains("`DataField` at line 5, column") && error.contains("--scale-feature income=100"),
        "{error}"
    );
    let error = import_text(&text, &["--scale-feature", "income=100"]).unwrap_err();
    assert!(
        error.contains("`partialScore` at line 14") && error.contains("with 100 times as many"),
        "{error}"
    );
    let imported = import_text(&text, &["--scale", "exact", "--scale-feature", "income=100"]).unwrap();
    assert_eq!(
        (&imported.outcome["scale"], &imported.outcome["largest_deviation"]),
        (&100.into(), &"0".into())
    );
    assert_same("hundredths", &text, &imported);
    let rounded = import_text(&text, &["--scale", "1", "--scale-feature", "income=1"]).unwrap();
    assert_eq!(rounded.outcome["largest_deviation"], "0.5");
    let bins = &rounded.card.scorecard.characteristics[0].bins;
    assert_eq!(
        bins.iter().map(|bin| (bin.below, bin.points)).collect::<Vec<_>>(),
        [(Some(11), 1), (None, -1)]
    );
}

#[test]
fn values_without_points_stop_a_run_unless_they_get_some() {
    let text = Document { characteristics: AGES, ..PLAIN }.text();
    for (args, missing, features) in
        [(&[][..], 5, 2), (&["--otherwise", "least"], 5, 1), (&["--otherwise", "-3"], -3, 1)]
    {
        let imported = import_text(&text, args).unwrap();
        assert_eq!(imported.card.scorecard.characteristics[0].missing, missing, "{args:?}");
        assert_eq!(imported.card.features.len(), features, "{args:?}");
        assert!(imported.outcome["notes"][0].as_str().unwrap().contains("no attribute where `age` is null"));
    }
}
