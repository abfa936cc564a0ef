//! The answer to a statement as it leaves: a table for people, JSON lines, CSV, Parquet. Integers stay integers.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Result, anyhow};
use arrow_array::{ArrayRef, BooleanArray, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use serde_json::Value;

use crate::console::{plural, table_of_width};
use crate::day::Day;
use crate::failure::{Kind, failure, input};
use crate::frame::sql::{SqlAnswer, SqlColumn};
use crate::own::UserFile;

/// Rows that a table for people has at most.
const MOST_ROWS: usize = 40;

/// As many columns as fit are shown where the terminal's width is known.
const MARGIN: usize = 2;

impl SqlColumn {
    /// A cell as text; `None` where null.
    fn text(&self, row: usize) -> Option<String> {
        match self {
            SqlColumn::Int(values) => values[row].map(|value| value.to_string()),
            SqlColumn::Float(values) => values[row].map(|value| value.to_string()),
            SqlColumn::Text(values) => values[row].clone(),
            SqlColumn::Bool(values) => values[row].map(|value| value.to_string()),
            SqlColumn::Date(values) => values[row].map(|days| Day(days).to_string()),
        }
    }

    /// A cell as JSON; integers as they are, however large.
    fn json(&self, row: usize) -> String {
        let text = self.text(row);
        match self {
            SqlColumn::Int(_) | SqlColumn::Bool(_) => text.unwrap_or_else(|| "null".to_string()),
            SqlColumn::Float(values) => values[row].map_or(Value::Null, Value::from).to_string(),
            SqlColumn::Text(_) | SqlColumn::Date(_) => text.map_or(Value::Null, Value::from).to_string(),
        }
    }

    fn field(&self, name: &str) -> Field {
        let kind = match self {
            SqlColumn::Int(_) => DataType::Int64,
            SqlColumn::Float(_) => DataType::Float64,
            SqlColumn::Text(_) => DataType::Utf8,
            SqlColumn::Bool(_) => DataType::Boolean,
            SqlColumn::Date(_) => DataType::Date32,
        };
        Field::new(name, kind, true)
    }

    /// As an array of Arrow; fails where an integer does not fit in 64 bits.
    fn array(&self, name: &str) -> Result<ArrayRef> {
        Ok(match self {
            SqlColumn::Int(values) => {
                let fitting = values.iter().map(|value| value.map(i64::try_from).transpose());
                let fitting = fitting.collect::<Result<Vec<Option<i64>>, _>>();
                let fitting = fitting
                    .map_err(|_| input(format!("query: {name} has a value that does not fit in 64 bits")))?;
                Arc::new(Int64Array::from(fitting))
            }
            SqlColumn::Float(values) => Arc::new(Float64Array::from(values.clone())),
            SqlColumn::Text(values) => {
                Arc::new(values.iter().map(|value| value.as_deref()).collect::<StringArray>())
            }
            SqlColumn::Bool(values) => Arc::new(BooleanArray::from(values.clone())),
            SqlColumn::Date(values) => Arc::new(Date32Array::from(values.clone())),
        })
    }
}

/// A table of the first rows; of columns, as many as fit in so many characters a line, where that is given.
pub fn for_people(answer: &SqlAnswer, width: Option<usize>) -> String {
    let shown = answer.rows.min(MOST_ROWS);
    let rows = |columns: usize| -> Vec<Vec<String>> {
        let cells = |row: usize| {
            let columns = answer.columns[..columns].iter();
            columns.map(|(_, column)| column.text(row).unwrap_or_default()).collect()
        };
        (0..shown).map(cells).collect()
    };
    let laid_out = |columns: usize| {
        let header: Vec<&str> = answer.columns[..columns].iter().map(|(name, _)| name.as_str()).collect();
        table_of_width(&header, &rows(columns), None)
    };
    let fits = |text: &str| {
        let widest = text.lines().map(|line| line.chars().count()).max().unwrap_or_default();
        width.is_none_or(|width| widest + MARGIN <= width.max(MARGIN))
    };
    let mut columns = answer.columns.len();
    let mut text = laid_out(columns);
    while columns > 1 && !fits(&text) {
        columns -= 1;
        text = laid_out(columns);
    }
    let mut more = Vec::new();
    let unshown = [(answer.rows - shown, "row"), (answer.columns.len() - columns, "column")];
    for (count, what) in unshown.into_iter().filter(|(count, _)| *count > 0) {
        more.push(plural(count, what).replacen(' ', " more ", 1));
    }
    if more.is_empty() {
        return text;
    }
    format!("{text}\n  … and {}: --csv or --out FILE for all", more.join(" and "))
}

/// A JSON object a row, a line each.
pub fn json_lines(answer: &SqlAnswer) -> String {
    let mut lines = String::new();
    for row in 0..answer.rows {
        lines.push('{');
        for (number, (name, column)) in answer.columns.iter().enumerate() {
            // By hand, as the order of columns is that of the statement.
            let comma = if number == 0 { "" } else { "," };
            let (name, value) = (Value::from(name.as_str()), column.json(row));
            lines.push_str(&format!("{comma}{name}:{value}"));
        }
        lines.push_str("}\n");
    }
    lines
}

/// CSV with a line of names; a null is an empty cell.
pub fn csv_bytes(answer: &SqlAnswer) -> Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(answer.columns.iter().map(|(name, _)| name))?;
    for row in 0..answer.rows {
        writer.write_record(answer.columns.iter().map(|(_, column)| column.text(row).unwrap_or_default()))?;
    }
    writer.into_inner().map_err(|error| anyhow!("write CSV: {error}"))
}

