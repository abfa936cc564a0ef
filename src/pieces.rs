//! How much is done at a time, which no output depends on: a feature for tests makes every piece small.

/// The size of a piece of work: as `shipped`, or `small`, so that a few rows make many pieces.
pub const fn piece(shipped: usize, small: usize) -> usize {
    if cfg!(feature = "small-pieces") { small } else { shipped }
}
