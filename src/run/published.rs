//! What runs have published of a table that later nights read: one file, parts, or files of an attempt in an object
//! store, as the run's manifest says.

use std::io::ErrorKind;
use std::path::Path;

use anyhow::Result;

use crate::failure::input;
use crate::input::catalog::{self, Catalog, RunFile};
use crate::job::InputSpec;
use crate::run_dir::manifest::Manifest;
use crate::run_dir::table_files::{OutputName, table_files, table_of};
use crate::store::{self, is_url};

/// Lists an input of earlier runs.
pub(super) fn list(spec: &InputSpec) -> Result<Catalog> {
    catalog::list_runs(spec, &files_of)
}

/// The files of a table in a run's directory, by the name that its only file would have. None where there is no such
/// table.
pub(super) fn files_of(run: &Path, file: &str) -> Result<Vec<RunFile>> {
    let only = || vec![RunFile { name: file.to_string(), path: run.join(file) }];
    let is_stored = is_url(run);
    if !is_stored {
        let path = run.join(file);
        match path.symlink_metadata() {
            Ok(_) => return Ok(only()),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {}
            Err(error) => return Err(input(format!("look for {}: {error}", path.display()))),
        }
    }
    let Some(table) = table_of(file).filter(|table| is_stored || run.join(table).is_dir()) else {
        return Ok(Vec::new());
    };
    let Some(manifest) = Manifest::read(run)? else {
        // A file that somebody has put there, beside no manifest.
        let path = run.join(file);
        let found = if is_stored { store::head(&path) } else { Ok(None) };
        let found = found.map_err(|error| input(format!("read {}: {error}", path.display())))?;
        return Ok(if found.is_some() { only() } else { Vec::new() });
    };
    let files = table_files(&manifest.outputs, table).into_iter().filter_map(|output| {
        let name = OutputName::parse(&output.file)?.rest.to_string();
        Some(RunFile { name, path: run.join(&output.file) })
    });
    Ok(files.collect())
}
