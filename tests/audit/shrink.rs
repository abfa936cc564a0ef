//! Makes a case that disagrees smaller, and tells it: job files, rows, dates.

use std::fmt::Write;

use super::case::{Case, FeatureKind, Measure};
use super::compare::{Coverage, dates, disagreement, is_usage_failure};
use super::expression::Node;
use super::value::{Value, date_text};
use super::written::{job_file, policy_file, scorecard_file};

/// Takes away whatever the disagreement does not need.
pub fn shrink(case: &Case, first: &str) -> (Case, String) {
    let (mut case, mut what) = (case.clone(), first.to_string());
    loop {
        let smaller = cuts(&case).into_iter().find_map(|smaller| {
            let what = disagreement(&smaller, &mut Coverage::default())?;
            is_alike(&what, first).then_some((smaller, what))
        });
        match smaller {
            Some(smaller) => (case, what) = smaller,
            None => return (case, what),
        }
    }
}

/// Whether two disagreements are of one kind; job files that shrinking has broken are another.
pub fn is_alike(one: &str, other: &str) -> bool {
    fn kind(what: &str) -> Vec<&str> {
        what.split([' ', ':']).take(2).collect()
    }
    kind(one) == kind(other) && is_usage_failure(one) == is_usage_failure(other)
}

/// Takes a change that leaves one thing out.
type Cut<'a> = dyn FnMut(&dyn Fn(&mut Case)) + 'a;

/// Cases with one thing less.
fn cuts(case: &Case) -> Vec<Case> {
    let mut cuts: Vec<Case> = Vec::new();
    let mut cut = |change: &dyn Fn(&mut Case)| {
        let mut smaller = case.clone();
        change(&mut smaller);
        cuts.push(smaller);
    };
    let job = &case.job;
    (0..job.gates.len()).for_each(|at| cut(&|case| drop(case.job.gates.remove(at))));
    (0..job.policy.rules.len()).for_each(|at| cut(&|case| drop(case.job.policy.rules.remove(at))));
    (0..job.characteristics.len()).for_each(|at| cut(&|case| drop(case.job.characteristics.remove(at))));
    (0..job.policy.products.len()).for_each(|at| cut(&|case| drop(case.job.policy.products.remove(at))));
    (0..job.features.len()).rev().for_each(|at| {
        let name = job.features[at].name.as_str();
        if !is_named(case, name) {
            cut(&|case| drop(case.job.features.remove(at)));
        }
    });
    cut_rows(case, &mut cut);
    cut_settings(case, &mut cut);
    cut_expressions(case, &mut cut);
    cuts
}

fn is_named(case: &Case, feature: &str) -> bool {
    let job = &case.job;
    let by_feature = |kind: &FeatureKind| match kind {
        FeatureKind::Ratio { a, b, .. } => a == feature || b == feature,
        FeatureKind::Expression(node) => node.names(feature),
        FeatureKind::Aggregate { .. } => false,
    };
    let by_gate = |measure: &Measure| match measure {
        Measure::Share { of, among, .. } | Measure::Sum { of, among, .. } => {
            of.names(feature) || among.as_ref().is_some_and(|among| among.names(feature))
        }
        _ => false,
    };
    job.characteristics.iter().any(|one| one.feature == feature)
        || job.policy.affordability.as_ref().is_some_and(|(name, _)| name == feature)
        || job.policy.rules.iter().any(|rule| rule.when.names(feature))
        || job.features.iter().any(|one| by_feature(&one.kind))
        || job.gates.iter().any(|gate| by_gate(&gate.measure))
}

fn cut_rows(case: &Case, cut: &mut Cut) {
    for (number, (_, input)) in case.inputs().into_iter().enumerate() {
        for (at, file) in input.files.iter().enumerate() {
            cut(&|case| drop(case.inputs_mut()[number].files.remove(at)));
            for half in [0..file.rows.len() / 2, file.rows.len() / 2..file.rows.len()] {
                if half.len() > 1 {
                    cut(&|case| drop(case.inputs_mut()[number].files[at].rows.drain(half.clone())));
                }
            }
            for row in 0..file.rows.len() {
                cut(&|case| drop(case.inputs_mut()[number].files[at].rows.remove(row)));
            }
        }
    }
    let issued = case.issued.as_ref().map_or(0, Vec::len);
    for at in 0..issued {
        cut(&|case| drop(case.issued.as_mut().unwrap().remove(at)));
    }
}

