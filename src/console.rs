//! The terminal: progress, log lines, and tables for people.

mod output;
mod progress;
mod table;
mod tone;
mod width;

use std::path::{Component, Path, PathBuf};

use indicatif::DecimalBytes;

use crate::day::Day;
use crate::store::is_url;

pub use output::{
    be_quiet, print, print_beside_error, print_bytes, print_error, print_errors_as_json, print_json,
    print_json_error, print_json_lines, print_record, say, visible,
};
pub use progress::{Progress, above_progress};
pub use table::{is_number, table, table_of_width};
pub use tone::{Tone, choose_colour, paint, plain, stderr_has_colour, stdout_has_colour};
pub use width::{fold, width};

/// A path without the detours of `dir/..`, for people to read. One that lies outside of the working directory is given
/// from the root.
pub fn plain_path(path: &Path) -> String {
    if is_url(path) {
        return path.display().to_string();
    }
    let plain = without_detours(path);
    match std::env::current_dir() {
        Ok(here) if plain.starts_with("..") => without_detours(&here.join(path)).display().to_string(),
        _ => plain.display().to_string(),
    }
}

fn without_detours(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match (part, plain.components().next_back()) {
            (Component::CurDir, _) => {}
            (Component::ParentDir, Some(Component::Normal(_))) => drop(plain.pop()),
            _ => plain.push(part),
        }
    }
    plain
}

/// An integer with thousands separators.
pub fn thousands(number: i128) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::from(if number < 0 { "-" } else { "" });
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Days without a delivery, in words; nothing where there are none.
pub fn missed(days: &[Day]) -> Option<String> {
    match days {
        [] => None,
        [day] => Some(format!("no delivery of {day}")),
        [first, .., last] => {
            Some(format!("{} without a delivery, from {first} to {last}", plural(days.len(), "day")))
        }
    }
}

/// A count and what is counted, as in `1 night` and `1,200 nights`; `noun` is the word for one.
pub fn plural(count: usize, noun: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{} {noun}{ending}", thousands(count as i128))
}

/// A number of bytes, in the unit that suits it.
pub fn bytes(bytes: u64) -> String {
    DecimalBytes(bytes).to_string()
}

/// Minor units as an amount with its decimal places.
pub fn money(minor: i128, minor_units: u32) -> String {
    let one = 10_u128.pow(minor_units);
    let (whole, rest) = (minor.unsigned_abs() / one, minor.unsigned_abs() % one);
    let sign = if minor < 0 { "-" } else { "" };
    let whole = thousands(i128::try_from(whole).unwrap_or(i128::MAX));
    match minor_units {
        0 => format!("{sign}{whole}"),
        places => format!("{sign}{whole}.{rest:0width$}", width = places as usize),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_shown_without_detours() {
        for (path, plain) in [("jobs/../out/date=1", "out/date=1"), ("./a/b/../../c", "c")] {
            assert_eq!(plain_path(Path::new(path)), plain);
        }
        let outside = plain_path(Path::new("a/../../out"));
        assert!(outside.starts_with('/') && outside.ends_with("/out"), "{outside}");
        assert!(!outside.contains(".."), "{outside}");
    }

    #[test]
    fn money_has_its_decimal_places() {
        assert_eq!(money(123_456_789, 2), "1,234,567.89");
        assert_eq!(money(-5, 2), "-0.05");
        assert_eq!(money(1000, 0), "1,000");
    }
}
