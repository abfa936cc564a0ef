//! All tests that go through the public face of the project: one program, so that it is linked once.

mod audit;
mod diff;
mod golden;
mod inputs;
mod mistakes;
mod policy;
mod properties;
mod publish;
mod readme;
mod support;
mod tidy;
