//! `samebit relay`.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;

use samebit_net::relay::{Admitted, Relay, RelayError, RelaySettings, RelayTls};
use serde_json::json;

use crate::cli::limits;
use crate::error::{Exit, Failure};
use crate::interrupt;
use crate::output::{GOOD, Output};

/// Where clients of this program ask at which address the world sees them.
const DISCOVERY_PORT: u16 = 7842;

const AFTER: &str = "\
Hosts and clients that name the relay with --relay URL meet there, and go on without it where they
find a direct way. What it carries is encrypted between them. It needs no store and no key. Ctrl-C
or SIGTERM ends it.

Without TLS anybody on the way sees who speaks to whom; that is for one machine, a trusted
network, or a proxy in front that speaks TLS. With TLS the URL is https://NAME:PORT with a name of
the certificate, whose files are read anew every day, and clients that are behind routers learn
over QUIC how they are seen, which helps them to a direct way.

Exit codes:
  0    ended as asked
  2    bad usage: a flag, or a certificate that cannot be used
  3    it cannot listen, or could not go on
  130  interrupted before it was up

Examples:
  samebit relay
  samebit relay --listen 192.0.2.7:3340 --allow KEY --allow KEY
  samebit relay --listen 0.0.0.0:443 --allow any --tls-cert fullchain.pem --tls-key privkey.pem
  samebit host --relay http://127.0.0.1:3340 --allow KEY";

/// Arguments of `samebit relay`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    /// Listen at this address, over TCP
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:3340")]
    listen: SocketAddr,
    /// Carry packets of this key (repeatable), or of `any` [default: any, if nobody but this machine can connect]
    #[arg(long, value_name = "KEY")]
    allow: Vec<String>,
    /// Speak TLS, with the chain of certificates in this PEM file
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The certificate's private key, a PEM file
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Tell clients how they are seen at this address, over QUIC [default: port 7842 of the address of --listen]
    #[arg(long, value_name = "ADDRESS:PORT", requires = "tls_cert")]
    discovery: Option<SocketAddr>,
    /// How many clients there may be at once
    #[arg(long, value_name = "COUNT", default_value = "1024")]
    clients_max: usize,
    /// How much each client may send, in bytes a second [default: as much as it can]
    #[arg(long, value_name = "BYTES", value_parser = rate)]
    client_rate: Option<NonZeroU32>,
}

fn rate(text: &str) -> Result<NonZeroU32, String> {
    let bytes = limits::bytes(text)?;
    u32::try_from(bytes).ok().and_then(NonZeroU32::new).ok_or_else(|| "it is 1 byte to 4 GiB".to_owned())
}

impl Args {
    fn settings(self) -> Result<RelaySettings, Failure> {
        let Self { listen, allow, tls_cert, tls_key, discovery, clients_max, client_rate } = self;
        if allow.is_empty() && !listen.ip().is_loopback() {
            let why = format!("others can connect to {listen}: say with --allow whose packets are carried, KEY or any");
            return Err(Failure::usage("allow", why));
        }
        let discovery = discovery.unwrap_or(SocketAddr::new(listen.ip(), DISCOVERY_PORT));
        let tls = tls_cert.zip(tls_key).map(|(cert, key)| RelayTls { cert, key, discovery });
        let admitted = admitted(&allow)?;
        Ok(RelaySettings { listen, tls, admitted, clients_max, client_bytes_per_s: client_rate })
    }
}

fn admitted(allow: &[String]) -> Result<Admitted, Failure> {
    if allow.is_empty() || allow.iter().any(|text| text == "any") {
        return Ok(Admitted::Any);
    }
    let keys = allow.iter().map(|text| {
        text.parse().map_err(|error| Failure::usage("allow", format!("allow: {text:?}: {error}; or write `any`")))
    });
    keys.collect::<Result<_, _>>().map(Admitted::Keys)
}

/// Runs the command.
pub(crate) async fn run(args: Args, output: &Output) -> Result<Exit, Failure> {
    let settings = args.settings()?;
    let has_tls = settings.tls.is_some();
    let mut relay = tokio::select! {
        relay = Relay::start(settings) => relay?,
        () = interrupt::ended() => return Err(Failure::interrupted()),
    };
    show(&relay, has_tls, output);
    let ended = tokio::select! {
        () = interrupt::ended() => Ok(Exit::Ok),
        why = relay.failed() => Err(Failure::host("network", why)),
    };
    output.note(&format!("ending: {} clients look for another way", relay.clients()));
    relay.stop().await;
    ended
}

fn show(relay: &Relay, has_tls: bool, output: &Output) {
    let Some(address) = relay.address() else { return };
    // With TLS the URL has the certificate's name, and at 0.0.0.0 whichever of this machine's addresses others know.
    let url = (!has_tls && !address.ip().is_unspecified()).then(|| format!("http://{address}"));
    output.answer(
        || json!({ "listens": address, "url": url, "tls": has_tls, "discovery": relay.discovery() }),
        |text| {
            text.headline(GOOD, "relay", " is up");
            text.field("listens", address);
            if let Some(url) = &url {
                text.field("url", url);
            }
            if let Some(discovery) = relay.discovery() {
                text.field("discovery", discovery);
            }
        },
    );
}

impl From<RelayError> for Failure {
    fn from(error: RelayError) -> Self {
        match &error {
            RelayError::Certificate { .. } => Self::usage("certificate", error.to_string()),
            _ => Self::host("network", error.to_string()),
        }
    }
}
