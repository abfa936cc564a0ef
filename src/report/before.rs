//! The night before a run: the last published one that lies beside it.

use crate::run_dir::{PublishedRun, published_before};
use crate::store::is_url;

/// The run of the last date before a run's that is published in the same output directory. `None` where there is none,
/// or none that can be read and counts money alike: the page then says that there is nothing to hold its run against.
pub fn night_before(run: &PublishedRun) -> Option<PublishedRun> {
    let path = run.directory.path();
    // A run may be named from within, or by a link.
    let path = if is_url(path) { path.to_path_buf() } else { path.canonicalize().ok()? };
    let before = published_before(&path, run.manifest.as_of)?;
    let before = PublishedRun::open(&before).ok();
    before.filter(|before| before.job.minor_units == run.job.minor_units)
}
