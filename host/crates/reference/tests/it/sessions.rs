//! Many sessions at once.

use crate::support::{Lab, device};

const STEPS: &str = "
    @group(0) @binding(0) var<storage, read_write> data: array<u32>;
    @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
        if id.x < arrayLength(&data) { data[id.x] = data[id.x] * 1664525 + id.x; }
    }";

#[test]
fn serial_sessions_at_once_do_not_disturb_each_other() {
    const WORDS: usize = 10_007;
    let device = device();
    std::thread::scope(|scope| {
        for number in 0..16u32 {
            let device = &device;
            scope.spawn(move || {
                let mut lab = Lab::open(device, 1);
                let kernel = lab.kernel(STEPS);
                let data = lab.zeros(WORDS as u64);
                let start: Vec<u8> = (0..WORDS as u32).flat_map(|at| (at ^ number).to_le_bytes()).collect();
                lab.gpu.buffer_write(data, 0, &start).expect("it is in range");
                let rounds = 20 + number;
                for _ in 0..rounds {
                    lab.run(kernel, &[data], [WORDS.div_ceil(64) as u32, 1, 1]);
                }
                let step = |at: u32, x: u32| x.wrapping_mul(1_664_525).wrapping_add(at);
                let expected = (0..WORDS as u32).map(|at| (0..rounds).fold(at ^ number, |x, _| step(at, x)));
                assert_eq!(lab.words(data).expect("it reads"), expected.collect::<Vec<_>>(), "{number}");
                if number.is_multiple_of(2) {
                    lab.close();
                }
            });
        }
    });
}

/// What one job left behind no other sees: not in buffers, and not in the memory of a workgroup or of an invocation.
#[test]
fn memory_of_kernels_starts_at_zero_as_well() {
    let dirty = "
        @group(0) @binding(0) var<storage, read_write> data: array<u32>;
        var<workgroup> shared_words: array<u32, 4096>;
        @compute @workgroup_size(64) fn main(@builtin(local_invocation_index) i: u32) {
            var own: array<u32, 64>;
            for (var at = 0u; at < 64; at++) { own[(at * 7 + data[0]) % 64] = 0xffffffff; shared_words[at * 64 + i] = 0xffffffff; }
            workgroupBarrier();
            data[i] = own[data[1] % 64] + shared_words[i * 3];
        }";
    let clean = "
        @group(0) @binding(0) var<storage, read_write> data: array<u32>;
        var<workgroup> shared_words: array<u32, 4096>;
        @compute @workgroup_size(64) fn main(@builtin(local_invocation_index) i: u32) {
            var own: array<u32, 64>;
            own[data[i] % 64] += 0;
            var sum = 0u;
            for (var at = 0u; at < 64; at++) { sum |= own[(at + data[i]) % 64] | shared_words[at * 64 + i]; }
            data[i] = sum;
        }";
    let device = device();
    let mut lab = Lab::open(&device, 1 << 20);
    let (dirty, clean) = (lab.kernel(dirty), lab.kernel(clean));
    let (used, seen) = (lab.zeros(64), lab.zeros(64));
    for _ in 0..3 {
        lab.run(dirty, &[used], [7, 1, 1]);
        lab.run(clean, &[seen], [1, 1, 1]);
        assert_eq!(lab.words(seen).expect("it reads"), [0; 64]);
    }
}
