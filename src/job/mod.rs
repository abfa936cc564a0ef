//! What the operator writes: the job, the scorecard (features and points) and the policy, as TOML.
//!
//! Files are first taken as written (serde types), then resolved against each other and against the
//! inputs' columns. All mistakes are reported together, before any row is read.

mod directories;
mod feature_file;
mod gate;
mod job_file;
mod kept_fact;
pub mod letter;
pub mod lint;
mod policy_file;
mod scorecard_file;
mod source;
mod terms;

use std::path::{Path, PathBuf};

use anyhow::Result;
use jiff::tz::TimeZone;

use crate::expr::{Scope, Type};
use crate::own::Access;

pub use feature_file::{Aggregate, Feature, From, Kind as FeatureKind, MOST_KEPT, Statistic};
pub use gate::{Bounds, Gate, Measure, Table};
pub use job_file::{Csv, InputSpec, Unique, before_wildcard, input_names};
pub use kept_fact::KeptFact;
pub use policy_file::{Action, Affordability, Amount, Budget, Cooldown, Policy, Product, Rule};
pub use scorecard_file::{Band, Bin, Characteristic, Dimension, Scorecard};
pub use source::{Remarks, Severity, Source};
pub use terms::{Basis, Terms};

/// The names under which a run keeps the files of its job.
pub const RUN_FILES: [&str; 3] = ["job.toml", "scorecard.toml", "policy.toml"];

/// The columns of a file by contract name; `Err` names the type of one that no expression can take.
pub type FileColumns = Vec<(String, Result<Type, String>)>;

/// The columns of each input, as far as a file could be opened.
#[derive(Debug, Default, Clone)]
pub struct InputColumns {
    /// Of transactions; `None` where no file could be looked at.
    pub transactions: Option<FileColumns>,
    /// Of repayments.
    pub repayments: Option<FileColumns>,
    /// Of lines.
    pub lines: Option<FileColumns>,
    /// Whether lines had columns besides those, which nothing tells of any more.
    pub lines_had_more: bool,
}

/// The three job files as written, before they are bound to the inputs' columns.
pub struct Draft {
    /// The job file.
    pub job: Source,
    /// The scorecard file; absent where it could not be read.
    scorecard: Option<Source>,
    policy: Option<Source>,
    file: Option<job_file::JobFile>,
    /// What is wrong so far.
    pub remarks: Remarks,
}

/// A job, ready to run.
#[derive(Debug, Clone)]
pub struct Job {
    /// The job's name.
    pub name: String,
    /// The job, scorecard and policy files as read.
    pub sources: [Source; 3],
    /// Decimal places of money: 2 makes 1.00 = 100.
    pub minor_units: u32,
    /// The zone in which an instant becomes a date.
    pub timezone: Option<TimeZone>,
    /// How old the lines snapshot may be.
    pub lines_max_age_days: u32,
    /// Whether a money column may be integer minor units in one file and Decimal in another.
    pub mixed_money: bool,
    /// Where the inputs are.
    pub inputs: Inputs,
    /// Where runs are published.
    pub output_dir: PathBuf,
    /// Whether to write adjustments.csv too, and for whom.
    pub csv: Option<Csv>,
    /// Whether to write report.html too.
    pub report: bool,
    /// Where the cache between nights may lie.
    pub state_dir: Option<PathBuf>,
    /// Who may read what is written.
    pub access: Access,
    /// What must hold for a run to be published.
    pub gates: Vec<Gate>,
    /// Features in file order.
    pub features: Vec<Feature>,
    /// Minor units short that still settle a bill.
    pub bill_tolerance: i64,
    /// Points, bands, dimensions.
    pub scorecard: Scorecard,
    /// Products, caps, rules.
    pub policy: Policy,
    /// The columns that line expressions see: input columns first, extra ones after the contract's.
    pub scopes: Scopes,
}

