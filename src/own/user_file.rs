//! The files that `--out` and `--html` name. They are the user's: written through links, pipes and devices,
//! with the mode they have; complete or as they were where that keeps everything else about them.

use std::fs::{self, File, Metadata, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Result;
use rustix::fs::OFlags;
use rustix::io::Errno;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::files::{Access, create_file, failed, unique_name};
use crate::failure::{Kind, failure};
use crate::places::resolved;
use crate::run_dir::manifest::MANIFEST;
use crate::store::{self, is_url};

/// How long a pipe without a reader is waited for.
const READER_COMES_WITHIN: Duration = Duration::from_secs(5);

/// A file of the user's that is being written.
pub struct UserFile {
    path: PathBuf,
    /// What is written to; a handle of its own has to be flushed before the end.
    file: File,
    /// What takes the file's name at the end; none where it is written in place.
    new: Option<PathBuf>,
    is_stdout: bool,
    /// Whether it is to be an object, put at the end.
    is_object: bool,
}

impl UserFile {
    /// Begins to write. A path within a run is refused.
    pub fn create(path: &Path) -> Result<UserFile> {
        if is_url(path) {
            return UserFile::create_object(path);
        }
        if path.file_name().is_none() {
            return Err(unusable(path, "it is no file's name"));
        }
        if path.is_dir() {
            return Err(unusable(path, "it is a directory"));
        }
        let directory =
            path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if !directory.is_dir() {
            return Err(unusable(path, &format!("there is no directory {}", directory.display())));
        }
        refuse_within_run(path)?;
        let is_stdout = leads_to_stdout(path);
        let (file, new) = if is_stdout {
            (own_stdout().map_err(|error| failed("write", path, error))?, None)
        } else if let Some((file, new)) = beside(path, directory) {
            (file, Some(new))
        } else {
            (open_in_place(path)?, None)
        };
        Ok(UserFile { path: path.to_path_buf(), file, new, is_stdout, is_object: false })
    }

    /// Begins to write what is put at a URL once it is whole.
    fn create_object(path: &Path) -> Result<UserFile> {
        store::check(path).map_err(|error| unusable(path, &error.to_string()))?;
        let above = path.ancestors().skip(1).take_while(|directory| store::check(directory).is_ok());
        for directory in above {
            let found = store::head(&directory.join(MANIFEST));
            if found.map_err(|error| failed("write", path, error))?.is_some() {
                return Err(within_run(path, directory));
            }
        }
        let file = tempfile::tempfile().map_err(|error| failed("write", path, error))?;
        Ok(UserFile { path: path.to_path_buf(), file, new: None, is_stdout: false, is_object: true })
    }

    /// Whether it is this process's standard output, so that nothing else should be written there.
    pub fn is_stdout(&self) -> bool {
        self.is_stdout
    }

    /// A handle to write to.
    pub fn handle(&self) -> Result<File> {
        self.file.try_clone().map_err(|error| failed("write", &self.path, error))
    }

    /// Writes all of it.
    pub fn write(mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_all(bytes).map_err(|error| failed("write", &self.path, error))?;
        self.finish()
    }

    /// Ends the file: it is whole now.
    pub fn finish(mut self) -> Result<()> {
        if self.is_object {
            store::upload(&self.path, &self.file).map_err(|error| failed("write", &self.path, error))?;
        }
        if let Some(new) = self.new.take() {
            let placed = self.file.sync_all().and_then(|()| fs::rename(&new, &self.path));
            placed
                .inspect_err(|_| drop(fs::remove_file(&new)))
                .map_err(|error| failed("write", &self.path, error))?;
        }
        Ok(())
    }
}

impl Drop for UserFile {
    /// What was not ended leaves nothing beside the file.
    fn drop(&mut self) {
        if let Some(new) = &self.new {
            let _ = fs::remove_file(new);
        }
    }
}

/// Fails where a path lies within a run.
pub(super) fn refuse_within_run(path: &Path) -> Result<()> {
    match resolved(path).ancestors().skip(1).find(|directory| is_run(directory)) {
        Some(run) => Err(within_run(path, run)),
        None => Ok(()),
    }
}

fn within_run(path: &Path, run: &Path) -> anyhow::Error {
    let message = format!(
        "write {}: it would lie in the run {}, and what is published stays as it is; name another place",
        path.display(),
        run.display()
    );
    failure(Kind::Refused, message)
}

fn unusable(path: &Path, why: &str) -> anyhow::Error {
    failure(Kind::Usage, format!("write {}: {why}", path.display()))
}

/// Begins a new file beside one that is not there or that is a plain file, with nothing about it that the new one would
/// lack: other names, another owner, attributes.
fn beside(path: &Path, directory: &Path) -> Option<(File, PathBuf)> {
    let old = match fs::symlink_metadata(path) {
        Ok(old) => Some(old),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(_) => return None,
    };
    if old.as_ref().is_some_and(|old| !is_plain(path, old)) {
        return None;
    }
    let name = path.file_name()?.to_string_lossy();
    let new = directory.join(format!(".{name}.{}.new", unique_name()));
    let file = create_file(&new, Access::default()).ok()?;
    let is_alike = old.is_none_or(|old| {
        let mode = Permissions::from_mode(old.permissions().mode() & 0o7777);
        let owned = file.metadata().is_ok_and(|made| (made.uid(), made.gid()) == (old.uid(), old.gid()));
        owned && file.set_permissions(mode).is_ok()
    });
    if !is_alike {
        let _ = fs::remove_file(&new);
        return None;
    }
    Some((file, new))
}

/// Whether a file is a regular one with one name and no attributes besides.
fn is_plain(path: &Path, found: &Metadata) -> bool {
    // Opening anything else, such as a pipe, may take for ever.
    if !found.is_file() || found.nlink() != 1 || OpenOptions::new().append(true).open(path).is_err() {
        return false;
    }
    let mut names = [0_u8; 1];
    // Any name at all is too long for it.
    matches!(rustix::fs::llistxattr(path, &mut names[..]), Ok(0) | Err(Errno::NOTSUP))
}

/// Whether a path such as /dev/stdout leads to where this process's own output goes.
fn leads_to_stdout(path: &Path) -> bool {
    let is_plain = fs::symlink_metadata(path).map_or(true, |found| found.is_file());
    let stdout = rustix::fs::fstat(io::stdout());
    let (Ok(found), Ok(stdout), false) = (fs::metadata(path), stdout, is_plain) else { return false };
    (found.dev(), found.ino()) == (stdout.st_dev, stdout.st_ino)
}

/// A handle of its own to standard output: opening the path again would begin at the start of a file that
/// output is appended to.
fn own_stdout() -> io::Result<File> {
    Ok(File::from(io::stdout().as_fd().try_clone_to_owned()?))
}

/// Opens what the path leads to, whatever it is, and empties it if it is a file. A pipe must have a reader.
fn open_in_place(path: &Path) -> Result<File> {
    let is_pipe = fs::metadata(path).is_ok_and(|found| found.file_type().is_fifo());
    if !is_pipe {
        let mut options = OpenOptions::new();
        let opened = options.write(true).create(true).truncate(true).mode(0o640).open(path);
        return opened.map_err(|error| failed("write", path, error));
    }
    let since = Instant::now();
    loop {
        // Without O_NONBLOCK it would wait for a reader for ever.
        let opened = OpenOptions::new().write(true).custom_flags(OFlags::NONBLOCK.bits() as i32).open(path);
        match opened {
            Ok(file) => {
                let blocking = rustix::fs::fcntl_setfl(&file, OFlags::empty());
                blocking.map_err(|error| failed("write", path, io::Error::from(error)))?;
                return Ok(file);
            }
            Err(error) if error.raw_os_error() == Some(Errno::NXIO.raw_os_error()) => {
                if since.elapsed() > READER_COMES_WITHIN {
                    let message = format!("write {}: it is a pipe that nobody reads from", path.display());
                    return Err(failure(Kind::Unwritable, message));
                }
                crate::signal::check()?;
                std::thread::sleep(Duration::from_millis(20));
            }
            Err(error) => return Err(failed("write", path, error)),
        }
    }
}

/// As much of a manifest as it is recognised by among other files of that name.
#[derive(Deserialize)]
struct ManifestMark {
    #[serde(rename = "schema_version")]
    _schema_version: u32,
    #[serde(rename = "fingerprint")]
    _fingerprint: IgnoredAny,
}

/// Whether a directory is a run: also one of another version, or a damaged one under a run's name.
fn is_run(directory: &Path) -> bool {
    let path = directory.join(MANIFEST);
    if !path.is_file() {
        return false;
    }
    let name = directory.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let text = fs::read(&path).unwrap_or_default();
    name.starts_with("date=") || serde_json::from_slice::<ManifestMark>(&text).is_ok()
}
