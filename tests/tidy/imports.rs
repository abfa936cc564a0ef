//! Which file of the library takes names from which: `use` items and paths, re-exports followed to their source.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The files of the library by module path; the root is the empty one.
pub struct Library {
    files: BTreeMap<Vec<String>, SourceFile>,
}

struct SourceFile {
    name: String,
    tokens: Vec<String>,
    imports: Vec<Import>,
}

/// One name that a `use` item brings in.
struct Import {
    path: Vec<String>,
    name: String,
    is_reexport: bool,
}

impl Library {
    /// Reads the sources, given by name below `src` and text.
    pub fn read(sources: impl Iterator<Item = (String, String)>) -> Library {
        let files = sources.map(|(name, text)| {
            let tokens = tokens(text.split("#[cfg(test)]\nmod ").next().unwrap());
            let imports = imports(&tokens);
            (module_of(&name), SourceFile { name, tokens, imports })
        });
        Library { files: files.collect() }
    }

    /// By file: those that it takes names from.
    pub fn arrows(&self) -> BTreeMap<&str, BTreeSet<&str>> {
        let mut arrows: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (module, file) in &self.files {
            let mut paths: Vec<Vec<String>> = Vec::new();
            let modules: BTreeMap<&str, Vec<String>> = file
                .imports
                .iter()
                .filter_map(|import| {
                    let path = self.absolute(module, &import.path)?;
                    self.files.contains_key(&path).then_some((import.name.as_str(), path))
                })
                .collect();
            let within = paths_within(&file.tokens);
            for import in file.imports.iter().filter(|import| !import.is_reexport) {
                // A module is taken for what is named within it; one that nothing is named within has a function of
                // its name, which is what was meant.
                let leads_on = within.iter().any(|path| path[0] == import.name);
                if !(modules.contains_key(import.name.as_str()) && leads_on) {
                    paths.extend(self.absolute(module, &import.path));
                }
            }
            for path in within {
                match modules.get(path[0].as_str()) {
                    Some(known) => paths.push([&known[..], &path[1..]].concat()),
                    None => paths.extend(self.absolute(module, &path)),
                }
            }
            let taken = paths.iter().filter_map(|path| self.source_of(path, 0));
            let taken = taken.filter(|name| *name != file.name);
            arrows.entry(&file.name).or_default().extend(taken);
        }
        arrows
    }

    /// A path as written in a module, from the root of the library; `None` where it leads out of it.
    fn absolute(&self, module: &[String], path: &[String]) -> Option<Vec<String>> {
        let mut base = module.to_vec();
        let mut rest = path;
        match path.first()?.as_str() {
            "crate" => {
                base.clear();
                rest = &path[1..];
            }
            "self" => rest = &path[1..],
            "super" => {
                while rest.first().is_some_and(|step| step == "super") {
                    base.pop()?;
                    rest = &rest[1..];
                }
            }
            first => {
                let child = [module, &[first.to_string()]].concat();
                if !self.files.contains_key(&child) {
                    return None;
                }
            }
        }
        Some([base, rest.to_vec()].concat())
    }

    /// The file that defines what a path names, through re-exports.
    fn source_of(&self, path: &[String], depth: usize) -> Option<&str> {
        let module =
            (0..=path.len()).rev().map(|end| &path[..end]).find(|module| self.files.contains_key(*module))?;
        let file = &self.files[module];
        let Some(item) = path.get(module.len()) else { return Some(&file.name) };
        let reexport = file.imports.iter().find(|import| import.is_reexport && import.name == *item);
        let origin = reexport.and_then(|import| self.absolute(module, &import.path));
        match origin.filter(|_| depth < 8) {
            Some(origin) => self.source_of(&origin, depth + 1),
            None => Some(&file.name),
        }
    }
}

/// The files that lie on a circle of arrows, each with what ties it into it.
pub fn circles(arrows: &BTreeMap<&str, BTreeSet<&str>>) -> Vec<String> {
    let reached: BTreeMap<&str, BTreeSet<&str>> =
        arrows.keys().map(|file| (*file, reachable(arrows, file))).collect();
    let is_tied = |from: &str, to: &str| reached[to].contains(from);
    let ties = arrows.iter().flat_map(|(from, to)| to.iter().map(move |to| (from, to)));
    ties.filter(|(from, to)| is_tied(from, to)).map(|(from, to)| format!("{from} -> {to}")).collect()
}

