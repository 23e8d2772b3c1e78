//! Hosts of which the key alone is known: met at a relay, or looked up. Nothing leaves this machine.

use std::time::Duration;

use n0_mainline::Testnet;
use samebit_net::message::Provider;
use samebit_net::{ClientError, Dht, Reach, Relays};

use crate::support::{Lab, everything, key, soon};

fn reach(relays: Relays, dht: Dht) -> Reach {
    Reach::Network { relays, mdns: false, dht }
}

#[cfg(feature = "relay")]
mod relays {
    use std::io::Read;
    use std::net::{SocketAddr, TcpStream};
    use std::sync::Arc;

    use rustls::pki_types::{CertificateDer, ServerName};
    use samebit_net::relay::{Admitted, Relay, RelayError, RelaySettings, RelayTls};

    use super::*;

    async fn relay(admitted: Admitted) -> (Relay, Reach) {
        let listen = ([127, 0, 0, 1], 0).into();
        let settings = RelaySettings { listen, tls: None, admitted, clients_max: 10, client_bytes_per_s: None };
        let relay = Relay::start(settings).await.expect("a relay");
        let url = format!("http://{}", relay.address().expect("an address"));
        (relay, reach(Relays::custom(vec![url]).expect("a URL"), Dht::Off))
    }

    #[tokio::test]
    async fn two_that_know_their_keys_and_a_relay_meet_there() {
        let lab = Lab::new();
        let (relay, at_relay) = relay(Admitted::Any).await;
        let host = lab.machine_at(1, at_relay.clone(), everything()).await;
        assert!(host.provider().relay.is_some(), "it tells others where it is to be met");
        let client = lab.machine_at(2, at_relay, everything()).await;
        assert_eq!(relay.clients(), 2);
        let alone = lab.machine_at(3, reach(Relays::None, Dht::Off), everything()).await;
        let known = Provider::of_key(key(1).public());
        let asked = soon(client.node.connect(&known)).await.expect("met");
        soon(asked.info()).await.expect("it answers");
        let error = soon(alone.node.connect(&known)).await.expect_err("nobody says where it is");
        assert!(matches!(error, ClientError::Unreachable { .. }), "{error}");
        relay.stop().await;
    }

    #[tokio::test]
    async fn a_relay_carries_packets_of_named_keys_alone() {
        let lab = Lab::new();
        let (relay, at_relay) = relay(Admitted::Keys([key(1).public(), key(2).public()].into())).await;
        let _host = lab.machine_at(1, at_relay.clone(), everything()).await;
        let client = lab.machine_at(2, at_relay.clone(), everything()).await;
        let stranger = lab.machine_at(3, at_relay, everything()).await;
        let known = Provider::of_key(key(1).public());
        soon(client.node.connect(&known)).await.expect("named");
        soon(stranger.node.connect(&known)).await.expect_err("a stranger");
        assert_eq!(relay.clients(), 2);
        relay.stop().await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_relay_speaks_tls_with_the_certificate_that_it_is_given() {
        let folder = tempfile::tempdir().expect("a folder");
        let made = rcgen::generate_simple_self_signed(["relay.example".to_owned()]).expect("a certificate");
        let other = rcgen::generate_simple_self_signed(["relay.example".to_owned()]).expect("another");
        let file = |name: &str, text: String| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).expect("written");
            path
        };
        let cert = file("cert.pem", made.cert.pem());
        let key = file("key.pem", made.signing_key.serialize_pem());
        let start = |key| {
            let (cert, discovery) = (cert.clone(), SocketAddr::from(([127, 0, 0, 1], 0)));
            let tls = Some(RelayTls { cert, key, discovery });
            let listen = discovery;
            Relay::start(RelaySettings {
                listen,
                tls,
                admitted: Admitted::Any,
                clients_max: 1,
                client_bytes_per_s: None,
            })
        };
        for wrong in [folder.path().join("gone"), cert.clone(), file("other.pem", other.signing_key.serialize_pem())] {
            let error = start(wrong.clone()).await.expect_err("it is not the certificate's key");
            assert!(matches!(error, RelayError::Certificate { .. }), "{}: {error}", wrong.display());
        }
        let relay = start(key).await.expect("a relay");
        let (address, discovery) = (relay.address().expect("an address"), relay.discovery().expect("another"));
        assert_ne!(address.port(), discovery.port());
        let trusted = made.cert.der().clone();
        let said = tokio::task::spawn_blocking(move || ask(address, &trusted)).await.expect("asked");
        assert!(said.starts_with("HTTP/1.1 200"), "{said}");
        relay.stop().await;
    }

    /// Asks for a page over TLS, and trusts no other certificate than this.
    fn ask(address: SocketAddr, trusted: &CertificateDer<'static>) -> String {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(trusted.clone()).expect("a root");
        let config = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from("relay.example").expect("a name");
        let mut client = rustls::ClientConnection::new(Arc::new(config), name).expect("a client");
        let mut stream = TcpStream::connect(address).expect("connected");
        let mut tls = rustls::Stream::new(&mut client, &mut stream);
        let request = "GET /healthz HTTP/1.1\r\nHost: relay.example\r\nConnection: close\r\n\r\n";
        std::io::Write::write_all(&mut tls, request.as_bytes()).expect("sent");
        let mut said = String::new();
        // A peer that closes without a farewell has said enough.
        let _ = tls.read_to_string(&mut said);
        said
    }
}

#[tokio::test]
async fn a_host_is_looked_up_by_its_key_in_a_table_of_ones_own() {
    let lab = Lab::new();
    let table = soon(Testnet::new(4)).await.expect("a table");
    let in_table = reach(Relays::None, Dht::Custom(table.bootstrap.clone()));
    let host = lab.machine_at(1, in_table.clone(), everything()).await;
    let client = lab.machine_at(2, in_table, everything()).await;
    let alone = lab.machine_at(3, reach(Relays::None, Dht::Off), everything()).await;
    let known = Provider::of_key(key(1).public());
    let asked = soon(async {
        // What is published takes a moment to be there.
        loop {
            match client.node.connect(&known).await {
                Ok(asked) => return asked,
                Err(_) => tokio::time::sleep(Duration::from_millis(200)).await,
            }
        }
    })
    .await;
    soon(asked.info()).await.expect("it answers");
    soon(alone.node.connect(&known)).await.expect_err("it does not look");
    drop((host, table));
}
