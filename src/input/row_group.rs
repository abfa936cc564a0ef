//! A row group read into memory, its pages looked over before anything is decoded.

use parquet::arrow::ProjectionMask;
use parquet::file::metadata::{ColumnChunkMetaData, RowGroupMetaData};

use super::bounds::{check_pages, rows_at_a_time};
use super::chunks::{Chunks, ranges_of};
use super::footer::column_name;
use super::handle::Handle;

/// A row group as it was read, its pages looked over.
pub struct ReadRowGroup {
    /// Its bytes.
    pub chunks: Chunks,
    /// How many rows may be decoded at a time, whatever texts there are in them.
    pub batch_rows: usize,
}

impl ReadRowGroup {
    /// Reads the chunks of the columns that are wanted of the row group of that number, and looks over their
    /// pages.
    pub fn read(
        handle: &Handle,
        number: usize,
        row_group: &RowGroupMetaData,
        mask: &ProjectionMask,
        most_rows: usize,
    ) -> Result<ReadRowGroup, String> {
        let wanted = wanted(row_group, mask);
        let chunks = Chunks::read(handle, &wanted)?;
        let mut batch_rows = most_rows;
        for column in wanted {
            let rows = rows_at_a_time(column, row_group.num_rows(), &chunks, most_rows)
                .map_err(|what| format!("column {}, row group {number}, {what}", column_name(column)))?;
            batch_rows = batch_rows.min(rows);
        }
        Ok(ReadRowGroup { chunks, batch_rows })
    }
}

/// The chunks of the columns that are wanted.
fn wanted<'g>(row_group: &'g RowGroupMetaData, mask: &ProjectionMask) -> Vec<&'g ColumnChunkMetaData> {
    let columns = row_group.columns().iter().enumerate();
    columns.filter(|(leaf, _)| mask.leaf_included(*leaf)).map(|(_, column)| column).collect()
}

/// Begins to fetch what [`ReadRowGroup::read`] reads, where that takes its time.
pub fn fetch_ahead(handle: &Handle, row_group: &RowGroupMetaData, mask: &ProjectionMask) {
    if handle.is_object() {
        handle.fetch_ahead(&ranges_of(&wanted(row_group, mask)));
    }
}

/// Reads all columns of the row group of that number, to be taken as they are.
pub fn read_whole(handle: &Handle, number: usize, row_group: &RowGroupMetaData) -> Result<Chunks, String> {
    let columns: Vec<&ColumnChunkMetaData> = row_group.columns().iter().collect();
    let chunks = Chunks::read(handle, &columns)?;
    for column in columns {
        check_pages(column, row_group.num_rows(), &chunks)
            .map_err(|what| format!("column {}, row group {number}, {what}", column_name(column)))?;
    }
    Ok(chunks)
}
