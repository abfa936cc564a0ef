//! The input files opened so far: one that is still the same is not opened again.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::Result;
use rayon::prelude::*;

use super::catalog::Delivery;
use super::file::{self, OpenFile};
use crate::job::InputSpec;

/// What the file system says of a file; no write to it leaves this as it was.
type Stamp = (u64, u64, u64, (i64, i64), (i64, i64));

fn stamp(path: &Path) -> Option<Stamp> {
    let metadata = fs::metadata(path).ok()?;
    let modified = (metadata.mtime(), metadata.mtime_nsec());
    let changed = (metadata.ctime(), metadata.ctime_nsec());
    Some((metadata.dev(), metadata.ino(), metadata.size(), modified, changed))
}

/// A file as it was opened.
struct Known {
    stamp: Stamp,
    file: OpenFile,
    night: u64,
}

/// Open files by input and path. Those that the last two nights did not want are forgotten.
#[derive(Default)]
pub struct Footers {
    known: HashMap<(&'static str, PathBuf), Known>,
    night: u64,
}

impl Footers {
    /// Begins a night: what the last one did not want is forgotten.
    pub fn next_night(&mut self) {
        self.known.retain(|_, known| known.night == self.night);
        self.night += 1;
    }

    /// Opens the files of deliveries, in order.
    pub fn open(&mut self, spec: &InputSpec, deliveries: &[Delivery]) -> Result<Vec<OpenFile>> {
        let key = |path: &Path| (spec.name, path.to_path_buf());
        let files: Vec<_> = deliveries
            .iter()
            .flat_map(|delivery| delivery.files.iter().map(|file| (delivery.date, file)))
            .collect();
        let opened: Vec<(Option<Stamp>, Result<OpenFile>)> = files
            .into_par_iter()
            .map(|(date, file)| {
                // Taken before the file is opened: one that is replaced meanwhile is opened again.
                let stamp = stamp(&file.path);
                match self.known.get(&key(&file.path)).filter(|known| Some(known.stamp) == stamp) {
                    Some(known) => (stamp, Ok(known.file.clone())),
                    None => (stamp, file::open(spec, date, file)),
                }
            })
            .collect();
        let mut files = Vec::with_capacity(opened.len());
        // In order, so that of several troubles the same one is told every time.
        for (stamp, file) in opened {
            let file = file?;
            if let Some(stamp) = stamp {
                let known = Known { stamp, file: file.clone(), night: self.night };
                self.known.insert(key(&file.file.path), known);
            }
            files.push(file);
        }
        Ok(files)
    }
}
