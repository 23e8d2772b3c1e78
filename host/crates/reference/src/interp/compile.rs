//! From the structured form to instructions.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use samebit_wgsl::lowered::{AtomicOp, Binary, Block, Case, Label, Lowered, Op, Place, Stmt, Value};

use super::liveness::Liveness;
use super::program::{FlatPlace, Instr, Pc, Program, Reg, SwitchTable};
use super::{InterpError, flow};

/// Most clamps of the preamble that one value is known to come from.
const CLAMPS: usize = 4;

/// A jump's target that is not known yet.
const LATER: Pc = Pc::MAX;

/// Flattens a kernel. `is_observed` if clamps of the preamble are repeated where they are used.
pub(super) fn compile(kernel: &Lowered, is_observed: bool) -> Result<Program, InterpError> {
    let mut compiler = Compiler {
        program: Program::empty(kernel)?,
        registers: vec![None; kernel.values.len()],
        liveness: Liveness::new(&kernel.body, kernel.values.len())?,
        free: Vec::new(),
        blocks: Vec::new(),
        labels: BTreeMap::new(),
        clamps: BTreeMap::new(),
        is_observed,
    };
    compiler.preamble(&kernel.preamble)?;
    compiler.program.shared = compiler.program.registers;
    compiler.program.variables = len(&kernel.variables)?;
    compiler.program.registers = compiler
        .program
        .registers
        .checked_add(compiler.program.variables)
        .ok_or(InterpError::Malformed("it has too many variables"))?;
    compiler.program.body = compiler.here()?;
    compiler.blocks.push(Live::default());
    compiler.block(&kernel.body)?;
    compiler.push(Instr::End);
    compiler.here()?;
    Ok(compiler.program)
}

struct Compiler {
    program: Program,
    /// Where each value is that is alive.
    registers: Vec<Option<Reg>>,
    liveness: Liveness,
    free: Vec<Reg>,
    /// The blocks around, outermost first.
    blocks: Vec<Live>,
    labels: BTreeMap<Label, Exits>,
    /// Clamps of the preamble, by the values that come from them.
    clamps: BTreeMap<Reg, Vec<Instr>>,
    is_observed: bool,
}

/// The values of a block that are alive, by the statement after which they are not.
#[derive(Default)]
struct Live {
    position: u32,
    until: BinaryHeap<Reverse<(u32, u32)>>,
}

/// Jumps out of a labeled statement, to be set.
#[derive(Default)]
struct Exits {
    leave: Vec<usize>,
    go_on: Vec<usize>,
}

fn len<T>(items: &[T]) -> Result<u32, InterpError> {
    u32::try_from(items.len()).map_err(|_| InterpError::Malformed("it is too large"))
}

impl Compiler {
    fn push(&mut self, instr: Instr) -> usize {
        self.program.code.push(instr);
        self.program.code.len() - 1
    }

    fn here(&self) -> Result<Pc, InterpError> {
        len(&self.program.code)
    }

    fn preamble(&mut self, preamble: &[(Value, Op)]) -> Result<(), InterpError> {
        for (value, op) in preamble {
            let to = self.program.registers;
            self.program.registers += 1;
            let instr = self.op(to, op)?;
            if self.is_observed {
                self.trace(to, op, instr)?;
            }
            // Seen where it is used, if at all.
            let quiet = match instr {
                Instr::Clamp { to, index, last, .. } => {
                    Instr::Binary { op: Binary::MinUnsigned, to, a: index, b: last }
                }
                instr => instr,
            };
            self.push(quiet);
            self.set(*value, to)?;
        }
        self.push(Instr::End);
        Ok(())
    }

    /// Keeps in mind which clamps a value of the preamble comes from.
    fn trace(&mut self, to: Reg, op: &Op, instr: Instr) -> Result<(), InterpError> {
        let mut from = Vec::new();
        let mut operands = Vec::new();
        op.operands(|value| operands.push(value));
        for value in operands {
            if let Some(clamps) = self.clamps.get(&self.get(value)?) {
                from.extend_from_slice(clamps);
            }
        }
        if matches!(instr, Instr::Clamp { .. }) {
            from.push(instr);
        }
        from.truncate(CLAMPS);
        if !from.is_empty() {
            self.clamps.insert(to, from);
        }
        Ok(())
    }

