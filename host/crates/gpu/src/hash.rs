//! Hashing what lies in buffers, by a kernel.
//!
//! The kernel is one that the exact profile admits, and any session runs it, whoever's device it is: what is here speaks
//! to [`Session`] alone. It has numbers of buffers and kernels that no guest's calls come to.

use std::sync::Arc;

use samebit_device::hash::PIECE_BYTES;
use samebit_device::wgsl::{self, Admission, Kernel};
use samebit_device::{
    Binding, BufferId, BufferRange, DeviceError, Dispatch, Grid, KernelFault, KernelId, Program, ReadError, Session,
    SessionOptions, limits,
};

/// The kernel's text.
const TEXT: &str = include_str!("../kernels/blake3.wgsl");
/// Its entry point.
const ENTRY: &str = "pieces";
/// Iterations that an invocation of it takes: 16 blocks, 6 levels of the tree, and the ends of both loops.
const ITERATIONS: u32 = 24;
/// What is hashed by one dispatch at most: a part of what can be bound, so that a GPU is not kept for long.
const DISPATCH_BYTES: u64 = 64 << 20;
/// A chaining value.
const VALUE_BYTES: u64 = 32;
/// Numbers from the other end than `Checked` gives out.
const KERNEL: KernelId = KernelId(u32::MAX);
const TASK: BufferId = BufferId(u32::MAX);
const VALUES: BufferId = BufferId(u32::MAX - 1);
/// What the kernel's task is: four words.
const TASK_BYTES: u64 = 16;

/// A session's hashing, once it has been used.
pub struct Hashing {
    /// The largest range for which there is room for values.
    pieces: u64,
}

impl Hashing {
    /// Whether a range can be hashed where it lies.
    pub(crate) fn can_be(range: BufferRange, options: SessionOptions) -> bool {
        let is_whole = range.size > 0 && range.size.is_multiple_of(PIECE_BYTES);
        is_whole && range.offset.is_multiple_of(4) && options.loop_iterations >= ITERATIONS
    }

    /// Makes the kernel ready.
    ///
    /// # Errors
    /// If the device fails.
    pub fn new(session: &mut dyn Session, options: SessionOptions) -> Result<Self, DeviceError> {
        let failed = |fault: KernelFault| match fault {
            KernelFault::Device(error) => error,
            KernelFault::Refused(refusal) => DeviceError::Failed(format!("it cannot hash: {refusal}")),
        };
        let kernel = Arc::new(parse().map_err(|error| failed(error.into()))?);
        let program = match options.admission {
            Admission::Exact => {
                let lowered = wgsl::lower(&kernel, TEXT, Admission::Exact).map_err(|error| failed(error.into()))?;
                Program::Exact(Arc::new(lowered))
            }
            Admission::Native => Program::Native { kernel, text: TEXT.into() },
        };
        session.kernel_create(KERNEL, program).map_err(failed)?;
        session.buffer_create(TASK, TASK_BYTES)?;
        Ok(Self { pieces: 0 })
    }

    /// The chaining values of a range's pieces, the first of which is the piece of this number.
    ///
    /// # Errors
    /// If the device fails.
    pub async fn pieces(
        &mut self,
        session: &mut dyn Session,
        range: BufferRange,
        first: u64,
    ) -> Result<Vec<[u8; 32]>, ReadError> {
        let count = range.size / PIECE_BYTES;
        self.make_room(session, count)?;
        let mut done = 0;
        while done < range.size {
            let size = DISPATCH_BYTES.min(range.size - done);
            let part = BufferRange { offset: range.offset + done, size, ..range };
            if session.is_congested() {
                session.settle().await?;
            }
            queue(session, part, done / PIECE_BYTES, first + done / PIECE_BYTES)?;
            done += size;
        }
        let mut bytes = Vec::with_capacity((count * VALUE_BYTES) as usize);
        let mut sink = |piece: &[u8]| {
            bytes.extend_from_slice(piece);
            Ok(())
        };
        let values = BufferRange { buffer: VALUES, offset: 0, size: count * VALUE_BYTES };
        session.buffer_read(values, &mut sink).await?;
        Ok(bytes.as_chunks().0.to_vec())
    }

    fn make_room(&mut self, session: &mut dyn Session, pieces: u64) -> Result<(), DeviceError> {
        if pieces > self.pieces {
            if self.pieces > 0 {
                session.buffer_drop(VALUES);
            }
            session.buffer_create(VALUES, pieces * VALUE_BYTES)?;
            self.pieces = pieces;
        }
        Ok(())
    }
}

/// Queues the hashing of a part, whose pieces are numbered from `first` on and whose values begin at `place`.
fn queue(session: &mut dyn Session, part: BufferRange, place: u64, first: u64) -> Result<(), DeviceError> {
    let aligned = part.offset - part.offset % limits::BINDING_OFFSET_ALIGNMENT;
    let before = part.offset - aligned;
    let chunk = first * (PIECE_BYTES / 1024);
    let words = [(before / 4) as u32, place as u32, chunk as u32, (chunk >> 32) as u32];
    let task: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    session.buffer_write(TASK, 0, &task)?;
    let pieces = part.size / PIECE_BYTES;
    let end = (place + pieces) * VALUE_BYTES;
    let bind =
        |binding, buffer, offset, size| Binding { group: 0, binding, range: BufferRange { buffer, offset, size } };
    let bindings =
        vec![bind(0, part.buffer, aligned, before + part.size), bind(1, VALUES, 0, end), bind(2, TASK, 0, TASK_BYTES)];
    session.dispatch(&Dispatch { kernel: KERNEL, bindings, grid: Grid::Direct([pieces as u32, 1, 1]) })
}

