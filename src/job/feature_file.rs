//! Features as the scorecard file declares them: aggregates over rows, ratios, expressions.

use std::collections::HashSet;

use serde::Deserialize;
use toml::Spanned;

use super::columns::BILL_IS_DUE;
use super::diagnostics::Diagnostics;
use super::reader::Reader;
use super::row_value::{self, RowValue};
use super::scopes::Scopes;
use super::source::Source;
use super::statistic::{Statistic, ValueRange};
use super::window::Window;
use crate::expr::{Expr, Scope, Type};

/// A named Int64 of every account.
#[derive(Debug, Clone)]
pub struct Feature {
    /// Unique among features, dimensions and line columns.
    pub name: String,
    /// How it is computed.
    pub kind: FeatureKind,
}

/// How a feature is computed.
#[derive(Debug, Clone)]
pub enum FeatureKind {
    /// Over the rows of an input.
    Aggregate(Aggregate),
    /// scale × a ÷ b, truncated toward zero; null if b = 0 or either is null.
    Ratio {
        /// Position of the dividend among the features.
        a: usize,
        /// Position of the divisor.
        b: usize,
        /// 10000 for basis points.
        scale: i64,
    },
    /// An expression over the features before it.
    Expression(Expr),
}

/// What an aggregate runs over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum From {
    /// Accepted, visible transactions; windows on posted_on.
    Transactions,
    /// Bills that are due; windows on due_on.
    Bills,
    /// The account's lines; no windows.
    Lines,
}

/// An aggregate over the rows of one input.
#[derive(Debug, Clone)]
pub struct Aggregate {
    /// Which rows.
    pub from: From,
    /// What of them.
    pub statistic: Statistic,
    /// What it takes of each of them.
    pub of: Option<RowValue>,
    /// Which of the rows count.
    pub filter: Option<Expr>,
    /// Of which days; of lines, a state, all.
    pub window: Window,
}

impl Aggregate {
    /// Whether it is over bills, due or not: its condition says which of them count.
    pub fn sees_bills_ahead(&self) -> bool {
        let is_named = self.filter.as_ref().is_some_and(|filter| filter.columns.contains(&BILL_IS_DUE));
        self.from == From::Bills && is_named
    }

    /// What its values lie between, whatever the rows.
    pub fn range(&self) -> ValueRange {
        // What is not due yet is negative days ago.
        if self.sees_bills_ahead() && self.statistic.is_an_age() {
            return ValueRange::default();
        }
        self.statistic.range(self.window)
    }

    /// What it takes of each row, as written.
    pub fn of_text(&self) -> Option<&str> {
        self.of.as_ref().map(|of| of.text.as_str())
    }
}

/// The longest window a feature may have, and how long before D it may end at the most: three years and a leap day.
const LONGEST_WINDOW_DAYS: u32 = 1096;

/// How many aggregates of one source, windows aside, may keep values one by one.
pub const MOST_KEPT: usize = 512;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawFeature {
    pub name: Spanned<String>,
    from: Option<Spanned<String>>,
    agg: Option<Spanned<Statistic>>,
    of: Option<Spanned<String>>,
    #[serde(rename = "where")]
    filter: Option<Spanned<String>>,
    days: Option<Spanned<u32>>,
    skip_days: Option<Spanned<u32>>,
    ratio: Option<Spanned<Vec<Spanned<String>>>>,
    scale: Option<Spanned<i64>>,
    expr: Option<Spanned<String>>,
}

/// Resolves the features in file order. The Boolean is whether all of them could be.
pub(super) fn resolve(
    reader: &mut Reader,
    raws: Vec<Spanned<RawFeature>>,
    scopes: &Scopes,
    taken: &HashSet<String>,
) -> (Vec<Feature>, bool) {
    let mut features: Vec<Feature> = Vec::new();
    let mut above = Scope::default();
    let mut names = HashSet::new();
    let mut kept = HashSet::new();
    for raw in raws {
        let place = raw.span();
        let raw = raw.into_inner();
        let name = raw.name.get_ref().clone();
        if matches!(name.as_str(), "score" | "band")
            || taken.contains(&name)
            || scopes.facts.find(&name).is_some()
            || !names.insert(name.clone())
        {
            let help = "features differ from each other, from dimensions, from the lines' columns and from score and band";
            reader.error(raw.name.span(), format!("there are two things named `{name}`"), Some(help.into()));
        }
        match kind(reader, &raw, place.clone(), scopes, &features, &above) {
            Some(kind) => {
                above.push(&name, Type::Int);
                features.push(Feature { name, kind });
            }
            None => above.open = true,
        }
        if let Some(Feature { kind: FeatureKind::Aggregate(aggregate), .. }) = features.last() {
            check_kept(reader, place, aggregate, &mut kept);
        }
    }
    (features, !above.open)
}

