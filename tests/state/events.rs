//! A random schedule: nights, and what happens to inputs, job files and sorted deliveries between them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use rescore::day::Day;
use rescore::run::{NightOutcome, Nights};

use super::draw::{BEFORE_DAYS, copied, lasting};
use super::twice::{Ended, Twice, night};
use crate::audit::case::{Case, DataFile, Feature, Input};
use crate::audit::compare;
use crate::audit::draw_job::another_feature;
use crate::audit::files::write_inputs;
use crate::audit::night as model;
use crate::audit::random::Random;
use crate::audit::shrink;
use crate::audit::value::{Value, date_text};
use crate::audit::written::write_job_files;

/// Nights, or ranges of them, in a schedule.
const STEPS: usize = 12;

/// A case on its way through the nights.
pub struct Schedule {
    random: Random,
    case: Case,
    place: Twice,
    last_night: i32,
    added: usize,
    history: Vec<String>,
    /// Whether somebody tampers with sorted deliveries.
    is_tampering: bool,
}

impl Schedule {
    /// The schedule of a seed.
    pub fn draw(seed: u64) -> Schedule {
        let mut random = Random::new(seed);
        let is_crowd = random.chance(1);
        let case = lasting(&mut random, is_crowd);
        let last_night = case.as_of - BEFORE_DAYS + 1;
        let (place, is_tampering, history) = (Twice::new(), random.chance(40), Vec::new());
        Schedule { random, case, place, last_night, added: 0, history, is_tampering }
    }

    /// What has happened, for people, with the case as it was in the end.
    pub fn told(&self, with_case: bool) -> String {
        let history = self.history.join("\n");
        if with_case { format!("{history}\n{}", shrink::told(&self.case)) } else { history }
    }

    /// Runs all nights; `Err` tells the first difference.
    pub fn follow(&mut self, census: &mut Census) -> Result<(), String> {
        self.deliver();
        for _ in 0..STEPS {
            if self.random.chance(45) {
                let what = self.happen();
                self.history.push(what);
                self.deliver();
            }
            self.run(census)?;
        }
        Ok(())
    }

    /// Brings the files on disk to what the case says; files that are the same are not touched.
    fn deliver(&self) {
        write_job_files(&self.case, &self.place.home());
        let fresh = tempfile::tempdir().unwrap();
        write_inputs(&self.case, fresh.path());
        bring(&fresh.path().join("data"), &self.place.home().join("data"));
    }

    fn run(&mut self, census: &mut Census) -> Result<(), String> {
        let roll = self.random.below(100);
        let next = self.last_night + 1;
        let (nights, chain) = match roll {
            0..50 => (night(next, next), false),
            50..60 => {
                let later = next + self.random.pick(&[1, 1, 2, 3, 6]);
                (night(later, later), false)
            }
            60..70 => (night(self.last_night, self.last_night), false),
            70..78 => {
                let older = self.last_night - self.random.between(1, 4) as i32;
                (night(older, older), false)
            }
            78..88 => {
                let known_on = self.last_night + self.random.between(1, 3) as i32;
                (night(self.last_night, known_on), false)
            }
            _ => {
                let to = next + self.random.between(0, 4) as i32;
                (Nights::Range { from: Day(next), to: Day(to) }, self.random.chance(30))
            }
        };
        self.history.push(format!("run {}{}", told(nights), if chain { " --chain" } else { "" }));
        // A dry run does not look into the blocks of sorted deliveries.
        let ended = self.place.run(nights, chain, !self.is_tampering)?;
        let came = ended.bases().join("; ");
        let failure = ended.failure.as_ref().map_or(String::new(), |(code, what)| format!(" {code}: {what}"));
        self.history.push(format!("  {came}{failure}"));
        census.note(&ended);
        for outcome in &ended.nights {
            // The model knows no simulations, and takes too long for a crowd.
            if !chain && self.case.lines.files.iter().all(|file| file.rows.len() < 1000) {
                self.audit(outcome)?;
            }
        }
        self.last_night = match nights {
            Nights::One { as_of, .. } => self.last_night.max(as_of.0),
            Nights::Range { to, .. } => to.0,
        };
        Ok(())
    }

