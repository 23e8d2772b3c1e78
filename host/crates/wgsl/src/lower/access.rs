//! Parts of composites, in memory and in values: every index stays inside.

use super::data::{Data, Pointer, Values};
use super::function::{Frame, Lowerer};
use super::layout::{Layout, Parts};
use crate::Refusal;
use crate::lowered::{At, AtomicOp, Binary, Memory, Op, Place, Stmt, Term, Type, Value};
use naga::{Expression, Handle, TypeInner};
use std::rc::Rc;

/// Most scalars of a value whose part is chosen by comparing the index instead of through memory.
pub(super) const SELECTED: usize = 4;

impl<'a> Lowerer<'a> {
    /// `base[index]`.
    pub(super) fn access(
        &mut self,
        frame: &mut Frame<'a>,
        base: Handle<Expression>,
        index: Handle<Expression>,
        at: At,
    ) -> Result<Data, Refusal> {
        let index = self.scalar(frame, index)?;
        let base_inner = self.inner(frame, base);
        match self.data(frame, base)? {
            Data::Pointer(pointer) => {
                let inner = self.pointee(base_inner);
                let parts = self.types.parts(pointer.layout(), &inner);
                let last = self.last(&pointer, &parts);
                let index = self.builder.clamp(index, last, at);
                match self.builder.constant_of(index) {
                    Some(index) => Ok(Data::Pointer(part(&pointer, &parts, index))),
                    None => self.indexed(frame, base, &pointer, index, parts.stride),
                }
            }
            Data::Values(values) => {
                let parts = self.types.parts(Layout::Packed, base_inner);
                let last = self.builder.int(parts.count.unwrap_or(1).saturating_sub(1));
                let index = self.builder.clamp(index, last, at);
                self.part_of_values(frame, base, &values, index, &parts, at).map(Data::Values)
            }
        }
    }

    /// `base[index]` with a constant, or a member.
    pub(super) fn access_index(
        &mut self,
        frame: &mut Frame<'a>,
        base: Handle<Expression>,
        index: u32,
        at: At,
    ) -> Result<Data, Refusal> {
        let base_inner = self.inner(frame, base);
        let data = self.data(frame, base)?;
        let (inner, layout) = match &data {
            Data::Pointer(pointer) => (self.pointee(base_inner), pointer.layout()),
            Data::Values(_) => (std::borrow::Cow::Borrowed(base_inner), Layout::Packed),
        };
        if let TypeInner::Struct { members, .. } = &*inner {
            let (bytes, scalars) = self.types.member(layout, &inner, index);
            let count = members.get(index as usize).map_or(0, |member| self.types.scalars_of(member.ty));
            return Ok(match data {
                Data::Pointer(pointer) => Data::Pointer(pointer.advanced(bytes, scalars)),
                Data::Values(values) => Data::Values(values.part(scalars as usize, count as usize)),
            });
        }
        let parts = self.types.parts(layout, &inner);
        let inside = parts.count.map(|count| index.min(count.saturating_sub(1)));
        match (data, inside) {
            (Data::Pointer(pointer), Some(index)) => Ok(Data::Pointer(part(&pointer, &parts, index))),
            (Data::Pointer(pointer), None) => {
                let last = self.last(&pointer, &parts);
                let index = self.builder.int(index);
                let index = self.builder.clamp(index, last, at);
                match self.builder.constant_of(index) {
                    Some(index) => Ok(Data::Pointer(part(&pointer, &parts, index))),
                    None => self.indexed(frame, base, &pointer, index, parts.stride),
                }
            }
            (Data::Values(values), index) => {
                let (index, scalars) = (index.unwrap_or(0) as usize, parts.scalars as usize);
                Ok(Data::Values(values.part(index.saturating_mul(scalars), scalars)))
            }
        }
    }

    /// The pointer to an element that is not known before.
    fn indexed(
        &mut self,
        frame: &Frame<'a>,
        base: Handle<Expression>,
        pointer: &Pointer,
        index: Value,
        stride: u32,
    ) -> Result<Data, Refusal> {
        let Pointer::Memory { memory, layout, constant, terms } = pointer else {
            return Err(self.unsupported(frame.span(base), "a variable is indexed in an unexpected way"));
        };
        let terms: Rc<[Term]> = terms.iter().copied().chain([Term { index, stride }]).collect();
        Ok(Data::Pointer(Pointer::Memory { memory: *memory, layout: *layout, constant: *constant, terms }))
    }

    /// The last index of what a pointer points to.
    fn last(&mut self, pointer: &Pointer, parts: &Parts) -> Value {
        if let Some(count) = parts.count {
            return self.builder.int(count.saturating_sub(1));
        }
        let count = self.count(pointer, parts.stride);
        let one = self.builder.int(1);
        let last = self.builder.binary(Binary::Subtract, count, one);
        // There is at least one element, so nothing wraps.
        let max = crate::limits::STORAGE_BINDING_BYTES / u64::from(parts.stride.max(1));
        self.builder.bound(last, u32::try_from(max).unwrap_or(u32::MAX).saturating_sub(1));
        last
    }

    /// How many elements the runtime-sized array has that a pointer points to.
    pub(super) fn count(&mut self, pointer: &Pointer, stride: u32) -> Value {
        let Pointer::Memory { memory: Memory::Buffer(buffer), constant, .. } = pointer else {
            return self.builder.int(1);
        };
        let length = self.builder.pure(Op::Length(*buffer));
        let before = self.builder.int(*constant);
        let bytes = self.builder.binary(Binary::Subtract, length, before);
        self.builder.bound(bytes, u32::try_from(crate::limits::STORAGE_BINDING_BYTES).unwrap_or(u32::MAX));
        let stride = self.builder.int(stride);
        self.builder.binary(Binary::DivideUnsigned, bytes, stride)
    }

