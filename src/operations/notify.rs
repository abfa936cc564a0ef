//! The command that is told of a night that is held or has failed: JSON on its standard input, no shell, bounded in time.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use rustix::system::uname;
use serde::Serialize;

use super::night_report::NightReport;
use crate::console::plain_path;
use crate::day::Day;
use crate::job::Notify;
use crate::run_dir::gates::failed;

/// How often it is looked whether the command has ended.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// What the command is told.
#[derive(Serialize)]
struct EndNotice<'a> {
    /// `held` or `failed`.
    event: &'a str,
    job: &'a str,
    as_of: Day,
    known_on: Day,
    /// As logs name it.
    run: Option<&'a str>,
    exit: u8,
    /// One sentence.
    message: String,
    /// Where a held run lies.
    directory: Option<String>,
    /// The gates that do not hold, with their figures and bounds.
    gates: Vec<FailedGate<'a>>,
    host: String,
    ended_at: String,
    version: &'a str,
}

#[derive(Serialize)]
struct FailedGate<'a> {
    name: &'a str,
    figure: &'a str,
    among: Option<u64>,
    bounds: &'a str,
    /// Figure and bounds in units that people read.
    words: String,
}

/// Tells the command. What goes wrong with it is a warning.
pub(super) fn tell(notify: &Notify, report: &NightReport) {
    let text = match serde_json::to_string(&notice(report)) {
        Ok(text) => text,
        Err(error) => return tracing::warn!("nobody is notified: {error}"),
    };
    let program = &notify.command[0];
    match run(notify, text) {
        Ok(status) if status.success() => tracing::info!("{program} was notified"),
        Ok(status) => tracing::warn!("the command that is notified, {program}, ended with {status}"),
        Err(why) => tracing::warn!("the command that is notified, {program}, {why}"),
    }
}

fn notice<'a>(report: &'a NightReport) -> EndNotice<'a> {
    let gates = report.manifest().map_or_else(Vec::new, |manifest| failed(&manifest.gates));
    let held = || {
        let names: Vec<String> = gates.iter().map(|gate| format!("`{}`", gate.name)).collect();
        format!("the night of {} is held by {}", report.as_of, names.join(", "))
    };
    let minor_units = report.outcome.map_or(0, |outcome| outcome.minor_units);
    EndNotice {
        event: report.ending,
        job: report.job,
        as_of: report.as_of,
        known_on: report.known_on,
        run: report.run.as_deref(),
        exit: report.exit,
        message: report.message.clone().unwrap_or_else(held),
        directory: report.outcome.map(|outcome| plain_path(&outcome.directory)),
        gates: gates
            .iter()
            .map(|gate| FailedGate {
                name: &gate.name,
                figure: &gate.figure,
                among: gate.among,
                bounds: &gate.bounds,
                words: gate.in_words(minor_units).to_string(),
            })
            .collect(),
        host: uname().nodename().to_string_lossy().into_owned(),
        ended_at: report.ended_at.to_string(),
        version: env!("CARGO_PKG_VERSION"),
    }
}

/// Runs the command to its end, or to that of its time; then it is killed, with what it has started.
fn run(notify: &Notify, text: String) -> Result<ExitStatus, String> {
    let (program, arguments) = notify.command.split_first().ok_or("has no name")?;
    let mut command = Command::new(program);
    // What it prints is no output of a run; what it complains of is seen where warnings are.
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::null()).process_group(0);
    let mut child = command.spawn().map_err(|error| format!("cannot be started: {error}"))?;
    let stdin = child.stdin.take();
    // It may never read what it is told.
    thread::spawn(move || {
        let _ = stdin.map(|mut stdin| stdin.write_all(format!("{text}\n").as_bytes()));
    });
    let started = Instant::now();
    while started.elapsed() < notify.timeout {
        match child.try_wait() {
            Ok(Some(status)) => return Ok(status),
            Ok(None) => thread::sleep(LOOK_EVERY),
            Err(error) => return Err(format!("cannot be waited for: {error}")),
        }
    }
    kill(&mut child);
    Err(format!("took longer than {} seconds and was killed", notify.timeout.as_secs()))
}

fn kill(child: &mut Child) {
    let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    // One that has ended by now is as good.
    let _ = group.map(|group| kill_process_group(group, Signal::KILL));
    let _ = child.kill();
    let _ = child.wait();
}
