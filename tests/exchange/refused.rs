//! What of PMML is refused: each by its element's name, with line and column, and with what can be done.

use super::card::import_text;
use super::documents::{Document, PLAIN};

/// A characteristic of one attribute with a predicate, and one that takes the rest.
fn with(predicate: &str) -> String {
    format!(
        r#"<Characteristic name="one"><Attribute partialScore="1">{predicate}</Attribute>
<Attribute partialScore="2"><True/></Attribute></Characteristic>"#
    )
}

fn refusal(document: &Document, characteristics: &str) -> String {
    let text = document.text().replace(
        "<Characteristics></Characteristics>",
        &format!("<Characteristics>{characteristics}</Characteristics>"),
    );
    import_text(&text, &[]).err().unwrap_or_else(|| panic!("{text} is imported"))
}

#[test]
fn predicates_that_are_not_known() {
    let cases = [
        ("<Weird/>", "`Weird` at line", "not known"),
        (
            r#"<SimplePredicate field="agee" operator="equal" value="1"/>"#,
            "`SimplePredicate` at line",
            "did you mean `age`?",
        ),
        (
            r#"<SimplePredicate field="age" operator="near" value="1"/>"#,
            "`SimplePredicate` at line",
            "operator=\"near\"",
        ),
        (
            r#"<SimplePredicate field="age" operator="equal" value="x"/>"#,
            "`SimplePredicate` at line",
            "is not an integer",
        ),
        (r#"<SimplePredicate field="age" operator="equal"/>"#, "`SimplePredicate` at line", "no value"),
        (
            r#"<SimplePredicate field="kind" operator="lessThan" value="b"/>"#,
            "`SimplePredicate` at line",
            "by order",
        ),
        (
            r#"<SimplePredicate field="owner" operator="equal" value="maybe"/>"#,
            "`SimplePredicate`",
            "true or false",
        ),
        (
            r#"<CompoundPredicate booleanOperator="nand"><True/></CompoundPredicate>"#,
            "`CompoundPredicate`",
            "nand",
        ),
        (r#"<CompoundPredicate booleanOperator="and"/>"#, "`CompoundPredicate` at line", "no predicates"),
        (
            r#"<SimpleSetPredicate field="age" booleanOperator="isIn"/>"#,
            "`SimpleSetPredicate` at line",
            "no Array",
        ),
        (
            r#"<SimpleSetPredicate field="age" booleanOperator="isIn"><Array n="3">1 2</Array></SimpleSetPredicate>"#,
            "`Array` at line",
            "has 2 values",
        ),
        (
            r#"<SimplePredicate field="age" operator="equal" value="99999999999999999999"/>"#,
            "`DataField`",
            "out of a feature's range",
        ),
    ];
    for (predicate, name, why) in cases {
        let error = refusal(&PLAIN, &with(predicate));
        assert!(
            error.contains(name) && error.contains("column") && error.contains(why),
            "{predicate}\n{error}"
        );
        assert!(error.contains("card.pmml:"), "{error}");
    }
}

#[test]
fn points_that_are_no_constants() {
    let complex = r#"<Characteristic name="one"><Attribute><True/><ComplexPartialScore><Apply function="*">
        <Constant>2</Constant><FieldRef field="age"/></Apply></ComplexPartialScore></Attribute></Characteristic>"#;
    let error = refusal(&PLAIN, complex);
    assert!(error.contains("`ComplexPartialScore` at line 12, column"), "{error}");
    let constant =
        complex.replace("<Apply function=\"*\">", "").replace("<FieldRef field=\"age\"/></Apply>", "");
    let text = Document { characteristics: "", ..PLAIN }.text();
    let text = text.replace(
        "<Characteristics></Characteristics>",
        &format!("<Characteristics>{constant}</Characteristics>"),
    );
    assert!(import_text(&text, &[]).is_ok());
    for (characteristics, why) in [
        (r#"<Characteristic><Attribute><True/></Attribute></Characteristic>"#, "no partialScore"),
        (
            r#"<Characteristic><Attribute partialScore="ten"><True/></Attribute></Characteristic>"#,
            "no number",
        ),
        (r#"<Characteristic><Attribute partialScore="1"/></Characteristic>"#, "not exactly one predicate"),
        (r#"<Characteristic/>"#, "no attributes"),
        ("", "no characteristics"),
        (
            r#"<Characteristic><Attribute partialScore="3000000000"><True/></Attribute></Characteristic>"#,
            "more than points can be",
        ),
    ] {
        let error = refusal(&PLAIN, characteristics);
        assert!(error.contains(why), "{characteristics}\n{error}");
    }
}

#[test]
fn derivations_that_do_not_step() {
    let cases = [
        (r#"<NormContinuous field="age"/>"#, "`NormContinuous` at line"),
        (
            r#"<Apply function="*"><FieldRef field="age"/><Constant>2</Constant></Apply>"#,
            "the function `*` of these arguments",
        ),
        (r#"<TextIndex textField="kind"/>"#, "`TextIndex` at line"),
        (r#"<FieldRef field="made"/>"#, "without end"),
        (
            r#"<MapValues outputColumn="o"><FieldColumnPair field="kind" column="k"/><TableLocator/></MapValues>"#,
            "not in the file",
        ),
    ];
    for (expression, why) in cases {
        let derived = format!(r#"<DerivedField name="made" dataType="double">{expression}</DerivedField>"#);
        let text = Document { characteristics: "", ..PLAIN }.text();
        let used = with(r#"<SimplePredicate field="made" operator="equal" value="1"/>"#);
        let text = text
            .replace("<TransformationDictionary>", &format!("<TransformationDictionary>{derived}"))
            .replace(
                "<Characteristics></Characteristics>",
                &format!("<Characteristics>{used}</Characteristics>"),
            );
        let error = import_text(&text, &[]).err().unwrap_or_else(|| panic!("{text}"));
        assert!(error.contains(why), "{expression}\n{error}");
        // Nobody is bothered with what is not used.
        let unused = text.replace("field=\"made\" operator", "field=\"age\" operator");
        assert!(import_text(&unused, &[]).is_ok(), "{expression}");
    }
}

#[test]
fn reasons_that_ours_cannot_be() {
    let two = |codes: [&str; 2]| {
        codes
            .map(|code| {
                format!(
                    r#"<Characteristic name="of {code}" {code}><Attribute partialScore="1">
                <SimplePredicate field="age" operator="lessThan" value="5"/></Attribute>
                <Attribute partialScore="3"><True/></Attribute></Characteristic>"#
                )
                .replace(&format!("\"of {code}\""), "\"one\"")
            })
            .join("")
    };
    let cases = [
        (
            r#"reasonCodeAlgorithm="pointsAbove" baselineScore="0""#,
            [r#"reasonCode="A""#, r#"reasonCode="B""#],
            "pointsAbove",
        ),
        ("", [r#"reasonCode="A""#, r#"reasonCode="B""#], "no baselineScore"),
        (r#"baselineScore="3""#, [r#"reasonCode="A""#, ""], "without a reasonCode"),
        (r#"baselineScore="3""#, [r#"reasonCode="A""#, r#"reasonCode="A""#], "adds up what both cost"),
    ];
    for (scorecard, codes, why) in cases {
        let document = Document { scorecard, ..PLAIN };
        let characteristics = two(codes);
        let error = refusal(&document, &characteristics);
        assert!(error.contains(why) && error.contains("--reasons ours"), "{error}");
        let text = document.text().replace(
            "<Characteristics></Characteristics>",
            &format!("<Characteristics>{characteristics}</Characteristics>"),
        );
        for (args, reasons) in [(["--reasons", "ours"], 1), (["--reasons", "none"], 0)] {
            let imported = import_text(&text, &args).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(imported.card.scorecard.reasons.min(1), reasons, "{scorecard} {args:?}");
        }
    }
}

#[test]
fn models_and_targets_that_are_something_else() {
    let text = Document { characteristics: "", ..PLAIN }.text();
    let one = with(r#"<SimplePredicate field="age" operator="lessThan" value="5"/>"#);
    let text = text
        .replace("<Characteristics></Characteristics>", &format!("<Characteristics>{one}</Characteristics>"));
    assert!(import_text(&text, &[]).is_ok());
    let cases = [
        (text.replace("<Scorecard", "<Scorecard isScorable=\"false\""), "not to be used"),
        (
            text.replace("functionName=\"regression\"", "functionName=\"classification\""),
            "a score is a regression",
        ),
        (text.replace("</PMML>", "<TreeModel/></PMML>"), "`TreeModel` at line"),
        (text.replace("Scorecard", "TreeModel"), "this model is no Scorecard"),
        (text.replace("<MiningField name=\"age\" />", ""), "there is no field `age`"),
        (text.replace("name=\"age\" optype", "name=\"ages\" optype"), "did you mean `ages`?"),
        (
            text.replace(
                "</MiningSchema>",
                "</MiningSchema><Targets><Target rescaleFactor=\"2\"/></Targets>",
            ),
            "rescaleFactor",
        ),
        (
            text.replace("</MiningSchema>", "</MiningSchema><Targets><Target min=\"x\"/></Targets>"),
            "no number",
        ),
        (
            text.replace("<MiningField name=\"age\"", "<MiningField name=\"age\" outliers=\"cut\""),
            "outliers=\"cut\"",
        ),
        (
            text.replace("dataType=\"integer\"", "dataType=\"date\""),
            "there is no field `age` that can be taken over",
        ),
        ("<html/>".to_string(), "no PMML document"),
        ("Variable,Bin,Points".to_string(), "no well-formed XML"),
    ];
    for (text, why) in cases {
        let error = import_text(&text, &[]).err().unwrap_or_else(|| panic!("{text}"));
        assert!(error.contains(why), "{why}\n{error}");
    }
}

#[test]
fn all_is_refused_at_once() {
    let error = refusal(&PLAIN, &format!("{}{}", with("<Weird/>"), with("<Strange/>")));
    assert!(error.contains("`Weird` at line") && error.contains("`Strange` at line"), "{error}");
}
