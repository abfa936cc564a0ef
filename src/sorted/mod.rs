//! Sorted deliveries: the rows of each delivery decoded and judged once, and left in order of account.
//!
//! ```text
//!   deliveries                 sorted deliveries               parts of accounts            tables
//!   (Parquet, as they came)    (by account, then arrival)
//!   ┌────────────┐             ┌────┬────┬────┬────┐ ──▶ rows of accounts 1 to 2,048
//!   │ 2026-11-19 │ ─ decode ─▶ │    │    │    │    │            │  for every day asked
//!   ├────────────┤   judge     ├────┼────┼────┼────┤            ▼
//!   │ 2026-11-20 │   repeats   │    │    │    │    │ ──▶ windows, bills ──▶ features ──▶ scores, decisions
//!   └────────────┘   sort      └────┴────┴────┴────┘
//!                              blocks; kept in [state]     next part, next blocks
//! ```
//!
//! A sorted delivery depends on its files, on those of the deliveries before it in which a repeat may have been
//! seen, and on what the job says of the input: on no day, no book and no feature.

pub mod catalog;
mod codec;
mod cursor;
mod delivery;
mod make;
mod repeats;
mod run;
mod scratch;
mod shelf;
mod window;

pub use catalog::{DeliveryRequest, Fetched, Outlook, SortedDeliveries, Why};
pub use cursor::{Buffers, Cursor};
pub use delivery::{SortedDelivery, StoredColumn, TornCopy};
pub use repeats::repeats_of;
pub use shelf::Shelf;
