//! The pages on screens and on paper: nothing to complain of, nothing to scroll sideways, nothing lost in print.

use std::fs;
use std::path::Path;

use super::browser::{Look, Medium, looks, open};
use super::page::{figures, report};
use crate::explain::nights;
use crate::support::outcome_in;

/// A phone held upright, a tablet, a desk; and the width of A4 between its margins.
const MEDIA: [(Medium, u32); 4] =
    [(Medium::Screen, 390), (Medium::Screen, 820), (Medium::Screen, 1400), (Medium::Paper, 680)];

/// The pages of a night against another one, of a range and of a comparison.
fn pages(home: &Path) -> Vec<&'static str> {
    let runs = ["out/date=2026-11-19", "out/date=2026-11-20"];
    for (page, args) in [("night.html", vec![runs[1], "--against", runs[0]]), ("range.html", vec!["out"])] {
        report(home, &args);
        fs::rename(home.join("report.html"), home.join(page)).unwrap();
    }
    let page = home.join("diff.html");
    outcome_in(nights().home(), &["diff", runs[0], runs[1], "--html", page.to_str().unwrap()]);
    vec!["night.html", "range.html", "diff.html"]
}

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
fn pages_fit_phones_tablets_desks_and_paper() {
    let home = tempfile::tempdir().unwrap();
    let pages = pages(home.path());
    let (looks, seen) = looks(home.path(), &pages, &MEDIA);
    assert_eq!(seen.console, Vec::<String>::new());
    for (page, looks) in pages.iter().zip(&looks) {
        let [phone, tablet, desk, paper] = &looks[..] else { unreachable!() };
        for (look, (_, width)) in looks.iter().zip(MEDIA) {
            assert_eq!((look.screen, look.page), (width, width), "{page}: {look:?}");
            assert_eq!(look.pale, Vec::<String>::new(), "{page} at {width}");
        }
        // Rows of many columns are cards on a phone, with names before their figures, and rows elsewhere.
        assert!(phone.rows > 5, "{page}: {phone:?}");
        assert_eq!(phone.cards, phone.rows, "{page}: {phone:?}");
        assert_eq!(phone.before, format!("\"{}\"", phone.name), "{page}");
        assert!([tablet, desk, paper].iter().all(|look| look.cards == 0), "{page}: {looks:?}");
        // What is folded away on a screen is printed.
        assert!(desk.unfolded == 0 && paper.unfolded == paper.folded, "{page}: {looks:?}");
    }
    let folded: Vec<u32> = looks.iter().map(|looks: &Vec<Look>| looks[0].folded).collect();
    assert!(folded[0] >= 5, "{folded:?}");
}

/// The tests above could not fail if this did not hold.
#[test]
fn the_browser_sees_what_is_wrong_with_a_page() {
    let home = tempfile::tempdir().unwrap();
    let page = "<!doctype html><body><p style=\"width:500px; color:#999\">wide and pale</p>\
                <details><summary>folded</summary><div class=\"wide\">text</div></details>\
                <table class=\"cards\"><tbody><tr><td>a</td><td data-name=\"b\">c</td></tr></tbody></table>\
                <script>nothing.at.all</script>";
    fs::write(home.path().join("bad.html"), page).unwrap();
    let (looks, seen) = looks(home.path(), &["bad.html"], &[MEDIA[0], MEDIA[3]]);
    let [phone, paper] = &looks[0][..] else { unreachable!() };
    assert_eq!((phone.screen, phone.cards, phone.rows), (390, 0, 1));
    assert!(phone.page > 500, "{phone:?}");
    assert_eq!(phone.pale, ["P.: wide and pale"]);
    assert_eq!((paper.folded, paper.unfolded), (1, 0));
    assert!(seen.console.iter().any(|line| line.contains("nothing is not defined")), "{:?}", seen.console);
    let csp = "<!doctype html><meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'\">\
               <script>document.title = 'ran'</script>";
    fs::write(home.path().join("csp.html"), csp).unwrap();
    let seen = open(home.path(), "csp.html");
    assert!(!seen.dom.contains("<title>ran") && !seen.console.is_empty(), "{}", seen.dom);
    assert!(nights().run("2026-11-20").exists());
}
