//! The shipped jobs are fit to run, on books of their own.

mod ranking;
