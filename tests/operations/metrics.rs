//! The file of metrics: every figure recounted from the manifest, the last success kept, and nothing failing for it.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use super::NEVER;
use crate::support::as_text;
use crate::support::book::{Book, TODAY, delivered};

const METRICS: &str = "\n[metrics]\nfile = \"rescore.prom\"\n";

/// Figures by name and labels. Fails where the text is not what Prometheus reads.
fn figures(book: &Book) -> BTreeMap<String, String> {
    let text = fs::read_to_string(book.path().join("rescore.prom")).unwrap();
    let mut known: Vec<&str> = Vec::new();
    let mut found = BTreeMap::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert_eq!(kind, "gauge");
            assert!(!known.contains(&name), "{name} comes twice");
            known.push(name);
        } else if !line.starts_with('#') {
            let (figure, value) = line.rsplit_once(' ').unwrap();
            let name = figure.split('{').next().unwrap();
            assert_eq!(known.last(), Some(&name), "{line}");
            assert!(value.parse::<f64>().is_ok() && figure.contains("{job=\"plain\""), "{line}");
            assert!(found.insert(figure.to_string(), value.to_string()).is_none(), "{line}");
        }
    }
    assert!(text.ends_with('\n') && known.iter().all(|name| name.starts_with("rescore_")));
    found
}

fn of_job(name: &str) -> String {
    format!("rescore_{name}{{job=\"plain\"}}")
}

#[test]
fn every_figure_is_that_of_the_manifest() {
    let book = Book::new();
    book.append("job.toml", METRICS);
    book.append(
        "job.toml",
        "\n[[gate]]\nname = \"few \\\"bad\\\" rows\"\nrejected = \"lines\"\nmax_bp = 5000\n",
    );
    book.publish();
    let found = figures(&book);
    let manifest = fs::read(book.path().join(format!("out/date={TODAY}/manifest.json"))).unwrap();
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    for (input, counts) in manifest["counts"].as_object().unwrap() {
        for (name, key) in [("read", "read"), ("accepted", "accepted")] {
            let figure = format!("rescore_rows_{name}{{job=\"plain\",input=\"{input}\"}}");
            assert_eq!(found[&figure], counts[key].to_string(), "{figure}");
        }
        for (reason, rows) in counts["rejected"].as_object().unwrap() {
            let figure =
                format!("rescore_rows_rejected{{job=\"plain\",input=\"{input}\",reason=\"{reason}\"}}");
            assert_eq!(found[&figure], rows.to_string(), "{figure}");
        }
    }
    let mut actions = 0;
    for (product, by_action) in manifest["control_totals"]["actions"].as_object().unwrap() {
        for (action, totals) in by_action.as_object().unwrap() {
            let labels = format!("{{job=\"plain\",product=\"{product}\",action=\"{action}\"}}");
            assert_eq!(found[&format!("rescore_action_lines{labels}")], totals["lines"].to_string());
            for (name, key) in [("before", "old_limit"), ("after", "new_limit")] {
                let figure = format!("rescore_action_limit_{name}_minor_units{labels}");
                assert_eq!(found[&figure], totals[key].to_string(), "{figure}");
            }
            actions += 1;
        }
    }
    assert!(actions > 2);
    let gate = "{job=\"plain\",gate=\"few \\\"bad\\\" rows\"";
    assert_eq!(found[&format!("rescore_gate_holds{gate}}}")], "1");
    assert_eq!(found[&format!("rescore_gate_value{gate}}}")], "0.0000");
    assert_eq!(found[&format!("rescore_gate_bound{gate},bound=\"max_bp\"}}")], "5000");
    assert_eq!((&*found[&of_job("last_run_exit_code")], &*found[&of_job("held")]), ("0", "0"));
    let day = crate::support::day(TODAY);
    assert_eq!(
        found[&of_job("last_success_as_of_timestamp_seconds")],
        (i64::from(day.0) * 86_400).to_string()
    );
    assert!(found[&of_job("peak_memory_bytes")].parse::<u64>().unwrap() > 1 << 20);
    assert!(found[&of_job("bytes_read")].parse::<u64>().unwrap() > 1 << 10);
    assert!(found.keys().any(|figure| figure.starts_with("rescore_stage_duration_seconds{")));
    let info = found.keys().find(|figure| figure.starts_with("rescore_last_run_info")).unwrap();
    assert!(
        info.contains(&format!("run=\"{}\"", &manifest["fingerprint"].as_str().unwrap()[..12])),
        "{info}"
    );
    let mode = fs::metadata(book.path().join("rescore.prom")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o644, "another user's exporter reads it");
}

