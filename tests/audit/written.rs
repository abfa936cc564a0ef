//! The job files of a case, as TOML.

use std::fmt::{Display, Write};
use std::fs;
use std::path::Path;

use super::case::{Amount, Budget, Case, Characteristic, Feature, FeatureKind, Gate, Measure, Product, Rule};
use super::expression::Node;

/// Writes job.toml, scorecard.toml and policy.toml.
pub fn write_job_files(case: &Case, directory: &Path) {
    let files = [("job", job_file(case)), ("scorecard", scorecard_file(case)), ("policy", policy_file(case))];
    for (name, text) in files {
        fs::write(directory.join(format!("{name}.toml")), text).unwrap();
    }
}

/// A TOML file in the making.
#[derive(Default)]
struct Toml {
    text: String,
}

impl Toml {
    fn heading(&mut self, heading: &str) {
        writeln!(self.text, "{heading}").unwrap();
    }

    fn bare(&mut self, key: &str, value: impl Display) {
        writeln!(self.text, "{key} = {value}").unwrap();
    }

    fn text(&mut self, key: &str, value: &str) {
        self.bare(key, quoted(value));
    }

    fn bare_if(&mut self, key: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            self.bare(key, value);
        }
    }

    fn node_if(&mut self, key: &str, node: &Option<Node>) {
        if let Some(node) = node {
            self.text(key, &node.sql());
        }
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn quoted_list<'a>(texts: impl IntoIterator<Item = &'a String>) -> String {
    let texts: Vec<String> = texts.into_iter().map(|text| quoted(text)).collect();
    format!("[{}]", texts.join(", "))
}

pub fn job_file(case: &Case) -> String {
    let mut toml = Toml::default();
    let job = &case.job;
    toml.text("name", "audit");
    toml.text("scorecard", "scorecard.toml");
    toml.text("policy", "policy.toml");
    toml.bare("minor_units", job.minor_units);
    toml.text("timezone", job.timezone);
    toml.bare("lines_max_age_days", job.lines_max_age_days);
    // Each file is written in a format of its own.
    toml.bare("mixed_money", true);
    if !job.without.is_empty() {
        let without: Vec<String> = job.without.iter().map(|column| format!("lines.{column}")).collect();
        toml.bare("without", quoted_list(&without));
    }
    toml.heading("[input]");
    for (name, input) in case.inputs() {
        toml.text(name, &format!("data/{name}/{}", input.pattern()));
    }
    if case.issued.is_some() {
        toml.text("issued", "data/issued/date={date}/adjustments.parquet");
    }
    if case.earlier_nights.is_some() {
        toml.text("previous", "out/date={date}/scores.parquet");
    }
    for (name, input) in case.inputs() {
        if !input.rename.is_empty() {
            toml.heading(&format!("[rename.{name}]"));
            input.rename.iter().for_each(|(column, found)| toml.text(column, found));
        }
        if let Some((column, within_days)) = &input.unique {
            toml.heading(&format!("[unique.{name}]"));
            toml.text("column", column);
            toml.bare("within_days", within_days);
        }
    }
    toml.heading("[output]");
    toml.text("dir", "out");
    toml.bare("csv", true);
    if job.keeps_state {
        toml.heading("[state]");
        toml.text("dir", "states");
    }
    job.gates.iter().for_each(|gate| write_gate(&mut toml, gate));
    toml.text
}

fn write_gate(toml: &mut Toml, gate: &Gate) {
    toml.heading("[[gate]]");
    toml.text("name", &gate.name);
    let mut bounds = ("min", "max");
    match &gate.measure {
        Measure::Share { table, of, among } => {
            toml.text("table", table);
            toml.text("share_of", &of.sql());
            toml.node_if("among", among);
            bounds = ("min_bp", "max_bp");
        }
        Measure::Sum { table, of, among } => {
            toml.text("table", table);
            toml.text("sum_of", &of.sql());
            toml.node_if("among", among);
        }
        Measure::Rejected(input) => {
            toml.text("rejected", input);
            bounds = ("min_bp", "max_bp");
        }
        Measure::Rows(input) => toml.text("rows", input),
        Measure::MissingDays(input) => toml.text("missing_days", input),
    }
    toml.bare_if(bounds.0, gate.min);
    toml.bare_if(bounds.1, gate.max);
    toml.bare_if("max_change_bp", gate.max_change_bp);
}

