//! Random expressions of vectors, matrices, arrays and structures.

use super::scope::Writer;
use super::types::{Scalar, Type};

impl Writer {
    pub(super) fn vector(&mut self, size: u32, scalar: Scalar, depth: u32) -> String {
        let name = Type::Vector(size, scalar).name();
        let each = |writer: &mut Self| {
            let parts: Vec<_> = (0..size).map(|_| writer.scalar(scalar, depth.saturating_sub(1))).collect();
            format!("{name}({})", parts.join(", "))
        };
        if depth == 0 {
            return each(self);
        }
        let depth = depth - 1;
        let same = Type::Vector(size, scalar);
        match (self.rng.below(6), scalar) {
            (0, _) => format!("{name}({})", self.scalar(scalar, depth)),
            (1, _) => {
                let from = 2 + self.rng.below(3);
                let vector = self.expression(&Type::Vector(from, scalar), depth);
                let pattern: String = (0..size).map(|_| ["x", "y", "z", "w"][self.rng.below(from) as usize]).collect();
                format!("{vector}.{pattern}")
            }
            (2, Scalar::I32 | Scalar::U32) => {
                let op = *self.rng.pick(&["+", "-", "*", "&", "|", "^", "/", "%"]);
                let (a, b) = (self.expression(&same, depth), self.expression(&same, depth));
                format!("({a} {op} {b})")
            }
            (2 | 3, Scalar::F32) if !self.is_exact() => {
                let op = *self.rng.pick(&["+", "-", "*", "/"]);
                let (a, b) = (self.expression(&same, depth), self.expression(&same, depth));
                format!("({a} {op} {b})")
            }
            (4, Scalar::F32) if !self.is_exact() => {
                let a = self.expression(&same, depth);
                let name = *self.rng.pick(&["normalize", "sqrt", "floor", "exp2", "cos"]);
                format!("{name}({a})")
            }
            (5, Scalar::F32) if !self.is_exact() => {
                let (columns, rows) = (2 + self.rng.below(3), size);
                let matrix = self.expression(&Type::Matrix(columns, rows), depth);
                let vector = self.expression(&Type::Vector(columns, Scalar::F32), depth);
                format!("({matrix} * {vector})")
            }
            (3, Scalar::Bool) => {
                let of = Type::Vector(size, Scalar::I32);
                let (a, b) = (self.expression(&of, depth), self.expression(&of, depth));
                format!("({a} {} {b})", *self.rng.pick(&["<", "==", ">="]))
            }
            (4, _) => {
                let (a, b) = (self.expression(&same, depth), self.expression(&same, depth));
                let condition = self.expression(&Type::Vector(size, Scalar::Bool), depth);
                format!("select({a}, {b}, {condition})")
            }
            _ => each(self),
        }
    }

    pub(super) fn matrix(&mut self, columns: u32, rows: u32, depth: u32) -> String {
        let same = Type::Matrix(columns, rows);
        if depth > 0 && !self.is_exact() {
            let depth = depth - 1;
            match self.rng.below(6) {
                0 => return format!("transpose({})", self.expression(&Type::Matrix(rows, columns), depth)),
                1 => return format!("({} * {})", self.expression(&same, depth), self.scalar(Scalar::F32, depth)),
                2 => {
                    let inner = 2 + self.rng.below(3);
                    let a = self.expression(&Type::Matrix(inner, rows), depth);
                    let b = self.expression(&Type::Matrix(columns, inner), depth);
                    return format!("({a} * {b})");
                }
                3 => return format!("({} - {})", self.expression(&same, depth), self.expression(&same, depth)),
                _ => {}
            }
        }
        let depth = depth.saturating_sub(2);
        let parts: Vec<_> = (0..columns).map(|_| self.vector(rows, Scalar::F32, depth)).collect();
        format!("{}({})", same.name(), parts.join(", "))
    }

    pub(super) fn composite(&mut self, ty: &Type, depth: u32) -> String {
        let paths = self.paths(ty, |_| true);
        if !paths.is_empty() && (depth == 0 || self.rng.one_in(2)) {
            return self.rng.pick(&paths).clone();
        }
        let parts: Vec<_> =
            self.members(ty).into_iter().map(|(_, ty)| self.expression(&ty, depth.saturating_sub(2))).collect();
        format!("{}({})", ty.name(), parts.join(", "))
    }
}
