//! Publishes a held run on somebody's word, unchanged.

use std::path::{Path, PathBuf};

use anyhow::Result;
use serde::Serialize;

use super::commit::{Lock, move_directory, replace_file, run_directory};
use super::gates::{Outcome, failed};
use super::manifest::Manifest;
use super::verify::verify;
use crate::day::Day;
use crate::failure::{Kind, failure};

/// The note that a run was released in spite of its gates.
pub const RELEASED: &str = "released.json";

/// What the note says.
#[derive(Serialize)]
struct Release<'a> {
    released_at: String,
    as_of: Day,
    known_on: Day,
    overruled: Vec<&'a Outcome>,
}

/// Moves the held run to where published ones lie; returns its place and the gates overruled.
pub fn release(out: &Path, as_of: Day, known_on: Day) -> Result<(PathBuf, Vec<Outcome>)> {
    let held = run_directory(out, as_of, known_on, true);
    let target = run_directory(out, as_of, known_on, false);
    if !out.is_dir() {
        return Err(failure(
            Kind::Input,
            format!("release {as_of}: there is no directory {}", out.display()),
        ));
    }
    let _lock = Lock::take(out, &format!("release of {as_of}"))?;
    let Some(manifest) = Manifest::read(&held)? else {
        return Err(failure(
            Kind::Input,
            format!("release {as_of}: there is no held run in {}", held.display()),
        ));
    };
    if target.exists() {
        let message = format!("release {as_of}: {} is published already", target.display());
        return Err(failure(Kind::Refused, message));
    }
    verify(&held)?;
    let note = Release {
        released_at: jiff::Timestamp::now().to_string(),
        as_of,
        known_on,
        overruled: failed(&manifest.gates),
    };
    replace_file(&held, RELEASED, (serde_json::to_string_pretty(&note)? + "\n").as_bytes())?;
    move_directory(&held, &target)?;
    let overruled = failed(&manifest.gates).into_iter().cloned().collect();
    Ok((target, overruled))
}
