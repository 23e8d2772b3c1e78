//! Tries to reach a network. Outcome: ok; output `sockets` says what it saw.

use std::fmt::Write;
use std::net::{TcpListener, TcpStream, ToSocketAddrs, UdpSocket};

use samebit_plugin_testing::bindings::wasi::sockets::network::IpAddressFamily::{Ipv4, Ipv6};
use samebit_plugin_testing::bindings::wasi::sockets::{
    instance_network, ip_name_lookup, tcp_create_socket, udp_create_socket,
};
use samebit_plugin_testing::put;

samebit_plugin_testing::guest!(run);

fn run(_args: Vec<String>) -> Result<(), String> {
    let mut seen = String::new();
    for family in [Ipv4, Ipv6] {
        let _ = writeln!(
            seen,
            "tcp {:?}",
            tcp_create_socket::create_tcp_socket(family).map(drop).map_err(|error| error.name())
        );
        let _ = writeln!(
            seen,
            "udp {:?}",
            udp_create_socket::create_udp_socket(family).map(drop).map_err(|error| error.name())
        );
    }
    let network = instance_network::instance_network();
    for name in ["localhost", "example.com", "127.0.0.1", "", "not a name"] {
        let lookup = ip_name_lookup::resolve_addresses(&network, name);
        let found = lookup.map(|found| {
            found.subscribe().block();
            found.resolve_next_address().map(|address| address.is_some())
        });
        let found = found.map_err(|error| error.name());
        let _ = writeln!(seen, "lookup {name:?} {found:?}");
    }
    let _ = writeln!(seen, "std {}", TcpStream::connect("127.0.0.1:80").is_ok());
    let _ = writeln!(seen, "std {}", TcpListener::bind("127.0.0.1:0").is_ok());
    let _ = writeln!(seen, "std {}", UdpSocket::bind("127.0.0.1:0").is_ok());
    let _ = writeln!(seen, "std {}", "localhost:80".to_socket_addrs().is_ok());
    put("sockets", &seen)
}
