//! Directories that are not the program's own: nothing foreign is removed or replaced.
