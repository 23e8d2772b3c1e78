//! A stream to a peer that is counted and has to move.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use iroh::endpoint::VarInt;
use iroh_blobs::protocol::{ERR_INTERNAL, ERR_LIMIT, ERR_PERMISSION};
use iroh_blobs::util::SendStream;
use samebit_spec::HostKey;
use samebit_store::Reading;
use tokio::time::{Instant, timeout};

use super::super::MaySend;

/// How long a peer may keep this machine waiting for room to send.
const STALL_TIME: Duration = Duration::from_secs(20);
/// What a peer must take in that time to be sent more.
const PACE_BYTES: u64 = 64 << 10;
/// Why a stream ends whose blob goes.
const EVICTED: &str = "the blob is evicted";

/// Ends with an error, and a reset, when the peer is too slow, has had enough, or the blob is evicted.
pub(super) struct Metered<W> {
    stream: W,
    peer: HostKey,
    may_send: Option<MaySend>,
    reading: Reading,
    stall_time: Duration,
    pace: Pace,
}

/// How long was waited for so many bytes.
struct Pace {
    waited: Duration,
    moved_bytes: u64,
}

impl<W: SendStream> Metered<W> {
    pub(super) fn new(stream: W, peer: HostKey, may_send: Option<MaySend>, reading: Reading) -> Self {
        let pace = Pace { waited: Duration::ZERO, moved_bytes: 0 };
        Self { stream, peer, may_send, reading, stall_time: STALL_TIME, pace }
    }

    /// Asks whether so many bytes may go.
    fn allow(&mut self, bytes: usize) -> io::Result<u64> {
        let bytes = bytes as u64;
        if self.may_send.as_ref().is_none_or(|may_send| may_send(self.peer, bytes)) {
            return Ok(bytes);
        }
        Err(self.end(ERR_PERMISSION, "the peer has had as much as it may"))
    }

    fn end(&mut self, code: VarInt, why: &str) -> io::Error {
        // Why it ended is what matters, not whether it could be reset.
        let _ = self.stream.reset(code);
        io::Error::other(why)
    }
}

impl<W: SendStream> SendStream for Metered<W> {
    async fn send_bytes(&mut self, bytes: Bytes) -> io::Result<()> {
        let count = self.allow(bytes.len())?;
        let began = Instant::now();
        let left = self.stall_time.saturating_sub(self.pace.waited);
        if self.reading.is_evicted() {
            return Err(self.end(ERR_INTERNAL, EVICTED));
        }
        // In this order: a piece for which there is room does not begin to wait for anything else, which would lock.
        let sent = tokio::select! {
            biased;
            sent = timeout(left, self.stream.send_bytes(bytes)) => sent,
            () = self.reading.evicted() => return Err(self.end(ERR_INTERNAL, EVICTED)),
        };
        let Ok(sent) = sent else { return Err(self.end(ERR_LIMIT, "the peer does not take it")) };
        self.pace.note(began.elapsed(), count);
        sent
    }

    async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        // Sizes and hashes, which are short.
        self.send_bytes(Bytes::copy_from_slice(bytes)).await
    }

    async fn sync(&mut self) -> io::Result<()> {
        self.stream.sync().await
    }

    fn reset(&mut self, code: VarInt) -> io::Result<()> {
        self.stream.reset(code)
    }

    async fn stopped(&mut self) -> io::Result<Option<VarInt>> {
        self.stream.stopped().await
    }

    fn id(&self) -> u64 {
        self.stream.id()
    }
}

