//! What the operator writes: the job, the scorecard (features and points) and the policy, as TOML.
//!
//! Files are first taken as written (serde types), then resolved against each other and against the
//! inputs' columns. All mistakes are reported together, before any row is read.

mod actionable;
mod card_terms;
mod cards;
mod columns;
mod decision_column;
mod declared;
mod diagnostics;
mod directories;
mod feature_file;
mod gate;
mod input_table;
mod inputs;
mod job_file;
pub mod letter;
pub mod lint;
mod lone_scorecard;
mod mistaken_file;
mod operations;
mod pattern;
mod policy_file;
mod raw_job;
mod reader;
mod resolved_job;
mod row_value;
mod scopes;
mod scorecard_file;
mod source;
mod statistic;
mod terms;
mod union;
mod unit;
mod variants;
mod window;
mod written_path;

pub use actionable::Actionable;
pub use card_terms::CardTerms;
pub use cards::{PointsColumn, Remit};
pub use columns::{
    ARM_COLUMNS, BILL_COLUMNS, BILL_IS_DUE, LINE_COLUMNS, LINE_HISTORY, LINE_STATE, OPTIONAL_LINE_COLUMNS,
    REPAYMENT_COLUMNS, SCORE_COLUMNS, SEGMENT_COLUMNS, TRANSACTION_COLUMNS, line_slots,
};
pub use decision_column::{ColumnSpec, DecisionColumn};
pub use diagnostics::{Diagnostics, Severity};
pub use feature_file::{Aggregate, Feature, FeatureKind, From, MOST_KEPT, own_features};
pub use gate::{Bounds, Gate, GateSeverity, GateTable, Measure};
pub use inputs::{InputSpec, Inputs, Unique, before_wildcard, input_names};
pub use lone_scorecard::LoneScorecard;
pub use operations::{Lineage, LineageTarget, Notify, Operations, operations_of};
pub use policy_file::{Action, Affordability, Amount, Budget, Cooldown, Policy, Product, Rule};
pub use raw_job::{RawJob, variables};
pub use reader::Reader;
pub use resolved_job::{Csv, Job};
pub use row_value::{RowValue, ValueSource};
pub use scopes::{FileColumns, InputColumns, Scopes};
pub use scorecard_file::{Band, Bin, Characteristic, Dimension, Scorecard};
pub use source::{JobSources, OtherSource, RUN_FILES, Source};
pub use statistic::{Operand, Statistic, ValueRange};
pub use terms::{DecisionTerms, Declarations, Terms};
pub use unit::Unit;
pub use variants::{
    Arm, CHALLENGER_POLICY, CHALLENGER_SCORECARD, Challenger, Segment, Variants, segment_file,
};
pub use window::Window;
