//! Nights that end otherwise than by running through: in steps that many processes share, and by a signal.

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;

use super::script;
use crate::support::book::{Book, TODAY};
use crate::support::shipped_in;

/// Does a step with the reports of those before it; its own.
fn step(book: &Book, args: &[&str], tasks: u64, given: &[String]) -> Vec<String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rescore"));
    command.current_dir(book.path()).arg("step").args(args).env_remove("RESCORE_LOG");
    for task in 0..tasks {
        command.args(["--task", &task.to_string()]);
    }
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all((given.join("\n") + "\n").as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_string).collect()
}

#[test]
fn a_night_in_steps_is_told_of_as_it_is_committed() {
    let book = Book::new();
    book.append("job.toml", "\n[metrics]\nfile = \"x.prom\"\n[lineage]\nfile = \"events\"\n");
    let planned =
        step(&book, &["plan", "job.toml", "--date", TODAY, "--parts", "2", "--work", "work"], 0, &[]);
    let said: Value = serde_json::from_str(&planned[0]).unwrap();
    let (plan, parts) = (said["plan"].as_str().unwrap(), said["parts"].as_u64().unwrap());
    assert_eq!(said["keys"], 0, "no column is unique");
    let sorted = step(&book, &["sort", "--plan", plan], said["sort"].as_u64().unwrap(), &[]);
    let part = step(&book, &["part", "--plan", plan], parts, &sorted);
    let cut = step(&book, &["cut", "--plan", plan], 1, &part);
    let finished = step(&book, &["finish", "--plan", plan], parts, &[&part[..], &cut].concat());
    assert!(!book.path().join("x.prom").exists());
    let all = [&sorted[..], &part, &cut, &finished].concat();
    step(&book, &["commit", "--plan", plan], 1, &all);
    let metrics = fs::read_to_string(book.path().join("x.prom")).unwrap();
    assert!(metrics.contains("\nrescore_last_run_exit_code{job=\"plain\"} 0\n"), "{metrics}");
    assert!(metrics.contains("\nrescore_accounts{job=\"plain\"} 3\n"), "{metrics}");
    let events = fs::read_to_string(book.path().join("events")).unwrap();
    assert!(events.lines().count() == 2 && events.contains("\"COMPLETE\""), "{events}");
}

#[test]
fn a_night_that_is_ended_by_its_scheduler_is_told_of_and_one_at_the_keyboard_only_counted() {
    for (signal, exit, is_told) in [("-TERM", 143, true), ("-INT", 130, false)] {
        let book = Book::empty();
        shipped_in(book.path());
        let job = book.path().join("jobs/first-night.toml");
        script(&book, "jobs/tell", "cat > told");
        let text = fs::read_to_string(&job).unwrap();
        let tables = "\n[metrics]\nfile = \"../x.prom\"\n[notify]\ncommand = [\"./tell\"]\n";
        fs::write(&job, text + tables).unwrap();
        let mut code = None;
        // One that is faster than its signal is run again.
        for delay in (0..20_u64).rev().map(|step| 20 * step) {
            let mut command = Command::new(env!("CARGO_BIN_EXE_rescore"));
            command.current_dir(book.path()).stdout(Stdio::null()).stderr(Stdio::null());
            let args =
                ["run", "jobs/first-night.toml", "--date", "2026-11-19", "--replace", "--from-scratch"];
            let mut child = command.args(args).spawn().unwrap();
            sleep(Duration::from_millis(delay));
            let _ = Command::new("kill").args([signal, &child.id().to_string()]).status();
            code = child.wait().unwrap().code();
            if code == Some(exit) && book.path().join("x.prom").exists() {
                break;
            }
        }
        assert_eq!(code, Some(exit));
        let metrics = fs::read_to_string(book.path().join("x.prom")).unwrap();
        let line = format!("\nrescore_last_run_exit_code{{job=\"first-night\"}} {exit}\n");
        assert!(metrics.contains(&line), "{metrics}");
        assert_eq!(book.path().join("told").exists(), is_told, "{signal}");
    }
}
