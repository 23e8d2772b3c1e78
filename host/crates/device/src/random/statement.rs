//! Random statements.

use super::scope::{Name, Writer};
use super::types::{Scalar, Type};

/// How deep blocks nest.
const DEPTH: u32 = 4;

impl Writer {
    /// Some statements, while there is fuel.
    pub(super) fn statements(&mut self, depth: u32) {
        for _ in 0..1 + self.rng.below(4) {
            if self.fuel == 0 {
                return;
            }
            self.fuel -= 1;
            self.statement(depth);
        }
    }

    fn statement(&mut self, depth: u32) {
        let simple = depth >= DEPTH;
        match self.rng.below(if simple { 9 } else { 16 }) {
            0 | 1 => self.declare(),
            2..=6 => self.assign(),
            7 => self.count(),
            8 => self.point(),
            9..=11 => self.branch(depth),
            12 | 13 => self.repeat(depth),
            14 => self.switch(depth),
            _ => self.block("{", "}", |writer| writer.statements(depth + 1)),
        }
    }

    /// Adds a name to the scope.
    pub(super) fn name(&mut self, text: String, ty: Type, is_mutable: bool) {
        self.names.push(Name { text, ty, is_mutable, pointer: None });
    }

    /// A variable or constant of any type.
    pub(super) fn declare(&mut self) {
        let structs = self.structs.len();
        let ty = self.any_type(structs, 2);
        let name = self.fresh("v");
        let type_name = ty.name();
        if self.rng.one_in(3) {
            let value = self.expression(&ty, 2);
            self.line(&format!("let {name} = {value};"));
            self.name(name, ty, false);
        } else {
            let value = if self.rng.one_in(4) { None } else { Some(self.expression(&ty, 3)) };
            let value = value.map_or(String::new(), |value| format!(" = {value}"));
            self.line(&format!("var {name}: {type_name}{value};"));
            let pointer = Some((format!("&{name}"), "function"));
            self.names.push(Name { text: name, ty, is_mutable: true, pointer });
        }
    }

    /// An assignment to a variable or a part of it, which may be indexed by something computed.
    fn assign(&mut self) {
        let variables: Vec<_> = self.names.iter().filter(|name| name.is_mutable).cloned().collect();
        if variables.is_empty() {
            return self.declare();
        }
        let name = self.rng.pick(&variables).clone();
        let (mut place, mut ty) = (name.text, name.ty);
        while !matches!(ty, Type::Scalar(_)) && !self.rng.one_in(3) {
            let members = self.members(&ty);
            let (member, of) = self.rng.pick(&members).clone();
            let is_indexed = !matches!(ty, Type::Struct(_)) && self.rng.one_in(2);
            let member = if is_indexed { format!("[{}]", self.index(members.len() as u32)) } else { member };
            (place, ty) = (format!("{place}{member}"), of);
        }
        let (Type::Scalar(scalar) | Type::Vector(_, scalar)) = ty else {
            let value = self.expression(&ty, 3);
            return self.line(&format!("{place} = {value};"));
        };
        let is_integer = matches!(scalar, Scalar::I32 | Scalar::U32);
        if is_integer && matches!(ty, Type::Scalar(_)) && self.rng.one_in(6) {
            let op = *self.rng.pick(&["++", "--"]);
            return self.line(&format!("{place}{op};"));
        }
        let value = self.expression(&ty, 3);
        let op = match scalar {
            Scalar::I32 | Scalar::U32 => *self.rng.pick(&["=", "+=", "-=", "*=", "^=", "/=", "%=", "&=", "|="]),
            Scalar::F32 if !self.is_exact() => *self.rng.pick(&["=", "+=", "-=", "*=", "/="]),
            _ => "=",
        };
        self.line(&format!("{place} {op} {value};"));
    }

    /// An atomic whose order cannot show: each counter has one operation of its own.
    fn count(&mut self) {
        let counter = self.rng.below(super::COUNTERS);
        let name =
            ["atomicAdd", "atomicOr", "atomicXor", "atomicMax", "atomicMin", "atomicAnd", "atomicSub", "atomicAdd"]
                [counter as usize % 8];
        let value = self.expression(&Type::U32, 2);
        self.line(&format!("{name}(&counters[{counter}], {value});"));
    }

