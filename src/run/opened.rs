//! A night whose inputs are opened and hashed, so that it is known which run it comes to.

use anyhow::Result;

use super::inputs::{Deliveries, Files};
use super::session::{PreparedNight, Session};
use crate::day::Dates;
use crate::job::Job;
use crate::log;
use crate::publish::identity::Identity;

/// A night whose inputs are opened and hashed.
pub(super) struct OpenedNight {
    /// What it is for.
    pub dates: Dates,
    /// The job.
    pub job: Job,
    /// Everything delivered.
    pub deliveries: Deliveries,
    /// The files that bear on the run.
    pub files: Files,
    /// What identifies the run.
    pub identity: Identity,
}

impl OpenedNight {
    /// Opens the inputs of a night; their hashes are left for the runs after it.
    pub fn open(session: &mut Session, prepared: PreparedNight) -> Result<OpenedNight> {
        log::begin_night();
        let PreparedNight { dates, job, deliveries } = prepared;
        session.footers.next_night();
        let files = Files::open(&job, &deliveries, dates, &mut session.footers)?;
        files.hash(&mut session.footers, dates.as_of)?;
        session.leave_hashes(&job, dates.as_of);
        let identity = files.identity(&job, dates)?;
        log::set_run(&identity.fingerprint);
        Ok(OpenedNight { dates, job, deliveries, files, identity })
    }
}
