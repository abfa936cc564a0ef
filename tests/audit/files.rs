//! The input files of a case, as Parquet in the types and names its formats ask for.

use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Int32Array, Int64Array, NullArray, RecordBatch,
    StringArray, TimestampMicrosecondArray, TimestampMillisecondArray, UInt32Array,
};
use arrow_schema::{Field, Schema};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;

use super::case::{Case, DataFile, Dates, Format, Input, Issued};
use super::value::{Kind, Value, date_text};

/// Digits of the decimals that money comes in.
const PRECISION: u8 = 15;

/// Writes all inputs below `data`.
pub fn write_inputs(case: &Case, directory: &Path) {
    let data = directory.join("data");
    for (name, input) in case.inputs() {
        for file in &input.files {
            write_file(case, input, file, &data.join(name).join(input.file_name(file)));
        }
    }
    let issued = case.issued.iter().flatten();
    let mut runs: Vec<i32> = issued.map(|issued| issued.run).collect();
    runs.dedup();
    for run in runs {
        write_issued(case, run, &data);
    }
}

/// Writes one file of an input.
pub fn write_file(case: &Case, input: &Input, file: &DataFile, path: &Path) {
    let is_there =
        |column: &str| !input.lacking.iter().any(|(day, name)| *day == file.delivery && *name == column);
    let columns = input.columns.iter().enumerate().filter(|(_, (column, _))| is_there(column));
    let columns = columns.map(|(place, (column, kind))| {
        let values: Vec<&Value> = file.rows.iter().map(|row| &row[place]).collect();
        let found = input.rename.get(*column).map_or(*column, String::as_str);
        (found.to_string(), array(case, input, file, column, *kind, &values))
    });
    write(path, columns.collect(), file.format);
}

fn write(path: &Path, columns: Vec<(String, ArrayRef)>, format: Format) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let fields = columns.iter().map(|(name, array)| Field::new(name, array.data_type().clone(), true));
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let arrays = columns.into_iter().map(|(_, array)| array).collect();
    let batch = RecordBatch::try_new(schema.clone(), arrays).unwrap();
    let properties = WriterProperties::builder()
        .set_dictionary_enabled(format.dictionary)
        .set_max_row_group_row_count(Some(format.row_group_rows));
    let file = File::create(path).unwrap();
    let mut writer = ArrowWriter::try_new(file, schema, Some(properties.build())).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

fn array(case: &Case, input: &Input, file: &DataFile, name: &str, kind: Kind, values: &[&Value]) -> ArrayRef {
    let ints = || values.iter().map(|value| value.small());
    if file.format.narrow_ints && values.iter().all(|value| value.is_null()) {
        return Arc::new(NullArray::new(values.len()));
    }
    match kind {
        Kind::Text => Arc::new(values.iter().map(|value| value.text()).collect::<StringArray>()),
        Kind::Bool => Arc::new(values.iter().map(|value| bool_of(value)).collect::<BooleanArray>()),
        Kind::Date => dates(case, values, file.format.dates),
        Kind::Int if input.money.contains(&name) && file.format.money_scale.is_some() => {
            money(case, values, file.format)
        }
        Kind::Int => {
            let narrow: Option<Vec<Option<i32>>> =
                ints().map(|value| value.map(i32::try_from).transpose().ok()).collect();
            match narrow {
                Some(narrow)
                    if file.format.narrow_ints && narrow.iter().flatten().all(|value| *value >= 0) =>
                {
                    Arc::new(narrow.into_iter().map(|value| value.map(|v| v as u32)).collect::<UInt32Array>())
                }
                Some(narrow) if file.format.narrow_ints => Arc::new(Int32Array::from(narrow)),
                _ => Arc::new(ints().map(|value| value.map(|value| value as i64)).collect::<Int64Array>()),
            }
        }
    }
}

/// Whether the column at a position has the type that holds nothing but nulls.
pub fn stores_nulls(file: &DataFile, place: usize) -> bool {
    file.format.narrow_ints && file.rows.iter().all(|row| row[place].is_null())
}

fn bool_of(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(truth) => Some(*truth),
        _ => None,
    }
}

