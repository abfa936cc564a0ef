//! Ctrl-C and termination: noticed between pieces of work, so that nothing is left half done.

use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Result;

use crate::failure::{Kind, failure};

static STOP: AtomicBool = AtomicBool::new(false);

/// Listens for Ctrl-C, SIGTERM and SIGHUP. A second signal ends the process at once.
pub fn listen() {
    let outcome = ctrlc::set_handler(|| {
        if STOP.swap(true, Ordering::SeqCst) {
            std::process::exit(i32::from(Kind::Interrupted.exit_code()));
        }
    });
    if let Err(error) = outcome {
        log::warn!("signals are not handled: {error}");
    }
}

/// Fails once a signal has come.
pub fn check() -> Result<()> {
    match STOP.load(Ordering::SeqCst) {
        true => Err(failure(Kind::Interrupted, "stopped by a signal; nothing was published")),
        false => Ok(()),
    }
}
