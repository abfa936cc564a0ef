//! Plans of nights in steps, and what their steps have left: cleared once they are old.

use std::fs;
use std::io;
use std::path::Path;

use jiff::Timestamp;

use super::files::remove_directory_of;
use super::runs::{directories_in, file_name};
use crate::day::Day;
use crate::hash::is_key;
use crate::run_dir::table_files::is_attempt;
use crate::store;

/// The file that makes a directory a plan.
pub const PLAN: &str = "plan.json";

/// How long a plan and what its steps have written stay: a night is done by then, or given up.
const KEPT_DAYS: i64 = 7;

/// What steps call their files.
const STEP_FILES: [&str; 7] = [
    "adjustments.parquet",
    "decisions.parquet",
    "features.parquet",
    "raises.json",
    "rejects",
    "repeats.json",
    "scores.parquet",
];

/// What lies beside the directories of steps.
const PLAN_FILES: [&str; 2] = ["status.json", PLAN];

/// Clears the plans in a directory, or in an object store, that are old. One that cannot be cleared stays.
pub fn clear_plans(work: &Path) {
    let oldest = Timestamp::now().as_second() - 24 * 3600 * KEPT_DAYS;
    let cleared = if store::is_url(work) { clear_stored(work, oldest) } else { clear_on_disk(work, oldest) };
    if let Err(error) = cleared {
        tracing::info!("{}: old plans stay: {error}", work.display());
    }
}

/// Whether a name is that of a plan's directory: the as-of date, digits of the fingerprint, how many parts.
fn is_plan(name: &str) -> bool {
    let mut words = name.rsplitn(3, '-');
    let (Some(parts), Some(key), Some(date)) = (words.next(), words.next(), words.next()) else {
        return false;
    };
    parts.parse::<u32>().is_ok() && is_key(key) && date.parse::<Day>().is_ok()
}

fn clear_stored(work: &Path, oldest: i64) -> io::Result<()> {
    for name in store::names_in(work)?.into_iter().filter(|name| name.is_directory && is_plan(&name.name)) {
        let directory = work.join(&name.name);
        let objects = store::objects_below(&directory)?;
        if objects.contains_key(PLAN) && objects.values().all(|object| object.modified <= oldest) {
            objects.keys().try_for_each(|rest| store::remove(&directory.join(rest)))?;
        }
    }
    Ok(())
}

fn clear_on_disk(work: &Path, oldest: i64) -> io::Result<()> {
    for plan in directories_in(work).filter(|path| is_plan(file_name(path))) {
        let Ok(found) = fs::symlink_metadata(plan.join(PLAN)) else { continue };
        if Timestamp::try_from(found.modified()?).is_ok_and(|time| time.as_second() <= oldest) {
            clear_plan(&plan)?;
        }
    }
    Ok(())
}

/// Removes what steps have written and then the plan; whatever else lies there stays, and what holds it.
fn clear_plan(plan: &Path) -> io::Result<()> {
    let is_step = |name: &str| ["keys-", "part-", "finish-"].iter().any(|step| name.starts_with(step));
    for step in directories_in(plan).filter(|path| is_step(file_name(path))) {
        for attempt in directories_in(&step).filter(|path| is_attempt(file_name(path))) {
            remove_directory_of(&attempt, &STEP_FILES)?;
        }
        remove_directory_of(&step, &[])?;
    }
    remove_directory_of(plan, &PLAN_FILES).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_known_by_its_name() {
        let table = [
            ("2026-11-20-0123456789abcdef-4", true),
            ("2026-11-20-0123456789abcdef-", false),
            ("2026-11-20-0123456789abcde-4", false),
            ("2026-11-31-0123456789abcdef-4", false),
            ("sorted", false),
        ];
        for (name, expected) in table {
            assert_eq!(is_plan(name), expected, "{name}");
        }
    }
}
