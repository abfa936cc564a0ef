//! Several scorecards of one job made one model: the same bands and dimensions, the features of all of them.

use std::collections::HashSet;
use std::ops::Range;

use super::declared::declarations;
use super::diagnostics::Diagnostics;
use super::feature_file::{Feature, FeatureKind, From, MOST_KEPT};
use super::policy_file::Policy;
use super::reader::Reader;
use super::scopes::Scopes;
use super::scorecard_file::{self, MOST_FEATURES, Model, Scorecard};
use super::source::{JobSources, Source};
use super::variants::{
    CHALLENGER_SCORECARD, Challenger, RawChallenger, RawVariants, Segment, Variants, place_of, segment_file,
};
use crate::expr::{Scope, Type};

/// The job's own model, to which other scorecards add their features.
pub(super) struct Union<'a> {
    pub model: Model,
    /// Of the job's own scorecard.
    own: &'a Source,
    /// By feature: how it is declared, and where.
    declared: Vec<(toml::Value, &'a Source)>,
}

/// Something that two scorecards say, and where the one does that is added.
struct Clash<'a> {
    source: &'a Source,
    range: Range<usize>,
    other: &'a Source,
    other_range: Range<usize>,
}

impl Clash<'_> {
    /// Notes it with both places.
    fn note(self, diagnostics: &mut Diagnostics, what: &str) {
        let line = self.other.text[..self.other_range.start].matches('\n').count() + 1;
        let message = format!("{what} in {}, line {line}", self.other.path.display());
        let help = "the scorecards of one job are read by the same policies and gates: make them alike";
        diagnostics.error((self.source, self.range), message, Some(help.into()));
    }
}

impl<'a> Union<'a> {
    /// The job's own scorecard alone.
    pub(super) fn new(model: Model, own: &'a Source) -> Union<'a> {
        let declared = declared(own, &model);
        Union { model, own, declared }
    }

    /// Takes in the features of another scorecard, which is given the positions that they have here.
    pub(super) fn add(
        &mut self,
        other: Model,
        source: &'a Source,
        diagnostics: &mut Diagnostics,
    ) -> Scorecard {
        let tables = declared(source, &other);
        let is_whole = !self.model.incomplete && !other.incomplete;
        if is_whole {
            self.check_alike(&other, source, diagnostics);
        }
        self.model.incomplete |= other.incomplete;
        let mut positions: Vec<usize> = Vec::new();
        for (number, Feature { name, kind }) in other.features.into_iter().enumerate() {
            let known = self.model.features.iter().position(|feature| feature.name == name);
            if let Some(known) = known.filter(|_| is_whole) {
                let (declared, first) = &self.declared[known];
                if *declared != tables[number].0 {
                    let clash = Clash {
                        source,
                        range: place_of(&source.text, "feature", &name),
                        other: first,
                        other_range: place_of(&first.text, "feature", &name),
                    };
                    clash.note(diagnostics, &format!("the feature `{name}` is declared otherwise"));
                }
            }
            positions.push(known.unwrap_or(self.model.features.len()));
            if known.is_none() {
                let kind = moved(kind, &positions);
                self.model.features.push(Feature { name, kind });
                self.declared.extend(tables.get(number).cloned());
            }
        }
        check_counts(&self.model.features, source, diagnostics);
        let mut scorecard = other.scorecard;
        for characteristic in &mut scorecard.characteristics {
            characteristic.feature = positions[characteristic.feature];
        }
        scorecard
    }

    fn check_alike(&self, other: &Model, source: &'a Source, diagnostics: &mut Diagnostics) {
        let own = &self.model.scorecard;
        let bands = |card: &Scorecard| card.bands.iter().map(|band| band.name.clone()).collect::<Vec<_>>();
        let dimensions =
            |card: &Scorecard| card.dimensions.iter().map(|one| one.name.clone()).collect::<Vec<_>>();
        let lists = [
            ("band", bands(own), bands(&other.scorecard)),
            ("dimension", dimensions(own), dimensions(&other.scorecard)),
        ];
        for (table, known, names) in lists {
            if known == names {
                continue;
            }
            let first = (0..).find(|number| known.get(*number) != names.get(*number)).unwrap_or(0);
            let place = |source: &Source, name: Option<&String>| {
                name.map_or(0..0, |name| place_of(&source.text, table, name))
            };
            let clash = Clash {
                source,
                range: place(source, names.get(first)),
                other: self.own,
                other_range: place(self.own, known.get(first)),
            };
            let called = |name: Option<&String>| name.map_or("none".to_string(), |name| format!("`{name}`"));
            let (here, there) = (called(names.get(first)), called(known.get(first)));
            let number = first + 1;
            clash.note(diagnostics, &format!("{table} {number} is {here} here, and {there}"));
        }
        let whole = || Clash { source, range: 0..0, other: self.own, other_range: 0..0 };
        if own.reasons != other.scorecard.reasons {
            let (here, there) = (other.scorecard.reasons, own.reasons);
            whole().note(diagnostics, &format!("[score] reasons is {here} here, and {there}"));
        }
        let is_of_bills = |feature: &Feature| matches!(&feature.kind, FeatureKind::Aggregate(one) if one.from == From::Bills);
        if self.model.bill_tolerance != other.bill_tolerance && other.features.iter().any(is_of_bills) {
            let (here, there) = (other.bill_tolerance, self.model.bill_tolerance);
            whole().note(diagnostics, &format!("[bills] tolerance is {here} here, and {there}"));
        }
    }
}

/// How the features of a model are declared; nothing where some could not be made out.
fn declared<'a>(source: &'a Source, model: &Model) -> Vec<(toml::Value, &'a Source)> {
    if model.incomplete {
        return Vec::new();
    }
    declarations(&[source], &model.features).into_iter().map(|table| (table, source)).collect()
}

