//! A browser without a window: what it makes of pages, and what it complains of.

use std::path::Path;
use std::process::Command;

use serde::Deserialize;

/// What a browser made of a page.
pub struct Seen {
    /// The document after everything has run.
    pub dom: String,
    /// Lines that went to the console.
    pub console: Vec<String>,
}

/// Opens a file of a directory. Fails where there is no browser.
pub fn open(directory: &Path, file: &str) -> Seen {
    let profile = tempfile::tempdir().unwrap();
    let output = Command::new("chromium")
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
        .args([
            "--hide-scrollbars",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
        ])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .args(["--enable-logging=stderr", "--virtual-time-budget=5000", "--dump-dom"])
        .arg(format!("file://{}/{file}", directory.canonicalize().unwrap().display()))
        .output();
    let output = output.unwrap_or_else(|error| {
        panic!("start chromium: {error}; the report is looked at in a browser: apt-get install chromium")
    });
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "chromium {}: {stderr}", output.status);
    let console = stderr.lines().filter(|line| line.contains(":CONSOLE")).map(str::to_string).collect();
    Seen { dom: String::from_utf8(output.stdout).unwrap(), console }
}

/// How a page looks where it is shown.
#[derive(Debug, Deserialize)]
pub struct Look {
    /// How wide the screen is.
    pub screen: u32,
    /// How far the page reaches.
    pub page: u32,
    /// Details that are folded away, and of those how many show what they hold.
    pub folded: u32,
    pub unfolded: u32,
    /// Rows of wide tables that are laid out as cards, and all of them.
    pub cards: u32,
    pub rows: u32,
    /// What stands before the second cell of the first such row, and the name of its column.
    pub before: String,
    pub name: String,
    /// Bars, charts' lines and texts whose colour is hardly that of what lies behind it.
    pub pale: Vec<String>,
}

/// What a page is shown on.
#[derive(Clone, Copy)]
pub enum Medium {
    /// A screen.
    Screen,
    /// Paper: its rules hold, those of screens do not.
    Paper,
}

/// Shows pages, each on media of widths, all in one browser: by page and medium how it looks.
pub fn looks(directory: &Path, pages: &[&str], media: &[(Medium, u32)]) -> (Vec<Vec<Look>>, Seen) {
    let frames = pages.iter().flat_map(|page| {
        let text = std::fs::read_to_string(directory.join(page)).unwrap();
        media.iter().map(move |(medium, width)| {
            let text = match medium {
                Medium::Screen => text.clone(),
                // What is for paper holds, what is for screens does not.
                Medium::Paper => {
                    text.replace("@media print", "@media all").replace("@media screen", "@media print")
                }
            };
            let text = text.replace('&', "&amp;").replace('"', "&quot;");
            format!("<iframe style=\"border:0;width:{width}px;height:800px\" srcdoc=\"{text}\"></iframe>")
        })
    });
    let frames: String = frames.collect();
    let page = format!(
        "<!doctype html><body>{frames}<script>{}\nonload = () => {{ document.body.dataset.looks = \
         JSON.stringify([...document.querySelectorAll('iframe')].map(look)); \
         document.querySelectorAll('iframe').forEach(frame => frame.remove()); }};</script>",
        include_str!("look.js")
    );
    std::fs::write(directory.join("frames.html"), page).unwrap();
    let seen = open(directory, "frames.html");
    let told = seen.dom.split_once("data-looks=\"").and_then(|(_, rest)| rest.split_once('"'));
    let told = told.unwrap_or_else(|| panic!("the frames tell nothing: {}", seen.console.join("\n")));
    let told = told.0.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    let mut looks: Vec<Look> = serde_json::from_str(&told).unwrap();
    let by_page = pages.iter().map(|_| looks.drain(..media.len()).collect());
    (by_page.collect(), seen)
}
