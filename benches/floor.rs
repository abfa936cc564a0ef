//! The floor of a run: what no design can save. Decodes the columns that a job needs of the files it
//! must read, or encodes its output tables from ready arrays, with the `parquet` crate and nothing else.
//!
//! ```text
//! floor decode [--threads N]    # stdin: a line a file, its path, a tab, the columns between commas
//! floor encode [--threads N]    # stdin: a line a table, its path; read first, which is not timed
//! ```
//!
//! Prints one line of JSON; `run.py` beside it does the asking.

use std::fs::File;
use std::hint::black_box;
use std::io::{Read, Write};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use arrow_array::RecordBatch;
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use bytes::Bytes;
use cpu_time::ProcessTime;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};
use parquet::arrow::{ArrowWriter, ProjectionMask};
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterVersion};
use rayon::prelude::*;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (work, threads) = match arguments[..] {
        [work] => (work, 1),
        [work, "--threads", threads] => (work, threads.parse().context("--threads takes a number")?),
        _ => bail!("usage: floor decode|encode [--threads N] <FILES"),
    };
    rayon::ThreadPoolBuilder::new().num_threads(threads).build_global()?;
    let mut list = String::new();
    std::io::stdin().read_to_string(&mut list)?;
    let files: Vec<&str> = list.lines().collect();
    match work {
        "decode" => measure(&files, decode),
        "encode" => {
            let tables = files.par_iter().map(read).collect::<Result<Vec<Table>>>()?;
            measure(&tables, encode)
        }
        other => bail!("{other} is neither decode nor encode"),
    }
}

/// Does a piece of work for every item and prints what it took. Each gives its rows and bytes.
fn measure<T: Sync>(items: &[T], work: impl Fn(&T) -> Result<(u64, u64)> + Sync + Send) -> Result<()> {
    let (wall, cpu) = (Instant::now(), ProcessTime::now());
    let done = items.par_iter().map(work).collect::<Result<Vec<(u64, u64)>>>()?;
    let (wall, cpu) = (wall.elapsed(), cpu.elapsed());
    let report = serde_json::json!({
        "wall_seconds": wall.as_secs_f64(),
        "cpu_seconds": cpu.as_secs_f64(),
        "files": items.len(),
        "rows": done.iter().map(|(rows, _)| rows).sum::<u64>(),
        "bytes": done.iter().map(|(_, bytes)| bytes).sum::<u64>(),
    });
    writeln!(std::io::stdout(), "{report}")?;
    Ok(())
}

/// Rows decoded at a time.
const DECODED_ROWS: usize = 16_384;

/// Decodes some columns of a file, text as the file's own dictionary. Bytes are the columns', compressed.
fn decode(line: &&str) -> Result<(u64, u64)> {
    let (path, columns) = line.split_once('\t').context("a line is a path, a tab, columns")?;
    let columns: Vec<&str> = columns.split(',').collect();
    let file = Bytes::from(std::fs::read(path).with_context(|| format!("read {path}"))?);
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let plain = ArrowReaderMetadata::load(&file, options.clone())?;
    let hinted = options.with_schema(with_dictionaries(plain.schema()));
    let metadata = ArrowReaderMetadata::try_new(plain.metadata().clone(), hinted)?;
    let mask = ProjectionMask::columns(metadata.parquet_schema(), columns.iter().copied());
    let wanted = |name: &str| columns.contains(&name);
    let bytes = metadata.metadata().row_groups().iter().flat_map(|group| group.columns());
    let bytes = bytes.filter(|column| wanted(&column.column_path().string()));
    let bytes = bytes.map(|column| column.compressed_size() as u64).sum();
    let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata)
        .with_projection(mask)
        .with_batch_size(DECODED_ROWS)
        .build()?;
    let mut rows = 0;
    for batch in reader {
        let batch = batch.with_context(|| format!("decode {path}"))?;
        anyhow::ensure!(batch.num_columns() == columns.len(), "{path} lacks some of {columns:?}");
        rows += black_box(batch).num_rows() as u64;
    }
    Ok((rows, bytes))
}

fn with_dictionaries(schema: &Schema) -> SchemaRef {
    let dictionary = DataType::Dictionary(DataType::Int32.into(), DataType::Utf8.into());
    let field = |field: &Field| match field.data_type() {
        DataType::Utf8 => field.clone().with_data_type(dictionary.clone()),
        _ => field.clone(),
    };
    Schema::new(schema.fields().iter().map(|one| field(one)).collect::<Vec<_>>()).into()
}

/// A table in memory.
struct Table {
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
}

/// Rows encoded at a time, as a run does.
const ENCODED_ROWS: usize = 65_536;

fn read(path: &&str) -> Result<Table> {
    let file = File::open(path).with_context(|| format!("open {path}"))?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(file)?.with_batch_size(ENCODED_ROWS);
    let schema = builder.schema().clone();
    let batches = builder.build()?.collect::<Result<_, _>>().with_context(|| format!("read {path}"))?;
    Ok(Table { schema, batches })
}

/// Encodes a table with the settings of `publish::tables`, to nowhere.
fn encode(table: &Table) -> Result<(u64, u64)> {
    let properties = WriterProperties::builder()
        .set_writer_version(WriterVersion::PARQUET_1_0)
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
        .set_dictionary_enabled(true)
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_statistics_truncate_length(Some(64))
        .set_column_index_truncate_length(Some(64))
        .set_data_page_size_limit(1 << 20)
        .set_data_page_row_count_limit(32_768)
        .set_max_row_group_row_count(Some(262_144))
        .build();
    let mut writer = ArrowWriter::try_new(std::io::sink(), table.schema.clone(), Some(properties))?;
    for batch in &table.batches {
        writer.write(batch)?;
    }
    writer.finish()?;
    let rows = table.batches.iter().map(|batch| batch.num_rows() as u64).sum();
    Ok((rows, writer.bytes_written() as u64))
}
