//! Functions of vectors and matrices as a whole.

use super::super::data::Values;
use super::super::function::Lowerer;
use crate::lowered::{Binary, Unary, Value};
use naga::{MathFunction, ScalarKind, TypeInner};

impl Lowerer<'_> {
    /// A function of vectors or matrices, if it is one.
    pub(super) fn geometry(
        &mut self,
        function: MathFunction,
        kind: ScalarKind,
        inner: &TypeInner,
        args: &[Values],
    ) -> Option<Values> {
        let one = |value| Some(Values::new(vec![value]));
        let first = args.first()?;
        match (function, args) {
            (MathFunction::Dot, [a, b]) => one(self.dot(kind, a, b)),
            (MathFunction::Cross, [a, b]) => Some(Values::new(self.cross(a, b))),
            (MathFunction::Distance, [a, b]) => {
                let each = a.iter().zip(b.iter());
                let way: Vec<Value> = each.map(|(&a, &b)| self.builder.binary(Binary::FloatSubtract, a, b)).collect();
                one(self.length(&way))
            }
            (MathFunction::Length, _) => one(self.length(first)),
            (MathFunction::Normalize, _) => {
                let length = self.length(first);
                let each = first.iter().map(|&value| self.builder.binary(Binary::FloatDivide, value, length));
                Some(Values::new(each.collect()))
            }
            (MathFunction::FaceForward, [a, b, c]) => {
                let dot = self.dot(kind, b, c);
                let zero = self.builder.float(0.0);
                let is_ahead = self.builder.binary(Binary::FloatLess, dot, zero);
                let each = a.iter().map(|&value| {
                    let minus = self.builder.unary(Unary::Negate, value);
                    self.builder.select(is_ahead, value, minus)
                });
                Some(Values::new(each.collect()))
            }
            (MathFunction::Reflect, [a, b]) => {
                let dot = self.dot(kind, b, a);
                let minus_two = self.builder.float(-2.0);
                let factor = self.builder.binary(Binary::FloatMultiply, minus_two, dot);
                let each = a.iter().zip(b.iter()).map(|(&a, &b)| self.builder.fma(factor, b, a));
                Some(Values::new(each.collect()))
            }
            (MathFunction::Refract, [a, b, ratio]) => Some(self.refract(a, b, *ratio.first()?)),
            (MathFunction::Transpose, _) => {
                let TypeInner::Matrix { rows, .. } = inner else { return None };
                let rows = *rows as usize;
                let each = (0..rows).flat_map(|row| first.iter().skip(row).step_by(rows));
                Some(Values::new(each.copied().collect()))
            }
            (MathFunction::Determinant, _) => one(self.determinant(first)?),
            _ => None,
        }
    }

    /// The square root of the sum of squares; of a scalar, its absolute value.
    fn length(&mut self, values: &[Value]) -> Value {
        if let [value] = *values {
            return self.builder.unary(Unary::Abs, value);
        }
        let dot = self.dot(ScalarKind::Float, values, values);
        self.builder.unary(Unary::Sqrt, dot)
    }

    /// `a * d - b * c`, each rounded.
    fn minor(&mut self, a: Value, b: Value, c: Value, d: Value) -> Value {
        let ad = self.builder.binary(Binary::FloatMultiply, a, d);
        let bc = self.builder.binary(Binary::FloatMultiply, b, c);
        self.builder.binary(Binary::FloatSubtract, ad, bc)
    }

    fn cross(&mut self, a: &[Value], b: &[Value]) -> Vec<Value> {
        let (&[ax, ay, az], &[bx, by, bz]) = (a, b) else { return Vec::new() };
        vec![self.minor(ay, az, by, bz), self.minor(az, ax, bz, bx), self.minor(ax, ay, bx, by)]
    }

    fn refract(&mut self, a: &[Value], b: &[Value], ratio: Value) -> Values {
        let dot = self.dot(ScalarKind::Float, b, a);
        let builder = &mut self.builder;
        let (zero, one) = (builder.float(0.0), builder.float(1.0));
        let minus_dot = builder.unary(Unary::Negate, dot);
        let rest = builder.fma(minus_dot, dot, one);
        let square = builder.binary(Binary::FloatMultiply, ratio, ratio);
        let minus_square = builder.unary(Unary::Negate, square);
        let k = builder.fma(minus_square, rest, one);
        let is_reflected = builder.binary(Binary::FloatLess, k, zero);
        let root = builder.unary(Unary::Sqrt, k);
        let along = builder.fma(ratio, dot, root);
        let factor = builder.unary(Unary::Negate, along);
        let each = a.iter().zip(b).map(|(&a, &b)| {
            let scaled = builder.binary(Binary::FloatMultiply, ratio, a);
            let refracted = builder.fma(factor, b, scaled);
            builder.select(is_reflected, zero, refracted)
        });
        Values::new(each.collect())
    }

    fn determinant(&mut self, matrix: &[Value]) -> Option<Value> {
        match *matrix {
            [a, b, c, d] => Some(self.minor(a, b, c, d)),
            [_, _, _, _, _, _, _, _, _] => {
                let cross = self.cross(&matrix[3..6], &matrix[6..9]);
                Some(self.dot(ScalarKind::Float, &matrix[..3], &cross))
            }
            [ax, ay, az, aw, bx, by, bz, bw, cx, cy, cz, cw, dx, dy, dz, dw] => {
                let left = [(ax, ay, bx, by), (ax, az, bx, bz), (ax, aw, bx, bw)];
                let left = [left, [(ay, az, by, bz), (ay, aw, by, bw), (az, aw, bz, bw)]].concat();
                let right = [(cz, cw, dz, dw), (cy, cw, dy, dw), (cy, cz, dy, dz)];
                let right = [right, [(cx, cw, dx, dw), (cx, cz, dx, dz), (cx, cy, dx, dy)]].concat();
                let minors = |lowerer: &mut Self, of: Vec<(Value, Value, Value, Value)>| -> Vec<Value> {
                    of.into_iter().map(|(a, b, c, d)| lowerer.minor(a, b, c, d)).collect()
                };
                let mut left = minors(self, left);
                let right = minors(self, right);
                for index in [1, 4] {
                    left[index] = self.builder.unary(Unary::Negate, left[index]);
                }
                Some(self.dot(ScalarKind::Float, &left, &right))
            }
            _ => None,
        }
    }
}