fn reachable<'a>(arrows: &BTreeMap<&'a str, BTreeSet<&'a str>>, from: &str) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut next: Vec<&str> = arrows.get(from).into_iter().flatten().copied().collect();
    while let Some(file) = next.pop() {
        if reached.insert(file) {
            next.extend(arrows.get(file).into_iter().flatten());
        }
    }
    reached
}

/// The module of a file below `src`.
fn module_of(name: &str) -> Vec<String> {
    let steps = Path::new(name).with_extension("");
    let mut module: Vec<String> = steps.iter().map(|step| step.to_string_lossy().into_owned()).collect();
    if module.last().is_some_and(|last| ["mod", "lib"].contains(&last.as_str())) {
        module.pop();
    }
    module
}

/// Names and punctuation, without comments, texts and characters; `::` is one.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let len = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if first == '"' {
            text_len(rest)
        } else if first == '\'' && rest.chars().nth(2) == Some('\'') {
            rest.char_indices().nth(3).map_or(rest.len(), |(at, _)| at)
        } else if first.is_alphanumeric() || first == '_' {
            let len = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            tokens.push(rest[..len].to_string());
            len
        } else if rest.starts_with("::") {
            tokens.push("::".to_string());
            2
        } else {
            if !first.is_whitespace() {
                tokens.push(first.to_string());
            }
            first.len_utf8()
        };
        rest = &rest[len..];
    }
    tokens
}

/// The length of a text in quotes that begins here.
fn text_len(rest: &str) -> usize {
    let mut is_escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            '"' if !is_escaped => return at + 1,
            _ => is_escaped = c == '\\' && !is_escaped,
        }
    }
    rest.len()
}

/// The names that `use` items bring in.
fn imports(tokens: &[String]) -> Vec<Import> {
    let mut imports = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if tokens[at] == "use" {
            let is_reexport = at > 0 && ["pub", ")"].contains(&tokens[at - 1].as_str());
            let end = at + tokens[at..].iter().position(|token| token == ";").unwrap_or(0);
            use_tree(&tokens[at + 1..end], &[], is_reexport, &mut imports);
            at = end;
        }
        at += 1;
    }
    imports
}

/// One tree of a `use` item below a prefix: `a::b`, `a::{b, c as d}`, `self`.
fn use_tree(tree: &[String], prefix: &[String], is_reexport: bool, imports: &mut Vec<Import>) {
    let mut path = prefix.to_vec();
    let mut at = 0;
    while at < tree.len() && tree[at] != "{" && tree[at] != "as" {
        if tree[at] != "::" {
            path.push(tree[at].clone());
        }
        at += 1;
    }
    if tree.get(at).is_some_and(|token| token == "{") {
        let mut depth = 0;
        let mut start = at + 1;
        for (number, token) in tree.iter().enumerate().skip(at + 1) {
            match token.as_str() {
                "{" => depth += 1,
                "}" if depth > 0 => depth -= 1,
                "," | "}" if depth == 0 => {
                    if start < number {
                        use_tree(&tree[start..number], &path, is_reexport, imports);
                    }
                    start = number + 1;
                }
                _ => {}
            }
        }
        return;
    }
    if path.len() > 1 && path.last().is_some_and(|last| last == "self") {
        path.pop();
    }
    let alias = tree.get(at + 1).filter(|_| tree.get(at).is_some_and(|token| token == "as"));
    if let Some(name) = alias.or(path.last()).cloned() {
        imports.push(Import { path, name, is_reexport });
    }
}

/// Paths of two steps and more outside of `use` items.
fn paths_within(tokens: &[String]) -> Vec<Vec<String>> {
    let mut paths = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if tokens[at] == "use" {
            at += tokens[at..].iter().position(|token| token == ";").unwrap_or(0);
        }
        let mut path = vec![tokens[at].clone()];
        while tokens.get(at + 1).is_some_and(|token| token == "::") && at + 2 < tokens.len() {
            path.push(tokens[at + 2].clone());
            at += 2;
        }
        if path.len() > 1 {
            paths.push(path);
        }
        at += 1;
    }
    paths
}
