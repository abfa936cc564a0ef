//! A held night: what fails comes first, in units people read, then what can be done; and its release.

use serde_json::Value;

use super::{on_screen, published_then_gated, stable};
use crate::support::book::{TODAY, YESTERDAY};
use crate::support::{outcome_in, succeed_in};

#[test]
fn the_gates_that_fail_come_first_and_then_commands_that_work() {
    let book = published_then_gated();
    let (code, stdout, stderr) = book.outcome(&["run", "gated.toml", "--date", TODAY]);
    assert_eq!(code, 4);
    let errors: String =
        stderr.lines().skip_while(|line| !line.starts_with("error")).collect::<Vec<_>>().join("\n");
    insta::assert_snapshot!(errors, @r"
    error: plain of 2026-11-20 is held by 2 of 4 gates; it lies in out/held/date=2026-11-20
      gate `suspensions` fails: 25.00 % (at most 10.00 %), 1 of 4
      gate `limits of the book` fails: 4,300.00 (at most 3,000.00)
    next:
      rescore report out/held/date=2026-11-20
      rescore diff out/date=2026-11-19 out/held/date=2026-11-20
      rescore release out --date 2026-11-20 --by NAME --why TEXT
    ");
    insta::assert_snapshot!(stdout, @"plain of 2026-11-20: 3 accounts, 1 adjustment, limits change by 0.00, 2 of 4 gates fail, 1 of 4 gates warns; held out/held/date=2026-11-20");
    for command in stderr.lines().filter_map(|line| line.strip_prefix("  rescore ")) {
        let args: Vec<&str> = command.split(' ').collect();
        let (code, _, stderr) = outcome_in(book.path(), &args);
        let expected = if args[0] == "diff" { 1 } else { 0 };
        assert_eq!(code, expected, "{command}\n{stderr}");
    }
    assert!(book.path().join("report.html").exists());
    assert!(book.path().join(format!("out/date={TODAY}/released.json")).exists());
}

#[test]
fn in_quiet_a_good_night_says_nothing_and_a_held_one_what_holds_it() {
    let book = published_then_gated();
    for args in [["run", "job.toml", "--date", YESTERDAY, "-q"], ["run", "job.toml", "--date", TODAY, "-q"]] {
        let (code, stdout, stderr) = book.outcome(&args);
        assert_eq!((code, stdout.as_str(), stderr.as_str()), (0, "", ""), "{args:?}");
    }
    std::fs::remove_dir_all(book.path().join(format!("out/date={TODAY}"))).unwrap();
    let (code, stdout, stderr) = book.outcome(&["run", "gated.toml", "--date", TODAY, "--quiet"]);
    assert_eq!((code, stdout.as_str()), (4, ""));
    assert_eq!(stderr.lines().count(), 7, "{stderr}");
    assert!(stderr.contains("\n  rescore release out --date 2026-11-20 --by NAME --why TEXT\n"), "{stderr}");
    let range = ["run", "gated.toml", "--from", TODAY, "--to", TODAY, "-q"];
    let (code, stdout, stderr) = book.outcome(&range);
    assert_eq!((code, stdout.as_str()), (4, ""));
    assert_eq!(stderr, "error: 1 of 1 night is held by gates: 2026-11-20\n");
}

#[test]
fn failing_gates_are_red_and_warning_ones_yellow() {
    let book = published_then_gated();
    let (_, stdout, stderr) = on_screen(&book, 80, "always", &["run", "gated.toml", "--date", TODAY]);
    assert!(stderr.contains("\u{1b}[31mgate `suspensions` fails: "), "{stderr}");
    insta::assert_snapshot!(stable(stdout.lines().next().unwrap()), @"plain of 2026-11-20: 3 accounts, 1 adjustment, limits change by 0.00, 2 of 4 gates fail, 1 of 4 gates warns; <esc>[1m<esc>[31mheld<esc>[0m out/held/date=2026-11-20");
    let (_, shown, _) = on_screen(&book, 80, "always", &["show", "out/held/date=2026-11-20"]);
    assert!(shown.contains("\u{1b}[33mwarns\u{1b}[0m"), "{shown}");
    assert!(shown.contains("\u{1b}[31mfails\u{1b}[0m"), "{shown}");
    let (_, plain, _) = on_screen(&book, 80, "never", &["show", "out/held/date=2026-11-20"]);
    assert!(!plain.contains('\u{1b}'), "{plain}");
}

#[test]
fn a_gate_that_warns_is_told_and_holds_nothing() {
    let book = published_then_gated();
    book.put("warned.toml", &{
        let job = std::fs::read_to_string(book.path().join("gated.toml")).unwrap();
        job.replace("max = 300000", "max = 900000").replace("max_bp = 1000", "max_bp = 9000")
    });
    let (code, stdout, stderr) = book.outcome(&["run", "warned.toml", "--date", TODAY]);
    assert_eq!(code, 0, "{stderr}");
    assert!(stdout.contains("1 of 4 gates warns; published out/date=2026-11-20"), "{stdout}");
    assert!(stderr.contains("gate `rows of the day` warns: 4 (at least 1,000)"), "{stderr}");
    let manifest = std::fs::read(book.path().join("out/date=2026-11-20/manifest.json")).unwrap();
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    assert_eq!(manifest["held"], false);
    assert_eq!(manifest["gates"][2]["severity"], "warn");
    assert_eq!(manifest["gates"][2]["holds"], false);
    assert_eq!(manifest["gates"][1]["unit"], "money");
    assert_eq!(manifest["gates"][0].get("severity"), None);
    succeed_in(book.path(), &["verify", "out/date=2026-11-20"]);
}

#[test]
fn a_release_says_who_and_why_and_is_told_ever_after() {
    let book = published_then_gated();
    assert_eq!(book.outcome(&["run", "gated.toml", "--date", TODAY]).0, 4);
    let release = ["release", "out", "--date", TODAY, "--by", "Li Na", "--why", "known to risk", "--json"];
    let said: Value = serde_json::from_str(&succeed_in(book.path(), &release)).unwrap();
    assert_eq!((&said["by"], &said["why"]), (&"Li Na".into(), &"known to risk".into()));
    assert_eq!(said["overruled"].as_array().unwrap().len(), 2);
    let run = format!("out/date={TODAY}");
    let note: Value =
        serde_json::from_slice(&std::fs::read(book.path().join(&run).join("released.json")).unwrap())
            .unwrap();
    assert_eq!((&note["by"], &note["why"]), (&"Li Na".into(), &"known to risk".into()));
    succeed_in(book.path(), &["verify", &run]);
    let shown = succeed_in(book.path(), &["show", &run]);
    assert!(shown.contains("; released out/date=2026-11-20\n"), "{shown}");
    assert!(
        shown.contains(
            " UTC by Li Na: known to risk; in spite of the gates `suspensions`, `limits of the book`"
        )
    );
    let listed = succeed_in(book.path(), &["runs", "out"]);
    assert!(listed.contains("released") && listed.contains("by Li Na: known to risk"), "{listed}");
}
