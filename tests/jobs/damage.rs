//! What can go wrong with a night: damage to a day's deliveries and to job files, on links to a healthy home.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use rescore::day::Day;
use tempfile::TempDir;

use super::core_system::{CoreSystem, Night, delivered, run_night};
use crate::support::files::copy;
use crate::support::{Cell, Table};

/// A lender's home as of a night that has not been run, to be damaged: deliveries and earlier nights are links.
pub struct Trial {
    pub home: TempDir,
    pub day: Day,
    job: &'static str,
}

impl Trial {
    pub fn of(lender: &CoreSystem, job: &'static str, day: Day) -> Trial {
        let home = TempDir::new().unwrap();
        copy(&lender.home().join("jobs"), &home.path().join("jobs"));
        let linked = ["sample_data/transactions", "sample_data/repayments", "sample_data/lines", "out"];
        for directory in linked {
            link_entries(&lender.home().join(directory), &home.path().join(directory));
        }
        // The state is added to, so it is a copy.
        let state = lender.home().join("out/.state");
        if state.exists() {
            copy(&state, &home.path().join("out/.state"));
        }
        Trial { home, day, job }
    }

    pub fn run(&self) -> Night {
        run_night(self.home.path(), self.job, "out", self.day)
    }

    /// Changes the night's delivery of an input.
    pub fn change(&self, input: &str, change: impl FnOnce(&mut Table)) {
        let data = self.home.path().join("sample_data");
        let path = delivered(&data, input, self.day);
        let mut table = Table::read(&path);
        change(&mut table);
        fs::remove_file(path.parent().unwrap()).unwrap();
        table.write(&path);
    }

    /// Changes a column of the night's delivery of an input.
    pub fn set(&self, input: &str, column: &str, value: impl Fn(&Cell) -> Cell) {
        self.change(input, |table| {
            let place = table.position(column).unwrap_or_else(|| panic!("{input} have no {column}"));
            table.rows.iter_mut().for_each(|row| row[place] = value(&row[place]));
        });
    }

    /// Changes the text of a job file, which must then be another one.
    pub fn edit(&self, file: &str, edit: impl FnOnce(&str) -> String) {
        let path = self.home.path().join("jobs").join(file);
        let text = fs::read_to_string(&path).unwrap();
        let edited = edit(&text);
        assert_ne!(edited, text, "{file} is as it was");
        fs::write(path, edited).unwrap();
    }
}

/// Links to the deliveries or nights in a directory.
fn link_entries(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    // Before the first night there is none.
    for entry in fs::read_dir(from).into_iter().flatten() {
        let (name, path) = (entry.as_ref().unwrap().file_name(), entry.unwrap().path());
        if name.to_str().unwrap().starts_with("date=") {
            symlink(path, to.join(name)).unwrap();
        }
    }
}

/// A number times a fraction; null stays null.
pub fn scaled(by: i64, over: i64) -> impl Fn(&Cell) -> Cell {
    move |cell| cell.int().map(|value| value * by / over).into()
}

/// A text in place of another.
pub fn renamed(from: &'static str, to: &'static str) -> impl Fn(&Cell) -> Cell {
    move |cell| if cell.text() == Some(from) { to.into() } else { cell.clone() }
}

/// Two texts in each other's place.
pub fn swapped(one: &'static str, other: &'static str) -> impl Fn(&Cell) -> Cell {
    move |cell| match cell.text() {
        Some(text) if text == one => other.into(),
        Some(text) if text == other => one.into(),
        _ => cell.clone(),
    }
}

/// A date so many days later; null stays null.
pub fn shifted(days: i32) -> impl Fn(&Cell) -> Cell {
    move |cell| cell.date().map(|date| date.plus(days)).into()
}

/// Rows that are delivered once more, with ids of their own in a column.
pub fn repeat(table: &mut Table, id: &str, is_repeated: impl Fn(&Table, &[Cell]) -> bool) {
    // Beyond every id of the sample.
    const NEW_IDS: i64 = 1 << 60;
    let place = table.position(id).unwrap();
    let mut again: Vec<Vec<Cell>> =
        table.rows.iter().filter(|row| is_repeated(table, row)).cloned().collect();
    for row in &mut again {
        row[place] = row[place].int().map(|value| value + NEW_IDS).into();
    }
    table.rows.extend(again);
}

