//! A process at a step: the plan, the job as it was frozen, the files as they were.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::frozen::FrozenPlan;
use crate::console::Progress;
use crate::day::Dates;
use crate::features::AskedDay;
use crate::features::plan::Plans;
use crate::input::footer_cache::FooterCache;
use crate::input::wanted::Units;
use crate::job::{Job, RawJob};
use crate::run::{Deliveries, FeatureRows, Files, NightInputs, bind};
use crate::sorted::{Shelf, SortedDeliveries};

/// A process at a step.
pub struct Worker<'p> {
    /// What was frozen.
    pub plan: FrozenPlan,
    /// Where the plan's steps leave their files.
    pub directory: PathBuf,
    /// The job.
    pub job: Job,
    /// Everything delivered when the plan was made.
    pub deliveries: Deliveries,
    /// The files that bear on the run.
    pub files: Files,
    /// Where files may be put that go with the process.
    pub scratch: PathBuf,
    /// Shows how far it is.
    pub progress: &'p Progress,
    units: Units,
    plans: Plans,
}

impl<'p> Worker<'p> {
    /// Reads a plan and opens what it names. Fails where a file is another by now.
    pub fn open(path: &Path, progress: &'p Progress) -> Result<Worker<'p>> {
        let plan = FrozenPlan::read(path)?;
        let mut raw = RawJob::frozen(plan.sources()?, &plan.variables);
        raw.diagnostics.check()?;
        let deliveries = plan.deliveries(raw.inputs().expect("a job without mistakes has inputs"));
        let mut footers = FooterCache::default();
        let job = bind(&mut raw, Some(&deliveries), Some(plan.dates()), &mut footers)?;
        let files = Files::open(&job, &deliveries, plan.dates(), &mut footers)?;
        plan.check(&files.by_input(&job))?;
        let (units, plans) = (Units::of(&job), Plans::of(&job.features));
        let directory = path.parent().unwrap_or(Path::new("")).to_path_buf();
        let scratch = std::env::temp_dir();
        Ok(Worker { plan, directory, job, deliveries, files, scratch, progress, units, plans })
    }

    /// What the night is for.
    pub fn dates(&self) -> Dates {
        self.plan.dates()
    }

    /// The day that is asked of every account.
    pub fn day(&self) -> AskedDay {
        AskedDay { as_of: self.plan.as_of, known_on: self.plan.known_on }
    }

    /// What the night is computed from.
    pub fn inputs(&self) -> NightInputs<'_> {
        let Worker { job, files, deliveries, .. } = self;
        NightInputs { job, files, deliveries, dates: self.dates() }
    }

    /// What features are computed from.
    pub fn rows(&self) -> FeatureRows<'_> {
        let Worker { job, files, units, plans, .. } = self;
        let account_kind = job.scopes.account_kind();
        FeatureRows { job, files, units, plans, account_kind, first: self.plan.as_of }
    }

    /// Where sorted deliveries lie.
    pub fn shelf(&self) -> Shelf {
        Shelf::at(&self.plan.shelf, self.job.access)
    }

    /// The sorted deliveries, all of which are there.
    pub fn copies(&self) -> SortedDeliveries {
        SortedDeliveries::kept(self.shelf(), &self.scratch)
    }
}
