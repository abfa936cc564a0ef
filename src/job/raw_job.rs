//! The job files as written, and how they become a job once the inputs' columns are known.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;
use jiff::tz::TimeZone;
use toml::Spanned;

use super::diagnostics::{Diagnostics, Severity};
use super::inputs::Inputs;
use super::job_file::{self, ResolvedJobFile};
use super::reader::Reader;
use super::resolved_job::Job;
use super::scopes::{InputColumns, input_scopes};
use super::source::{JobSources, OtherSource, Source};
use super::union::{Union, bind_variants, keep_same_columns};
use super::variants::{CHALLENGER_POLICY, RawVariants};
use super::{gate, policy_file, scorecard_file};
use crate::places;

/// The job files as written, before they are bound to the inputs' columns.
pub struct RawJob {
    /// The job file.
    pub job: Source,
    /// The scorecard file; absent where it could not be read.
    scorecard: Option<Source>,
    policy: Option<Source>,
    /// Those that could be read.
    others: Vec<OtherSource>,
    file: Option<ResolvedJobFile>,
    /// What is wrong so far.
    pub diagnostics: Diagnostics,
}

impl RawJob {
    /// Reads the job file and those it names. Fails only where the job file cannot be read.
    pub fn read(path: &Path) -> Result<RawJob> {
        let job = Source::read(path)?;
        let mut diagnostics = Diagnostics::default();
        let file = job_file::read(&job, &|name| std::env::var(name).ok(), &mut diagnostics);
        if let Some(file) = &file {
            file.check_directories(&job, &mut diagnostics);
        }
        let (mut scorecard, mut policy) = (None, None);
        if let Some(file) = &file {
            scorecard = read_beside(&job, &file.scorecard, &mut diagnostics);
            policy = read_beside(&job, &file.policy, &mut diagnostics);
        }
        let named = file.iter().flat_map(|file| file.variants.files());
        let others = named.filter_map(|(name, path)| {
            Some(OtherSource { name, source: read_beside(&job, path, &mut diagnostics)? })
        });
        let others = others.collect();
        Ok(RawJob { job, scorecard, policy, others, file, diagnostics })
    }

    /// A job's inputs under another scorecard, for features and scores alone: without policy and gates, which may speak
    /// of features that it has not, and without segments and a challenger.
    pub fn with_scorecard(path: &Path, scorecard: &Path) -> Result<RawJob> {
        let mut draft = RawJob::read(path)?;
        draft.scorecard = Some(Source::read(scorecard)?);
        draft.policy = draft.policy.map(|policy| Source { text: String::new(), ..policy });
        draft.others.clear();
        if let Some(file) = &mut draft.file {
            file.gates.clear();
            file.variants = RawVariants::default();
        }
        Ok(draft)
    }

    /// The job files that a run keeps. What their paths stood for then is not asked: `${NAME}` is left as
    /// it is.
    pub fn of_run(sources: JobSources) -> RawJob {
        RawJob::of_sources(sources, &|name| Some(format!("${{{name}}}")))
    }

    /// The job files as they were read, and the variables that they name as they were then.
    pub fn frozen(sources: JobSources, variables: &BTreeMap<String, String>) -> RawJob {
        RawJob::of_sources(sources, &|name| variables.get(name).cloned())
    }

    fn of_sources(sources: JobSources, variable: &dyn Fn(&str) -> Option<String>) -> RawJob {
        let JobSources { job, scorecard, policy, others } = sources;
        let mut diagnostics = Diagnostics::default();
        let file = job_file::read(&job, variable, &mut diagnostics);
        for (name, path) in file.iter().flat_map(|file| file.variants.files()) {
            if !others.iter().any(|other| other.name == name) {
                diagnostics.error((&job, path.span()), format!("{name} is not among its files"), None);
            }
        }
        RawJob { job, scorecard: Some(scorecard), policy: Some(policy), others, file, diagnostics }
    }