    fn set(&mut self, value: Value, to: Reg) -> Result<(), InterpError> {
        let register = self.registers.get_mut(value.0 as usize);
        *register.ok_or(InterpError::Malformed("a value has no type"))? = Some(to);
        Ok(())
    }

    fn get(&self, value: Value) -> Result<Reg, InterpError> {
        let register = self.registers.get(value.0 as usize).copied().flatten();
        register.ok_or(InterpError::Malformed("a value is used where it is not defined"))
    }

    fn variable(&self, variable: samebit_wgsl::lowered::Variable) -> Result<Reg, InterpError> {
        if variable.0 < self.program.variables {
            Ok(self.program.shared + variable.0)
        } else {
            Err(InterpError::Malformed("it uses a variable that it does not have"))
        }
    }

    /// A register for a value that the current statement defines.
    fn define(&mut self, value: Value) -> Result<Reg, InterpError> {
        let to = match self.free.pop() {
            Some(register) => register,
            None => {
                let register = self.program.registers;
                self.program.registers =
                    register.checked_add(1).ok_or(InterpError::Malformed("it has too many values"))?;
                register
            }
        };
        let until = self.liveness.last(value);
        if let Some(live) = self.blocks.last_mut() {
            live.until.push(Reverse((until, value.0)));
        }
        self.set(value, to)?;
        Ok(to)
    }

    /// Goes to the next statement of the current block.
    fn step(&mut self) {
        let Some(live) = self.blocks.last_mut() else { return };
        while let Some(Reverse((until, value))) = live.until.peek().copied() {
            if until > live.position {
                break;
            }
            live.until.pop();
            self.free.extend(self.registers[value as usize].take());
        }
        live.position += 1;
    }

    fn open(&mut self) {
        self.blocks.push(Live::default());
    }

    fn close(&mut self) {
        let Some(live) = self.blocks.pop() else { return };
        for Reverse((_, value)) in live.until {
            self.free.extend(self.registers[value as usize].take());
        }
    }

    /// A block of its own.
    fn inside(&mut self, block: &Block) -> Result<(), InterpError> {
        self.open();
        self.block(block)?;
        self.close();
        Ok(())
    }

    /// Statements of the current block.
    fn block(&mut self, block: &Block) -> Result<(), InterpError> {
        for statement in block {
            if self.is_observed {
                self.repeat_clamps(statement);
            }
            match statement {
                Stmt::If { condition, accept, reject } => self.if_(*condition, accept, reject)?,
                Stmt::Switch { label, selector, cases, default } => self.switch(*label, *selector, cases, default)?,
                Stmt::Scope { label, body } => {
                    self.labels.insert(*label, Exits::default());
                    self.inside(body)?;
                    self.leave(*label)?;
                }
                Stmt::Loop { .. } => self.loop_(statement)?,
                statement => self.simple(statement)?,
            }
            self.step();
        }
        Ok(())
    }

    /// Before a statement that uses what clamps of the preamble gave, those clamps.
    fn repeat_clamps(&mut self, statement: &Stmt) {
        let mut clamps = Vec::new();
        flow::uses(statement, |value| {
            let register = self.registers.get(value.0 as usize).copied().flatten();
            if let Some(known) = register.and_then(|register| self.clamps.get(&register)) {
                clamps.extend_from_slice(known);
            }
        });
        self.program.code.extend(clamps);
    }

    fn if_(&mut self, condition: Value, accept: &Block, reject: &Block) -> Result<(), InterpError> {
        let condition = self.get(condition)?;
        let unless = self.push(Instr::JumpUnless { condition, to: LATER });
        self.inside(accept)?;
        if reject.is_empty() {
            return self.target(unless);
        }
        let over = self.push(Instr::Jump(LATER));
        self.target(unless)?;
        self.inside(reject)?;
        self.target(over)
    }