/// Writes an answer to a file of the user's, Parquet or CSV by its ending; whether that is standard output, so that
/// nothing else should be written there.
pub fn write_file(answer: &SqlAnswer, path: &Path) -> Result<bool> {
    let bytes = match path.extension().and_then(|ending| ending.to_str()) {
        Some("csv") => csv_bytes(answer)?,
        Some("parquet") => parquet_bytes(answer)?,
        _ => {
            let message = format!("write {}: name a file that ends in .parquet or .csv", path.display());
            return Err(failure(Kind::Usage, message));
        }
    };
    let file = UserFile::create(path)?;
    let is_stdout = file.is_stdout();
    file.write(&bytes)?;
    Ok(is_stdout)
}

fn parquet_bytes(answer: &SqlAnswer) -> Result<Vec<u8>> {
    let fields: Vec<Field> = answer.columns.iter().map(|(name, column)| column.field(name)).collect();
    let schema = Arc::new(Schema::new(fields));
    let arrays: Result<Vec<ArrayRef>> =
        answer.columns.iter().map(|(name, column)| column.array(name)).collect();
    let batch = RecordBatch::try_new(schema.clone(), arrays?)?;
    let properties = WriterProperties::builder()
        .set_created_by("rescore".to_string())
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
        .build();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(bytes.by_ref(), schema, Some(properties))?;
    writer.write(&batch)?;
    writer.close()?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(rows: usize) -> SqlAnswer {
        let int = SqlColumn::Int((0..rows).map(|row| Some(row as i128)).collect());
        let text = SqlColumn::Text((0..rows).map(|row| (row > 0).then(|| "a, \"b\"".to_string())).collect());
        SqlAnswer { rows, columns: vec![("n".to_string(), int), ("t".to_string(), text)] }
    }

    #[test]
    fn a_table_says_what_it_leaves_out() {
        let text = for_people(&answer(43), None);
        assert!(text.ends_with("… and 3 more rows: --csv or --out FILE for all"), "{text}");
        assert!(!for_people(&answer(40), None).contains("more"));
        let narrow = for_people(&answer(2), Some(8));
        assert!(narrow.ends_with("… and 1 more column: --csv or --out FILE for all"), "{narrow}");
    }

    #[test]
    fn integers_are_integers_everywhere() {
        let large = i128::from(i64::MAX) * 3;
        let values = vec![Some(9_007_199_254_740_993), None, Some(large)];
        let answer = SqlAnswer { rows: 3, columns: vec![("a".to_string(), SqlColumn::Int(values))] };
        let lines = json_lines(&answer);
        assert_eq!(lines, format!("{{\"a\":9007199254740993}}\n{{\"a\":null}}\n{{\"a\":{large}}}\n"));
        let csv = String::from_utf8(csv_bytes(&answer).unwrap()).unwrap();
        assert_eq!(csv, format!("a\n9007199254740993\n\"\"\n{large}\n"));
        let error = parquet_bytes(&answer).unwrap_err();
        assert!(error.to_string().contains("a has a value that does not fit in 64 bits"), "{error}");
    }
}
