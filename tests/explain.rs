//! `rescore explain`: an account decided again from the run itself, and every change it names tried out.

mod account;
pub mod additions;
mod again;
mod against;
mod budget;
mod changes;
mod letters;
mod notice;
mod screen;
mod worlds;

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use tempfile::TempDir;

use crate::support::{SHIPPED_NIGHTS, shipped_in, succeed_in};

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
        shipped_in(home.path());
        for (job, date) in SHIPPED_NIGHTS {
            succeed_in(home.path(), &["run", job, "--date", date]);
        }
        Nights { home }
    })
}
