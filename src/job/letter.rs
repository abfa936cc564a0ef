//! What a rule's text may say of the account: amounts and days, put in where `{amount …}` and `{day …}` stand.

use std::ops::Range;

/// A blank in a text, to be filled in with a feature's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blank<'t> {
    /// Where it stands in the text.
    pub place: Range<usize>,
    /// How the value is written.
    pub form: BlankForm,
    /// Whose value.
    pub feature: &'t str,
}

/// How a value is written into a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlankForm {
    /// `{amount FEATURE}`: minor units, as money.
    Amount,
    /// `{day FEATURE}`: the day that lies so many days before the as-of date.
    Day,
}

/// The blanks of a text, in order. Other braces are text.
pub fn blanks(text: &str) -> Vec<Blank<'_>> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(start) = text[from..].find('{').map(|at| from + at) {
        from = start + 1;
        let Some(end) = text[start..].find('}').map(|at| start + at) else { break };
        let words: Vec<&str> = text[start + 1..end].split_whitespace().collect();
        let (form, feature) = match words[..] {
            ["amount", feature] => (BlankForm::Amount, feature),
            ["day", feature] => (BlankForm::Day, feature),
            _ => continue,
        };
        found.push(Blank { place: start..end + 1, form, feature });
        from = end + 1;
    }
    found
}

/// The text with its blanks filled in.
pub fn fill(text: &str, value: impl Fn(&Blank) -> String) -> String {
    let mut filled = String::new();
    let mut from = 0;
    for blank in blanks(text) {
        filled.push_str(&text[from..blank.place.start]);
        filled.push_str(&value(&blank));
        from = blank.place.end;
    }
    filled + &text[from..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_are_filled_and_other_braces_stay() {
        let cases = [
            ("Pay {amount owed} due {day late}.", "Pay <owed> due <late>."),
            ("{amount owed}", "<owed>"),
            ("a {b} {amount} {amount a b} {", "a {b} {amount} {amount a b} {"),
            ("é{ amount  owed }é", "é<owed>é"),
            ("{{day late}}", "{<late>}"),
            ("", ""),
        ];
        for (text, expected) in cases {
            assert_eq!(fill(text, |blank| format!("<{}>", blank.feature)), expected, "{text}");
        }
    }
}
