//! Any bytes as an input file: opened, hashed and read as a run does; they are refused, or they are read.
#![no_main]

use std::collections::BTreeMap;
use std::io::Write;

use libfuzzer_sys::fuzz_target;
use rescore::input::binding::{Role, Units, Wanted};
use rescore::input::catalog::InputFile;
use rescore::input::file;
use rescore::job::InputSpec;

fuzz_target!(|bytes: &[u8]| {
    let mut place = tempfile::NamedTempFile::new().expect("a temporary file");
    place.write_all(bytes).expect("there is room");
    let spec = InputSpec {
        name: "lines",
        pattern: String::new(),
        root: Default::default(),
        rename: BTreeMap::new(),
        unique: None,
    };
    let path = place.path().to_path_buf();
    let Ok(file) = file::open(&spec, None, &InputFile { name: "fuzzed".into(), path }) else { return };
    if file.sha256().is_err() {
        return;
    }
    let known = file.columns(&spec).into_iter().filter(|(_, kind)| kind.is_ok());
    let wanted: Vec<Wanted> = known.map(|(name, _)| Wanted::new(&name, Role::Extra)).collect();
    let units = Units { minor_units: 2, timezone: None };
    let Ok(binding) = file.bind(&spec, &wanted, &units) else { return };
    for row_group in 0..file.row_groups.len() {
        let _ = file.read(&binding, row_group, |_| Ok(()));
    }
});