/// A feature whose parts stand at other positions.
fn moved(kind: FeatureKind, positions: &[usize]) -> FeatureKind {
    match kind {
        FeatureKind::Aggregate(aggregate) => FeatureKind::Aggregate(aggregate),
        FeatureKind::Ratio { a, b, scale } => FeatureKind::Ratio { a: positions[a], b: positions[b], scale },
        FeatureKind::Expression(expr) => FeatureKind::Expression(expr.moved(&|part| positions[part])),
    }
}

/// What one scorecard may not have, several may not have together.
fn check_counts(features: &[Feature], source: &Source, diagnostics: &mut Diagnostics) {
    if features.len() > MOST_FEATURES {
        let message = format!(
            "the scorecards of the job have {} features; at most {MOST_FEATURES} are taken",
            features.len()
        );
        diagnostics.error((source, 0..0), message, None);
    }
    for from in [From::Transactions, From::Bills, From::Lines] {
        let aggregates = features.iter().filter_map(|feature| match &feature.kind {
            FeatureKind::Aggregate(one) if one.from == from => Some(one),
            _ => None,
        });
        let kept: HashSet<_> = aggregates
            .filter(|one| one.statistic.keeps_values(one.window))
            .map(|one| {
                let filter = one.filter.as_ref().map(|filter| &filter.text);
                (one.statistic, one.of_text(), filter, one.window.skip_days)
            })
            .collect();
        if kept.len() > MOST_KEPT {
            let message = format!(
                "the scorecards of the job have {} features of one source that are a min, max or distinct; at most {MOST_KEPT} are taken",
                kept.len()
            );
            diagnostics.error((source, 0..0), message, None);
        }
    }
}

/// Reads the scorecards of segments and challenger; the challenger's policy is read when all features are known. `None`
/// where one of the files could not be read.
pub(super) fn bind_variants<'a>(
    union: &mut Union<'a>,
    raw: &RawVariants,
    sources: &'a JobSources,
    scopes: &Scopes,
    diagnostics: &mut Diagnostics,
) -> Option<Variants> {
    let mut of_own = Scope { open: union.model.incomplete, ..Scope::default() };
    union.model.features.iter().for_each(|feature| of_own.push(&feature.name, Type::Int));
    let mut variants = Variants::default();
    for segment in &raw.segments {
        let name = segment.name.get_ref();
        let source = sources.other(&segment_file(name))?;
        let model = scorecard_file::read(source, scopes, diagnostics);
        let scorecard = union.add(model, source, diagnostics);
        let mut reader = Reader { source: &sources.job, diagnostics };
        let when = reader.expression(&segment.when, Type::Bool, &of_own);
        variants.segments.extend(when.map(|when| Segment { name: name.clone(), when, scorecard }));
    }
    if let Some(challenger) = &raw.challenger {
        let RawChallenger { scorecard, policy, share_bp, salt } = challenger.get_ref();
        if policy.is_some() && sources.other(super::variants::CHALLENGER_POLICY).is_none() {
            return None;
        }
        let scorecard = match scorecard {
            None => None,
            Some(_) => {
                let source = sources.other(CHALLENGER_SCORECARD)?;
                let model = scorecard_file::read(source, scopes, diagnostics);
                Some(union.add(model, source, diagnostics))
            }
        };
        let (share_bp, salt) = (*share_bp.get_ref(), salt.get_ref().clone());
        variants.challenger = Some(Challenger { scorecard, policy: None, share_bp, salt });
    }
    Some(variants)
}

/// Lets decisions keep the columns that either of two policies reads.
pub(super) fn keep_same_columns(one: &mut Policy, other: &mut Policy) {
    one.kept_columns.extend(&other.kept_columns);
    one.kept_columns.sort_by_key(|column| *column as usize);
    one.kept_columns.dedup();
    one.extra_columns.extend(&other.extra_columns);
    one.extra_columns.sort_unstable();
    one.extra_columns.dedup();
    other.kept_columns.clone_from(&one.kept_columns);
    other.extra_columns.clone_from(&one.extra_columns);
}
