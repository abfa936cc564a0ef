//! Challengers and segments: who is decided by what, and that everything that reads a run copes with it.

mod alone;
mod arms;
mod gates;
mod mistakes;
mod reading;
mod segments;
mod world;
