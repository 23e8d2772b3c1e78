//! Random programs, bent: whatever is still admitted becomes a module that validates.
//!
//! The first eight bytes are the program's seed. Each three bytes after them bend it: a place, and what happens to the
//! line there.
#![no_main]

use samebit_device::random::{self, Floats};
use samebit_fuzz::{generate, interpret, lowered};
use samebit_wgsl::Admission;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some((seed, bends)) = data.split_first_chunk::<8>() else { return };
    let program = random::program(u64::from_le_bytes(*seed), Floats::Any);
    let mut lines: Vec<&str> = program.text.lines().collect();
    for bend in bends.chunks_exact(3) {
        let at = usize::from(u16::from_le_bytes([bend[0], bend[1]])) % lines.len();
        let other = (at + 1 + usize::from(bend[2] >> 2)) % lines.len();
        match bend[2] & 3 {
            0 if lines.len() > 1 => drop(lines.remove(at)),
            1 => lines.insert(at, lines[other]),
            2 => lines.swap(at, other),
            _ => lines.insert(at, "workgroupBarrier();"),
        }
    }
    if let Some(kernel) = lowered(&lines.join("\n"), "main", Admission::Native) {
        generate(&kernel);
        interpret(&kernel);
    }
});
