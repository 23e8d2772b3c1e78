//! Random valid kernels, for comparing devices with one another.
//!
//! [`program`] turns a seed into a WGSL text and its input: structures, arrays, vectors, matrices, pointers, functions,
//! every kind of loop and branch, workgroup memory with barriers, and atomics. The same seed gives the same program
//! everywhere. Programs have one answer: no data race, no atomic whose order shows, loops that end. With
//! [`Floats::Exact`] that holds even for a device that computes floats as it likes, since every float is a small whole
//! number; with [`Floats::Any`] floats are whatever comes, NaN and subnormals among them, and only the exact profile
//! has an answer.
//!
//! What it leaves out: texts that are refused. A compiler's front end needs other tests.

mod composite;
mod expression;
mod float;
mod rng;
mod scope;
mod shape;
mod statement;
mod types;

pub use rng::Rng;

use scope::Writer;

/// What floats a program computes with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Floats {
    /// Any, by any operation.
    Any,
    /// Small whole numbers, by operations that are exact for them, and indices that are inside.
    Exact,
}

/// A random kernel. Its entry point is `main`; its bindings are 0, 1, 2, … of group 0.
#[derive(Debug, Clone)]
pub struct Program {
    /// What it was made from.
    pub seed: u64,
    /// The WGSL text.
    pub text: String,
    /// What each binding's buffer holds at the start.
    pub buffers: Vec<Vec<u32>>,
    /// The `var` declaration's address space of each binding is writable.
    pub is_writable: Vec<bool>,
    /// How many workgroups to launch.
    pub workgroups: [u32; 3],
}

/// Words of the input buffer.
const INPUT_WORDS: usize = 256;
/// Words that an invocation writes.
const OUTPUT_WORDS: u32 = 8;
/// Words of the buffer of counters.
const COUNTERS: u32 = 16;

/// The program of a seed.
pub fn program(seed: u64, floats: Floats) -> Program {
    let mut rng = Rng::new(seed);
    let workgroup_size = *rng.pick(&[
        [1, 1, 1],
        [3, 1, 1],
        [4, 1, 1],
        [8, 1, 1],
        [64, 1, 1],
        [4, 4, 1],
        [8, 2, 1],
        [5, 3, 2],
        [6, 2, 1],
    ]);
    let workgroups = *rng.pick(&[[1, 1, 1], [2, 1, 1], [3, 2, 1], [2, 1, 2]]);
    let buffers_rng = rng.next();
    let text = Writer::new(rng, floats, workgroup_size).program();
    let invocations: u32 = workgroup_size.iter().chain(&workgroups).product();
    Program {
        seed,
        text,
        buffers: vec![
            input(&mut Rng::new(buffers_rng), INPUT_WORDS),
            vec![0; (invocations * OUTPUT_WORDS) as usize],
            input(&mut Rng::new(buffers_rng ^ 1), 16),
            vec![0; COUNTERS as usize],
        ],
        is_writable: vec![false, true, false, true],
        workgroups,
    }
}

/// Words of every kind: small numbers, floats near one, the special ones, and any.
fn input(rng: &mut Rng, words: usize) -> Vec<u32> {
    const SPECIAL: [u32; 14] = [
        0,
        1,
        2,
        u32::MAX,
        0x8000_0000,
        0x7fff_ffff,
        0x3f80_0000,
        0xbf80_0000,
        0x7f80_0000,
        0xff80_0000,
        0x7fc0_0000,
        0xffc1_2345,
        0x0000_0001,
        0x7f7f_ffff,
    ];
    (0..words)
        .map(|_| match rng.below(8) {
            0 | 1 => rng.below(100),
            2 => *rng.pick(&SPECIAL),
            3 => ((rng.below(2001) as f32 - 1000.0) / 16.0).to_bits(),
            4 => (1.0 + rng.below(1 << 20) as f32 / (1 << 20) as f32).to_bits(),
            _ => rng.next() as u32,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_one_program() {
        assert_eq!(program(7, Floats::Any).text, program(7, Floats::Any).text);
        assert_ne!(program(7, Floats::Any).text, program(8, Floats::Any).text);
    }

    #[test]
    fn programs_are_valid() {
        for floats in [Floats::Any, Floats::Exact] {
            for seed in 0..300 {
                let program = program(seed, floats);
                let source = samebit_wgsl::Source { text: &program.text, entry_point: "main", constants: &[] };
                if let Err(error) = samebit_wgsl::parse(&source) {
                    panic!("seed {seed}, {floats:?}: {error}\n{}", program.text);
                }
            }
        }
    }

    #[test]
    fn programs_use_what_wgsl_has() {
        let all: String = (0..300).map(|seed| program(seed, Floats::Any).text).collect();
        for word in [
            "struct",
            "for (",
            "while ",
            "loop {",
            "break if",
            "continuing",
            "continue;",
            "switch ",
            "default",
            "if ",
            "else",
            "ptr<function",
            "ptr<private",
            "mat3x2f",
            "vec3",
            "array<",
            "workgroupBarrier",
            "workgroupUniformLoad",
            "atomicAdd",
            "var<private>",
            "select(",
            "dot(",
            "sqrt(",
            "fma(",
            "sin(",
            "bitcast<",
            "return",
            ".xy",
        ] {
            assert!(all.contains(word), "no program has `{word}`");
        }
    }
}
