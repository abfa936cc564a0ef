//! Findings as one self-contained HTML page; the template escapes every text.

use anyhow::{Context, Result};
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior, Value, context};
use serde::Serialize;

use super::findings::Findings;
use super::range::RangeFindings;
use super::told::{Section, range_sections, sections};

/// A section as the template takes it.
#[derive(Serialize)]
struct Shown<'a> {
    title: &'a str,
    sentences: &'a [String],
    header: &'a [&'static str],
    rows: Vec<Vec<Cell<'a>>>,
}

#[derive(Serialize)]
struct Cell<'a> {
    text: &'a str,
    /// Aligned right.
    is_number: bool,
}

/// The page of a comparison, of each list at most `limit` entries.
pub fn page(findings: &Findings, limit: usize, is_summary: bool) -> Result<String> {
    render(&findings.left, &findings.right, &sections(findings, limit, is_summary))
}

/// The page of two ranges.
pub fn range_page(findings: &RangeFindings) -> Result<String> {
    render(&findings.left, &findings.right, &range_sections(findings))
}

fn render(left: &str, right: &str, sections: &[Section]) -> Result<String> {
    let shown: Vec<Shown> = sections.iter().map(Shown::of).collect();
    let mut templates = Environment::new();
    templates.set_undefined_behavior(UndefinedBehavior::Strict);
    templates.add_template("diff.html", include_str!("../../templates/diff.html"))?;
    let page = context! { left, right, sections => Value::from(Serde(&shown)) };
    templates.get_template("diff.html")?.render(page).context("make the page")
}

impl Shown<'_> {
    fn of(section: &Section) -> Shown<'_> {
        Shown {
            title: &section.title,
            sentences: &section.sentences,
            header: &section.header,
            rows: section.rows.iter().map(|row| cells(row)).collect(),
        }
    }
}

fn cells(row: &[String]) -> Vec<Cell<'_>> {
    let is_number = |text: &str| {
        let digits = text.trim_start_matches(['+', '-']);
        digits.starts_with(|first: char| first.is_ascii_digit()) && !text.contains(['/', '='])
    };
    row.iter().map(|text| Cell { text, is_number: is_number(text) }).collect()
}
