//! What is in scope while a program is written, and the writing.

use super::types::Type;
use super::{Floats, Rng};

/// Most scalars of a type.
const SCALARS: usize = 40;

/// Something with a name and a type.
#[derive(Debug, Clone)]
pub(super) struct Name {
    /// How an expression refers to it; a pointer is already dereferenced.
    pub(super) text: String,
    pub(super) ty: Type,
    /// Whether statements may assign to it.
    pub(super) is_mutable: bool,
    /// How to take a pointer to it, and of which type, if that is possible.
    pub(super) pointer: Option<(String, &'static str)>,
}

/// A function that may be called.
#[derive(Debug, Clone)]
pub(super) struct Function {
    pub(super) name: String,
    pub(super) params: Vec<Type>,
    /// A pointer parameter that comes after the others: its address space and what it points to.
    pub(super) pointer: Option<(&'static str, Type)>,
    pub(super) result: Type,
}

/// Writes one program.
pub(super) struct Writer {
    pub(super) rng: Rng,
    pub(super) floats: Floats,
    pub(super) workgroup_size: [u32; 3],
    pub(super) text: String,
    pub(super) indent: usize,
    /// Members of each structure.
    pub(super) structs: Vec<Vec<Type>>,
    pub(super) functions: Vec<Function>,
    /// Names in scope, inner ones last.
    pub(super) names: Vec<Name>,
    /// How many names were made.
    pub(super) made: u32,
    /// How many expressions the line has that is being written.
    pub(super) parts: u32,
    /// Statements that may still be written, so that programs end.
    pub(super) fuel: u32,
    /// Loops around the current place.
    pub(super) loops: u32,
    /// Switches around the current place.
    pub(super) switches: u32,
    /// The result type of the function that is being written, if it may return here.
    pub(super) returns: Option<Type>,
    /// What the workgroup's array holds.
    pub(super) tile: Option<Type>,
    /// What the private variable holds.
    pub(super) scratch: Option<Type>,
}

impl Writer {
    pub(super) fn new(rng: Rng, floats: Floats, workgroup_size: [u32; 3]) -> Self {
        Self {
            rng,
            floats,
            workgroup_size,
            text: String::new(),
            indent: 0,
            structs: Vec::new(),
            functions: Vec::new(),
            names: Vec::new(),
            made: 0,
            parts: 0,
            fuel: 0,
            loops: 0,
            switches: 0,
            returns: None,
            tile: None,
            scratch: None,
        }
    }

    /// Writes a line.
    pub(super) fn line(&mut self, line: &str) {
        self.text.extend(std::iter::repeat_n("  ", self.indent));
        self.text.push_str(line);
        self.parts = 0;
        self.text.push('\n');
    }

    /// Writes a line that opens a block, the block, and what closes it. Names made inside end there.
    pub(super) fn block(&mut self, open: &str, close: &str, inside: impl FnOnce(&mut Self)) {
        self.line(open);
        let names = self.names.len();
        self.indent += 1;
        inside(self);
        self.indent -= 1;
        self.names.truncate(names);
        self.line(close);
    }

    /// A name that no other has.
    pub(super) fn fresh(&mut self, prefix: &str) -> String {
        self.made += 1;
        // `u32` alone would be a type.
        format!("{prefix}_{}", self.made)
    }

    /// True in the mode where floats are exact and indices inside.
    pub(super) fn is_exact(&self) -> bool {
        self.floats == Floats::Exact
    }

    /// The members of a type that has some, as what is appended to reach them, and their types.
    pub(super) fn members(&self, ty: &Type) -> Vec<(String, Type)> {
        match ty {
            Type::Scalar(_) => Vec::new(),
            Type::Vector(size, scalar) => {
                (0..*size).map(|i| (format!(".{}", ["x", "y", "z", "w"][i as usize]), Type::Scalar(*scalar))).collect()
            }
            Type::Matrix(columns, rows) => {
                (0..*columns).map(|i| (format!("[{i}]"), Type::Vector(*rows, super::types::Scalar::F32))).collect()
            }
            Type::Array(element, length) => (0..*length).map(|i| (format!("[{i}]"), (**element).clone())).collect(),
            Type::Struct(number) => {
                self.structs[*number].iter().enumerate().map(|(i, ty)| (format!(".m{i}"), ty.clone())).collect()
            }
        }
    }

    /// Every way from a name to a part of the type `ty`, at most two members deep, of the names that `admit` admits.
    pub(super) fn paths(&self, ty: &Type, admit: impl Fn(&Name) -> bool) -> Vec<String> {
        let mut found = Vec::new();
        for name in self.names.iter().rev().filter(|name| admit(name)).take(12) {
            if name.ty == *ty {
                found.push(name.text.clone());
            }
            for (member, of) in self.members(&name.ty) {
                if of == *ty {
                    found.push(format!("{}{member}", name.text));
                }
                for (inner, of) in self.members(&of) {
                    if of == *ty {
                        found.push(format!("{}{member}{inner}", name.text));
                    }
                }
            }
        }
        found
    }

    /// A type of a bearable size, made of structures numbered below `structs`.
    pub(super) fn any_type(&mut self, structs: usize, depth: u32) -> Type {
        let ty = Type::any(&mut self.rng, structs, depth);
        if self.scalars(&ty) <= SCALARS { ty } else { Type::any_small(&mut self.rng) }
    }

    /// How many scalars a type has.
    fn scalars(&self, ty: &Type) -> usize {
        match ty {
            Type::Scalar(_) => 1,
            _ => self.members(ty).iter().map(|(_, ty)| self.scalars(ty)).sum(),
        }
    }
}
