//! A golden book with a challenger and a segment: job files to take out of and to put into.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::support::files::copy;
use crate::support::{Cell, Table, outcome_in, project, succeed_in};

/// The night of tests.
pub const NIGHT: &str = "2026-11-20";

/// A copy of the golden case with whole numbers for ids, and scorecards and policies to try.
pub struct World {
    home: TempDir,
}

/// What `[challenger]` names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trial {
    pub has_scorecard: bool,
    pub has_policy: bool,
    pub share_bp: u32,
    pub salt: &'static str,
}

/// Another scorecard and another policy for four accounts in ten.
pub const BOTH: Trial = Trial { has_scorecard: true, has_policy: true, share_bp: 4_000, salt: "2026-q4" };

/// A segment of somewhat less than half of the accounts.
pub const THIN: &str = "
[[segment]]
name = \"fresh\"
when = \"months_on_book < 60\"
scorecard = \"thin.toml\"

[[segment]]
name = \"thin\"
when = \"months_on_book < 500\"
scorecard = \"thin.toml\"
";

impl World {
    pub fn new() -> World {
        let world = World { home: tempfile::tempdir().unwrap() };
        copy(&project().join("tests/golden/ints"), world.path());
        fs::create_dir(world.path().join("jobs/challenger")).unwrap();
        let card = world.read("scorecard.toml");
        world.put("challenger/scorecard.toml", &challenger_card(&card));
        world.put("thin.toml", &thin_card(&card));
        world.put("challenger/policy.toml", &challenger_policy(&world.read("policy.toml")));
        world
    }

    /// With a trial in the job.
    pub fn with(trial: Trial) -> World {
        let world = World::new();
        world.try_out(trial);
        world
    }

    /// Puts a trial into the job. A policy alone reads what the job's own scorecard declares.
    pub fn try_out(&self, trial: Trial) {
        if !trial.has_scorecard {
            self.edit("challenger/policy.toml", "visits_14d = 0 and ", "");
        }
        self.append("nightly.toml", &trial.text());
    }

    pub fn path(&self) -> &Path {
        self.home.path()
    }

    pub fn read(&self, file: &str) -> String {
        fs::read_to_string(self.path().join("jobs").join(file)).unwrap()
    }

    pub fn put(&self, file: &str, text: &str) {
        fs::write(self.path().join("jobs").join(file), text).unwrap();
    }

    pub fn append(&self, file: &str, text: &str) {
        self.put(file, &(self.read(file) + text));
    }

    pub fn edit(&self, file: &str, from: &str, to: &str) {
        self.put(file, &edited(&self.read(file), from, to));
    }

    /// Runs the night into a directory, from scratch.
    pub fn run_into(&self, out: &str) -> PathBuf {
        succeed_in(
            self.path(),
            &["run", "jobs/nightly.toml", "--date", NIGHT, "--out", out, "--from-scratch"],
        );
        self.path().join(out).join(format!("date={NIGHT}"))
    }

    pub fn run(&self) -> PathBuf {
        self.run_into("out")
    }

    pub fn outcome(&self, args: &[&str]) -> (i32, String, String) {
        outcome_in(self.path(), args)
    }

    pub fn succeed(&self, args: &[&str]) -> String {
        succeed_in(self.path(), args)
    }
}

impl Trial {
    /// As a job file has it.
    pub fn text(self) -> String {
        let scorecard = if self.has_scorecard { "scorecard = \"challenger/scorecard.toml\"\n" } else { "" };
        let policy = if self.has_policy { "policy = \"challenger/policy.toml\"\n" } else { "" };
        let Trial { share_bp, salt, .. } = self;
        format!("\n[challenger]\n{scorecard}{policy}share_bp = {share_bp}\nsalt = \"{salt}\"\n")
    }
}

/// A text with a piece of it, which is there once, replaced.
pub fn edited(text: &str, from: &str, to: &str) -> String {
    assert_eq!(text.matches(from).count(), 1, "`{from}`");
    text.replace(from, to)
}

/// Other points, one characteristic less, one more on a ratio of a feature of its own and a common one; a common
/// feature that it does not read is not declared, so that its features stand at other positions.
fn challenger_card(card: &str) -> String {
    let card = edited(card, "base = 420", "base = 433");
    let card = edited(&card, "name = \"superb\"\nfrom = 700", "name = \"superb\"\nfrom = 690");
    let card = edited(
        &card,
        "bins = [ { below = 1, points = 0 }, { below = 50000, points = 20 }, { points = 45 } ]",
        "bins = [ { below = 1, points = 0 }, { below = 20000, points = 30 }, { points = 60 } ]",
    );
    let unkinded = "[[feature]]\nname = \"unkinded_90d\"\nfrom = \"transactions\"\nagg = \"count\"\nwhere = \"kind is null\"\ndays = 90\n";
    let own = "[[feature]]\nname = \"visits_14d\"\nfrom = \"transactions\"\nagg = \"active_days\"\nwhere = \"kind = 'purchase'\"\ndays = 14\n";
    let card = edited(&card, unkinded, own);
    let categories =
        card.split("[[characteristic]]\n").skip(1).find(|one| one.contains("\"categories_90d\"")).unwrap();
    let card = edited(&card, &format!("[[characteristic]]\n{categories}"), "");
    let of_visits = "
[[feature]]
name = \"visits_bp\"
ratio = [\"visits_14d\", \"active_days_30d\"]
scale = 10000
[[feature]]
name = \"visits_and_risk\"
expr = \"coalesce(visits_bp, 0) + risk_mix\"
[[characteristic]]
feature = \"visits_and_risk\"
dimension = \"behaviour\"
reason = \"R21\"
text = \"Few visits of late\"
missing = 1
bins = [ { below = 2000, points = 0 }, { below = 6000, points = 21 }, { points = 42 } ]
";
    card + of_visits
}

/// Two characteristics of the own scorecard, and a base that makes up for the others.
fn thin_card(card: &str) -> String {
    let parts: Vec<&str> = card.split("[[characteristic]]\n").collect();
    let kept = parts[1..]
        .iter()
        .filter(|one| one.contains("\"days_past_due\"") || one.contains("\"utilisation_bp\""));
    let kept: String = kept.map(|one| format!("[[characteristic]]\n{one}")).collect();
    edited(&format!("{}{kept}", parts[0]), "base = 420", "base = 540")
}

/// Another budget and other rules, which read what the own policy does not.
fn challenger_policy(policy: &str) -> String {
    let policy = edited(policy, "raise_budget = 1_500_000", "raise_budget = 700_000");
    let policy = edited(&policy, "percent = 40", "percent = 25");
    let policy = edited(&policy, "name = \"watch\"", "name = \"watch closely\"");
    edited(
        &policy,
        "when = \"days_since_increase < 30 or is_pending\"",
        "when = \"days_since_increase < 45 or is_pending or visits_14d = 0 and coalesce(previous_score, 0) < 500\"",
    )
}

/// A table of a run.
pub fn table(run: &Path, name: &str) -> Table {
    Table::read(&run.join(format!("{name}.parquet")))
}

/// By account, as text, a column's cell.
pub fn by_account(table: &Table, column: &str) -> Vec<(Cell, Cell)> {
    table.column("account_id").into_iter().zip(table.column(column)).collect()
}
