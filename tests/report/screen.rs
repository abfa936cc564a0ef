//! The report on a screen: nothing to complain of, nothing to scroll sideways on a phone.

use std::fs;

use super::browser::{open, reach};
use super::page::{figures, report};
use crate::explain::nights;
use crate::support::outcome_in;

/// A phone held upright.
const PHONE: u32 = 390;

#[test]
fn a_browser_has_nothing_to_complain_of_and_shows_the_figures() {
    let home = tempfile::tempdir().unwrap();
    let file = report(home.path(), &["out/date=2026-11-20", "--against", "out/date=2026-11-19"]);
    let seen = open(home.path(), &file);
    assert_eq!(seen.console, Vec::<String>::new());
    // What stands on the screen is what stands in the file.
    let text = fs::read_to_string(home.path().join(&file)).unwrap();
    assert_eq!(figures(&seen.dom), figures(&text));
    assert!(figures(&seen.dom).len() > 60);
}

#[test]
fn nothing_scrolls_sideways_on_a_phone() {
    let home = tempfile::tempdir().unwrap();
    for (number, args) in
        [vec!["out/date=2026-11-20", "--against", "out/date=2026-11-19"], vec!["out"]].into_iter().enumerate()
    {
        let file = report(home.path(), &args);
        let (screen, page, seen) = reach(home.path(), &file, PHONE);
        assert_eq!((screen, page), (PHONE, PHONE), "page {number}");
        assert_eq!(seen.console, Vec::<String>::new());
    }
    let page = home.path().join("diff.html");
    let runs = ["out/date=2026-11-19", "out/date=2026-11-20"];
    outcome_in(nights().home(), &["diff", runs[0], runs[1], "--html", page.to_str().unwrap()]);
    let (screen, reached, seen) = reach(home.path(), "diff.html", PHONE);
    assert_eq!((screen, reached), (PHONE, PHONE), "diff");
    assert_eq!(seen.console, Vec::<String>::new());
}

/// The two tests above could not fail if this did not hold.
#[test]
fn the_browser_sees_what_is_wrong_with_a_page() {
    let home = tempfile::tempdir().unwrap();
    let page = "<!doctype html><body><p style=\"width:500px\">wide</p><script>nothing.at.all</script>";
    fs::write(home.path().join("bad.html"), page).unwrap();
    let (screen, reached, seen) = reach(home.path(), "bad.html", PHONE);
    assert_eq!(screen, PHONE);
    assert!(reached > 500, "{reached}");
    assert!(seen.console.iter().any(|line| line.contains("nothing is not defined")), "{:?}", seen.console);
    let csp = "<!doctype html><meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'\">\
               <script>document.title = 'ran'</script>";
    fs::write(home.path().join("csp.html"), csp).unwrap();
    let seen = open(home.path(), "csp.html");
    assert!(!seen.dom.contains("<title>ran") && !seen.console.is_empty(), "{}", seen.dom);
    assert!(nights().run("2026-11-20").exists());
}
