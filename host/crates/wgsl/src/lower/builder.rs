//! Takes operations and statements one by one, and keeps the lowered form small: constants are folded, what is the same
//! in the whole dispatch goes to the preamble, and what was computed before in an enclosing block is not computed again.
//!
//! Floats are folded by [`eval`] alone: no identity of real numbers holds for them (`x + 0` loses the sign of zero).

use super::fold::{self, Fact};
use crate::limits;
use crate::lowered::{
    Array, At, Binary, Block, Builtin, Label, MathFunction, Memory, Op, Place, Stmt, Type, Unary, Value, Variable,
};
use std::collections::{BTreeMap, BTreeSet};

/// A block that is being written, and what it has computed so far.
#[derive(Debug, Default)]
struct Open {
    statements: Block,
    /// What is no longer in scope afterwards.
    computed: Vec<(Type, Op)>,
    /// Upper bounds that hold in here only, and what they were before.
    bounds: Vec<(Value, u32)>,
    /// Comparisons that hold in here only.
    less: Vec<(Value, Value)>,
}

/// Builds a lowered kernel.
#[derive(Debug, Default)]
pub(super) struct Builder {
    /// What is known of each value.
    facts: Vec<Fact>,
    /// The type of each variable.
    pub(super) variables: Vec<Type>,
    /// The size of each array in bytes.
    pub(super) arrays: Vec<u32>,
    preamble: Vec<(Value, Op)>,
    /// Operations whose values are in scope.
    computed: BTreeMap<(Type, Op), Value>,
    /// The operation of each value that has one.
    ops: BTreeMap<Value, Op>,
    /// Pairs of values of which the first is less, as unsigned numbers.
    less: BTreeSet<(Value, Value)>,
    open: Vec<Open>,
    labels: u32,
    workgroup_size: [u32; 3],
    /// Statements, operations and operands so far.
    size: u32,
}

/// What a builder has built.
#[derive(Clone)]
pub(super) struct Built {
    /// The type of each value.
    pub(super) values: Vec<Type>,
    /// The preamble.
    pub(super) preamble: Vec<(Value, Op)>,
    /// The type of each variable.
    pub(super) variables: Vec<Type>,
    /// The size of each array in bytes.
    pub(super) arrays: Vec<u32>,
    /// The body.
    pub(super) body: Block,
    /// Labels of the body are less.
    pub(super) labels: u32,
}

impl Builder {
    /// Builds for workgroups of this size.
    pub(super) fn new(workgroup_size: [u32; 3]) -> Self {
        Self {
            facts: Vec::new(),
            variables: Vec::new(),
            arrays: Vec::new(),
            preamble: Vec::new(),
            computed: BTreeMap::new(),
            ops: BTreeMap::new(),
            less: BTreeSet::new(),
            open: vec![Open::default()],
            labels: 0,
            workgroup_size,
            size: 0,
        }
    }

    /// Ends the outermost block.
    pub(super) fn finish(mut self) -> Built {
        let body = self.open.pop().map_or_else(Vec::new, |open| open.statements);
        let values = self.facts.iter().map(|fact| fact.ty).collect();
        Built {
            values,
            preamble: self.preamble,
            variables: self.variables,
            arrays: self.arrays,
            body,
            labels: self.labels,
        }
    }

    /// Whether more was built than a kernel may be.
    pub(super) fn is_too_large(&self) -> bool {
        self.size > limits::LOWERED_SIZE
    }

    /// What is known of a value.
    pub(super) fn fact(&self, value: Value) -> &Fact {
        &self.facts[value.0 as usize]
    }

    /// The type of a value.
    pub(super) fn type_of(&self, value: Value) -> Type {
        self.fact(value).ty
    }

    /// The bits of a value that is a constant.
    pub(super) fn constant_of(&self, value: Value) -> Option<u32> {
        self.fact(value).constant
    }

    /// Lowers the upper bound of a value: whoever calls this knows better.
    pub(super) fn bound(&mut self, value: Value, max: u32) {
        let fact = &mut self.facts[value.0 as usize];
        fact.max = fact.max.min(max);
    }

    /// A new value that statements define.
    pub(super) fn value(&mut self, ty: Type) -> Value {
        self.define(Fact::any(ty))
    }

    /// Lowers the upper bound of a value up to the end of the current block. What is in the preamble is used elsewhere
    /// as well, so it keeps its bound.
    pub(super) fn bound_here(&mut self, value: Value, max: u32) {
        let fact = &mut self.facts[value.0 as usize];
        if max < fact.max
            && !fact.is_preamble
            && let Some(open) = self.open.last_mut()
        {
            open.bounds.push((value, fact.max));
            fact.max = max;
        }
    }

    /// Up to the end of the current block, `a` is less than `b`, as unsigned numbers.
    pub(super) fn less_here(&mut self, a: Value, b: Value) {
        if let Some(open) = self.open.last_mut()
            && self.less.insert((a, b))
        {
            open.less.push((a, b));
        }
    }

