//! The rows of an input file, decoded to columns batch by batch.

use anyhow::Result;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::errors::ParquetError;

use super::binding::{Binding, Decoded};
use super::decode::Dictionaries;
use super::file::OpenFile;
use super::footer;
use super::guard::guarded;
use super::row_group::{ReadRowGroup, fetch_ahead};
use crate::failure::input;
use crate::pieces::piece;

/// Rows decoded at a time: enough to amortise, few enough to stay in cache.
const BATCH_ROWS: usize = piece(16_384, 3);

impl OpenFile {
    /// Begins to fetch a row group that is read soon.
    pub fn fetch_ahead(&self, binding: &Binding, row_group: usize) {
        fetch_ahead(&self.handle, self.footer().row_group(row_group), &binding.mask);
    }

    /// Reads a row group batch by batch.
    pub fn read(
        &self,
        binding: &Binding,
        row_group: usize,
        mut each: impl FnMut(Decoded) -> Result<()>,
    ) -> Result<()> {
        let group = self.metadata.metadata().row_group(row_group);
        let ReadRowGroup { chunks, batch_rows } =
            ReadRowGroup::read(&self.handle, row_group, group, &binding.mask, BATCH_ROWS)
                .map_err(|what| self.unreadable(&what))?;
        let reader = |mask: &ProjectionMask| {
            ParquetRecordBatchReaderBuilder::new_with_metadata(chunks.clone(), binding.metadata.clone())
                .with_projection(mask.clone())
                .with_row_groups(vec![row_group])
                .with_batch_size(batch_rows)
                .build()
        };
        let damaged = |what: String| {
            let column = self.damaged_column(&binding.mask, row_group, &reader);
            let column = column.map_or(String::new(), |column| format!("column {column}, "));
            self.unreadable(&format!("{column}row group {row_group}: {what}"))
        };
        let mut batches = guarded(|| reader(&binding.mask)).map_err(damaged)?;
        let mut dictionaries = Dictionaries::default();
        let mut rows = 0;
        while let Some(batch) = guarded(|| batches.next().transpose()).map_err(damaged)? {
            rows += batch.num_rows() as u64;
            let decoded = guarded(|| Ok::<_, String>(binding.decode(batch, &mut dictionaries)));
            let decoded = decoded.map_err(|what| self.unreadable(&what))?;
            each(decoded.map_err(|what| input(format!("{}: {what}", self.subject)))?)?;
        }
        let expected = self.row_groups[row_group];
        if rows != expected {
            return Err(damaged(format!("it holds {rows} rows, and the footer says {expected}")));
        }
        Ok(())
    }

    /// The first of some columns that cannot be read by itself.
    fn damaged_column(
        &self,
        mask: &ProjectionMask,
        row_group: usize,
        reader: &dyn Fn(&ProjectionMask) -> Result<ParquetRecordBatchReader, ParquetError>,
    ) -> Option<String> {
        let metadata = self.metadata.metadata();
        let columns = metadata.row_group(row_group).columns().iter().enumerate();
        for (leaf, column) in columns.filter(|(leaf, _)| mask.leaf_included(*leaf)) {
            let alone = ProjectionMask::leaves(self.metadata.parquet_schema(), [leaf]);
            let rows = guarded(|| {
                let batches = reader(&alone).map_err(|error| error.to_string())?;
                let rows = batches.map(|batch| batch.map(|batch| batch.num_rows() as u64));
                rows.sum::<Result<u64, _>>().map_err(|error| error.to_string())
            });
            if rows != Ok(self.row_groups[row_group]) {
                return Some(footer::column_name(column));
            }
        }
        None
    }
}
