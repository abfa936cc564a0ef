//! The connection to a bucket, made once a process, and the runtime on which ordinary threads wait for answers.

use std::collections::BTreeMap;
use std::env;
use std::io::{Error, Result};
use std::path::Path;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use futures_util::StreamExt;
use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::path::Path as Key;
use object_store::{ObjectStore, RetryConfig};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

use super::location::{Location, Provider};
use super::sentence;

/// An object, or the place where one would be: the store that keeps it, and its key there.
pub(super) struct Place {
    /// The bucket.
    pub store: Arc<dyn ObjectStore>,
    /// Where in it.
    pub key: Key,
    /// The bucket's name, for messages.
    pub bucket: String,
}

type Stores = BTreeMap<(Provider, String), Arc<dyn ObjectStore>>;

/// The buckets that have answered.
static STORES: Mutex<Stores> = Mutex::new(BTreeMap::new());

/// How long is waited before what was cut is asked for again.
const PAUSES_MS: [u64; 4] = [100, 400, 1_600, 6_400];

/// Threads that move bytes; those that asked for them wait.
const THREADS: usize = 2;

static RUNTIME: LazyLock<std::result::Result<Runtime, String>> = LazyLock::new(|| {
    let built = Builder::new_multi_thread().worker_threads(THREADS).enable_all().build();
    built.map_err(|error| error.to_string())
});

/// Waits for an answer.
pub(super) fn wait<T>(answer: impl Future<Output = T>) -> Result<T> {
    match &*RUNTIME {
        Ok(runtime) => Ok(runtime.block_on(answer)),
        Err(error) => Err(Error::other(error.clone())),
    }
}

/// Begins to get an answer while its thread goes on.
pub(super) fn begin<T: Send + 'static>(
    answer: impl Future<Output = T> + Send + 'static,
) -> Result<JoinHandle<T>> {
    match &*RUNTIME {
        Ok(runtime) => Ok(runtime.spawn(answer)),
        Err(error) => Err(Error::other(error.clone())),
    }
}

impl Place {
    /// Where a URL leads. The first time that a bucket is asked for, it is asked whether it is there.
    pub fn of(path: &Path) -> Result<Place> {
        let Location { provider, bucket, key } = Location::parse(path)?;
        let key = Key::parse(&key).map_err(|error| Error::other(format!("its key is none: {error}")))?;
        let name = (provider, bucket.clone());
        // Held while it is asked: others who want it wait for the same answer.
        let mut stores = STORES.lock().unwrap_or_else(PoisonError::into_inner);
        let store = match stores.get(&name) {
            Some(store) => store.clone(),
            None => {
                let store = connect(provider, &bucket, &key)?;
                stores.insert(name, store.clone());
                store
            }
        };
        drop(stores);
        Ok(Place { store, key, bucket })
    }

    /// An answer, or why there is none.
    pub fn wait<T>(&self, answer: impl Future<Output = object_store::Result<T>>) -> Result<T> {
        wait(answer)?.map_err(|error| sentence::of(&self.bucket, &error))
    }

    /// Likewise of what may be asked twice: where an answer is lost or cut on the way, it is asked for again.
    pub fn wait_again<T, A>(&self, ask: impl Fn() -> A) -> Result<T>
    where
        A: Future<Output = object_store::Result<T>>,
    {
        for pause in PAUSES_MS.map(Duration::from_millis) {
            match wait(ask())? {
                Err(error) if sentence::is_cut(&error) => thread::sleep(pause),
                answer => return answer.map_err(|error| sentence::of(&self.bucket, &error)),
            }
        }
        self.wait(ask())
    }
}

/// Connects to a bucket. One that is not there, or cannot be reached, shows at once: later requests are
/// tried again for minutes, since a night need not end for a store that is out of breath.
fn connect(provider: Provider, bucket: &str, key: &Key) -> Result<Arc<dyn ObjectStore>> {
    // Which of its providers rustls takes is for the program to say. Said twice, it stays as it was.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let first =
        RetryConfig { max_retries: 3, retry_timeout: Duration::from_secs(20), ..RetryConfig::default() };
    let quick = build(provider, bucket, first)?;
    // Lists what lies below the key, which is nothing or costs no more than a page of names.
    let listed = wait(quick.list(Some(key)).next())?;
    if let Some(Err(error)) = listed
        && sentence::is_final(&error)
    {
        return Err(sentence::of(bucket, &error));
    }
    build(provider, bucket, RetryConfig::default())
}

fn build(provider: Provider, bucket: &str, retry: RetryConfig) -> Result<Arc<dyn ObjectStore>> {
    let built: object_store::Result<Arc<dyn ObjectStore>> = match provider {
        Provider::Amazon => {
            check_http("AWS_ENDPOINT_URL", "AWS_ALLOW_HTTP")?;
            let builder = AmazonS3Builder::from_env().with_bucket_name(bucket).with_retry(retry);
            builder.build().map(|store| Arc::new(store) as Arc<dyn ObjectStore>)
        }
        Provider::Azure => {
            let builder = MicrosoftAzureBuilder::from_env().with_container_name(bucket).with_retry(retry);
            builder.build().map(|store| Arc::new(store) as Arc<dyn ObjectStore>)
        }
        Provider::Google => {
            let builder = GoogleCloudStorageBuilder::from_env().with_bucket_name(bucket).with_retry(retry);
            builder.build().map(|store| Arc::new(store) as Arc<dyn ObjectStore>)
        }
    };
    built.map_err(|error| sentence::of(bucket, &error))
}

/// An endpoint that is spoken to without encryption must be allowed to be.
fn check_http(endpoint: &str, allow: &str) -> Result<()> {
    let is_plain = env::var(endpoint).is_ok_and(|url| url.starts_with("http://"));
    let is_allowed =
        env::var(allow).is_ok_and(|value| ["true", "1", "yes"].contains(&&*value.to_lowercase()));
    if is_plain && !is_allowed {
        let message = format!("{endpoint} is not encrypted; set {allow}=true if that is meant");
        return Err(Error::other(message));
    }
    Ok(())
}
