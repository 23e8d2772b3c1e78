//! The way of a text to a kernel: scan, parse, validate, reduce to the entry point, resolve constants, bound, describe.
//!
//! naga recurses over the text's structure, and panics on some texts. So all of it runs on a thread of its own with a
//! stack that outlasts what [`scan`](crate::scan) lets through, and a panic there ends in a refusal. The process's panic
//! hook is left alone, so it may still print the panic: a library cannot replace it without taking it from its host.

use crate::interface::{self, Interface};
use crate::{Refusal, RefusalReason, bounds, constants, folded, scan, support};
use naga::compact::{KeepUnused, compact};
use naga::valid::{Capabilities, ModuleInfo, ValidationError, ValidationFlags, Validator};
use naga::{Module, ShaderStage, Span, WithSpan};

/// Stack of the thread that parses, only touched as deep as a text goes. Deepest are chains of declarations, which the
/// scan does not bound: tests run the longest that fits into a text.
const STACK_BYTES: usize = 64 << 20;

/// What a kernel is made from.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// The WGSL text.
    pub text: &'a str,
    /// The name of the compute entry point.
    pub entry_point: &'a str,
    /// Values of override constants, by name or by `@id` in decimal. Booleans are 0 and 1.
    pub constants: &'a [(String, f64)],
}

/// A valid kernel within all limits, and what is known about it.
#[derive(Clone, Debug)]
pub struct Kernel {
    module: Module,
    info: ModuleInfo,
    interface: Interface,
    folded: Option<usize>,
    constants: Vec<(String, f64)>,
}

/// Why there is no kernel.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ParseError {
    /// The kernel is refused, here and everywhere.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// This host could not start the thread that parses. It says nothing about the kernel, so no outcome may tell it.
    #[error("parsing a kernel failed on this host: {0}; free memory or threads and run the job again")]
    Host(std::io::Error),
}

impl Kernel {
    /// The module: only what the entry point needs, every override constant resolved. Arrays that an override sizes
    /// keep `ArraySize::Pending`, whose override has a literal as its `init`; `ArraySize::resolve` sees through it.
    pub fn module(&self) -> &Module {
        &self.module
    }

    /// What validation found out about [`Self::module`].
    pub fn info(&self) -> &ModuleInfo {
        &self.info
    }

    /// The name of the only entry point.
    pub fn entry_point(&self) -> &str {
        &self.module.entry_points[0].name
    }

    /// The name of the variable at `@group(group) @binding(binding)`, for messages.
    pub fn binding_name(&self, group: u32, binding: u32) -> Option<&str> {
        let at = naga::ResourceBinding { group, binding };
        let mut variables = self.module.global_variables.iter().map(|(_, variable)| variable);
        variables.find(|variable| variable.binding == Some(at))?.name.as_deref()
    }

    /// The values of override constants that it was made with: with its text and entry point, all there is to make it again.
    pub fn constants(&self) -> &[(String, f64)] {
        &self.constants
    }

    /// Where a float function was evaluated that machines evaluate differently, if one was.
    pub(crate) fn folded(&self) -> Option<usize> {
        self.folded
    }

    /// What the kernel binds, and how it is launched.
    pub fn interface(&self) -> &Interface {
        &self.interface
    }
}

/// Parses, validates and describes a kernel.
///
/// # Errors
/// [`ParseError::Refused`] for every source that is not a kernel within the limits.
///
/// # Examples
/// ```
/// let text = "@group(0) @binding(0) var<storage, read_write> data: array<f32>;
///             override factor: f32 = 2.0;
///             @compute @workgroup_size(64) fn scale(@builtin(global_invocation_id) id: vec3u) {
///                 if id.x < arrayLength(&data) { data[id.x] *= factor; }
///             }";
/// let constants = [("factor".to_owned(), 3.0)];
/// let kernel = samebit_wgsl::parse(&samebit_wgsl::Source { text, entry_point: "scale", constants: &constants })?;
/// assert_eq!(kernel.interface().workgroup_size, [64, 1, 1]);
/// assert_eq!(kernel.interface().bindings[0].size_min_bytes, 4);
/// # Ok::<(), samebit_wgsl::ParseError>(())
/// ```
pub fn parse(source: &Source<'_>) -> Result<Kernel, ParseError> {
    contained(|| parse_here(source))
}

/// The names of a text's compute entry points, in its order.
///
/// # Errors
/// [`ParseError::Refused`] for a text that is not WGSL, or too large.
pub fn entry_points(text: &str) -> Result<Vec<String>, ParseError> {
    contained(|| {
        scan::check(text)?;
        let module = naga::front::wgsl::parse_str(text).map_err(|error| invalid_text(text, &error))?;
        let entries = module.entry_points.into_iter().filter(|entry| entry.stage == ShaderStage::Compute);
        Ok(entries.map(|entry| entry.name).collect())
    })
}

/// Runs `work` on a thread of its own, where neither its depth nor a panic can harm this one.
pub(crate) fn contained<T: Send>(work: impl FnOnce() -> Result<T, Refusal> + Send) -> Result<T, ParseError> {
    let thread = std::thread::Builder::new().name("wgsl-parse".to_owned()).stack_size(STACK_BYTES);
    std::thread::scope(|scope| {
        let thread = thread.spawn_scoped(scope, work).map_err(ParseError::Host)?;
        thread.join().unwrap_or_else(|_| Err(panicked())).map_err(ParseError::Refused)
    })
}

/// The refusal of a text on which naga panicked. What the panic said is left out: it names lines of naga.
fn panicked() -> Refusal {
    let what = "the parser failed on it with an internal error";
    Refusal::nowhere(RefusalReason::Invalid, what, "write it more plainly, and report the text as a defect")
}