    /// Whether an index is known to be at most `last`, since it is less than one more.
    fn is_inside(&self, index: Value, last: Value) -> bool {
        let Some(&Op::Binary(Binary::Subtract, count, one)) = self.op_of(last) else { return false };
        // What is less than something unsigned proves that this is not zero.
        self.constant_of(one) == Some(1) && self.less.contains(&(index, count))
    }

    /// The operation that gives a value.
    pub(super) fn op_of(&self, value: Value) -> Option<&Op> {
        self.ops.get(&value)
    }

    fn define(&mut self, fact: Fact) -> Value {
        let value = Value(u32::try_from(self.facts.len()).unwrap_or(u32::MAX));
        self.facts.push(fact);
        value
    }

    /// A new variable.
    pub(super) fn variable(&mut self, ty: Type) -> Variable {
        self.variables.push(ty);
        self.size = self.size.saturating_add(1);
        Variable(u32::try_from(self.variables.len() - 1).unwrap_or(u32::MAX))
    }

    /// A new array.
    pub(super) fn array(&mut self, size_bytes: u32) -> Array {
        self.arrays.push(size_bytes);
        Array(u32::try_from(self.arrays.len() - 1).unwrap_or(u32::MAX))
    }

    /// Keeps the labels that a body has already.
    pub(super) fn reserve_labels(&mut self, labels: u32) {
        self.labels = labels;
    }

    /// A new label.
    pub(super) fn label(&mut self) -> Label {
        self.labels += 1;
        Label(self.labels - 1)
    }

    /// Ends a block that [`Self::open`] began.
    pub(super) fn close(&mut self) -> Block {
        self.forget();
        self.open.pop().unwrap_or_default().statements
    }

    /// Forgets what the current block has computed: it may not have been, where what comes next starts.
    pub(super) fn forget(&mut self) {
        let Some(open) = self.open.last_mut() else { return };
        for key in open.computed.drain(..) {
            self.computed.remove(&key);
        }
        // The first that was noted is the oldest.
        for (value, max) in open.bounds.drain(..).rev() {
            self.facts[value.0 as usize].max = max;
        }
        for pair in open.less.drain(..) {
            self.less.remove(&pair);
        }
    }

    /// Begins a block inside the current one.
    pub(super) fn open(&mut self) {
        self.open.push(Open::default());
    }

    /// Adds a statement to the current block.
    pub(super) fn push(&mut self, statement: Stmt) {
        let operands = match &statement {
            Stmt::Store { values, .. } => values.len(),
            Stmt::Load { count, .. } => usize::from(*count),
            Stmt::Let(_, op) => cost(op),
            _ => 0,
        };
        self.grow(1 + operands);
        if let Some(open) = self.open.last_mut() {
            open.statements.push(statement);
        }
    }

    fn grow(&mut self, by: usize) {
        self.size = self.size.saturating_add(u32::try_from(by).unwrap_or(u32::MAX));
    }

    /// What an operation gives.
    pub(super) fn pure(&mut self, op: Op) -> Value {
        let ty = fold::result_type(&op, |value| self.type_of(value));
        self.typed(ty, op)
    }

    fn typed(&mut self, ty: Type, op: Op) -> Value {
        match fold::simplify(&op, |value| self.fact(value), self.workgroup_size) {
            Some(fold::Simple::Same(value)) => return value,
            Some(fold::Simple::Constant(bits)) => return self.constant(ty, bits),
            Some(fold::Simple::Op(op)) => return self.pure(op),
            Some(fold::Simple::Bits(op, value, bits)) => {
                let bits = self.int(bits);
                return self.binary(op, value, bits);
            }
            None => {}
        }
        if let Op::Clamp { index, last, .. } = op
            && self.is_inside(index, last)
        {
            return index;
        }
        let mut key = (ty, op);
        let op = key.1.clone();
        if let Op::Clamp { at, .. } = &mut key.1 {
            *at = At::UNKNOWN;
        }
        if let Some(&value) = self.computed.get(&key) {
            return value;
        }
        let fact = fold::fact(ty, &op, |value| self.fact(value), self.workgroup_size);
        let is_preamble = fact.is_preamble;
        let value = self.define(fact);
        self.computed.insert(key.clone(), value);
        self.ops.insert(value, op.clone());
        if is_preamble {
            self.grow(1 + cost(&op));
            self.preamble.push((value, op));
        } else {
            if let Some(open) = self.open.last_mut() {
                open.computed.push(key);
            }
            self.push(Stmt::Let(value, op));
        }
        value
    }

    /// A constant by its bits.
    pub(super) fn constant(&mut self, ty: Type, bits: u32) -> Value {
        self.typed(ty, Op::Constant(bits))
    }

