//! What the cases share: a session with short names for what they do with it.

use std::fmt::Debug;

use samebit_wgsl::{Admission, Source, parse};

use crate::{BindingIndex, BufferId, BufferRange, Checked, Device, Grid, KernelId, SessionOptions};

/// Memory that a case may use at once.
const MEMORY_BYTES: u64 = 256 << 20;
/// Iterations of loops that an invocation may begin in a dispatch.
const LOOP_ITERATIONS: u32 = 1 << 24;

/// Why a case did not pass.
#[derive(Debug)]
pub(super) struct Failure(pub(super) String);

impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

/// Demands that what was found is what was expected.
pub(super) fn expect<T: PartialEq + Debug>(what: &str, found: T, expected: T) -> Result<(), Failure> {
    if found == expected {
        return Ok(());
    }
    Err(Failure(format!("{what}: found {}, expected {}", short(&found), short(&expected))))
}

/// Demands equal words, and names the first that is not.
pub(super) fn expect_words(what: &str, found: &[u32], expected: &[u32]) -> Result<(), Failure> {
    expect(&format!("{what}, number of words"), found.len(), expected.len())?;
    match found.iter().zip(expected).position(|(found, expected)| found != expected) {
        Some(at) => expect(&format!("{what}, word {at}"), found[at], expected[at]),
        None => Ok(()),
    }
}

fn short(value: &impl Debug) -> String {
    let text = format!("{value:?}");
    if text.chars().count() > 200 { text.chars().take(200).chain("…".chars()).collect() } else { text }
}

/// A binding as [`Checked::dispatch`] takes it.
pub(super) type Given = (BindingIndex, BufferId, u64, Option<u64>);

/// A whole buffer bound at a place.
pub(super) fn at(group: u32, binding: u32, buffer: BufferId) -> Given {
    (BindingIndex { group, binding }, buffer, 0, None)
}

/// A session.
pub(super) struct Lab {
    pub(super) gpu: Checked,
}

impl Lab {
    /// A session that promises what WGSL does.
    pub(super) async fn open(device: &dyn Device) -> Result<Self, Failure> {
        Self::open_as(device, Admission::Native).await
    }

    /// A session that promises that, or every bit.
    pub(super) async fn open_as(device: &dyn Device, admission: Admission) -> Result<Self, Failure> {
        Self::open_with(device, admission, LOOP_ITERATIONS).await
    }

    /// A session whose loops may run as often as said.
    pub(super) async fn open_with(
        device: &dyn Device,
        admission: Admission,
        loop_iterations: u32,
    ) -> Result<Self, Failure> {
        let options = SessionOptions { admission, loop_iterations };
        Ok(Self { gpu: Checked::new(device.open(options).await?, MEMORY_BYTES, admission) })
    }

    /// A buffer of zeros.
    pub(super) fn zeros(&mut self, words: usize) -> Result<BufferId, Failure> {
        Ok(self.gpu.buffer_create(words as u64 * 4)?)
    }

    /// A buffer of these words.
    pub(super) fn buffer(&mut self, words: &[u32]) -> Result<BufferId, Failure> {
        let id = self.zeros(words.len())?;
        self.write(id, 0, words)?;
        Ok(id)
    }

    /// Writes words from the word `at` on.
    pub(super) fn write(&mut self, id: BufferId, at: u64, words: &[u32]) -> Result<(), Failure> {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        Ok(self.gpu.buffer_write(id, at * 4, &bytes)?)
    }

    /// A kernel whose entry point is `main`.
    pub(super) fn kernel(&mut self, text: &str) -> Result<KernelId, Failure> {
        self.kernel_with(text, &[])
    }

    pub(super) fn kernel_with(&mut self, text: &str, constants: &[(String, f64)]) -> Result<KernelId, Failure> {
        Ok(self.gpu.kernel_create(parse(&Source { text, entry_point: "main", constants })?, text)?)
    }

    /// Launches a kernel with the buffers bound to group 0 from binding 0 on.
    pub(super) fn run(&mut self, kernel: KernelId, buffers: &[BufferId], counts: [u32; 3]) -> Result<(), Failure> {
        let given: Vec<_> = (0..).zip(buffers).map(|(binding, buffer)| at(0, binding, *buffer)).collect();
        Ok(self.gpu.dispatch(kernel, &given, Grid::Direct(counts))?)
    }

    pub(super) async fn bytes(&mut self, buffer: BufferId, offset: u64, size: u64) -> Result<Vec<u8>, Failure> {
        let mut bytes = Vec::new();
        let mut sink = |piece: &[u8]| {
            bytes.extend_from_slice(piece);
            Ok(())
        };
        self.gpu.buffer_read(BufferRange { buffer, offset, size }, &mut sink).await?;
        Ok(bytes)
    }

    /// All words of a buffer.
    pub(super) async fn words(&mut self, buffer: BufferId) -> Result<Vec<u32>, Failure> {
        let bytes = self.bytes(buffer, 0, self.gpu.buffer_size(buffer)).await?;
        Ok(bytes.as_chunks::<4>().0.iter().map(|word| u32::from_le_bytes(*word)).collect())
    }
}
