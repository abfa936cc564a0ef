//! The names an expression may use, with their types.

use super::column::Type;

/// The names an expression may use, in the order of the frame's columns.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    /// Name and type of each column.
    pub columns: Vec<(String, Type)>,
    /// Whether unknown names are let through, because the input that declares them could not be read.
    pub open: bool,
    /// Columns there are, but of a type that no expression takes, with that type.
    pub unusable: Vec<(String, String)>,
}

impl Scope {
    /// The position and type of a column.
    pub fn find(&self, name: &str) -> Option<(usize, Type)> {
        let slot = self.columns.iter().position(|(known, _)| known == name)?;
        Some((slot, self.columns[slot].1))
    }

    /// Adds a column at the end.
    pub fn push(&mut self, name: impl Into<String>, kind: Type) {
        self.columns.push((name.into(), kind));
    }

    /// The names, for "did you mean".
    pub fn names(&self) -> impl Iterator<Item = &str> + Clone {
        self.columns.iter().map(|(name, _)| name.as_str())
    }
}