    /// A pointer to a variable, and an assignment through it.
    fn point(&mut self) {
        let variables: Vec<_> =
            self.names.iter().filter(|name| name.pointer.is_some() && name.is_mutable).cloned().collect();
        if variables.is_empty() {
            return self.declare();
        }
        let variable = self.rng.pick(&variables).clone();
        let Some((pointer, _)) = variable.pointer else { return };
        let name = self.fresh("p");
        self.line(&format!("let {name} = {pointer};"));
        let value = self.expression(&variable.ty, 2);
        self.line(&format!("*{name} = {value};"));
    }

    fn branch(&mut self, depth: u32) {
        let condition = self.expression(&Type::BOOL, 3);
        let with_else = self.rng.one_in(2);
        self.block(&format!("if {condition} {{"), if with_else { "} else {" } else { "}" }, |writer| {
            writer.statements(depth + 1);
            writer.jump();
        });
        if with_else {
            self.indent += 1;
            let names = self.names.len();
            self.statements(depth + 1);
            self.names.truncate(names);
            self.indent -= 1;
            self.line("}");
        }
    }

    /// Sometimes leaves a loop or the function.
    fn jump(&mut self) {
        if (self.loops > 0 || self.switches > 0) && self.rng.one_in(4) {
            let is_break = self.loops == 0 || self.rng.one_in(2);
            self.line(if is_break { "break;" } else { "continue;" });
        } else if let Some(ty) = self.returns.clone()
            && self.rng.one_in(3)
        {
            let value = self.expression(&ty, 2);
            self.line(&format!("return {value};"));
        }
    }

    fn repeat(&mut self, depth: u32) {
        let counter = self.fresh("i");
        let limit = match self.rng.below(3) {
            0 => format!("({} % 7u)", self.expression(&Type::U32, 1)),
            _ => format!("{}u", 1 + self.rng.below(5)),
        };
        self.loops += 1;
        let names = self.names.len();
        match self.rng.below(3) {
            0 => {
                self.name(counter.clone(), Type::U32, false);
                self.block(&format!("for (var {counter} = 0u; {counter} < {limit}; {counter}++) {{"), "}", |writer| {
                    writer.statements(depth + 1);
                });
            }
            1 => {
                self.line(&format!("var {counter} = 0u;"));
                self.name(counter.clone(), Type::U32, false);
                self.block(&format!("while ({counter} < {limit}) {{"), "}", |writer| {
                    writer.line(&format!("{counter} += 1u;"));
                    writer.statements(depth + 1);
                });
            }
            _ => {
                self.line(&format!("var {counter} = 0u;"));
                self.name(counter.clone(), Type::U32, false);
                self.block("loop {", "}", |writer| {
                    writer.statements(depth + 1);
                    // Declared outside of the body, since a `continue` may pass over what is inside.
                    writer.names.truncate(names + 1);
                    writer.block("continuing {", "}", |writer| {
                        writer.line(&format!("{counter} += 1u;"));
                        let more = writer.expression(&Type::BOOL, 1);
                        writer.line(&format!("break if ({counter} >= {limit} || {more});"));
                    });
                });
            }
        }
        self.names.truncate(names);
        self.loops -= 1;
    }

    fn switch(&mut self, depth: u32) {
        let is_signed = self.rng.one_in(2);
        let (ty, suffix) = if is_signed { (Type::I32, "i") } else { (Type::U32, "u") };
        let selector = self.expression(&ty, 2);
        let cases = 1 + self.rng.below(4);
        let default = self.rng.below(cases + 1);
        // A `break` inside leaves the switch.
        self.switches += 1;
        self.block(&format!("switch ({selector} & 3{suffix}) {{"), "}", |writer| {
            for case in 0..=cases {
                if case == default {
                    let with = if writer.rng.one_in(2) { "case 17, default: {" } else { "default: {" };
                    writer.case(with, depth);
                } else if writer.rng.one_in(3) {
                    writer.case(&format!("case {case}, {}: {{", case + 20), depth);
                } else {
                    writer.case(&format!("case {case}: {{"), depth);
                }
            }
        });
        self.switches -= 1;
    }

    fn case(&mut self, open: &str, depth: u32) {
        self.block(open, "}", |writer| {
            writer.statements(depth + 1);
            if writer.rng.one_in(5) {
                writer.line("break;");
            }
        });
    }
}
