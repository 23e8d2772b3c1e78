//! What the proxy and its ports say to each other over pipes: datagrams with their addresses, and addresses to listen at.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddrV4};

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Frame {
    /// Listen at an address of another node's, for this port's node to reach it there.
    Listen(SocketAddrV4),
    /// A datagram.
    Datagram {
        /// Where it comes from.
        from: SocketAddrV4,
        /// Where it goes.
        to: SocketAddrV4,
        /// What it carries.
        bytes: Vec<u8>,
    },
}

impl Frame {
    /// Writes it, in one call and at once.
    pub(super) fn write(&self, to: &mut impl Write) -> io::Result<()> {
        let mut bytes = Vec::with_capacity(1600);
        match self {
            Self::Listen(at) => {
                bytes.push(0);
                put(&mut bytes, *at);
            }
            Self::Datagram { from, to, bytes: carried } => {
                bytes.push(1);
                put(&mut bytes, *from);
                put(&mut bytes, *to);
                let length = u16::try_from(carried.len()).map_err(io::Error::other)?;
                bytes.extend_from_slice(&length.to_be_bytes());
                bytes.extend_from_slice(carried);
            }
        }
        to.write_all(&bytes)?;
        // Standard output waits for the end of a line otherwise.
        to.flush()
    }

    /// Reads one; `None` at the end.
    pub(super) fn read(from: &mut impl Read) -> io::Result<Option<Self>> {
        let mut kind = [0];
        if from.read(&mut kind)? == 0 {
            return Ok(None);
        }
        let first = take(from)?;
        if kind == [0] {
            return Ok(Some(Self::Listen(first)));
        }
        let to = take(from)?;
        let mut length = [0; 2];
        from.read_exact(&mut length)?;
        let mut bytes = vec![0; usize::from(u16::from_be_bytes(length))];
        from.read_exact(&mut bytes)?;
        Ok(Some(Self::Datagram { from: first, to, bytes }))
    }
}

fn put(bytes: &mut Vec<u8>, address: SocketAddrV4) {
    bytes.extend_from_slice(&address.ip().octets());
    bytes.extend_from_slice(&address.port().to_be_bytes());
}

fn take(from: &mut impl Read) -> io::Result<SocketAddrV4> {
    let mut bytes = [0; 6];
    from.read_exact(&mut bytes)?;
    let [a, b, c, d, high, low] = bytes;
    Ok(SocketAddrV4::new(Ipv4Addr::new(a, b, c, d), u16::from_be_bytes([high, low])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let address = |port| SocketAddrV4::new(Ipv4Addr::new(10, 77, 0, 1), port);
        let frames = [
            Frame::Listen(address(7)),
            Frame::Datagram { from: address(1), to: address(2), bytes: vec![9; 1452] },
            Frame::Datagram { from: address(1), to: address(2), bytes: vec![] },
        ];
        let mut pipe = Vec::new();
        frames.iter().for_each(|frame| frame.write(&mut pipe).expect("written"));
        let mut pipe = pipe.as_slice();
        for frame in frames {
            assert_eq!(Frame::read(&mut pipe).expect("read"), Some(frame));
        }
        assert_eq!(Frame::read(&mut pipe).expect("read"), None);
    }
}
