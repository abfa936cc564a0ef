//! A file that a person names, read as a whole: its columns, each in one piece.

use std::path::Path;

use anyhow::Result;
use rayon::prelude::*;

use super::catalog::InputFile;
use super::decode::nulls;
use super::file::{self, OpenFile};
use super::wanted::{Units, Wanted};
use crate::console::Progress;
use crate::expr::Column;
use crate::expr::column::concat;
use crate::failure::in_order;
use crate::job::InputSpec;
use crate::signal;

/// Opens the file that an input of one file is.
pub fn open_whole(spec: &InputSpec, path: &Path) -> Result<OpenFile> {
    file::open(spec, None, &InputFile::at(path.display().to_string(), path.to_path_buf()))
}

/// Reads the wanted columns of a file, all rows of it, in order. A file that has not got them, or has them of another
/// type, is an error.
pub fn read_whole(
    file: &OpenFile,
    spec: &InputSpec,
    wanted: &[Wanted],
    units: &Units,
    progress: &Progress,
) -> Result<Vec<Column>> {
    let binding = file.bind(spec, wanted, units)?;
    progress.read(spec.name, 1, file.rows());
    let groups = (0..file.row_groups.len()).into_par_iter().map(|group| {
        signal::check()?;
        let mut parts: Vec<Vec<Column>> = vec![Vec::new(); wanted.len()];
        file.read(&binding, group, |decoded| {
            decoded.columns.into_iter().zip(&mut parts).for_each(|(column, part)| part.push(column));
            Ok(())
        })?;
        progress.advance(file.row_groups[group]);
        Ok(parts)
    });
    let mut columns: Vec<Vec<Column>> = vec![Vec::new(); wanted.len()];
    for parts in in_order(groups)? {
        parts.into_iter().zip(&mut columns).for_each(|(part, column)| column.extend(part));
    }
    let columns = columns.into_iter().zip(wanted);
    // A file without rows has columns of their types all the same.
    Ok(columns
        .map(|(parts, wanted)| if parts.is_empty() { nulls(wanted.kind, 0) } else { concat(parts) })
        .collect())
}
