//! The output: the spine's columns, byte for byte as they lie in its file, and beside them what each row asked for.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::sync::Arc;

use anyhow::Result;
use arrow_array::{ArrayRef, Int32Array, Int64Array, StringArray};
use arrow_schema::{DataType, Field, Schema};
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::arrow::arrow_writer::{ArrowRowGroupWriterFactory, compute_leaves};
use parquet::arrow::{ARROW_SCHEMA_META_KEY, ArrowSchemaConverter, ArrowWriter, encode_arrow_schema};
use parquet::basic::{Compression, ZstdLevel};
use parquet::column::writer::ColumnCloseResult;
use parquet::file::metadata::{KeyValue, ParquetMetaData};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::Type;
use rayon::prelude::*;

use super::ask::LeftOut;
use crate::cards::score_job;
use crate::expr::{Column, Ints};
use crate::failure::in_order;
use crate::features::{Asked, FeatureTable};
use crate::input::file::OpenFile;
use crate::input::guard::guarded;
use crate::job::Job;
use crate::pieces::piece;
use crate::score::Scores;
use crate::signal;

/// What the rows of a spine come to.
pub(super) struct AnsweredRows<'a> {
    /// The job.
    pub job: &'a Job,
    /// One row a slot.
    pub features: &'a FeatureTable,
    /// What is asked: whose each slot is.
    pub asked: &'a Asked<'a>,
    /// By row of the spine.
    pub slots: &'a [Result<u32, LeftOut>],
    /// Whether scores are asked for, too.
    pub with_scores: bool,
}

/// The columns that are added, in order.
pub(super) fn added_fields(job: &Job, with_scores: bool) -> Vec<Field> {
    let field = |name: &str, kind: DataType| Field::new(name, kind, true);
    let mut fields = vec![field("left_out", DataType::Utf8)];
    fields.extend(job.features.iter().map(|feature| field(&feature.name, DataType::Int64)));
    if with_scores {
        let card = &job.scorecard;
        fields.extend([field("score", DataType::Int32), field("band", DataType::Utf8)]);
        fields.extend(card.dimensions.iter().map(|dimension| field(&dimension.name, DataType::Int32)));
        let points = job.points_columns().into_iter();
        let points = points.map(|one| format!("points_{}", job.features[one.feature].name));
        fields.extend(points.map(|name| field(&name, DataType::Int32)));
        let reasons = (1..=card.reasons).map(|number| field(&format!("reason_{number}"), DataType::Utf8));
        fields.extend(reasons);
        if !job.variants.segments.is_empty() {
            fields.push(field("segment", DataType::Utf8));
        }
        if job.variants.challenger.is_some() {
            fields.push(field("arm", DataType::Utf8));
            fields.extend(["champion_score", "challenger_score"].map(|name| field(name, DataType::Int32)));
        }
    }
    fields
}

/// Rows made and encoded at a time.
const BATCH_ROWS: usize = piece(32_768, 3);

