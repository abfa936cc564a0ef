//! The file that is imported, as text: of bearable size, in an encoding that is known.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use anyhow::Result;

use crate::failure::{Kind, failure};
use crate::job::Source;

/// Far more than a scorecard of a thousand characteristics takes.
const MOST_BYTES: u64 = 16 << 20;

/// Reads a file as text. XML says its own encoding; a byte-order mark goes before it.
pub fn read(path: &Path) -> Result<Source> {
    // Looked at before it is opened: opening a FIFO waits for whoever writes to it.
    let metadata = fs::metadata(path).map_err(|error| failed(path, &error.to_string()))?;
    if !metadata.is_file() {
        return Err(failed(path, "it is no regular file"));
    }
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MOST_BYTES + 1).read_to_end(&mut bytes));
    read.map_err(|error| failed(path, &error.to_string()))?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(failed(path, &format!("it has more than {MOST_BYTES} bytes; is it a scorecard?")));
    }
    let text = decoded(bytes).map_err(|why| failed(path, &why))?;
    Ok(Source { path: path.to_path_buf(), text })
}

fn failed(path: &Path, why: &str) -> anyhow::Error {
    failure(Kind::Usage, format!("read {}: {why}", path.display()))
}

fn decoded(bytes: Vec<u8>) -> Result<String, String> {
    match bytes[..] {
        [0xFF, 0xFE, ..] => return utf16(&bytes[2..], u16::from_le_bytes),
        [0xFE, 0xFF, ..] => return utf16(&bytes[2..], u16::from_be_bytes),
        _ => {}
    }
    let declared = declared_encoding(&bytes);
    match declared.as_deref() {
        None | Some("utf-8" | "utf8" | "us-ascii" | "ascii" | "utf-16") => {}
        Some("iso-8859-1" | "latin1") => return Ok(bytes.into_iter().map(char::from).collect()),
        Some(other) => return Err(format!("its encoding `{other}` is not read; save it as UTF-8")),
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let bytes = error.as_bytes();
        let line = bytes[..at].iter().filter(|byte| **byte == b'\n').count() + 1;
        format!("line {line}, byte {at}: 0x{:02X} is not UTF-8; save it as UTF-8", bytes[at])
    })?;
    Ok(text.strip_prefix('\u{FEFF}').map(str::to_string).unwrap_or(text))
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, String> {
    let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]])).collect();
    String::from_utf16(&units).map_err(|_| "it begins as UTF-16 and is none; save it as UTF-8".to_string())
}

/// What an XML declaration at the beginning says, in lower case.
fn declared_encoding(bytes: &[u8]) -> Option<String> {
    const MOST: usize = 200;
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(MOST)]).into_owned();
    let head = head.trim_start_matches('\u{FEFF}');
    let declaration = head.strip_prefix("<?xml")?.split_once("?>")?.0;
    let (_, after) = declaration.split_once("encoding")?;
    let quoted = after.trim_start().strip_prefix('=')?.trim_start();
    let quote = quoted.chars().next().filter(|quote| ['"', '\''].contains(quote))?;
    Some(quoted[1..].split(quote).next()?.to_ascii_lowercase())
}
