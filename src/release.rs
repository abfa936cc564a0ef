//! Publishes a held run on somebody's word, unchanged.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::day::Day;
use crate::failure::{Kind, failure, input};
use crate::own::{Access, OwnRun};
use crate::publish::commit::Lock;
use crate::run_dir::gates::failed;
use crate::run_dir::layout::run_directory;
use crate::run_dir::manifest::MANIFEST;
use crate::run_dir::release_note::ReleaseNote;
use crate::run_dir::rows::{AccountId, for_batches};
use crate::run_dir::{RunDirectory, dated_runs};
use crate::store::is_url;
use crate::verify::verify;

/// A run that was released.
pub struct Released {
    /// Where it lies now.
    pub directory: PathBuf,
    /// The note that was left.
    pub note: ReleaseNote,
    /// Decimal places of money.
    pub minor_units: u32,
    /// Later nights that are published already and have not seen what this one issued: they are to be run
    /// again.
    pub unaware: Vec<Day>,
}

/// What is to be released, and on whose word.
#[derive(Debug, Clone)]
pub struct ReleaseRequest {
    /// The output directory.
    pub out: PathBuf,
    /// D of the held run.
    pub as_of: Day,
    /// K.
    pub known_on: Day,
    /// Also where later nights are published, whose runs did not see what this one issues.
    pub anyway: bool,
    /// Who releases it, if they say so.
    pub by: Option<String>,
    /// Why.
    pub why: Option<String>,
}

/// Moves the held run to where published ones lie, with a note that says who, when, why and in spite of which gates.
/// Where later nights are published, whose runs did not see what this one issues, it is refused unless `anyway`.
pub fn release(request: &ReleaseRequest) -> Result<Released> {
    let ReleaseRequest { out, as_of, known_on, anyway, by, why } = request;
    let (out, as_of, known_on) = (out.as_path(), *as_of, *known_on);
    let held = run_directory(out, as_of, known_on, true);
    let target = run_directory(out, as_of, known_on, false);
    if !is_url(out) && !out.is_dir() {
        return Err(input(format!("release {as_of}: there is no directory {}", out.display())));
    }
    let access = Access::of_file(&held.join(MANIFEST));
    let lock = Lock::take(out, &format!("releasing {as_of}"), access)?;
    let Some(run) = OwnRun::at(&held)? else {
        return Err(input(format!("release {as_of}: there is no held run in {}", held.display())));
    };
    if OwnRun::at(&target)?.is_some() {
        let message = format!("release {as_of}: {} is published already", target.display());
        return Err(failure(Kind::Refused, message));
    }
    verify(&held)?;
    // What is known later is published apart, and no other run reads it as issued.
    let unaware: Vec<Day> = if known_on == as_of {
        dated_runs(out)?.into_keys().filter(|day| *day > as_of).collect()
    } else {
        Vec::new()
    };
    if !unaware.is_empty() && !*anyway {
        return Err(refused(out, as_of, &held, &unaware)?);
    }
    let overruled = failed(&run.manifest.gates).into_iter().cloned().collect();
    let note = ReleaseNote {
        released_at: jiff::Timestamp::now().to_string(),
        as_of,
        known_on,
        manifest_sha256: run.manifest.sha256().to_string(),
        by: by.clone(),
        why: why.clone(),
        overruled,
    };
    let minor_units = RunDirectory::open(&held)?.0.minor_units().unwrap_or(0);
    lock.release(&run, &target, &(serde_json::to_string_pretty(&note)? + "\n"))?;
    Ok(Released { directory: target, note, minor_units, unaware })
}

/// A line that is adjusted: account and product, as text.
type AdjustedLine = (String, String);

/// Says which lines would be adjusted twice: by the held run, and by later ones that did not know of it.
fn refused(out: &Path, as_of: Day, held: &Path, unaware: &[Day]) -> Result<anyhow::Error> {
    let mine = adjusted_lines(held)?;
    let mut twice: BTreeMap<&AdjustedLine, Vec<Day>> = BTreeMap::new();
    for day in unaware {
        let later = adjusted_lines(&run_directory(out, *day, *day, false))?;
        for line in mine.iter().filter(|line| later.binary_search(line).is_ok()) {
            twice.entry(line).or_default().push(*day);
        }
    }
    const MOST_NAMED: usize = 3;
    let named = twice
        .iter()
        .take(MOST_NAMED)
        .map(|((account, product), days)| format!("account {account} {product} (also on {})", list(days)));
    let named = named.collect::<Vec<_>>().join(", ");
    let what = match twice.len() {
        0 => "no line would be adjusted twice, but they did not see what this one issues".to_string(),
        1 => format!("1 line would be adjusted twice: {named}"),
        count @ 2..=MOST_NAMED => format!("{count} lines would be adjusted twice: {named}"),
        count => format!("{count} lines would be adjusted twice, {named} among them"),
    };
    let message = format!(
        "release {as_of}: later nights are published already ({}), and {what}; --anyway publishes it all the same, \
         then run those nights again with --replace",
        list(unaware)
    );
    Ok(failure(Kind::Refused, message))
}

/// The lines that a run adjusts, sorted.
fn adjusted_lines(run: &Path) -> Result<Vec<AdjustedLine>> {
    let (directory, _) = RunDirectory::open(run)?;
    let mut lines = Vec::new();
    for_batches(&directory, "adjustments", &["account_id", "product"], |rows| {
        let (ids, product) = (rows.column("account_id")?, rows.texts("product")?);
        for row in 0..rows.len {
            let id = AccountId::of(ids, row).context("an account_id is null")?;
            lines.push((id.text(), product.get(row).unwrap_or_default().to_string()));
        }
        Ok(())
    })?;
    lines.sort();
    Ok(lines)
}

/// Days, as they are read.
pub fn list(days: &[Day]) -> String {
    days.iter().map(Day::to_string).collect::<Vec<_>>().join(", ")
}
