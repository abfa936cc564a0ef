//! `thresholds.toml`: every threshold on the score, for whoever decides about them.

use std::fmt::Write;

use super::record::FitRecord;
use super::text_edits::quoted;

/// The text of the file.
pub fn thresholds_text(record: &FitRecord) -> String {
    let mut text = String::from(
        "# Every threshold of rules and gates on the score or a dimension, what it was on the scale of the card before, and\n\
         # what keeps the share of the sample below it on the scale of the fitted card.\n",
    );
    let moved = if record.thresholds_moved {
        "# They are moved in the copies of policy and job beside this file.\n"
    } else {
        "# They are NOT moved in the copies of policy and job beside this file (--keep-thresholds).\n"
    };
    text.push_str(moved);
    for one in &record.thresholds {
        let _ = write!(
            text,
            "\n[[threshold]]\nof = {}\nfile = \"{}\"\nline = {}\nexpression = {}\ncolumn = \"{}\"\nold = {}\n\
             old_share_below_bp = {}\n",
            quoted(&one.of),
            one.file,
            one.line,
            quoted(&one.expression),
            one.column,
            one.old,
            one.old_share_bp,
        );
        match (one.new, one.new_share_bp) {
            (Some(new), Some(share)) => {
                let _ = writeln!(text, "new = {new}\nnew_share_below_bp = {share}");
                if one.place.is_none() && new != one.old {
                    text.push_str("# It is written with escapes, and is not moved: move it by hand.\n");
                }
            }
            _ => text.push_str(
                "# No characteristic of the fitted card moves this column: nothing keeps the share.\n",
            ),
        }
    }
    for one in &record.to_look_at {
        let _ = write!(
            text,
            "\n# It reads {} in a way that no share tells: look at it.\n[[look_at]]\nof = {}\nfile = \"{}\"\nline = {}\n\
             expression = {}\n",
            one.column,
            quoted(&one.of),
            one.file,
            one.line,
            quoted(&one.expression),
        );
    }
    text
}
