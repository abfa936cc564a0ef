//! The copy of a job that works from another directory: the same inputs, a scorecard of its own, an output of its own.

use std::ops::Range;
use std::path::{Component, Path, PathBuf};

use toml::de::{DeTable, DeValue};

use super::text_edits::{TextEdits, WrittenValue, quoted, tables, tables_of, text_of};
use crate::job::Source;
use crate::places;
use crate::store::is_url;

/// Where a job is copied from and to.
#[derive(Debug, Clone)]
pub struct CopyPlaces {
    /// The directory of the job, without links and detours; or a URL.
    from: PathBuf,
    /// The directory of the copy, likewise, on this machine.
    to: PathBuf,
    /// What tells the outputs of the copy from those of the job.
    suffix: String,
}

/// The name of a fitted scorecard.
pub const SCORECARD: &str = "scorecard.toml";

impl CopyPlaces {
    /// From a job file to a directory that need not be there yet.
    pub fn of(job: &Path, directory: &Path) -> CopyPlaces {
        let from = job.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let to = places::resolved(directory);
        let name = to.file_name().map(|name| name.to_string_lossy().into_owned());
        CopyPlaces { from: places::resolved(from), suffix: name.unwrap_or_else(|| "fitted".to_string()), to }
    }

    /// A path of the job as its copy has it, so that it leads to the same place.
    pub fn path(&self, written: &str) -> String {
        let is_elsewhere = |path: &str| Path::new(path).is_absolute() || is_url(Path::new(path));
        if is_elsewhere(written) || is_elsewhere(&expanded(written)) {
            return written.to_string();
        }
        if is_url(&self.from) {
            return places::resolve(&self.from, Path::new(written)).to_string_lossy().into_owned();
        }
        let is_beside = self.from.parent() == self.to.parent() && written.starts_with("../");
        if is_beside || self.from == self.to {
            return written.to_string();
        }
        joined(&relative(&self.to, &self.from), written)
    }

    /// A path to which the job writes as its copy has it: beside it, with the name of the copy's directory.
    pub fn output(&self, written: &str) -> String {
        format!("{}-{}", self.path(written).trim_end_matches('/'), self.suffix)
    }

    /// Likewise of a file: before its ending.
    fn output_file(&self, written: &str) -> String {
        let path = self.path(written);
        match path.rsplit_once('.').filter(|(_, ending)| !ending.contains('/')) {
            Some((stem, ending)) if !stem.is_empty() && !stem.ends_with('/') => {
                format!("{stem}-{}.{ending}", self.suffix)
            }
            _ => format!("{path}-{}", self.suffix),
        }
    }
}

/// A path with its variables put in, as far as they are set.
fn expanded(written: &str) -> String {
    let (mut found, mut rest) = (String::new(), written);
    while let Some((before, (name, after))) =
        rest.split_once("${").and_then(|(before, after)| Some((before, after.split_once('}')?)))
    {
        found.push_str(before);
        found.push_str(&std::env::var(name).unwrap_or_default());
        rest = after;
    }
    found + rest
}

/// The way from one directory to another, both without links.
fn relative(from: &Path, to: &Path) -> String {
    let (from, to): (Vec<Component>, Vec<Component>) =
        (from.components().collect(), to.components().collect());
    let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let up = from[common..].iter().map(|_| "..".to_string());
    let down = to[common..].iter().map(|step| step.as_os_str().to_string_lossy().into_owned());
    up.chain(down).collect::<Vec<_>>().join("/")
}

/// A way and a path from there on, without going into a directory and out again.
fn joined(way: &str, written: &str) -> String {
    let mut steps: Vec<&str> = way.split('/').filter(|step| !step.is_empty()).collect();
    let mut rest = written.trim_start_matches("./");
    while let Some(above) = rest.strip_prefix("../") {
        match steps.last() {
            Some(last) if *last != ".." => drop(steps.pop()),
            _ => steps.push(".."),
        }
        rest = above;
    }
    steps.push(rest);
    steps.join("/")
}

/// The copy of a job, and what is to be known of it.
#[derive(Debug, Clone)]
pub struct JobCopy {
    /// Its text.
    pub text: String,
    /// The name of its policy's file, beside it.
    pub policy: String,
    /// Where the copy publishes, as it is written.
    pub output: String,
    /// What it shares with the job it was made from, a sentence each.
    pub remarks: Vec<String>,
}

