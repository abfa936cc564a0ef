//! The id of an account by itself.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::expr::Column;

/// An id by itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "PlainId", into = "PlainId")]
pub enum Id {
    /// Int64.
    Int(i64),
    /// Text.
    Text(Arc<str>),
}

impl Id {
    /// That of a row; `None` where it is null.
    pub fn of(ids: &Column, row: usize) -> Option<Id> {
        match ids {
            Column::Int(ints) => ints.get(row).map(|id| Id::Int(*id)),
            Column::Text(texts) => texts.shared(row).map(Id::Text),
            _ => None,
        }
    }
}

/// An id as JSON writes it.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum PlainId {
    Int(i64),
    Text(String),
}

impl From<PlainId> for Id {
    fn from(id: PlainId) -> Id {
        match id {
            PlainId::Int(id) => Id::Int(id),
            PlainId::Text(id) => Id::Text(id.into()),
        }
    }
}

impl From<Id> for PlainId {
    fn from(id: Id) -> PlainId {
        match id {
            Id::Int(id) => PlainId::Int(id),
            Id::Text(id) => PlainId::Text(id.to_string()),
        }
    }
}