/// [`parse`] on the calling thread.
fn parse_here(source: &Source<'_>) -> Result<Kernel, Refusal> {
    let text = source.text;
    scan::check(text)?;
    let mut module = naga::front::wgsl::parse_str(text).map_err(|error| invalid_text(text, &error))?;
    // With every capability, since what this interface lacks is refused as unsupported, not as invalid.
    Validator::new(ValidationFlags::all(), Capabilities::all())
        .validate(&module)
        .map_err(|error| invalid_module(text, &error))?;
    let folded = folded::by_parsing(text, &module);
    let given = constants::assign(&module, source.constants)?.keyed(&module);
    select(&mut module, source.entry_point)?;
    let used = constants::of_used(text, &module, &given)?;
    let before = folded::left(&module);
    let module = resolve(text, module, &used)?;
    let folded = folded.or_else(|| folded::by_resolving(text, &before, &folded::left(&module)));
    let info = support::validate(text, &module)?;
    bounds::check(text, &module, &info)?;
    let interface = interface::describe(text, &module, &info)?;
    Ok(Kernel { module, info, interface, folded, constants: source.constants.to_vec() })
}

/// Reduces `module` to the compute entry point `name` and what it needs.
fn select(module: &mut Module, name: &str) -> Result<(), Refusal> {
    module.entry_points.retain(|entry| entry.stage == ShaderStage::Compute && entry.name == name);
    if module.entry_points.is_empty() {
        let what = format!("the text has no `@compute` function `{name}`");
        return Err(Refusal::nowhere(RefusalReason::UnknownEntryPoint, &what, "name one that it has"));
    }
    compact(module, KeepUnused::No);
    Ok(())
}

/// Puts values in the place of override constants.
fn resolve(text: &str, module: Module, constants: &naga::back::PipelineConstants) -> Result<Module, Refusal> {
    use naga::back::pipeline_constants::{PipelineConstantError, process_overrides};
    if module.overrides.is_empty() {
        return Ok(module);
    }
    // The module's own information is only handed back when there is nothing to resolve.
    let unused = ModuleInfo::default();
    match process_overrides(&module, &unused, None, constants) {
        Ok((resolved, _)) => Ok(resolved.into_owned()),
        Err(PipelineConstantError::ValidationError(error)) => Err(invalid_module(text, &error)),
        Err(error) => {
            let what = format!("with its override constants' values: {}", chain(&error));
            Err(Refusal::nowhere(RefusalReason::Invalid, &what, "give other values"))
        }
    }
}

/// The refusal of a text that does not parse.
fn invalid_text(text: &str, error: &naga::front::wgsl::ParseError) -> Refusal {
    let label = error.labels().find(|(span, _)| span.is_defined());
    let span = label.map_or(Span::UNDEFINED, |(span, _)| span);
    let mut what = error.message().to_owned();
    // naga would have it enabled, but no device offers one.
    if what.contains("enable extension is not enabled") {
        let todo = "do without the extension: no device offers any";
        return Refusal::at_span(RefusalReason::Invalid, text, span, &what, todo);
    }
    for detail in label.map(|(_, label)| label).into_iter().chain(error.notes()).filter(|detail| !detail.is_empty()) {
        what.push_str(": ");
        what.push_str(detail);
    }
    // naga's own guard, for what only together nests too deep: braces, parentheses and template lists.
    let mut words = error.notes().chain([error.message()]);
    let deep = words.any(|words| words.contains("recursion limit") || words.contains("nesting limit"));
    let reason = if deep { RefusalReason::TooLarge } else { RefusalReason::Invalid };
    Refusal::at_span(reason, text, span, &what, "correct the text")
}

/// WGSL's functions that compare neighboring fragments.
const DERIVATIVES: [&str; 9] =
    ["dpdx", "dpdxCoarse", "dpdxFine", "dpdy", "dpdyCoarse", "dpdyFine", "fwidth", "fwidthCoarse", "fwidthFine"];

/// The refusal of a text that parses but does not validate.
fn invalid_module(text: &str, error: &WithSpan<ValidationError>) -> Refusal {
    use naga::valid::EntryPointError::ForbiddenStageOperations;
    if let ValidationError::EntryPoint { source: ForbiddenStageOperations, .. } = error.as_inner() {
        let span = scan::word(text, &DERIVATIVES);
        if span.is_defined() {
            let what = "it uses derivatives, which only fragment shaders have";
            return Refusal::at_span(RefusalReason::Invalid, text, span, what, "compute differences of values instead");
        }
    }
    let span = validation_span(text, error);
    Refusal::at_span(RefusalReason::Invalid, text, span, &chain(error.as_inner()), "correct the text")
}

/// The most precise place of a validation error: of the shortest spans, the first. Else its entry point.
pub(crate) fn validation_span(text: &str, error: &WithSpan<ValidationError>) -> Span {
    let ranges = error.spans().filter_map(|(span, _)| span.to_range());
    match (ranges.min_by_key(ExactSizeIterator::len), error.as_inner()) {
        (Some(range), _) => Span::from(range),
        (None, ValidationError::EntryPoint { name, .. }) => scan::function(text, name),
        (None, _) => Span::UNDEFINED,
    }
}

/// An error and its causes in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut out = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        out.push_str(": ");
        out.push_str(&cause.to_string());
        next = cause.source();
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_ends_in_a_refusal() {
        let result: Result<(), _> = contained(|| panic!("on purpose"));
        let Err(ParseError::Refused(refusal)) = result else { panic!("{result:?}") };
        assert_eq!(refusal.reason, RefusalReason::Invalid);
        assert!(!refusal.message.contains("on purpose"), "{refusal}");
    }
}
