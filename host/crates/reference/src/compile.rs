//! The way of a program to machine code: lower if need be, generate, compile.
//!
//! All of it runs on a thread with a stack of its own, since it takes a kernel's nested structure apart, and a panic there
//! ends in an error. Whether a kernel is refused has been decided before: what fails here fails on this machine, and no
//! outcome may tell of it.

use std::any::Any;
use std::sync::Arc;

use samebit_device::{DeviceError, KernelFault, Program};
use samebit_wgsl::lowered::Lowered;
use samebit_wgsl::{Admission, lower};
use wasmtime::{Engine, Module};

use crate::cache::Cache;
use crate::codegen::{Code, generate};

/// Stack of the thread that compiles, the same as the parser's, which bounds how deep a kernel nests.
const STACK_BYTES: usize = 64 << 20;

/// What compiles kernels.
pub(crate) struct Compiler {
    engine: Engine,
    cache: Cache,
}

/// A compiled kernel.
#[derive(Clone)]
pub(crate) struct Compiled {
    /// The code, for whichever memory.
    pub(crate) module: Module,
    /// How much scratch memory a thread needs, in bytes.
    pub(crate) scratch_bytes: u32,
}

impl Compiler {
    /// Compiles with an engine.
    pub(crate) fn new(engine: Engine) -> Self {
        Self { engine, cache: Cache::default() }
    }

    /// What kernels are compiled for.
    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Compiles a program.
    pub(crate) fn compile(&self, program: Program) -> Result<Compiled, KernelFault> {
        contained(|| {
            let lowered = match program {
                Program::Exact(lowered) => lowered,
                Program::Native { kernel, text } => Arc::new(lower(&kernel, &text, Admission::Native)?),
            };
            self.generate(&lowered)
        })
    }

    fn generate(&self, lowered: &Lowered) -> Result<Compiled, KernelFault> {
        let code = generate(lowered).map_err(|error| {
            DeviceError::Failed(format!("it cannot run this kernel: {error}; use smaller workgroups or less memory"))
        })?;
        Ok(self.finish(&code)?)
    }

    /// Compiles generated code.
    pub(crate) fn finish(&self, code: &Code) -> Result<Compiled, DeviceError> {
        let hash = blake3::hash(&code.wasm);
        if let Some(module) = self.cache.get(&hash) {
            return Ok(Compiled { module, scratch_bytes: code.scratch_bytes });
        }
        let module = Module::from_binary(&self.engine, &code.wasm)
            .map_err(|error| DeviceError::Failed(format!("a kernel's code was not accepted: {error:#}")))?;
        self.cache.put(&hash, &module);
        Ok(Compiled { module, scratch_bytes: code.scratch_bytes })
    }
}

/// Runs `work` on a thread of its own, where neither its depth nor a panic can harm this one.
fn contained<T: Send>(work: impl FnOnce() -> Result<T, KernelFault> + Send) -> Result<T, KernelFault> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("samebit-kernel".to_owned()).stack_size(STACK_BYTES);
        let compiling = thread
            .spawn_scoped(scope, work)
            .map_err(|error| DeviceError::Failed(format!("no thread could be started for a kernel: {error}")))?;
        compiling.join().unwrap_or_else(|panic| {
            let what = panic_text(&*panic);
            Err(DeviceError::Failed(format!("compiling a kernel panicked: {what}; report the kernel")).into())
        })
    })
}

/// What a panic said.
pub(crate) fn panic_text(panic: &(dyn Any + Send)) -> String {
    if let Some(text) = panic.downcast_ref::<&str>() {
        (*text).to_owned()
    } else if let Some(text) = panic.downcast_ref::<String>() {
        text.clone()
    } else {
        "it said nothing".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_ends_in_an_error() {
        let result: Result<(), _> = contained(|| panic!("on purpose"));
        let Err(KernelFault::Device(DeviceError::Failed(what))) = result else { panic!("{result:?}") };
        assert!(what.contains("on purpose"), "{what}");
    }

    #[test]
    fn code_that_is_not_valid_is_an_error_and_not_kept() {
        let compiler = Compiler::new(crate::engine::engine().expect("wasmtime runs"));
        let code = Code { wasm: b"\0asm\x01\0\0\0\x01".to_vec(), scratch_bytes: 0 };
        for _ in 0..2 {
            assert!(matches!(compiler.finish(&code), Err(DeviceError::Failed(_))));
        }
    }
}
