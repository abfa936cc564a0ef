//! The columns of an input against the contract: which a file has, of which types, and how each is decoded.

use std::sync::Arc;

use anyhow::Result;
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Schema, TimeUnit};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::basic::Type as PhysicalType;
use parquet::schema::types::TypePtr;

use super::decode::{Decoder, Dictionaries, nulls};
use super::file::OpenFile;
use super::wanted::{Presence, Role, Units, Wanted};
use crate::expr::{Column, Ints, Type};
use crate::failure::input;
use crate::job::InputSpec;

/// The columns to decode, bound to one file.
pub struct Binding {
    pub(super) mask: ProjectionMask,
    pub(super) metadata: ArrowReaderMetadata,
    /// By wanted column.
    pub(super) columns: Vec<BoundColumn>,
}

/// Where a wanted column comes from.
pub(super) enum BoundColumn {
    /// Where it comes in the projected batch, and how it is decoded.
    Read(usize, Decoder),
    /// The file has none, or one of type Null: nulls.
    Nulls(Type),
    /// Nobody looks at it: a column without rows.
    Unread,
}

/// Rows of a file as decoded.
pub struct Decoded {
    /// In the order they were wanted.
    pub columns: Vec<Column>,
    /// The rows with an amount that is no whole number of minor units, in any order.
    pub fractional: Vec<u32>,
}

impl Binding {
    /// Decodes a batch; `Err` names the column that cannot be.
    pub(super) fn decode(
        &self,
        batch: RecordBatch,
        dictionaries: &mut Dictionaries,
    ) -> Result<Decoded, String> {
        let rows = batch.num_rows();
        let (schema, arrays, _) = batch.into_parts();
        let mut arrays: Vec<Option<ArrayRef>> = arrays.into_iter().map(Some).collect();
        let mut columns = Vec::with_capacity(self.columns.len());
        let mut fractional = Vec::new();
        for (slot, column) in self.columns.iter().enumerate() {
            columns.push(match column {
                BoundColumn::Unread => Column::Int(Ints::all(Vec::new())),
                BoundColumn::Nulls(kind) => nulls(*kind, rows),
                BoundColumn::Read(place, decoder) => {
                    let is_read_again = self.columns[slot + 1..]
                        .iter()
                        .any(|other| matches!(other, BoundColumn::Read(again, _) if again == place));
                    let array = if is_read_again { arrays[*place].clone() } else { arrays[*place].take() };
                    decoder
                        .decode_money(
                            array.expect("an array is taken once"),
                            slot,
                            dictionaries,
                            &mut fractional,
                        )
                        .map_err(|error| format!("{}: {error}", schema.field(*place).name()))?
                }
            });
        }
        Ok(Decoded { columns, fractional })
    }
}

impl OpenFile {
    /// The file's columns in order.
    fn fields(&self) -> Vec<Arc<Field>> {
        let fields = self.metadata.schema().fields().iter();
        let roots = self.metadata.parquet_schema().root_schema().get_fields().iter();
        fields.zip(roots).map(|(field, root)| without_int96(field, root)).collect()
    }

    /// The file's columns under their contract names; `Err` names the type of one that no expression
    /// can take. One of type Null fits any type.
    pub fn columns(&self, spec: &InputSpec) -> Vec<(String, Result<Type, String>)> {
        let mut columns = Vec::new();
        for field in self.fields() {
            // A column whose name the job gives to another one is out of sight.
            if spec.file_column(field.name()) != field.name() {
                continue;
            }
            let renamed = spec.rename.iter().find(|(_, file_name)| *file_name == field.name());
            let name = renamed.map_or(field.name(), |(name, _)| name);
            let kind = Decoder::for_extra(field.data_type()).map(|decoder| decoder.kind());
            columns.push((name.clone(), kind.ok_or_else(|| type_name(field.data_type()))));
        }
        columns
    }

    /// The file's columns as it has them: name, type, and how an operator would call that.
    pub fn typed_columns(&self) -> Vec<(String, DataType, String)> {
        let fields = self.fields().into_iter();
        let typed = fields
            .map(|field| (field.name().clone(), field.data_type().clone(), type_name(field.data_type())));
        typed.collect()
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
        let fields = self.fields();
        let mut roots = Vec::new();
        let mut found = Vec::new();
        for (column, is_needed) in wanted.iter().zip(needed) {
            let bound = bound(&fields, spec, column, units);
            found.push(match bound.map_err(|mistake| input(format!("{}: {mistake}", self.subject)))? {
                _ if !is_needed => BoundColumn::Unread,
                BoundColumn::Read(root, decoder) => {
                    roots.push(root);
                    BoundColumn::Read(root, decoder)
                }
                other => other,
            });
        }
        roots.sort_unstable();
        roots.dedup();
        let columns = found.into_iter().map(|column| match column {
            BoundColumn::Read(root, decoder) => {
                BoundColumn::Read(roots.binary_search(&root).expect("projected"), decoder)
            }
            other => other,
        });
        let columns: Vec<BoundColumn> = columns.collect();
        let mask = ProjectionMask::roots(self.metadata.parquet_schema(), roots.iter().copied());
        let metadata = self.hinted(fields, &roots, &columns)?;
        Ok(Binding { mask, metadata, columns })
    }

    /// What is wrong with the wanted columns, in their order.
    pub(super) fn mistakes(&self, spec: &InputSpec, wanted: &[Wanted], units: &Units) -> Vec<String> {
        let fields = self.fields();
        wanted.iter().filter_map(|column| bound(&fields, spec, column, units).err()).collect()
    }

    /// Whether a column is there.
    pub(super) fn has(&self, spec: &InputSpec, column: &Wanted) -> bool {
        matches!(find(&self.fields(), spec, column), Ok(Some(_)))
    }

