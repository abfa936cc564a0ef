//! OpenLineage's events, to a file and over HTTP; an endpoint that is dead, slow or unwilling holds nothing up.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::NEVER;
use crate::support::as_text;
use crate::support::book::{Book, TODAY, delivered};

fn events(book: &Book) -> Vec<Value> {
    let text = fs::read_to_string(book.path().join("events")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What the specification asks of every event and every facet.
fn check_form(event: &Value) {
    assert!(event["eventTime"].as_str().unwrap().parse::<jiff::Timestamp>().is_ok());
    assert!(event["producer"].as_str().unwrap().starts_with("urn:rescore:"));
    assert!(event["schemaURL"].as_str().unwrap().ends_with("OpenLineage.json#/$defs/RunEvent"));
    let id = event["run"]["runId"].as_str().unwrap();
    let parts: Vec<usize> = id.split('-').map(str::len).collect();
    assert_eq!(parts, [8, 4, 4, 4, 12]);
    assert_eq!((&event["job"]["namespace"], &event["job"]["name"]), (&"risk".into(), &"plain".into()));
    let facets = |value: &Value| value.as_object().unwrap().values().cloned().collect::<Vec<Value>>();
    let mut all = facets(&event["run"]["facets"]);
    all.extend(facets(&event["job"]["facets"]));
    for dataset in ["inputs", "outputs"].iter().flat_map(|side| event[side].as_array().unwrap()) {
        assert!(dataset["namespace"].is_string() && dataset["name"].as_str().unwrap().starts_with('/'));
        all.extend(facets(&dataset["facets"]));
    }
    for facet in all {
        assert!(
            facet["_producer"].is_string() && facet["_schemaURL"].as_str().unwrap().starts_with("https://")
        );
    }
}

#[test]
fn a_night_starts_and_completes_with_its_inputs_and_tables() {
    let book = Book::new();
    book.append("job.toml", "\n[lineage]\nfile = \"events\"\nnamespace = \"risk\"\n");
    book.publish();
    let events = events(&book);
    events.iter().for_each(check_form);
    let kinds: Vec<&Value> = events.iter().map(|event| &event["eventType"]).collect();
    assert_eq!(kinds, ["START", "COMPLETE"]);
    assert_eq!(events[0]["run"]["runId"], events[1]["run"]["runId"]);
    let inputs = events[1]["inputs"].as_array().unwrap();
    let manifest = fs::read(book.path().join(format!("out/date={TODAY}/manifest.json"))).unwrap();
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    for (number, name) in ["transactions", "repayments", "lines"].iter().enumerate() {
        let named = inputs[number]["name"].as_str().unwrap();
        assert!(named.ends_with(&format!("/in/{name}/date={{date}}/*.parquet")), "{named}");
        let of_input = manifest["inputs"].as_array().unwrap().iter().filter(|entry| entry["input"] == *name);
        let rows: u64 = of_input.map(|entry| entry["rows"].as_u64().unwrap()).sum();
        assert_eq!(inputs[number]["inputFacets"]["inputStatistics"]["rowCount"], rows);
        assert_eq!(inputs[number]["facets"]["schema"]["fields"][0]["type"], "Int64");
    }
    let outputs = events[1]["outputs"].as_array().unwrap();
    let scores = outputs.iter().find(|output| output["name"].as_str().unwrap().ends_with("/scores.parquet"));
    let scores = scores.unwrap();
    assert!(scores["name"].as_str().unwrap().ends_with("/out/date={date}/scores.parquet"));
    assert_eq!(scores["outputFacets"]["outputStatistics"]["rowCount"], 3);
    assert_eq!(scores["facets"]["schema"]["fields"][1]["name"], "score");
}

#[test]
fn a_night_that_is_held_or_fails_has_an_event_that_says_why() {
    let book = Book::new();
    book.append("job.toml", &format!("\n[lineage]\nfile = \"events\"\nnamespace = \"risk\"\n{NEVER}"));
    assert_eq!(book.run().0, 4);
    fs::remove_file(book.path().join(delivered("transactions", TODAY))).unwrap();
    assert_eq!(book.run().0, 3);
    let events = events(&book);
    events.iter().for_each(check_form);
    let kinds: Vec<&Value> = events.iter().map(|event| &event["eventType"]).collect();
    assert_eq!(kinds, ["START", "FAIL", "START", "FAIL"]);
    let message =
        |event: &Value| event["run"]["facets"]["errorMessage"]["message"].as_str().unwrap().to_string();
    assert_eq!(message(&events[1]), "held by `never`");
    assert!(message(&events[3]).starts_with("find transactions of 2026-11-20"));
    assert!(events.iter().all(|event| event["outputs"] == serde_json::json!([])));
}

/// An endpoint that answers with a status, or never; what it was sent comes through the channel.
fn endpoint(status: Option<&'static str>) -> (String, std::sync::mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/api/v1/lineage", listener.local_addr().unwrap());
    let (sender, receiver) = std::sync::mpsc::channel();
    thread::spawn(move || {
        let mut open = Vec::new();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let Some(status) = status else {
                open.push(stream);
                continue;
            };
            let (mut text, mut buffer) = (String::new(), [0; 4096]);
            let is_whole = |text: &str| {
                let (head, body) = text.split_once("\r\n\r\n")?;
                let head = head.to_lowercase();
                let (_, length) = head.split_once("content-length: ")?;
                let length: usize = length.lines().next()?.parse().ok()?;
                (body.len() >= length).then_some(())
            };
            while is_whole(&text).is_none() {
                let read = stream.read(&mut buffer).unwrap();
                text.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
            }
            let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            stream.write_all(answer.as_bytes()).unwrap();
            let _ = sender.send(text);
        }
    });
    (url, receiver)
}

fn posting(url: &str) -> Book {
    let book = Book::new();
    book.append(
        "job.toml",
        &format!("\n[lineage]\nurl = \"{url}\"\nnamespace = \"risk\"\ntimeout_seconds = 1\n"),
    );
    book
}

#[test]
fn events_are_posted_to_an_endpoint() {
    let (url, sent) = endpoint(Some("201 Created"));
    let (code, _, stderr) = posting(&url).run();
    assert_eq!((code, stderr.as_str()), (0, ""));
    let kinds = ["START", "COMPLETE"];
    for kind in kinds {
        let request = sent.recv_timeout(Duration::from_secs(20)).unwrap();
        let (head, body) = request.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("POST /api/v1/lineage HTTP/1.1\r\n"), "{head}");
        assert!(head.to_lowercase().contains("content-type: application/json"), "{head}");
        let event: Value = serde_json::from_str(body).unwrap();
        check_form(&event);
        assert_eq!(event["eventType"], kind);
    }
}