    fn switch(&mut self, label: Label, selector: Value, cases: &[Case], default: &Block) -> Result<(), InterpError> {
        let selector = self.get(selector)?;
        let table = len(&self.program.switches)?;
        self.program.switches.push(SwitchTable::default());
        self.push(Instr::Switch { selector, table });
        self.labels.insert(label, Exits::default());
        let mut targets = SwitchTable::default();
        for case in cases {
            let here = self.here()?;
            targets.cases.extend(case.values.iter().map(|value| (*value, here)));
            self.inside(&case.body)?;
            self.jump(label, |exits| &mut exits.leave)?;
        }
        targets.default = self.here()?;
        targets.cases.sort_unstable();
        self.program.switches[table as usize] = targets;
        self.inside(default)?;
        self.leave(label)
    }

    fn loop_(&mut self, statement: &Stmt) -> Result<(), InterpError> {
        let Stmt::Loop { label, body, continuing, break_if, at } = statement else { return Ok(()) };
        self.labels.insert(*label, Exits::default());
        let loop_number = len(&self.program.loops)?;
        self.program.loops.push(*at);
        let head = self.here()?;
        self.push(Instr::Iterate { loop_number });
        self.open();
        self.block(body)?;
        let jumps = self.labels.get_mut(label).map(|exits| std::mem::take(&mut exits.go_on));
        for jump in jumps.unwrap_or_default() {
            self.target(jump)?;
        }
        self.block(continuing)?;
        if let Some(condition) = break_if {
            let condition = self.get(*condition)?;
            let out = self.push(Instr::JumpIf { condition, to: LATER });
            self.exits(*label)?.leave.push(out);
        }
        self.close();
        self.push(Instr::Jump(head));
        self.leave(*label)
    }

    fn exits(&mut self, label: Label) -> Result<&mut Exits, InterpError> {
        self.labels.get_mut(&label).ok_or(InterpError::Malformed("it leaves what it is not in"))
    }

    /// Jumps out of a labeled statement.
    fn jump(&mut self, label: Label, list: impl FnOnce(&mut Exits) -> &mut Vec<usize>) -> Result<(), InterpError> {
        let jump = self.push(Instr::Jump(LATER));
        list(self.exits(label)?).push(jump);
        Ok(())
    }

    /// The end of a labeled statement.
    fn leave(&mut self, label: Label) -> Result<(), InterpError> {
        let exits = self.labels.remove(&label).unwrap_or_default();
        if !exits.go_on.is_empty() {
            return Err(InterpError::Malformed("it continues what is not a loop"));
        }
        exits.leave.into_iter().try_for_each(|jump| self.target(jump))
    }

    /// Lets a jump end here.
    fn target(&mut self, jump: usize) -> Result<(), InterpError> {
        let here = self.here()?;
        if let Some(Instr::Jump(to) | Instr::JumpIf { to, .. } | Instr::JumpUnless { to, .. }) =
            self.program.code.get_mut(jump)
        {
            *to = here;
        }
        Ok(())
    }

    /// A statement without blocks.
    fn simple(&mut self, statement: &Stmt) -> Result<(), InterpError> {
        let instr = match statement {
            Stmt::Let(value, op) => {
                // The operands first: what is defined may not be among them.
                let instr = self.op(0, op)?;
                let to = self.define(*value)?;
                with_target(instr, to)
            }
            Stmt::Get(value, variable) => {
                let from = self.variable(*variable)?;
                Instr::Move { to: self.define(*value)?, from }
            }
            Stmt::Set(variable, value) => Instr::Move { to: self.variable(*variable)?, from: self.get(*value)? },
            Stmt::Load { first, count, place, .. } => {
                let place = self.place(place)?;
                let list = len(&self.program.lists)?;
                for index in 0..u32::from(*count) {
                    let to = self.define(Value(first.0.saturating_add(index)))?;
                    self.program.lists.push(to);
                }
                Instr::Load { place, list, count: *count }
            }
            Stmt::Store { place, values } => {
                let place = self.place(place)?;
                let list = len(&self.program.lists)?;
                for value in values {
                    let from = self.get(*value)?;
                    self.program.lists.push(from);
                }
                let count = u8::try_from(values.len());
                let count = count.map_err(|_| InterpError::Malformed("it stores too many words at once"))?;
                Instr::Store { place, list, count }
            }
            Stmt::Atomic { result, op, place, operand } => {
                let place = self.place(place)?;
                // A load has no operand; any register will do.
                let operand = operand.map_or(Ok(self.any_register()), |operand| self.get(operand))?;
                let compare = match op {
                    AtomicOp::CompareExchange(compare) => self.get(*compare)?,
                    _ => operand,
                };
                let to = result.map(|result| self.define(result)).transpose()?;
                Instr::Atomic { op: *op, place, to, operand, compare }
            }
            Stmt::Leave(label) => return self.jump(*label, |exits| &mut exits.leave),
            Stmt::Continue(label) => return self.jump(*label, |exits| &mut exits.go_on),
            Stmt::Barrier(at) => {
                self.program.has_barrier = true;
                Instr::Barrier(*at)
            }
            Stmt::If { .. } | Stmt::Switch { .. } | Stmt::Scope { .. } | Stmt::Loop { .. } => return Ok(()),
        };
        self.push(instr);
        Ok(())
    }

