//! A scorecard or a policy given in the place of the job that names it: said so, with the jobs beside it that do.

use std::ffi::OsStr;
use std::path::Path;

use toml::de::DeTable;

use super::reader::Reader;
use super::source::Source;
use crate::store::is_url;

/// Keys that only the job file has.
const OF_JOB: [&str; 4] = ["scorecard", "policy", "input", "output"];

/// Which file has which keys, and the job's key that names it.
const OTHERS: [(&str, &str, &[&str]); 2] = [
    ("scorecard", "a scorecard", &["characteristic", "dimension", "band", "score", "feature"]),
    ("policy", "a policy", &["rule", "product", "cooldown"]),
];

/// Job files named in the message.
const MOST_NAMED: usize = 5;

/// Notes as a mistake that a file is no job, where its tables show what it is.
pub(super) fn note_other_file(reader: &mut Reader, top: &DeTable) -> bool {
    let found = OTHERS.into_iter().find(|(_, _, keys)| has_any(top, keys)).filter(|_| !has_any(top, &OF_JOB));
    let Some((key, what, _)) = found else { return false };
    let jobs = jobs_naming(key, reader.source);
    let help = match &jobs[..] {
        [] => format!("the job is the file that names it, with {key} = \"…\""),
        jobs => format!("it is named by {}", jobs.join(", ")),
    };
    reader.error(0..0, format!("this is {what}: give the job"), Some(help));
    true
}

fn has_any(top: &DeTable, keys: &[&str]) -> bool {
    keys.iter().any(|key| top.contains_key(*key))
}

/// The job files beside a file that name it under a key, in order.
fn jobs_naming(key: &str, source: &Source) -> Vec<String> {
    let directory = source.path.parent().unwrap_or(Path::new(""));
    let listed = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
    if is_url(&source.path) {
        return Vec::new();
    }
    let Ok(entries) = std::fs::read_dir(listed) else { return Vec::new() };
    let mut names: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.file_name())).collect();
    names.retain(|name| Path::new(name).extension() == Some(OsStr::new("toml")));
    names.sort();
    let paths = names.iter().map(|name| directory.join(name));
    let naming = paths.filter(|path| {
        let table = Source::read(path).ok().and_then(|job| job.text.parse::<toml::Table>().ok());
        let named = table.as_ref().and_then(|table| table.get(key)?.as_str());
        named.is_some_and(|named| Path::new(named).file_name() == source.path.file_name())
    });
    naming.take(MOST_NAMED).map(|path| path.display().to_string()).collect()
}
