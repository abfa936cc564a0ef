//! Files and directories of the program: who may read them, how they are made, renamed and removed, how that fails.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Component, Path, PathBuf};

use anyhow::Result;
use rustix::fs::{AtFlags, CWD, Dir, Mode, OFlags, RenameFlags};
use rustix::io::Errno;
use rustix::path::Arg;

use crate::failure::{Failure, Kind, failure};

/// Who may read what the program makes, whatever the umask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Access {
    /// The mode of files, as in 0o640.
    pub(super) file: u32,
}

impl Default for Access {
    /// The owner writes, the group reads.
    fn default() -> Access {
        Access { file: 0o640 }
    }
}

impl Access {
    /// From the mode of files, as in `0644`: octal, the owner reads and writes, nobody executes.
    pub fn parse(mode: &str) -> Option<Access> {
        let is_octal = mode.len() == 4 && mode.bytes().all(|digit| (b'0'..=b'7').contains(&digit));
        let file = u32::from_str_radix(mode, 8).ok().filter(|_| is_octal)?;
        (file & 0o600 == 0o600 && file & !0o666 == 0).then_some(Access { file })
    }

    /// That of a file that is there.
    pub fn of_file(path: &Path) -> Access {
        let mode = fs::symlink_metadata(path).map(|metadata| metadata.permissions().mode() & 0o666);
        mode.map_or_else(|_| Access::default(), |file| Access { file: file | 0o600 })
    }

    /// The mode of directories: whoever may read files may look into them.
    fn directory(self) -> u32 {
        self.file | (self.file & 0o444) >> 2
    }
}

/// Turns an error that comes from the file system into exit code 7; others stay what they are.
pub fn unwritable(error: anyhow::Error) -> anyhow::Error {
    match what_failed(&error) {
        Some(what) if !error.is::<Failure>() => failure(Kind::Unwritable, what),
        _ => error,
    }
}

/// What was tried, and what the file system says, without the words of the layers between; `None` of an
/// error that does not come from there.
pub fn what_failed(error: &anyhow::Error) -> Option<String> {
    let said = error.chain().find_map(|cause| cause.downcast_ref::<io::Error>())?.to_string();
    let tried = error.to_string();
    Some(if tried.contains(&said) { tried } else { format!("{tried}: {said}") })
}

/// Whether an error says that there is no space left.
pub fn is_out_of_space(error: &anyhow::Error) -> bool {
    let kinds = [ErrorKind::StorageFull, ErrorKind::QuotaExceeded, ErrorKind::FileTooLarge];
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|error| kinds.contains(&error.kind()))
}

/// Bytes that are free where a directory lies.
pub fn free_bytes(directory: &Path) -> Option<u64> {
    let space = rustix::fs::statvfs(directory).ok()?;
    space.f_bavail.checked_mul(space.f_frsize)
}

/// The error of something that failed on a path.
pub(super) fn failed(what: &str, path: &Path, error: impl Into<io::Error>) -> anyhow::Error {
    let message = format!("{what} {}", path.display());
    anyhow::Error::new(error.into()).context(Failure { kind: Kind::Unwritable, message, is_laid_out: false })
}

/// The error of something in the way that is not the program's own.
pub(super) fn in_the_way(path: &Path, why: impl std::fmt::Display) -> anyhow::Error {
    failure(Kind::Refused, format!("{} is there, but is {why}; move it away", path.display()))
}

/// Makes a directory and those above it that are not there. Those that are stay as they are.
pub fn create_directory(path: &Path, access: Access) -> Result<()> {
    let mut made = PathBuf::new();
    for step in path.components() {
        made.push(step);
        if matches!(
            step,
            Component::Prefix(_) | Component::RootDir | Component::CurDir | Component::ParentDir
        ) {
            continue;
        }
        match DirBuilder::new().mode(access.directory()).create(&made) {
            Ok(()) => set_mode(&made, access.directory())?,
            Err(_) if made.is_dir() => {}
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                return Err(in_the_way(&made, "no directory"));
            }
            Err(error) => return Err(failed("create the directory", &made, error)),
        }
    }
    Ok(())
}

/// Makes a directory of the program's own within one; a link that stands in its place is in the way.
pub fn create_own_directory(path: &Path, access: Access) -> Result<()> {
    match fs::symlink_metadata(path) {
        Ok(found) if !found.is_dir() => Err(in_the_way(path, "no directory")),
        _ => create_directory(path, access),
    }
}

/// Makes a directory that must not be there yet.
pub(super) fn create_new_directory(path: &Path, access: Access) -> Result<()> {
    let made = DirBuilder::new().mode(access.directory()).create(path);
    made.map_err(|error| failed("create the directory", path, error))?;
    set_mode(path, access.directory())
}

fn set_mode(path: &Path, mode: u32) -> Result<()> {
    fs::set_permissions(path, Permissions::from_mode(mode))
        .map_err(|error| failed("set the mode of", path, error))
}

