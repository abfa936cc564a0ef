//! What is wanted of an input's columns: their roles and types, and the units they are decoded by.

use jiff::tz::TimeZone;

use crate::expr::Type;
use crate::job::Job;

/// What a column is to the contract; says which Parquet types will do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// An account or bill id: integers of any width, or text.
    Id,
    /// Text.
    Text,
    /// Integer minor units of any width, or Decimal.
    Money,
    /// Date32, or Timestamp.
    Date,
    /// An extra column: integers, text, Booleans or dates.
    Extra,
}

/// Whether a file must have a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// It must.
    Required,
    /// All files of a delivery have it, or none has: nulls then.
    Optional,
    /// The job does without it: nulls, even where it is there.
    LeftOut,
}

/// A column to read.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Its contract name.
    pub name: String,
    /// What will do.
    pub role: Role,
    /// Whether it must be there.
    pub presence: Presence,
    /// What it is in every file; `Any` where that is not known.
    pub kind: Type,
}

impl Wanted {
    /// A column that must be there.
    pub fn new(name: &str, role: Role) -> Wanted {
        Wanted { name: name.to_string(), role, presence: Presence::Required, kind: Type::Any }
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

impl Units {
    /// Those of a job.
    pub fn of(job: &Job) -> Units {
        Units { minor_units: job.minor_units, timezone: job.timezone.clone() }
    }
}
