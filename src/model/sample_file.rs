//! sample.parquet: how a sample is written, and read back the strict way.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use arrow_array::Int64Array;
use arrow_buffer::NullBuffer;
use arrow_schema::DataType;

use super::definitions::FeatureDefinitions;
use super::sample::{ModelSample, RowOutcome, SampleOrigin, SamplePart, SpineColumn};
use crate::console::Progress;
use crate::expr::{Column, Ints, Texts, Type};
use crate::failure::input;
use crate::input::file::OpenFile;
use crate::input::wanted::{Role, Units, Wanted};
use crate::input::whole::{open_whole, read_whole};
use crate::job::{InputSpec, input_names};
use crate::own::{UserFile, unwritable};
use crate::publish::encode::write_parquet;
use crate::publish::output_table::OutputTable;
use crate::spine::days_of;

/// The key of the metadata that holds [`FeatureDefinitions::hash`].
pub const FEATURES_KEY: &str = "rescore.features";

/// The key of [`FeatureDefinitions::to_json`].
pub const DEFINITIONS_KEY: &str = "rescore.definitions";

/// The key of [`SampleOrigin::model`].
pub const MODEL_KEY: &str = "rescore.model";

impl ModelSample {
    /// Writes it as Parquet, whole or not at all.
    pub fn write(&self, path: &Path) -> Result<()> {
        let out = UserFile::create(path)?;
        let features = &self.origin.features;
        let metadata = [
            (FEATURES_KEY, features.hash()),
            (DEFINITIONS_KEY, features.to_json()),
            (MODEL_KEY, self.origin.model.clone()),
        ];
        write_parquet(&self.table(), out.handle()?, path, &metadata).map_err(unwritable)?;
        out.finish()
    }

    fn table(&self) -> OutputTable<'_> {
        let mut table = OutputTable::new("sample", self.len());
        let kind = if matches!(self.account, Column::Text(_)) { Type::Text } else { Type::Int };
        table.column("account_id", kind, &self.account, |row| row);
        table.date_or_null("as_of", |row| self.as_of[row]);
        if let Some(product) = &self.product {
            table.text_or_null("product", |row| product.get(row));
        }
        table.int64("weight", |row| self.weight[row]);
        table.text("outcome", |row| self.outcome[row].name());
        table.text("part", |row| self.part[row].name());
        for (name, ints) in self.names.iter().zip(&self.features) {
            table.add(name, DataType::Int64, true, |rows| {
                let valid = ints.valid.as_ref().map(|valid| NullBuffer::from(&valid[rows.clone()]));
                Arc::new(Int64Array::new(ints.values[rows].to_vec().into(), valid))
            });
        }
        for SpineColumn { name, kind, values } in &self.extra {
            table.column(name, *kind, values, |row| row);
        }
        table
    }

    /// Reads a sample that this program wrote. Whatever it does not understand is an error.
    pub fn read(path: &Path) -> Result<ModelSample> {
        let spec = InputSpec::of_file(input_names::SAMPLE, path);
        let file = open_whole(&spec, path)?;
        let origin = origin(&file)?;
        let units = Units { minor_units: 0, timezone: None };
        let mut wanted = vec![
            Wanted::new("account_id", Role::Id),
            Wanted::new("as_of", Role::Date),
            Wanted::new("weight", Role::Extra).of(Type::Int),
            Wanted::new("outcome", Role::Text).of(Type::Text),
            Wanted::new("part", Role::Text).of(Type::Text),
        ];
        let names: Vec<String> =
            origin.features.features.iter().map(|feature| feature.name.clone()).collect();
        wanted.extend(names.iter().map(|name| Wanted::new(name, Role::Extra).of(Type::Int)));
        let columns = file.columns(&spec);
        let has_products = columns.iter().any(|(name, _)| name == "product");
        if has_products {
            wanted.push(Wanted::new("product", Role::Text).of(Type::Text));
        }
        let made = wanted.len();
        for (name, kind) in columns {
            if let (false, Ok(kind)) = (wanted.iter().any(|wanted| wanted.name == name), kind) {
                wanted.push(Wanted::new(&name, Role::Extra).of(kind));
            }
        }
        let mut columns = read_whole(&file, &spec, &wanted, &units, &Progress::hidden())?;
        let extra = wanted[made..].iter().zip(columns.drain(made..)).map(|(wanted, values)| {
            let Wanted { name, kind, .. } = wanted;
            SpineColumn { name: name.clone(), kind: *kind, values }
        });
        let extra = extra.collect();
        let product = if has_products { columns.pop().map(texts) } else { None };
        let mut columns = columns.into_iter();
        let mut next = || columns.next().expect("as many as wanted");
        let (account, as_of, weight) = (next(), ints(next()), ints(next()));
        let (outcome, part) = (texts(next()), texts(next()));
        let sample = ModelSample {
            as_of: days_of(&as_of).collect(),
            product,
            weight: weights(&weight, &file)?,
            outcome: named(&outcome, "outcome", RowOutcome::parse, &file)?,
            part: named(&part, "part", SamplePart::parse, &file)?,
            names,
            features: columns.map(ints).collect(),
            extra,
            account,
            hash: file.sha256().with_context(|| format!("hash {}", path.display()))?.to_string(),
            origin,
        };
        file.check_unchanged()?;
        Ok(sample)
    }
}

/// What a file says of its origin.
fn origin(file: &OpenFile) -> Result<SampleOrigin> {
    let entries = file.footer().file_metadata().key_value_metadata().into_iter().flatten();
    let of = |key: &str| entries.clone().find(|entry| entry.key == key).and_then(|entry| entry.value.clone());
    let features = of(DEFINITIONS_KEY).and_then(|json| FeatureDefinitions::from_json(&json));
    let found = features.filter(|features| of(FEATURES_KEY).is_some_and(|hash| hash == features.hash()));
    match (found, of(MODEL_KEY)) {
        (Some(features), Some(model)) => Ok(SampleOrigin { features, model }),
        _ => Err(input(format!(
            "{}: it is no sample that `rescore sample` drew: draw it from the model file",
            file.subject
        ))),
    }
}

fn named<T>(
    texts: &Texts,
    column: &str,
    parse: impl Fn(&str) -> Option<T>,
    file: &OpenFile,
) -> Result<Vec<T>> {
    let rows = 0..texts.codes.len();
    let values = rows.map(|row| {
        texts.get(row).and_then(&parse).ok_or_else(|| {
            let found = texts.get(row).unwrap_or("null");
            input(format!(
                "{}: row {row} has {column} {found}, which no sample has: draw it again",
                file.subject
            ))
        })
    });
    values.collect()
}

fn weights(weight: &Ints, file: &OpenFile) -> Result<Vec<i64>> {
    match (0..weight.values.len()).find(|row| weight.get(*row).is_none_or(|weight| *weight < 0)) {
        None => Ok(weight.values.clone()),
        Some(row) => {
            Err(input(format!("{}: row {row} has no weight of 0 or more: draw it again", file.subject)))
        }
    }
}

fn ints(column: Column) -> Ints {
    match column {
        Column::Int(ints) => ints,
        _ => unreachable!("it is wanted as integers"),
    }
}

fn texts(column: Column) -> Texts {
    match column {
        Column::Text(texts) => texts,
        _ => unreachable!("it is wanted as text"),
    }
}
