//! What was added to the grammar, drawn over a case whose job files do without it: windows that end before D, `of` as an
//! expression, the first day, bills that are not due, arithmetic of dates. From a generator of its own: what else a seed
//! draws stays as it was.

use super::case::{Case, FeatureKind};
use super::draw_expression::{Columns, Drawer};
use super::draw_job::{line_columns, source_columns};
use super::expression::Node;
use super::random::Random;
use super::value::Kind;

/// Sets the generator apart from that of the case.
const APART: u64 = 0x6772_616d_6d61_7200;

/// Has some features and rules of a case use what was added.
pub fn add_grammar(case: &mut Case, seed: u64, bill_kind: Kind, is_extreme: bool) {
    let mut random = Random::new(seed ^ APART);
    let drawer = &mut Drawer { random: &mut random, as_of: case.as_of, is_extreme, has_dates: true };
    let columns =
        ["transactions", "bills", "lines"].map(|from| (from, source_columns(case, from, bill_kind)));
    for feature in &mut case.job.features {
        if let FeatureKind::Aggregate { from, .. } = &feature.kind {
            let (_, columns) = columns.iter().find(|(source, _)| source == from).expect("a source");
            add_to_aggregate(drawer, &mut feature.kind, columns);
        }
    }
    let columns = line_columns(case);
    for rule in &mut case.job.policy.rules {
        if drawer.random.chance(8) {
            let more = drawer.node(Kind::Bool, 2, &columns);
            rule.when = Node::And(Box::new(rule.when.clone()), Box::new(more));
        }
    }
}

fn add_to_aggregate(drawer: &mut Drawer, kind: &mut FeatureKind, columns: &Columns) {
    let FeatureKind::Aggregate { from, statistic, of, filter, days, skip_days } = kind else { return };
    if *from != "lines" {
        *skip_days = drawer.random.maybe(30, &[0, 1, 1, 2, 3, 5, 9, 30, 1096]);
    }
    if *statistic == "days_since" && drawer.random.chance(40) {
        *statistic = "days_since_first";
    }
    if of.is_some() && drawer.random.chance(30) {
        let [a, b] = [0, 1].map(|depth| Box::new(drawer.node(Kind::Int, depth, columns)));
        *of = Some(Node::Arithmetic(drawer.random.pick(&['+', '-', '-', '*']), a, b));
    }
    if drawer.random.chance(15) {
        *filter = Some(drawer.node(Kind::Bool, 2, columns));
    }
    if *from == "bills" && drawer.random.chance(25) {
        (*days, *skip_days) = (None, None);
        let own = filter.take().unwrap_or(Node::Literal(true.into()));
        *filter = Some(of_bills_ahead(drawer, own));
    }
}

/// A condition that says which of due bills and others count.
fn of_bills_ahead(drawer: &mut Drawer, own: Node) -> Node {
    let is_due = Box::new(Node::Column("is_due".into()));
    let own = Box::new(own);
    match drawer.random.below(5) {
        0 => *is_due,
        1 => Node::Not(is_due),
        2 => Node::And(Box::new(Node::Not(is_due)), own),
        3 => Node::And(Box::new(Node::IsNull(is_due, true)), own),
        _ => Node::Or(own, is_due),
    }
}
