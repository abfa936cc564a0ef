//! The expression language of the job files: SQL's grammar, integers only, three-valued logic.

mod bind;
pub mod column;
mod comparisons;
mod conjuncts;
mod dates;
mod evaluate;
mod implies;
mod mistake;
mod node;
mod parse;
mod range;
mod scope;
mod shape;
mod sums;
mod terms;

pub use column::{Column, Ints, Texts, Type};
pub use comparisons::{BoundKind, WrittenBound, WrittenBounds, written_bounds};
pub use conjuncts::Conjunct;
pub use evaluate::{Frame, Truths};
pub use implies::Form;
pub use mistake::ExprError;
pub use node::Expr;
pub use scope::Scope;
