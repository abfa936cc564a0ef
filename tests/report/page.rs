//! What the page says: the manifest's figures, every text as text, the same bytes every time.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::browser::open;
use crate::explain::nights;
use crate::support::book::{Book, TODAY};
use crate::support::{outcome_in, succeed_in};

/// Writes a report about the two nights into a directory; its name.
pub fn report(home: &Path, args: &[&str]) -> String {
    let file = home.join("report.html");
    let mut all = vec!["report"];
    all.extend(args);
    all.extend(["--out", file.to_str().unwrap()]);
    succeed_in(nights().home(), &all);
    "report.html".to_string()
}

/// The figures that a page says are the manifest's: name, value, what is read. A figure that stands there
/// twice must be the same both times.
pub fn figures(html: &str) -> BTreeMap<String, (String, String)> {
    let mut found = BTreeMap::new();
    for part in html.split("<data value=\"").skip(1) {
        let (value, rest) = part.split_once("\" data-figure=\"").unwrap();
        let (name, rest) = rest.split_once("\">").unwrap();
        let (text, _) = rest.split_once("</data>").unwrap();
        let figure = (value.to_string(), text.to_string());
        let before = found.insert(name.to_string(), figure.clone());
        assert!(before.is_none_or(|before| before == figure), "{name}");
    }
    found
}

fn manifest(run: &Path) -> Value {
    serde_json::from_slice(&fs::read(run.join("manifest.json")).unwrap()).unwrap()
}

/// A figure of the manifest by its path, as text.
fn figure(manifest: &Value, path: &str) -> String {
    let found = path.split('.').fold(manifest, |value, step| match step.parse::<usize>() {
        Ok(place) => &value[place],
        Err(_) => &value[step],
    });
    match found {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Every number of the control totals, by path.
fn leaves(value: &Value, path: String, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            map.iter().for_each(|(name, value)| leaves(value, format!("{path}.{name}"), found))
        }
        _ => found.push(path),
    }
}

#[test]
fn the_figures_are_those_of_the_manifest() {
    let home = tempfile::tempdir().unwrap();
    let file = report(home.path(), &["out/date=2026-11-20"]);
    let shown = figures(&fs::read_to_string(home.path().join(file)).unwrap());
    let manifest = manifest(&nights().run("2026-11-20"));
    for (name, (value, text)) in &shown {
        assert_eq!(*value, figure(&manifest, name), "{name}");
        // What is read is the value, in groups of three, and money with its decimal point; a share says of
        // how many.
        let digits: String =
            text.split(" of ").next().unwrap().chars().filter(|c| !",.".contains(*c)).collect();
        let digits = match digits.trim_start_matches('0') {
            "" => "0",
            digits => digits,
        };
        assert!(digits == value.trim_start_matches('0') || digits == value, "{name}: {text} is not {value}");
    }
    let mut all = Vec::new();
    leaves(&manifest["control_totals"], "control_totals".to_string(), &mut all);
    let missing: Vec<&String> = all.iter().filter(|name| !shown.contains_key(*name)).collect();
    assert_eq!(missing, Vec::<&String>::new());
    assert_eq!(
        shown.keys().filter(|name| name.starts_with("gates.")).count(),
        manifest["gates"].as_array().unwrap().len()
    );
}

#[test]
fn a_range_has_every_nights_figures() {
    let home = tempfile::tempdir().unwrap();
    let file = report(home.path(), &["out"]);
    let shown = figures(&fs::read_to_string(home.path().join(file)).unwrap());
    assert_eq!(shown.len(), 2 * 4);
    for (name, (value, _)) in &shown {
        let (day, path) = name.split_once('.').unwrap();
        assert_eq!(*value, figure(&manifest(&nights().run(day)), path), "{name}");
    }
}

