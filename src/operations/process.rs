//! What this process has read, and the most memory that it took, as Linux says.

use std::fs;

use crate::store;

/// Bytes read so far, from files and from stores; `None` where the system does not say.
pub fn bytes_read() -> Option<u64> {
    let of_files = figure(&fs::read_to_string("/proc/self/io").ok()?, "rchar:")?;
    // What stores send is not among them: it comes from sockets.
    Some(of_files.saturating_add(store::bytes_read()))
}

/// The most memory held at a time, in bytes; `None` where the system does not say.
pub fn peak_memory_bytes() -> Option<u64> {
    Some(figure(&fs::read_to_string("/proc/self/status").ok()?, "VmHWM:")?.saturating_mul(1024))
}

/// The number after a name at the beginning of a line.
fn figure(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_found_by_their_names() {
        let text = "Name:\trescore\nVmHWM:\t  1234 kB\nVmRSS:\t 7 kB\n";
        assert_eq!(figure(text, "VmHWM:"), Some(1234));
        assert_eq!(figure(text, "VmSwap:"), None);
    }
}
