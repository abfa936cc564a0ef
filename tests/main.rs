//! All tests that go through the public face of the project: one program, so that it is linked once.

mod audit;
mod diff;
mod explain;
mod golden;
mod inputs;
mod mistakes;
mod policy;
mod properties;
mod publish;
mod range;
mod readme;
mod report;
mod state;
mod strangers;
mod support;
mod tidy;
