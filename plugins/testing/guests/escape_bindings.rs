//! Dispatches with bindings that are missing, unknown, given twice, too small, misaligned, out of range or aliased, and
//! with grids that are too large. Each is refused with its own error. Outcome: ok.

use samebit_plugin_testing::bindings::samebit::job::gpu::{
    Binding, Buffer, Kernel, Workgroups, dispatch, dispatch_indirect,
};
use samebit_plugin_testing::expect;
use samebit_plugin_testing::gpu::{along_x, bind, buffer, kernel};

samebit_plugin_testing::guest!(run);

/// A uniform of 16 bytes, an array to read, one to write with a struct of 32 bytes, and something in another group.
const KERNEL: &str = "
struct Head { a: vec4f, b: vec4f }
@group(0) @binding(2) var<uniform> size: vec4u;
@group(0) @binding(0) var<storage, read> source: array<u32>;
@group(0) @binding(5) var<storage, read_write> head: Head;
@group(3) @binding(999) var<storage, read_write> result: array<u32>;
@group(1) @binding(1) var<storage, read_write> unused: array<u32>;
@compute @workgroup_size(1) fn main() { head.a.x = f32(size.x + source[0]); result[0] = source[0]; }";

const OUT: &str = "Err(GpuError::OutOfRange)";
const ODD: &str = "Err(GpuError::Misaligned)";
const SIZE: &str = "Err(GpuError::InvalidSize)";
const ALIASED: &str = "Err(GpuError::Aliased)";

struct Scene {
    kernel: Kernel,
    buffers: [Buffer; 4],
    large: Buffer,
}

impl Scene {
    /// Bindings as they should be.
    fn right(&self) -> Vec<Binding<'_>> {
        let [source, size, head, result] = &self.buffers;
        vec![
            bind(0, source),
            bind(2, size),
            bind(5, head),
            Binding { group: 3, binding: 999, buffer: result, offset: 0, size: None },
        ]
    }

    /// What comes of bindings that `change` has changed.
    fn try_with<'a>(
        &'a self,
        what: &str,
        expected: &str,
        change: impl FnOnce(&mut Vec<Binding<'a>>),
    ) -> Result<(), String> {
        let mut bindings = self.right();
        change(&mut bindings);
        expect(what, dispatch(&self.kernel, &bindings, along_x(1)), expected)
    }
}

fn run(_args: Vec<String>) -> Result<(), String> {
    let buffers = [buffer(1024)?, buffer(1024)?, buffer(1024)?, buffer(1024)?];
    let scene = Scene { kernel: kernel(KERNEL)?, buffers, large: buffer((128 << 20) + 256)? };
    scene.try_with("as it should be", "Ok(())", |_| ())?;
    scene.try_with("in another order", "Ok(())", |bindings| bindings.reverse())?;
    sets(&scene)?;
    ranges(&scene)?;
    aliases(&scene)?;
    grids(&scene)
}

fn again<'a>(binding: &Binding<'a>) -> Binding<'a> {
    Binding { ..*binding }
}

fn mismatch(group: u32, binding: u32) -> String {
    format!("Err(GpuError::BindingMismatch(BindingIndex {{ group: {group}, binding: {binding} }}))")
}

fn sets(scene: &Scene) -> Result<(), String> {
    scene.try_with("none", &mismatch(0, 0), Vec::clear)?;
    scene.try_with("the second missing", &mismatch(0, 2), |bindings| {
        bindings.remove(1);
    })?;
    scene.try_with("the last missing", &mismatch(3, 999), |bindings| {
        bindings.pop();
    })?;
    scene.try_with("one twice", &mismatch(0, 2), |bindings| bindings.push(again(&bindings[1])))?;
    scene.try_with("one unused", &mismatch(1, 1), |bindings| {
        bindings.push(Binding { group: 1, binding: 1, ..bindings[0] });
    })?;
    for (group, binding) in [(0, 1), (2, 0), (3, 1000), (4, 0), (u32::MAX, u32::MAX)] {
        scene.try_with("one unknown", &mismatch(group, binding), |bindings| {
            bindings.push(Binding { group, binding, ..bindings[0] });
        })?;
    }
    scene.try_with("a thousand too many", &mismatch(0, 0), |bindings| {
        bindings.extend((0..1000).map(|_| again(&scene.right()[0])));
    })
}

