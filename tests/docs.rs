//! The documentation: its commands work, its references miss nothing, its links lead somewhere.

use std::fs;

use crate::support::project;

mod commands;
mod outputs;
mod papers;
mod reference;

/// The text of a file of the project.
fn read(path: &str) -> String {
    fs::read_to_string(project().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A page of the book.
fn page(name: &str) -> String {
    read(&format!("docs/{name}"))
}

/// The part of a page below a heading, up to the next one of the same level.
fn section<'p>(page: &'p str, heading: &str) -> &'p str {
    let start = page.find(&format!("\n{heading}\n")).unwrap_or_else(|| panic!("no section `{heading}`"));
    let section = &page[start + 1..];
    let level = heading.split(' ').next().unwrap();
    let end = section.find(&format!("\n{level} ")).unwrap_or(section.len());
    &section[..end]
}

/// The cells of the rows of all tables of a text, without headings and rules between.
fn table_rows(text: &str) -> Vec<Vec<String>> {
    let lines: Vec<&str> = text.lines().collect();
    let mut rows = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        let is_rule = |line: &str| line.starts_with("|-");
        let is_heading = lines.get(number + 1).is_some_and(|next| is_rule(next));
        if line.starts_with('|') && !is_rule(line) && !is_heading {
            let cells = line.trim_matches('|').split('|').map(|cell| cell.trim().to_string());
            rows.push(cells.collect());
        }
    }
    rows
}

/// What stands between backticks in a text.
fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}
