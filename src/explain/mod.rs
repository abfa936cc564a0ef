//! One account of a run.
