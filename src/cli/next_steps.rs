//! What may be done about a held run, as commands to paste.

use std::path::Path;

use crate::console::{Tone, paint, plain_path, visible};
use crate::run_dir::layout::output_directory;
use crate::run_dir::manifest::Manifest;
use crate::run_dir::published_before;

/// Commands: a page of it, what changed against the last published night before, where there is one, and its release.
pub(super) fn next_steps(directory: &Path, manifest: &Manifest) -> String {
    let (out, run) = (output_directory(directory), shell_word(directory));
    let mut commands = vec![format!("rescore report {run}")];
    if let Some(before) = published_before(directory, manifest.as_of) {
        commands.push(format!("rescore diff {} {run}", shell_word(&before)));
    }
    let known = match manifest.known_on {
        known if known == manifest.as_of => String::new(),
        known => format!(" --known-on {known}"),
    };
    let release = format!("rescore release {} --date {}{known}", shell_word(&out), manifest.as_of);
    commands.push(format!("{release} --by NAME --why TEXT"));
    let lines: Vec<String> = commands.iter().map(|command| format!("  {command}")).collect();
    format!("{}\n{}", paint(Tone::Strong, "next:"), lines.join("\n"))
}

/// A path as a shell takes it.
fn shell_word(path: &Path) -> String {
    let path = plain_path(path);
    let path = visible(&path);
    let is_plain = |c: char| c.is_alphanumeric() || "/._-=:@+,".contains(c);
    let path = if path.is_empty() { ".".into() } else { path };
    if path.chars().all(is_plain) { path.into_owned() } else { format!("'{}'", path.replace('\'', "'\\''")) }
}
