//! The notice to the person.

use rescore::explain::notice::{Notice, notice};
use rescore::run_dir::PublishedRun;

use super::nights;
use crate::support::succeed_in;

/// A notice for every fifth account of the sample book.
fn notices() -> (PublishedRun, Vec<Notice>) {
    let run = PublishedRun::open(&nights().run("2026-11-20")).unwrap();
    let facts = run.everyone().unwrap();
    let ids = &facts.lines.accounts.ids;
    let notices =
        (0..ids.len()).step_by(5).map(|position| notice(&run, &ids.text(position)).unwrap()).collect();
    (run, notices)
}

#[test]
fn everyone_who_gets_less_is_told_and_nobody_else() {
    let (run, notices) = notices();
    let facts = run.everyone().unwrap();
    for notice in &notices {
        let mut adverse = 0;
        let is_own = |line: &usize| {
            facts.lines.accounts.ids.text(facts.lines.account[*line] as usize) == notice.account_id
        };
        for line in (0..facts.decided.len()).filter(is_own) {
            let decided = &facts.decided[line];
            let rule = run.job.policy.rules.iter().find(|rule| Some(&rule.name) == decided.rule.as_ref());
            let asked = rule.map(|rule| rule.action.name());
            let is_refused = decided.action == "hold"
                && matches!(asked, Some("raise" | "reopen"))
                && !["no_change", "pending"].contains(&decided.reason.as_str());
            // What is withdrawn was announced, so that this is told, too.
            let is_told = matches!(decided.action.as_str(), "lower" | "suspend" | "close" | "withdraw");
            adverse += usize::from(is_told || is_refused);
        }
        assert_eq!(notice.lines.len(), adverse, "{}", notice.account_id);
        assert_eq!(notice.text.starts_with("Nothing adverse was decided"), adverse == 0);
    }
    assert!(notices.iter().filter(|notice| !notice.lines.is_empty()).count() > 20);
}

/// No features, dimensions, rules, codes, bands: nothing that a person could not read.
#[test]
fn no_internal_name_is_in_a_notice() {
    let (run, notices) = notices();
    let job = &run.job;
    let mut internal: Vec<&str> = job.features.iter().map(|feature| feature.name.as_str()).collect();
    internal.extend(job.policy.rules.iter().flat_map(|rule| [rule.name.as_str(), rule.reason.as_str()]));
    internal.extend(job.scorecard.characteristics.iter().map(|one| one.reason.as_str()));
    internal.extend(["credit_history", "band_max", "below_min_raise", "_bp"]);
    // One word that people use as well says nothing about the inside.
    internal.retain(|name| name.contains(['_', ' ', ',']) || name.starts_with(['P', 'R']));
    for notice in &notices {
        let text = notice.text.split_whitespace().collect::<Vec<_>>().join(" ");
        let found = internal.iter().find(|name| text.contains(**name) && !is_plain(name));
        assert_eq!(found, None, "{text}");
        for line in &notice.lines {
            let given = line.why.len() + line.score_reasons.len();
            assert!((1..=job.scorecard.reasons).contains(&given), "{line:?}");
            assert!(
                line.effective_on.is_none() || line.what.contains(&line.effective_on.unwrap().in_words())
            );
        }
    }
}

/// Names of rules that are everyday words as well.
fn is_plain(name: &str) -> bool {
    ["past due", "a month past due", "a few days past due", "closed", "unused"].contains(&name)
}

#[test]
fn a_lowered_limit() {
    let told = succeed_in(
        nights().home(),
        &["explain", "out/date=2026-11-20", "--account", "2088000000128994", "--adverse-action"],
    );
    insta::assert_snapshot!(told);
}

#[test]
fn nothing_adverse() {
    let told = succeed_in(
        nights().home(),
        &["explain", "out/date=2026-11-20", "--account", "2088000000000194", "--adverse-action"],
    );
    insta::assert_snapshot!(told, @"Nothing adverse was decided about account 2088000000000194 on 20 November 2026: there is nothing to give notice of.");
}
