//! How wide lines may be, and sentences folded to that.

/// What COLUMNS says, else the terminal's width; `None` where there is no terminal.
pub fn width() -> Option<u16> {
    let asked = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let asked = asked.filter(|columns| *columns > 0);
    asked.or_else(|| terminal_size::terminal_size_of(std::io::stdout()).map(|(width, _)| width.0))
}

/// A sentence in lines that are no wider than the terminal, as far as its words allow; those after the first begin with
/// so many blanks. Where there is no terminal it is one line. Tones are to be put round it, not into it.
pub fn fold(text: &str, indent: usize) -> String {
    fold_to(text, indent, width())
}

fn fold_to(text: &str, indent: usize, width: Option<u16>) -> String {
    let Some(width) = width.map(usize::from) else { return text.to_string() };
    let mut lines = vec![String::new()];
    for (number, word) in text.split(' ').enumerate() {
        let line = lines.last_mut().expect("it starts with one");
        let length = line.chars().count() + 1 + word.chars().count();
        if length > width && !line.trim().is_empty() && !word.is_empty() {
            lines.push(format!("{}{word}", " ".repeat(indent)));
        } else {
            line.push_str(if number == 0 { "" } else { " " });
            line.push_str(word);
        }
    }
    let lines: Vec<&str> = lines.iter().map(|line| line.trim_end()).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_are_folded_between_words() {
        let text = "  left   a sentence of some words, and-one-that-is-longer-than-lines";
        assert_eq!(fold_to(text, 4, None), text);
        let folded = fold_to(text, 4, Some(20));
        assert_eq!(folded, "  left   a sentence\n    of some words,\n    and-one-that-is-longer-than-lines");
        assert_eq!(fold_to(text, 4, Some(200)), text);
    }
}
