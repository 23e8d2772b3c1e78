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
use crate::engine::{engine, plain_engine};

/// Stack of the thread that compiles, the same as the parser's, which bounds how deep a kernel nests.
const STACK_BYTES: usize = 64 << 20;

/// The most WebAssembly, in bytes, that is compiled as well as can be: about 300 lines of WGSL. The best compiler takes
/// time that grows with the square of a kernel.
const BEST_BYTES: usize = 32 << 10;

/// What compiles kernels.
pub(crate) struct Compiler {
    engine: Engine,
    /// For kernels that are too large for the other one.
    plain: Engine,
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
    /// A compiler that has compiled nothing.
    pub(crate) fn new() -> Result<Self, DeviceError> {
        Ok(Self { engine: engine()?, plain: plain_engine()?, cache: Cache::default() })
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
        let module = self
            .module(&code.wasm)
            .map_err(|error| DeviceError::Failed(format!("a kernel's code was not accepted: {error:#}")))?;
        self.cache.put(&hash, &module);
        Ok(Compiled { module, scratch_bytes: code.scratch_bytes })
    }
}

impl Compiler {
    #[expect(unsafe_code, reason = "wasmtime has no other way to compile with other settings than it runs with")]
    fn module(&self, wasm: &[u8]) -> wasmtime::Result<Module> {
        if wasm.len() <= BEST_BYTES {
            return Module::from_binary(&self.engine, wasm);
        }
        let compiled = self.plain.precompile_module(wasm)?;
        // SAFETY: the bytes were made by wasmtime in this process a moment ago, and nobody has changed them. Whether the
        // settings of the two engines go together it checks itself.
        unsafe { Module::deserialize(&self.engine, &compiled) }
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
    use crate::memory::{Memory, Workgroups};

    #[test]
    fn a_panic_ends_in_an_error() {
        let result: Result<(), _> = contained(|| panic!("on purpose"));
        let Err(KernelFault::Device(DeviceError::Failed(what))) = result else { panic!("{result:?}") };
        assert!(what.contains("on purpose"), "{what}");
    }

    #[test]
    fn code_that_is_not_valid_is_an_error_and_not_kept() {
        let compiler = Compiler::new().expect("wasmtime runs");
        let code = Code { wasm: b"\0asm\x01\0\0\0\x01".to_vec(), scratch_bytes: 0 };
        for _ in 0..2 {
            assert!(matches!(compiler.finish(&code), Err(DeviceError::Failed(_))));
        }
    }

    #[test]
    fn a_large_kernel_is_compiled_plainly_and_runs_with_the_others() {
        let lines = "(local.set $x (i32.add (i32.mul (local.get $x) (i32.const 3)) (i32.const 1)))".repeat(20_000);
        let text = format!(
            "(module (import \"samebit\" \"memory\" (memory 0 65536 shared))
                (func (export \"run\") (param i32 i32 i32 i32 i32 i32) (result i32) (local $x i32)
                    {lines} (i32.store offset=1024 (i32.const 0) (local.get $x)) i32.const 0))"
        );
        let wasm = wat::parse_str(text).expect("the text is valid");
        assert!(wasm.len() > BEST_BYTES);
        let compiler = Compiler::new().expect("wasmtime runs");
        let compiled = compiler.finish(&Code { wasm, scratch_bytes: 0 }).expect("it compiles");
        let memory = Memory::new(compiler.engine()).expect("there is memory");
        let mut runner = memory.runner(&compiled.module).expect("it is made for the engine");
        let workgroups = Workgroups { first: [0; 3], count: 1 };
        assert_eq!(memory.running().run(&mut runner, 0, workgroups), Ok(0));
        let expected = (0..20_000).fold(0u32, |x, _| x.wrapping_mul(3).wrapping_add(1));
        assert_eq!(memory.exclusive().words(1024)[0], expected);
    }
}
