//! All tests that go through the public face of the project: one program, so that it is linked once.

#![allow(clippy::disallowed_methods, reason = "tests do to files what they like")]

mod audit;
mod challenger;
mod diff;
mod docs;
mod exchange;
mod explain;
mod golden;
mod grammar;
mod init;
mod inputs;
mod jobs;
mod mistakes;
mod model;
mod operations;
mod parts;
mod policy;
mod profiles;
mod properties;
mod publish;
mod query;
mod range;
mod report;
mod scorecard;
mod spine;
mod state;
mod steps;
mod store;
mod story;
mod strangers;
mod support;
mod sweeps;
mod terminal;
mod tidy;
mod without;
