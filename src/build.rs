//! The build script: tells the program which commit it is built from and of which day that is.

use std::path::Path;
use std::process::Command;

/// What the program is made of, relative to the package.
const SOURCES: [&str; 4] = ["src", "templates", "Cargo.toml", "Cargo.lock"];

/// Sets RESCORE_VERSION, as in `0.2.0 (83c2905, 2026-11-27)`; without git the version alone.
///
/// The script runs again when a source changes, not at every commit: a commit that changes no source makes
/// no other program.
fn main() {
    for path in SOURCES {
        println!("cargo::rerun-if-changed={path}");
    }
    println!("cargo::rerun-if-env-changed=SOURCE_DATE_EPOCH");
    let commit = commit();
    // Builds that must come out the same to the byte say which day it is; else it is the commit's.
    let epoch = std::env::var("SOURCE_DATE_EPOCH").ok().and_then(|seconds| seconds.parse().ok());
    let of_commit = || git(&["log", "-1", "--format=%cs"]).filter(|_| commit.is_some());
    let date = epoch.map(date_of).or_else(of_commit);
    let origin: Vec<String> = commit.into_iter().chain(date).collect();
    let version = std::env::var("CARGO_PKG_VERSION").unwrap_or_default();
    if origin.is_empty() {
        println!("cargo::rustc-env=RESCORE_VERSION={version}");
    } else {
        println!("cargo::rustc-env=RESCORE_VERSION={version} ({})", origin.join(", "));
    }
}

/// The commit checked out, with a `+` where the sources differ from it; `None` outside a checkout.
fn commit() -> Option<String> {
    // A source archive may lie within a checkout of something else.
    let top = git(&["rev-parse", "--show-toplevel"])?;
    if Path::new(&top).canonicalize().ok()? != Path::new(".").canonicalize().ok()? {
        return None;
    }
    let commit = git(&["rev-parse", "--short=7", "HEAD"])?;
    let changed = git(&[["status", "--porcelain", "--"].as_slice(), SOURCES.as_slice()].concat())?;
    Some(if changed.is_empty() { commit } else { commit + "+" })
}

/// What git answers; `None` where there is no git, or it fails. Cargo runs the script in the package.
fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").arg("--no-optional-locks").args(arguments).output().ok()?;
    let answer = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| answer.trim().to_string())
}

/// The UTC date of a number of seconds since 1970, as in 2026-11-27.
fn date_of(seconds: i64) -> String {
    // Counted in years that begin in March, so that a leap day is the last of its year.
    let days = seconds.div_euclid(86_400) + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}
