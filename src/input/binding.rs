//! The columns of an input against the contract: which a file has, of which types, and how each is decoded.

use std::sync::Arc;

use anyhow::Result;
use arrow_schema::{DataType, Field, Schema};
use jiff::tz::TimeZone;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};

use super::decode::Decoder;
use super::file::OpenFile;
use crate::expr::Type;
use crate::failure::input;
use crate::job::InputSpec;

/// What a column is to the contract; says which Parquet types will do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// An account or bill id: Int64 or text.
    Id,
    /// Text.
    Text,
    /// Int64 minor units, or Decimal with no more places than minor units.
    Money,
    /// Date32, or Timestamp.
    Date,
    /// An extra column: integers, text, Booleans or dates.
    Extra,
}

/// A column to read.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Its contract name.
    pub name: String,
    /// What will do.
    pub role: Role,
    /// Whether a file without it is read as if it held nulls.
    pub optional: bool,
    /// What it is in every file; `Any` where that is not known.
    pub kind: Type,
}

impl Wanted {
    /// A column that must be there.
    pub fn new(name: &str, role: Role) -> Wanted {
        Wanted { name: name.to_string(), role, optional: false, kind: Type::Any }
    }

    /// A column that must be of one type in every file.
    pub fn of(self, kind: Type) -> Wanted {
        Wanted { kind, ..self }
    }
}

/// What decoding depends on besides the file.
#[derive(Debug, Clone)]
pub struct Units {
    /// Decimal places of money.
    pub minor_units: u32,
    /// Where an instant becomes a date.
    pub timezone: Option<TimeZone>,
}

/// The columns to decode, bound to one file.
pub struct Binding {
    pub(super) mask: ProjectionMask,
    pub(super) metadata: ArrowReaderMetadata,
    /// By wanted column.
    pub(super) columns: Vec<Bound>,
}

/// Where a wanted column comes from.
pub(super) enum Bound {
    /// Where it comes in the projected batch, and how it is decoded.
    Read(usize, Decoder),
    /// The file has none: nulls.
    Missing,
    /// Nobody looks at it: a column without rows.
    Unread,
}

impl OpenFile {
    fn fields(&self) -> &Schema {
        self.metadata.schema()
    }

    /// The file's columns under their contract names; `Err` names the type of one that no expression
    /// can take.
    pub fn columns(&self, spec: &InputSpec) -> Vec<(String, Result<Type, String>)> {
        let contract_name = |field: &Field| {
            let renamed = spec.rename.iter().find(|(_, file_name)| *file_name == field.name());
            renamed.map_or(field.name().clone(), |(name, _)| name.clone())
        };
        // A column whose name the job gives to another one is out of sight.
        let is_hidden = |field: &Field| spec.file_column(field.name()) != field.name();
        let fields = self.fields().fields().iter().filter(|field| !is_hidden(field));
        fields
            .map(|field| {
                let kind = Decoder::for_extra(field.data_type()).map(|decoder| decoder.kind());
                (contract_name(field), kind.ok_or_else(|| type_name(field.data_type())))
            })
            .collect()
    }

    /// Checks the wanted columns against the file and prepares to read them.
    pub fn bind(&self, spec: &InputSpec, wanted: &[Wanted], units: &Units) -> Result<Binding> {
        self.bind_only(spec, wanted, units, &vec![true; wanted.len()])
    }

