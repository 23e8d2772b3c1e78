//! Functions: each call is replaced by the function's body, with variables of its own.

use super::data::{Data, Pointer, Values};
use super::indexed::Analysis;
use super::layout::{Layout, Types};
use super::{Builder, returns};
use crate::lowered::{Array, At, Label, Memory, Place, Stmt, Type, Value};
use crate::{Refusal, RefusalReason, limits, scan, text};
use naga::valid::{FunctionInfo, ModuleInfo};
use naga::{Block, Expression, Function, Handle, Span, TypeInner};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// Lowers one kernel.
pub(super) struct Lowerer<'a> {
    pub(super) text: &'a str,
    pub(super) types: Types<'a>,
    pub(super) info: &'a ModuleInfo,
    pub(super) builder: Builder,
    pub(super) analysis: Analysis,
    /// Where each module-scope variable is.
    pub(super) globals: Vec<Option<Pointer>>,
    /// Constant expressions of the module.
    pub(super) constants: BTreeMap<usize, Values>,
    /// Constant arrays that are indexed, by their bits, and what fills them.
    pub(super) tables: BTreeMap<Vec<u32>, Array>,
    pub(super) prologue: crate::lowered::Block,
    /// Arrays that no call uses right now, by size.
    free: BTreeMap<u32, Vec<Array>>,
    array_bytes: u32,
    work: u64,
    depth: u32,
}

/// A function while its body is lowered.
pub(super) struct Frame<'a> {
    pub(super) function: &'a Function,
    pub(super) info: &'a FunctionInfo,
    /// Its number in the analysis.
    index: usize,
    /// What each expression stands for, once it is evaluated.
    data: Vec<Option<Data>>,
    pub(super) locals: Vec<Pointer>,
    pub(super) arguments: Vec<Data>,
    /// Values in memory, since they are indexed.
    pub(super) spilled: BTreeMap<Handle<Expression>, Array>,
    arrays: Vec<Array>,
    /// What a `continue` may have skipped where it is used in a `continuing` block, which WGSL forbids and naga does not.
    pub(super) bypassed: BTreeSet<usize>,
    /// What `break` leaves, innermost last.
    pub(super) breaks: Vec<Label>,
    /// What `continue` continues, innermost last.
    pub(super) loops: Vec<Label>,
    pub(super) exit: Exit,
}

/// What `return` does.
pub(super) enum Exit {
    /// Nothing but to give the value: it is the last statement.
    Tail(Option<Values>),
    /// Leaves a scope, with the value in variables from this one on.
    Leave(Label, Pointer),
}

impl<'a> Lowerer<'a> {
    /// Lowers the kernel of `module`.
    pub(super) fn new(text: &'a str, types: Types<'a>, info: &'a ModuleInfo, analysis: Analysis) -> Self {
        let workgroup_size = types.module().entry_points[0].workgroup_size;
        Self {
            text,
            types,
            info,
            builder: Builder::new(workgroup_size),
            analysis,
            globals: Vec::new(),
            constants: BTreeMap::new(),
            tables: BTreeMap::new(),
            prologue: Vec::new(),
            free: BTreeMap::new(),
            array_bytes: 0,
            work: 0,
            depth: 0,
        }
    }

    /// Takes account of so many scalars. Refuses a kernel that takes too many.
    pub(super) fn spend(&mut self, scalars: usize) -> Result<(), Refusal> {
        self.work = self.work.saturating_add(u64::try_from(scalars).unwrap_or(u64::MAX));
        if self.work > limits::LOWERED_WORK || self.builder.is_too_large() {
            return Err(self.too_large("with its calls and composite values taken apart, it is too large"));
        }
        Ok(())
    }

    /// Goes one level deeper into blocks and calls.
    pub(super) fn deepen(&mut self) -> Result<(), Refusal> {
        self.depth += 1;
        if self.depth > limits::LOWERED_DEPTH {
            return Err(self.too_large("blocks and calls nest too deep inside one another"));
        }
        Ok(())
    }

