//! Keeps a panic over one damaged file from ending the program: it becomes an error that can name the file.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

thread_local! {
    /// Whether a panic of this thread is to be kept instead of printed.
    static IS_GUARDED: Cell<bool> = const { Cell::new(false) };
    /// What the last one said.
    static KEPT: RefCell<String> = const { RefCell::new(String::new()) };
}

/// A message without what the crates put in front of it.
fn bare(mut message: &str) -> &str {
    const PREFIXES: [&str; 3] = ["Parquet argument error: ", "Parquet error: ", "External: "];
    while let Some(rest) = PREFIXES.iter().find_map(|prefix| message.strip_prefix(prefix)) {
        message = rest;
    }
    message
}

/// Does work that may panic because of what a file holds, as the Parquet reader's does. A panic is an
/// error with its message; nothing is printed.
pub fn guarded<T, E: ToString>(work: impl FnOnce() -> Result<T, E>) -> Result<T, String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let print = take_hook();
        set_hook(Box::new(move |panic| {
            if !IS_GUARDED.get() {
                return print(panic);
            }
            let message = panic.payload_as_str().unwrap_or("it holds what cannot be").to_string();
            KEPT.with_borrow_mut(|kept| *kept = message);
        }));
    });
    let was_guarded = IS_GUARDED.replace(true);
    // What the work held is dropped with it.
    let outcome = catch_unwind(AssertUnwindSafe(work));
    IS_GUARDED.set(was_guarded);
    match outcome {
        Ok(outcome) => outcome.map_err(|error| bare(&error.to_string()).to_string()),
        Err(_) => Err(format!("what it holds makes no sense ({})", KEPT.take())),
    }
}
