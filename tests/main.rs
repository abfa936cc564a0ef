//! All tests that go through the public face of the project: one program, so that it is linked once.

mod golden;
mod readme;
mod support;
