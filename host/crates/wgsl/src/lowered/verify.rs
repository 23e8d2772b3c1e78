//! Whether a lowered kernel keeps the promises of its form: what tests and fuzzing hold [`lower`](crate::lower) to.

use super::{Array, AtomicOp, Block, Builtin, Label, Lowered, Memory, Op, Place, Stmt, Type, Value, Variable};
use std::collections::BTreeSet;

/// How a kernel breaks a promise of the form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("lowered kernel is malformed: {0}; report it as a defect")]
pub struct Malformed(String);

impl Lowered {
    /// Checks that every value is defined once and before it is used, that types match, that labels enclose what names
    /// them, and that places are words.
    ///
    /// # Errors
    /// [`Malformed`] says what is wrong.
    pub fn verify(&self) -> Result<(), Malformed> {
        let mut verifier = Verifier {
            kernel: self,
            is_defined: vec![false; self.values.len()],
            is_visible: vec![false; self.values.len()],
            labels: Vec::new(),
            used_labels: BTreeSet::new(),
        };
        for (value, op) in &self.preamble {
            let is_uniform = !matches!(op, Op::Builtin(builtin) if !matches!(builtin, Builtin::NumWorkgroups(_)));
            verifier.demand(is_uniform, || format!("{value:?} in the preamble differs between invocations"))?;
            verifier.op(*value, op)?;
        }
        verifier.block(&self.body).map(drop)
    }
}

/// What encloses a statement.
struct Enclosing {
    label: Label,
    /// Whether `Continue` may name it, here.
    continues: bool,
    /// Whether `Leave` may name it, here.
    leaves: bool,
    /// Whether a `Continue` has named it.
    is_continued: bool,
}

struct Verifier<'a> {
    kernel: &'a Lowered,
    is_defined: Vec<bool>,
    is_visible: Vec<bool>,
    labels: Vec<Enclosing>,
    used_labels: BTreeSet<u32>,
}

type Checked<T = ()> = Result<T, Malformed>;