/// Makes a file that must not be there yet.
pub fn create_file(path: &Path, access: Access) -> Result<File> {
    let mut options = OpenOptions::new();
    let file = options.read(true).write(true).create_new(true).mode(access.file).open(path);
    let file = file.map_err(|error| failed("create", path, error))?;
    let set = file.set_permissions(Permissions::from_mode(access.file));
    set.map_err(|error| failed("set the mode of", path, error))?;
    Ok(file)
}

/// Writes a file that must not be there yet, and waits until it is on disk.
pub fn write_file(path: &Path, bytes: &[u8], access: Access) -> Result<()> {
    let mut file = create_file(path, access)?;
    file.write_all(bytes).map_err(|error| failed("write", path, error))?;
    file.sync_all().map_err(|error| failed("sync", path, error))
}

/// Puts a small file in its place at once and whole, whatever file was there.
pub fn put_file(path: &Path, bytes: &[u8], access: Access) -> Result<()> {
    let directory = path.parent().unwrap_or(Path::new("."));
    create_directory(directory, access)?;
    let made = directory.join(format!(".{}", unique_name()));
    write_file(&made, bytes, access)?;
    fs::rename(&made, path).map_err(|error| failed("rename to", path, error))
}

/// Has a file lie in another place besides, at which nothing stands; `false` where the file system cannot do that.
pub fn link_file(from: &Path, to: &Path) -> bool {
    fs::hard_link(from, to).is_ok()
}

/// Waits until the entries of a directory are on disk.
pub fn sync_directory(directory: &Path) -> Result<()> {
    let sync = File::open(directory).and_then(|handle| handle.sync_all());
    sync.map_err(|error| failed("sync", directory, error))
}

/// Renames to a name at which nothing stands.
pub fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    match rustix::fs::renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // Not every file system can be asked for it.
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) if fs::symlink_metadata(to).is_err() => {
            fs::rename(from, to)
        }
        renamed => Ok(renamed?),
    }
}

/// Exchanges two names; `false` where the file system cannot do that.
pub(super) fn exchange(one: &Path, other: &Path) -> io::Result<bool> {
    match rustix::fs::renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE) {
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => Ok(false),
        exchanged => exchanged.map(|()| true).map_err(io::Error::from),
    }
}

/// Opens a directory within another, not one that a link points to.
fn open_directory(parent: impl AsFd, directory: impl Arg) -> io::Result<OwnedFd> {
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::RDONLY | OFlags::CLOEXEC;
    Ok(rustix::fs::openat(parent, directory, flags, Mode::empty())?)
}

/// Whether a directory holds nothing but files of these names, or fewer; those of directories within it are
/// relative to it.
fn holds_only(directory: &OwnedFd, files: &[&str]) -> io::Result<bool> {
    for entry in Dir::read_from(directory)? {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if [".", ".."].iter().chain(files).any(|file| file.as_bytes() == name) {
            continue;
        }
        let below = files.iter().filter_map(|file| file.split_once('/'));
        let below: Vec<&str> =
            below.filter(|(above, _)| above.as_bytes() == name).map(|(_, file)| file).collect();
        // What cannot be opened as a directory is none, or a link.
        let within = open_directory(directory, name).ok().filter(|_| !below.is_empty());
        let is_own = within.map_or(Ok(false), |within| holds_only(&within, &below))?;
        if !is_own {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether a directory, which no link stands for, holds files of these names and nothing else.
pub(super) fn directory_holds_only(directory: &Path, files: &[&str]) -> io::Result<bool> {
    holds_only(&open_directory(CWD, directory)?, files)
}

/// Removes a directory that holds these files and nothing else, in this order but for those of directories within
/// it, which go first; `false` where it holds something else and stays. Links within it are removed, not followed.
pub(super) fn remove_directory_of(directory: &Path, files: &[&str]) -> io::Result<bool> {
    let handle = open_directory(CWD, directory)?;
    if !holds_only(&handle, files)? {
        return Ok(false);
    }
    remove_files(&handle, files)?;
    fs::remove_dir(directory)?;
    Ok(true)
}

/// Removes files from a directory, and the directories within it that hold some of them.
fn remove_files(directory: &OwnedFd, files: &[&str]) -> io::Result<()> {
    let mut below: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (above, file) in files.iter().filter_map(|file| file.split_once('/')) {
        below.entry(above).or_default().push(file);
    }
    for (name, files) in below {
        match open_directory(directory, name) {
            Ok(within) => remove_files(&within, &files)?,
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        }
        rustix::fs::unlinkat(directory, name, AtFlags::REMOVEDIR)?;
    }
    for file in files.iter().filter(|file| !file.contains('/')) {
        match rustix::fs::unlinkat(directory, *file, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Sixteen hex digits that nothing else here is named by.
pub fn unique_name() -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let seed = format!("{} {} {:?}", std::process::id(), now.as_nanos(), std::thread::current().id());
    format!("{:016x}", crate::hash::xxh3_64(seed.as_bytes()))
}