/// The features of a text of the program's own making, over the inputs of a job. A mistake in it is one of the
/// program.
pub fn own_features(text: String, scopes: &Scopes) -> anyhow::Result<Vec<Feature>> {
    const MOST: usize = 10_000;
    let source = Source { path: "features".into(), text };
    let mut diagnostics = Diagnostics::default();
    let mut reader = Reader { source: &source, diagnostics: &mut diagnostics };
    let mut top = reader.top();
    let tables = reader.tables(&mut top, "feature", MOST);
    let raws = tables.into_iter().filter_map(|table| reader.take(table)).collect();
    // They are computed by themselves: nothing else has their names.
    let scopes = Scopes { facts: Scope::default(), ..scopes.clone() };
    let (features, _) = resolve(&mut reader, raws, &scopes, &HashSet::new());
    diagnostics.check()?;
    Ok(features)
}

/// What is kept so far: the source, the statistic, of what, of which rows, until how many days before D.
type Kept = HashSet<(From, Statistic, Option<String>, Option<String>, u32)>;

fn check_kept(reader: &mut Reader, place: std::ops::Range<usize>, aggregate: &Aggregate, kept: &mut Kept) {
    let Aggregate { from, statistic, of: _, filter, window } = aggregate;
    let of = aggregate.of_text().map(str::to_string);
    let filter = filter.as_ref().map(|filter| filter.text.clone());
    let own = (*from, *statistic, of, filter, window.skip_days);
    let is_new = statistic.keeps_values(*window) && kept.insert(own);
    if is_new && kept.iter().filter(|(source, ..)| source == from).count() > MOST_KEPT {
        let help = "those that differ in `days` alone count as one";
        let message = format!("at most {MOST_KEPT} features of one source are a min, max or distinct");
        reader.error(place, message, Some(help.into()));
    }
}

fn kind(
    reader: &mut Reader,
    raw: &RawFeature,
    place: std::ops::Range<usize>,
    scopes: &Scopes,
    features: &[Feature],
    above: &Scope,
) -> Option<FeatureKind> {
    let forms = [raw.from.is_some(), raw.ratio.is_some(), raw.expr.is_some()];
    if forms.into_iter().filter(|form| *form).count() != 1 {
        reader.error(place, "a feature has exactly one of `from`, `ratio`, `expr`", None);
        return None;
    }
    let aggregate_only = [
        ("agg", raw.agg.as_ref().map(Spanned::span)),
        ("of", raw.of.as_ref().map(Spanned::span)),
        ("where", raw.filter.as_ref().map(Spanned::span)),
        ("days", raw.days.as_ref().map(Spanned::span)),
        ("skip_days", raw.skip_days.as_ref().map(Spanned::span)),
    ];
    for (key, span) in aggregate_only {
        if let (None, Some(span)) = (&raw.from, span) {
            reader.error(span, format!("`{key}` goes with `from`"), None);
        }
    }
    if let (None, Some(scale)) = (&raw.ratio, &raw.scale) {
        reader.error(scale.span(), "`scale` goes with `ratio`", None);
    }
    if let Some(ratio) = &raw.ratio {
        return self::ratio(reader, ratio, raw.scale.as_ref(), features, !above.open);
    }
    if let Some(text) = &raw.expr {
        return reader.expression(text, Type::Int, above).map(FeatureKind::Expression);
    }
    aggregate(reader, raw, place, scopes).map(FeatureKind::Aggregate)
}

fn ratio(
    reader: &mut Reader,
    pair: &Spanned<Vec<Spanned<String>>>,
    scale: Option<&Spanned<i64>>,
    above: &[Feature],
    complete: bool,
) -> Option<FeatureKind> {
    let [a, b] = &pair.get_ref()[..] else {
        reader.error(pair.span(), "a ratio is of two features: ratio = [\"a\", \"b\"]", None);
        return None;
    };
    let Some(scale) = scale else {
        reader.error(pair.span(), "a ratio needs its scale: 10000 makes basis points", None);
        return None;
    };
    let (a, b) = (feature_above(reader, a, above, complete), feature_above(reader, b, above, complete));
    Some(FeatureKind::Ratio { a: a?, b: b?, scale: *scale.get_ref() })
}