    /// The scorecard file, if it could be read.
    pub fn scorecard(&self) -> Option<&Source> {
        self.scorecard.as_ref()
    }

    /// Every file as it was read, as far as they could be.
    pub fn sources(&self) -> impl Iterator<Item = &Source> {
        let own = [Some(&self.job), self.scorecard.as_ref(), self.policy.as_ref()];
        own.into_iter().flatten().chain(self.others.iter().map(|other| &other.source))
    }

    /// Where the inputs are, if the job file says so.
    pub fn inputs(&self) -> Option<&Inputs> {
        self.file.as_ref().map(|file| &file.inputs)
    }

    /// Where runs are published, if the job file says so.
    pub fn output_dir(&self) -> Option<&Path> {
        self.file.as_ref().map(|file| file.output_dir.as_path())
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
        let diagnostics = &mut self.diagnostics;
        let mut scopes = input_scopes(columns);
        scopes.has_repayments = !file.inputs.repayments.is_none();
        file.check_unique(&self.job, &scopes, diagnostics);
        let sources = JobSources {
            job: self.job.clone(),
            scorecard: scorecard_source.clone(),
            policy: policy_source.clone(),
            others: self.others.clone(),
        };
        let model = scorecard_file::read(scorecard_source, &scopes, diagnostics);
        let mut union = Union::new(model, scorecard_source);
        let mut variants = bind_variants(&mut union, &file.variants, &sources, &scopes, diagnostics)?;
        let model = union.model;
        model.add_names_to(&mut scopes);
        let mut reader = Reader { source: policy_source, diagnostics };
        let mut policy = policy_file::read(&mut reader, &scopes, &model);
        if let Some((challenger, source)) = variants.challenger.as_mut().zip(sources.other(CHALLENGER_POLICY))
        {
            let mut reader = Reader { source, diagnostics };
            let own = challenger.policy.insert(policy_file::read(&mut reader, &scopes, &model));
            keep_same_columns(&mut policy, own);
        }
        let mut reader = Reader { source: &self.job, diagnostics };
        file.variants.add_names_to(&mut reader, &mut scopes, &mut policy);
        scopes.decisions = gate::decisions_scope(&scopes, &policy);
        let mut reader = Reader { source: &self.job, diagnostics };
        let gates = gate::resolve(&mut reader, &file.gates, &scopes);
        if self.diagnostics.count(Severity::Error) > 0 {
            return None;
        }
        Some(Job {
            name: file.name.clone(),
            sources,
            minor_units: file.minor_units,
            timezone: file.timezone.clone(),
            lines_max_age_days: file.lines_max_age_days,
            mixed_money: file.mixed_money,
            inputs: file.inputs.clone(),
            output_dir: file.output_dir.clone(),
            csv: file.csv,
            report: file.report,
            currency: file.currency.clone(),
            state_dir: file.state_dir.clone(),
            access: file.access,
            gates,
            features: model.features,
            bill_tolerance: model.bill_tolerance,
            scorecard: model.scorecard,
            policy,
            variants,
            scopes,
        })
    }
}

/// The variables of the environment that a job file names, as they are now.
pub fn variables(job: &Source) -> BTreeMap<String, String> {
    let named = RefCell::new(BTreeMap::new());
    let variable = |name: &str| {
        let value = std::env::var(name).ok()?;
        named.borrow_mut().insert(name.to_string(), value.clone());
        Some(value)
    };
    job_file::read(job, &variable, &mut Diagnostics::default());
    named.into_inner()
}

/// Reads a file that the job file names.
fn read_beside(job: &Source, name: &Spanned<String>, diagnostics: &mut Diagnostics) -> Option<Source> {
    let path = places::resolve(job.path.parent().unwrap_or(Path::new("")), Path::new(name.get_ref()));
    let read = Source::read(&path);
    read.map_err(|error| diagnostics.error((job, name.span()), error.to_string(), None)).ok()
}
