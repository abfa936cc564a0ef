//! Text of a model file with its place.

use toml::Spanned;

/// An expression or a name as it is written in the model file, with its place.
pub type WrittenText = Spanned<String>;