    /// Comes back from [`Self::deepen`].
    pub(super) fn surface(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    /// Refuses the kernel.
    pub(super) fn too_large(&self, what: &str) -> Refusal {
        let span = scan::function(self.text, &self.types.module().entry_points[0].name);
        Refusal::at_span(RefusalReason::TooLarge, self.text, span, what, "split it up")
    }

    /// Refuses what is at `span`.
    pub(super) fn unsupported(&self, span: Span, what: &str) -> Refusal {
        Refusal::at_span(RefusalReason::Unsupported, self.text, span, what, "do without it")
    }

    /// Lowers a call of a function, and gives back its result: no scalars if it has none.
    pub(super) fn call(
        &mut self,
        index: usize,
        function: &'a Function,
        info: &'a FunctionInfo,
        arguments: Vec<Data>,
    ) -> Result<Values, Refusal> {
        self.deepen()?;
        self.spend(function.expressions.len())?;
        let mut frame = Frame {
            function,
            info,
            index,
            data: vec![None; function.expressions.len()],
            locals: Vec::with_capacity(function.local_variables.len()),
            arguments,
            spilled: BTreeMap::new(),
            arrays: Vec::new(),
            bypassed: BTreeSet::new(),
            breaks: Vec::new(),
            loops: Vec::new(),
            exit: Exit::Tail(None),
        };
        self.enter(&mut frame)?;
        let values = if returns::is_tail(&function.body) {
            self.block(&mut frame, &function.body)?;
            match frame.exit {
                Exit::Tail(Some(values)) => values,
                _ => Values::new(Vec::new()),
            }
        } else {
            self.scope(&mut frame)?
        };
        for array in frame.arrays {
            let size_bytes = self.builder.arrays[array.0 as usize];
            self.free.entry(size_bytes).or_default().push(array);
        }
        self.surface();
        Ok(values)
    }

    /// Lowers the body of a function that returns early.
    fn scope(&mut self, frame: &mut Frame<'a>) -> Result<Values, Refusal> {
        let label = self.builder.label();
        let types = frame.function.result.as_ref().map_or_else(Vec::new, |result| {
            let inner = self.types.inner(result.ty);
            self.types.scalar_types(inner)
        });
        self.spend(types.len())?;
        let variables: Vec<_> = types.iter().map(|ty| self.builder.variable(*ty)).collect();
        let first = variables.first().map_or(0, |variable| variable.0);
        frame.exit = Exit::Leave(label, Pointer::Variables(first));
        self.builder.open();
        let done = self.block(frame, &frame.function.body);
        let body = self.builder.close();
        done?;
        self.builder.push(Stmt::Scope { label, body });
        Ok(Values::new(variables.into_iter().map(|variable| self.builder.get(variable)).collect()))
    }

    /// Makes the variables of a function and gives them their first values.
    fn enter(&mut self, frame: &mut Frame<'a>) -> Result<(), Refusal> {
        for (handle, local) in frame.function.local_variables.iter() {
            let inner = self.types.inner(local.ty);
            let is_indexed = self.analysis.functions[frame.index].locals.contains(&handle);
            let pointer = self.variable(frame, inner, is_indexed)?;
            frame.locals.push(pointer);
        }
        for (handle, local) in frame.function.local_variables.iter() {
            let inner = self.types.inner(local.ty);
            let pointer = frame.locals[handle.index()].clone();
            let values = match local.init {
                Some(init) => self.values(frame, init)?,
                None => self.zeros(inner)?,
            };
            match pointer {
                Pointer::Memory { memory: Memory::Array(array), .. } => self.fill(array, &values),
                _ => self.store(&pointer, inner, &values, At::UNKNOWN)?,
            }
        }
        Ok(())
    }

    /// A variable of an invocation.
    pub(super) fn variable(
        &mut self,
        frame: &mut Frame<'a>,
        inner: &TypeInner,
        is_indexed: bool,
    ) -> Result<Pointer, Refusal> {
        let types = self.types.scalar_types(inner);
        self.spend(types.len())?;
        if is_indexed {
            let array = self.array(types.len())?;
            frame.arrays.push(array);
            return Ok(Pointer::start(Memory::Array(array), Layout::Packed, 0));
        }
        let first = u32::try_from(self.builder.variables.len()).unwrap_or(u32::MAX);
        for ty in types {
            self.builder.variable(ty);
        }
        Ok(Pointer::Variables(first))
    }

    /// An array of so many words, which may have been used before.
    pub(super) fn array(&mut self, words: usize) -> Result<Array, Refusal> {
        let size_bytes = u32::try_from(words).unwrap_or(u32::MAX).saturating_mul(4);
        if let Some(array) = self.free.get_mut(&size_bytes).and_then(Vec::pop) {
            return Ok(array);
        }
        self.new_array(words)
    }

    /// An array of so many words, zero at first.
    pub(super) fn new_array(&mut self, words: usize) -> Result<Array, Refusal> {
        let size_bytes = u32::try_from(words).unwrap_or(u32::MAX).saturating_mul(4);
        self.array_bytes = self.array_bytes.saturating_add(size_bytes);
        if self.array_bytes > limits::LOWERED_ARRAY_BYTES {
            return Err(self.too_large("an invocation's indexed variables and values need too much memory"));
        }
        Ok(self.builder.array(size_bytes))
    }

    /// What an expression stands for.
    pub(super) fn data(&mut self, frame: &mut Frame<'a>, handle: Handle<Expression>) -> Result<Data, Refusal> {
        if frame.bypassed.contains(&handle.index()) {
            let (what, todo) = ("a `continue` may skip this declaration, which `continuing` uses", "declare it before");
            return Err(Refusal::at_span(RefusalReason::Invalid, self.text, frame.span(handle), what, todo));
        }
        if let Some(Some(data)) = frame.data.get(handle.index()) {
            return Ok(data.clone());
        }
        // Constants and the like are not emitted, but there from the start.
        let data = self.evaluate(frame, handle)?;
        self.define(frame, handle, data.clone())?;
        Ok(data)
    }

    /// Sets what an expression stands for.
    pub(super) fn define(
        &mut self,
        frame: &mut Frame<'a>,
        handle: Handle<Expression>,
        data: Data,
    ) -> Result<(), Refusal> {
        if let Data::Values(values) = &data {
            self.spend(1)?;
            if self.analysis.functions[frame.index].values.contains(&handle) {
                self.spill(frame, handle, values)?;
            }
        }
        frame.data[handle.index()] = Some(data);
        Ok(())
    }

    /// The scalars that an expression stands for.
    pub(super) fn values(&mut self, frame: &mut Frame<'a>, handle: Handle<Expression>) -> Result<Values, Refusal> {
        match self.data(frame, handle)? {
            Data::Values(values) => Ok(values),
            Data::Pointer(_) => Err(self.unsupported(frame.span(handle), "a pointer is used as a value")),
        }
    }

    /// The scalar that an expression stands for.
    pub(super) fn scalar(&mut self, frame: &mut Frame<'a>, handle: Handle<Expression>) -> Result<Value, Refusal> {
        let values = self.values(frame, handle)?;
        values.first().copied().ok_or_else(|| self.unsupported(frame.span(handle), "it has no value"))
    }

    /// The pointer that an expression stands for.
    pub(super) fn pointer(&mut self, frame: &mut Frame<'a>, handle: Handle<Expression>) -> Result<Pointer, Refusal> {
        match self.data(frame, handle)? {
            Data::Pointer(pointer) => Ok(pointer),
            Data::Values(_) => Err(self.unsupported(frame.span(handle), "a value is used as a pointer")),
        }
    }

    /// The type of an expression.
    pub(super) fn inner(&self, frame: &Frame<'a>, handle: Handle<Expression>) -> &'a TypeInner {
        frame.info[handle].ty.inner_with(&self.types.module().types)
    }

    /// The type that a pointer of this type points to.
    pub(super) fn pointee(&self, pointer: &TypeInner) -> Cow<'a, TypeInner> {
        match *pointer {
            TypeInner::Pointer { base, .. } => Cow::Borrowed(self.types.inner(base)),
            TypeInner::ValuePointer { size: Some(size), scalar, .. } => Cow::Owned(TypeInner::Vector { size, scalar }),
            TypeInner::ValuePointer { size: None, scalar, .. } => Cow::Owned(TypeInner::Scalar(scalar)),
            ref inner => Cow::Owned(inner.clone()),
        }
    }

    /// Zeros of a type.
    pub(super) fn zeros(&mut self, inner: &TypeInner) -> Result<Values, Refusal> {
        let types: Vec<Type> = self.types.scalar_types(inner);
        self.spend(types.len())?;
        Ok(Values::new(types.into_iter().map(|ty| self.builder.zero(ty)).collect()))
    }

    /// Puts a value that is indexed into memory, unless it is constant: then a table does.
    fn spill(&mut self, frame: &mut Frame<'a>, handle: Handle<Expression>, values: &Values) -> Result<(), Refusal> {
        let is_constant = values.iter().all(|&value| self.builder.constant_of(value).is_some());
        if is_constant || values.len() <= super::access::SELECTED {
            return Ok(());
        }
        let array = self.array(values.len())?;
        frame.arrays.push(array);
        self.fill(array, values);
        frame.spilled.insert(handle, array);
        Ok(())
    }

    /// Writes all words of an array.
    pub(super) fn fill(&mut self, array: Array, values: &[Value]) {
        for (index, values) in (0..).zip(values.chunks(4)) {
            let place =
                Place { memory: Memory::Array(array), constant: index * 16, terms: Vec::new(), at: At::UNKNOWN };
            self.builder.store(place, values);
        }
    }
}

impl Frame<'_> {
    /// Where an expression is.
    pub(super) fn span(&self, handle: Handle<Expression>) -> Span {
        self.function.expressions.get_span(handle)
    }

    /// Where an expression starts.
    pub(super) fn at(&self, handle: Handle<Expression>) -> At {
        at(self.span(handle))
    }
}

/// Where a span starts.
pub(super) fn at(span: Span) -> At {
    text::start(span).and_then(|start| u32::try_from(start).ok()).map_or(At::UNKNOWN, At)
}

/// The statements of a function's body that are lowered one by one.
impl<'a> Lowerer<'a> {
    /// Lowers a block into the current one. True if its end is not reached.
    pub(super) fn block(&mut self, frame: &mut Frame<'a>, block: &'a Block) -> Result<bool, Refusal> {
        self.deepen()?;
        let mut ends = false;
        for (statement, &span) in block.span_iter() {
            self.spend(1)?;
            if self.statement(frame, statement, span)? {
                ends = true;
                break;
            }
        }
        self.surface();
        Ok(ends)
    }
}
