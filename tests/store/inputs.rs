//! Inputs, job files and state in a store.

use arrow_schema::DataType;

use super::{NIGHT, assert_is_run_on_disk, stored_book};
use crate::support::book::{Book, TODAY, YESTERDAY, delivered};
use crate::support::store::{Server, command, told};
use crate::support::{Cell, Table, day};

#[test]
fn a_night_in_a_store_has_the_bytes_of_one_on_disk() {
    let server = Server::start();
    let book = stored_book(&server);
    book.publish();
    let (code, _, err) = server.rescore(&NIGHT);
    assert_eq!(code, 0, "{err}");
    assert_is_run_on_disk(&server, &book);
}

#[test]
fn a_job_on_disk_reads_from_a_store_and_writes_to_disk() {
    let server = Server::start();
    let book = stored_book(&server);
    book.publish();
    let expected = super::run_on_disk(&book);
    for input in ["transactions", "repayments", "lines"] {
        book.edit("job.toml", &format!("\"in/{input}"), &format!("\"s3://bucket/book/in/{input}"));
    }
    let out = book.path().join("elsewhere");
    let out = out.to_str().unwrap();
    let job = book.path().join("job.toml");
    let (code, _, err) = server.rescore(&["run", job.to_str().unwrap(), "--date", TODAY, "--out", out]);
    assert_eq!(code, 0, "{err}");
    let name = "elsewhere/date=2026-11-20/decisions.parquet";
    assert!(std::fs::read(book.path().join(name)).unwrap() == expected.0["decisions.parquet"]);
}

#[test]
fn what_is_wrong_with_a_url_is_said_in_a_sentence() {
    let server = Server::start();
    let book = stored_book(&server);
    book.publish();
    for (from, to, code, said) in [
        ("\"in/lines", "\"s3:/bucket/book/in/lines", 2, "a URL is written s3://bucket/key"),
        ("\"in/lines", "\"s3://nowhere/in/lines", 3, "there is no bucket nowhere"),
        ("\"in/lines", "\"s3a://bucket/in/lines", 2, "there is no store s3a://; write s3:// instead"),
        ("dir = \"out\"", "dir = \"s3://\"", 2, "it names no bucket; a URL is written s3://bucket/key"),
        (
            "\"in/lines",
            "\"s3://bucket/none/lines",
            3,
            "matches s3://bucket/none/lines/date={date}/*.parquet; deliver one",
        ),
    ] {
        let text = std::fs::read_to_string(book.path().join("job.toml")).unwrap();
        book.edit("job.toml", from, to);
        let job = book.path().join("job.toml");
        let (found, _, err) = server.rescore(&["run", job.to_str().unwrap(), "--date", TODAY]);
        assert!(err.contains(said), "{to}: {err}");
        assert_eq!(found, code, "{to}: {err}");
        book.put("job.toml", &text);
    }
    for (endpoint, code, said) in [
        ("http://127.0.0.1:9", 2, "the store of bucket bucket cannot be reached"),
        (&*server.faulty, 2, "access to bucket bucket is denied"),
    ] {
        server.make_faults(r#"[{"fault": "status", "status": 403, "times": -1}]"#);
        let (found, _, err) = told(command(endpoint, &NIGHT).output().unwrap());
        assert!(err.contains(said), "{err}");
        assert_eq!(err.trim_end().lines().count(), 1, "{err}");
        assert_eq!(found, code, "{err}");
    }
}

#[test]
fn only_the_columns_that_are_wanted_are_fetched_once_a_file_is_known() {
    let server = Server::start();
    let book = stored_book(&server);
    book.append("job.toml", "\n[state]\ndir = \"state\"\n");
    server.put_all(book.path(), "book");
    // What was put a moment ago is not remembered.
    std::thread::sleep(std::time::Duration::from_millis(3_500));
    assert_eq!(server.rescore(&NIGHT).0, 0);
    let kept = server.keys("book/state");
    assert!(kept.iter().any(|key| key == "input-hashes"), "{kept:?}");
    assert!(kept.iter().any(|key| key.ends_with("date=2026-11-20.sorted")), "{kept:?}");
    server.make_faults("[]");
    let again: Vec<&str> = NIGHT.into_iter().chain(["--replace"]).collect();
    let (code, _, err) = server.rescore_with_faults(&again);
    assert_eq!(code, 0, "{err}");
    let fetched = server.requests().into_iter().filter(|(method, path)| {
        method == "GET" && path.contains("/in/transactions/") && path.contains(".parquet")
    });
    // Two deliveries: their footers, and nothing else of them.
    assert_eq!(fetched.count(), 2, "{:?}", server.requests());
}

#[test]
fn nights_with_state_and_issued_in_a_store_are_those_on_disk() {
    let server = Server::start();
    let book = Book::new();
    book.append("job.toml", "\n[state]\ndir = \"state\"\n");
    book.edit("job.toml", "\n[output]", "issued = \"out/date={date}/adjustments.parquet\"\n\n[output]");
    let lines = Table::read(&book.path().join(delivered("lines", TODAY)));
    book.deliver("lines", YESTERDAY, &lines);
    server.put_all(book.path(), "book");
    let nights = ["--from", "2026-11-19", "--to", "2026-11-20"];
    let job = book.path().join("job.toml");
    let on_disk = [&["run", job.to_str().unwrap()], &nights[..]].concat();
    let stored = [&["run", "s3://bucket/book/job.toml"], &nights[..]].concat();
    let (disk, in_store) = (server.rescore(&on_disk), server.rescore(&stored));
    assert_eq!((disk.0, in_store.0), (0, 0), "{} {}", disk.2, in_store.2);
    assert_is_run_on_disk(&server, &book);
    // Once more with everything at hand: the state is found whole.
    let again = [&stored[..], &["--replace"]].concat();
    assert_eq!(server.rescore(&again).0, 0);
    assert_is_run_on_disk(&server, &book);
}

#[test]
fn features_and_pages_are_put_whole_and_never_within_a_run() {
    let server = Server::start();
    let book = stored_book(&server);
    let spine = Table::new(&[("account_id", DataType::Int64), ("as_of", DataType::Date32)])
        .row([Cell::Int(1), Cell::Date(day(TODAY))])
        .row([Cell::Int(3), Cell::Date(day(TODAY))]);
    spine.write(&book.path().join("spine.parquet"));
    server.put_all(book.path(), "book");
    book.publish();
    book.outcome(&["features", "job.toml", "--spine", "spine.parquet", "--out", "features.parquet"]);
    let expected = std::fs::read(book.path().join("features.parquet")).unwrap();
    let ask = |out| {
        let (job, spine) = ("s3://bucket/book/job.toml", "s3://bucket/book/spine.parquet");
        server.rescore(&["features", job, "--spine", spine, "--out", out])
    };
    let (code, _, err) = ask("s3://bucket/asked/features.parquet");
    assert_eq!(code, 0, "{err}");
    assert!(server.get("asked/features.parquet").unwrap() == expected);
    assert_eq!(server.rescore(&NIGHT).0, 0);
    let (code, _, err) = ask("s3://bucket/book/out/date=2026-11-20/more.parquet");
    assert_eq!(code, 6, "{err}");
    let (stored, on_disk) = ("s3://bucket/book/out/date=2026-11-20", book.path().join("out/date=2026-11-20"));
    let page = ["diff", on_disk.to_str().unwrap(), stored, "--html", "s3://bucket/pages/diff.html"];
    let (code, out, err) = server.rescore(&page);
    assert!(code == 0 && out.contains("no difference"), "{out}{err}");
    assert!(server.get("pages/diff.html").unwrap().starts_with(b"<!"));
}