/// Bands, rules and charts stand on the page in full; every drawing has words beside it.
#[test]
fn everything_has_a_name_and_every_drawing_words() {
    let home = tempfile::tempdir().unwrap();
    let file = report(home.path(), &["out/date=2026-11-20", "--against", "out/date=2026-11-19"]);
    let text = fs::read_to_string(home.path().join(file)).unwrap();
    for id in [
        "gates",
        "scores",
        "scorecard",
        "features",
        "actions",
        "limits",
        "reasons",
        "rules",
        "caps",
        "migration",
        "stability",
        "rejects",
        "inputs",
    ] {
        assert!(text.contains(&format!("<section id=\"{id}\">")), "{id}");
    }
    assert!(text.contains("<caption>Why decisions changed</caption>"), "{text}");
    let drawings: Vec<&str> = text.split("<svg").skip(1).collect();
    assert!(drawings.len() > 100);
    for drawing in drawings {
        let (_, label) = drawing.split_once("aria-label=\"").unwrap();
        assert!(drawing.contains("role=\"img\"") && !label.starts_with('"'), "{drawing}");
    }
    for outside in ["http://", "https://", "<script", "<link", "url("] {
        assert!(!text.contains(outside), "{outside}");
    }
}

/// Names and sentences of the job files may hold anything.
#[test]
fn texts_are_text() {
    let book = Book::new();
    let edit = |file: &str, from: &str, to: &str| {
        let text = fs::read_to_string(book.path().join(file)).unwrap();
        assert!(text.contains(from), "{file}: {from}");
        book.put(file, &text.replace(from, to));
    };
    edit("job.toml", "name = \"plain\"", "name = \"<script>document.title='ran'</script> & co\"");
    let gate = "\n[[gate]]\nname = '<img src=x onerror=\"alert(1)\">'\nrows = \"lines\"\nmin = 1\n";
    let job = fs::read_to_string(book.path().join("job.toml")).unwrap();
    book.put("job.toml", &format!("{job}{gate}"));
    edit("policy.toml", "name = \"the others\"", "name = \"</td></table><script>alert(2)</script>\"");
    edit("policy.toml", "A bill is long past due", "A bill is <b>long</b> past\\u0000 due & more\\u001b[31m");
    edit("scorecard.toml", "name = \"good\"", "name = \"<good & better>\"");
    edit("policy.toml", "band = 'good'", "band = '<good & better>'");
    edit("scorecard.toml", "Little is bought", "Little is <u>bought</u>");
    book.publish();
    succeed_in(book.path(), &["report", &format!("out/date={TODAY}")]);
    let text = fs::read_to_string(book.path().join("report.html")).unwrap();
    for tag in ["<script", "<img", "<b>", "<u>", "<good"] {
        assert!(!text.contains(tag), "{tag}");
    }
    assert!(text.contains("&lt;script&gt;document.title"), "{text}");
    assert!(text.contains("past\u{fffd} due &amp; more\u{fffd}[31m"), "{text}");
    assert!(!text.contains(['\0', '\u{1b}']), "{text}");
    assert!(text.contains("&lt;good &amp; better&gt;"), "{text}");
    let seen = open(book.path(), "report.html");
    assert_eq!(seen.console, Vec::<String>::new());
    assert!(!seen.dom.contains("<script") && !seen.dom.contains("<title>ran"), "{}", seen.dom);
}

#[test]
fn a_run_writes_its_report_and_vouches_for_it() {
    let book = Book::new();
    let job = fs::read_to_string(book.path().join("job.toml")).unwrap();
    book.put("job.toml", &job.replace("csv = true", "csv = true\nreport = true"));
    book.publish();
    let run = format!("out/date={TODAY}");
    let told = succeed_in(book.path(), &["verify", &run]);
    assert!(told.contains("10 files"), "{told}");
    let listed = manifest(&book.path().join(&run));
    assert!(listed["outputs"].as_array().unwrap().iter().any(|output| output["file"] == "report.html"));
    succeed_in(book.path(), &["report", &run]);
    let (own, again) = (book.path().join(&run).join("report.html"), book.path().join("report.html"));
    assert_eq!(fs::read(own).unwrap(), fs::read(&again).unwrap());
    // Another thread count, another time, another place: the same bytes.
    succeed_in(book.path(), &["run", "job.toml", "--date", TODAY, "--out", "elsewhere", "--threads", "1"]);
    let elsewhere = book.path().join(format!("elsewhere/date={TODAY}/report.html"));
    assert_eq!(fs::read(elsewhere).unwrap(), fs::read(&again).unwrap());
}

