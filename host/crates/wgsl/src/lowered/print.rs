//! The lowered form as text, for people: one statement a line, blocks indented, what is not known before with names.
//!
//! Values are `%n`, variables `$n`, arrays `@n`, labels `'n`. Constants stand where they are used: integers in decimal,
//! floats with a point, by bits where they are not numbers. Nothing reads this back.

use super::{AtomicOp, Block, Builtin, Lowered, Memory, Op, Place, Stmt, Type, Value};
use std::fmt::{Display, Formatter, Result, Write};

impl Display for Lowered {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let mut constants = vec![None; self.values.len()];
        for (value, op) in &self.preamble {
            if let (Op::Constant(bits), Some(constant)) = (op, constants.get_mut(value.0 as usize)) {
                *constant = Some(*bits);
            }
        }
        let printer = Printer { kernel: self, constants };
        let mut out = String::new();
        printer.kernel(&mut out)?;
        f.write_str(&out)
    }
}

struct Printer<'a> {
    kernel: &'a Lowered,
    constants: Vec<Option<u32>>,
}

impl Printer<'_> {
    fn kernel(&self, out: &mut String) -> Result {
        let [x, y, z] = self.kernel.interface.workgroup_size;
        writeln!(out, "kernel {x}x{y}x{z}")?;
        if self.kernel.workgroup_bytes > 0 {
            writeln!(out, "workgroup {} bytes", self.kernel.workgroup_bytes)?;
        }
        for (index, bytes) in self.kernel.arrays.iter().enumerate() {
            writeln!(out, "@{index}: {bytes} bytes")?;
        }
        for (index, ty) in self.kernel.variables.iter().enumerate() {
            writeln!(out, "${index}: {}", name(*ty))?;
        }
        out.push_str("preamble\n");
        for (value, op) in &self.kernel.preamble {
            if !matches!(op, Op::Constant(_)) {
                writeln!(out, "  {} = {}", self.value(*value), self.op(op))?;
            }
        }
        out.push_str("body\n");
        self.block(out, &self.kernel.body, 1)
    }

    fn block(&self, out: &mut String, block: &Block, depth: usize) -> Result {
        block.iter().try_for_each(|statement| self.statement(out, statement, depth))
    }

    fn statement(&self, out: &mut String, statement: &Stmt, depth: usize) -> Result {
        let indent = "  ".repeat(depth);
        out.push_str(&indent);
        match statement {
            Stmt::Let(value, op) => writeln!(out, "{} = {}", self.value(*value), self.op(op)),
            Stmt::Get(value, variable) => writeln!(out, "{} = ${}", self.value(*value), variable.0),
            Stmt::Set(variable, value) => writeln!(out, "${} = {}", variable.0, self.value(*value)),
            Stmt::Load { first, count, place, is_uniform } => {
                let values: Vec<String> = (0..u32::from(*count)).map(|i| self.typed(Value(first.0 + i))).collect();
                let uniform = if *is_uniform { "uniform " } else { "" };
                writeln!(out, "{} = {uniform}{}", values.join(", "), self.place(place))
            }
            Stmt::Store { place, values } => writeln!(out, "{} = {}", self.place(place), self.list(values)),
            Stmt::Atomic { result, op, place, operand } => {
                if let Some(result) = result {
                    write!(out, "{} = ", self.value(*result))?;
                }
                let operand = operand.map_or(String::new(), |operand| format!(", {}", self.value(operand)));
                writeln!(out, "atomic {}({}{operand})", self.atomic(*op), self.place(place))
            }
            Stmt::If { condition, accept, reject } => {
                writeln!(out, "if {}", self.value(*condition))?;
                self.block(out, accept, depth + 1)?;
                if reject.is_empty() {
                    return Ok(());
                }
                writeln!(out, "{indent}else")?;
                self.block(out, reject, depth + 1)
            }
            Stmt::Switch { label, selector, cases, default } => {
                writeln!(out, "switch '{} {}", label.0, self.value(*selector))?;
                for case in cases {
                    let values: Vec<String> = case.values.iter().map(|value| int(*value)).collect();
                    writeln!(out, "{indent}case {}", values.join(", "))?;
                    self.block(out, &case.body, depth + 1)?;
                }
                writeln!(out, "{indent}default")?;
                self.block(out, default, depth + 1)
            }
            Stmt::Scope { label, body } => {
                writeln!(out, "scope '{}", label.0)?;
                self.block(out, body, depth + 1)
            }
            Stmt::Loop { label, body, continuing, break_if, .. } => {
                writeln!(out, "loop '{}", label.0)?;
                self.block(out, body, depth + 1)?;
                if !continuing.is_empty() || break_if.is_some() {
                    writeln!(out, "{indent}continuing")?;
                    self.block(out, continuing, depth + 1)?;
                }
                match break_if {
                    Some(condition) => writeln!(out, "{indent}  break if {}", self.value(*condition)),
                    None => Ok(()),
                }
            }
            Stmt::Leave(label) => writeln!(out, "leave '{}", label.0),
            Stmt::Continue(label) => writeln!(out, "continue '{}", label.0),
            Stmt::Barrier(_) => writeln!(out, "barrier"),
        }
    }

    fn value(&self, value: Value) -> String {
        match (self.constants.get(value.0 as usize), self.kernel.values.get(value.0 as usize)) {
            (Some(Some(bits)), Some(Type::Int)) => int(*bits),
            (Some(Some(bits)), Some(Type::Float)) => float(*bits),
            (Some(Some(bits)), Some(Type::Bool)) => (*bits != 0).to_string(),
            _ => format!("%{}", value.0),
        }
    }

    fn typed(&self, value: Value) -> String {
        let ty = self.kernel.values.get(value.0 as usize).map_or("?", |ty| name(*ty));
        format!("{}: {ty}", self.value(value))
    }

    fn list(&self, values: &[Value]) -> String {
        values.iter().map(|value| self.value(*value)).collect::<Vec<_>>().join(", ")
    }

    fn op(&self, op: &Op) -> String {
        match op {
            Op::Constant(bits) => int(*bits),
            Op::Builtin(builtin) => self::builtin(*builtin),
            Op::Length(buffer) => format!("length(buffer{buffer})"),
            Op::Unary(op, a) => format!("{op:?}({})", self.value(*a)),
            Op::Binary(op, a, b) => format!("{op:?}({})", self.list(&[*a, *b])),
            Op::Select { condition, accept, reject } => {
                format!("{} ? {} : {}", self.value(*condition), self.value(*accept), self.value(*reject))
            }
            Op::Fma(a, b, c) => format!("{} * {} + {}", self.value(*a), self.value(*b), self.value(*c)),
            Op::Clamp { index, last, .. } => format!("clamp({})", self.list(&[*index, *last])),
            Op::Math(function, args) => format!("{function:?}({})", self.list(args)),
        }
    }

    fn place(&self, place: &Place) -> String {
        let memory = match place.memory {
            Memory::Buffer(buffer) => format!("buffer{buffer}"),
            Memory::Workgroup => "workgroup".to_owned(),
            Memory::Array(array) => format!("@{}", array.0),
        };
        let mut parts: Vec<String> =
            place.terms.iter().map(|term| format!("{}*{}", self.value(term.index), term.stride)).collect();
        if place.constant > 0 || parts.is_empty() {
            parts.push(place.constant.to_string());
        }
        format!("{memory}[{}]", parts.join(" + "))
    }

    fn atomic(&self, op: AtomicOp) -> String {
        match op {
            AtomicOp::CompareExchange(compare) => format!("CompareExchange if {}", self.value(compare)),
            op => format!("{op:?}"),
        }
    }
}

fn name(ty: Type) -> &'static str {
    match ty {
        Type::Bool => "bool",
        Type::Int => "int",
        Type::Float => "float",
    }
}

fn builtin(builtin: Builtin) -> String {
    let of = |name: &str, axis: u8| format!("{name}.{}", ["x", "y", "z"].get(usize::from(axis)).unwrap_or(&"?"));
    match builtin {
        Builtin::LocalId(axis) => of("local_id", axis),
        Builtin::LocalIndex => "local_index".to_owned(),
        Builtin::WorkgroupId(axis) => of("workgroup_id", axis),
        Builtin::NumWorkgroups(axis) => of("num_workgroups", axis),
        Builtin::GlobalId(axis) => of("global_id", axis),
    }
}

/// An integer: the largest are likely meant as negative.
fn int(bits: u32) -> String {
    if bits >= 0xffff_0000 { bits.cast_signed().to_string() } else { bits.to_string() }
}

fn float(bits: u32) -> String {
    let float = f32::from_bits(bits);
    if float.is_finite() { format!("{float:?}") } else { format!("float({bits:#x})") }
}
