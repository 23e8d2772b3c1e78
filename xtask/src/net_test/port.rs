//! A port of the proxy: a process in a namespace of its own, at the other end of one node's cable.
//!
//! It has the addresses of all other nodes. What its node sends to one of them goes to the proxy, and what the proxy
//! hands it goes to the node with the sender's own address and port, so that no node can tell the proxy from a network.
//! It ends when the proxy does.

use std::collections::HashMap;
use std::io::{BufReader, Stdout, stdin, stdout};
use std::net::{SocketAddr, SocketAddrV4, UdpSocket};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use anyhow::{Context, Result};

use super::frame::Frame;

/// Carries datagrams until the proxy is gone.
pub(crate) fn run() -> Result<()> {
    let mut frames = BufReader::with_capacity(1 << 18, stdin());
    let out = Arc::new(Mutex::new(stdout()));
    let mut sockets = HashMap::new();
    while let Some(frame) = Frame::read(&mut frames).context("the proxy is gone")? {
        match frame {
            Frame::Listen(at) => drop(socket(&mut sockets, at, &out)),
            Frame::Datagram { from, to, bytes } => {
                if let Some(socket) = socket(&mut sockets, from, &out) {
                    // What a node does not take is lost, as on any network.
                    let _ = socket.send_to(&bytes, to);
                }
            }
        }
    }
    Ok(())
}

/// The socket at an address of another node's, which is made and listened to the first time.
fn socket(
    sockets: &mut HashMap<SocketAddrV4, Arc<UdpSocket>>,
    at: SocketAddrV4,
    out: &Arc<Mutex<Stdout>>,
) -> Option<Arc<UdpSocket>> {
    if let Some(socket) = sockets.get(&at) {
        return Some(socket.clone());
    }
    let socket = Arc::new(UdpSocket::bind(at).ok()?);
    sockets.insert(at, socket.clone());
    let (listening, out) = (socket.clone(), out.clone());
    thread::spawn(move || listen(&listening, at, &out));
    Some(socket)
}

/// Hands on what the node sends to an address.
fn listen(socket: &UdpSocket, to: SocketAddrV4, out: &Mutex<Stdout>) {
    let mut bytes = vec![0; 65_536];
    loop {
        let (length, from) = match socket.recv_from(&mut bytes) {
            Ok((length, SocketAddr::V4(from))) => (length, from),
            // An earlier datagram met a closed port, and this is how one is told.
            Ok(_) | Err(_) => continue,
        };
        let frame = Frame::Datagram { from, to, bytes: bytes[..length].to_vec() };
        if frame.write(&mut *out.lock().unwrap_or_else(PoisonError::into_inner)).is_err() {
            return;
        }
    }
}