/// The banner's tone, its verdict, its sentences and what speaks against the run.
pub fn banner(page: &str) -> Vec<String> {
    let (_, banner) = page.split_once("<div class=\"banner ").unwrap();
    let (tone, rest) = banner.split_once("\">").unwrap();
    let (rest, _) = rest.split_once("</div>").unwrap();
    let mut said = vec![tone.to_string()];
    for line in rest.lines() {
        let text: String =
            line.split('<').map(|piece| piece.split_once('>').map_or(piece, |(_, text)| text)).collect();
        said.extend(Some(text.trim().to_string()).filter(|text| !text.is_empty()));
    }
    said
}

/// A page says what became of its run: held, released in spite of a gate, or simulated, where nothing is held.
#[test]
fn a_page_says_how_its_run_stands() {
    let book = Book::new();
    book.append("job.toml", "\n[[gate]]\nname = \"more lines\"\nrows = \"lines\"\nmin = 5\n");
    let banner = |run: &str| {
        succeed_in(book.path(), &["report", run]);
        banner(&fs::read_to_string(book.path().join("report.html")).unwrap())
    };
    assert_eq!(book.run().0, 4);
    let held = banner(&format!("out/held/date={TODAY}"));
    assert_eq!(
        held,
        [
            "bad",
            "Held",
            "1 of 1 gates fails. Nothing downstream sees this night unless somebody releases it.",
            "more lines 4 (at least 5)"
        ]
    );
    let range = banner("out");
    assert_eq!(
        range[..3],
        ["bad", "1 night, the latest held", "0 published, 0 released in spite of a gate, 1 held, 0 missing."]
    );
    assert_eq!(range[3], format!("{TODAY} held: more lines 4 (at least 5)"));
    let by = ["--by", "Ada <ada@bank>", "--why", "the book is that small"];
    succeed_in(book.path(), &[&["release", "out", "--date", TODAY][..], &by].concat());
    let released = banner(&format!("out/date={TODAY}"));
    assert_eq!(released[..2], ["warn", "Released"]);
    assert!(released[2].starts_with("Released by Ada &lt;ada@bank&gt; on 20"), "{released:?}");
    assert!(released[2].ends_with(" UTC in spite of its gates. 1 of 1 gates fails."), "{released:?}");
    assert_eq!(released[3..], ["Why: the book is that small", "more lines 4 (at least 5)"]);
    let chain = ["run", "job.toml", "--from", TODAY, "--to", TODAY, "--chain", "--out", "simulation"];
    succeed_in(book.path(), &chain);
    let simulated = banner(&format!("simulation/date={TODAY}"));
    assert_eq!(simulated[..2], ["warn", "Simulated"]);
    assert!(simulated[2].starts_with(&format!("A simulation from {TODAY}")), "{simulated:?}");
}

#[test]
fn what_cannot_be_reported_is_told() {
    let home = nights().home();
    let (code, _, stderr) = outcome_in(home, &["report", "jobs", "--out", "x.html"]);
    assert_eq!(code, 3);
    insta::assert_snapshot!(stderr, @"error: report jobs: it has no manifest.json, so it is no whole run, and no run lies in it (date=…)");
    let (code, _, stderr) =
        outcome_in(home, &["report", "out", "--against", "out/date=2026-11-19", "--out", "x.html"]);
    assert_eq!((code, stderr.contains("--against goes with one run")), (2, true), "{stderr}");
    let (code, _, stderr) = outcome_in(home, &["report", "out", "--out", "nowhere/x.html"]);
    assert_eq!(code, 2);
    insta::assert_snapshot!(stderr, @"error: write nowhere/x.html: there is no directory nowhere");
}
