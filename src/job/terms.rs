//! A scorecard and a policy without their job and its inputs: the terms to score and decide on.

use std::borrow::Cow;

use super::declared::{declarations, tables, text_of};
use super::diagnostics::Diagnostics;
use super::feature_file::{Aggregate, Feature, FeatureKind, From};
use super::policy_file::{self, Policy};
use super::reader::Reader;
use super::resolved_job::Job;
use super::row_value::is_a_name;
use super::scopes::{FileColumns, InputColumns, Scopes, input_scopes};
use super::scorecard_file::{self, Scorecard};
use super::source::Source;
use super::union::Union;
use crate::expr::{Expr, Scope, Type};

/// A scorecard and a policy bound to each other and to the columns that decisions.parquet keeps of lines.
#[derive(Debug, Clone)]
pub struct Terms {
    /// Features in file order.
    pub features: Vec<Feature>,
    /// Points, bands, dimensions.
    pub scorecard: Scorecard,
    /// Products, caps, rules.
    pub policy: Policy,
    /// What expressions see.
    pub scopes: Scopes,
    /// Minor units short that still settle a bill.
    pub bill_tolerance: i64,
    /// By feature: how it is declared.
    declarations: Vec<toml::Value>,
}

impl Terms {
    /// Binds a scorecard and a policy, which may be of two runs. `others` are the other scorecards of the scorecard's run,
    /// whose features the policy sees, too; `lines` are the columns that are known of a line. `Err` is every mistake
    /// there is, shown.
    pub fn bind(
        scorecard: &Source,
        policy: &Source,
        others: &[&Source],
        lines: &FileColumns,
    ) -> Result<Terms, String> {
        let mut diagnostics = Diagnostics::default();
        let columns = InputColumns { lines: Some(lines.clone()), ..InputColumns::default() };
        let mut scopes = input_scopes(&columns);
        let cards: Vec<&Source> = [scorecard].into_iter().chain(others.iter().copied()).collect();
        let of_features = of_features(&scopes, &cards);
        let mut union =
            Union::new(scorecard_file::read(scorecard, &of_features, &mut diagnostics), scorecard);
        for other in others {
            let model = scorecard_file::read(other, &of_features, &mut diagnostics);
            union.add(model, other, &mut diagnostics);
        }
        let model = union.model;
        model.add_names_to(&mut scopes);
        let mut reader = Reader { source: policy, diagnostics: &mut diagnostics };
        let policy = policy_file::read(&mut reader, &scopes, &model);
        diagnostics.check().map_err(|error| error.to_string())?;
        assert!(!model.incomplete, "a scorecard without mistakes is whole");
        let declarations = declarations(&cards, &model.features);
        Ok(Terms {
            features: model.features,
            scorecard: model.scorecard,
            policy,
            scopes,
            bill_tolerance: model.bill_tolerance,
            declarations,
        })
    }

    /// The position of a feature.
    pub fn feature(&self, name: &str) -> Option<usize> {
        self.features.iter().position(|feature| feature.name == name)
    }

    /// Whether a feature is declared alike in both, and all it is made of, too.
    pub fn declares_alike(&self, feature: usize, other: &Terms) -> bool {
        self.bill_tolerance == other.bill_tolerance
            && self.declarations().are_alike(feature, &other.declarations())
    }

    fn declarations(&self) -> Declarations<'_> {
        Declarations::new(&self.features, &self.declarations, self.bill_tolerance)
    }

    /// The features that scores and decisions are made from, ascending.
    pub fn features_used(&self) -> Vec<usize> {
        let own = self.scopes.facts.columns.len() - self.features.len();
        let of_rules = self.policy.rules.iter().flat_map(|rule| &rule.when.columns);
        let mut used: Vec<usize> = of_rules.filter_map(|slot| slot.checked_sub(own)).collect();
        used.extend(self.scorecard.characteristics.iter().map(|characteristic| characteristic.feature));
        used.extend(self.policy.affordability.map(|affordability| affordability.feature));
        used.sort_unstable();
        used.dedup();
        used
    }
}

