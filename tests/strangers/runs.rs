//! Runs that are not what their manifest says: every verb that reads one notices.
