//! `rescore report`: the page's figures are the manifest's, its texts are escaped, and a browser is content.

mod additions;
mod browser;
mod charts;
mod page;
pub mod recount;
mod screen;
