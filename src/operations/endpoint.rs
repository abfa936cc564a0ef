//! An HTTP endpoint that events are posted to, within a time.

use std::time::Duration;

/// Posts JSON; why it has not arrived, if so.
#[cfg(feature = "object-stores")]
pub(super) fn post(url: &str, body: String, timeout: Duration) -> Result<(), String> {
    // Which of its providers rustls takes is for the program to say. Said twice, it stays as it was.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    let sent = runtime.block_on(async { tokio::time::timeout(timeout, send(url, body)).await });
    // A look-up of a name that is still under way is not waited for.
    runtime.shutdown_background();
    sent.map_err(|_| format!("it has not answered within {} seconds", timeout.as_secs()))?
}

#[cfg(feature = "object-stores")]
async fn send(url: &str, body: String) -> Result<(), String> {
    // The address may hold what is not for logs.
    let plain = |error: reqwest::Error| {
        let error = error.without_url();
        let causes = std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source());
        causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
    };
    let client = reqwest::Client::builder().build().map_err(plain)?;
    let mut request = client.post(url).header("content-type", "application/json").body(body);
    if let Ok(key) = std::env::var("OPENLINEAGE_API_KEY") {
        request = request.bearer_auth(key);
    }
    let answer = request.send().await.map_err(plain)?;
    let status = answer.status();
    if status.is_success() { Ok(()) } else { Err(format!("it answers {status}")) }
}

/// A build without object stores has no HTTP either.
#[cfg(not(feature = "object-stores"))]
pub(super) fn post(_: &str, _: String, _: Duration) -> Result<(), String> {
    Err("this build has no HTTP: it was made without object stores".to_string())
}
