//! This machine as a host: its store, key, engine and device, put together for `samebit-runner`.

use std::path::Path;
use std::time::{Duration, SystemTime};

use samebit_runner::Host;
use samebit_runner::engine::{Cache, DeviceSource, Engine, EngineError};
use samebit_runner::spec::SecretKey;
use samebit_runner::store::{OpenError, Store};

use crate::config::{Config, STORE_WAIT, caps};
use crate::error::Failure;
use crate::key::{self, KeyError};
use crate::output::Output;

/// The BLAKE3 context in which the key of the compiled-module cache is derived from the host's key.
const CACHE_KEY_CONTEXT: &str = "samebit 2026 compiled-module cache v1";

/// How long another process may hold the store before the user is told.
const QUIET_WAIT: Duration = Duration::from_secs(1);

/// A host with its key.
pub(crate) struct Machine {
    /// What the runner works with.
    pub(crate) host: Host,
    /// What receipts are signed with.
    pub(crate) key: SecretKey,
}

impl Machine {
    /// Opens the store, and makes it and a key on the first use.
    pub(crate) async fn open(
        config: &Config,
        device: DeviceSource,
        wall_time: Duration,
        output: &Output,
    ) -> Result<Self, Failure> {
        // Both take milliseconds, so they are done side by side once there is a key.
        let early = match key::load(&config.key()) {
            Ok(key) => Some((tokio::task::spawn_blocking(engine_with(config, &key)), key)),
            Err(KeyError::None(_)) => None,
            Err(error) => return Err(error.into()),
        };
        let store = open_store(config.store(), output).await?;
        let (engine, key) = match early {
            Some(early) => early,
            None => {
                // Under the store's lock; still another process may have made one before we had it.
                let key = create_or_load(config, output)?;
                (tokio::task::spawn_blocking(engine_with(config, &key)), key)
            }
        };
        let engine = engine.await.map_err(|error| Failure::panicked(&error))??;
        let host = Host {
            engine,
            store,
            device,
            caps: caps(),
            wall_time: Some(wall_time),
            clock: SystemTime::now,
            program: concat!("samebit ", env!("CARGO_PKG_VERSION")).to_owned(),
        };
        Ok(Self { host, key })
    }

    /// Frees the store for other processes.
    pub(crate) async fn close(self) -> Result<(), Failure> {
        self.host.store.close().await?;
        Ok(())
    }
}

/// Opens the store, and says so if another process keeps it.
pub(crate) async fn open_store(dir: &Path, output: &Output) -> Result<Store, Failure> {
    match Store::open(dir, QUIET_WAIT).await {
        Err(error @ OpenError::Busy { .. }) => {
            output.note(&format!("{error}; waiting up to {} s", STORE_WAIT.as_secs()));
            Ok(Store::open(dir, STORE_WAIT - QUIET_WAIT).await?)
        }
        result => Ok(result?),
    }
}

/// An engine without a store: good for looking at modules.
pub(crate) fn engine(config: &Config) -> Result<Engine, EngineError> {
    match key::load(&config.key()) {
        Ok(key) => engine_with(config, &key)(),
        Err(_) => Engine::new(None),
    }
}

fn engine_with(config: &Config, key: &SecretKey) -> impl FnOnce() -> Result<Engine, EngineError> + Send + 'static {
    let cache = Cache::new(config.compiled(), blake3::derive_key(CACHE_KEY_CONTEXT, &key.to_bytes()));
    move || Engine::new(Some(cache))
}

/// The host's key, made if there is none. For the holder of the store.
pub(crate) fn create_or_load(config: &Config, output: &Output) -> Result<SecretKey, Failure> {
    let path = config.key();
    match key::create(&path) {
        Ok(key) => {
            output.note(&format!("made this host's key {} in {}", key.public(), path.display()));
            Ok(key)
        }
        Err(KeyError::Exists(_)) => Ok(key::load(&path)?),
        Err(error) => Err(error.into()),
    }
}
