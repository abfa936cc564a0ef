//! A history as tables of integers and texts, and those as compact Parquet.

use std::sync::Arc;

use anyhow::{Context, Result, bail};
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties};

use crate::pieces::piece;

/// A column of a table.
#[derive(Debug, Clone)]
pub enum Values {
    /// Integers; small steps from one to the next take few bits.
    Ints(Vec<i64>),
    /// Texts.
    Texts(Vec<Arc<str>>),
}

/// A table of the state.
#[derive(Debug)]
pub struct Table {
    /// Its file without the extension.
    pub name: String,
    /// All of one length.
    pub columns: Vec<Values>,
}

/// Rows decoded at a time.
const BATCH_ROWS: usize = piece(65_536, 3);

impl Table {
    /// A table of integers made row by row.
    pub fn of_rows<const N: usize>(name: String, rows: impl Iterator<Item = [i64; N]>) -> Table {
        let room = rows.size_hint().0;
        let mut columns: [Vec<i64>; N] = std::array::from_fn(|_| Vec::with_capacity(room));
        for row in rows {
            columns.iter_mut().zip(row).for_each(|(column, value)| column.push(value));
        }
        Table { name, columns: columns.into_iter().map(Values::Ints).collect() }
    }

    /// A table of one column of texts.
    pub fn of_texts(name: &str, texts: Vec<Arc<str>>) -> Table {
        Table { name: name.to_string(), columns: vec![Values::Texts(texts)] }
    }

    /// Its rows, where all columns are integers.
    pub fn rows<const N: usize>(&self) -> Result<impl Iterator<Item = [i64; N]> + '_> {
        let columns: Vec<&[i64]> = self.columns.iter().map(Values::ints).collect::<Result<_>>()?;
        let Ok(columns) = <[&[i64]; N]>::try_from(columns) else {
            bail!("table {} has not {N} columns", self.name);
        };
        Ok((0..self.len()).map(move |row| columns.map(|column| column[row])))
    }

    /// How many rows it has.
    pub fn len(&self) -> usize {
        match self.columns.first() {
            None => 0,
            Some(Values::Ints(ints)) => ints.len(),
            Some(Values::Texts(texts)) => texts.len(),
        }
    }

    /// As Parquet.
    pub fn encode(self) -> Result<Vec<u8>> {
        let properties = WriterProperties::builder()
            .set_dictionary_enabled(false)
            .set_statistics_enabled(EnabledStatistics::None)
            .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?));
        let mut fields = Vec::new();
        let mut arrays: Vec<ArrayRef> = Vec::new();
        let mut properties = properties;
        for (number, column) in self.columns.into_iter().enumerate() {
            let name = number.to_string();
            let (kind, array, encoding): (_, ArrayRef, _) = match column {
                Values::Ints(ints) => {
                    properties =
                        properties.set_column_compression(name.clone().into(), Compression::UNCOMPRESSED);
                    (DataType::Int64, Arc::new(Int64Array::from(ints)), Encoding::DELTA_BINARY_PACKED)
                }
                Values::Texts(texts) => {
                    let texts: StringArray = texts.iter().map(|text| Some(&**text)).collect();
                    (DataType::Utf8, Arc::new(texts), Encoding::DELTA_BYTE_ARRAY)
                }
            };
            properties = properties.set_column_encoding(name.clone().into(), encoding);
            fields.push(Field::new(name, kind, false));
            arrays.push(array);
        }
        let schema = Arc::new(Schema::new(fields));
        let mut writer = ArrowWriter::try_new(Vec::new(), schema.clone(), Some(properties.build()))?;
        writer.write(&RecordBatch::try_new(schema, arrays)?)?;
        Ok(writer.into_inner()?)
    }

    /// From Parquet.
    pub fn decode(name: &str, bytes: Vec<u8>) -> Result<Table> {
        let builder = ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::from(bytes))?;
        let fields = builder.schema().fields().len();
        let rows = builder.metadata().file_metadata().num_rows() as usize;
        let is_text = |field: usize| builder.schema().field(field).data_type() == &DataType::Utf8;
        let mut columns: Vec<Values> = (0..fields)
            .map(|field| match is_text(field) {
                true => Values::Texts(Vec::with_capacity(rows)),
                false => Values::Ints(Vec::with_capacity(rows)),
            })
            .collect();
        for batch in builder.with_batch_size(BATCH_ROWS).build()? {
            let batch = batch?;
            for (column, array) in columns.iter_mut().zip(batch.columns()) {
                match column {
                    Values::Ints(ints) => {
                        let array = array.as_primitive_opt::<Int64Type>().context("a column of integers")?;
                        ints.extend_from_slice(array.values());
                    }
                    Values::Texts(texts) => {
                        let array = array.as_string_opt::<i32>().context("a column of texts")?;
                        texts.extend((0..array.len()).map(|row| Arc::from(array.value(row))));
                    }
                }
            }
        }
        Ok(Table { name: name.to_string(), columns })
    }
}

impl Values {
    /// The integers.
    pub fn ints(&self) -> Result<&[i64]> {
        match self {
            Values::Ints(ints) => Ok(ints),
            Values::Texts(_) => bail!("texts where integers are wanted"),
        }
    }
}