    /// Checks the wanted columns against the file and prepares to read those that are needed.
    pub fn bind_only(
        &self,
        spec: &InputSpec,
        wanted: &[Wanted],
        units: &Units,
        needed: &[bool],
    ) -> Result<Binding> {
        let schema = self.fields();
        let mut roots = Vec::new();
        let mut found = Vec::new();
        for (column, is_needed) in wanted.iter().zip(needed) {
            let name = spec.file_column(&column.name);
            match schema.fields().iter().position(|field| field.name() == name) {
                Some(root) => {
                    let decoder = self.decoder(column, name, root, units)?;
                    if *is_needed {
                        roots.push(root);
                        found.push(Bound::Read(root, decoder));
                    } else {
                        found.push(Bound::Unread);
                    }
                }
                None if column.optional && name == column.name => found.push(Bound::Missing),
                None => {
                    let names: Vec<&str> =
                        schema.fields().iter().map(|field| field.name().as_str()).collect();
                    return Err(input(format!(
                        "{}: there is no column {name}; it has {}: deliver it, or name it in [rename.{}]",
                        self.subject,
                        names.join(", "),
                        spec.name
                    )));
                }
            }
        }
        roots.sort_unstable();
        roots.dedup();
        let columns = found.into_iter().map(|column| match column {
            Bound::Read(root, decoder) => {
                Bound::Read(roots.binary_search(&root).expect("projected"), decoder)
            }
            other => other,
        });
        let columns: Vec<Bound> = columns.collect();
        let mask = ProjectionMask::roots(self.metadata.parquet_schema(), roots.iter().copied());
        let metadata = self.hinted(&roots, &columns)?;
        Ok(Binding { mask, metadata, columns })
    }

    fn decoder(&self, column: &Wanted, name: &str, root: usize, units: &Units) -> Result<Decoder> {
        let found = self.fields().field(root).data_type();
        let wrong = |wants: &str, fix: &str| {
            let found = type_name(found);
            Err(input(format!("{}: {name} is {found}; {wants}: {fix}", self.subject)))
        };
        match Decoder::for_role(column.role, found, units) {
            Some(decoder) if column.kind.unify(decoder.kind()).is_none() => {
                let (own, other) = (decoder.kind().name(), column.kind.name());
                let message =
                    format!("{name} is {own}; elsewhere it is {other}: it must be the same in every file");
                Err(input(format!("{}: {message}", self.subject)))
            }
            Some(decoder) => Ok(decoder),
            None => match (column.role, found) {
                (Role::Money, DataType::Decimal128(_, scale) | DataType::Decimal256(_, scale)) => wrong(
                    &format!("it has {scale} decimal places and minor_units is {}", units.minor_units),
                    "raise minor_units, or round it upstream",
                ),
                (Role::Money, _) => wrong("money is Int64 minor units or Decimal", "cast it upstream"),
                (Role::Id, _) => wrong("ids are Int64 or text", "cast it upstream"),
                (Role::Text, _) => wrong("it must be text", "cast it upstream"),
                (Role::Date | Role::Extra, DataType::Timestamp(_, Some(_))) => wrong(
                    "the job does not say in which time zone its dates lie",
                    "set `timezone` in the job file",
                ),
                (Role::Date, _) => wrong("dates are Date32 or Timestamp", "cast it upstream"),
                (Role::Extra, _) => {
                    wrong("expressions take integers, text, Booleans and dates", "cast it upstream")
                }
            },
        }
    }

    /// The metadata with the reader told to leave dictionary strings as dictionaries.
    fn hinted(&self, roots: &[usize], columns: &[Bound]) -> Result<ArrowReaderMetadata> {
        let mut fields: Vec<Arc<Field>> = self.fields().fields().iter().cloned().collect();
        for column in columns {
            let Bound::Read(place, decoder) = column else { continue };
            if let Some(hint) = decoder.hint() {
                let field = &fields[roots[*place]];
                fields[roots[*place]] = Arc::new(field.as_ref().clone().with_data_type(hint));
            }
        }
        let options = ArrowReaderOptions::new()
            .with_skip_arrow_metadata(true)
            .with_schema(Arc::new(Schema::new(fields)));
        ArrowReaderMetadata::try_new(self.metadata.metadata().clone(), options)
            .map_err(|error| input(format!("{}: {error}", self.subject)))
    }
}

/// The type as an operator would call it.
fn type_name(data_type: &DataType) -> String {
    match data_type {
        DataType::Decimal128(precision, scale) | DataType::Decimal256(precision, scale) => {
            format!("Decimal({precision}, {scale})")
        }
        DataType::Timestamp(_, Some(_)) => "a Timestamp with a zone".into(),
        DataType::Timestamp(_, None) => "a Timestamp without a zone".into(),
        other => other.to_string(),
    }
}
