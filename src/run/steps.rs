//! What a night in steps needs of a run: planned like any other, and published from what its parts come to.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::answers::{FeatureRows, Intake, Sorting};
use super::compute::NightInputs;
use super::existing::{SeenRuns, left_alone};
use super::figures::BookFigures;
use super::inputs::{Deliveries, Files};
use super::opened::OpenedNight;
use super::outcome::{Ending, NightOutcome};
use super::request::RunRequest;
use super::session::Session;
use crate::failure::input;
use crate::features::AskedDay;
use crate::features::plan::Plans;
use crate::input::reject_log::RejectLog;
use crate::input::wanted::Units;
use crate::job::Job;
use crate::publish::commit::Lock;
use crate::publish::identity::Identity;
use crate::publish::{Publication, written_file::PartOfTable};
use crate::run_dir::layout::run_directory;
use crate::run_dir::manifest::{Counts, Timing};
use crate::sorted::{Shelf, SortedDeliveries};

/// A night that is planned, and not there yet.
pub struct PlannedSteps {
    /// The job.
    pub job: Job,
    /// Everything delivered.
    pub deliveries: Deliveries,
    /// The files that bear on the run, hashed.
    pub files: Files,
    /// What identifies the run.
    pub identity: Identity,
    /// What is sorted already, and what is not.
    pub sorting: Sorting,
    /// Where the run is published.
    pub out: PathBuf,
}

/// Plans a night, up to the point at which a run of one process begins to read rows. Where sorted deliveries are not
/// kept for other runs, they lie in `shelf`.
pub fn plan_steps(request: &RunRequest, shelf: &Path) -> Result<Result<PlannedSteps, NightOutcome>> {
    let (mut session, prepared) = Session::open(request)?;
    let OpenedNight { dates, job, deliveries, files, identity } = OpenedNight::open(&mut session, prepared)?;
    if let Some(existing) = left_alone(&session.out, &identity, request.replace, &job)? {
        return Ok(Err(existing));
    }
    files.check_schemas(&job, &deliveries, &mut session.footers)?;
    let shelf = Shelf::of(&job).unwrap_or_else(|| Shelf::at(shelf, job.access));
    // Nothing is sorted while planning, so that nothing is put into a directory.
    let copies = SortedDeliveries::new(Some(shelf), Path::new(""), None);
    let (units, plans) = (Units::of(&job), Plans::of(&job.features));
    let account_kind = job.scopes.account_kind();
    let rows = FeatureRows {
        job: &job,
        files: &files,
        units: &units,
        plans: &plans,
        account_kind,
        first: dates.as_of,
    };
    let day = AskedDay { as_of: dates.as_of, known_on: dates.known_on };
    let (sorting, _) = rows.outlook(&copies, &[day], &Default::default())?;
    let out = session.out.clone();
    Ok(Ok(PlannedSteps { job, deliveries, files, identity, sorting, out }))
}

/// What the parts of a night come to.
pub struct StepResults {
    /// What is reported of the rows of transactions and repayments.
    pub intake: Intake,
    /// The lines that were left out.
    pub lines: RejectLog,
    /// Lines read and left out.
    pub counts: Counts,
    /// Over the whole book.
    pub figures: BookFigures,
    /// Adjustments whose line is not in the snapshot.
    pub issued_unknown: u64,
    /// Bills for which one delivery holds more than one pair of terms.
    pub bill_conflicts: u64,
    /// The tables.
    pub tables: Vec<PartOfTable>,
}

/// A night in steps, about to be published.
pub struct StepsEnd<'a> {
    /// What it is computed from.
    pub inputs: NightInputs<'a>,
    /// Where it is published.
    pub out: &'a Path,
    /// Whether to replace a run that is published already.
    pub replace: bool,
    /// Its fingerprint when it was planned.
    pub fingerprint: &'a str,
}

impl StepsEnd<'_> {
    /// The run that is there already, from the same inputs and job files.
    pub fn existing(&self) -> Result<Option<NightOutcome>> {
        let NightInputs { job, files, dates, .. } = self.inputs;
        left_alone(self.out, &files.identity(job, dates)?, self.replace, job)
    }

    /// Publishes it.
    pub fn publish(&self, lock: &Lock, results: StepResults) -> Result<NightOutcome> {
        let NightInputs { job, files, dates, .. } = self.inputs;
        let identity = files.identity(job, dates)?;
        if identity.fingerprint != self.fingerprint {
            return Err(input("the inputs are not those that were planned with: plan again".to_string()));
        }
        let mut manifest = identity.manifest(&job.name);
        manifest.issued_unknown = results.issued_unknown;
        manifest.bill_conflicts = results.bill_conflicts;
        self.inputs.count(&results.intake, &results.counts, &mut manifest);
        self.inputs.measure(results.figures, &mut manifest);
        files.check_unchanged()?;
        manifest.notices.iter().for_each(|notice| tracing::warn!("{notice}"));
        let Intake { transactions, repayments } = &results.intake;
        let mut stage = lock.stage()?;
        manifest.outputs = stage.write_parts(&Publication {
            job,
            dates,
            tables: &results.tables,
            rejects: [&results.lines, &repayments.tally.rejects, &transactions.tally.rejects],
        })?;
        manifest.timing = Timing {
            started_at: jiff::Timestamp::now().to_string(),
            threads: rayon::current_num_threads(),
            basis: results.intake.sorting().to_string(),
            ..Timing::default()
        };
        let directory = run_directory(self.out, dates.as_of, dates.known_on, manifest.held);
        let seen = SeenRuns::look(self.out, dates)?;
        let seen = seen.at(manifest.held, self.replace);
        stage.commit(&mut manifest, &directory, seen)?;
        let ending = if manifest.held { Ending::Held } else { Ending::Published };
        Ok(NightOutcome::new(job, ending, directory, manifest, None))
    }
}
