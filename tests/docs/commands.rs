//! The commands of the README and of the book, as a newcomer would type them, page by page, in a copy of the project.

use std::fs;
use std::path::Path;
use std::process::Command;

use arrow_schema::DataType;

use super::{quoted, read, table_rows};
use crate::support::files::copy;
use crate::support::{Cell, SHIPPED_NIGHTS, Table, day, project, succeed_in};

/// A line to type, or several that belong together, and what the page shows of the answer.
struct Step {
    command: String,
    shown: Vec<String>,
}

/// A page whose commands are run, and whether the first nights of the sample book are there before.
const PAGES: [(&str, bool); 7] = [
    ("README.md", false),
    ("docs/tutorial.md", false),
    ("docs/commands.md", false),
    ("docs/operations.md", false),
    ("docs/recipes.md", true),
    ("docs/figures.md", false),
    ("docs/model.md", false),
];

#[test]
fn every_command_of_the_readme_works_in_the_order_given() {
    type_in(0);
}

#[test]
fn every_command_of_the_tutorial_works_in_the_order_given() {
    type_in(1);
}

#[test]
fn the_commands_of_the_reference_work_and_the_sample_data_is_what_they_make() {
    let home = type_in(2);
    sample_data_is_what_is_made(&home.path().join("made/sample_data"));
}

#[test]
fn every_command_of_the_page_on_operations_works_in_the_order_given() {
    type_in(3);
}

#[test]
fn every_command_of_the_recipes_works_in_the_order_given() {
    type_in(4);
}

#[test]
fn the_commands_of_the_figures_work_at_a_size_that_a_test_can_wait_for() {
    type_in(5);
}

#[test]
fn every_command_of_the_page_on_models_works_in_the_order_given() {
    type_in(6);
}

#[test]
fn the_commands_of_the_comparison_with_other_tools_work() {
    let home = tempfile::tempdir().unwrap();
    for part in ["jobs", "sample_data"] {
        copy(&project().join(part), &home.path().join(part));
    }
    for (job, date) in SHIPPED_NIGHTS {
        succeed_in(home.path(), &["run", job, "--date", date, "-q"]);
    }
    let rows = table_rows(&read("docs/peers.md"));
    let commands: Vec<&str> = rows.iter().flat_map(|row| quoted(&row[2])).collect();
    assert!(commands.len() > 30, "{commands:?}");
    for command in commands {
        let is_diff = command.starts_with("rescore diff");
        let allowed = if is_diff { format!("{command} || test $? -eq 1") } else { command.to_string() };
        take(home.path(), &Step { command: allowed, shown: Vec::new() });
    }
}

#[test]
fn the_commands_of_every_page_are_run() {
    for entry in fs::read_dir(project().join("docs")).unwrap() {
        let name = format!("docs/{}", entry.unwrap().file_name().to_str().unwrap());
        let is_run = PAGES.iter().any(|(page, _)| *page == name);
        assert!(!name.ends_with(".md") || is_run || !read(&name).contains("```sh"), "{name}");
    }
}

/// Types the commands of a page in a copy of the project, and looks for what the page shows.
fn type_in(page: usize) -> tempfile::TempDir {
    let (page, after_nights) = PAGES[page];
    let home = tempfile::tempdir().unwrap();
    for part in ["jobs", "sample_data"] {
        copy(&project().join(part), &home.path().join(part));
    }
    if after_nights {
        for (job, date) in SHIPPED_NIGHTS {
            succeed_in(home.path(), &["run", job, "--date", date]);
        }
    }
    let steps = steps(&read(page));
    assert!(!steps.is_empty(), "{page}");
    for step in steps {
        // The tests themselves are what runs this.
        if step.command != "tests/run" {
            take(home.path(), &step);
        }
    }
    home
}

fn take(home: &Path, step: &Step) {
    if step.command.contains("--spine") {
        write_pairs(home);
    }
    let command = step.command.replace("cargo run --release --", "rescore");
    let binary = Path::new(env!("CARGO_BIN_EXE_rescore")).parent().unwrap();
    let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap());
    let output = Command::new("sh").args(["-ec", &command]).current_dir(home).env("PATH", path).output();
    let output = output.unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command}\n{stderr}");
    let stdout = String::from_utf8_lossy(&output.stdout);
    // Pages leave empty lines out.
    let stdout: String =
        stdout.lines().filter(|line| !line.is_empty()).flat_map(|line| [line, "\n"]).collect();
    let mut rest = stdout.as_str();
    for shown in &step.shown {
        let found = rest.find(shown.as_str());
        let found = found.unwrap_or_else(|| panic!("{command} does not print\n{shown}\nbut\n{rest}"));
        rest = &rest[found + shown.len()..];
    }
}

/// The lines of all ```sh blocks, a here-document as one, with what the ```text block after them shows: pieces
/// of the answer in order, between lines of `…`. Lines of ```console blocks after a `$ ` are measurements, taken
/// at a small size.
fn steps(page: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut block = "";
    let mut is_open = false;
    for line in page.lines() {
        match (line.strip_prefix("```"), block) {
            (Some(kind), _) => {
                block = kind;
                if kind == "text"
                    && let Some(step) = steps.last_mut()
                {
                    step.shown.push(String::new());
                }
            }
            (None, "sh") if is_open => {
                let step = steps.last_mut().expect("a here-document begins with a command");
                step.command.extend(["\n", line]);
                is_open = line != "END";
            }
            (None, "sh") => {
                steps.push(Step { command: line.to_string(), shown: Vec::new() });
                is_open = line.ends_with("<<'END'");
            }
            (None, "text") => {
                let step = steps.last_mut().expect("something is shown after a command");
                match line {
                    "" => {}
                    "…" => step.shown.push(String::new()),
                    _ => step.shown.last_mut().expect("a block is open").extend([line, "\n"]),
                }
            }
            (None, _) => {
                let measured = line.strip_prefix("$ ").map(|line| line.replace("/usr/bin/time -v ", ""));
                let small = measured.map(|line| line.replace("--accounts 1000000", "--accounts 2500"));
                steps.extend(small.map(|command| Step { command, shown: Vec::new() }));
            }
        }
    }
    steps
}

/// What the tutorial has DuckDB write: every account of a run on three days.
fn write_pairs(home: &Path) {
    let accounts = Table::read_columns(&home.join("out/date=2026-11-20/scores.parquet"), &["account_id"]);
    let mut pairs = Table::new(&[("account_id", DataType::Int64), ("as_of", DataType::Date32)]);
    for row in accounts.rows {
        for as_of in ["2026-11-13", "2026-11-19", "2026-11-20"] {
            pairs = pairs.row([row[0].clone(), Cell::from(day(as_of))]);
        }
    }
    pairs.write(&home.join("pairs.parquet"));
}

fn sample_data_is_what_is_made(made: &Path) {
    let committed = project().join("sample_data");
    let listing = |root: &Path| {
        let mut files = Vec::new();
        list(root, root, &mut files);
        files.sort();
        files
    };
    let mut files = listing(&committed);
    // Real data, which nobody made up.
    files.retain(|file| !file.starts_with("taiwan/"));
    assert_eq!(files, listing(made));
    for file in files {
        assert!(fs::read(committed.join(&file)).unwrap() == fs::read(made.join(&file)).unwrap(), "{file}");
    }
}

fn list(root: &Path, directory: &Path, files: &mut Vec<String>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            list(root, &path, files);
        } else {
            files.push(path.strip_prefix(root).unwrap().display().to_string());
        }
    }
}
