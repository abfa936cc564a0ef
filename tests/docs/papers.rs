//! The README is short and its links lead somewhere, the contract is the contract, the version is named.

use super::{page, read};
use crate::support::{project, succeed_in};

#[test]
fn the_readme_is_short() {
    assert!(read("README.md").lines().count() <= 120);
}

#[test]
fn the_links_of_the_readme_lead_somewhere() {
    // Those of the book are checked when it is built.
    for text in [read("README.md"), read("CHANGELOG.md")] {
        let targets = text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap());
        for target in targets.filter(|target| !target.starts_with("http")) {
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            assert!(project().join(file).is_file(), "{target}");
            assert!(anchor.is_empty(), "{target}: link to the page, whose headings may change");
        }
    }
}

/// Whatever the contract says beyond what was agreed stands below this heading, at its end.
const ADDED: &str = "\n## 6 Added since\n";

#[test]
fn the_contract_is_the_contract_and_additions_stand_at_its_end() {
    let contract = page("contract.md");
    let (first, added) = contract.split_once(ADDED).expect("a section for what was added");
    let agreed = project().join("../shared/CONTRACT.md");
    if let Ok(agreed) = std::fs::read_to_string(agreed) {
        assert!(agreed == first, "docs/contract.md is another one than ../shared/CONTRACT.md");
    }
    assert!(!added.contains("\n## "), "additions are the last section");
    let additions = added.lines().filter_map(|line| line.strip_prefix("### To "));
    let mut count = 0;
    for section in additions {
        let is_there = ["\n## ", "\n### "].iter().any(|level| first.contains(&format!("{level}{section}\n")));
        assert!(is_there, "an addition to `{section}`, and the contract has no such section");
        count += 1;
    }
    assert!(count > 0, "additions say what they are to");
}

#[test]
fn the_version_has_a_commit_and_an_entry_in_the_changelog() {
    let version = env!("CARGO_PKG_VERSION");
    let changelog = read("CHANGELOG.md");
    let (_, changes) = changelog.split_once("\n## [").unwrap();
    assert!(changes.starts_with(version), "the changelog begins with another version than {version}");
    let short = succeed_in(&project(), &["-V"]);
    let long = succeed_in(&project(), &["--version"]);
    assert!(short.starts_with(&format!("rescore {version}")), "{short}");
    assert!(long.starts_with(short.trim_end()) && long.contains("time zones: "), "{long}");
    let mut git = std::process::Command::new("git");
    let head = git.arg("-C").arg(project()).args(["rev-parse", "HEAD"]).output();
    if project().join(".git").exists() && head.is_ok_and(|head| head.status.success()) {
        // As in `rescore 0.2.0 (83c2905, 2026-11-27)`.
        let (_, origin) = short.trim_end().split_once(" (").unwrap();
        let (commit, date) = origin.strip_suffix(')').unwrap().split_once(", ").unwrap();
        let commit = commit.trim_end_matches('+');
        assert!(commit.len() >= 7 && commit.bytes().all(|byte| byte.is_ascii_hexdigit()), "{short}");
        assert!(date.parse::<rescore::day::Day>().is_ok(), "{short}");
    }
}