/// How features are declared, to be held against those of another scorecard.
pub struct Declarations<'a> {
    features: &'a [Feature],
    tables: Cow<'a, [toml::Value]>,
    bill_tolerance: i64,
}

impl<'a> Declarations<'a> {
    /// Of features, declared by these tables.
    pub(super) fn new(
        features: &'a [Feature],
        tables: &'a [toml::Value],
        bill_tolerance: i64,
    ) -> Declarations<'a> {
        Declarations { features, tables: Cow::Borrowed(tables), bill_tolerance }
    }
}

impl Declarations<'_> {
    /// Of a job's features.
    pub fn of(job: &Job) -> Declarations<'_> {
        // Among the files of a job, only scorecards declare features.
        let sources: Vec<&Source> = job.sources.named().map(|(_, source)| source).collect();
        let tables = Cow::Owned(declarations(&sources, &job.features));
        Declarations { features: &job.features, tables, bill_tolerance: job.bill_tolerance }
    }

    /// Whether both declare a feature alike, and all it is made of, too.
    pub fn are_alike(&self, feature: usize, other: &Declarations) -> bool {
        let Feature { name, kind } = &self.features[feature];
        let Some(same) = other.features.iter().position(|feature| feature.name == *name) else {
            return false;
        };
        let is_of_bills = matches!(kind, FeatureKind::Aggregate(Aggregate { from: From::Bills, .. }));
        self.tables[feature] == other.tables[same]
            && (!is_of_bills || self.bill_tolerance == other.bill_tolerance)
            && parts(kind).iter().all(|part| self.are_alike(*part, other))
    }
}

/// The features a feature is made of.
fn parts(kind: &FeatureKind) -> Vec<usize> {
    match kind {
        FeatureKind::Aggregate(_) => Vec::new(),
        FeatureKind::Ratio { a, b, .. } => vec![*a, *b],
        FeatureKind::Expression(expr) => expr.columns.clone(),
    }
}

/// The scopes in which features are read: they are not computed again, so whatever they name is there.
pub(super) fn of_features(scopes: &Scopes, scorecards: &[&Source]) -> Scopes {
    let mut scopes = scopes.clone();
    for table in scorecards.iter().flat_map(|scorecard| tables(scorecard)) {
        let scope = match text_of(&table, "from") {
            Some("transactions") => &mut scopes.transactions,
            Some("lines") => &mut scopes.lines,
            _ => continue,
        };
        scope.open = true;
        if let Some(of) = text_of(&table, "of").filter(|of| is_unknown_column(of, scope)) {
            scope.push(of, Type::Any);
        }
    }
    scopes
}

/// Whether `of` names a column that is not known, rather than say how a value is computed.
fn is_unknown_column(of: &str, scope: &Scope) -> bool {
    scope.find(of).is_none() && (is_a_name(of) || Expr::parse(of, Type::Int, scope).is_err())
}

impl Job {
    /// What a run of this job scores and decides on.
    pub fn decision_terms(&self) -> DecisionTerms<'_> {
        DecisionTerms {
            scorecard: &self.scorecard,
            policy: &self.policy,
            facts: self.scopes.facts.columns.len(),
        }
    }
}

impl Terms {
    /// What deciding takes of them.
    pub fn decision_terms(&self) -> DecisionTerms<'_> {
        DecisionTerms {
            scorecard: &self.scorecard,
            policy: &self.policy,
            facts: self.scopes.facts.columns.len(),
        }
    }
}

/// What lines are decided on besides their own facts.
#[derive(Debug, Clone, Copy)]
pub struct DecisionTerms<'a> {
    /// Bands and dimensions.
    pub scorecard: &'a Scorecard,
    /// Products, caps, rules.
    pub policy: &'a Policy,
    /// How many columns rules may see.
    pub facts: usize,
}
