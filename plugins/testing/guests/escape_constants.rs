//! Gives override constants that are unknown, doubled, of the wrong kind or not numbers at all, and asks for entry
//! points that are none. Each is refused with its own error. Outcome: ok.

use samebit_plugin_testing::bindings::samebit::job::gpu::{Kernel, KernelDescriptor, KernelError};
use samebit_plugin_testing::expect;

samebit_plugin_testing::guest!(run);

const KERNEL: &str = "
override flag: bool = false;
@id(7) override count: u32 = 1;
override step: i32 = 1;
override scale: f32 = 1.0;
override needed: u32;
var<workgroup> tile: array<u32, count>;
@fragment fn pixel() {}
fn helper() {}
@compute @workgroup_size(1) fn none() {}
@compute @workgroup_size(needed) fn main() { tile[0] = u32(flag) + u32(step) + u32(scale); }";

fn create(entry_point: &str, constants: &[(&str, f64)]) -> Result<(), KernelError> {
    let constants = constants.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
    let descriptor = KernelDescriptor { wgsl: KERNEL.to_owned(), entry_point: entry_point.to_owned(), constants };
    Kernel::create(&descriptor).map(drop)
}

fn run(_args: Vec<String>) -> Result<(), String> {
    expect("all given", create("main", &[("needed", 4.0), ("7", 2.0), ("flag", 1.0)]), "Ok(())")?;
    expect("not needed", create("none", &[]), "Ok(())")?;
    let long = "x".repeat(1 << 20);
    for name in ["", "missing", "Main", "pixel", "helper", "main ", "main\0", &long] {
        let what = &name[..name.len().min(20)];
        expect(what, create(name, &[("needed", 1.0)]), "Err(KernelError::UnknownEntryPoint)")?;
    }
    let bad = |name: &str| format!("Err(KernelError::BadConstant({name:?}))");
    expect("nothing given", create("main", &[]), &bad("needed"))?;
    for name in ["unknown", "", "8", "07", "count\0", "tile"] {
        expect(name, create("main", &[("needed", 1.0), (name, 1.0)]), &bad(name))?;
    }
    for (name, value) in [
        ("flag", 2.0),
        ("flag", f64::NAN),
        ("count", -1.0),
        ("7", 4_294_967_296.0),
        ("7", f64::INFINITY),
        ("step", 2_147_483_648.0),
        ("step", f64::NEG_INFINITY),
        ("step", f64::NAN),
        ("scale", 1e39),
        ("scale", f64::NAN),
    ] {
        expect(&format!("{name} = {value}"), create("main", &[("needed", 1.0), (name, value)]), &bad(name))?;
    }
    expect("twice", create("main", &[("needed", 1.0), ("needed", 1.0)]), &bad("needed"))?;
    expect("by both names", create("main", &[("needed", 1.0), ("7", 1.0), ("count", 1.0)]), &bad("count"))?;
    for value in [0.0, 257.0, 4_294_967_295.0] {
        let refused = create("main", &[("needed", value)]);
        if !matches!(refused, Err(KernelError::Invalid(_) | KernelError::Unsupported(_))) {
            return Err(format!("a workgroup of {value} came to {refused:?}"));
        }
    }
    let refused = create("main", &[("needed", 1.0), ("7", 4_000_000_000.0)]);
    expect("a tile of 16 GB", refused.is_err(), "true")
}
