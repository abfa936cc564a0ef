//! Which part a row plays: fitted on, held out, out of time, or under embargo.

use rayon::prelude::*;

use super::bind::{BoundModel, truths};
use super::file::Split;
use super::rows::SpineRows;
use super::sample::SamplePart;
use crate::day::Day;
use crate::expr::Column;
use crate::hash::bytes_hash;
use crate::input::accounts::id_text;

/// The part of every row.
pub(super) fn parts(split: &Split, bound: &BoundModel, rows: &SpineRows) -> Vec<SamplePart> {
    let held_out = held_out(split, bound, rows);
    let days = rows.asked.days.iter().map(|day| day.map(|day| day.as_of));
    let parts = days.zip(held_out).map(|(as_of, is_held_out)| match by_time(split, as_of) {
        Some(part) => part,
        None if is_held_out => SamplePart::HoldOut,
        None => SamplePart::Train,
    });
    parts.collect()
}

/// What a day alone says: at the cut or later it is out of time; before it, where the outcome may not have been known
/// on the day before the cut, it is under embargo.
fn by_time(split: &Split, as_of: Option<Day>) -> Option<SamplePart> {
    let (cut, as_of) = (split.out_of_time?, as_of?);
    if as_of >= cut {
        return Some(SamplePart::OutOfTime);
    }
    let known_on = as_of.plus(split.embargo_days as i32);
    (known_on > cut.plus(-1)).then_some(SamplePart::Embargo)
}

/// By row, whether it is held out where its day does not say its part.
fn held_out(split: &Split, bound: &BoundModel, rows: &SpineRows) -> Vec<bool> {
    if let Some(holdout) = &bound.holdout {
        return truths(holdout, &rows.columns(), rows.len()).iter().collect();
    }
    if split.holdout_bp == 0 {
        return vec![false; rows.len()];
    }
    let account: &Column = &rows.asked.account;
    let rows = (0..rows.len()).into_par_iter();
    let held_out = rows.map(|row| {
        let id = id_text(account, row).unwrap_or_default();
        share_of(&split.salt, &id) < u64::from(split.holdout_bp)
    });
    held_out.collect()
}

/// Where an account lies between 0 and 9999: the first eight bytes of the SHA-256 of the salt, a colon and the id (a
/// number in decimal digits) as a big-endian number, modulo 10000.
pub fn share_of(salt: &str, account: &str) -> u64 {
    const WHOLE_BP: u64 = 10_000;
    const EIGHT_BYTES: usize = 16;
    let hash = bytes_hash(format!("{salt}:{account}").as_bytes());
    u64::from_str_radix(&hash[..EIGHT_BYTES], 16).expect("it is hexadecimal") % WHOLE_BP
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `sha256sum` and any language's big integers give it.
    #[test]
    fn a_share_follows_from_salt_and_id() {
        assert_eq!(share_of("", "1"), 81);
        assert_eq!(share_of("spring", "1000042"), 7_273);
    }

    #[test]
    fn a_row_whose_outcome_was_not_known_before_the_cut_is_under_embargo() {
        let day = |text: &str| text.parse::<Day>().ok();
        let split = Split {
            out_of_time: day("2017-07-21"),
            holdout_bp: 0,
            salt: String::new(),
            holdout: None,
            embargo_days: 30,
        };
        let cases = [
            ("2017-07-22", Some(SamplePart::OutOfTime)),
            ("2017-07-21", Some(SamplePart::OutOfTime)),
            ("2017-07-20", Some(SamplePart::Embargo)),
            ("2017-06-21", Some(SamplePart::Embargo)),
            ("2017-06-20", None),
        ];
        for (as_of, part) in cases {
            assert_eq!(by_time(&split, day(as_of)), part, "{as_of}");
        }
        assert_eq!(by_time(&Split { out_of_time: None, ..split }, day("2017-07-22")), None);
    }
}
