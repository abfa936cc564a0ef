//! What is the program's own: whatever it makes, renames, replaces or removes, it does in this room, which
//! touches only what carries its mark. Nothing here follows a symbolic link that stands where something of
//! the program's own should.
//!
//! - `files`: permissions, files and directories made, renames, and how these fail;
//! - `lock`: the file by which an output directory is locked;
//! - `staging`: directories in which something is made before it is moved to its place;
//! - `objects`: runs in object stores, put under a condition;
//! - `runs`: run directories, by their manifests; what becomes of those that are replaced;
//! - `removal`: runs that nobody needs any more;
//! - `fitted_cards`: directories of fitted cards, by their records;
//! - `plans`: plans of nights in steps, and what their steps have left;
//! - `reports`: directories of figures and pages about models, replaced by their like only;
//! - `states`: sorted deliveries kept between nights, by what they begin with;
//! - `operator_file`: the files that a job names for its operators: metrics, events;
//! - `user_file`: the files that `--out` and `--html` name, which are the user's.

#![allow(clippy::disallowed_methods, reason = "this is the room where these are allowed")]

mod files;
mod fitted_cards;
mod lock;
mod objects;
mod operator_file;
mod plans;
mod removal;
mod reports;
mod runs;
mod staging;
mod states;
mod user_file;

pub use files::{
    Access, create_directory, create_file, create_own_directory, free_bytes, is_out_of_space, link_file,
    put_file, rename_new, sync_directory, unwritable, what_failed, write_file,
};
pub use fitted_cards::{FIT_MAKER, FIT_RECORD, FittedCardPlace};
pub use lock::LockFile;
pub use objects::{
    attempt_name, clear_attempts, complete_run, put_manifest, put_release, put_run, release_objects,
    seen_manifest,
};
pub use operator_file::{append_line, read_left, replace_left};
pub use plans::{PLAN, clear_plans};
pub use removal::remove_run;
pub use reports::{ReportFile, place_report};
pub use runs::{OwnRun, place_run, prune_superseded, release_run};
pub use staging::{Staging, replace_file, replace_object};
pub use states::{discard_copy, place_copy, remove_copy};
pub use user_file::UserFile;
