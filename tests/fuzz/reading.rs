//! Reads a file as a run does, whatever it holds: opened, hashed, bound, decoded to the end.

use std::path::Path;

use rescore::input::catalog::InputFile;
use rescore::input::file;
use rescore::input::wanted::{Role, Units, Wanted};
use rescore::job::InputSpec;

/// Fails where the file is refused.
pub fn read(path: &Path) -> anyhow::Result<()> {
    let spec = InputSpec {
        name: "lines",
        pattern: String::new(),
        root: Default::default(),
        rename: Default::default(),
        unique: None,
        without: Default::default(),
    };
    let file = file::open(&spec, None, &InputFile::at("fuzzed".into(), path.to_path_buf()))?;
    file.sha256()?;
    let known = file.columns(&spec).into_iter().filter(|(_, kind)| kind.is_ok());
    let wanted: Vec<Wanted> = known.map(|(name, _)| Wanted::new(&name, Role::Extra)).collect();
    let units = Units { minor_units: 2, timezone: None };
    let binding = file.bind(&spec, &wanted, &units)?;
    (0..file.row_groups.len()).try_for_each(|row_group| file.read(&binding, row_group, |_| Ok(())))
}
