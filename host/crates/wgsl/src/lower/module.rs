//! What is around the entry point: bindings, workgroup memory, private variables, and what an invocation knows of itself.

use super::builder::Built;
use super::data::{Data, Pointer, Values};
use super::function::Lowerer;
use super::indexed;
use super::layout::{Layout, Types};
use super::{leave, overwritten, spans, sweep, tidy};
use crate::lowered::{At, Builtin, Lowered, Memory, Value};
use crate::{Admission, Interface, Kernel, Refusal, admit, limits};
use naga::{AddressSpace, BuiltIn, GlobalVariable, Span, TypeInner};

/// Lowers a kernel on the calling thread.
pub(super) fn lower(kernel: &Kernel, text: &str, admission: Admission) -> Result<Lowered, Refusal> {
    admit::check_constants(kernel, text, admission)?;
    let module = kernel.module();
    let mut lowerer = Lowerer::new(text, Types::new(module), kernel.info(), indexed::analyze(module));
    let workgroup_bytes = lowerer.place_globals(kernel)?;
    let arguments = lowerer.entry_arguments()?;
    let entry = &module.entry_points[0].function;
    lowerer.call(module.functions.len(), entry, kernel.info().get_entry_point(0), arguments)?;
    lowerer.spend(0)?;
    let prologue = std::mem::take(&mut lowerer.prologue);
    let builder = std::mem::take(&mut lowerer.builder);
    let mut built = builder.finish();
    built.body.splice(..0, prologue);
    leave::simplify(&mut built.body, built.labels);
    // Before it is tidied, so that what is admitted does not depend on how well that goes.
    if spans::spans(&built) > limits::LOWERED_SPANS {
        return Err(lowerer.too_large("it keeps too many values across too many branches and loops"));
    }
    let whole = |built: Built| Lowered {
        interface: kernel.interface().clone(),
        workgroup_bytes,
        variables: built.variables,
        arrays: built.arrays,
        values: built.values,
        preamble: built.preamble,
        body: built.body,
    };
    admit::check(&whole(built.clone()), text, admission)?;
    let mut built = tidy::tidy(built, kernel.interface());
    leave::simplify(&mut built.body, built.labels);
    overwritten::leave_out(&mut built.body);
    Ok(whole(sweep::sweep(built)))
}

impl Lowerer<'_> {
    /// Says where each variable of the module is, and gives private ones their first values. The size of the workgroup's
    /// memory comes back.
    fn place_globals(&mut self, kernel: &Kernel) -> Result<u32, Refusal> {
        let module = self.types.module();
        let uses = self.info.get_entry_point(0);
        let mut workgroup_bytes = 0_u32;
        for (handle, variable) in module.global_variables.iter() {
            let inner = self.types.inner(variable.ty);
            let pointer = match variable.space {
                _ if uses[handle].is_empty() => None,
                AddressSpace::Uniform | AddressSpace::Storage { .. } => {
                    let buffer = buffer(kernel.interface(), variable);
                    buffer.map(|buffer| Pointer::start(Memory::Buffer(buffer), Layout::Host, 0))
                }
                AddressSpace::WorkGroup => {
                    let start = workgroup_bytes;
                    let size_bytes = self.types.scalars(inner).saturating_mul(4);
                    workgroup_bytes = start.saturating_add(size_bytes).next_multiple_of(16);
                    Some(Pointer::start(Memory::Workgroup, Layout::Packed, start))
                }
                AddressSpace::Private => Some(self.private(handle, variable, inner)?),
                _ => None,
            };
            self.globals.push(pointer);
        }
        Ok(workgroup_bytes)
    }

    /// A variable of an invocation at module scope.
    fn private(
        &mut self,
        handle: naga::Handle<GlobalVariable>,
        variable: &GlobalVariable,
        inner: &TypeInner,
    ) -> Result<Pointer, Refusal> {
        let words = self.types.scalar_types(inner);
        self.spend(words.len())?;
        let pointer = if self.analysis.globals.contains(&handle) {
            Pointer::start(Memory::Array(self.new_array(words.len())?), Layout::Packed, 0)
        } else {
            let first = u32::try_from(self.builder.variables.len()).unwrap_or(u32::MAX);
            for ty in words {
                self.builder.variable(ty);
            }
            Pointer::Variables(first)
        };
        if let Some(init) = variable.init {
            let values = self.constant(init)?;
            self.store(&pointer, inner, &values, At::UNKNOWN)?;
        }
        Ok(pointer)
    }

    /// What the entry point is given: built-in values, or structures of them.
    fn entry_arguments(&mut self) -> Result<Vec<Data>, Refusal> {
        let entry = &self.types.module().entry_points[0].function;
        let mut arguments = Vec::with_capacity(entry.arguments.len());
        for argument in &entry.arguments {
            let bindings = match (&argument.binding, self.types.inner(argument.ty)) {
                (None, TypeInner::Struct { members, .. }) => members.iter().map(|m| m.binding.as_ref()).collect(),
                (binding, _) => vec![binding.as_ref()],
            };
            let mut values = Vec::new();
            for binding in bindings {
                let Some(naga::Binding::BuiltIn(built_in)) = binding else {
                    return Err(
                        self.unsupported(Span::UNDEFINED, "an argument of the entry point is no built-in value")
                    );
                };
                values.extend(self.built_in_value(*built_in)?);
            }
            arguments.push(Data::Values(Values::new(values)));
        }
        Ok(arguments)
    }

    /// The scalars of a built-in value.
    fn built_in_value(&mut self, built_in: BuiltIn) -> Result<Vec<Value>, Refusal> {
        let of_axis: fn(u8) -> Builtin = match built_in {
            BuiltIn::GlobalInvocationId => Builtin::GlobalId,
            BuiltIn::LocalInvocationId => Builtin::LocalId,
            BuiltIn::WorkGroupId => Builtin::WorkgroupId,
            BuiltIn::NumWorkGroups => Builtin::NumWorkgroups,
            BuiltIn::LocalInvocationIndex => return Ok(vec![self.builder.builtin(Builtin::LocalIndex)]),
            _ => return Err(self.unsupported(Span::UNDEFINED, "it uses a built-in value that no kernel has")),
        };
        Ok((0..3).map(|axis| self.builder.builtin(of_axis(axis))).collect())
    }
}

/// The number of a variable's binding.
fn buffer(interface: &Interface, variable: &GlobalVariable) -> Option<u32> {
    let at = variable.binding.as_ref()?;
    let same = |decl: &crate::BindingDecl| (decl.group, decl.binding) == (at.group, at.binding);
    u32::try_from(interface.bindings.iter().position(same)?).ok()
}
