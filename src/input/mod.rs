//! Parquet in: deliveries, schemas, rejects; rows come out as columns of exact values.

pub mod accounts;
pub mod binding;
mod bounds;
pub mod catalog;
pub mod chunks;
pub(crate) mod decode;
pub mod file;
pub(crate) mod footer;
pub mod footer_cache;
pub(crate) mod guard;
pub mod handle;
pub mod hashes;
pub mod issued;
pub mod judge;
pub mod lines;
mod pages;
pub mod previous;
pub mod reason;
pub mod reject_log;
mod row_group;
mod rows;
pub mod schemas;
pub mod snapshot;
pub mod stream;
mod thrift;
pub mod unique;
pub mod wanted;
