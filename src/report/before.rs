//! The night before a run: the last published one that lies beside it.

use crate::run_dir::{PublishedRun, published_before};

/// The run of the last date before a run's that is published in the same output directory. `None` where there is none,
/// or none that can be read and counts money alike: the page then says that there is nothing to hold its run against.
pub fn night_before(run: &PublishedRun) -> Option<PublishedRun> {
    let path = published_before(run.directory.path(), run.manifest.as_of);
    let before = path.and_then(|path| PublishedRun::open(&path).ok());
    before.filter(|before| before.job.minor_units == run.job.minor_units)
}