impl Verifier<'_> {
    fn demand(&self, holds: bool, what: impl FnOnce() -> String) -> Checked {
        if holds { Ok(()) } else { Err(Malformed(what())) }
    }

    fn type_of(&self, value: Value) -> Checked<Type> {
        let ty = self.kernel.values.get(value.0 as usize).copied();
        ty.ok_or_else(|| Malformed(format!("{value:?} has no type")))
    }

    /// A value is used.
    fn used(&self, value: Value, ty: Type) -> Checked {
        let actual = self.type_of(value)?;
        self.demand(actual == ty, || format!("{value:?} is {actual:?}, used as {ty:?}"))?;
        let is_visible = self.is_visible[value.0 as usize];
        self.demand(is_visible, || format!("{value:?} is used where it is not defined"))
    }

    /// A value is defined.
    fn defined(&mut self, value: Value, ty: Type) -> Checked {
        let actual = self.type_of(value)?;
        self.demand(actual == ty, || format!("{value:?} is {actual:?}, defined as {ty:?}"))?;
        let index = value.0 as usize;
        self.demand(!self.is_defined[index], || format!("{value:?} is defined twice"))?;
        self.is_defined[index] = true;
        self.is_visible[index] = true;
        Ok(())
    }

    fn op(&mut self, value: Value, op: &Op) -> Checked {
        let result = match op {
            Op::Constant(bits) => {
                let ty = self.type_of(value)?;
                self.demand(ty != Type::Bool || *bits <= 1, || format!("{value:?} is no boolean"))?;
                ty
            }
            Op::Builtin(_) => Type::Int,
            Op::Length(buffer) => {
                let count = self.kernel.interface.bindings.len();
                self.demand((*buffer as usize) < count, || format!("buffer {buffer} is not bound"))?;
                Type::Int
            }
            Op::Unary(op, a) => {
                self.used(*a, op.operand())?;
                op.result()
            }
            Op::Binary(op, a, b) => {
                self.used(*a, op.operand())?;
                self.used(*b, op.operand())?;
                op.result()
            }
            Op::Select { condition, accept, reject } => {
                self.used(*condition, Type::Bool)?;
                let ty = self.type_of(*accept)?;
                self.used(*accept, ty)?;
                self.used(*reject, ty)?;
                ty
            }
            Op::Fma(a, b, c) => {
                for operand in [a, b, c] {
                    self.used(*operand, Type::Float)?;
                }
                Type::Float
            }
            Op::Clamp { index, last, .. } => {
                self.used(*index, Type::Int)?;
                self.used(*last, Type::Int)?;
                Type::Int
            }
            Op::Math(function, args) => {
                let params = function.params();
                self.demand(params.len() == args.len(), || format!("{function:?} has {} operands", args.len()))?;
                for (arg, ty) in args.iter().zip(params) {
                    self.used(*arg, *ty)?;
                }
                function.result()
            }
        };
        self.defined(value, result)
    }

    fn variable(&self, variable: Variable) -> Checked<Type> {
        let ty = self.kernel.variables.get(variable.0 as usize).copied();
        ty.ok_or_else(|| Malformed(format!("{variable:?} is unknown")))
    }

    fn place(&self, place: &Place, words: usize) -> Checked {
        let size_bytes = match place.memory {
            Memory::Buffer(buffer) => {
                let count = self.kernel.interface.bindings.len();
                self.demand((buffer as usize) < count, || format!("buffer {buffer} is not bound"))?;
                // How much is bound is not known here.
                u32::MAX - 3
            }
            Memory::Workgroup => self.kernel.workgroup_bytes,
            Memory::Array(Array(array)) => {
                let size_bytes = self.kernel.arrays.get(array as usize).copied();
                size_bytes.ok_or_else(|| Malformed(format!("array {array} is unknown")))?
            }
        };
        let is_word = place.constant.is_multiple_of(4) && place.terms.iter().all(|term| term.stride.is_multiple_of(4));
        self.demand(is_word && size_bytes.is_multiple_of(4), || format!("{place:?} is no word"))?;
        let end = u64::from(place.constant) + 4 * words as u64;
        self.demand(end <= u64::from(size_bytes), || format!("{place:?} is outside"))?;
        place.terms.iter().try_for_each(|term| self.used(term.index, Type::Int))
    }

    /// Checks a block, whose values are no longer visible afterwards; they come back.
    fn block(&mut self, block: &Block) -> Checked<Vec<Value>> {
        let mut values = Vec::new();
        for (index, statement) in block.iter().enumerate() {
            let is_last = index + 1 == block.len();
            self.statement(statement, is_last, &mut values)?;
        }
        for value in &values {
            self.is_visible[value.0 as usize] = false;
        }
        Ok(values)
    }

    fn statement(&mut self, statement: &Stmt, is_last: bool, values: &mut Vec<Value>) -> Checked {
        match statement {
            Stmt::Let(value, op) => {
                values.push(*value);
                self.op(*value, op)
            }
            Stmt::Get(value, variable) => {
                values.push(*value);
                let ty = self.variable(*variable)?;
                self.defined(*value, ty)
            }
            Stmt::Set(variable, value) => self.variable(*variable).and_then(|ty| self.used(*value, ty)),
            Stmt::Load { first, count, place, .. } => {
                self.demand((1..=4).contains(count), || format!("{count} words are loaded at once"))?;
                self.place(place, usize::from(*count))?;
                for number in 0..u32::from(*count) {
                    let value = Value(first.0.saturating_add(number));
                    let ty = self.type_of(value)?;
                    self.demand(ty != Type::Bool, || format!("{value:?} is loaded as a boolean"))?;
                    self.defined(value, ty)?;
                    values.push(value);
                }
                Ok(())
            }
            Stmt::Store { place, values } => {
                self.demand((1..=4).contains(&values.len()), || format!("{} words are stored at once", values.len()))?;
                self.place(place, values.len())?;
                values.iter().try_for_each(|value| {
                    let ty = self.type_of(*value)?;
                    self.demand(ty != Type::Bool, || format!("{value:?} is stored as a boolean"))?;
                    self.used(*value, ty)
                })
            }
            Stmt::Atomic { result, op, place, operand } => {
                self.place(place, 1)?;
                self.demand(operand.is_some() != (*op == AtomicOp::Load), || format!("{op:?} of {operand:?}"))?;
                if let AtomicOp::CompareExchange(compare) = op {
                    self.used(*compare, Type::Int)?;
                }
                operand.map_or(Ok(()), |operand| self.used(operand, Type::Int))?;
                values.extend(*result);
                result.map_or(Ok(()), |result| self.defined(result, Type::Int))
            }
            Stmt::If { condition, accept, reject } => {
                self.used(*condition, Type::Bool)?;
                self.block(accept)?;
                self.block(reject).map(drop)
            }
            Stmt::Switch { label, selector, cases, default } => {
                self.used(*selector, Type::Int)?;
                let mut seen = BTreeSet::new();
                self.enter(*label, false)?;
                for case in cases {
                    let are_new = case.values.iter().all(|value| seen.insert(*value));
                    self.demand(are_new, || format!("{label:?} has two cases of one value"))?;
                    self.block(&case.body)?;
                }
                self.block(default)?;
                self.labels.pop();
                Ok(())
            }
            Stmt::Scope { label, body } => {
                self.enter(*label, false)?;
                self.block(body)?;
                self.labels.pop();
                Ok(())
            }
            Stmt::Loop { label, body, continuing, break_if, .. } => self.repeated(*label, body, continuing, *break_if),
            Stmt::Leave(label) => {
                self.demand(is_last, || format!("something follows leaving {label:?}"))?;
                let may = self.labels.iter().any(|enclosing| enclosing.label == *label && enclosing.leaves);
                self.demand(may, || format!("{label:?} is left from outside"))
            }
            Stmt::Continue(label) => {
                self.demand(is_last, || format!("something follows continuing {label:?}"))?;
                let enclosing = self.labels.iter_mut().find(|enclosing| enclosing.label == *label);
                let may = enclosing.is_some_and(|enclosing| {
                    enclosing.is_continued = true;
                    enclosing.continues
                });
                self.demand(may, || format!("{label:?} is continued from outside"))
            }
            Stmt::Barrier(_) => Ok(()),
        }
    }

    fn enter(&mut self, label: Label, continues: bool) -> Checked {
        let is_new = self.used_labels.insert(label.0);
        self.demand(is_new, || format!("{label:?} is used twice"))?;
        self.labels.push(Enclosing { label, continues, leaves: true, is_continued: false });
        Ok(())
    }

    fn repeated(&mut self, label: Label, body: &Block, continuing: &Block, break_if: Option<Value>) -> Checked {
        self.enter(label, true)?;
        let depth = self.labels.len() - 1;
        let mut values = Vec::new();
        // How many values there are whenever `continuing` follows.
        let mut always = None;
        for (index, statement) in body.iter().enumerate() {
            self.statement(statement, index + 1 == body.len(), &mut values)?;
            if self.labels[depth].is_continued {
                always.get_or_insert(values.len());
            }
        }
        for value in values.iter().skip(always.unwrap_or(usize::MAX)) {
            self.is_visible[value.0 as usize] = false;
        }
        // From `continuing`, only what is inside of it can be left or continued.
        let before: Vec<(bool, bool)> = self.labels.iter().map(|outer| (outer.leaves, outer.continues)).collect();
        for enclosing in &mut self.labels {
            (enclosing.leaves, enclosing.continues) = (false, false);
        }
        let mut inside = Vec::new();
        for (index, statement) in continuing.iter().enumerate() {
            self.statement(statement, index + 1 == continuing.len(), &mut inside)?;
        }
        break_if.map_or(Ok(()), |condition| self.used(condition, Type::Bool))?;
        for (enclosing, before) in self.labels.iter_mut().zip(before) {
            (enclosing.leaves, enclosing.continues) = before;
        }
        self.labels.pop();
        for value in values.iter().chain(&inside) {
            self.is_visible[value.0 as usize] = false;
        }
        Ok(())
    }
}
