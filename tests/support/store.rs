//! An S3 server on loopback with a bucket: `tests/store/serve.py`, which says what faults it makes.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use super::files::files_in;
use super::project;

/// A server of a test's own; it ends with it.
pub struct Server {
    child: Child,
    /// Where everything works.
    pub endpoint: String,
    /// Where what is asked for goes wrong.
    pub faulty: String,
}

impl Server {
    /// Starts one, with a bucket called `bucket`.
    pub fn start() -> Server {
        let python = project().join("target/python-tests/bin/python");
        let mut command = Command::new(python);
        command.arg(project().join("tests/store/serve.py")).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("target/python-tests is made by tests/run");
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let said: serde_json::Value = serde_json::from_str(&line).unwrap();
        let address = |name: &str| said[name].as_str().unwrap().to_string();
        let server = Server { child, endpoint: address("endpoint"), faulty: address("faulty") };
        assert_eq!(ask(&server.endpoint, "PUT", "/bucket", b"").0, 200);
        server
    }

    /// The program, which finds its objects here.
    pub fn rescore(&self, args: &[&str]) -> (i32, String, String) {
        told(command(&self.endpoint, args).output().unwrap())
    }

    /// Likewise, with the faults that were asked for.
    pub fn rescore_with_faults(&self, args: &[&str]) -> (i32, String, String) {
        told(command(&self.faulty, args).output().unwrap())
    }

    /// Rules for faults, as JSON; the requests noted so far are forgotten.
    pub fn make_faults(&self, rules: &str) {
        assert_eq!(ask(&self.faulty, "POST", "/_faults", rules.as_bytes()).0, 200);
    }

    /// What has been asked for since rules were given: method and path.
    pub fn requests(&self) -> Vec<(String, String)> {
        let (_, body) = ask(&self.faulty, "GET", "/_requests", b"");
        let noted: Vec<serde_json::Value> = serde_json::from_slice(&body).unwrap();
        let text =
            |request: &serde_json::Value, name: &str| request[name].as_str().unwrap_or_default().to_string();
        noted.iter().map(|request| (text(request, "method"), text(request, "path"))).collect()
    }

    /// Puts an object.
    pub fn put(&self, key: &str, bytes: &[u8]) {
        assert_eq!(ask(&self.endpoint, "PUT", &format!("/bucket/{key}"), bytes).0, 200, "{key}");
    }

    /// Puts all files of a directory below a prefix.
    pub fn put_all(&self, directory: &Path, prefix: &str) {
        for (name, bytes) in files_in(directory) {
            self.put(&format!("{prefix}/{name}"), &bytes);
        }
    }

    /// An object; `None` where there is none.
    pub fn get(&self, key: &str) -> Option<Vec<u8>> {
        let (status, bytes) = ask(&self.endpoint, "GET", &format!("/bucket/{key}"), b"");
        (status == 200).then_some(bytes)
    }

    /// Removes an object.
    pub fn remove(&self, key: &str) {
        assert_eq!(ask(&self.endpoint, "DELETE", &format!("/bucket/{key}"), b"").0, 204, "{key}");
    }

    /// The keys below a prefix, without it.
    pub fn keys(&self, prefix: &str) -> Vec<String> {
        let (_, body) = ask(&self.endpoint, "GET", &format!("/bucket?list-type=2&prefix={prefix}/"), b"");
        let body = String::from_utf8(body).unwrap();
        let keys = body.split("<Key>").skip(1).map(|rest| rest.split("</Key>").next().unwrap());
        keys.map(|key| key[prefix.len() + 1..].to_string()).collect()
    }

    /// The files of the run below a prefix, by the names that they would have on disk, and its manifest; `None` where
    /// there is no run. All that the manifest names must be there.
    pub fn run(&self, prefix: &str) -> Option<(BTreeMap<String, Vec<u8>>, serde_json::Value)> {
        let manifest: serde_json::Value =
            serde_json::from_slice(&self.get(&format!("{prefix}/manifest.json"))?).unwrap();
        let names =
            manifest["outputs"].as_array().unwrap().iter().map(|output| output["file"].as_str().unwrap());
        let files = names.map(|name| {
            let bytes = self.get(&format!("{prefix}/{name}"));
            let (_, rest) = name.split_once('/').unwrap();
            (rest.to_string(), bytes.unwrap_or_else(|| panic!("{prefix}/{name} is missing")))
        });
        Some((files.collect(), manifest))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// The program, which finds its objects at an endpoint.
pub fn command(endpoint: &str, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rescore"));
    command.args(args).env("AWS_ENDPOINT_URL", endpoint);
    for (name, value) in [
        ("AWS_ALLOW_HTTP", "true"),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
    ] {
        command.env(name, value);
    }
    command
}

/// What a program has come to: its exit code, stdout, stderr.
pub fn told(output: Output) -> (i32, String, String) {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr))
}

/// One request and its answer: the status and the body.
fn ask(endpoint: &str, method: &str, path: &str, body: &[u8]) -> (u16, Vec<u8>) {
    let authority = endpoint.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(authority).unwrap();
    let authorization = "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0";
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: {authority}\r\nAuthorization: {authorization}\r\n\
         Content-Type: application/octet-stream\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    )
    .unwrap();
    stream.write_all(body).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").expect("an answer has a head") + 4;
    let status = String::from_utf8_lossy(&answer[9..12]).parse().unwrap();
    (status, answer.split_off(end))
}