fn cut_settings(case: &Case, cut: &mut Cut) {
    for number in 0..3 {
        let input = case.inputs()[number].1;
        if input.unique.is_some() {
            cut(&|case| case.inputs_mut()[number].unique = None);
        }
        if !input.rename.is_empty() {
            cut(&|case| case.inputs_mut()[number].rename.clear());
        }
    }
    if case.issued.is_some() {
        cut(&|case| case.issued = None);
    }
    if case.earlier_nights.is_some() {
        cut(&|case| case.earlier_nights = None);
    }
    if !case.lines.lacking.is_empty() {
        cut(&|case| case.lines.lacking.clear());
    }
    if case.job.tolerance.is_some() {
        cut(&|case| case.job.tolerance = None);
    }
    let policy = &case.job.policy;
    if policy.affordability.is_some() {
        cut(&|case| case.job.policy.affordability = None);
    }
    if policy.max_total_limit.is_some() {
        cut(&|case| case.job.policy.max_total_limit = None);
    }
    if case.known_on > case.as_of {
        cut(&|case| case.known_on = case.as_of);
    }
}

fn cut_expressions(case: &Case, cut: &mut Cut) {
    for (at, feature) in case.job.features.iter().enumerate() {
        if let FeatureKind::Aggregate { of: Some(of), .. } = &feature.kind {
            for smaller in of.children() {
                cut(&|case| match &mut case.job.features[at].kind {
                    FeatureKind::Aggregate { of, .. } => *of = Some(smaller.clone()),
                    _ => unreachable!("the same feature"),
                });
            }
        }
        if let FeatureKind::Aggregate { skip_days: Some(_), .. } = feature.kind {
            cut(&|case| match &mut case.job.features[at].kind {
                FeatureKind::Aggregate { skip_days, .. } => *skip_days = None,
                _ => unreachable!("the same feature"),
            });
        }
        match &feature.kind {
            FeatureKind::Aggregate { filter: Some(filter), .. } => {
                for smaller in filter.children().into_iter().cloned().map(Some).chain([None]) {
                    cut(&|case| match &mut case.job.features[at].kind {
                        FeatureKind::Aggregate { filter, .. } => *filter = smaller.clone(),
                        _ => unreachable!("the same feature"),
                    });
                }
            }
            FeatureKind::Expression(node) => {
                for smaller in node.children() {
                    cut(&|case| case.job.features[at].kind = FeatureKind::Expression(smaller.clone()));
                }
            }
            _ => {}
        }
    }
    for (at, rule) in case.job.policy.rules.iter().enumerate() {
        let truth = Node::Literal(Value::Bool(true));
        let is_cut = rule.when == truth;
        for smaller in rule.when.children().into_iter().chain((!is_cut).then_some(&truth)) {
            cut(&|case| case.job.policy.rules[at].when = smaller.clone());
        }
    }
}

/// A case, to be read by people.
pub fn told(case: &Case) -> String {
    let mut text = format!("{}\n", dates(case));
    for (name, file) in
        [("job", job_file(case)), ("scorecard", scorecard_file(case)), ("policy", policy_file(case))]
    {
        writeln!(text, "--- {name}.toml\n{file}").unwrap();
    }
    for (name, input) in case.inputs() {
        for file in &input.files {
            writeln!(text, "--- {name} {} {:?}", input.file_name(file), file.format).unwrap();
            for row in &file.rows {
                let cells = input
                    .columns
                    .iter()
                    .zip(row)
                    .map(|((column, _), value)| format!("{column}={}", short(value)));
                writeln!(text, "{}", cells.collect::<Vec<_>>().join(" ")).unwrap();
            }
        }
    }
    if let Some(nights) = &case.earlier_nights {
        let nights: Vec<String> = nights.iter().map(|day| date_text(*day)).collect();
        writeln!(text, "--- nights before: {}; lacking: {:?}", nights.join(", "), case.lines.lacking)
            .unwrap();
    }
    for issued in case.issued.iter().flatten() {
        writeln!(text, "--- {issued:?}").unwrap();
    }
    text
}

fn short(value: &Value) -> String {
    Node::Literal(value.clone()).sql()
}
