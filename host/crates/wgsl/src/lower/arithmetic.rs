//! Operators and conversions.

use super::data::Values;
use super::function::Lowerer;
use crate::Refusal;
use crate::lowered::{Binary, Type, Unary, Value};
use naga::{BinaryOperator, RelationalFunction, ScalarKind, Span, TypeInner, UnaryOperator};

/// The kind of the scalars that a type consists of.
pub(super) fn kind(inner: &TypeInner) -> ScalarKind {
    inner.scalar_kind().unwrap_or(ScalarKind::Uint)
}

impl Lowerer<'_> {
    /// A unary operator on each scalar.
    pub(super) fn each_unary(&mut self, op: UnaryOperator, inner: &TypeInner, values: &Values) -> Values {
        let kind = kind(inner);
        let builder = &mut self.builder;
        let each = values.iter().map(|&value| match (op, kind) {
            (UnaryOperator::Negate, ScalarKind::Float | ScalarKind::AbstractFloat) => {
                builder.unary(Unary::Negate, value)
            }
            (UnaryOperator::Negate, _) => {
                let zero = builder.int(0);
                builder.binary(Binary::Subtract, zero, value)
            }
            (UnaryOperator::LogicalNot, _) | (_, ScalarKind::Bool) => builder.unary(Unary::Not, value),
            (UnaryOperator::BitwiseNot, _) => {
                let ones = builder.int(u32::MAX);
                builder.binary(Binary::Xor, value, ones)
            }
        });
        Values::new(each.collect())
    }

    /// A binary operator, on each scalar or between matrices and vectors.
    pub(super) fn any_binary(
        &mut self,
        op: BinaryOperator,
        left_inner: &TypeInner,
        left: &Values,
        right_inner: &TypeInner,
        right: &Values,
    ) -> Values {
        if op == BinaryOperator::Multiply {
            match (left_inner, right_inner) {
                (TypeInner::Matrix { rows, .. }, TypeInner::Matrix { .. } | TypeInner::Vector { .. }) => {
                    return self.matrix_times(left, *rows as usize, right);
                }
                (TypeInner::Vector { size, .. }, TypeInner::Matrix { .. }) => {
                    let columns: Vec<Value> =
                        right.chunks(*size as usize).map(|column| self.dot(ScalarKind::Float, left, column)).collect();
                    return Values::new(columns);
                }
                _ => {}
            }
        }
        let kind = kind(left_inner);
        let count = left.len().max(right.len());
        // A scalar goes with each scalar of a vector or matrix.
        let each = left.iter().cycle().zip(right.iter().cycle()).take(count);
        Values::new(each.map(|(&a, &b)| self.binary(op, kind, a, b)).collect())
    }

    /// A binary operator on two scalars.
    pub(super) fn binary(&mut self, op: BinaryOperator, kind: ScalarKind, a: Value, b: Value) -> Value {
        match kind {
            ScalarKind::Float | ScalarKind::AbstractFloat => self.float_binary(op, a, b),
            ScalarKind::Bool => self.bool_binary(op, a, b),
            ScalarKind::Sint | ScalarKind::Uint | ScalarKind::AbstractInt => {
                self.int_binary(op, kind != ScalarKind::Uint, a, b)
            }
        }
    }

    fn float_binary(&mut self, op: BinaryOperator, a: Value, b: Value) -> Value {
        let builder = &mut self.builder;
        match op {
            BinaryOperator::Add => builder.binary(Binary::FloatAdd, a, b),
            BinaryOperator::Subtract => builder.binary(Binary::FloatSubtract, a, b),
            BinaryOperator::Multiply => builder.binary(Binary::FloatMultiply, a, b),
            BinaryOperator::Divide => builder.binary(Binary::FloatDivide, a, b),
            BinaryOperator::Modulo => {
                let quotient = builder.binary(Binary::FloatDivide, a, b);
                let whole = builder.unary(Unary::Trunc, quotient);
                let minus = builder.unary(Unary::Negate, b);
                builder.fma(minus, whole, a)
            }
            BinaryOperator::NotEqual => {
                let equal = builder.binary(Binary::FloatEqual, a, b);
                builder.unary(Unary::Not, equal)
            }
            BinaryOperator::Less => builder.binary(Binary::FloatLess, a, b),
            BinaryOperator::LessEqual => builder.binary(Binary::FloatLessEqual, a, b),
            BinaryOperator::Greater => builder.binary(Binary::FloatLess, b, a),
            BinaryOperator::GreaterEqual => builder.binary(Binary::FloatLessEqual, b, a),
            // Nothing else is valid for floats.
            _ => builder.binary(Binary::FloatEqual, a, b),
        }
    }

    fn bool_binary(&mut self, op: BinaryOperator, a: Value, b: Value) -> Value {
        let builder = &mut self.builder;
        match op {
            BinaryOperator::And | BinaryOperator::LogicalAnd => builder.binary(Binary::BoolAnd, a, b),
            BinaryOperator::InclusiveOr | BinaryOperator::LogicalOr => builder.binary(Binary::BoolOr, a, b),
            BinaryOperator::NotEqual | BinaryOperator::ExclusiveOr => {
                let equal = builder.binary(Binary::BoolEqual, a, b);
                builder.unary(Unary::Not, equal)
            }
            // Nothing else is valid for booleans.
            _ => builder.binary(Binary::BoolEqual, a, b),
        }
    }

    fn int_binary(&mut self, op: BinaryOperator, is_signed: bool, a: Value, b: Value) -> Value {
        let less = if is_signed { Binary::LessSigned } else { Binary::LessUnsigned };
        let builder = &mut self.builder;
        let (op, a, b, is_negated) = match op {
            BinaryOperator::Add => (Binary::Add, a, b, false),
            BinaryOperator::Subtract => (Binary::Subtract, a, b, false),
            BinaryOperator::Multiply => (Binary::Multiply, a, b, false),
            BinaryOperator::Divide if is_signed => (Binary::DivideSigned, a, b, false),
            BinaryOperator::Divide => (Binary::DivideUnsigned, a, b, false),
            BinaryOperator::Modulo if is_signed => (Binary::RemainderSigned, a, b, false),
            BinaryOperator::Modulo => (Binary::RemainderUnsigned, a, b, false),
            BinaryOperator::Equal => (Binary::Equal, a, b, false),
            BinaryOperator::NotEqual => (Binary::Equal, a, b, true),
            BinaryOperator::Less => (less, a, b, false),
            BinaryOperator::LessEqual => (less, b, a, true),
            BinaryOperator::Greater => (less, b, a, false),
            BinaryOperator::GreaterEqual => (less, a, b, true),
            BinaryOperator::And | BinaryOperator::LogicalAnd => (Binary::And, a, b, false),
            BinaryOperator::ExclusiveOr => (Binary::Xor, a, b, false),
            BinaryOperator::InclusiveOr | BinaryOperator::LogicalOr => (Binary::Or, a, b, false),
            BinaryOperator::ShiftLeft => (Binary::ShiftLeft, a, b, false),
            BinaryOperator::ShiftRight if is_signed => (Binary::ShiftRightSigned, a, b, false),
            BinaryOperator::ShiftRight => (Binary::ShiftRightUnsigned, a, b, false),
        };
        let value = builder.binary(op, a, b);
        if is_negated { builder.unary(Unary::Not, value) } else { value }
    }

    /// A matrix times a vector, or times each column of a matrix.
    fn matrix_times(&mut self, matrix: &Values, rows: usize, right: &Values) -> Values {
        let columns = matrix.len() / rows.max(1);
        let mut product = Vec::with_capacity(rows);
        for vector in right.chunks(columns.max(1)) {
            for row in 0..rows {
                let row: Vec<Value> = matrix.iter().skip(row).step_by(rows).copied().collect();
                product.push(self.dot(ScalarKind::Float, &row, vector));
            }
        }
        Values::new(product)
    }

    /// The sum of the products: the first, then a fused multiply-add for each next.
    pub(super) fn dot(&mut self, kind: ScalarKind, a: &[Value], b: &[Value]) -> Value {
        let mut products = a.iter().zip(b);
        let builder = &mut self.builder;
        if kind == ScalarKind::Float {
            let Some((&x, &y)) = products.next() else { return builder.float(0.0) };
            let first = builder.binary(Binary::FloatMultiply, x, y);
            return products.fold(first, |sum, (&x, &y)| builder.fma(x, y, sum));
        }
        let zero = builder.int(0);
        products.fold(zero, |sum, (&x, &y)| {
            let product = builder.binary(Binary::Multiply, x, y);
            builder.binary(Binary::Add, sum, product)
        })
    }

    /// `all` and `any`.
    pub(super) fn relational(
        &mut self,
        function: RelationalFunction,
        values: &Values,
        span: Span,
    ) -> Result<Values, Refusal> {
        let op = match function {
            RelationalFunction::All => Binary::BoolAnd,
            RelationalFunction::Any => Binary::BoolOr,
            _ => return Err(self.unsupported(span, "it tests for NaN or infinity")),
        };
        let folded = values.iter().copied().reduce(|a, b| self.builder.binary(op, a, b));
        Ok(Values::new(folded.into_iter().collect()))
    }

    /// Conversions and `bitcast`.
    pub(super) fn convert(
        &mut self,
        inner: &TypeInner,
        values: &Values,
        to: ScalarKind,
        is_conversion: bool,
        span: Span,
    ) -> Result<Values, Refusal> {
        let from = kind(inner);
        if matches!(inner, TypeInner::Array { .. } | TypeInner::Struct { .. }) {
            return Err(self.unsupported(span, "it converts an array or a structure"));
        }
        let each = values
            .iter()
            .map(|&value| if is_conversion { self.convert_scalar(from, to, value) } else { self.bitcast(to, value) });
        Ok(Values::new(each.collect()))
    }

    /// A value as one of another kind.
    fn convert_scalar(&mut self, from: ScalarKind, to: ScalarKind, value: Value) -> Value {
        use ScalarKind::{AbstractFloat, AbstractInt, Bool, Float, Sint, Uint};
        let builder = &mut self.builder;
        match (from, to) {
            (Bool, Bool) | (Float | AbstractFloat, Float | AbstractFloat) => value,
            (Sint | Uint | AbstractInt, Sint | Uint | AbstractInt) => value,
            (Bool, Sint | Uint | AbstractInt) => builder.unary(Unary::IntFromBool, value),
            (Bool, Float | AbstractFloat) => {
                let (one, zero) = (builder.float(1.0), builder.float(0.0));
                builder.select(value, one, zero)
            }
            (Sint | Uint | AbstractInt, Bool) => builder.bool_from_int(value),
            (Float | AbstractFloat, Bool) => {
                let zero = builder.float(0.0);
                let is_zero = builder.binary(Binary::FloatEqual, value, zero);
                builder.unary(Unary::Not, is_zero)
            }
            (Uint, Float | AbstractFloat) => builder.unary(Unary::FloatFromUnsigned, value),
            (Sint | AbstractInt, Float | AbstractFloat) => builder.unary(Unary::FloatFromSigned, value),
            (Float | AbstractFloat, Uint) => builder.unary(Unary::UnsignedFromFloat, value),
            (Float | AbstractFloat, Sint | AbstractInt) => builder.unary(Unary::SignedFromFloat, value),
        }
    }

    /// The same bits as a value of another kind.
    fn bitcast(&mut self, to: ScalarKind, value: Value) -> Value {
        let to = if to == ScalarKind::Float { Type::Float } else { Type::Int };
        match (self.builder.type_of(value), to) {
            (Type::Float, Type::Int) => {
                let canonical = self.builder.unary(Unary::Canonical, value);
                self.builder.unary(Unary::BitsFromFloat, canonical)
            }
            (Type::Int, Type::Float) => self.builder.unary(Unary::FloatFromBits, value),
            _ => value,
        }
    }
}
