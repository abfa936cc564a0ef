//! Any bytes as an input file: they are refused, or they are read.
#![no_main]

#[path = "../reading.rs"]
mod reading;

use std::io::Write;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.write_all(bytes).expect("there is room");
    let _ = reading::read(file.path());
});
