//! What the targets of kernels share: the way of a text, from parsing to an outcome, within bounds that keep a run short.
#![cfg(feature = "kernels")]

use samebit_reference::codegen;
use samebit_reference::interp::{self, Ended, Options, Order};
use samebit_wgsl::lowered::Lowered;
use samebit_wgsl::{Admission, Source, lower, parse};

/// Bytes bound to each binding, if its type is no larger.
const BINDING_BYTES: u64 = 256;
/// Larger bindings are not tried: zeroing them is all that would take time.
const BINDING_BYTES_MAX: u64 = 1 << 16;
/// Steps of the interpreter.
const STEPS: u64 = 20_000;

/// The lowered form of a text, if it is admitted. Whatever is lowered keeps the promises of its form.
pub fn lowered(text: &str, entry_point: &str, admission: Admission) -> Option<Lowered> {
    let kernel = parse(&Source { text, entry_point, constants: &[] }).ok()?;
    let lowered = lower(&kernel, text, admission).ok()?;
    if let Err(error) = lowered.verify() {
        panic!("{error}\n{lowered}");
    }
    Some(lowered)
}

/// Runs a kernel in two orders. That it ends is what is looked for.
pub fn interpret(kernel: &Lowered) {
    for order in [Order::InOrder, Order::Interleaved(1)] {
        let Some(mut buffers) = buffers(kernel) else { return };
        let options = Options { loop_iterations: 1_000, order, steps: STEPS };
        match interp::run(kernel, &mut buffers, [2, 1, 1], &options) {
            Ok(Ended::Done | Ended::BudgetSpent(..) | Ended::Stopped) => {}
            Err(error) => panic!("{error}\n{kernel}"),
        }
    }
}

/// The generated module, which always validates.
pub fn generate(kernel: &Lowered) -> codegen::Code {
    let code = match codegen::generate(kernel) {
        Ok(code) => code,
        Err(error) => panic!("{error}\n{kernel}"),
    };
    let features = wasmparser::WasmFeatures::default();
    if let Err(error) = wasmparser::Validator::new_with_features(features).validate_all(&code.wasm) {
        panic!("{error}\n{kernel}");
    }
    code
}

fn buffers(kernel: &Lowered) -> Option<Vec<Vec<u8>>> {
    let sizes = kernel.interface.bindings.iter().map(|decl| decl.size_min_bytes);
    if sizes.clone().any(|size| size > BINDING_BYTES_MAX) {
        return None;
    }
    Some(sizes.map(|size| (0..size.max(BINDING_BYTES)).map(|i| (i * 37 % 251) as u8).collect()).collect())
}
