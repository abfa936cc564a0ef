//! What a job file says for those who operate it: metrics, lineage, whom to notify. No number depends on it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;
use toml::de::DeTable;

use super::diagnostics::Diagnostics;
use super::reader::Reader;
use super::source::Source;
use super::written_path::{Variables, directory, expand};
use crate::store::is_url;

/// What is told to other systems of how a run ended.
#[derive(Debug, Clone, Default)]
pub struct Operations {
    /// The file of metrics for Prometheus' node exporter.
    pub metrics: Option<PathBuf>,
    /// Where events of lineage go.
    pub lineage: Option<Lineage>,
    /// The command that is told of runs that are held or have failed.
    pub notify: Option<Notify>,
}

/// Where OpenLineage's events go.
#[derive(Debug, Clone)]
pub struct Lineage {
    /// A file, a line an event, or an HTTP endpoint.
    pub target: LineageTarget,
    /// The namespace of the job.
    pub namespace: String,
    /// How long an endpoint may take to answer.
    pub timeout: Duration,
}

/// Where an event of lineage is written to.
#[derive(Debug, Clone)]
pub enum LineageTarget {
    /// Appended, as a line.
    File(PathBuf),
    /// Posted to it.
    Endpoint(String),
}

/// A command and its arguments; no shell takes them apart.
#[derive(Debug, Clone)]
pub struct Notify {
    /// The program, then its arguments; at least the program.
    pub command: Vec<String>,
    /// How long it may take.
    pub timeout: Duration,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawMetrics {
    file: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLineage {
    file: Option<Spanned<String>>,
    url: Option<Spanned<String>>,
    namespace: Option<Spanned<String>>,
    timeout_seconds: Option<Spanned<u64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawNotify {
    command: Spanned<Vec<Spanned<String>>>,
    timeout_seconds: Option<Spanned<u64>>,
}

/// How long an endpoint may take, where the job does not say.
const LINEAGE_SECONDS: u64 = 5;

/// How long a command may take, where the job does not say.
const NOTIFY_SECONDS: u64 = 30;

/// A night waits no longer for anybody.
const MOST_SECONDS: u64 = 600;

/// The job's name and what it says for its operators, as far as its file can be read, whatever else is wrong with it:
/// that a run failed because of that is to be told too. Nothing where it cannot be read.
pub fn operations_of(job: &Path) -> (Option<String>, Operations) {
    let Ok(source) = Source::read(job) else { return (None, Operations::default()) };
    let mut diagnostics = Diagnostics::default();
    let mut reader = Reader { source: &source, diagnostics: &mut diagnostics };
    let mut top = reader.top();
    let name = top.get_ref().get("name").and_then(|name| name.get_ref().as_str()).map(str::to_string);
    let base = source.path.parent().unwrap_or(Path::new("")).to_path_buf();
    let variables = |name: &str| std::env::var(name).ok();
    let operations = read(&mut reader, &mut top, &variables, &base);
    (name, operations)
}

/// Takes the tables out of a job file.
pub(super) fn read<'a>(
    reader: &mut Reader<'a>,
    top: &mut Spanned<DeTable<'a>>,
    variables: Variables,
    base: &Path,
) -> Operations {
    let metrics = reader.take_key::<RawMetrics>(top, "metrics");
    let metrics = metrics.and_then(|raw| file(reader, variables, base, &raw.get_ref().file));
    let lineage = reader.take_key::<RawLineage>(top, "lineage");
    let lineage = lineage.and_then(|raw| lineage_of(reader, variables, base, &raw));
    let notify = reader.take_key::<RawNotify>(top, "notify");
    let notify = notify.and_then(|raw| notify_of(reader, variables, base, raw.into_inner()));
    Operations { metrics, lineage, notify }
}

/// A file of this machine.
fn file(reader: &mut Reader, variables: Variables, base: &Path, text: &Spanned<String>) -> Option<PathBuf> {
    let path = directory(reader, variables, base, text)?;
    if is_url(&path) {
        reader.error(text.span(), "this is a file of the machine that runs the job, no URL", None);
        return None;
    }
    Some(path)
}

fn lineage_of(
    reader: &mut Reader,
    variables: Variables,
    base: &Path,
    raw: &Spanned<RawLineage>,
) -> Option<Lineage> {
    let RawLineage { file: to_file, url, namespace, timeout_seconds } = raw.get_ref();
    let target = match (to_file, url) {
        (Some(text), None) => LineageTarget::File(file(reader, variables, base, text)?),
        (None, Some(text)) => LineageTarget::Endpoint(endpoint(reader, variables, text)?),
        _ => {
            let help = "write file = \"…\", or url = \"http://…/api/v1/lineage\"";
            reader.error(raw.span(), "[lineage] takes a `file` or a `url`", Some(help.to_string()));
            return None;
        }
    };
    let namespace = namespace.as_ref().map_or(Some("rescore".to_string()), |namespace| {
        expand(reader, variables, namespace).filter(|namespace| !namespace.is_empty())
    });
    let timeout = timeout(reader, timeout_seconds.as_ref(), LINEAGE_SECONDS)?;
    Some(Lineage { target, namespace: namespace?, timeout })
}

fn endpoint(reader: &mut Reader, variables: Variables, text: &Spanned<String>) -> Option<String> {
    let url = expand(reader, variables, text)?;
    // In the copies that runs keep, variables stay as they are written.
    let is_http = ["http://", "https://", "${"]
        .iter()
        .any(|scheme| url.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty()));
    if !is_http {
        let help = "as in http://marquez:5000/api/v1/lineage";
        reader.error(text.span(), "`url` is an HTTP endpoint", Some(help.to_string()));
    }
    is_http.then_some(url)
}

fn notify_of(reader: &mut Reader, variables: Variables, base: &Path, raw: RawNotify) -> Option<Notify> {
    let timeout = timeout(reader, raw.timeout_seconds.as_ref(), NOTIFY_SECONDS);
    let span = raw.command.span();
    let words = raw.command.into_inner();
    let mut command: Vec<String> = Vec::new();
    for (number, word) in words.iter().enumerate() {
        let expanded = expand(reader, variables, word)?;
        // A bare name is looked for where the system looks for programs.
        let is_path = number == 0 && expanded.contains('/');
        command.push(if is_path { base.join(&expanded).display().to_string() } else { expanded });
    }
    if command.first().is_none_or(String::is_empty) {
        let help = "as in command = [\"/usr/local/bin/page-on-call\", \"risk\"]";
        reader.error(span, "`command` names no program", Some(help.to_string()));
        return None;
    }
    Some(Notify { command, timeout: timeout? })
}

fn timeout(reader: &mut Reader, seconds: Option<&Spanned<u64>>, otherwise: u64) -> Option<Duration> {
    let found = seconds.map_or(otherwise, |seconds| *seconds.get_ref());
    if !(1..=MOST_SECONDS).contains(&found) {
        let span = seconds.map_or(0..0, Spanned::span);
        reader.error(span, format!("timeout_seconds is 1 to {MOST_SECONDS}"), None);
        return None;
    }
    Some(Duration::from_secs(found))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_found_in_a_job_file_that_is_wrong_elsewhere() {
        let home = tempfile::tempdir().unwrap();
        let job = home.path().join("job.toml");
        let text = "name = \"nightly\"\nscorecrad = 7\n[notify]\ncommand = [\"bin/tell\", \"bin/x\"]\n";
        crate::own::put_file(&job, text.as_bytes(), crate::own::Access::default()).unwrap();
        let (name, Operations { metrics, lineage, notify }) = operations_of(&job);
        assert_eq!(name.as_deref(), Some("nightly"));
        assert!(metrics.is_none() && lineage.is_none());
        let told = home.path().join("bin/tell").display().to_string();
        assert_eq!(notify.unwrap().command, [told, "bin/x".to_string()]);
        assert!(operations_of(&home.path().join("none.toml")).0.is_none());
    }
}
