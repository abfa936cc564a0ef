//! `rescore explain`: an account decided again from the run itself, and every change it names tried out.

mod account;
pub mod additions;
mod again;
mod against;
mod budget;
mod changes;
mod letters;
mod notice;
mod worlds;

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use tempfile::TempDir;

use crate::support::{project, succeed_in};

/// Two nights of the sample book.
pub struct Nights {
    home: TempDir,
}

impl Nights {
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    pub fn run(&self, date: &str) -> PathBuf {
        self.home().join(format!("out/date={date}"))
    }
}

/// The nights of 2026-11-19 and 2026-11-20, run once for all tests.
pub fn nights() -> &'static Nights {
    static NIGHTS: OnceLock<Nights> = OnceLock::new();
    NIGHTS.get_or_init(|| {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join("jobs")).unwrap();
        for file in ["nightly.toml", "scorecard.toml", "policy.toml"] {
            std::fs::copy(project().join("jobs").join(file), home.path().join("jobs").join(file)).unwrap();
        }
        std::os::unix::fs::symlink(project().join("sample_data"), home.path().join("sample_data")).unwrap();
        for date in ["2026-11-19", "2026-11-20"] {
            succeed_in(home.path(), &["run", "jobs/nightly.toml", "--date", date]);
        }
        Nights { home }
    })
}