fn ranges(scene: &Scene) -> Result<(), String> {
    let cases: [(usize, u64, Option<u64>, &str); 14] = [
        (0, 1024, None, SIZE),
        (0, 1280, None, OUT),
        (0, u64::MAX, None, OUT),
        (0, u64::MAX - 255, Some(256), OUT),
        (0, 256, Some(u64::MAX), OUT),
        (0, 256, Some(772), OUT),
        (0, 256, Some(0), SIZE),
        (0, 256, Some(6), ODD),
        (0, 4, None, ODD),
        (0, 128, Some(64), ODD),
        (0, 255, Some(4), ODD),
        (1, 0, Some(12), "uniform"),
        (2, 0, Some(28), "head"),
        (2, 768, Some(256), "Ok(())"),
    ];
    for (index, offset, size, expected) in cases {
        let expected = match expected {
            "uniform" => mismatch(0, 2),
            "head" => mismatch(0, 5),
            expected => expected.to_owned(),
        };
        let what = format!("binding {index} at {offset} of {size:?}");
        scene.try_with(&what, &expected, |bindings| {
            bindings[index] = Binding { offset, size, ..bindings[index] };
        })?;
    }
    let large = |index: usize, size: u64, expected: &str| {
        scene.try_with(&format!("binding {index} of {size}"), expected, |bindings| {
            bindings[index] = Binding { buffer: &scene.large, size: Some(size), ..bindings[index] };
        })
    };
    large(0, 128 << 20, "Ok(())")?;
    large(0, (128 << 20) + 4, SIZE)?;
    large(1, 65_536, "Ok(())")?;
    large(1, 65_540, SIZE)
}

fn aliases(scene: &Scene) -> Result<(), String> {
    scene.try_with("read twice", "Ok(())", |bindings| bindings[1].buffer = bindings[0].buffer)?;
    scene.try_with("read and written", ALIASED, |bindings| bindings[2].buffer = bindings[0].buffer)?;
    scene.try_with("written twice", ALIASED, |bindings| bindings[2].buffer = bindings[3].buffer)?;
    scene.try_with("apart in one buffer", ALIASED, |bindings| {
        bindings[3] = Binding { offset: 512, size: Some(256), ..bindings[3] };
        bindings[2] = Binding { buffer: bindings[3].buffer, offset: 0, size: Some(256), ..bindings[2] };
    })
}

fn grids(scene: &Scene) -> Result<(), String> {
    let bindings = scene.right();
    for (x, y, z, expected) in [
        (65_536, 1, 1, SIZE),
        (1, 65_536, 1, SIZE),
        (1, 1, u32::MAX, SIZE),
        (65_536, 0, 0, SIZE),
        (0, 0, 0, "Ok(())"),
        (0, 65_535, 65_535, "Ok(())"),
    ] {
        let what = format!("a grid of {x} × {y} × {z}");
        expect(&what, dispatch(&scene.kernel, &bindings, Workgroups { x, y, z }), expected)?;
    }
    let counts = buffer(16)?;
    for (offset, expected) in
        [(0, "Ok(())"), (4, "Ok(())"), (8, OUT), (16, OUT), (2, ODD), (u64::MAX - 3, OUT), (u64::MAX, ODD)]
    {
        let what = format!("counts at {offset}");
        expect(&what, dispatch_indirect(&scene.kernel, &bindings, &counts, offset), expected)?;
    }
    counts.fill(0, 16, u32::MAX).map_err(|error| format!("{error:?}"))?;
    expect("counts over the limit", dispatch_indirect(&scene.kernel, &bindings, &counts, 4), "Ok(())")?;
    let written = bindings[2].buffer;
    expect("counts that are written", dispatch_indirect(&scene.kernel, &bindings, written, 0), ALIASED)?;
    let read = bindings[0].buffer;
    expect("counts that are read", dispatch_indirect(&scene.kernel, &bindings, read, 0), "Ok(())")?;
    scene.buffers[0].read(0, 4).map(drop).map_err(|error| format!("{error:?}"))
}
