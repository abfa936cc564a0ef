//! Job files and command lines that are odd: read rightly, or refused with what was meant.
