//! The tables of a night, 80 and 200 columns wide, with colour and without; and a terminal that nothing is left on.

use std::process::{Command, Stdio};

use super::{on_screen, published_then_gated, stable};
use crate::support::book::{Book, TODAY, YESTERDAY};

fn shown(columns: u16, color: &str) -> String {
    let book = published_then_gated();
    assert_eq!(book.outcome(&["run", "gated.toml", "--date", TODAY]).0, 4);
    stable(&on_screen(&book, columns, color, &["show", &format!("out/held/date={TODAY}")]).1)
}

#[test]
fn a_run_at_80_columns() {
    let shown = shown(80, "never");
    insta::assert_snapshot!("narrow", shown);
    let tables = shown.lines().skip(2).take_while(|line| !line.starts_with("next"));
    assert!(
        tables.clone().all(|line| line.chars().count() <= 80 || line.starts_with("  a condition")),
        "{shown}"
    );
}

#[test]
fn a_run_at_200_columns() {
    insta::assert_snapshot!("wide", shown(200, "never"));
}

#[test]
fn a_run_in_colour() {
    let colours = shown(80, "always");
    insta::assert_snapshot!("narrow_in_colour", colours);
    insta::assert_snapshot!("wide_in_colour", shown(200, "always"));
}

#[test]
fn a_night_in_tables_and_a_range_in_lines() {
    let book = published_then_gated();
    let run = ["run", "job.toml", "--date", YESTERDAY, "--replace", "-v"];
    insta::assert_snapshot!("night", stable(&on_screen(&book, 80, "never", &run).1));
    let range = ["run", "gated.toml", "--from", YESTERDAY, "--to", TODAY, "--out", "other"];
    for columns in [80, 200] {
        let (code, stdout, _) = on_screen(&book, columns, "never", &range);
        assert_eq!(code, 4);
        insta::assert_snapshot!(format!("range_{columns}"), stable(&stdout));
        std::fs::remove_dir_all(book.path().join("other")).unwrap();
    }
}

#[test]
fn colour_is_where_it_is_asked_for() {
    let book = published_then_gated();
    let coloured = |variables: &[(&str, &str)], args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rescore"));
        command.current_dir(book.path()).args(["show", &format!("out/date={YESTERDAY}")]).args(args);
        command.env_remove("NO_COLOR").envs(variables.iter().copied());
        command.output().unwrap().stdout.contains(&0x1b)
    };
    assert!(!coloured(&[], &[]), "stdout is no terminal");
    assert!(coloured(&[("CLICOLOR_FORCE", "1")], &[]));
    assert!(!coloured(&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], &[]));
    assert!(coloured(&[("NO_COLOR", "1")], &["--color", "always"]));
    assert!(!coloured(&[("CLICOLOR_FORCE", "1")], &["--color", "never"]));
}

/// What is left on a terminal that obeys the escapes of a progress bar, and those that were written.
fn left_on(bytes: &str) -> String {
    let mut lines: Vec<String> = vec![String::new()];
    let (mut row, mut column) = (0, 0);
    let mut rest = bytes;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        match c {
            '\r' => column = 0,
            '\n' => (row, column) = (row + 1, 0),
            '\u{1b}' => {
                let end = rest.find(|c: char| c.is_ascii_alphabetic()).unwrap();
                let (number, kind) = (rest[1..end].parse().unwrap_or(1), &rest[end..=end]);
                rest = &rest[end + 1..];
                match kind {
                    "A" => row -= usize::min(row, number),
                    "B" => row += number,
                    "K" => lines[row].clear(),
                    _ => {}
                }
            }
            c => {
                let line: &mut String = &mut lines[row];
                let mut characters: Vec<char> = line.chars().collect();
                characters.resize(characters.len().max(column + 1), ' ');
                characters[column] = c;
                *line = characters.into_iter().collect();
                column += 1;
            }
        }
        if lines.len() <= row {
            lines.resize(row + 1, String::new());
        }
    }
    lines
        .into_iter()
        .map(|line| line.trim_end().to_string())
        .collect::<Vec<_>>()
        .join("\n")
        .trim_end()
        .to_string()
}

/// Runs the binary on a terminal of its own, as `script` gives it one.
fn on_terminal(book: &Book, args: &str) -> String {
    let command = format!("stty cols 200; {} {args}", env!("CARGO_BIN_EXE_rescore"));
    let mut script = Command::new("script");
    script.args(["-qec", &command, "/dev/null"]).current_dir(book.path()).env_remove("NO_COLOR");
    let output = script.env("TERM", "xterm").stdin(Stdio::null()).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_progress_bar_leaves_nothing_behind() {
    let book = published_then_gated();
    let written = on_terminal(&book, &format!("run job.toml --date {TODAY}"));
    assert!(written.contains("score and decide"), "no bar is shown: {written:?}");
    assert!(written.contains("\u{1b}[32mpublished\u{1b}[0m"), "no colour is shown: {written:?}");
    let left = left_on(&written);
    let last = left.lines().last().unwrap();
    assert!(last.starts_with("plain of 2026-11-20: 3 accounts"), "{left}");
    assert!(!left.contains('[') || !left.contains("0/"), "{left}");
    for args in
        [format!("verify out/date={TODAY}"), format!("show out/date={TODAY}"), "check job.toml".to_string()]
    {
        let written = on_terminal(&book, &args);
        assert!(!written.contains("0/0") && !written.contains("\u{1b}[2K"), "{args}: {written:?}");
    }
}
