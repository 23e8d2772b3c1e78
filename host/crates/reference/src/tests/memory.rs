//! How much memory sessions have, and what is in it.

use samebit_device::{BufferCopy, BufferId, BufferRange, DeviceError, Session};

use super::{Bench, device};

const MIB: u64 = 1 << 20;

/// Memory of this process that is in use, in bytes.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux tells");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("Linux tells");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("it is a number") * 1024
}

#[test]
fn memory_used_again_is_zero() {
    let device = device(1);
    let mut bench = Bench::new(&device);
    for size in [4, 300, 70_000, 3 * MIB] {
        let buffers = [size, size + 256, 2 * size].map(|size| bench.buffer(size));
        for buffer in buffers {
            bench.session.buffer_fill(BufferRange { buffer, offset: 0, size }, 0x5ec2_e75e).expect("it is queued");
            bench.session.buffer_drop(buffer);
        }
        let again = bench.buffer(4 * size);
        assert!(bench.try_read(again, 0, 4 * size).expect("it reads").iter().all(|byte| *byte == 0), "{size}");
        bench.session.buffer_drop(again);
    }
}

/// What is queued before a buffer is dropped uses it, though its memory has been given to another one.
#[test]
fn dropped_buffers_serve_what_is_queued() {
    let device = device(1);
    let mut bench = Bench::new(&device);
    let result = bench.buffer(64 * 4);
    for round in 0..64 {
        let source = bench.buffer(4 * MIB);
        bench.session.buffer_fill(BufferRange { buffer: source, offset: 0, size: 4 * MIB }, round).expect("queued");
        let target = BufferRange { buffer: result, offset: u64::from(round) * 4, size: 4 };
        bench.session.buffer_copy(BufferCopy { source, source_offset: 4096, target }).expect("it is queued");
        bench.session.buffer_drop(source);
    }
    assert_eq!(bench.words(result, 64), (0..64).collect::<Vec<_>>());
}

#[test]
fn serial_buffers_have_three_and_a_half_gibibytes() {
    let device = device(1);
    let mut bench = Bench::new(&device);
    let buffers: Vec<_> = (0..14).map(|_| bench.buffer(256 * MIB)).collect();
    let error = bench.session.buffer_create(BufferId(1000), 4).expect_err("that is one too many");
    let DeviceError::OutOfMemory(what) = error else { panic!("{error}") };
    assert_eq!(what, "the job wants 3585 MiB of buffers at once, and the reference device has 3584 MiB for a job");
    // The last bytes of the last one are real memory.
    let last = BufferRange { buffer: buffers[13], offset: 256 * MIB - 4, size: 4 };
    bench.session.buffer_fill(last, 77).expect("it is queued");
    assert_eq!(bench.try_read(buffers[13], 256 * MIB - 4, 4).expect("it reads"), [77, 0, 0, 0]);
    bench.session.buffer_drop(buffers[3]);
    bench.session.buffer_create(BufferId(1000), 4).expect("there is room again");
}

#[test]
fn serial_memory_is_in_proportion_and_given_back() {
    const BYTES: u64 = 128 * MIB;
    let device = device(2);
    let before = resident();
    let mut bench = Bench::new(&device);
    let bytes = vec![3; BYTES as usize];
    let written = resident();
    for _ in 0..3 {
        let buffers = [(); 4].map(|()| bench.buffer(BYTES));
        for buffer in buffers {
            bench.session.buffer_write(buffer, 0, &bytes).expect("it is queued");
        }
        let read = |piece: &[u8]| {
            assert_eq!(piece[0], 3);
            Ok(())
        };
        let range = BufferRange { buffer: buffers[3], offset: 0, size: BYTES };
        pollster::block_on(bench.session.buffer_read(range, &mut { read })).expect("it reads");
        let used = resident() - written;
        assert!(used > 4 * BYTES / 10 * 9, "{used}: what was written is somewhere");
        assert!(used < 4 * BYTES / 10 * 11, "{used} bytes for buffers of {}", 4 * BYTES);
        buffers.into_iter().for_each(|buffer| bench.session.buffer_drop(buffer));
    }
    drop(bytes);
    bench.close();
    let left = resident().saturating_sub(before);
    assert!(left < 16 * MIB, "{left} bytes are left");
}