    /// Whether it is there twice, or another column has nearly its name.
    pub(super) fn misnames(&self, spec: &InputSpec, column: &Wanted) -> bool {
        find(&self.fields(), spec, column).is_err()
    }

    /// The type of a column; `None` where it is not there once.
    pub(super) fn type_of(&self, spec: &InputSpec, column: &Wanted) -> Option<DataType> {
        let fields = self.fields();
        let root = find(&fields, spec, column).ok().flatten()?;
        Some(fields[root].data_type().clone())
    }

    /// The metadata with hints for the reader: INT96 holds instants, and dictionaries of text stay as they are.
    fn hinted(
        &self,
        mut fields: Vec<Arc<Field>>,
        roots: &[usize],
        columns: &[BoundColumn],
    ) -> Result<ArrowReaderMetadata> {
        for column in columns {
            let BoundColumn::Read(place, decoder) = column else { continue };
            let field = &fields[roots[*place]];
            if let Some(hint) = decoder.hint(field.data_type()) {
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

/// A column as it is read: INT96 holds instants, which the reader does not know.
fn without_int96(field: &Arc<Field>, root: &TypePtr) -> Arc<Field> {
    if !root.is_primitive() || root.get_physical_type() != PhysicalType::INT96 {
        return field.clone();
    }
    // Seconds are all that a date needs, and no instant is beyond them.
    let instant = DataType::Timestamp(TimeUnit::Second, Some("UTC".into()));
    Arc::new(field.as_ref().clone().with_data_type(instant))
}

/// Where a wanted column is among a file's (`None`: it has none, and need not); `Err` says what is wrong.
fn find(fields: &[Arc<Field>], spec: &InputSpec, column: &Wanted) -> Result<Option<usize>, String> {
    let name = spec.file_column(&column.name);
    if column.presence == Presence::LeftOut {
        return Ok(None);
    }
    let named = fields.iter().enumerate().filter(|(_, field)| field.name() == name);
    let named: Vec<usize> = named.map(|(position, _)| position).collect();
    match named[..] {
        [position] => return Ok(Some(position)),
        [] => {}
        _ => {
            let times = named.len();
            return Err(format!(
                "there are {times} columns {name}, and nothing tells which is meant: deliver it once"
            ));
        }
    }
    let alike = fields.iter().find(|field| field.name().to_lowercase() == name.to_lowercase());
    if let Some(other) = alike {
        return Err(format!(
            "there is no column {name}, but {}: names that differ in case are different names: {}",
            other.name(),
            spec.how_to_deliver().replacen("deliver it", &format!("deliver it as {name}"), 1)
        ));
    }
    if column.presence == Presence::Optional && name == column.name {
        return Ok(None);
    }
    let names: Vec<&str> = fields.iter().map(|field| field.name().as_str()).collect();
    Err(format!("there is no column {name}; it has {}: {}", names.join(", "), spec.how_to_deliver()))
}

/// How a wanted column is read; `Err` says what is wrong with it.
fn bound(
    fields: &[Arc<Field>],
    spec: &InputSpec,
    column: &Wanted,
    units: &Units,
) -> Result<BoundColumn, String> {
    let Some(root) = find(fields, spec, column)? else {
        return Ok(BoundColumn::Nulls(kind_of_nulls(column)));
    };
    let (name, found) = (fields[root].name(), fields[root].data_type());
    let Some(decoder) = Decoder::for_role(column.role, found, units) else {
        return Err(wrong_type(column.role, name, found));
    };
    if matches!(decoder, Decoder::Nulls(_)) {
        return Ok(BoundColumn::Nulls(kind_of_nulls(column)));
    }
    if column.kind.unify(decoder.kind()).is_none() {
        let (own, other) = (decoder.kind().name(), column.kind.name());
        return Err(format!("{name} is {own}; elsewhere it is {other}: it must be the same in every file"));
    }
    Ok(BoundColumn::Read(root, decoder))
}

/// The type of a column of nulls, which stands for one that a file lacks.
fn kind_of_nulls(column: &Wanted) -> Type {
    match column.role {
        Role::Id | Role::Extra => column.kind,
        Role::Text => Type::Text,
        Role::Money => Type::Int,
        Role::Date => Type::Date,
    }
}

fn wrong_type(role: Role, name: &str, found: &DataType) -> String {
    let (wants, fix) = match (role, found) {
        (Role::Money, _) => ("money is integer minor units or Decimal", "cast it upstream"),
        (Role::Id, _) => ("ids are integers or text", "cast it upstream"),
        (Role::Text, _) => ("it must be text", "cast it upstream"),
        (Role::Date | Role::Extra, DataType::Timestamp(_, Some(_))) => {
            ("the job does not say in which time zone its dates lie", "set `timezone` in the job file")
        }
        (Role::Date, _) => ("dates are Date32 or Timestamp", "cast it upstream"),
        (Role::Extra, _) => ("expressions take integers, text, Booleans and dates", "cast it upstream"),
    };
    format!("{name} is {}; {wants}: {fix}", type_name(found))
}

/// The type as an operator would call it.
pub(super) fn type_name(data_type: &DataType) -> String {
    match data_type {
        DataType::Decimal128(precision, scale) | DataType::Decimal256(precision, scale) => {
            format!("Decimal({precision}, {scale})")
        }
        DataType::Timestamp(_, Some(_)) => "a Timestamp with a zone".into(),
        DataType::Timestamp(_, None) => "a Timestamp without a zone".into(),
        DataType::Struct(_) => "a struct".into(),
        DataType::Map(..) => "a map".into(),
        DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(..) => "a list".into(),
        DataType::FixedSizeBinary(width) => format!("bytes of the fixed length {width}"),
        other => other.to_string(),
    }
}
