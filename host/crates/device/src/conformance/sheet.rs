//! Many expressions over many operands, each against a function in Rust.
//!
//! An expression sees four words as integers without sign `a b c d` and `v`, with sign `i j k l` and `w`, and as floats
//! `f g h e` and `u`; the capital letter is the vector of all. It gives a `u32`.

use std::fmt::Write;

use super::lab::{Failure, Lab};

/// An expression, and what it gives for four words.
pub(super) type Row = (&'static str, fn([u32; 4]) -> u32);

/// Words that break things, in any role.
pub(super) const EDGES: [u32; 28] = [
    0,
    1,
    2,
    3,
    7,
    8,
    15,
    31,
    32,
    33,
    100,
    255,
    0x8000,
    0xffff,
    0x1_0001,
    0x00ff_ff00,
    0x1234_5678,
    0x3f80_0000,
    0x7f7f_ffff,
    0x7fff_fffe,
    0x7fff_ffff,
    0x8000_0000,
    0x8000_0001,
    0xaaaa_aaaa,
    0xc000_0000,
    0xffff_0000,
    0xffff_fffe,
    u32::MAX,
];

/// Every pair of `words`, with two more that differ from pair to pair.
pub(super) fn pairs(words: &[u32]) -> Vec<[u32; 4]> {
    let mut state = 0x9e37_79b9_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        words[(state >> 16) as usize % words.len()]
    };
    words.iter().flat_map(|a| words.iter().map(|b| (*a, *b))).map(|(a, b)| [a, b, next(), next()]).collect()
}

/// Demands of each row that it gives what it should, for each of `inputs`. `declarations` come before the kernel.
pub(super) async fn check(lab: &mut Lab, declarations: &str, rows: &[Row], inputs: &[[u32; 4]]) -> Result<(), Failure> {
    let kernel = lab.kernel(&text(declarations, rows))?;
    let source = lab.buffer(inputs.as_flattened())?;
    let out = lab.zeros(inputs.len() * rows.len())?;
    lab.run(kernel, &[source, out], [(inputs.len() as u32).div_ceil(64), 1, 1])?;
    let found = lab.words(out).await?;
    for (input, found) in inputs.iter().zip(found.chunks(rows.len())) {
        for ((expression, of), found) in rows.iter().zip(found) {
            let expected = of(*input);
            if *found != expected {
                let why = format!("`{expression}` of {input:#x?}: found {found:#x}, expected {expected:#x}");
                return Err(Failure(why.replace('\n', " ")));
            }
        }
    }
    Ok(())
}

fn text(declarations: &str, rows: &[Row]) -> String {
    let mut text = format!(
        "{declarations}
         @group(0) @binding(0) var<storage> source: array<vec4u>;
         @group(0) @binding(1) var<storage, read_write> out: array<u32>;
         @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {{
             if id.x >= arrayLength(&source) {{ return; }}
             let v = source[id.x]; let a = v.x; let b = v.y; let c = v.z; let d = v.w;
             let w = bitcast<vec4i>(v); let i = w.x; let j = w.y; let k = w.z; let l = w.w;
             let u = bitcast<vec4f>(v); let f = u.x; let g = u.y; let h = u.z; let e = u.w;
             let at = id.x * {}u;\n",
        rows.len()
    );
    for (number, (expression, _)) in rows.iter().enumerate() {
        let _ = writeln!(text, "out[at + {number}u] = {expression};");
    }
    text.push('}');
    text
}