/// Money as decimals where the file's scale can hold every amount, else as Int64 minor units.
fn money(case: &Case, values: &[&Value], format: Format) -> ArrayRef {
    let ints: Vec<Option<i128>> = values.iter().map(|value| value.small()).collect();
    let minor_units = case.job.minor_units;
    let unscaled = |value: i128, scale: u32| match scale.checked_sub(minor_units) {
        Some(more) => Some(value * 10_i128.pow(more)),
        None => {
            (value % 10_i128.pow(minor_units - scale) == 0).then(|| value / 10_i128.pow(minor_units - scale))
        }
    };
    let holds = |value: &i128| value.abs() < 10_i128.pow(PRECISION.into());
    let scaled = format.money_scale.and_then(|scale| {
        let amount = |value: &Option<i128>| {
            value.map(|value| unscaled(value, scale).filter(holds)).map_or(Some(None), |v| v.map(Some))
        };
        let amounts: Option<Vec<Option<i128>>> = ints.iter().map(amount).collect();
        Some(Decimal128Array::from(amounts?).with_precision_and_scale(PRECISION, scale as i8).unwrap())
    });
    match scaled {
        Some(array) => Arc::new(array),
        None => Arc::new(ints.iter().map(|value| value.map(|value| value as i64)).collect::<Int64Array>()),
    }
}

/// Dates, or instants at various hours of them.
fn dates(case: &Case, values: &[&Value], stored: Dates) -> ArrayRef {
    const HOUR_SECONDS: i64 = 3600;
    let seconds = |row: usize, value: &Value| {
        let of_day = [0, 86_399, 7 * HOUR_SECONDS + 59 * 60, 16 * HOUR_SECONDS][row % 4];
        value.date().map(|day| i64::from(day) * 24 * HOUR_SECONDS + of_day)
    };
    let seconds = values.iter().enumerate().map(|(row, value)| seconds(row, value));
    // Instants reach less far than dates.
    const FAR_DAYS: u32 = 100_000;
    let is_far = values.iter().filter_map(|value| value.date()).any(|day| day.unsigned_abs() > FAR_DAYS);
    match if is_far { Dates::Date32 } else { stored } {
        Dates::Date32 => Arc::new(values.iter().map(|value| value.date()).collect::<Date32Array>()),
        Dates::Local => {
            let millis = seconds.map(|seconds| seconds.map(|seconds| seconds * 1000));
            Arc::new(millis.collect::<TimestampMillisecondArray>())
        }
        Dates::Zoned => {
            let ahead = if case.job.timezone == "Asia/Shanghai" { 8 * HOUR_SECONDS } else { 0 };
            let micros = seconds.map(|seconds| seconds.map(|seconds| (seconds - ahead) * 1_000_000));
            Arc::new(micros.collect::<TimestampMicrosecondArray>().with_timezone("UTC"))
        }
    }
}

/// A run's adjustments, in the columns that bear on later runs and some that do not.
fn write_issued(case: &Case, run: i32, data: &Path) {
    let of_run = || case.issued.iter().flatten().filter(|issued| issued.run == run);
    let ids: Vec<&Value> = of_run().map(|issued| &issued.account).collect();
    let text = |of: fn(&Issued) -> &str| -> ArrayRef {
        Arc::new(of_run().map(|i| Some(of(i))).collect::<StringArray>())
    };
    let accounts: ArrayRef = match case.account_kind {
        Kind::Text => Arc::new(ids.iter().map(|id| id.text()).collect::<StringArray>()),
        _ => Arc::new(ids.iter().map(|id| id.small().map(|id| id as i64)).collect::<Int64Array>()),
    };
    let columns: Vec<(String, ArrayRef)> = vec![
        ("account_id".into(), accounts),
        ("product".into(), text(|issued| &issued.product)),
        ("action".into(), text(|issued| if issued.is_withdrawal { "withdraw" } else { "lower" })),
        ("reason".into(), text(|issued| &issued.reason)),
        ("new_limit".into(), Arc::new(of_run().map(|i| Some(i.new_limit)).collect::<Int64Array>())),
        ("new_status".into(), text(|issued| issued.new_status)),
        ("effective_on".into(), Arc::new(of_run().map(|i| Some(i.effective_on)).collect::<Date32Array>())),
    ];
    let format = Format {
        money_scale: None,
        dates: Dates::Date32,
        narrow_ints: false,
        dictionary: true,
        row_group_rows: 1000,
    };
    write(&data.join(format!("issued/date={}/adjustments.parquet", date_text(run))), columns, format);
}
