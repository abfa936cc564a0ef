//! Columns of odd types and names: read rightly, or refused by name.
