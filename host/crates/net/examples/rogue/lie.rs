//! A provider that has every blob of another's, with one bit wrong.

use std::net::SocketAddr;

use anyhow::{Context, Result};
use iroh::endpoint::{Connection, Endpoint, presets};
use iroh::protocol::{AcceptError, ProtocolHandler, Router};
use iroh::{EndpointAddr, RelayMode};
use samebit_net::message::Provider;

/// Passes requests on to an honest host, and its answers back with a bit flipped at this offset, if they are so long.
#[derive(Debug)]
struct Liar {
    endpoint: Endpoint,
    honest: EndpointAddr,
    offset: usize,
}

impl Liar {
    async fn answer(&self, connection: &Connection) -> Result<()> {
        let honest = self.endpoint.connect(self.honest.clone(), iroh_blobs::ALPN).await?;
        loop {
            let (mut outgoing, mut incoming) = connection.accept_bi().await?;
            let (mut there, mut back) = honest.open_bi().await?;
            there.write_all(&incoming.read_to_end(1 << 20).await?).await?;
            there.finish()?;
            let mut passed = 0;
            while let Some(chunk) = back.read_chunk(64 << 10).await? {
                let mut bytes = chunk.to_vec();
                if let Some(byte) = self.offset.checked_sub(passed).and_then(|at| bytes.get_mut(at)) {
                    *byte ^= 1;
                    super::say("flipped");
                }
                passed += bytes.len();
                outgoing.write_all(&bytes).await?;
            }
            outgoing.finish()?;
        }
    }
}

impl ProtocolHandler for Liar {
    async fn accept(&self, connection: Connection) -> Result<(), AcceptError> {
        // Its end is the fetcher's business.
        let _ = self.answer(&connection).await;
        connection.closed().await;
        Ok(())
    }
}

/// Lies until it is killed. Says who it is first.
pub(super) async fn run(at: SocketAddr, honest: &str, offset: usize) -> Result<()> {
    let honest = Provider::parse(honest)?;
    let id = iroh::EndpointId::from_bytes(honest.host.as_bytes()).context("the host's key")?;
    let honest = honest.addresses.iter().fold(EndpointAddr::new(id), |address, ip| address.with_ip_addr(*ip));
    let builder = Endpoint::builder(presets::Minimal).relay_mode(RelayMode::Disabled).clear_ip_transports();
    let endpoint = builder.bind_addr(at)?.bind().await?;
    let liar = Liar { endpoint: endpoint.clone(), honest, offset };
    let _router = Router::builder(endpoint.clone()).accept(iroh_blobs::ALPN, liar).spawn();
    super::say(&format!("host {}@{at}", samebit_spec::HostKey::from_bytes(*endpoint.id().as_bytes())));
    std::future::pending().await
}