    /// Compares a night with the model's.
    fn audit(&self, outcome: &NightOutcome) -> Result<(), String> {
        let mut case = self.case.clone();
        (case.as_of, case.known_on) = (outcome.manifest.as_of.0, outcome.manifest.known_on.0);
        let of = date_text(case.as_of);
        let model = model::night(&case).map_err(|why| format!("the model refuses {of}: {why}"))?;
        match compare::difference(&model, outcome) {
            None => Ok(()),
            Some(what) => Err(format!("the model of {of} disagrees: {what}")),
        }
    }

    /// Something happens.
    fn happen(&mut self) -> String {
        match self.random.below(100) {
            0..15 => self.restate(),
            15..25 => self.deliver_late(),
            25..33 => self.lose(),
            33..48 => self.add_feature(),
            48..55 => match self.added {
                0 => self.add_feature(),
                _ => {
                    self.added -= 1;
                    format!("feature taken away: {:?}", self.case.job.features.pop())
                }
            },
            55..65 => self.change_policy(),
            65..70 => {
                self.case.job.tolerance = Some(self.random.pick(&[0, 1, 10, 50, 1000]));
                "another tolerance".into()
            }
            _ if self.is_tampering => self.tamper(),
            _ => self.restate(),
        }
    }

    fn input(&mut self) -> (&'static str, &mut Input) {
        match self.random.chance(60) {
            true => ("transactions", &mut self.case.transactions),
            false => ("repayments", &mut self.case.repayments),
        }
    }

    /// A delivery of some day up to the last night is written again, otherwise.
    fn restate(&mut self) -> String {
        let last_night = self.last_night;
        let (which, way) = (self.random.next(), self.random.below(4));
        let (name, input) = self.input();
        let files: Vec<usize> = past_files(input, last_night);
        if files.is_empty() {
            return format!("no {name} to restate");
        }
        let file = files[which as usize % files.len()];
        let (amount, rows) = (place_of(input, "amount"), &mut input.files[file].rows);
        match way {
            0 => drop(rows.pop()),
            1 => rows.reverse(),
            2 if rows.len() > 1 => {
                // The same values in other places: as many bytes, the same statistics.
                let last = rows.len() - 1;
                let swapped = std::mem::replace(&mut rows[0][amount], Value::Null);
                rows[0][amount] = std::mem::replace(&mut rows[last][amount], swapped);
            }
            _ => {
                if let Some(row) = rows.first_mut() {
                    row[amount] = 50_i64.into();
                }
            }
        }
        format!("{name} restated, way {way}: {}", input.file_name(&input.files[file]))
    }

    /// Another file comes for a day up to the last night.
    fn deliver_late(&mut self) -> String {
        let day = self.last_night - self.random.between(0, 8) as i32;
        let mut random = Random::new(self.random.next());
        let (name, input) = self.input();
        if input.files.is_empty() || !input.is_dated() {
            return format!("no late {name}");
        }
        let rows = copied(&mut random, input, &input.files, day);
        let donor = random.pick(&input.files);
        let stem = format!("late-{}", random.below(1000));
        let file = DataFile { delivery: day, stem, rows, ..donor };
        let told = format!("{name} late: {}", input.file_name(&file));
        input.files.push(file);
        told
    }

    /// A file goes away.
    fn lose(&mut self) -> String {
        let (last_night, which) = (self.last_night, self.random.next());
        let (name, input) = self.input();
        let files = past_files(input, last_night);
        if files.len() < 2 {
            return format!("no {name} to lose");
        }
        let file = input.files.remove(files[which as usize % files.len()]);
        format!("{name} lost: {}", input.file_name(&file))
    }

    fn add_feature(&mut self) -> String {
        self.added += 1;
        let feature: Feature =
            another_feature(&mut self.random, &self.case, &format!("added_{}", self.added));
        self.case.job.features.push(feature);
        "a feature added".into()
    }

    /// Nothing on which features depend.
    fn change_policy(&mut self) -> String {
        let job = &mut self.case.job;
        match self.random.below(3) {
            0 => drop(job.policy.rules.pop()),
            1 => job.policy.max_total_limit = Some(5000),
            _ => job.characteristics.iter_mut().for_each(|one| one.missing += 1),
        }
        "another policy or scorecard".into()
    }