/// Where each input lies.
#[derive(Debug, Clone)]
pub struct Inputs {
    /// Transactions.
    pub transactions: InputSpec,
    /// Repayments.
    pub repayments: InputSpec,
    /// Lines.
    pub lines: InputSpec,
    /// Earlier adjustments, as this program wrote them.
    pub issued: Option<InputSpec>,
    /// The scores of earlier runs, as this program wrote them.
    pub previous: Option<InputSpec>,
}

/// The names each kind of expression may use.
#[derive(Debug, Clone)]
pub struct Scopes {
    /// Columns of a transaction.
    pub transactions: Scope,
    /// Columns of a bill.
    pub bills: Scope,
    /// Columns of a line, as `lines` features see them.
    pub lines: Scope,
    /// Columns of a repayment row; only `unique` names extra ones.
    pub repayments: Scope,
    /// What a rule's `when` sees.
    pub facts: Scope,
    /// What a gate on `scores` sees.
    pub scores: Scope,
    /// What a gate on `decisions` sees.
    pub decisions: Scope,
}

/// The columns of lines that the contract names, in the order every scope over lines starts with.
pub const LINE_COLUMNS: [(&str, Type); 10] = [
    ("account_id", Type::Any),
    ("product", Type::Text),
    ("credit_limit", Type::Int),
    ("balance", Type::Int),
    ("status", Type::Text),
    ("opened_on", Type::Date),
    ("increased_on", Type::Date),
    ("decreased_on", Type::Date),
    ("status_since", Type::Date),
    ("status_reason", Type::Text),
];

/// Where `status_since` and `status_reason` stand among them.
pub const STATUS_SINCE: usize = 8;
/// See [`STATUS_SINCE`].
pub const STATUS_REASON: usize = 9;

/// Those of them that a delivery may lack.
pub const OPTIONAL_LINE_COLUMNS: [&str; 4] =
    ["increased_on", "decreased_on", "status_since", "status_reason"];

/// The columns of transactions that the contract names.
pub const TRANSACTION_COLUMNS: [(&str, Type); 3] =
    [("account_id", Type::Any), ("posted_on", Type::Date), ("amount", Type::Int)];

/// The columns of repayments that the contract names.
pub const REPAYMENT_COLUMNS: [(&str, Type); 7] = [
    ("account_id", Type::Any),
    ("product", Type::Text),
    ("bill_id", Type::Any),
    ("due_on", Type::Date),
    ("due_amount", Type::Int),
    ("paid_on", Type::Date),
    ("paid_amount", Type::Int),
];

/// The columns of a bill, in the order of the bills scope.
pub const BILL_COLUMNS: [(&str, Type); 9] = [
    ("product", Type::Text),
    ("bill_id", Type::Any),
    ("due_on", Type::Date),
    ("due_amount", Type::Int),
    ("paid", Type::Int),
    ("settled_on", Type::Date),
    ("is_open", Type::Bool),
    ("days_late", Type::Int),
    ("outstanding", Type::Int),
];

/// What a line's own features see besides its columns.
pub const LINE_STATE: [(&str, Type); 3] =
    [("days_open", Type::Int), ("is_pending", Type::Bool), ("pending_limit", Type::Int)];

/// What a rule sees of a line besides that.
pub const LINE_HISTORY: [(&str, Type); 3] =
    [("days_since_increase", Type::Int), ("days_since_decrease", Type::Int), ("days_in_status", Type::Int)];

/// What is known of an account's score before its dimensions and features: the columns that the scores
/// scope begins with.
pub const SCORE_COLUMNS: [(&str, Type); 4] = [
    ("score", Type::Int),
    ("band", Type::Text),
    ("previous_score", Type::Int),
    ("previous_band", Type::Text),
];