fn parse() -> Result<Kernel, wgsl::ParseError> {
    wgsl::parse(&wgsl::Source { text: TEXT, entry_point: ENTRY, constants: &[] })
}

#[cfg(test)]
mod tests {
    use samebit_device::{Device, hash};
    use samebit_reference::ReferenceDevice;

    use super::*;

    const EXACT: SessionOptions = SessionOptions { admission: Admission::Exact, loop_iterations: ITERATIONS };
    const NATIVE: SessionOptions = SessionOptions { admission: Admission::Native, loop_iterations: 1 << 24 };
    const INPUT: BufferId = BufferId(0);

    /// As many bytes as that, no two pieces of them alike.
    fn bytes(size: u64) -> Vec<u8> {
        (0..size).map(|i| (i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8).collect()
    }

    /// Hashes `size` bytes from `offset` on, as an engine does: whole pieces there, the rest here.
    async fn hashed(
        session: &mut dyn Session,
        hashing: &mut Hashing,
        input: &[u8],
        offset: u64,
        size: u64,
    ) -> [u8; 32] {
        let whole = size - size % PIECE_BYTES;
        let range = BufferRange { buffer: INPUT, offset, size: whole };
        let values =
            if whole == 0 { Vec::new() } else { hashing.pieces(session, range, 0).await.expect("it is hashed") };
        let rest = &input[(offset + whole) as usize..(offset + size) as usize];
        match hash::root(&values, rest) {
            Some(root) => root,
            None => *blake3::hash(&input[offset as usize..(offset + size) as usize]).as_bytes(),
        }
    }

    async fn hashes_like_blake3(device: &dyn Device, options: SessionOptions, most: u64) {
        let mut session = device.open(options).await.expect("it opens");
        let input = bytes(most + 1024);
        session.buffer_create(INPUT, most + 1024).expect("it fits");
        session.buffer_write(INPUT, 0, &input).expect("it is in range");
        let mut hashing = Hashing::new(&mut *session, options).expect("the kernel is ready");
        let near = |length: u64| [length - 1, length, length + 1];
        let lengths =
            [0, 1, 1023, 1024, 1025].into_iter().chain([1, 2, 3, 5].into_iter().flat_map(|n| near(n * PIECE_BYTES)));
        for size in lengths.chain([most]) {
            for offset in [0, 4, 260, 1020] {
                let expected = *blake3::hash(&input[offset as usize..(offset + size) as usize]).as_bytes();
                let found = hashed(&mut *session, &mut hashing, &input, offset, size).await;
                assert_eq!(found, expected, "{size} bytes from {offset} on");
            }
        }
        session.close().await;
    }

    #[test]
    fn the_kernel_is_exact() {
        wgsl::lower(&parse().expect("the text is valid"), TEXT, Admission::Exact).expect("it is admitted");
    }

    #[test]
    fn the_reference_device_hashes_like_blake3() {
        let device = ReferenceDevice::new().expect("it is always there");
        pollster::block_on(hashes_like_blake3(&device, EXACT, 3 << 20));
    }

    #[test]
    fn vulkan_hashes_like_blake3() {
        let device = crate::GpuDevice::select(&crate::Choice::Default).expect("a Vulkan driver is installed");
        pollster::block_on(hashes_like_blake3(&device, NATIVE, 200 << 20));
        assert!(crate::all_closed_within(std::time::Duration::from_secs(30)));
    }

    #[test]
    fn pieces_far_into_an_input_are_numbered_with_64_bits() {
        let device = ReferenceDevice::new().expect("it is always there");
        pollster::block_on(async {
            let mut session = device.open(EXACT).await.expect("it opens");
            let input = bytes(2 * PIECE_BYTES);
            session.buffer_create(INPUT, 2 * PIECE_BYTES).expect("it fits");
            session.buffer_write(INPUT, 0, &input).expect("it is in range");
            let mut hashing = Hashing::new(&mut *session, EXACT).expect("the kernel is ready");
            // The second piece's chunks have numbers over 2^32.
            let first = (1 << 32) / 64 - 1;
            let range = BufferRange { buffer: INPUT, offset: 0, size: 2 * PIECE_BYTES };
            let values = hashing.pieces(&mut *session, range, first).await.expect("it is hashed");
            for (index, value) in (0..).zip(&values) {
                use blake3::hazmat::HasherExt;
                let mut hasher = blake3::Hasher::new();
                hasher.set_input_offset((first + index) * PIECE_BYTES);
                let piece = &input[index as usize * PIECE_BYTES as usize..][..PIECE_BYTES as usize];
                assert_eq!(*value, hasher.update(piece).finalize_non_root(), "piece {index}");
            }
        });
    }
}
