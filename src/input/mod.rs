//! Parquet in: deliveries, schemas, rejects; rows come out as columns of exact values.

pub mod accounts;
pub mod binding;
pub mod catalog;
mod chunks;
pub(crate) mod decode;
pub mod file;
pub mod footers;
pub mod issued;
pub mod lines;
pub mod rejects;
pub mod stream;
pub mod unique;