#[test]
fn the_last_success_outlives_nights_that_fail_and_are_held() {
    let book = Book::new();
    book.append("job.toml", METRICS);
    book.publish();
    let success = of_job("last_success_timestamp_seconds");
    let first = figures(&book)[&success].clone();

    fs::remove_file(book.path().join(delivered("transactions", TODAY))).unwrap();
    assert_eq!(book.outcome(&["run", "job.toml", "--date", TODAY, "--replace"]).0, 3);
    let failed = figures(&book);
    assert_eq!((&failed[&success], &*failed[&of_job("last_run_exit_code")]), (&first, "3"));
    assert!(!failed.keys().any(|figure| figure.starts_with("rescore_rows_read")));

    let other = Book::new();
    other.append("job.toml", &format!("{METRICS}{NEVER}"));
    fs::copy(book.path().join("rescore.prom"), other.path().join("rescore.prom")).unwrap();
    assert_eq!(other.run().0, 4);
    let held = figures(&other);
    assert_eq!((&held[&success], &*held[&of_job("last_run_exit_code")]), (&first, "4"));
    assert_eq!(
        (&*held[&of_job("held")], &*held["rescore_gate_holds{job=\"plain\",gate=\"never\"}"]),
        ("1", "0")
    );
}

#[test]
fn a_mistake_in_the_job_file_is_a_night_that_failed() {
    let book = Book::new();
    book.append("job.toml", METRICS);
    book.edit("job.toml", "minor_units = 2", "minor_unitz = 2");
    assert_eq!(book.run().0, 2);
    assert_eq!(figures(&book)[&of_job("last_run_exit_code")], "2");
    assert!(!figures(&book).contains_key(&of_job("last_success_timestamp_seconds")));
}

#[test]
fn a_file_that_cannot_be_written_or_is_not_ours_fails_nothing() {
    for (file, told) in [
        ("nowhere/rescore.prom", "warning: metrics are not written: create nowhere/"),
        ("mine.prom", "warning: metrics are not written: mine.prom is there, but is no file of this program"),
    ] {
        let book = Book::new();
        book.put("mine.prom", "mine 1\n");
        book.append("job.toml", &format!("\n[metrics]\nfile = \"{file}\"\n"));
        let (code, _, stderr) = book.run();
        assert!(code == 0 && as_text(&stderr).starts_with(told), "{code} {stderr}");
        assert_eq!(fs::read_to_string(book.path().join("mine.prom")).unwrap(), "mine 1\n");
        assert!(!book.path().join("nowhere").exists());
    }
}

#[test]
fn a_simulation_is_no_night() {
    let book = Book::new();
    book.append("job.toml", METRICS);
    let args = ["run", "job.toml", "--from", TODAY, "--to", TODAY, "--chain", "--out", "simulated"];
    assert_eq!(book.outcome(&args).0, 0);
    assert!(!book.path().join("rescore.prom").exists());
}

#[test]
fn no_figure_depends_on_being_measured() {
    let (plain, measured) = (Book::new(), Book::new());
    measured.append("job.toml", METRICS);
    [&plain, &measured].into_iter().for_each(Book::publish);
    for table in ["scores", "features", "decisions", "adjustments", "rejects"] {
        assert_eq!(plain.output(table), measured.output(table));
    }
}
