//! Where the files of an input lie, and where the date of their delivery stands in their paths.

use std::collections::BTreeSet;
use std::path::{Component, Path};

use anyhow::Result;

use crate::day::Day;
use crate::failure::{Kind, failure, input};
use crate::input::catalog::{self, Catalog};
use crate::job::{InputSpec, before_wildcard};
use crate::places;
use crate::store::is_url;

/// The files of an input that a pattern finds.
pub(super) struct FoundDeliveries {
    /// All of its deliveries.
    pub catalog: Catalog,
    /// What there is to say of how the pattern came about.
    pub remark: Option<String>,
}

/// A date in a name: where it begins, and what it is.
type DateIn = (usize, Day);

/// Finds the files that a path, a pattern or a directory names, and `{date}` in their paths.
pub(super) fn find(name: &'static str, given: &str) -> Result<FoundDeliveries> {
    let given = absolute(given);
    if given.contains("{date}") {
        return Ok(FoundDeliveries { catalog: listed(name, &given)?, remark: None });
    }
    let pattern = if is_directory(&given) { below(name, &given)? } else { given };
    let files = listed(name, &pattern)?;
    let paths: Vec<String> = files
        .deliveries
        .iter()
        .flat_map(|delivery| delivery.files.iter().map(|file| file.path.to_string_lossy().into_owned()))
        .collect();
    let Some(dated) = dated_pattern(name, &pattern, &paths)? else {
        let remark = "no date stands in the paths, so that all files are one delivery that is always visible";
        return Ok(FoundDeliveries { catalog: files, remark: Some(remark.to_string()) });
    };
    let catalog = listed(name, &dated)?;
    let remark = format!("{{date}} stands where the paths have the date of the delivery, as in {}", paths[0]);
    Ok(FoundDeliveries { catalog, remark: Some(remark) })
}

/// The path from the root of the file system, so that it means the same to a job that lies elsewhere.
fn absolute(given: &str) -> String {
    if is_url(Path::new(given)) || Path::new(given).is_absolute() {
        return given.to_string();
    }
    let here = std::env::current_dir().unwrap_or_default();
    let mut steps: Vec<String> = escaped(&here).split('/').map(str::to_string).collect();
    for step in given.split('/') {
        match step {
            "" | "." => {}
            ".." => drop(steps.pop()),
            step => steps.push(step.to_string()),
        }
    }
    steps.join("/")
}

fn escaped(path: &Path) -> String {
    glob::Pattern::escape(&path.to_string_lossy()).replace("{date}", "[{]date}")
}

/// Whether a pattern is no pattern but the path of a directory.
fn is_directory(pattern: &str) -> bool {
    let (path, wildcard) = before_wildcard(pattern);
    wildcard.is_empty() && !is_url(Path::new(&path)) && Path::new(&path).is_dir()
}

/// The Parquet files in a directory, or else in the directories in it.
fn below(name: &'static str, directory: &str) -> Result<String> {
    let directory = directory.trim_end_matches('/');
    let patterns = [format!("{directory}/*.parquet"), format!("{directory}/*/*.parquet")];
    for pattern in &patterns {
        if !catalog::list(&InputSpec::at(name, pattern.clone()))?.deliveries.is_empty() {
            return Ok(pattern.clone());
        }
    }
    Ok(patterns[1].clone())
}

fn listed(name: &'static str, pattern: &str) -> Result<Catalog> {
    if let Err(error) = glob::Pattern::new(&pattern.replace("{date}", "2000-01-01")) {
        return Err(failure(Kind::Usage, format!("--{name} {pattern}: this is no path pattern: {error}")));
    }
    let found = catalog::list(&InputSpec::at(name, pattern.to_string()))?;
    if found.deliveries.is_empty() {
        return Err(input(format!("find {name}: no file matches {pattern}")));
    }
    Ok(found)
}

