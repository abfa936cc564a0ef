//! A table of a published run, of one file or of parts, written anew as one file.

use std::collections::VecDeque;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use arrow_array::RecordBatch;
use arrow_schema::{Schema, SchemaRef};
use arrow_select::concat::concat_batches;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};

use super::encode::{ROW_GROUP_ROWS, write_all, write_csv};
use super::output_table::{BATCH_ROWS, OutputTable};
use crate::job::Csv;
use crate::run_dir::RunDirectory;
use crate::run_dir::manifest::OutputEntry;

/// A table of a run that is there.
pub struct StoredTable<'r> {
    run: &'r RunDirectory,
    name: &'static str,
    files: Vec<&'r OutputEntry>,
    /// As the table was written, without what its files say of the run.
    schema: SchemaRef,
    /// What its files say of the run.
    metadata: Vec<(String, String)>,
}

impl<'r> StoredTable<'r> {
    /// Opens the first file of a table.
    pub fn open(run: &'r RunDirectory, name: &'static str) -> Result<StoredTable<'r>> {
        let files = run.table(name)?;
        let (_, read) = open(run, files[0])?;
        let (schema, metadata) = (plain_schema(&read), said_of_run(&read));
        Ok(StoredTable { run, name, files, schema, metadata })
    }

    /// Its file without the extension.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Writes it as one Parquet file, and says how many rows it has.
    pub(super) fn write(&self, file: File, path: &Path) -> Result<usize> {
        let mut rows = 0;
        let mut batches = self.batches();
        let groups = std::iter::from_fn(|| batches.next_group(ROW_GROUP_ROWS).transpose());
        let tables = groups.map(|group| {
            let group = group?;
            rows += group.num_rows();
            Ok(OutputTable::of_batch(self.name, &group))
        });
        let metadata: Vec<(&str, String)> =
            self.metadata.iter().map(|(key, value)| (key.as_str(), value.clone())).collect();
        write_all(self.schema.clone(), tables, file, path, &metadata)?;
        Ok(rows)
    }

    /// Writes it as CSV, and says how many rows it has.
    pub(super) fn write_csv(&self, file: File, path: &Path, csv: Csv) -> Result<usize> {
        let mut rows = 0;
        let mut batches = self.batches();
        let counted = std::iter::from_fn(|| batches.next().transpose()).inspect(|batch| {
            rows += batch.as_ref().map_or(0, RecordBatch::num_rows);
        });
        write_csv(&self.schema, counted, file, path, csv)?;
        Ok(rows)
    }

    fn batches(&self) -> StoredBatches<'_> {
        StoredBatches {
            table: self,
            rest: self.files.iter().copied().collect(),
            reader: None,
            left_over: None,
        }
    }
}

/// The rows of a table, file after file.
struct StoredBatches<'t> {
    table: &'t StoredTable<'t>,
    /// The files that are not opened yet.
    rest: VecDeque<&'t OutputEntry>,
    /// The file being read.
    reader: Option<(&'t OutputEntry, ParquetRecordBatchReader)>,
    /// Rows that are read and in no group yet.
    left_over: Option<RecordBatch>,
}

impl StoredBatches<'_> {
    /// The next rows, as many as are read at a time, or fewer; `None` at the end.
    fn next(&mut self) -> Result<Option<RecordBatch>> {
        let StoredTable { run, schema, metadata, .. } = self.table;
        loop {
            if let Some((file, reader)) = &mut self.reader
                && let Some(batch) = reader.next()
            {
                let batch = batch.map_err(|error| run.unreadable(file, &error))?;
                return Ok(Some(batch.with_schema(schema.clone())?));
            }
            let Some(file) = self.rest.pop_front() else { return Ok(None) };
            let (opened, read) = open(run, file)?;
            if plain_schema(&read) != *schema || said_of_run(&read) != *metadata {
                let why = "its columns, or what it says of its run, are not those of the part before it";
                return Err(run.unreadable(file, &why));
            }
            let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(opened, read)
                .with_batch_size(BATCH_ROWS)
                .build()
                .map_err(|error| run.unreadable(file, &error))?;
            self.reader = Some((file, reader));
        }
    }

    /// The next rows, so many unless the table ends; `None` at the end.
    fn next_group(&mut self, rows: usize) -> Result<Option<RecordBatch>> {
        let mut batches: Vec<RecordBatch> = Vec::new();
        let mut missing = rows;
        while missing > 0 {
            crate::signal::check()?;
            let batch = match self.left_over.take() {
                Some(batch) => batch,
                None => match self.next()? {
                    Some(batch) => batch,
                    None => break,
                },
            };
            let taken = batch.num_rows().min(missing);
            if taken < batch.num_rows() {
                self.left_over = Some(batch.slice(taken, batch.num_rows() - taken));
            }
            batches.push(batch.slice(0, taken));
            missing -= taken;
        }
        if batches.is_empty() {
            return Ok(None);
        }
        Ok(Some(concat_batches(&self.table.schema, &batches)?))
    }
}

/// Opens a file whose bytes are those of the manifest.
fn open(run: &RunDirectory, file: &OutputEntry) -> Result<(File, ArrowReaderMetadata)> {
    let opened = run.file(file)?;
    let read = ArrowReaderMetadata::load(&opened, ArrowReaderOptions::new());
    let read = read.map_err(|error| run.unreadable(file, &error))?;
    Ok((opened, read))
}

/// The columns as they were written.
fn plain_schema(read: &ArrowReaderMetadata) -> SchemaRef {
    Arc::new(Schema::new(read.schema().fields().clone()))
}

/// What a file says of its run: the job, its dates and the like, in order.
fn said_of_run(read: &ArrowReaderMetadata) -> Vec<(String, String)> {
    let entries = read.metadata().file_metadata().key_value_metadata().into_iter().flatten();
    let own = entries.filter(|entry| entry.key.starts_with("rescore."));
    own.map(|entry| (entry.key.clone(), entry.value.clone().unwrap_or_default())).collect()
}
