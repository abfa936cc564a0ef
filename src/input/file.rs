//! A Parquet file of an input: its footer, its schema against the contract, its rows as columns.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;

use anyhow::Result;
use arrow_array::ArrayRef;
use arrow_schema::{DataType, Field, Schema};
use jiff::tz::TimeZone;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};
use sha2::{Digest, Sha256};

use super::catalog::InputFile;
use super::chunks::Chunks;
use super::decode::{Decoder, Dictionaries};
use crate::day::Day;
use crate::expr::{Column, Ints, Type};
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

/// An input file whose footer has been read and checked.
#[derive(Debug, Clone)]
pub struct OpenFile {
    /// Its place.
    pub file: InputFile,
    /// Its delivery.
    pub delivery: Option<Day>,
    /// Bytes.
    pub size: u64,
    /// SHA-256 of the Parquet footer, in hex.
    pub footer_hash: String,
    /// When it was last written, as the file system has it: seconds and nanoseconds.
    pub written: (i64, i64),
    /// Rows by row group.
    pub row_groups: Vec<u64>,
    metadata: ArrowReaderMetadata,
    subject: String,
}

/// Rows decoded at a time: enough to amortise, few enough to stay in cache.
const BATCH_ROWS: usize = 16_384;

/// Opens a file and reads its footer.
pub fn open(spec: &InputSpec, delivery: Option<Day>, file: &InputFile) -> Result<OpenFile> {
    let of = delivery.map_or(String::new(), |day| format!(" of {day}"));
    let subject = format!("read {}{of} ({})", spec.name, file.path.display());
    let unreadable = |error: &dyn std::fmt::Display| {
        input(format!("{subject}: {error}; the file is truncated or no Parquet: have it delivered again"))
    };
    let mut handle = File::open(&file.path).map_err(|error| input(format!("{subject}: {error}")))?;
    let (size, footer_hash) = footer_hash(&mut handle).map_err(|error| unreadable(&error))?;
    let written = handle.metadata().map_err(|error| unreadable(&error))?;
    let written = (written.mtime(), written.mtime_nsec());
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let metadata = ArrowReaderMetadata::load(&handle, options).map_err(|error| unreadable(&error))?;
    let row_groups = metadata.metadata().row_groups().iter().map(|group| group.num_rows() as u64).collect();
    Ok(OpenFile { file: file.clone(), delivery, size, footer_hash, written, row_groups, metadata, subject })
}

/// The file's size and the hash of its footer: the metadata, its length and the magic number.
fn footer_hash(file: &mut File) -> std::io::Result<(u64, String)> {
    const TAIL: u64 = 8;
    let size = file.metadata()?.len();
    let too_short = || std::io::Error::other(format!("its {size} bytes hold no footer"));
    file.seek(SeekFrom::Start(size.checked_sub(TAIL).ok_or_else(too_short)?))?;
    let mut tail = [0; TAIL as usize];
    file.read_exact(&mut tail)?;
    let length = u32::from_le_bytes(tail[..4].try_into().expect("4 bytes"));
    let start = (size - TAIL).checked_sub(u64::from(length)).ok_or_else(too_short)?;
    file.seek(SeekFrom::Start(start))?;
    let mut footer = Vec::new();
    file.read_to_end(&mut footer)?;
    Ok((size, hex(&Sha256::digest(&footer))))
}

/// SHA-256 of a whole file, in hex.
pub fn file_hash(path: &std::path::Path) -> std::io::Result<String> {
    const BUFFER_BYTES: usize = 1 << 18;
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hex(&hasher.finalize())),
            read => hasher.update(&buffer[..read]),
        }
    }
}

/// SHA-256 of bytes, in hex.
pub fn bytes_hash(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The columns to decode, bound to one file.
pub struct Binding {
    mask: ProjectionMask,
    metadata: ArrowReaderMetadata,
    /// By wanted column.
    columns: Vec<Bound>,
}

/// Where a wanted column comes from.
enum Bound {
    /// Where it comes in the projected batch, and how it is decoded.
    Read(usize, Decoder),
    /// The file has none: nulls.
    Missing,
    /// Nobody looks at it: a column without rows.
    Unread,
}

impl OpenFile {
    /// Rows in the file.
    pub fn rows(&self) -> u64 {
        self.row_groups.iter().sum()
    }

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

    /// Reads a row group batch by batch; `each` gets the columns in the order they were wanted.
    pub fn read(
        &self,
        binding: &Binding,
        row_group: usize,
        mut each: impl FnMut(Vec<Column>) -> Result<()>,
    ) -> Result<()> {
        let failed = |error: &dyn std::fmt::Display| input(format!("{}: {error}", self.subject));
        let mut handle = File::open(&self.file.path).map_err(|error| failed(&error))?;
        let group = self.metadata.metadata().row_group(row_group);
        let chunks =
            Chunks::read(&mut handle, self.size, group, &binding.mask).map_err(|error| failed(&error))?;
        let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(chunks, binding.metadata.clone())
            .with_projection(binding.mask.clone())
            .with_row_groups(vec![row_group])
            .with_batch_size(BATCH_ROWS)
            .build()
            .map_err(|error| failed(&error))?;
        let mut dictionaries = Dictionaries::default();
        for batch in reader {
            let batch = batch.map_err(|error| failed(&error))?;
            let rows = batch.num_rows();
            let (schema, arrays, _) = batch.into_parts();
            let mut arrays: Vec<Option<ArrayRef>> = arrays.into_iter().map(Some).collect();
            let mut columns = Vec::with_capacity(binding.columns.len());
            for (slot, column) in binding.columns.iter().enumerate() {
                columns.push(match column {
                    Bound::Unread => Column::Int(Ints::all(Vec::new())),
                    Bound::Missing => {
                        Column::Int(Ints { values: vec![0; rows], valid: Some(vec![false; rows]) })
                    }
                    Bound::Read(place, decoder) => {
                        let is_read_again = binding.columns[slot + 1..]
                            .iter()
                            .any(|other| matches!(other, Bound::Read(again, _) if again == place));
                        let array = match is_read_again {
                            true => arrays[*place].clone(),
                            false => arrays[*place].take(),
                        };
                        decoder
                            .decode(array.expect("an array is taken once"), slot, &mut dictionaries)
                            .map_err(|error| failed(&format!("{}: {error}", schema.field(*place).name())))?
                    }
                });
            }
            each(columns)?;
        }
        Ok(())
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