    /// Somebody was at the sorted deliveries.
    fn tamper(&mut self) -> String {
        let mut files = files_below(&self.place.home().join("states"));
        files.sort();
        if files.is_empty() {
            return "no sorted delivery to tamper with".into();
        }
        let file = self.random.pick(&files);
        let way = self.random.below(6);
        let bytes = fs::read(&file).unwrap();
        let set = file.parent().unwrap();
        match way {
            0 => fs::write(&file, &bytes[..bytes.len() / 2]).unwrap(),
            1 => fs::remove_file(&file).unwrap(),
            2 => fs::write(&file, "no copy").unwrap(),
            3 => {
                let mut bytes = bytes;
                let place = self.random.below(bytes.len().max(1));
                bytes[place] ^= 0x40;
                fs::write(&file, bytes).unwrap();
            }
            4 => fs::remove_dir_all(set).unwrap(),
            _ => {
                let other = set.join(format!("date={}.sorted", date_text(self.last_night + 1)));
                if !other.exists() {
                    fs::rename(&file, other).unwrap();
                }
            }
        }
        format!("sorted deliveries tampered with, way {way}: {}", file.display())
    }
}

fn told(nights: Nights) -> String {
    match nights {
        Nights::One { as_of, known_on } if as_of == known_on => as_of.to_string(),
        Nights::One { as_of, known_on } => format!("{as_of} known on {known_on}"),
        Nights::Range { from, to } => format!("{from} to {to}"),
    }
}

/// Files of days up to the last night; of an undated input, all.
fn past_files(input: &Input, last_night: i32) -> Vec<usize> {
    let is_past = |place: &usize| !input.is_dated() || input.files[*place].delivery <= last_night;
    (0..input.files.len()).filter(is_past).collect()
}

/// The place of a money column.
fn place_of(input: &Input, name: &str) -> usize {
    let is_it = |column: &str| column == name || input.money.last() == Some(&column);
    input.columns.iter().position(|(column, _)| is_it(column)).expect("every input has money")
}

fn files_below(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

/// Makes a directory's files those of another.
fn bring(from: &Path, to: &Path) {
    for file in files_below(from) {
        let target = to.join(file.strip_prefix(from).unwrap());
        let bytes = fs::read(&file).unwrap();
        if fs::read(&target).ok().as_ref() != Some(&bytes) {
            fs::create_dir_all(target.parent().unwrap()).unwrap();
            fs::write(&target, bytes).unwrap();
        }
    }
    for file in files_below(to) {
        if !from.join(file.strip_prefix(to).unwrap()).exists() {
            fs::remove_file(file).unwrap();
        }
    }
}

/// How nights came out over all schedules.
#[derive(Default)]
pub struct Census {
    counts: BTreeMap<String, u64>,
}

/// What schedules must have come to at least once.
const WANTED: &str =
    "nothing to sort, not sorted before, files changed, columns not kept, torn or foreign, failed with 3";

impl Census {
    fn note(&mut self, ended: &Ended) {
        for basis in ended.bases() {
            for wanted in WANTED.split(',').map(str::trim).filter(|wanted| basis.contains(wanted)) {
                *self.counts.entry(wanted.to_string()).or_default() += 1;
            }
            if basis.ends_with(" 0 to sort") {
                *self.counts.entry("nothing to sort".into()).or_default() += 1;
            }
            let is_at_hand = !basis.starts_with("from 0 ");
            *self.counts.entry(format!("sorted before: {is_at_hand}")).or_default() += 1;
        }
        if let Some((code, _)) = &ended.failure {
            *self.counts.entry(format!("failed with {code}")).or_default() += 1;
        }
    }

    /// Panics where sorted deliveries were hardly used or, `strictly`, something never came about.
    pub fn check(&self, strictly: bool) {
        let wanted = WANTED.split(',').map(str::trim);
        let never: Vec<&str> = wanted.filter(|what| !self.counts.contains_key(*what)).collect();
        assert!(never.is_empty() || !strictly, "never came about: {never:?}");
        let nights = |used: bool| self.counts.get(&format!("sorted before: {used}")).copied().unwrap_or(0);
        assert!(nights(true) > nights(false), "sorted deliveries are hardly used");
    }

    pub fn report(&self) -> String {
        let lines = self.counts.iter().map(|(what, times)| format!("{times:>9} {what}"));
        lines.collect::<Vec<_>>().join("\n")
    }
}
