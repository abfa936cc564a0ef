//! Findings as the terminal shows them.

use super::range::range_sections;
use super::section::FindingsSection;
use super::sections::sections;
use crate::console::{table, visible};
use crate::diff::findings::Findings;
use crate::diff::range::RangeFindings;

/// A comparison, of each list at most `limit` entries; the headlines alone for a summary.
pub fn text(findings: &Findings, limit: usize, is_summary: bool) -> String {
    plain(&sections(findings, limit, is_summary))
}

/// Two ranges.
pub fn range_text(findings: &RangeFindings) -> String {
    plain(&range_sections(findings))
}

fn plain(sections: &[FindingsSection]) -> String {
    sections.iter().map(plain_section).collect::<Vec<_>>().join("\n\n")
}

fn plain_section(section: &FindingsSection) -> String {
    let mut lines: Vec<String> = Vec::new();
    if !section.title.is_empty() {
        lines.push(visible(&section.title).into_owned());
    }
    let indent = if section.title.is_empty() { "" } else { "  " };
    lines.extend(section.sentences.iter().map(|sentence| format!("{indent}{}", visible(sentence))));
    if !section.rows.is_empty() {
        let header: Vec<&str> = section.header.iter().map(String::as_str).collect();
        lines.push(table(&header, &section.rows));
    }
    lines.join("\n")
}
