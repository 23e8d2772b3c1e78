//! Every decoder that sees a peer's bytes, chosen by the first of them: what it accepts it writes the same way.
#![no_main]

use samebit_net::collection::members;
use samebit_net::message::{JobEvent, Provider, Request, Response};
use samebit_net::{Announcement, BlobAddress};
use samebit_spec::{ChainEntry, Hash, Publication, RECEIPT_MAGIC, Receipt};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some((kind, bytes)) = data.split_first() else { return };
    let written = match kind % 9 {
        0 => Request::decode(bytes).ok().map(|request| request.encode()),
        1 => Response::decode(bytes).ok().map(|response| response.encode()),
        2 => Announcement::decode(bytes).ok().map(|announcement| announcement.encode()),
        3 => JobEvent::decode(bytes).ok().map(|event| event.encode()),
        4 => ChainEntry::decode(bytes).ok().map(|entry| entry.encode()),
        5 => Publication::decode(bytes).ok().map(|publication| publication.encode()),
        6 => {
            assert!(Receipt::decode(&[RECEIPT_MAGIC, bytes].concat()).is_err(), "a forged receipt");
            None
        }
        7 => {
            let count = usize::from(bytes.first().copied().unwrap_or(0) % 4);
            for member in members(bytes, vec![Hash::of(b""); count]).unwrap_or_default() {
                assert!(member.path.is_relative() && !member.path.components().any(|part| part.as_os_str() == ".."));
            }
            None
        }
        _ => {
            let text = String::from_utf8_lossy(bytes);
            let (_, _) = (Provider::parse(&text), BlobAddress::parse(&text));
            None
        }
    };
    if let Some(written) = written {
        assert_eq!(written, bytes);
    }
});