    /// A part of a value, by an index inside it.
    fn part_of_values(
        &mut self,
        frame: &mut Frame<'a>,
        base: Handle<Expression>,
        values: &Values,
        index: Value,
        parts: &Parts,
        at: At,
    ) -> Result<Values, Refusal> {
        let scalars = parts.scalars as usize;
        if let Some(index) = self.builder.constant_of(index) {
            return Ok(values.part((index as usize).saturating_mul(scalars), scalars));
        }
        let array = match frame.spilled.get(&base) {
            Some(array) => *array,
            None => match self.table(values)? {
                Some(array) => array,
                None => return Ok(self.selected(values, index, scalars)),
            },
        };
        let types: Vec<Type> = values.iter().take(scalars).map(|&value| self.builder.type_of(value)).collect();
        self.spend(types.len())?;
        let mut loaded = Vec::with_capacity(types.len());
        let mut constant = 0;
        for run in types.chunk_by(|a, b| a == b).flat_map(|run| run.chunks(4)) {
            let place =
                Place { memory: Memory::Array(array), constant, terms: vec![Term { index, stride: parts.stride }], at };
            let count = u8::try_from(run.len()).unwrap_or(4);
            loaded.extend(self.builder.load(place, run[0], count, false));
            constant += u32::from(count) * 4;
        }
        Ok(Values::new(loaded))
    }

    /// The array that holds a constant, if it is one and not small.
    fn table(&mut self, values: &Values) -> Result<Option<crate::lowered::Array>, Refusal> {
        if values.len() <= SELECTED {
            return Ok(None);
        }
        self.spend(values.len())?;
        let bits: Option<Vec<u32>> = values.iter().map(|&value| self.builder.constant_of(value)).collect();
        let Some(bits) = bits else { return Ok(None) };
        if let Some(array) = self.tables.get(&bits) {
            return Ok(Some(*array));
        }
        // A new one, that no call before has written to, and that none gets after.
        let array = self.new_array(bits.len())?;
        for (index, bits) in (0..).zip(bits.chunks(4)) {
            let place =
                Place { memory: Memory::Array(array), constant: index * 16, terms: Vec::new(), at: At::UNKNOWN };
            let values = bits.iter().map(|&bits| self.builder.int(bits)).collect();
            self.prologue.push(Stmt::Store { place, values });
        }
        self.tables.insert(bits, array);
        Ok(Some(array))
    }

    /// A part of a value, found by comparing the index.
    fn selected(&mut self, values: &Values, index: Value, scalars: usize) -> Values {
        let mut chosen: Vec<Value> = values.part(0, scalars).to_vec();
        for (number, part) in (0..).zip(values.chunks(scalars.max(1))).skip(1) {
            let number = self.builder.int(number);
            let is_it = self.builder.binary(Binary::Equal, index, number);
            for (chosen, &value) in chosen.iter_mut().zip(part) {
                *chosen = self.builder.select(is_it, value, *chosen);
            }
        }
        Values::new(chosen)
    }

    /// Reads what a pointer points to.
    pub(super) fn load(
        &mut self,
        pointer: &Pointer,
        inner: &TypeInner,
        at: At,
        is_uniform: bool,
    ) -> Result<Values, Refusal> {
        let runs = self.types.runs(pointer.layout(), inner);
        self.spend(runs.len())?;
        let mut values = Vec::new();
        for run in runs {
            let first = u32::try_from(values.len()).unwrap_or(u32::MAX);
            match pointer.place(run.offset, at) {
                Some(place) if run.is_atomic && !is_uniform => {
                    let value = self.builder.value(Type::Int);
                    self.builder.push(Stmt::Atomic { result: Some(value), op: AtomicOp::Load, place, operand: None });
                    values.push(value);
                }
                Some(place) => values.extend(self.builder.load(place, run.ty, run.count, is_uniform)),
                None => {
                    let variables = (0..u32::from(run.count)).filter_map(|scalar| pointer.variable(first + scalar));
                    values.extend(variables.map(|variable| self.builder.get(variable)));
                }
            }
        }
        self.spend(values.len())?;
        Ok(Values::new(values))
    }

    /// Writes what a pointer points to.
    pub(super) fn store(
        &mut self,
        pointer: &Pointer,
        inner: &TypeInner,
        values: &Values,
        at: At,
    ) -> Result<(), Refusal> {
        let runs = self.types.runs(pointer.layout(), inner);
        self.spend(values.len())?;
        let mut first = 0;
        for run in runs {
            let part = values.part(first as usize, usize::from(run.count));
            match (pointer.place(run.offset, at), part.first()) {
                (Some(place), Some(&operand)) if run.is_atomic => {
                    let operand = Some(operand);
                    self.builder.push(Stmt::Atomic { result: None, op: AtomicOp::Store, place, operand });
                }
                (Some(place), _) => self.builder.store(place, &part),
                (None, _) => {
                    for (scalar, &value) in (first..).zip(part.iter()) {
                        if let Some(variable) = pointer.variable(scalar) {
                            self.builder.set(variable, value);
                        }
                    }
                }
            }
            first += u32::from(run.count);
        }
        Ok(())
    }
}

/// A part of what a pointer points to, by an index inside it.
fn part(pointer: &Pointer, parts: &Parts, index: u32) -> Pointer {
    pointer.advanced(index.saturating_mul(parts.stride), index.saturating_mul(parts.scalars))
}
