//! Ctrl-C, SIGTERM and SIGHUP: noticed between the pieces of a run's work, so that nothing is left half done.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use anyhow::Result;
use nix::sys::signal::Signal;
use signal_hook::flag;

use crate::failure::{Kind, failure};

const SIGNALS: [(Signal, Kind); 3] = [
    (Signal::SIGINT, Kind::Interrupted),
    (Signal::SIGTERM, Kind::Terminated),
    (Signal::SIGHUP, Kind::Terminated),
];

/// The signal that came; 0 while none has.
static CAME: LazyLock<Arc<AtomicUsize>> = LazyLock::new(Arc::default);

/// Listens. A verb that publishes nothing `ends_at_once`; others end where they call [`check`], and at once
/// when a second signal comes.
pub fn listen(ends_at_once: bool) {
    let ends = Arc::new(AtomicBool::new(ends_at_once));
    for (signal, kind) in SIGNALS {
        let (number, code) = (signal as i32, i32::from(kind.exit_code()));
        // In this order: the first signal sets what a second one finds.
        let listens = flag::register_conditional_shutdown(number, code, ends.clone())
            .and_then(|_| flag::register(number, ends.clone()))
            .and_then(|_| flag::register_usize(number, CAME.clone(), number as usize));
        if let Err(error) = listens {
            tracing::warn!("{signal} is not handled: {error}");
        }
    }
}

/// Fails once a signal has come.
pub fn check() -> Result<()> {
    let came = CAME.load(Ordering::SeqCst);
    match SIGNALS.into_iter().find(|(signal, _)| *signal as usize == came) {
        Some((signal, kind)) => {
            Err(failure(kind, format!("stopped by {signal}; nothing of the night was published")))
        }
        None => Ok(()),
    }
}
