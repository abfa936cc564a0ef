//! A cache of the input files opened so far: one that has not changed is neither opened nor hashed again.

use std::collections::HashMap;
use std::path::PathBuf;

use anyhow::Result;
use rayon::prelude::*;

use super::catalog::{Delivery, InputFile};
use super::file::{self, OpenFile};
use super::handle::FileStamp;
use super::hashes::Hashes;
use crate::day::Day;
use crate::failure::in_order;
use crate::job::InputSpec;
use crate::signal;

/// What is there now; a listing of a store has said so already.
fn stamp(file: &InputFile) -> Option<FileStamp> {
    match &file.object {
        Some(object) => Some(FileStamp::of_object(&file.path, object)),
        None => FileStamp::at(&file.path).ok(),
    }
}

/// A file as it was opened.
struct KnownFooter {
    file: OpenFile,
    night: u64,
}

/// Open files by input and path. Those that the last two nights did not want are forgotten.
#[derive(Default)]
pub struct FooterCache {
    known: HashMap<(&'static str, PathBuf), KnownFooter>,
    night: u64,
    /// What files had been hashed by earlier runs, and by this one.
    pub hashes: Hashes,
}

impl FooterCache {
    /// Begins a night: what the last one did not want is forgotten.
    pub fn next_night(&mut self) {
        self.known.retain(|_, known| known.night == self.night);
        self.night += 1;
    }

    /// Opens the files of deliveries, in order.
    pub fn open(&mut self, spec: &InputSpec, deliveries: &[Delivery]) -> Result<Vec<OpenFile>> {
        let files: Vec<_> = deliveries
            .iter()
            .flat_map(|delivery| delivery.files.iter().map(|file| (delivery.date, file)))
            .collect();
        let opened = in_order(files.into_par_iter().map(|(date, file)| {
            match self.known.get(&(spec.name, file.path.clone())) {
                Some(known) if stamp(file) == Some(known.file.handle.stamp()) => Ok(known.file.clone()),
                _ => file::open(spec, date, file),
            }
        }))?;
        for file in &opened {
            let known = KnownFooter { file: file.clone(), night: self.night };
            self.known.insert((spec.name, file.file.path.clone()), known);
        }
        Ok(opened)
    }

    /// Opens one file of a delivery.
    pub fn open_one(&mut self, spec: &InputSpec, date: Option<Day>, file: &InputFile) -> Result<OpenFile> {
        let delivery = Delivery { date, files: vec![file.clone()] };
        Ok(self.open(spec, &[delivery])?.remove(0))
    }

    /// Hashes files, but for those whose hashes are known.
    pub fn hash<'a>(&mut self, files: impl IntoIterator<Item = &'a OpenFile>, as_of: Day) -> Result<()> {
        let files: Vec<&OpenFile> = files.into_iter().collect();
        for file in &files {
            if let Some(sha256) = self.hashes.of(file.handle.stamp(), as_of) {
                file.sha256.get_or_init(|| sha256);
            }
        }
        let hashed = in_order(files.par_iter().map(|file| {
            signal::check()?;
            Ok((file.handle.stamp(), file.sha256()?))
        }))?;
        hashed.into_iter().for_each(|(stamp, sha256)| self.hashes.keep(stamp, sha256, as_of));
        Ok(())
    }
}