/// The decision's columns that a gate sees, besides account and product; the score's come with it.
pub const DECISION_COLUMNS: [(&str, Type); 16] = [
    ("action", Type::Text),
    ("reason", Type::Text),
    ("rule", Type::Text),
    ("old_limit", Type::Int),
    ("new_limit", Type::Int),
    ("old_status", Type::Text),
    ("new_status", Type::Text),
    ("bound_by", Type::Text),
    ("effective_on", Type::Date),
    ("balance", Type::Int),
    ("days_open", Type::Int),
    ("days_since_increase", Type::Int),
    ("days_since_decrease", Type::Int),
    ("pending_limit", Type::Int),
    ("pending_status", Type::Text),
    ("pending_on", Type::Date),
];

impl Draft {
    /// Reads the job file and the two it names. Fails only where the job file cannot be read.
    pub fn read(path: &Path) -> Result<Draft> {
        let job = Source::read(path)?;
        let mut remarks = Remarks::default();
        let file = job_file::read(&job, &|name| std::env::var(name).ok(), &mut remarks);
        if let Some(file) = &file {
            file.check_directories(&job, &mut remarks);
        }
        let mut sibling = |name: &toml::Spanned<String>| {
            let path = path.parent().unwrap_or(Path::new("")).join(name.get_ref());
            match Source::read(&path) {
                Ok(source) => Some(source),
                Err(error) => {
                    remarks.error((&job, name.span()), error.to_string(), None);
                    None
                }
            }
        };
        let (scorecard, policy) = match &file {
            Some(file) => (sibling(&file.scorecard), sibling(&file.policy)),
            None => (None, None),
        };
        Ok(Draft { job, scorecard, policy, file, remarks })
    }

    /// The job files that a run keeps. What their paths stood for then is not asked: `${NAME}` is left as
    /// it is.
    pub fn of_run([job, scorecard, policy]: [Source; 3]) -> Draft {
        let mut remarks = Remarks::default();
        let file = job_file::read(&job, &|name| Some(format!("${{{name}}}")), &mut remarks);
        Draft { job, scorecard: Some(scorecard), policy: Some(policy), file, remarks }
    }

    /// Where the inputs are, if the job file says so.
    pub fn inputs(&self) -> Option<&Inputs> {
        self.file.as_ref().map(|file| &file.inputs)
    }

    /// The zone in which an instant becomes a date, if the job file names one.
    pub fn timezone(&self) -> Option<&TimeZone> {
        self.file.as_ref().and_then(|file| file.timezone.as_ref())
    }

    /// Checks that `--out`, which stands for the job's own output directory, may be one.
    pub fn check_out(&self, out: &Path) -> Result<()> {
        self.file.as_ref().map_or(Ok(()), |file| file.check_out(out))
    }

    /// Resolves everything against the inputs' columns. Mistakes are left in `remarks`; there is a
    /// job only if there are none.
    pub fn bind(&mut self, columns: &InputColumns) -> Option<Job> {
        let (Some(file), Some(scorecard_source), Some(policy_source)) =
            (&self.file, &self.scorecard, &self.policy)
        else {
            return None;
        };
        let remarks = &mut self.remarks;
        let mut scopes = input_scopes(columns);
        file.check_unique(&self.job, &scopes, remarks);
        let model = scorecard_file::read(scorecard_source, &scopes, remarks);
        add_model_names(&mut scopes, &model);
        let mut reader = source::Reader { source: policy_source, remarks };
        let policy = policy_file::read(&mut reader, &scopes, &model);
        scopes.decisions = decisions_scope(&scopes, &policy);
        let mut reader = source::Reader { source: &self.job, remarks };
        let gates = gate::resolve(&mut reader, &file.gates, &scopes);
        if self.remarks.count(Severity::Error) > 0 {
            return None;
        }
        Some(Job {
            name: file.name.clone(),
            sources: [self.job.clone(), scorecard_source.clone(), policy_source.clone()],
            minor_units: file.minor_units,
            timezone: file.timezone.clone(),
            lines_max_age_days: file.lines_max_age_days,
            mixed_money: file.mixed_money,
            inputs: file.inputs.clone(),
            output_dir: file.output_dir.clone(),
            csv: file.csv,
            report: file.report,
            state_dir: file.state_dir.clone(),
            access: file.access,
            gates,
            features: model.features,
            bill_tolerance: model.bill_tolerance,
            scorecard: model.scorecard,
            policy,
            scopes,
        })
    }
}