pub fn scorecard_file(case: &Case) -> String {
    let mut toml = Toml::default();
    let job = &case.job;
    toml.heading("[score]");
    toml.bare("base", job.score.base);
    toml.bare("min", job.score.min);
    toml.bare("max", job.score.max);
    toml.bare("reasons", job.score.reasons);
    if let Some(tolerance) = job.tolerance {
        toml.heading("[bills]");
        toml.bare("tolerance", tolerance);
    }
    for (name, from) in &job.bands {
        toml.heading("[[band]]");
        toml.text("name", name);
        toml.bare("from", from);
    }
    for name in &job.dimensions {
        toml.heading("[[dimension]]");
        toml.text("name", name);
        toml.text("title", name);
    }
    job.features.iter().for_each(|feature| write_feature(&mut toml, feature));
    job.characteristics.iter().for_each(|characteristic| write_characteristic(&mut toml, characteristic));
    toml.text
}

fn write_feature(toml: &mut Toml, feature: &Feature) {
    toml.heading("[[feature]]");
    toml.text("name", &feature.name);
    match &feature.kind {
        FeatureKind::Aggregate { from, statistic, of, filter, days, skip_days } => {
            toml.text("from", from);
            toml.text("agg", statistic);
            toml.node_if("of", of);
            toml.node_if("where", filter);
            toml.bare_if("days", *days);
            toml.bare_if("skip_days", *skip_days);
        }
        FeatureKind::Ratio { a, b, scale } => {
            toml.bare("ratio", quoted_list([a, b]));
            toml.bare("scale", scale);
        }
        FeatureKind::Expression(node) => toml.text("expr", &node.sql()),
    }
}

fn write_characteristic(toml: &mut Toml, characteristic: &Characteristic) {
    toml.heading("[[characteristic]]");
    toml.text("feature", &characteristic.feature);
    toml.text("dimension", &characteristic.dimension);
    toml.text("reason", &characteristic.reason);
    toml.text("text", "what it means");
    toml.bare("missing", characteristic.missing);
    if let Some(baseline) = characteristic.baseline {
        toml.bare("baseline", baseline);
    }
    if let Some(reason) = &characteristic.missing_reason {
        toml.text("missing_reason", reason);
        toml.text("missing_text", "nothing is known");
    }
    let bins = characteristic.bins.iter().map(|(below, points)| match below {
        Some(below) => format!("{{ below = {below}, points = {points} }}"),
        None => format!("{{ points = {points} }}"),
    });
    toml.bare("bins", format!("[{}]", bins.collect::<Vec<_>>().join(", ")));
}

pub fn policy_file(case: &Case) -> String {
    let mut toml = Toml::default();
    let policy = &case.job.policy;
    policy.products.iter().for_each(|product| write_product(&mut toml, product));
    toml.heading("[account]");
    toml.bare_if("max_total_limit", policy.max_total_limit);
    if let Some((feature, bp)) = &policy.affordability {
        toml.bare("affordability", format!("{{ feature = {}, bp = {bp} }}", quoted(feature)));
    }
    toml.heading("[cooldown]");
    toml.bare_if("raise_after_raise_days", policy.raise_after_raise_days);
    toml.bare_if("raise_after_lower_days", policy.raise_after_lower_days);
    toml.bare_if("lower_after_lower_days", policy.lower_after_lower_days);
    policy.rules.iter().for_each(|rule| write_rule(&mut toml, rule));
    toml.text
}

fn write_product(toml: &mut Toml, product: &Product) {
    toml.heading("[[product]]");
    toml.text("name", &product.name);
    toml.bare("min_limit", product.min_limit);
    toml.bare("max_limit", product.max_limit);
    toml.bare("step", product.step);
    toml.bare_if("min_raise", product.min_raise);
    if !product.band_max.is_empty() {
        let most = product.band_max.iter().map(|(band, most)| format!("{} = {most}", quoted(band)));
        toml.bare("band_max", format!("{{ {} }}", most.collect::<Vec<_>>().join(", ")));
    }
    write_budget(toml, "raise_budget", product.raise_budget);
}

fn write_rule(toml: &mut Toml, rule: &Rule) {
    toml.heading("[[rule]]");
    toml.text("name", &rule.name);
    if let Some(products) = &rule.products {
        toml.bare("products", quoted_list(products));
    }
    toml.text("when", &rule.when.sql());
    toml.text("action", rule.action);
    toml.text("reason", &rule.reason);
    toml.bare_if("notice_days", rule.notice_days);
    match rule.amount {
        Some(Amount::Percent(percent)) => toml.bare("percent", percent),
        Some(Amount::By(by)) => toml.bare("by", by),
        Some(Amount::To(to)) => toml.bare("to", to),
        None => {}
    }
    toml.bare_if("never_below_balance", rule.never_below_balance);
    write_budget(toml, "budget", rule.budget);
}

fn write_budget(toml: &mut Toml, key: &str, budget: Option<Budget>) {
    match budget {
        Some(Budget::Amount(amount)) => toml.bare(key, amount),
        Some(Budget::Share(bp)) => toml.bare(&format!("{key}_bp"), bp),
        None => {}
    }
}
