//! How runs lie in an output directory, and what their files are called.

use std::path::{Path, PathBuf};

use crate::day::Day;

/// An empty file for readers that look for one, in published runs.
pub const SUCCESS: &str = "_SUCCESS";

/// The note that a run was released in spite of its gates.
pub const RELEASED: &str = "released.json";

/// Runs that have been replaced lie below this for a while: whoever has read the manifest of one can read
/// its tables.
pub const SUPERSEDED: &str = "superseded";

/// What the names of such directories begin with; a key ends them.
pub const STAGING: &str = ".staging-";

/// Whoever holds this may write below the output directory.
pub const LOCK: &str = ".lock";

/// The table that downstream systems and later runs read.
pub const ADJUSTMENTS: &str = "adjustments.parquet";

/// The table that later runs look back on.
pub const SCORES: &str = "scores.parquet";

/// What the program alone writes into the footer of each of its tables, with its version.
pub const VERSION_KEY: &str = "rescore.version";

/// Held runs lie below this.
pub const HELD: &str = "held";

/// What the names of directories begin with in which runs lie as they were known later.
pub(super) const KNOWN: &str = "known=";

/// Whether a name within an output directory is the program's own.
pub fn is_own_entry(name: &str) -> bool {
    const BEGINNINGS: [&str; 3] = [STAGING, "date=", KNOWN];
    [LOCK, HELD, SUPERSEDED].contains(&name) || BEGINNINGS.iter().any(|own| name.starts_with(own))
}

/// The directory of a run within an output directory, published or held.
pub fn run_directory(out: &Path, as_of: Day, known_on: Day, held: bool) -> PathBuf {
    let base = if held { out.join(HELD) } else { out.to_path_buf() };
    let base = if known_on == as_of { base } else { base.join(format!("{KNOWN}{known_on}")) };
    base.join(format!("date={as_of}"))
}

/// The output directory in which the directory of a run lies.
pub fn output_directory(run: &Path) -> PathBuf {
    let name =
        |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let mut out = run.parent().unwrap_or(run);
    for is_between in [|name: &str| name.starts_with(KNOWN), |name: &str| name == HELD] {
        if is_between(&name(out)) {
            out = out.parent().unwrap_or(out);
        }
    }
    out.to_path_buf()
}