/// The pattern with `{date}` where all paths have a date; `None` where none has one.
fn dated_pattern(name: &str, pattern: &str, paths: &[String]) -> Result<Option<String>> {
    let asked = |why: &str| {
        let message = format!(
            "--{name}: {why}: write {{date}} in the pattern where the date of the delivery stands, as in \
             date={{date}}/*.parquet"
        );
        Err(failure(Kind::Usage, message))
    };
    let mut steps: Vec<String> = pattern.split('/').map(str::to_string).collect();
    let found: Vec<Vec<&str>> = paths.iter().map(|path| path.split('/').collect()).collect();
    if pattern.contains("**") || found.iter().any(|path| path.len() != steps.len()) {
        let has_date = found.iter().flatten().any(|step| !dates_in(step).is_empty());
        return if has_date {
            asked("the files lie at several depths, with dates in their paths")
        } else {
            Ok(None)
        };
    }
    let column = |step: usize| found.iter().map(move |path| path[step]);
    let dated: Vec<usize> =
        (0..steps.len()).filter(|step| column(*step).all(|text| !dates_in(text).is_empty())).collect();
    let named = dated.iter().copied().filter(|step| column(*step).all(is_partition));
    let chosen: Vec<usize> = match (&dated[..], &named.collect::<Vec<_>>()[..]) {
        ([], _) => {
            let has_date = found.iter().flatten().any(|step| !dates_in(step).is_empty());
            if has_date {
                return asked("some paths have a date and others have none");
            }
            if (0..steps.len()).any(|step| column(step).all(has_compact_date)) {
                return asked(
                    "the paths have dates without hyphens, and {date} stands for YYYY-MM-DD: name the files so",
                );
            }
            return Ok(None);
        }
        ([one], _) => vec![*one],
        (_, [one]) => vec![*one],
        (several, _) => {
            // The same date again is no other date.
            let first = several[0];
            let same = |step: &usize| {
                column(first).zip(column(*step)).all(|(a, b)| dates_in(a)[0].1 == dates_in(b)[0].1)
            };
            if !several.iter().all(same) {
                return asked("the paths have several dates");
            }
            several.to_vec()
        }
    };
    for step in chosen {
        let texts: BTreeSet<&str> = column(step).collect();
        if texts.iter().any(|text| dates_in(text).len() > 1) {
            return asked("a name has several dates");
        }
        steps[step] = dated_step(&texts);
    }
    Ok(Some(steps.join("/")))
}

/// A step of a path in which every text has one date.
fn dated_step(texts: &BTreeSet<&str>) -> String {
    let around = texts.iter().map(|text| {
        let (start, _) = dates_in(text)[0];
        (&text[..start], &text[start + DATE_BYTES..])
    });
    let (before, after): (Vec<&str>, Vec<&str>) = around.unzip();
    let is_same = |texts: &[&str]| texts.iter().all(|text| *text == texts[0]);
    let before = if is_same(&before) { glob::Pattern::escape(before[0]) } else { "*".to_string() };
    let after = match (is_same(&after), after[0].rsplit_once('.')) {
        (true, _) => glob::Pattern::escape(after[0]),
        (false, Some((_, ending))) if after.iter().all(|text| text.ends_with(&format!(".{ending}"))) => {
            format!("*.{}", glob::Pattern::escape(ending))
        }
        _ => "*".to_string(),
    };
    format!("{before}{{date}}{after}")
}

/// Bytes of YYYY-MM-DD.
const DATE_BYTES: usize = 10;

fn dates_in(text: &str) -> Vec<DateIn> {
    let starts = 0..text.len().saturating_sub(DATE_BYTES - 1);
    starts.filter_map(|start| Some((start, text.get(start..start + DATE_BYTES)?.parse().ok()?))).collect()
}

/// Whether a step is called as partitions by day are.
fn is_partition(text: &str) -> bool {
    ["date=", "dt=", "ds=", "day=", "delivery_date="].iter().any(|key| text.starts_with(key))
}

/// Whether a text has a date as YYYYMMDD.
fn has_compact_date(text: &str) -> bool {
    let digits: Vec<&str> = text.split(|c: char| !c.is_ascii_digit()).filter(|run| run.len() == 8).collect();
    digits.iter().any(|run| format!("{}-{}-{}", &run[..4], &run[4..6], &run[6..]).parse::<Day>().is_ok())
}