    /// An integer constant.
    pub(super) fn int(&mut self, bits: u32) -> Value {
        self.constant(Type::Int, bits)
    }

    /// A float constant.
    pub(super) fn float(&mut self, float: f32) -> Value {
        let bits = if float.is_nan() { crate::lowered::eval::NAN } else { float.to_bits() };
        self.constant(Type::Float, bits)
    }

    /// True or false.
    pub(super) fn bool(&mut self, is_true: bool) -> Value {
        self.constant(Type::Bool, u32::from(is_true))
    }

    /// Zero or false.
    pub(super) fn zero(&mut self, ty: Type) -> Value {
        self.constant(ty, 0)
    }

    /// Something the invocation knows of itself.
    pub(super) fn builtin(&mut self, builtin: Builtin) -> Value {
        self.pure(Op::Builtin(builtin))
    }

    /// An operation of one value.
    pub(super) fn unary(&mut self, op: Unary, a: Value) -> Value {
        self.pure(Op::Unary(op, a))
    }

    /// An operation of two values.
    pub(super) fn binary(&mut self, op: Binary, a: Value, b: Value) -> Value {
        self.pure(Op::Binary(op, a, b))
    }

    /// `a * b + c`, rounded once.
    pub(super) fn fma(&mut self, a: Value, b: Value, c: Value) -> Value {
        self.pure(Op::Fma(a, b, c))
    }

    /// One of two values.
    pub(super) fn select(&mut self, condition: Value, accept: Value, reject: Value) -> Value {
        if self.type_of(condition) == self.type_of(accept) {
            return self.select_bool(condition, accept, reject);
        }
        self.pure(Op::Select { condition, accept, reject })
    }

    /// One of two booleans: where one of them is known, this is `and` or `or`.
    fn select_bool(&mut self, condition: Value, accept: Value, reject: Value) -> Value {
        match (self.constant_of(accept), self.constant_of(reject)) {
            (Some(1), Some(0)) => condition,
            (Some(1), _) => self.binary(Binary::BoolOr, condition, reject),
            (_, Some(0)) => self.binary(Binary::BoolAnd, condition, accept),
            (Some(0), _) => {
                let opposite = self.unary(Unary::Not, condition);
                self.binary(Binary::BoolAnd, opposite, reject)
            }
            (_, Some(1)) => {
                let opposite = self.unary(Unary::Not, condition);
                self.binary(Binary::BoolOr, opposite, accept)
            }
            _ => self.pure(Op::Select { condition, accept, reject }),
        }
    }

    /// A fixed sequence.
    pub(super) fn math(&mut self, function: MathFunction, args: &[Value]) -> Value {
        self.pure(Op::Math(function, args.to_vec()))
    }

    /// An index that is at most `last`.
    pub(super) fn clamp(&mut self, index: Value, last: Value, at: At) -> Value {
        self.pure(Op::Clamp { index, last, at })
    }

    /// Reads a variable.
    pub(super) fn get(&mut self, variable: Variable) -> Value {
        let ty = self.variables.get(variable.0 as usize).copied().unwrap_or(Type::Int);
        let value = self.value(ty);
        self.push(Stmt::Get(value, variable));
        value
    }

    /// Writes a variable.
    pub(super) fn set(&mut self, variable: Variable, value: Value) {
        self.push(Stmt::Set(variable, value));
    }

    /// Reads words: `Bool`s are kept as `Int`s.
    pub(super) fn load(&mut self, place: Place, ty: Type, count: u8, is_uniform: bool) -> Vec<Value> {
        let word = if ty == Type::Float { Type::Float } else { Type::Int };
        let words: Vec<Value> = (0..count).map(|_| self.value(word)).collect();
        let Some(&first) = words.first() else { return words };
        self.push(Stmt::Load { first, count, place, is_uniform });
        if ty != Type::Bool {
            return words;
        }
        words.into_iter().map(|word| self.bool_from_int(word)).collect()
    }

    /// Writes words: `Bool`s as `Int`s, floats to buffers canonical.
    pub(super) fn store(&mut self, place: Place, values: &[Value]) {
        let is_buffer = matches!(place.memory, Memory::Buffer(_));
        let words = values.iter().map(|&value| match self.type_of(value) {
            Type::Bool => self.unary(Unary::IntFromBool, value),
            Type::Float if is_buffer => self.unary(Unary::Canonical, value),
            Type::Float | Type::Int => value,
        });
        let values = words.collect();
        self.push(Stmt::Store { place, values });
    }

    /// Whether an integer is not 0.
    pub(super) fn bool_from_int(&mut self, int: Value) -> Value {
        let zero = self.int(0);
        let is_zero = self.binary(Binary::Equal, int, zero);
        self.unary(Unary::Not, is_zero)
    }
}

/// What an operation takes beyond one: a sequence is a call of a function.
fn cost(op: &Op) -> usize {
    if matches!(op, Op::Math(..)) { 16 } else { 0 }
}
