//! Whether a job's directories keep apart: nothing is written where inputs lie.

use std::path::Path;

use anyhow::Result;

use super::diagnostics::Diagnostics;
use super::job_file::ResolvedJobFile;
use super::reader::Reader;
use super::source::Source;
use crate::failure::{Kind, failure};
use crate::places;

/// What to do about a directory that holds inputs.
const OWN_DIRECTORY: &str = "name a directory of its own, beside those of the inputs";

impl ResolvedJobFile {
    /// Checks that nothing is to be written where inputs lie, and that no state takes in what is published.
    pub(super) fn check_directories(&self, source: &Source, diagnostics: &mut Diagnostics) {
        let mut reader = Reader { source, diagnostics };
        if let Some(input) = self.input_at(&self.output_dir) {
            let message = format!("the output directory is, holds or lies in the directory of {input}");
            reader.error(self.output_span.clone(), message, Some(OWN_DIRECTORY.to_string()));
        }
        let Some(state_dir) = &self.state_dir else { return };
        if let Some(input) = self.input_at(state_dir) {
            let message = format!("the state directory is, holds or lies in the directory of {input}");
            reader.error(self.state_span.clone(), message, Some(OWN_DIRECTORY.to_string()));
        }
        if places::holds(state_dir, &self.output_dir) {
            let message = "the state directory is or holds the output directory";
            reader.error(
                self.state_span.clone(),
                message,
                Some("name one of its own, as in \"../out/.state\"".into()),
            );
        }
    }

    /// Checks the same of the directory that `--out` names.
    pub(super) fn check_out(&self, out: &Path) -> Result<()> {
        let why = if let Some(input) = self.input_at(out) {
            format!("it is, holds or lies in the directory of {input}")
        } else if self.state_dir.as_ref().is_some_and(|state| places::holds(state, out)) {
            "the job's state directory is that one or holds it".to_string()
        } else {
            return Ok(());
        };
        Err(failure(Kind::Usage, format!("--out {}: {why}; name another directory", out.display())))
    }

    /// The input whose directory is, holds or lies in a directory.
    fn input_at(&self, directory: &Path) -> Option<&'static str> {
        let mut inputs = self.inputs.delivered();
        inputs.find(|spec| places::overlap(&spec.root, directory)).map(|spec| spec.name)
    }
}
