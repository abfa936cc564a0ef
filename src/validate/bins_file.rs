//! bins.parquet: a row for every bin of every characteristic, by part and by month.

use std::sync::Arc;

use anyhow::Result;
use arrow_array::{ArrayRef, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray};
use arrow_schema::{Field, Schema};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use super::characteristics::{BinFigures, CharacteristicFigures};
use super::slices::ALL;

/// A row of the file.
struct BinFileRow<'a> {
    feature: &'a str,
    number: usize,
    bin: &'a BinFigures,
    part: &'a str,
    month: Option<&'a str>,
    rows: u64,
    good: u64,
    bad: u64,
    woe: Option<f64>,
    predicted: Option<f64>,
}

/// The file's bytes.
pub fn bins_parquet(characteristics: &[CharacteristicFigures]) -> Result<Vec<u8>> {
    let rows: Vec<BinFileRow> = characteristics.iter().flat_map(rows_of).collect();
    let texts = |of: fn(&BinFileRow) -> Option<String>| -> ArrayRef {
        Arc::new(rows.iter().map(of).collect::<StringArray>())
    };
    let ints = |of: fn(&BinFileRow) -> Option<i64>| -> ArrayRef {
        Arc::new(rows.iter().map(of).collect::<Int64Array>())
    };
    let doubles = |of: fn(&BinFileRow) -> Option<f64>| -> ArrayRef {
        Arc::new(rows.iter().map(of).collect::<Float64Array>())
    };
    let numbers: Int32Array = rows.iter().map(|row| Some(row.number as i32)).collect();
    let points: Int32Array = rows.iter().map(|row| Some(row.bin.points)).collect();
    let columns: [(&str, ArrayRef); 13] = [
        ("feature", texts(|row| Some(row.feature.to_string()))),
        ("bin_number", Arc::new(numbers)),
        ("bin", texts(|row| Some(row.bin.bin.clone()))),
        ("from", ints(|row| row.bin.from)),
        ("below", ints(|row| row.bin.below)),
        ("points", Arc::new(points)),
        ("part", texts(|row| Some(row.part.to_string()))),
        ("month", texts(|row| row.month.map(str::to_string))),
        ("rows", ints(|row| i64::try_from(row.rows).ok())),
        ("good", ints(|row| i64::try_from(row.good).ok())),
        ("bad", ints(|row| i64::try_from(row.bad).ok())),
        ("woe", doubles(|row| row.woe)),
        ("predicted_bad_rate", doubles(|row| row.predicted)),
    ];
    let fields = columns.iter().map(|(name, array)| Field::new(*name, array.data_type().clone(), true));
    let schema = Arc::new(Schema::new(fields.collect::<Vec<Field>>()));
    let batch = RecordBatch::try_new(schema.clone(), columns.into_iter().map(|(_, array)| array).collect())?;
    let properties = WriterProperties::builder()
        .set_created_by("rescore".to_string())
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
        .build();
    let mut writer = ArrowWriter::try_new(Vec::new(), schema, Some(properties))?;
    writer.write(&batch)?;
    Ok(writer.into_inner()?)
}

fn rows_of(characteristic: &CharacteristicFigures) -> Vec<BinFileRow<'_>> {
    let mut rows = Vec::new();
    for (number, bin) in characteristic.bins.iter().enumerate() {
        let feature = characteristic.feature.as_str();
        rows.extend(bin.parts.iter().map(|(part, outcomes)| BinFileRow {
            feature,
            number,
            bin,
            part,
            month: None,
            rows: outcomes.rows,
            good: outcomes.good,
            bad: outcomes.bad,
            woe: outcomes.woe,
            predicted: outcomes.predicted_bad_rate,
        }));
        rows.extend(characteristic.months.iter().map(|month| {
            let count = &month.bins[number];
            let (good, bad) = (count.outcomes.good, count.outcomes.bad);
            let month = Some(month.month.as_str());
            let rows = count.rows;
            BinFileRow { feature, number, bin, part: ALL, month, rows, good, bad, woe: None, predicted: None }
        }));
    }
    rows
}
