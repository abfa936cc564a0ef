//! What is not the program's own stays as it is, wherever it stands and whatever is run: names, bytes, modes,
//! times, what links lead to.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use crate::support::book::{Book, TODAY, YESTERDAY};
use crate::support::files::tree;
use crate::support::succeed_in;

const STATE: &str = "\n[state]\ndir = \"states\"\n";

const GATE: &str = "\n[[gate]]\nname = \"never\"\nrows = \"lines\"\nmin = 99\n";

/// A book with states whose nights can begin yesterday.
fn book() -> Book {
    let book = Book::new();
    book.append("job.toml", STATE);
    let lines = book.path().join("in/lines");
    fs::create_dir(lines.join(format!("date={YESTERDAY}"))).unwrap();
    fs::copy(
        lines.join(format!("date={TODAY}/part-0.parquet")),
        lines.join(format!("date={YESTERDAY}/part-0.parquet")),
    )
    .unwrap();
    book
}

/// Files, links, a pipe and a directory of a stranger's.
fn fill(book: &Book, directory: &str) {
    let path = book.path().join(directory);
    fs::create_dir_all(path.join("deep")).unwrap();
    fs::write(path.join("precious.csv"), "1,2,3\n").unwrap();
    fs::write(path.join("deep/scores.parquet"), "x").unwrap();
    symlink("../nowhere", path.join("dangling")).unwrap();
    symlink("/etc", path.join("etc")).unwrap();
    assert!(Command::new("mkfifo").arg(path.join("pipe")).status().unwrap().success());
}

/// The places of strangers' things below the book.
fn strangers(book: &Book, places: &[&str]) -> BTreeMap<String, String> {
    let all = tree(book.path());
    let is_theirs =
        |name: &String| places.iter().any(|place| name == place || name.starts_with(&format!("{place}/")));
    all.into_iter().filter(|(name, _)| is_theirs(name)).collect()
}

/// Every command that makes, replaces or removes something.
fn do_everything(book: &Book) {
    let commands: [&[&str]; 7] = [
        &["run", "job.toml", "--date", YESTERDAY],
        &["run", "job.toml", "--date", TODAY],
        &["run", "job.toml", "--date", TODAY, "--replace"],
        &["run", "job.toml", "--from", YESTERDAY, "--to", TODAY, "--replace"],
        &["run", "gated.toml", "--date", TODAY, "--replace"],
        &["release", "out", "--date", TODAY],
        &["run", "job.toml", "--date", TODAY, "--known-on", "2026-11-21"],
    ];
    let job = fs::read_to_string(book.path().join("job.toml")).unwrap();
    book.put("gated.toml", &format!("{job}{GATE}"));
    for args in commands {
        let (code, stdout, stderr) = book.outcome(args);
        assert!([0, 4, 6].contains(&code), "{args:?}: {code}\n{stdout}\n{stderr}");
        assert!(!stderr.contains("panicked"), "{args:?}: {stderr}");
    }
}

#[test]
fn strangers_things_beside_the_programs_stay() {
    let places = [
        "out/.staging",
        "out/.staging-4711",
        "out/.staging-0123456789abcdef",
        "out/notes",
        "out/known=2026-11-21/notes",
        "out/held/notes",
        "out/superseded/notes",
        "out/superseded/20200101T000000.000000Z-0123456789abcdef",
        "out/.superseded-20200101T000000.000000Z-0123456789abcdef",
        "out/date=2020-01-01",
        "out/known=2026-11-19",
        "states/notes",
        "states/date=2020-01-01",
        "states/transactions/notakey/date=2020-01-01.sorted",
        "states/transactions/0123456789abcdef/date=2020-01-01.sorted",
        "states/transactions/0123456789abcdef/.staging-4711",
        "states/transactions/0123456789abcdef/.staging-0123456789abcdef",
    ];
    let book = book();
    places.iter().for_each(|place| fill(&book, place));
    // Files where sorted deliveries lie of a day that no night reaches: one of others, and a link to one of ours.
    book.put("states/transactions/0123456789abcdef/nights", "rescore nights 1\n2020-01-05 18262\n");
    book.put("states/transactions/0123456789abcdef/date=2020-01-02.sorted", "rescore notes");
    book.put("precious.sorted", "rescore sorted delivery 1\n");
    let link = book.path().join("states/transactions/0123456789abcdef/date=2020-01-03.sorted");
    symlink("../../../precious.sorted", link).unwrap();
    let places: Vec<&str> = places
        .iter()
        .chain(&["states/transactions/0123456789abcdef/date=2020-01-02.sorted", "precious.sorted"])
        .copied()
        .collect();
    let before = strangers(&book, &places);
    assert!(before.len() > 100, "{}", before.len());
    do_everything(&book);
    assert_eq!(strangers(&book, &places), before);
    succeed_in(book.path(), &["verify", &format!("out/date={TODAY}")]);
}

