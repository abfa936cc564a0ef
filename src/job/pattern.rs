//! The pattern of an input as a job file writes it, with the job file's directory in front.

use std::path::Path;

use toml::Spanned;

use super::inputs::root_of;
use super::reader::Reader;
use super::written_path::{Variables, check_url, expand};
use crate::places;
use crate::store::is_url;

/// The glob with the job file's directory, taken literally, in front.
pub(super) fn pattern(
    reader: &mut Reader,
    variables: Variables,
    base: &Path,
    text: &Spanned<String>,
) -> Option<String> {
    let expanded = expand(reader, variables, text)?;
    let is_whole = is_url(Path::new(&expanded)) || Path::new(&expanded).is_absolute();
    let pattern = if is_whole || base.as_os_str().is_empty() {
        expanded
    } else {
        let base = glob::Pattern::escape(&base.to_string_lossy()).replace("{date}", "[{]date}");
        format!("{base}/{expanded}")
    };
    let pattern =
        if is_url(Path::new(&pattern)) { places::plain_url(&pattern) } else { without_empty_steps(&pattern) };
    if !check_url(reader, &root_of(&pattern), text) {
        return None;
    }
    if let Err(error) = glob::Pattern::new(&pattern.replace("{date}", "2000-01-01")) {
        reader.error(text.span(), format!("this is no path pattern: {error}"), None);
        return None;
    }
    Some(pattern)
}

/// Without the `.` and `//` that a listing leaves out of the paths it finds.
fn without_empty_steps(path: &str) -> String {
    let mut steps: Vec<&str> = path.split('/').collect();
    let is_absolute = steps[0].is_empty();
    steps.retain(|step| !["", "."].contains(step));
    if is_absolute {
        steps.insert(0, "");
    }
    steps.join("/")
}
