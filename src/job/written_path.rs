//! Paths as a job file writes them: variables put in, relative to its directory, URLs looked at.

use std::path::{Path, PathBuf};

use toml::Spanned;

use super::reader::Reader;
use crate::places;
use crate::store::{self, is_url};

/// What stands for `${NAME}` in a path; `None` where nothing does.
pub(super) type Variables<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Puts `${NAME}` in; an unset variable is a mistake.
pub(super) fn expand(reader: &mut Reader, variables: Variables, text: &Spanned<String>) -> Option<String> {
    let mut expanded = String::new();
    let mut rest = text.get_ref().as_str();
    while let Some((before, after)) = rest.split_once("${") {
        expanded.push_str(before);
        let Some((name, tail)) = after.split_once('}').filter(|(name, _)| may_be_variable(name)) else {
            reader.error(text.span(), "`${` is not closed", Some("write ${NAME}".into()));
            return None;
        };
        match variables(name) {
            Some(value) => expanded.push_str(&value),
            None => {
                let message = format!("the environment variable {name} is not set");
                reader.error(text.span(), message, Some(format!("export {name}=… before the run")));
                return None;
            }
        }
        rest = tail;
    }
    expanded.push_str(rest);
    Some(expanded)
}

fn may_be_variable(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// A directory or a file that the job file names.
pub(super) fn directory(
    reader: &mut Reader,
    variables: Variables,
    base: &Path,
    text: &Spanned<String>,
) -> Option<PathBuf> {
    let path = places::resolve(base, Path::new(&expand(reader, variables, text)?));
    check_url(reader, &path, text).then_some(path)
}

/// Notes a mistake where a path is a URL and cannot be asked for.
pub(super) fn check_url(reader: &mut Reader, path: &Path, text: &Spanned<String>) -> bool {
    let Some(error) = Some(path).filter(|path| is_url(path)).and_then(|path| store::check(path).err()) else {
        return true;
    };
    reader.error(text.span(), format!("{}: {error}", text.get_ref()), None);
    false
}