    /// A register that there is, whatever it holds.
    fn any_register(&mut self) -> Reg {
        self.program.registers = self.program.registers.max(1);
        0
    }

    fn place(&mut self, place: &Place) -> Result<u32, InterpError> {
        use samebit_wgsl::lowered::Memory;
        let first = len(&self.program.terms)?;
        for term in &place.terms {
            let index = self.get(term.index)?;
            self.program.terms.push((index, term.stride));
        }
        let is_known = match place.memory {
            Memory::Array(array) => (array.0 as usize) < self.program.arrays.len(),
            Memory::Buffer(_) | Memory::Workgroup => true,
        };
        if !is_known {
            return Err(InterpError::Malformed("it uses an array that it does not have"));
        }
        let terms = (first, len(&place.terms)?);
        let flat = FlatPlace { memory: place.memory, constant: place.constant, terms, at: place.at };
        self.program.places.push(flat);
        Ok(len(&self.program.places)? - 1)
    }

    fn op(&self, to: Reg, op: &Op) -> Result<Instr, InterpError> {
        Ok(match op {
            Op::Constant(bits) => Instr::Constant { to, bits: *bits },
            Op::Builtin(builtin) => Instr::Builtin { to, builtin: *builtin },
            Op::Length(buffer) => Instr::Length { to, buffer: *buffer },
            Op::Unary(op, a) => Instr::Unary { op: *op, to, a: self.get(*a)? },
            Op::Binary(op, a, b) => Instr::Binary { op: *op, to, a: self.get(*a)?, b: self.get(*b)? },
            Op::Select { condition, accept, reject } => Instr::Select {
                to,
                condition: self.get(*condition)?,
                accept: self.get(*accept)?,
                reject: self.get(*reject)?,
            },
            Op::Fma(a, b, c) => Instr::Fma { to, a: self.get(*a)?, b: self.get(*b)?, c: self.get(*c)? },
            Op::Clamp { index, last, at } => {
                Instr::Clamp { to, index: self.get(*index)?, last: self.get(*last)?, at: *at }
            }
            Op::Math(function, args) => {
                let (Some(&a), true) = (args.first(), args.len() == function.params().len()) else {
                    return Err(InterpError::Malformed("a float function has not its operands"));
                };
                let b = args.get(1).copied().unwrap_or(a);
                Instr::Math { function: *function, to, args: [self.get(a)?, self.get(b)?] }
            }
        })
    }
}

/// The same operation into another register.
fn with_target(mut instr: Instr, target: Reg) -> Instr {
    match &mut instr {
        Instr::Constant { to, .. }
        | Instr::Move { to, .. }
        | Instr::Builtin { to, .. }
        | Instr::Length { to, .. }
        | Instr::Unary { to, .. }
        | Instr::Binary { to, .. }
        | Instr::Select { to, .. }
        | Instr::Fma { to, .. }
        | Instr::Clamp { to, .. }
        | Instr::Math { to, .. } => *to = target,
        _ => {}
    }
    instr
}