/// A pattern as a job in a directory writes it: relative where the two have more than the root in common.
pub(super) fn from_directory(directory: &Path, pattern: &str) -> String {
    let (root, rest) = before_wildcard(pattern);
    if is_url(Path::new(pattern)) || is_url(directory) {
        return pattern.to_string();
    }
    let split = root.rfind('/').map_or(0, |slash| slash + 1);
    let (above, name) = root.split_at(split);
    let (from, to) = (places::resolved(directory), places::resolved(Path::new(above)));
    let common = from.components().zip(to.components()).take_while(|(a, b)| a == b).count();
    if common <= 1 {
        return pattern.to_string();
    }
    let up = from.components().skip(common).map(|_| "..".to_string());
    let down = to.components().skip(common).filter_map(|step| match step {
        Component::Normal(step) => Some(escaped(Path::new(step))),
        _ => None,
    });
    let mut steps: Vec<String> = up.chain(down).collect();
    steps.push(format!("{}{rest}", escaped(Path::new(name))));
    steps.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern_of(pattern: &str, paths: &[&str]) -> Result<Option<String>, String> {
        let paths: Vec<String> = paths.iter().map(|path| (*path).to_string()).collect();
        dated_pattern("lines", pattern, &paths).map_err(|error| error.to_string())
    }

    #[test]
    fn the_date_is_found_in_directories_and_names() {
        for (pattern, paths, dated) in [
            (
                "/d/*/*.parquet",
                vec!["/d/date=2026-11-19/a.parquet", "/d/date=2026-11-20/b.parquet"],
                Some("/d/date={date}/*.parquet"),
            ),
            (
                "/d/*.parquet",
                vec!["/d/l-2026-11-19.parquet", "/d/l-2026-11-20.parquet"],
                Some("/d/l-{date}.parquet"),
            ),
            (
                "/d/*",
                vec!["/d/a-2026-11-19-1.parquet", "/d/b-2026-11-19-2.parquet"],
                Some("/d/*{date}*.parquet"),
            ),
            ("/d/2026-11-19/*.parquet", vec!["/d/2026-11-19/a.parquet"], Some("/d/{date}/*.parquet")),
            ("/d/*/*", vec!["/d/2026-11-19/l-2026-11-19.parquet"], Some("/d/{date}/l-{date}.parquet")),
            ("/d/*/*", vec!["/d/date=2026-11-19/l-2026-11-18.parquet"], Some("/d/date={date}/*")),
            ("/d/*.parquet", vec!["/d/a.parquet", "/d/b.parquet"], None),
        ] {
            assert_eq!(pattern_of(pattern, &paths), Ok(dated.map(str::to_string)), "{pattern}");
        }
    }

    #[test]
    fn a_date_that_may_be_another_is_asked_for() {
        for (pattern, paths, why) in [
            ("/d/*/*", vec!["/d/2026-11-19/l-2026-11-18.parquet"], "the paths have several dates"),
            ("/d/*", vec!["/d/l-2026-11-18.parquet", "/d/l.parquet"], "others have none"),
            ("/d/*", vec!["/d/l-20261118.parquet"], "dates without hyphens"),
            ("/d/*", vec!["/d/2026-11-18-to-2026-11-19.parquet"], "a name has several dates"),
        ] {
            let error = pattern_of(pattern, &paths).unwrap_err();
            assert!(error.contains(why) && error.contains("write {date}"), "{error}");
        }
    }

    #[test]
    fn a_job_names_files_from_where_it_lies() {
        let from = |directory: &str, pattern: &str| from_directory(Path::new(directory), pattern);
        assert_eq!(
            from("/nowhere/jobs", "/nowhere/data/date={date}/*.parquet"),
            "../data/date={date}/*.parquet"
        );
        assert_eq!(from("/nowhere/jobs", "/elsewhere/*.parquet"), "/elsewhere/*.parquet");
        assert_eq!(from("/nowhere/jobs", "s3://b/{date}.parquet"), "s3://b/{date}.parquet");
        assert_eq!(from("/nowhere/a/jobs", "/nowhere/d/l-{date}.parquet"), "../../d/l-{date}.parquet");
    }
}