#[test]
fn an_endpoint_that_is_dead_slow_or_unwilling_is_one_warning() {
    let dead = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}/", listener.local_addr().unwrap())
    };
    let (slow, _kept) = endpoint(None);
    let (unwilling, _sent) = endpoint(Some("503 Service Unavailable"));
    for (url, said) in [
        (dead, "warning: no events of lineage are sent: "),
        (slow, "warning: no events of lineage are sent: it has not answered within 1 seconds"),
        (unwilling, "warning: no events of lineage are sent: it answers 503 Service Unavailable"),
        ("http://no-such-host.invalid/x".to_string(), "warning: no events of lineage are sent: "),
    ] {
        let book = posting(&url);
        let started = Instant::now();
        let (code, _, stderr) = book.run();
        assert!(started.elapsed() < Duration::from_secs(30), "{url}");
        let told = as_text(&stderr);
        assert!(code == 0 && told.starts_with(said) && told.lines().count() == 1, "{url}: {code} {told}");
        assert!(!told.contains(&url), "an address may hold a secret: {told}");
    }
}

#[test]
fn a_file_of_events_that_cannot_be_written_is_one_warning() {
    let book = Book::new();
    book.append("job.toml", "\n[lineage]\nfile = \"nowhere/events\"\n");
    let (code, _, stderr) = book.run();
    let told = as_text(&stderr);
    assert!(code == 0 && told.lines().count() == 1 && told.contains("nowhere/events"), "{told}");
}
