//! A file read once from its first byte to its last, while positions further and further on are looked at.

use bytes::Bytes;

use super::handle::Handle;

/// What is read at a time.
const PIECE_BYTES: u64 = 8 << 20;

/// Hands a file's bytes on in order; what is looked at is held until something further on is.
pub struct InOrder<'h, E> {
    handle: &'h Handle,
    each: E,
    /// Where what is held begins.
    start: u64,
    held: Vec<u8>,
}

impl<'h, E: FnMut(&[u8])> InOrder<'h, E> {
    /// Begins at the first byte.
    pub fn new(handle: &'h Handle, each: E) -> InOrder<'h, E> {
        InOrder { handle, each, start: 0, held: Vec::new() }
    }

    /// The bytes from a position on. What was passed by already is read once more.
    pub fn read(&mut self, at: u64, length: usize) -> Result<Bytes, String> {
        let end = at + length as u64;
        if at < self.start || end > self.handle.stamp().size {
            return self.handle.read_at(at, length).map(Bytes::from).map_err(|error| error.to_string());
        }
        while self.held_end() < end {
            let passed = (at - self.start).min(self.held.len() as u64);
            self.held.drain(..passed as usize);
            self.start += passed;
            self.go_on()?;
        }
        let skipped = (at - self.start) as usize;
        Ok(Bytes::copy_from_slice(&self.held[skipped..][..length]))
    }

    /// Reads what is left.
    pub fn finish(mut self) -> Result<(), String> {
        while self.held_end() < self.handle.stamp().size {
            self.start = self.held_end();
            self.held.clear();
            self.go_on()?;
        }
        Ok(())
    }

    fn held_end(&self) -> u64 {
        self.start + self.held.len() as u64
    }

    fn go_on(&mut self) -> Result<(), String> {
        let at = self.held_end();
        let length = PIECE_BYTES.min(self.handle.stamp().size - at) as usize;
        let piece = self.handle.read_ranges(&[(at, length)]).map_err(|error| error.to_string())?;
        (self.each)(&piece[0]);
        self.held.extend_from_slice(&piece[0]);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn every_byte_comes_by_once_whatever_is_looked_at() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let size = 2 * PIECE_BYTES as usize + 1_000;
        let bytes: Vec<u8> = (0..size).map(|position| (position * 31 % 251) as u8).collect();
        file.write_all(&bytes).unwrap();
        let handle = Handle::open(file.path()).unwrap();
        let mut passed = Vec::new();
        let mut reader = InOrder::new(&handle, |piece: &[u8]| passed.extend_from_slice(piece));
        let around = PIECE_BYTES as usize;
        for (at, length) in
            [(4, 100), (50, 10), (around - 5, 10), (around + 7, 0), (3, 9), (2 * around, 1_000)]
        {
            assert_eq!(reader.read(at as u64, length).unwrap(), bytes[at..][..length], "{at}");
        }
        assert!(reader.read(size as u64, 1).is_err());
        reader.finish().unwrap();
        assert!(passed == bytes);
    }
}
