//! Findings as the terminal shows them.

use super::range::range_sections;
use super::section::{DIFFERENT, Detail, FindingsSection, SAME};
use super::sections::sections;
use crate::console::{Tone, fold, paint, table, visible};
use crate::diff::findings::Findings;
use crate::diff::provenance::NOT_COMPARABLE;
use crate::diff::range::RangeFindings;

/// A comparison, of each list at most `limit` entries.
pub fn text(findings: &Findings, limit: usize, detail: Detail) -> String {
    plain(&sections(findings, limit, detail))
}

/// Two ranges.
pub fn range_text(findings: &RangeFindings, detail: Detail) -> String {
    plain(&range_sections(findings, detail))
}

fn plain(sections: &[FindingsSection]) -> String {
    sections.iter().map(terminal_section).collect::<Vec<_>>().join("\n\n")
}

fn terminal_section(section: &FindingsSection) -> String {
    let mut lines: Vec<String> = Vec::new();
    if !section.title.is_empty() {
        lines.push(paint(Tone::Strong, &visible(&section.title)));
    }
    let indent = if section.title.is_empty() { "" } else { "  " };
    lines.extend(section.sentences.iter().map(|sentence| toned(sentence, indent)));
    if !section.rows.is_empty() {
        let header: Vec<&str> = section.header.iter().map(String::as_str).collect();
        lines.push(table(&header, &section.rows));
    }
    lines.join("\n")
}

/// A sentence, folded; the verdict in its tone.
fn toned(sentence: &str, indent: &str) -> String {
    let text = fold(&format!("{indent}{}", visible(sentence)), indent.len() + 2);
    let tones = [(SAME, Tone::Good), (DIFFERENT, Tone::Warning), (NOT_COMPARABLE, Tone::Failure)];
    match tones.into_iter().find(|(verdict, _)| sentence.starts_with(verdict)) {
        Some((_, tone)) => paint(tone, &text),
        None => text,
    }
}
