//! The portable way: a naga module, which wgpu takes to whatever the backend speaks.
//!
//! What keeps optimizers out is [`Portable::sealed`]: the bits of each float that an instruction gives are joined with the zero
//! that nobody knows.

mod body;
mod globals;
mod instructions;
mod memory;

use naga::{
    Binding, BuiltIn, EntryPoint, Expression, FunctionArgument, FunctionResult, GlobalVariable, Handle, Module, Scalar,
    ScalarKind, ShaderStage, Span, Type, TypeInner, VectorSize,
};
use samebit_device::wgsl::lowered::{Builtin, Lowered};

use super::elements::Elements;
use super::padding;
use super::target::Kind;
use body::Body;
use globals::Globals;

type Value = Handle<Expression>;

/// The name of the entry point.
pub(super) const ENTRY_POINT: &str = "main";

/// Types that every module has.
struct Types {
    bool: Handle<Type>,
    word: Handle<Type>,
    /// Of 3 words.
    id: Handle<Type>,
}

/// Builds a module.
pub(super) struct Portable {
    module: Module,
    types: Types,
    globals: Globals,
    /// Functions that are being built, innermost last; the entry point is the first.
    bodies: Vec<Body>,
    workgroup_size: [u32; 3],
}

fn add_type(module: &mut Module, inner: TypeInner) -> Handle<Type> {
    module.types.insert(Type { name: None, inner }, Span::UNDEFINED)
}

impl Portable {
    pub(super) fn new(kernel: &Lowered, elements: &Elements) -> Self {
        let mut module = Module::default();
        let types = Types {
            bool: add_type(&mut module, TypeInner::Scalar(Scalar::BOOL)),
            word: add_type(&mut module, TypeInner::Scalar(Scalar::U32)),
            id: add_type(&mut module, TypeInner::Vector { size: VectorSize::Tri, scalar: Scalar::U32 }),
        };
        let mut entry = Body::default();
        let built_ins = [
            (BuiltIn::LocalInvocationId, types.id),
            (BuiltIn::LocalInvocationIndex, types.word),
            (BuiltIn::WorkGroupId, types.id),
            (BuiltIn::NumWorkGroups, types.id),
            (BuiltIn::GlobalInvocationId, types.id),
        ];
        for (built_in, ty) in built_ins {
            let binding = Some(Binding::BuiltIn(built_in));
            entry.function.arguments.push(FunctionArgument { name: None, ty, binding });
        }
        let globals = Globals::declare(&mut module, types.word, &mut entry, kernel, elements);
        Self { module, types, globals, bodies: vec![entry], workgroup_size: padding::workgroup_size(kernel) }
    }

    /// The module, once everything has been written.
    pub(super) fn finish(mut self) -> Module {
        while let Some(mut body) = self.bodies.pop() {
            body.push(naga::Statement::Return { value: None });
            self.module.entry_points.push(EntryPoint {
                name: ENTRY_POINT.to_owned(),
                stage: ShaderStage::Compute,
                early_depth_test: None,
                workgroup_size: self.workgroup_size,
                workgroup_size_overrides: None,
                function: body.finish(),
                mesh_info: None,
                task_payload: None,
                incoming_ray_payload: None,
            });
        }
        self.module
    }

    fn body(&mut self) -> &mut Body {
        if self.bodies.is_empty() {
            self.bodies.push(Body::default());
        }
        let last = self.bodies.len() - 1;
        &mut self.bodies[last]
    }

    fn expression(&mut self, expression: Expression) -> Value {
        self.body().expression(expression)
    }

    /// The same bits as another kind of number.
    fn bits_as(&mut self, expr: Value, kind: ScalarKind) -> Value {
        self.expression(Expression::As { expr, kind, convert: None })
    }

    fn convert(&mut self, expr: Value, kind: ScalarKind, bytes: u8) -> Value {
        self.expression(Expression::As { expr, kind, convert: Some(bytes) })
    }

    fn float(&mut self, word: Value) -> Value {
        self.bits_as(word, ScalarKind::Float)
    }

    /// The bits of what a float instruction gave, out of sight of whatever follows.
    fn sealed(&mut self, float: Value) -> Value {
        let bits = self.bits_as(float, ScalarKind::Uint);
        self.hide(bits)
    }

    /// The same word, though nobody knows.
    fn hide(&mut self, word: Value) -> Value {
        let zero = self.zero();
        self.plain(naga::BinaryOperator::InclusiveOr, word, zero)
    }

    fn zero(&mut self) -> Value {
        self.body().zero
    }

    fn built_in(&mut self, argument: u32, axis: Option<u8>) -> Value {
        let base = self.expression(Expression::FunctionArgument(argument));
        match axis {
            Some(axis) => self.expression(Expression::AccessIndex { base, index: u32::from(axis) }),
            None => base,
        }
    }

    fn built_in_value(&mut self, builtin: Builtin) -> Value {
        match builtin {
            Builtin::LocalId(axis) => self.built_in(0, Some(axis)),
            Builtin::LocalIndex => self.built_in(1, None),
            Builtin::WorkgroupId(axis) => self.built_in(2, Some(axis)),
            Builtin::NumWorkgroups(axis) => self.built_in(3, Some(axis)),
            Builtin::GlobalId(axis) => self.built_in(4, Some(axis)),
        }
    }

    fn kind_type(&self, kind: Kind) -> Handle<Type> {
        match kind {
            Kind::Bool => self.types.bool,
            Kind::Word => self.types.word,
        }
    }
}

/// The parameter or result of a function.
fn word_argument(ty: Handle<Type>) -> FunctionArgument {
    FunctionArgument { name: None, ty, binding: None }
}

fn word_result(ty: Handle<Type>) -> FunctionResult {
    FunctionResult { ty, binding: None }
}

fn global(name: Option<String>, space: naga::AddressSpace, ty: Handle<Type>) -> GlobalVariable {
    GlobalVariable { name, space, binding: None, ty, init: None, memory_decorations: naga::MemoryDecorations::empty() }
}