/// The position of a feature that is declared above; `complete` says that all of those are known.
fn feature_above(
    reader: &mut Reader,
    name: &Spanned<String>,
    above: &[Feature],
    complete: bool,
) -> Option<usize> {
    let found = above.iter().position(|feature| feature.name == *name.get_ref());
    if found.is_none() && complete {
        reader.unknown_name("feature above this one called", name, above.iter().map(|f| f.name.as_str()));
    }
    found
}

fn aggregate(
    reader: &mut Reader,
    raw: &RawFeature,
    place: std::ops::Range<usize>,
    scopes: &Scopes,
) -> Option<Aggregate> {
    let name = raw.from.as_ref()?;
    let (from, scope) = match name.get_ref().as_str() {
        "transactions" => (From::Transactions, &scopes.transactions),
        "bills" if !scopes.has_repayments => {
            let help = "say in the job's [input] where repayments lie, or leave the feature out";
            let message = "a feature of bills, and the job says repayments = \"none\": there are no bills";
            reader.error(name.span(), message, Some(help.into()));
            return None;
        }
        "bills" => (From::Bills, &scopes.bills),
        "lines" => (From::Lines, &scopes.lines),
        _ => {
            reader.unknown_name("source", name, ["transactions", "bills", "lines"].into_iter());
            return None;
        }
    };
    let Some(statistic) = &raw.agg else {
        reader.error(place, "the feature does not say its `agg`", None);
        return None;
    };
    check_window(reader, from, raw, &place, statistic);
    let filter = match &raw.filter {
        Some(text) => Some(reader.expression(text, Type::Bool, scope)?),
        None => None,
    };
    let statistic = *statistic.get_ref();
    let of = row_value::resolve(reader, raw.of.as_ref(), statistic, place, scope)?;
    let window = Window {
        days: raw.days.as_ref().map(|days| *days.get_ref()),
        skip_days: raw.skip_days.as_ref().map_or(0, |days| *days.get_ref()),
    };
    let aggregate = Aggregate { from, statistic, of, filter, window };
    if aggregate.sees_bills_ahead() {
        refuse_window_of_bills_ahead(reader, raw);
    }
    Some(aggregate)
}

/// A window holds due bills alone.
fn refuse_window_of_bills_ahead(reader: &mut Reader, raw: &RawFeature) {
    for (key, days) in [("days", &raw.days), ("skip_days", &raw.skip_days)] {
        if let Some(days) = days {
            let message =
                format!("`{key}` does not go with `is_due` in `where`: a window holds due bills alone");
            let help =
                format!("leave out `{key}` for all bills, due or not, or `is_due` for those of the window");
            reader.error(days.span(), message, Some(help));
        }
    }
}

fn check_window(
    reader: &mut Reader,
    from: From,
    raw: &RawFeature,
    place: &std::ops::Range<usize>,
    statistic: &Spanned<Statistic>,
) {
    match (from, &raw.days) {
        (From::Transactions, None) => {
            reader.error(place.clone(), "a feature of transactions needs its window: days = 90", None);
        }
        (From::Lines, Some(days)) => {
            reader.error(days.span(), "lines are a state: they take no window", None);
        }
        (_, Some(days)) if !(1..=LONGEST_WINDOW_DAYS).contains(days.get_ref()) => {
            reader.error(days.span(), format!("a window is of 1 to {LONGEST_WINDOW_DAYS} days"), None);
        }
        _ => {}
    }
    match (from, &raw.skip_days) {
        (From::Lines, Some(days)) => {
            reader.error(
                days.span(),
                "lines are a state: they take no window, and none that ends earlier",
                None,
            );
        }
        (_, Some(days)) if *days.get_ref() > LONGEST_WINDOW_DAYS => {
            let message = format!("a window ends at most {LONGEST_WINDOW_DAYS} days before the as-of date");
            reader.error(days.span(), message, None);
        }
        _ => {}
    }
    if from == From::Lines && statistic.get_ref().needs_dates() {
        let help = "lines take count, sum, min, max, distinct";
        reader.error(statistic.span(), "lines are a state: they have no latest date", Some(help.into()));
    }
}
