//! What goes wrong on the way to a store and in it: tried again, or failed by name; never half a run.

use std::process::Stdio;
use std::time::{Duration, Instant};

use super::{NIGHT, RUN, assert_is_run_on_disk, stored_book};
use crate::support::store::{Server, command};

#[test]
fn a_store_that_is_out_of_breath_is_asked_again() {
    let server = Server::start();
    let book = stored_book(&server);
    book.publish();
    for rules in [
        r#"[{"fault": "status", "status": 503, "skip": 3, "times": 2}, {"method": "PUT", "fault": "status", "status": 503, "skip": 1, "times": 2}]"#,
        r#"[{"method": "GET", "key": "parquet", "fault": "cut", "times": 3}, {"key": "list-type", "fault": "cut", "skip": 1}]"#,
        r#"[{"method": "PUT", "key": "scores", "fault": "lose", "times": 2}, {"method": "GET", "fault": "refuse", "skip": 2, "times": 2}]"#,
    ] {
        server.make_faults(rules);
        let (code, _, err) = server.rescore_with_faults(&[&NIGHT[..], &["--replace"]].concat());
        assert_eq!(code, 0, "{rules}: {err}");
        assert_is_run_on_disk(&server, &book);
    }
}

#[test]
fn a_manifest_whose_answer_was_lost_is_there_all_the_same() {
    let server = Server::start();
    let book = stored_book(&server);
    book.publish();
    for arguments in [&NIGHT[..], &[&NIGHT[..], &["--replace"]].concat()] {
        server.make_faults(r#"[{"method": "PUT", "key": "manifest.json", "fault": "lose"}]"#);
        let (code, _, err) = server.rescore_with_faults(arguments);
        assert_eq!(code, 0, "{err}");
        assert_is_run_on_disk(&server, &book);
    }
}

#[test]
fn an_object_that_is_replaced_while_it_is_read_fails_the_night() {
    let server = Server::start();
    stored_book(&server);
    for skip in [0, 1, 2] {
        let rule = format!(
            r#"[{{"method": "GET", "key": "in/transactions/date.*2026-11-20", "fault": "replace", "skip": {skip}}}]"#
        );
        stored_again(&server);
        server.make_faults(&rule);
        let (code, _, err) = server.rescore_with_faults(&NIGHT);
        assert_eq!(code, 3, "{skip}: {err}");
        assert!(err.contains("transactions of 2026-11-20"), "{err}");
        assert!(err.contains("replaced meanwhile") || err.contains("changed while it was read"), "{err}");
        assert!(server.keys("book/out").is_empty(), "{:?}", server.keys("book/out"));
    }
}

fn stored_again(server: &Server) {
    drop(stored_book(server));
}

/// How many requests of a method a night makes.
fn puts(server: &Server) -> usize {
    server.requests().iter().filter(|(method, _)| method == "PUT").count()
}

#[test]
fn a_run_that_dies_at_any_put_is_whole_or_none() {
    let server = Server::start();
    let book = stored_book(&server);
    book.publish();
    server.make_faults("[]");
    assert_eq!(server.rescore_with_faults(&NIGHT).0, 0);
    let all = puts(&server);
    assert!(all > 8, "{all}");
    for fault in ["delay", "late"] {
        for skip in 0..all {
            for key in server.keys("book/out") {
                server.remove(&format!("book/out/{key}"));
            }
            server.make_faults(&format!(
                r#"[{{"method": "PUT", "fault": "{fault}", "skip": {skip}, "seconds": 1}}]"#
            ));
            let mut child =
                command(&server.faulty, &NIGHT).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            let started = Instant::now();
            let is_waiting = || server.keys("book/out").len() >= skip.min(all - 1);
            while !(is_waiting() && started.elapsed() > Duration::from_millis(300)) {
                if child.try_wait().unwrap().is_some() || started.elapsed() > Duration::from_secs(20) {
                    break;
                }
                std::thread::sleep(Duration::from_millis(20));
            }
            let _ = child.kill();
            child.wait().unwrap();
            // What had been sent arrives after all.
            std::thread::sleep(Duration::from_millis(if fault == "delay" { 1_100 } else { 50 }));
            if server.run(RUN).is_some() {
                assert_is_run_on_disk(&server, &book);
            } else {
                assert!(!server.keys(RUN).iter().any(|key| key == "_SUCCESS" || key == "manifest.json"));
            }
            let (code, _, err) = server.rescore(&NIGHT);
            assert_eq!(code, 0, "{fault} {skip}: {err}");
            assert_is_run_on_disk(&server, &book);
            assert_eq!(server.get(&format!("{RUN}/_SUCCESS")), Some(Vec::new()));
        }
    }
}
