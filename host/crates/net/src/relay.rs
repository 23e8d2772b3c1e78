//! A relay: a server that carries packets between hosts that cannot reach one another.
//!
//! What it carries is encrypted between the hosts, so it can neither read nor change anything; it sees who speaks to whom,
//! and how much. Each client proves its key before it may send. How many there are is bounded here, and how much each
//! sends if that is asked for; how fast connections come in is not, and is for the machine's firewall to bound. The
//! server is iroh's own.

mod gate;

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use iroh_relay::server::{
    CertConfig, ClientRateLimit, DEFAULT_CERT_RELOAD_INTERVAL, QuicConfig, RelayConfig, Server, ServerConfig,
    TlsConfig, reloading_resolver,
};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use thiserror::Error;
use tokio::time::timeout;

pub use gate::Admitted;
use gate::Gate;

/// Keys that the server remembers to have seen as valid, which saves it checking them again.
const KEYS_REMEMBERED: usize = 4096;
/// How long connections may take to end.
const END_TIME: Duration = Duration::from_secs(5);

/// How to run a relay.
#[derive(Debug, Clone)]
pub struct RelaySettings {
    /// Where to listen, over TCP.
    pub listen: SocketAddr,
    /// With TLS; without, clients must be able to trust the way here with the knowledge of who speaks to whom.
    pub tls: Option<RelayTls>,
    /// Whose packets are carried.
    pub admitted: Admitted,
    /// How many clients there may be at once.
    pub clients_max: usize,
    /// How much each client may send, in bytes a second.
    pub client_bytes_per_s: Option<NonZeroU32>,
}

/// What a relay proves its name with.
#[derive(Debug, Clone)]
pub struct RelayTls {
    /// The chain of certificates, in PEM. Read anew every day.
    pub cert: PathBuf,
    /// The private key, in PEM. Read anew every day.
    pub key: PathBuf,
    /// Where to listen over QUIC, to tell clients at which address the world sees them. They ask at port 7842.
    pub discovery: SocketAddr,
}

/// Why a relay cannot be run.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RelayError {
    /// The certificate or its key cannot be used.
    #[error("the certificate {} and its key {} cannot be used: {reason}; both are PEM files", cert.display(), key.display())]
    Certificate {
        /// The file of the certificate.
        cert: PathBuf,
        /// The file of the key.
        key: PathBuf,
        /// Why not.
        reason: String,
    },
    /// An address cannot be listened at.
    #[error("cannot listen at {listen}: {reason}; is the port in use?")]
    Listen {
        /// The address.
        listen: SocketAddr,
        /// Why not.
        reason: String,
    },
}

/// A relay that is up. Dropping it ends it.
pub struct Relay {
    server: Server,
    gate: Arc<Gate>,
}

impl Relay {
    /// Starts a relay.
    pub async fn start(settings: RelaySettings) -> Result<Self, RelayError> {
        let RelaySettings { listen, tls, admitted, clients_max, client_bytes_per_s } = settings;
        let gate = Arc::new(Gate::new(admitted, clients_max));
        let mut relay = RelayConfig::new(listen);
        relay.key_cache_capacity = Some(KEYS_REMEMBERED);
        relay.access = gate.clone();
        relay.limits.client_rx = client_bytes_per_s.map(ClientRateLimit::new);
        let mut config = ServerConfig::default();
        if let Some(tls) = tls {
            relay.tls = Some(TlsConfig::new(listen, CertConfig::Manual { server_config: certified(&tls).await? }));
            // Beside HTTPS the server answers one question over HTTP, which no client of ours asks: on this machine alone.
            relay.http_bind_addr = loopback(listen.ip());
            config.quic = Some(QuicConfig::new(tls.discovery));
        }
        config.relay = Some(relay);
        let started = Server::spawn(config).await;
        let server = started.map_err(|error| RelayError::Listen { listen, reason: format!("{error:#}") })?;
        Ok(Self { server, gate })
    }

    /// Where it listens.
    pub fn address(&self) -> Option<SocketAddr> {
        self.server.https_addr().or(self.server.http_addr())
    }

    /// Where it tells clients their addresses, if it does.
    pub fn discovery(&self) -> Option<SocketAddr> {
        self.server.quic_addr()
    }

    /// How many clients there are now.
    pub fn clients(&self) -> usize {
        self.gate.clients()
    }

    /// Returns when it has ended without being asked to, with the reason.
    pub async fn failed(&mut self) -> String {
        match self.server.join().await {
            Ok(Ok(())) => "the relay has ended".to_owned(),
            Ok(Err(error)) => format!("the relay has ended: {error:#}"),
            Err(error) => format!("the relay has ended: {error}"),
        }
    }

    /// Ends it. Clients notice, and look for another way.
    pub async fn stop(self) {
        match timeout(END_TIME, self.server.shutdown()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!("the relay did not end cleanly: {error:#}"),
            Err(_) => tracing::warn!("connections did not end within {} s: they are cut off", END_TIME.as_secs()),
        }
    }
}

impl fmt::Debug for Relay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Relay").field("address", &self.address()).finish_non_exhaustive()
    }
}

/// TLS by a certificate that may be renewed while the relay runs.
async fn certified(tls: &RelayTls) -> Result<rustls::ServerConfig, RelayError> {
    let failed = |reason: String| RelayError::Certificate { cert: tls.cert.clone(), key: tls.key.clone(), reason };
    let provider = ring::default_provider();
    // What reads the files later on takes any key for any certificate.
    check_pair(tls, &provider).map_err(failed)?;
    let (cert, key) = (tls.cert.clone(), tls.key.clone());
    let resolver = reloading_resolver(&provider, cert, key, DEFAULT_CERT_RELOAD_INTERVAL).await;
    let resolver = resolver.map_err(|error| failed(format!("{error:#}")))?;
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(provider)).with_safe_default_protocol_versions();
    let config = config.map_err(|error| failed(error.to_string()))?;
    Ok(config.with_no_client_auth().with_cert_resolver(resolver))
}

/// Checks that the key is the certificate's.
fn check_pair(tls: &RelayTls, provider: &CryptoProvider) -> Result<(), String> {
    let chain = CertificateDer::pem_file_iter(&tls.cert).and_then(Iterator::collect);
    let chain = chain.map_err(|error| format!("the certificate: {error}"))?;
    let key = PrivateKeyDer::from_pem_file(&tls.key).map_err(|error| format!("the key: {error}"))?;
    CertifiedKey::from_der(chain, key, provider).map(drop).map_err(|error| error.to_string())
}

fn loopback(like: IpAddr) -> SocketAddr {
    match like {
        IpAddr::V4(_) => ([127, 0, 0, 1], 0).into(),
        IpAddr::V6(_) => (std::net::Ipv6Addr::LOCALHOST, 0).into(),
    }
}