impl AnsweredRows<'_> {
    /// Writes the spine with the added columns, in row groups like its own.
    pub fn write(&self, spine: &OpenFile, file: File) -> Result<()> {
        let added = Arc::new(Schema::new(added_fields(self.job, self.with_scores)));
        let footer = spine.footer();
        let own = footer.file_metadata().schema();
        let columns = ArrowSchemaConverter::new().convert(&added)?;
        let fields = own.get_fields().iter().chain(columns.root_schema().get_fields()).cloned();
        let root = Type::group_type_builder(own.name()).with_fields(fields.collect()).build()?;
        let properties = |entries| {
            let properties = WriterProperties::builder()
                .set_created_by("rescore".to_string())
                .set_key_value_metadata(entries)
                .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
                .set_statistics_enabled(EnabledStatistics::Chunk)
                .set_offset_index_disabled(true);
            anyhow::Ok(properties.build())
        };
        // The added columns are encoded as those of a file of their own.
        let alone = ArrowWriter::try_new(io::sink(), added.clone(), Some(properties(None)?))?;
        let (_, encoders) = alone.into_serialized_writer()?;
        let properties = properties(entries(footer, &added))?;
        let mut writer = SerializedFileWriter::new(file, Arc::new(root), Arc::new(properties))?;
        let mut first_row = 0;
        for number in 0..spine.row_groups.len() {
            let rows = first_row..first_row + spine.row_groups[number] as usize;
            let mut group = writer.next_row_group()?;
            carry(spine, number, &mut group)?;
            self.add(&added, &encoders, rows.clone(), &mut group)?;
            group.close()?;
            first_row = rows.end;
        }
        writer.finish()?;
        Ok(())
    }

    /// Encodes the added columns of some rows.
    fn add(
        &self,
        schema: &Schema,
        encoders: &ArrowRowGroupWriterFactory,
        rows: Range<usize>,
        group: &mut SerializedRowGroupWriter<File>,
    ) -> Result<()> {
        let mut encoders = encoders.create_column_writers(0)?;
        for start in rows.clone().step_by(BATCH_ROWS) {
            signal::check()?;
            let arrays = self.arrays(start..(start + BATCH_ROWS).min(rows.end));
            in_order(encoders.par_iter_mut().zip(arrays).zip(&schema.fields()[..]).map(
                |((encoder, array), field)| {
                    for leaf in compute_leaves(field, &array)? {
                        encoder.write(&leaf)?;
                    }
                    Ok(())
                },
            ))?;
        }
        for encoded in in_order(encoders.into_par_iter().map(|encoder| Ok(encoder.close()?)))? {
            encoded.append_to_row_group(group)?;
        }
        Ok(())
    }

    /// The added columns of some rows.
    fn arrays(&self, rows: Range<usize>) -> Vec<ArrayRef> {
        let slots = &self.slots[rows];
        let numbered = slots.iter().zip(0_u32..);
        let mut answered: Vec<(u32, u32)> =
            numbered.filter_map(|(slot, row)| Some((slot.ok()?, row))).collect();
        // A spine may be in any order: slot by slot, each part of the table is looked at once.
        answered.sort_unstable();
        // By row: its position among those that are answered.
        let mut positions = vec![None; slots.len()];
        answered
            .iter()
            .enumerate()
            .for_each(|(position, (_, row))| positions[*row as usize] = Some(position));
        let answered: Vec<u32> = answered.into_iter().map(|(slot, _)| slot).collect();
        let features: Vec<Column> = (0..self.job.features.len())
            .into_par_iter()
            .map(|feature| self.features.gather(feature, &answered))
            .collect();
        let left_out: StringArray = slots.iter().map(|slot| slot.err().map(LeftOut::name)).collect();
        let mut arrays: Vec<ArrayRef> = vec![Arc::new(left_out)];
        arrays.extend(features.iter().map(|column| match column {
            Column::Int(ints) => spread(&positions, ints),
            _ => unreachable!("features are integers"),
        }));
        if self.with_scores {
            let table = FeatureTable::of(&features);
            let accounts: Vec<u32> =
                answered.iter().map(|slot| self.asked.account(*slot as usize) as u32).collect();
            let scores = score_job(self.job, &table, &self.asked.accounts.ids.gather(&accounts));
            arrays.extend(self.score_arrays(&positions, &scores));
        }
        arrays
    }

    fn score_arrays(&self, positions: &[Option<usize>], scores: &Scores) -> Vec<ArrayRef> {
        let card = &self.job.scorecard;
        let ints = |values: &Vec<i32>| -> ArrayRef {
            Arc::new(
                positions
                    .iter()
                    .map(|position| position.map(|position| values[position]))
                    .collect::<Int32Array>(),
            )
        };
        let bands: StringArray = positions
            .iter()
            .map(|position| position.map(|position| &*card.bands[usize::from(scores.band[position])].name))
            .collect();
        let mut arrays: Vec<ArrayRef> = vec![ints(&scores.score), Arc::new(bands)];
        arrays.extend(scores.dimensions.iter().map(ints));
        let (job, assignment) = (self.job, &scores.assignment);
        arrays.extend(job.points_columns().iter().zip(&scores.points).map(|(column, points)| -> ArrayRef {
            let given = |position: usize| {
                column.characteristic[assignment.card(job, position)].map(|_| points[position])
            };
            Arc::new(positions.iter().map(|position| given((*position)?)).collect::<Int32Array>())
        }));
        arrays.extend(scores.reasons.iter().map(|reasons| -> ArrayRef {
            let code =
                |position: usize| Some(reasons[position]?.code(job.card(assignment.card(job, position))));
            Arc::new(positions.iter().map(|position| code((*position)?)).collect::<StringArray>())
        }));
        if !job.variants.segments.is_empty() {
            let name = |position| Some(job.variants.segments[assignment.segment(position)?].name.as_str());
            let names = positions.iter().map(|position| name((*position)?));
            arrays.push(Arc::new(names.collect::<StringArray>()));
        }
        if job.variants.challenger.is_some() {
            let arms = positions.iter().map(|position| Some(assignment.arm((*position)?).name()));
            arrays.push(Arc::new(arms.collect::<StringArray>()));
            arrays.extend([&scores.arms.champion, &scores.arms.challenger].map(ints));
        }
        arrays
    }
}

/// A feature by row; null where the row is not answered.
fn spread(positions: &[Option<usize>], ints: &Ints) -> ArrayRef {
    let values = positions.iter().map(|position| position.and_then(|position| ints.get(position).copied()));
    Arc::new(values.collect::<Int64Array>())
}

/// Copies the columns of one of the spine's row groups as they are: whatever they hold, nothing of it is
/// decoded.
fn carry(spine: &OpenFile, number: usize, group: &mut SerializedRowGroupWriter<File>) -> Result<()> {
    let chunks = spine.read_bytes(number)?;
    for column in spine.footer().row_group(number).columns() {
        let whole = ColumnCloseResult {
            bytes_written: column.compressed_size() as u64,
            rows_written: spine.row_groups[number],
            metadata: column.clone(),
            bloom_filter: None,
            column_index: None,
            offset_index: None,
        };
        group.append_column(&chunks, whole)?;
    }
    Ok(())
}

/// What the spine's writer says of the file as a whole; Arrow's own note of types is continued.
fn entries(footer: &Arc<ParquetMetaData>, added: &Schema) -> Option<Vec<KeyValue>> {
    let mut entries = footer.file_metadata().key_value_metadata()?.clone();
    let Some(note) = entries.iter().position(|entry| entry.key == ARROW_SCHEMA_META_KEY) else {
        return Some(entries);
    };
    let known = guarded(|| ArrowReaderMetadata::try_new(footer.clone(), ArrowReaderOptions::new()));
    match known {
        Ok(known) => {
            let fields = known.schema().fields().iter().cloned();
            let fields: Vec<_> = fields.chain(added.fields().iter().cloned()).collect();
            entries[note].value = Some(encode_arrow_schema(&Schema::new(fields)));
        }
        // Without it, types follow from the columns themselves.
        Err(_) => drop(entries.remove(note)),
    }
    Some(entries)
}