impl Pace {
    fn note(&mut self, waited: Duration, bytes: u64) {
        self.waited += waited;
        self.moved_bytes += bytes;
        if self.moved_bytes >= PACE_BYTES {
            (self.waited, self.moved_bytes) = (Duration::ZERO, 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use samebit_spec::Hash;
    use samebit_store::Store;

    use super::*;

    /// Takes so many bytes, each piece after a while, and then nothing.
    #[derive(Default)]
    struct Slow {
        room: usize,
        taken: usize,
        pause: Duration,
        reset: Option<VarInt>,
    }

    impl SendStream for Slow {
        async fn send_bytes(&mut self, bytes: Bytes) -> io::Result<()> {
            tokio::time::sleep(self.pause).await;
            if self.taken + bytes.len() > self.room {
                std::future::pending::<()>().await;
            }
            self.taken += bytes.len();
            Ok(())
        }

        async fn send(&mut self, _: &[u8]) -> io::Result<()> {
            unreachable!("everything goes as bytes")
        }

        async fn sync(&mut self) -> io::Result<()> {
            Ok(())
        }

        fn reset(&mut self, code: VarInt) -> io::Result<()> {
            self.reset = Some(code);
            Ok(())
        }

        async fn stopped(&mut self) -> io::Result<Option<VarInt>> {
            Ok(None)
        }

        fn id(&self) -> u64 {
            0
        }
    }

    struct Lab {
        store: Store,
        _folder: tempfile::TempDir,
    }

    impl Lab {
        async fn new() -> Self {
            let folder = tempfile::tempdir().expect("folder");
            let store = Store::open(&folder.path().join("store"), Duration::ZERO).await.expect("store");
            store.keep_accounts().await.expect("accounts");
            Self { store, _folder: folder }
        }

        fn metered(&self, slow: Slow, hash: Hash, may_send: Option<MaySend>) -> Metered<Slow> {
            let reading = self.store.reading(vec![hash]).expect("nothing is evicted");
            let metered = Metered::new(slow, HostKey::from_bytes([1; 32]), may_send, reading);
            Metered { stall_time: Duration::from_millis(300), ..metered }
        }
    }

    /// Sends pieces of 16 KiB, and gives how many were sent and how the stream was reset.
    async fn send(mut metered: Metered<Slow>, pieces: usize) -> (usize, Option<VarInt>) {
        for piece in 0..pieces {
            if metered.send_bytes(vec![0; 16 << 10].into()).await.is_err() {
                return (piece, metered.stream.reset);
            }
        }
        (pieces, metered.stream.reset)
    }

    #[tokio::test]
    async fn whoever_reads_steadily_is_served_and_who_stops_is_left() {
        let (lab, hash) = (Lab::new().await, Hash::of(b"a blob"));
        // Slower in all than the time of a stall, and never too slow.
        let steady = Slow { room: 1 << 20, pause: Duration::from_millis(20), ..Slow::default() };
        assert_eq!(send(lab.metered(steady, hash, None), 32).await, (32, None));
        let stops = Slow { room: 100_000, ..Slow::default() };
        assert_eq!(send(lab.metered(stops, hash, None), 32).await, (6, Some(ERR_LIMIT)));
        // One that only drips.
        let drips = Slow { room: 1 << 20, pause: Duration::from_millis(120), ..Slow::default() };
        assert_eq!(send(lab.metered(drips, hash, None), 32).await, (2, Some(ERR_LIMIT)));
    }

    #[tokio::test]
    async fn whoever_had_enough_is_cut_off_and_so_is_a_blob_that_goes() {
        let lab = Lab::new().await;
        let (blob, pin) = lab.store.import_bytes(vec![7; 1_000].into()).await.expect("import");
        drop(pin);
        let left = Arc::new(std::sync::Mutex::new(50_000_u64));
        let may_send: MaySend = Arc::new(move |_, bytes| {
            let mut left = left.lock().expect("no panic");
            let may = bytes <= *left;
            *left -= if may { bytes } else { 0 };
            may
        });
        let quick = || Slow { room: 1 << 20, ..Slow::default() };
        assert_eq!(send(lab.metered(quick(), blob.hash, Some(may_send)), 32).await, (3, Some(ERR_PERMISSION)));
        let waits = Slow { pause: Duration::from_millis(250), ..quick() };
        let sending = send(lab.metered(waits, blob.hash, None), 2);
        let (sent, evicted) = tokio::join!(sending, lab.store.evict(0));
        assert_eq!((sent, evicted.expect("evicted").blobs), ((0, Some(ERR_INTERNAL)), 1));
    }
}
