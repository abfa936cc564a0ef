//! A browser without a window: what it makes of a page, and what it complains of.

use std::path::Path;
use std::process::Command;

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

/// Shows a page on a screen of a width and tells how far it reaches: screen, page.
pub fn reach(directory: &Path, page: &str, width: u32) -> (u32, u32, Seen) {
    let text = std::fs::read_to_string(directory.join(page)).unwrap();
    let text = text.replace('&', "&amp;").replace('"', "&quot;");
    let script = "const page = document.querySelector('iframe').contentDocument.documentElement;\
                  document.body.dataset.reach = page.clientWidth + ' ' + page.scrollWidth;";
    let frame = format!(
        "<!doctype html><body><iframe style=\"border:0;width:{width}px;height:800px\" srcdoc=\"{text}\"></iframe>\
         <script>onload = () => {{ {script} }};</script>"
    );
    std::fs::write(directory.join("frame.html"), frame).unwrap();
    let seen = open(directory, "frame.html");
    let told =
        seen.dom.split_once("data-reach=\"").and_then(|(_, rest)| rest.split_once('"')).map(|(told, _)| told);
    let told = told.unwrap_or_else(|| panic!("the frame tells nothing: {}", seen.console.join("\n")));
    let (screen, page) = told.split_once(' ').unwrap();
    (screen.parse().unwrap(), page.parse().unwrap(), seen)
}