/// Whether a row has that text in a column.
pub fn has(table: &Table, row: &[Cell], column: &str, text: &str) -> bool {
    row[table.position(column).unwrap()].text() == Some(text)
}

/// The features with points in a scorecard, in order.
pub fn characteristics(scorecard: &str) -> Vec<String> {
    let blocks = scorecard.split("[[characteristic]]").skip(1);
    blocks.map(|block| quoted(block, "feature").to_string()).collect()
}

/// The text of a key's first line in a block.
fn quoted<'a>(block: &'a str, key: &str) -> &'a str {
    let line = block.lines().find_map(|line| line.strip_prefix(key)?.trim_start().strip_prefix('='));
    line.unwrap_or_else(|| panic!("there is no {key} in {block}")).split('"').nth(1).unwrap()
}

/// A scorecard whose bins of the named characteristics have the points of the next bin (the last those of the
/// first), or with `back` of the one before.
pub fn bins_off(scorecard: &str, is_named: impl Fn(&str) -> bool, back: bool) -> String {
    let mut blocks = scorecard.split("[[characteristic]]");
    let head = blocks.next().unwrap().to_string();
    let blocks = blocks.map(|block| match is_named(quoted(block, "feature")) {
        true => turned(block, back),
        false => block.to_string(),
    });
    std::iter::once(head).chain(blocks).collect::<Vec<_>>().join("[[characteristic]]")
}

/// A characteristic's block with the points of its bins turned by one.
fn turned(block: &str, back: bool) -> String {
    let mut points: Vec<&str> = block.lines().filter_map(points_of).collect();
    if back {
        points.rotate_right(1)
    } else {
        points.rotate_left(1)
    }
    let mut points = points.into_iter();
    let lines = block.split_inclusive('\n').map(|line| match points_of(line) {
        Some(own) => {
            line.replace(&format!("points = {own}"), &format!("points = {}", points.next().unwrap()))
        }
        None => line.to_string(),
    });
    lines.collect()
}

/// The points that a line with a bin gives.
fn points_of(line: &str) -> Option<&str> {
    Some(line.split_once("points = ")?.1.split(' ').next().unwrap())
}

/// A job file in which the first line of a key has another value.
pub fn with_key(text: &str, key: &str, value: &str) -> String {
    let line = text.lines().find(|line| line.starts_with(&format!("{key} = ")));
    let line = line.unwrap_or_else(|| panic!("there is no {key}"));
    text.replacen(line, &format!("{key} = {value}"), 1)
}

/// A job file in which the lines that begin with a key have something else in the place of a text.
pub fn in_lines(text: &str, key: &str, from: &str, to: &str) -> String {
    let lines = text.split_inclusive('\n');
    lines.map(|line| if line.starts_with(key) { line.replace(from, to) } else { line.to_string() }).collect()
}

/// A job file without the lines that begin with one of the keys.
pub fn without_lines(text: &str, keys: &[&str]) -> String {
    let is_kept = |line: &&str| !keys.iter().any(|key| line.starts_with(key));
    text.split_inclusive('\n').filter(is_kept).collect()
}

/// A policy without the rules of an action.
pub fn without_rules(policy: &str, action: &str) -> String {
    let blocks = policy.split("[[rule]]");
    let kept = blocks.filter(|block| !block.contains(&format!("action = \"{action}\"")));
    kept.collect::<Vec<_>>().join("[[rule]]")
}

/// A policy in which the rules with a reason have something else in the place of a text.
pub fn in_rules(policy: &str, reason: &str, from: &str, to: &str) -> String {
    let blocks = policy.split("[[rule]]");
    let blocks = blocks.map(|block| match block.contains(&format!("reason = \"{reason}\"")) {
        true => block.replace(from, to),
        false => block.to_string(),
    });
    blocks.collect::<Vec<_>>().join("[[rule]]")
}
