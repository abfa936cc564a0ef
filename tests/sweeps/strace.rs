//! The binary under strace: which calls of a run change something, and what it does when one of them fails.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};

/// A call to be failed: the system call's name and which one of a thread, counted from 1; 0 stands for all.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    pub call: String,
    pub nth: usize,
}

/// What happens at a call.
#[derive(Debug, Clone, Copy)]
pub enum Injection {
    /// The process is killed before it.
    Kill,
    /// It fails with this error.
    Error(&'static str),
}

/// How the binary ended.
#[derive(Debug)]
pub enum Ended {
    Killed,
    /// The exit code and what was said.
    Exit(i32, String),
}

/// The system calls that can change something.
const CALLS: [&str; 22] = [
    "openat",
    "open",
    "creat",
    "write",
    "pwrite64",
    "writev",
    "fsync",
    "fdatasync",
    "rename",
    "renameat",
    "renameat2",
    "mkdir",
    "mkdirat",
    "unlink",
    "unlinkat",
    "rmdir",
    "chmod",
    "fchmod",
    "fchmodat",
    "ftruncate",
    "flock",
    "symlink",
];

fn strace(directory: &Path) -> Command {
    let mut command = Command::new("strace");
    command.current_dir(directory).args(["-f", "-qq", "-y"]).env_remove("RESCORE_LOG").env("NO_COLOR", "1");
    command
}

/// The calls of a command that change something below the directory, in order of name and number.
pub fn changing_calls(directory: &Path, args: &[&str]) -> Vec<Fault> {
    let traces = tempfile::tempdir().unwrap();
    let mut command = strace(directory);
    command.arg("-ff").args(["-e", &format!("trace={}", CALLS.join(",")), "-o"]);
    command.arg(traces.path().join("trace")).arg(env!("CARGO_BIN_EXE_rescore")).args(args);
    let output = command.output().expect("strace is installed: apt-get install strace");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut found = BTreeSet::new();
    for trace in fs::read_dir(traces.path()).unwrap() {
        let text = fs::read_to_string(trace.unwrap().path()).unwrap();
        for call in CALLS {
            let lines = text.lines().filter(|line| line.starts_with(&format!("{call}(")));
            let changing = lines.enumerate().filter(|(_, line)| changes(call, line));
            found.extend(changing.map(|(place, _)| Fault { call: call.to_string(), nth: place + 1 }));
        }
    }
    found.into_iter().collect()
}

/// Whether a call, as traced, changes something of ours.
fn changes(call: &str, line: &str) -> bool {
    let is_ours = line.contains("out/") || line.contains("/out>") || line.contains("\"out\"");
    is_ours && (!call.starts_with("open") || line.contains("O_CREAT"))
}

/// Runs a command that meets a fault.
pub fn with_fault(directory: &Path, args: &[&str], fault: &Fault, injection: Injection) -> Ended {
    let what = match injection {
        Injection::Kill => "signal=KILL".to_string(),
        Injection::Error(error) => format!("error={error}"),
    };
    let when = if fault.nth == 0 { "1+".to_string() } else { fault.nth.to_string() };
    let mut command = strace(directory);
    command.args(["-e", &format!("inject={}:{what}:when={when}", fault.call), "-o", "/dev/null"]);
    command.arg(env!("CARGO_BIN_EXE_rescore")).args(args).stdout(Stdio::null());
    let output = command.output().expect("strace is installed: apt-get install strace");
    if output.status.signal().is_some() {
        return Ended::Killed;
    }
    Ended::Exit(output.status.code().unwrap_or(-1), String::from_utf8_lossy(&output.stderr).into_owned())
}