/// Copies a job; `moved` are places in its text and what stands there instead.
pub fn copy_job(job: &Source, places: &CopyPlaces, moved: &[(Range<usize>, String)]) -> JobCopy {
    let top = tables(&job.text);
    let top = top.get_ref();
    let mut copy = Copying { places, edits: TextEdits::of(&job.text) };
    let mut remarks = Vec::new();
    copy.set(text_of(top, "scorecard"), |_, _| SCORECARD.to_string());
    let policy = text_of(top, "policy").map_or("policy.toml", |policy| policy.text);
    let policy = policy_name(policy);
    copy.set(text_of(top, "policy"), |_, _| policy.clone());
    for input in tables_of(top, "input") {
        for (_, value) in input.1.iter() {
            let DeValue::String(text) = value.get_ref() else { continue };
            if text != "none" {
                copy.set(Some(WrittenValue { text, place: value.span() }), |places, path| places.path(path));
            }
        }
    }
    let output = copy.set_outputs(top);
    if let Some((_, table)) = tables_of(top, "notify").first() {
        copy.set_command(table);
        remarks.push("its [notify] command is the one of the job it was made from".to_string());
    }
    if tables_of(top, "lineage").first().is_some_and(|(_, lineage)| lineage.contains_key("url")) {
        remarks.push("its [lineage] goes to the same endpoint".to_string());
    }
    for (place, text) in moved {
        copy.edits.replace(place.clone(), text.clone());
    }
    JobCopy { text: copy.edits.finish(), policy, output, remarks }
}

/// The name of a policy's file beside the copy.
fn policy_name(written: &str) -> String {
    let name = Path::new(written).file_name().map(|name| name.to_string_lossy().into_owned());
    name.filter(|name| name != SCORECARD && name.ends_with(".toml")).unwrap_or("policy.toml".to_string())
}

struct Copying<'c, 't> {
    places: &'c CopyPlaces,
    edits: TextEdits<'t>,
}

impl Copying<'_, '_> {
    /// Puts another path in a value's place; the old one stays where both are the same.
    fn set(
        &mut self,
        value: Option<WrittenValue>,
        path: impl Fn(&CopyPlaces, &str) -> String,
    ) -> Option<String> {
        let value = value?;
        let path = path(self.places, value.text);
        if path != value.text {
            self.edits.replace(value.place, quoted(&path));
        }
        Some(path)
    }

    /// Whatever a run writes goes elsewhere: a trial must not publish over what is published. Returns where runs go.
    fn set_outputs(&mut self, top: &DeTable) -> String {
        let mut output = String::new();
        let mut old_output = String::new();
        for (_, table) in tables_of(top, "output") {
            let Some(dir) = text_of(table, "dir") else { continue };
            let key = table.get_key_value("dir").map_or(dir.place.start, |(key, _)| key.span().start);
            old_output = dir.text.to_string();
            let comment =
                format!("rescore fit: it was {}; a trial does not publish over it.", quoted(dir.text));
            self.edits.comment_above(key, &comment);
            output = self.set(Some(dir), |places, path| places.output(path)).unwrap_or_default();
        }
        for (_, table) in tables_of(top, "state") {
            let new_output = output.clone();
            self.set(text_of(table, "dir"), |places, path| {
                let within = path.strip_prefix(&old_output).filter(|rest| rest.starts_with('/'));
                within.map_or_else(|| places.output(path), |rest| format!("{new_output}{rest}"))
            });
        }
        for key in ["metrics", "lineage"] {
            for (_, table) in tables_of(top, key) {
                self.set(text_of(table, "file"), |places, path| places.output_file(path));
            }
        }
        output
    }

    /// The program that is notified, where it is named by its path.
    fn set_command(&mut self, notify: &DeTable) {
        let words = notify.get("command").and_then(|command| command.get_ref().as_array());
        let Some(program) = words.and_then(|words| words.iter().next()) else { return };
        if let Some(text) = program.get_ref().as_str().filter(|text| text.contains('/')) {
            self.set(Some(WrittenValue { text, place: program.span() }), |places, path| places.path(path));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(from: &str, to: &str) -> CopyPlaces {
        CopyPlaces { from: from.into(), to: to.into(), suffix: "new".to_string() }
    }

    #[test]
    fn paths_of_a_copy_lead_to_the_same_place() {
        for (from, to, written, path) in [
            ("/a/jobs", "/a/new", "../data/x", "../data/x"),
            ("/a/jobs", "/a/new", "data/x", "../jobs/data/x"),
            ("/a/jobs", "/a/new", "./data/x", "../jobs/data/x"),
            ("/a/jobs", "/a/jobs/new", "../data/{date}", "../../data/{date}"),
            ("/a/jobs", "/b/new", "../../c/*.parquet", "../../c/*.parquet"),
            ("/a/jobs", "/b/new", "../data", "../../a/data"),
            ("/a/jobs", "/b/new", "/data", "/data"),
            ("/a/jobs", "/b/new", "s3://b/data", "s3://b/data"),
            ("s3://b/jobs", "/b/new", "../data/x", "s3://b/data/x"),
        ] {
            assert_eq!(places(from, to).path(written), path, "{from} {to} {written}");
        }
    }

    #[test]
    fn outputs_of_a_copy_lie_beside_those_of_the_job() {
        let places = places("/a/jobs", "/a/new");
        assert_eq!(places.output("../out/"), "../out-new");
        assert_eq!(places.output("s3://b/out"), "s3://b/out-new");
        assert_eq!(places.output_file("../m/rescore.prom"), "../m/rescore-new.prom");
        assert_eq!(places.output_file("../m.d/events"), "../m.d/events-new");
    }
}
