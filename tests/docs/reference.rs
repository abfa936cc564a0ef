//! The reference misses no key, no name that the program writes, no exit code, no command and no flag.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use super::{page, quoted, section, table_rows};
use crate::support::{project, shipped_in, succeed_in};

/// The text of every Rust file below a directory of the source, by path.
fn sources(directory: PathBuf) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push((path.display().to_string(), fs::read_to_string(&path).unwrap()));
        }
    }
    found
}

/// The keys that a job file may have: the fields of whatever is read from TOML and knows no other keys.
fn keys(text: &str) -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    for strict in text.split("#[serde(deny_unknown_fields").skip(1) {
        let (_, body) = strict.split_once('{').unwrap();
        let (body, _) = body.split_once("\n}").unwrap();
        let mut renamed = None;
        for line in body.lines().map(str::trim) {
            if let Some(name) = line.strip_prefix("#[serde(rename = \"") {
                renamed = name.split('"').next();
            } else if !line.starts_with(['#', '/']) && !line.is_empty() {
                let field = line.rsplit_once("pub ").map_or(line, |(_, field)| field);
                let field = field.split(':').next().unwrap();
                keys.insert(renamed.take().unwrap_or(field).to_string());
            }
        }
    }
    keys
}

#[test]
fn every_key_of_the_job_files_is_in_the_reference() {
    let mut all = 0;
    for (path, text) in sources(project().join("src/job")) {
        let file = path.rsplit('/').next().unwrap();
        let name = match file.split('_').next().unwrap() {
            "policy" => "policy.md",
            "scorecard" | "feature" => "scorecard.md",
            _ => "job.md",
        };
        let page = page(name);
        let quoted: BTreeSet<&str> = quoted(&page).into_iter().collect();
        for key in keys(&text) {
            let is_there = [key.clone(), format!("[{key}]"), format!("[[{key}]]"), format!("[{key}.…]")]
                .iter()
                .any(|form| quoted.contains(form.as_str()));
            // Of `[[gate]]` and `[[feature]]` a section speaks, and the example above it shows them.
            assert!(is_there || page.contains(&format!("\n[[{key}]]\n")), "{name}: `{key}` of {file}");
            all += 1;
        }
    }
    assert!(all > 80, "{all}");
}

/// Names that the program writes or reads, and the page and section that list them in a table.
fn names(page_name: &str, heading: &str) -> BTreeSet<String> {
    let page = page(page_name);
    let rows = table_rows(section(&page, heading));
    rows.iter().map(|row| quoted(&row[0]).first().copied().unwrap_or("").to_string()).collect()
}

#[test]
fn refusals_rejects_actions_caps_and_aggregates_are_in_the_reference_and_nothing_else() {
    let texts: Vec<String> = sources(project().join("src")).into_iter().map(|(_, text)| text).collect();
    let written = |kind: &str| -> BTreeSet<String> {
        let arms =
            texts.iter().flat_map(|text| text.lines()).filter_map(|line| line.trim().split_once(" => \""));
        let of_kind = arms.filter(|(variant, _)| {
            variant.split_once("::").is_some_and(|(owner, _)| owner.ends_with(kind) && owner != "Self")
        });
        let names = of_kind.filter_map(|(_, name)| name.strip_suffix("\","));
        names.filter(|name| !name.contains(' ')).map(str::to_string).collect()
    };
    assert_eq!(written("Refusal"), names("policy.md", "## Refusals"));
    assert_eq!(written("Action"), names("policy.md", "## Actions"));
    assert_eq!(written("Cap"), names("policy.md", "## Caps"));
    assert_eq!(written("LeftOut"), names("commands.md", "## features"));
    let reasons = names("inputs.md", "## Reject reasons");
    let rejects = written("Reason");
    assert_eq!(rejects.intersection(&reasons).count(), 11, "{rejects:?} {reasons:?}");
    assert_eq!(reasons.len(), 11);

    let home = tempfile::tempdir().unwrap();
    shipped_in(home.path());
    let scorecard = home.path().join("jobs/scorecard.toml");
    let text = fs::read_to_string(&scorecard).unwrap();
    fs::write(&scorecard, text.replacen("agg = \"count\"", "agg = \"median\"", 1)).unwrap();
    let (code, _, stderr) = crate::support::outcome_in(home.path(), &["check", "jobs/nightly.toml"]);
    assert_eq!(code, 2);
    let (_, expected) = stderr.split_once("expected one of ").unwrap();
    let known = quoted(expected.lines().next().unwrap());
    let features = page("scorecard.md");
    let rows = table_rows(section(&features, "## Features"));
    let in_page: Vec<&str> =
        rows.iter().map(|row| quoted(&row[0])[0]).filter(|name| known.contains(name)).collect();
    assert_eq!(in_page, known);
}

#[test]
fn every_exit_code_is_in_operations() {
    let help = succeed_in(&project(), &["--help"]);
    let (_, codes) = help.split_once("Exit codes:\n").unwrap();
    let codes: Vec<u8> =
        codes.lines().filter_map(|line| line.split_whitespace().next()?.parse().ok()).collect();
    assert!(codes.len() > 9, "{help}");
    let operations = page("operations.md");
    let rows = table_rows(section(&operations, "## Exit codes"));
    let known: Vec<u8> = rows
        .iter()
        .filter(|row| row.len() == 4)
        .flat_map(|row| {
            let cell = row[0].trim_start_matches('[').split(']').next().unwrap();
            cell.split(", ").filter_map(|code| code.parse().ok()).collect::<Vec<u8>>()
        })
        .collect();
    assert_eq!(known, codes);
    let beyond = codes.iter().filter(|code| **code > 1);
    for code in beyond.filter(|code| **code != 143) {
        let heading = [format!("\n### Exit {code}:"), format!("\n### Exit {code}, ")];
        assert!(heading.iter().any(|heading| operations.contains(heading)), "exit {code}");
    }
}

#[test]
fn every_command_and_flag_is_in_the_reference() {
    let page = page("commands.md");
    let (intro, _) = page.split_once("\n## ").unwrap();
    let help = succeed_in(&project(), &["--help"]);
    let (_, list) = help.split_once("Commands:\n").unwrap();
    let (list, _) = list.split_once("\n\n").unwrap();
    let commands: Vec<&str> = list.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert!(commands.contains(&"diff") && commands.len() > 9, "{help}");
    for command in commands.into_iter().filter(|command| *command != "help") {
        let heading = if ["completions", "man"].contains(&command) { "completions, man" } else { command };
        let section = section(&page, &format!("## {heading}"));
        let help = succeed_in(&project(), &[command, "--help"]);
        let options = help.lines().map(str::trim).filter(|line| line.starts_with('-'));
        // A value of an option may begin with a dash, too.
        let flags =
            options.filter_map(|line| line.split([' ', ',', '.']).find(|word| word.starts_with("--")));
        for flag in flags.filter(|flag| !["--help", "--verbose"].contains(flag)) {
            assert!(section.contains(flag) || intro.contains(flag), "{command} {flag}");
        }
    }
}
