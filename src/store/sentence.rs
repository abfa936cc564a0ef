//! Why a store did not do what it was asked, in one plain sentence.

use std::error::Error as Cause;
use std::io::{Error, ErrorKind};

use object_store::Error as StoreError;
use object_store::client::{HttpError, HttpErrorKind};

/// What a store says of a bucket that is not there.
const NO_BUCKET: [&str; 3] = ["NoSuchBucket", "ContainerNotFound", "The specified bucket does not exist"];

/// The sentence for an error.
pub(super) fn of(bucket: &str, error: &StoreError) -> Error {
    let whole = chain(error);
    if NO_BUCKET.iter().any(|said| whole.contains(said)) {
        return Error::other(format!("there is no bucket {bucket}"));
    }
    let is_denied = matches!(error, StoreError::PermissionDenied { .. } | StoreError::Unauthenticated { .. })
        || status(&whole).is_some_and(|status| status.starts_with("401") || status.starts_with("403"));
    let (kind, message) = match error {
        _ if is_denied => (ErrorKind::PermissionDenied, denied(bucket, &whole)),
        StoreError::NotFound { .. } => (ErrorKind::NotFound, "there is no such object".to_string()),
        StoreError::AlreadyExists { .. } => (ErrorKind::AlreadyExists, "it is there already".to_string()),
        StoreError::Precondition { .. } | StoreError::NotModified { .. } => {
            (ErrorKind::StaleNetworkFileHandle, "it was replaced meanwhile".to_string())
        }
        _ => (ErrorKind::Other, other(bucket, error, &whole)),
    };
    Error::new(kind, message)
}

fn denied(bucket: &str, whole: &str) -> String {
    format!(
        "access to bucket {bucket} is denied{}; check the credentials in the environment, or the rights of the \
         instance's role",
        code(whole)
    )
}

/// Whether asking again would not help: the bucket is not there, cannot be reached, or nobody says who asks.
pub(super) fn is_final(error: &StoreError) -> bool {
    let whole = chain(error);
    is_unreachable(error)
        || lacks_credentials(&whole)
        || lacks_region(&whole)
        || NO_BUCKET.iter().any(|said| whole.contains(said))
}

/// Whether an answer was lost or cut on the way.
pub(super) fn is_cut(error: &StoreError) -> bool {
    use HttpErrorKind::{Decode, Interrupted, Unknown};
    transport(error).is_some_and(|kind| matches!(kind, Decode | Interrupted | Unknown))
}

fn transport(error: &StoreError) -> Option<HttpErrorKind> {
    causes(error).find_map(|cause| Some(cause.downcast_ref::<HttpError>()?.kind()))
}

fn other(bucket: &str, error: &StoreError, whole: &str) -> String {
    if lacks_credentials(whole) {
        return "there are no credentials; set them in the environment (AWS_ACCESS_KEY_ID and \
                AWS_SECRET_ACCESS_KEY, GOOGLE_SERVICE_ACCOUNT, AZURE_STORAGE_ACCOUNT_NAME and \
                AZURE_STORAGE_ACCOUNT_KEY), or run where the instance has a role"
            .to_string();
    }
    if lacks_region(whole) {
        return format!("bucket {bucket} lies in another region; name it in AWS_REGION");
    }
    let root = root_cause(error);
    if is_unreachable(error) {
        return format!(
            "the store of bucket {bucket} cannot be reached ({root}); check its endpoint and the network"
        );
    }
    match status(whole) {
        Some(status) => format!("the store answers {status}{}", code(whole)),
        None => root,
    }
}

/// The number and the name of an answer's status.
fn status(whole: &str) -> Option<&str> {
    let (_, tail) = whole.split_once("status code: ")?;
    tail.split([':', '\n']).next().map(str::trim)
}

fn lacks_credentials(whole: &str) -> bool {
    [
        "instance metadata",
        "Token request",
        "metadata.google",
        "AccessKeyId",
        "SecretAccessKey",
        "Account must be",
    ]
    .iter()
    .any(|said| whole.contains(said))
        && !whole.contains("<Code>")
}

fn lacks_region(whole: &str) -> bool {
    whole.contains("redirect without LOCATION") || whole.contains("PermanentRedirect")
}

fn is_unreachable(error: &StoreError) -> bool {
    transport(error).is_some_and(|kind| matches!(kind, HttpErrorKind::Connect | HttpErrorKind::Timeout))
}

/// The code that a store's answer gives, in parentheses.
fn code(whole: &str) -> String {
    let code = whole.split_once("<Code>").and_then(|(_, tail)| Some(tail.split_once("</Code>")?.0));
    code.map_or(String::new(), |code| format!(" ({code})"))
}

fn causes<'e>(error: &'e StoreError) -> impl Iterator<Item = &'e (dyn Cause + 'static)> {
    let outermost: &'e (dyn Cause + 'static) = error;
    std::iter::successors(Some(outermost), |cause| (*cause).source())
}

/// All that an error says, from the outside in.
fn chain(error: &StoreError) -> String {
    causes(error).map(|cause| cause.to_string()).collect::<Vec<_>>().join(": ")
}

/// What lies under an error, on one line.
fn root_cause(error: &StoreError) -> String {
    let root = causes(error).last().map(|cause| cause.to_string()).unwrap_or_default();
    root.split_whitespace().collect::<Vec<_>>().join(" ")
}
