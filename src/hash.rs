//! The program's hashes, none of which depends on a seed: SHA-256, XXH3, and maps for fast lookups.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use foldhash::fast::FixedState;
use sha2::Digest;
pub use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

/// A map that looks its keys up fast; nothing may depend on the order in which it holds them.
pub type Map<K, V> = hashbrown::HashMap<K, V, FixedState>;

/// Hashes the keys of tables that are no [`Map`].
pub const HASHER: FixedState = FixedState::with_seed(0);

/// SHA-256 of bytes that come piece by piece.
#[derive(Default)]
pub struct Sha256(sha2::Sha256);

impl Sha256 {
    /// Takes the next piece.
    pub fn update(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }

    /// The hash of all pieces, in hex.
    pub fn hex(self) -> String {
        self.0.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// SHA-256 of a whole file, in hex.
pub fn file_hash(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    hash_of(|buffer| file.read(buffer))
}

/// SHA-256, in hex, of all that `read` gives: as many bytes as it says, until there are none.
pub fn hash_of<E>(mut read: impl FnMut(&mut [u8]) -> Result<usize, E>) -> Result<String, E> {
    const BUFFER_BYTES: usize = 1 << 18;
    let mut hasher = Sha256::default();
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        match read(&mut buffer)? {
            0 => return Ok(hasher.hex()),
            read => hasher.update(&buffer[..read]),
        }
    }
}

/// SHA-256 of bytes, in hex.
pub fn bytes_hash(bytes: &[u8]) -> String {
    let mut hasher = Sha256::default();
    hasher.update(bytes);
    hasher.hex()
}

/// Whether a name is a key of the program's making: sixteen hex digits.
pub fn is_key(name: &str) -> bool {
    name.len() == 16 && name.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}
