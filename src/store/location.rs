//! A URL taken apart: the provider, the bucket, the key; near misses are named.

use std::io::{Error, ErrorKind, Result};
use std::path::Path;

/// Who keeps a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Provider {
    /// Amazon S3, and what speaks as it does.
    Amazon,
    /// Azure's blob storage, whose buckets are called containers.
    Azure,
    /// Google's.
    Google,
}

impl Provider {
    fn of_scheme(scheme: &str) -> Option<Provider> {
        match scheme {
            "s3" => Some(Provider::Amazon),
            "az" => Some(Provider::Azure),
            "gs" => Some(Provider::Google),
            _ => None,
        }
    }
}

/// Where an object lies, or would.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Location {
    /// Who keeps the bucket.
    pub provider: Provider,
    /// The bucket's name.
    pub bucket: String,
    /// Without a slash at either end; empty for the bucket itself.
    pub key: String,
}

/// Whether a location is meant as a URL, rightly written or not; if not, it is a plain path.
pub fn is_url(path: &Path) -> bool {
    let Some((scheme, rest)) = path.to_str().and_then(|text| text.split_once(':')) else { return false };
    let is_scheme = !scheme.is_empty()
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
    Provider::of_scheme(scheme).is_some() || (is_scheme && rest.starts_with("//"))
}

/// Whether a URL is one that can be asked for; the error says how it is written.
pub fn check(path: &Path) -> Result<()> {
    Location::parse(path).map(drop)
}

impl Location {
    /// Takes a URL apart.
    pub fn parse(path: &Path) -> Result<Location> {
        let text = path.to_str().ok_or_else(|| mistake("it is not UTF-8"))?;
        let (scheme, rest) = text.split_once(':').unwrap_or((text, ""));
        let Some(provider) = Provider::of_scheme(scheme) else { return Err(unknown_scheme(scheme)) };
        let written = format!("a URL is written {scheme}://bucket/key");
        let Some(rest) = rest.strip_prefix("//") else { return Err(mistake(written)) };
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.is_empty() {
            return Err(mistake(format!("it names no bucket; {written}")));
        }
        let key = key.strip_suffix('/').unwrap_or(key);
        for step in key.split('/').filter(|_| !key.is_empty()) {
            if matches!(step, "" | "." | "..") {
                return Err(mistake(format!(
                    "its key has a step \"{step}\", which no object can be found by"
                )));
            }
        }
        Ok(Location { provider, bucket: bucket.to_string(), key: key.to_string() })
    }
}

fn unknown_scheme(scheme: &str) -> Error {
    let instead = match scheme {
        "s3a" | "s3n" => "write s3:// instead",
        "gcs" => "write gs:// instead",
        "abfs" | "abfss" | "adl" | "azure" | "wasb" | "wasbs" => {
            "write az://container/key, and the account in AZURE_STORAGE_ACCOUNT_NAME"
        }
        "file" => "write a plain path instead",
        _ => "known here: s3://, gs://, az:// and plain paths",
    };
    mistake(format!("there is no store {scheme}://; {instead}"))
}

fn mistake(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidInput, message.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_told_from_paths() {
        for url in
            ["s3://bucket", "gs://b/k", "az://c/k", "s3:/bucket/key", "s3:bucket", "s4://b", "https://x/y"]
        {
            assert!(is_url(Path::new(url)), "{url}");
        }
        for path in ["", "out", "/data/s3/x", "./s3:/x", "a:b", "date=2026-11-20", "C:/data", "a b://c"] {
            assert!(!is_url(Path::new(path)), "{path}");
        }
    }

    #[test]
    fn a_url_has_a_provider_a_bucket_and_a_key() {
        let parse = |text: &str| Location::parse(Path::new(text)).unwrap();
        let of = |provider, bucket: &str, key: &str| Location {
            provider,
            bucket: bucket.to_string(),
            key: key.to_string(),
        };
        assert_eq!(
            parse("s3://b/date=2026-11-20/x.parquet"),
            of(Provider::Amazon, "b", "date=2026-11-20/x.parquet")
        );
        assert_eq!(parse("gs://b"), of(Provider::Google, "b", ""));
        assert_eq!(parse("az://b/k/"), of(Provider::Azure, "b", "k"));
    }

    #[test]
    fn near_misses_say_how_it_is_written() {
        for (url, said) in [
            ("s3:/bucket/key", "a URL is written s3://bucket/key"),
            ("s3:bucket", "a URL is written s3://bucket/key"),
            ("s3://", "it names no bucket; a URL is written s3://bucket/key"),
            ("gs:///key", "it names no bucket; a URL is written gs://bucket/key"),
            ("s3a://b/k", "there is no store s3a://; write s3:// instead"),
            ("https://b/k", "there is no store https://; known here: s3://, gs://, az:// and plain paths"),
            ("s3://b/a//c", "its key has a step \"\", which no object can be found by"),
            ("s3://b/../c", "its key has a step \"..\", which no object can be found by"),
        ] {
            assert_eq!(check(Path::new(url)).unwrap_err().to_string(), said, "{url}");
        }
    }
}
