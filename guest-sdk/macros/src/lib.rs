//! The macros of `samebit-guest`: the job's entry point, its own comparison of outputs, and kernels checked while the job
//! compiles.
//!
//! Use them through `samebit_guest`, which re-exports them and documents them with examples. They promise that WGSL
//! with an error does not compile: the message carries the file, line, column and the line itself. They check against
//! naga's validation and the limits written in `wit/gpu.wit`; a host may still refuse a kernel for rules of its
//! profile.

use proc_macro::TokenStream;

mod check;
mod compare;
mod fault;
mod job;
mod kernel;

/// Makes a function the entry point of this job.
///
/// The function takes the job's arguments, or nothing, and returns a `Result<(), E>` whose error can be displayed:
/// `fn run(args: Vec<String>) -> Result<(), Error>`. The error's text becomes part of the outcome. The function stays
/// callable, so that a test can run it.
#[proc_macro_attribute]
pub fn job(attribute: TokenStream, item: TokenStream) -> TokenStream {
    job::expand(attribute.into(), item.into()).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Makes a function this job's own comparison of outputs, for jobs in the profile native with the tolerance `compare`.
///
/// The function takes the name of an output: `fn compare(name: &str) -> Result<(), Error>`. The two versions of it are the
/// inputs `claimed` and `replayed`. An error says why the one cannot stand for the other.
#[proc_macro_attribute]
pub fn compare(attribute: TokenStream, item: TokenStream) -> TokenStream {
    compare::expand(attribute.into(), item.into()).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// A kernel from a WGSL file, parsed and validated at compile time: `kernel!("kernels/blur.wgsl", "main")`.
///
/// The path is relative to the folder of the job's `Cargo.toml`. `kernel!(inline "…", "main")` takes the text itself.
/// The value is a `samebit_guest::Kernel`.
#[proc_macro]
pub fn kernel(input: TokenStream) -> TokenStream {
    kernel::expand(input.into()).unwrap_or_else(syn::Error::into_compile_error).into()
}