fn scope_of(contract: &[(&str, Type)], found: Option<&FileColumns>) -> Scope {
    let mut scope = Scope { open: found.is_none(), ..Scope::default() };
    for (name, kind) in contract {
        let seen = found.and_then(|found| found.iter().find(|(column, _)| column == name));
        let kind = match (kind, seen) {
            (Type::Any, Some((_, Ok(kind @ (Type::Int | Type::Text))))) => *kind,
            _ => *kind,
        };
        scope.push(*name, kind);
    }
    for (name, kind) in found.into_iter().flatten() {
        match kind {
            Ok(kind) if scope.find(name).is_none() => scope.push(name, *kind),
            Ok(_) => {}
            Err(found) => scope.unusable.push((name.clone(), found.clone())),
        }
    }
    scope
}

fn input_scopes(columns: &InputColumns) -> Scopes {
    let repayments = scope_of(&REPAYMENT_COLUMNS, columns.repayments.as_ref());
    let mut bills = scope_of(&BILL_COLUMNS, Some(&Vec::new()));
    bills.columns[1].1 = repayments.columns[2].1;
    let mut lines = scope_of(&LINE_COLUMNS, columns.lines.as_ref());
    lines.open |= columns.lines_had_more;
    // What the program makes of a line has its name to itself: an extra column of that name is not seen.
    let made = LINE_STATE.iter().chain(&LINE_HISTORY).chain(&SCORE_COLUMNS).map(|(name, _)| *name);
    let made: Vec<&str> = made.collect();
    lines.columns.retain(|(name, _)| !made.contains(&name.as_str()));
    let mut facts = lines.clone();
    LINE_STATE.iter().for_each(|(name, kind)| lines.push(*name, *kind));
    LINE_STATE.iter().chain(&LINE_HISTORY).for_each(|(name, kind)| facts.push(*name, *kind));
    Scopes {
        transactions: scope_of(&TRANSACTION_COLUMNS, columns.transactions.as_ref()),
        bills,
        lines,
        repayments,
        facts,
        scores: Scope::default(),
        decisions: Scope::default(),
    }
}

/// Adds what the model makes (score, band, dimensions, features) and made before to the scopes that see it.
fn add_model_names(scopes: &mut Scopes, model: &scorecard_file::Model) {
    let scores = &mut scopes.scores;
    SCORE_COLUMNS.iter().for_each(|(name, kind)| scores.push(*name, *kind));
    for dimension in &model.scorecard.dimensions {
        scores.push(&dimension.name, Type::Int);
    }
    for feature in &model.features {
        scores.push(&feature.name, Type::Int);
    }
    scores.open = model.incomplete;
    scopes.facts.columns.extend(scores.columns.iter().cloned());
    scopes.facts.open |= model.incomplete;
}

/// What a gate on `decisions` sees: the decision's columns, extra ones last, then the scores'.
fn decisions_scope(scopes: &Scopes, policy: &Policy) -> Scope {
    let mut decisions = Scope { open: scopes.scores.open, ..Scope::default() };
    decisions.push("account_id", scopes.lines.columns[0].1);
    decisions.push("product", Type::Text);
    DECISION_COLUMNS.iter().for_each(|(name, kind)| decisions.push(*name, *kind));
    let of_line = |slot: usize| scopes.lines.columns[slot].clone();
    decisions.columns.extend(policy.kept_of_lines().chain(policy.extra_columns.iter().copied()).map(of_line));
    decisions.columns.extend(scopes.scores.columns.iter().cloned());
    decisions
}
