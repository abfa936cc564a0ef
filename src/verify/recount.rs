//! Counts a published run's tables again, for comparison with the control totals its manifest gives.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, RecordBatch};
use arrow_schema::DataType;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use xxhash_rust::xxh3::xxh3_64;

use crate::run_dir::manifest::{ActionTotals, ControlTotals};

/// The control totals as the run's own tables give them.
pub fn recount(run: &Path) -> Result<ControlTotals> {
    let mut actions: BTreeMap<String, BTreeMap<String, ActionTotals>> = BTreeMap::new();
    for_batches(&run.join("decisions.parquet"), &["product", "action", "old_limit", "new_limit"], |batch| {
        let text = |column: usize| batch.column(column).as_string_opt::<i32>().context("it is no text");
        let money =
            |column: usize| batch.column(column).as_primitive_opt::<Int64Type>().context("it is no Int64");
        let (product, action, old, new) = (text(0)?, text(1)?, money(2)?, money(3)?);
        for row in 0..batch.num_rows() {
            let of_product = match actions.get_mut(product.value(row)) {
                Some(known) => known,
                None => actions.entry(product.value(row).to_string()).or_default(),
            };
            let totals = match of_product.get_mut(action.value(row)) {
                Some(known) => known,
                None => of_product.entry(action.value(row).to_string()).or_default(),
            };
            totals.lines += 1;
            totals.old_limit += i128::from(old.value(row));
            totals.new_limit += i128::from(new.value(row));
        }
        Ok(())
    })?;
    let (mut accounts, mut hash_total) = (0, 0_u64);
    for_batches(&run.join("scores.parquet"), &["account_id"], |batch| {
        let ids = batch.column(0);
        accounts += ids.len() as u64;
        for row in 0..ids.len() {
            let hash = match ids.data_type() {
                DataType::Int64 => xxh3_64(ids.as_primitive::<Int64Type>().value(row).to_string().as_bytes()),
                _ => xxh3_64(
                    ids.as_string_opt::<i32>().context("ids are Int64 or text")?.value(row).as_bytes(),
                ),
            };
            hash_total = hash_total.wrapping_add(hash);
        }
        Ok(())
    })?;
    Ok(ControlTotals::of(accounts, hash_total, actions))
}

/// Reads some columns of a table, in the order named, which is the order they have.
pub fn for_batches(
    path: &Path,
    names: &[&str],
    mut each: impl FnMut(&RecordBatch) -> Result<()>,
) -> Result<()> {
    let name = path.file_name().expect("a file of the run").to_string_lossy().into_owned();
    let builder = ParquetRecordBatchReaderBuilder::try_new(File::open(path).context(name.clone())?)?;
    let mask = ProjectionMask::columns(builder.parquet_schema(), names.iter().copied());
    for batch in builder.with_projection(mask).build()? {
        let batch = batch.context(name.clone())?;
        ensure!(batch.num_columns() == names.len(), "{name}: it lacks one of {}", names.join(", "));
        each(&batch).context(name.clone())?;
    }
    Ok(())
}