/// What stands where a run should come to lie.
type Obstacle = (&'static str, fn(&Book, &str));

const OBSTACLES: [Obstacle; 7] = [
    ("a directory that is no run", |book, place| fill(book, place)),
    ("an empty directory", |book, place| fs::create_dir(book.path().join(place)).unwrap()),
    ("a file", |book, place| book.put(place, "precious")),
    ("a pipe", |book, place| {
        assert!(Command::new("mkfifo").arg(book.path().join(place)).status().unwrap().success());
    }),
    ("a link to a run", |book, place| {
        symlink(book.path().join("other/date=2026-11-20"), book.path().join(place)).unwrap()
    }),
    ("a dangling link", |book, place| symlink("nowhere", book.path().join(place)).unwrap()),
    ("a run that was edited", |book, place| {
        fill(book, place);
        let manifest = fs::read_to_string(book.path().join("other/date=2026-11-20/manifest.json")).unwrap();
        let edited = manifest.replacen("\"held\": false", "\"held\": true", 1);
        book.put(&format!("{place}/manifest.json"), &edited);
    }),
];

#[test]
fn what_stands_in_the_way_of_a_run_is_refused_and_stays() {
    for (kind, put) in OBSTACLES {
        for place in [format!("out/date={TODAY}"), format!("out/held/date={TODAY}")] {
            let book = book();
            succeed_in(book.path(), &["run", "job.toml", "--date", TODAY, "--out", "other"]);
            fs::create_dir_all(book.path().join("out/held")).unwrap();
            put(&book, &place);
            let before = strangers(&book, &["other", &place]);
            for more in [&[][..], &["--replace"]] {
                let args = [&["run", "job.toml", "--date", TODAY], more].concat();
                let (code, _, stderr) = book.outcome(&args);
                assert_eq!(code, 6, "{kind} at {place}: {stderr}");
                assert!(stderr.contains(&place) && stderr.contains("move it away"), "{kind}: {stderr}");
            }
            assert_eq!(strangers(&book, &["other", &place]), before, "{kind} at {place}");
            // Nothing is stuck: other nights run, and this one once the way is free.
            succeed_in(book.path(), &["run", "job.toml", "--date", YESTERDAY]);
            fs::rename(book.path().join(&place), book.path().join("out/moved")).unwrap();
            succeed_in(book.path(), &["run", "job.toml", "--date", TODAY]);
        }
    }
}

#[test]
fn a_lock_that_is_not_the_programs_is_not_written_over() {
    type Foreign = (&'static str, fn(&Book));
    let cases: [Foreign; 4] = [
        ("a link", |book| symlink("../precious.csv", book.path().join("out/.lock")).unwrap()),
        ("a stranger's file", |book| book.put("out/.lock", "mine")),
        ("a directory", |book| fill(book, "out/.lock")),
        ("a pipe", |book| {
            assert!(Command::new("mkfifo").arg(book.path().join("out/.lock")).status().unwrap().success());
        }),
    ];
    for (kind, put) in cases {
        let book = book();
        book.put("precious.csv", "1,2,3\n");
        fs::create_dir(book.path().join("out")).unwrap();
        put(&book);
        let before = strangers(&book, &["precious.csv", "out"]);
        for args in [vec!["run", "job.toml", "--date", TODAY], vec!["release", "out", "--date", TODAY]] {
            let (code, _, stderr) = book.outcome(&args);
            assert_eq!(code, 6, "{kind}: {stderr}");
            assert!(stderr.contains("out/.lock is there, but is no "), "{kind}: {stderr}");
        }
        assert_eq!(strangers(&book, &["precious.csv", "out"]), before, "{kind}");
    }
}

#[test]
fn links_in_the_place_of_the_programs_directories_are_not_followed() {
    let cases: [(&str, &[&str]); 3] = [
        ("held", &["run", "gated.toml", "--date", TODAY]),
        ("known=2026-11-21", &["run", "job.toml", "--date", TODAY, "--known-on", "2026-11-21"]),
        ("superseded", &["run", "job.toml", "--date", YESTERDAY, "--replace"]),
    ];
    for (name, args) in cases {
        let book = book();
        let job = fs::read_to_string(book.path().join("job.toml")).unwrap();
        book.put("gated.toml", &format!("{job}{GATE}"));
        succeed_in(book.path(), &["run", "job.toml", "--date", YESTERDAY]);
        fill(&book, "elsewhere");
        symlink("../elsewhere", book.path().join("out").join(name)).unwrap();
        let before = strangers(&book, &["elsewhere"]);
        let (code, _, stderr) = book.outcome(args);
        assert_eq!(code, 6, "{name}: {stderr}");
        assert_eq!(strangers(&book, &["elsewhere"]), before, "{name}");
        succeed_in(book.path(), &["verify", &format!("out/date={YESTERDAY}")]);
    }
}
