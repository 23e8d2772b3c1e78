//! What is known of values, and which operations need no operation.

use crate::lowered::{Binary, Builtin, Op, Type, Unary, Value, eval};

/// Most workgroups along an axis.
const WORKGROUPS: u32 = 65_535;

/// The largest unsigned number that is the same as a signed one.
const POSITIVE: u32 = i32::MAX.cast_unsigned();

/// What is known of a value.
#[derive(Clone, Debug)]
pub(super) struct Fact {
    /// Its type.
    pub(super) ty: Type,
    /// Its bits, if they are known.
    pub(super) constant: Option<u32>,
    /// What it is at most, as an unsigned number.
    pub(super) max: u32,
    /// Whether it is the same in the whole dispatch.
    pub(super) is_preamble: bool,
    /// Whether it is no NaN but `0x7fc00000`.
    is_canonical: bool,
    /// The operation, if it is one of one value.
    unary: Option<(Unary, Value)>,
}

/// What an operation amounts to.
pub(super) enum Simple {
    /// One of its operands.
    Same(Value),
    /// A constant.
    Constant(u32),
    /// A cheaper operation.
    Op(Op),
    /// A cheaper operation with a constant.
    Bits(Binary, Value, u32),
}

impl Fact {
    /// Nothing but the type.
    pub(super) fn any(ty: Type) -> Self {
        let max = if ty == Type::Bool { 1 } else { u32::MAX };
        Self { ty, constant: None, max, is_preamble: false, is_canonical: false, unary: None }
    }
}

/// The type of what an operation gives. A constant's type is not in the operation.
pub(super) fn result_type(op: &Op, type_of: impl Fn(Value) -> Type) -> Type {
    match op {
        Op::Constant(_) | Op::Builtin(_) | Op::Length(_) | Op::Clamp { .. } => Type::Int,
        Op::Unary(op, _) => op.result(),
        Op::Binary(op, ..) => op.result(),
        Op::Select { accept, .. } => type_of(*accept),
        Op::Fma(..) => Type::Float,
        Op::Math(function, _) => function.result(),
    }
}

/// What is known of an operation's value.
pub(super) fn fact<'a>(ty: Type, op: &Op, of: impl Fn(Value) -> &'a Fact, workgroup_size: [u32; 3]) -> Fact {
    let mut is_preamble = !matches!(op, Op::Builtin(builtin) if !matches!(builtin, Builtin::NumWorkgroups(_)));
    op.operands(|value| is_preamble &= of(value).is_preamble);
    let constant = if let Op::Constant(bits) = op { Some(*bits) } else { None };
    let is_canonical = match op {
        Op::Constant(_) => true,
        Op::Unary(Unary::Canonical | Unary::FloatFromSigned | Unary::FloatFromUnsigned, _) => true,
        Op::Select { accept, reject, .. } => of(*accept).is_canonical && of(*reject).is_canonical,
        _ => false,
    };
    let unary = if let Op::Unary(op, value) = op { Some((*op, *value)) } else { None };
    let max = if ty == Type::Float { u32::MAX } else { max(ty, op, of, workgroup_size) };
    Fact { ty, constant, max, is_preamble, is_canonical, unary }
}

/// What an integer is at most.
fn max<'a>(ty: Type, op: &Op, of: impl Fn(Value) -> &'a Fact, workgroup_size: [u32; 3]) -> u32 {
    let axis = |axis: u8| workgroup_size.get(usize::from(axis)).copied().unwrap_or(u32::MAX);
    // All bits up to the highest that may be set.
    let bits_below = |max: u32| u32::MAX.checked_shr(max.leading_zeros()).unwrap_or(0);
    let any = if ty == Type::Bool { 1 } else { u32::MAX };
    match *op {
        Op::Constant(bits) => bits,
        Op::Builtin(Builtin::LocalId(a)) => axis(a).saturating_sub(1),
        Op::Builtin(Builtin::LocalIndex) => {
            workgroup_size.iter().fold(1, |n: u32, size| n.saturating_mul(*size)).saturating_sub(1)
        }
        Op::Builtin(Builtin::WorkgroupId(_)) => WORKGROUPS - 1,
        Op::Builtin(Builtin::NumWorkgroups(_)) => WORKGROUPS,
        Op::Builtin(Builtin::GlobalId(a)) => WORKGROUPS.saturating_mul(axis(a)).saturating_sub(1),
        Op::Length(_) => u32::MAX - 3,
        Op::Unary(Unary::IntFromBool, _) => 1,
        Op::Unary(Unary::CountOnes | Unary::LeadingZeros | Unary::TrailingZeros, _) => 32,
        Op::Unary(..) | Op::Fma(..) | Op::Math(..) => any,
        Op::Select { accept, reject, .. } => of(accept).max.max(of(reject).max),
        Op::Clamp { index, last, .. } => of(index).max.min(of(last).max),
        Op::Binary(op, a, b) => {
            let (left, right) = (of(a).max, of(b).max);
            let constant = of(b).constant;
            match op {
                Binary::Add => left.checked_add(right).unwrap_or(any),
                Binary::Multiply => left.checked_mul(right).unwrap_or(any),
                Binary::And | Binary::MinUnsigned => left.min(right),
                Binary::Or | Binary::Xor => bits_below(left.max(right)),
                Binary::MaxUnsigned => left.max(right),
                Binary::MinSigned if left <= POSITIVE && right <= POSITIVE => left.min(right),
                // One that is not negative outdoes one that is.
                Binary::MaxSigned if left <= POSITIVE && right <= POSITIVE => left.max(right),
                Binary::MaxSigned if left <= POSITIVE || right <= POSITIVE => POSITIVE,
                Binary::DivideUnsigned => left / constant.unwrap_or(1).max(1),
                Binary::DivideSigned if left <= POSITIVE && constant.is_some_and(|c| c.cast_signed() > 0) => {
                    left / constant.unwrap_or(1).max(1)
                }
                Binary::RemainderSigned if left <= POSITIVE && right <= POSITIVE => left.min(right.saturating_sub(1)),
                Binary::RemainderUnsigned => left.min(right.saturating_sub(1)),
                Binary::ShiftRightUnsigned => left >> (constant.unwrap_or(0) & 31),
                Binary::ShiftRightSigned if left <= POSITIVE => left >> (constant.unwrap_or(0) & 31),
                Binary::ShiftLeft => {
                    let by = constant.map_or(31, |bits| bits & 31);
                    u32::try_from(u64::from(left) << by).unwrap_or(any)
                }
                _ => any,
            }
        }
    }
}

/// What an operation amounts to, if it is less than itself.
pub(super) fn simplify<'a>(op: &Op, of: impl Fn(Value) -> &'a Fact, workgroup_size: [u32; 3]) -> Option<Simple> {
    if let Some(bits) = evaluate(op, |value| of(value).constant) {
        return Some(Simple::Constant(bits));
    }
    match *op {
        Op::Builtin(Builtin::LocalId(axis)) if workgroup_size.get(usize::from(axis)) == Some(&1) => {
            Some(Simple::Constant(0))
        }
        Op::Builtin(Builtin::GlobalId(axis)) if workgroup_size.get(usize::from(axis)) == Some(&1) => {
            Some(Simple::Op(Op::Builtin(Builtin::WorkgroupId(axis))))
        }
        Op::Builtin(Builtin::LocalIndex) if workgroup_size[1] == 1 && workgroup_size[2] == 1 => {
            Some(Simple::Op(Op::Builtin(Builtin::LocalId(0))))
        }
        Op::Select { accept, reject, .. } if accept == reject => Some(Simple::Same(accept)),
        Op::Select { condition, accept, reject } => match of(condition).constant {
            Some(0) => Some(Simple::Same(reject)),
            Some(_) => Some(Simple::Same(accept)),
            None => None,
        },
        Op::Clamp { index, last, .. } if of(last).constant.is_some_and(|last| of(index).max <= last) => {
            Some(Simple::Same(index))
        }
        Op::Clamp { index, last, .. } if of(index).constant == Some(0) || of(last).constant == Some(0) => {
            Some(Simple::Constant(0))
        }
        Op::Unary(op, a) => unary(op, of(a)).or_else(|| {
            let is_canonical = op == Unary::Canonical && of(a).is_canonical;
            is_canonical.then_some(Simple::Same(a))
        }),
        Op::Binary(op, a, b) => binary(op, a, b, of(a), of(b)),
        _ => None,
    }
}

/// An operation that undoes another.
fn unary(op: Unary, a: &Fact) -> Option<Simple> {
    match (op, a.unary?) {
        (Unary::Not, (Unary::Not, inner))
        | (Unary::Negate, (Unary::Negate, inner))
        | (Unary::ReverseBits, (Unary::ReverseBits, inner))
        | (Unary::FloatFromBits, (Unary::BitsFromFloat, inner))
        | (Unary::BitsFromFloat, (Unary::FloatFromBits, inner)) => Some(Simple::Same(inner)),
        (Unary::Abs, (Unary::Negate | Unary::Abs, inner)) => Some(Simple::Op(Op::Unary(Unary::Abs, inner))),
        _ => None,
    }
}

/// Identities of integers and booleans.
fn binary(op: Binary, a: Value, b: Value, left: &Fact, right: &Fact) -> Option<Simple> {
    let same = |value| Some(Simple::Same(value));
    let zero = Some(Simple::Constant(0));
    match (op, left.constant, right.constant) {
        (Binary::Add | Binary::Or | Binary::Xor | Binary::MaxUnsigned | Binary::BoolOr, Some(0), _) => same(b),
        (
            Binary::Add
            | Binary::Subtract
            | Binary::Or
            | Binary::Xor
            | Binary::MaxUnsigned
            | Binary::ShiftLeft
            | Binary::ShiftRightSigned
            | Binary::ShiftRightUnsigned
            | Binary::BoolOr,
            _,
            Some(0),
        ) => same(a),
        (Binary::Multiply | Binary::And | Binary::MinUnsigned | Binary::BoolAnd, Some(0), _)
        | (Binary::Multiply | Binary::And | Binary::MinUnsigned | Binary::BoolAnd, _, Some(0)) => zero,
        (Binary::Multiply, Some(1), _) => same(b),
        (Binary::Multiply | Binary::DivideSigned | Binary::DivideUnsigned, _, Some(1)) => same(a),
        (Binary::RemainderSigned | Binary::RemainderUnsigned, _, Some(1)) => zero,
        (Binary::And | Binary::MinUnsigned, Some(u32::MAX), _) | (Binary::BoolAnd | Binary::BoolEqual, Some(1), _) => {
            same(b)
        }
        (Binary::And | Binary::MinUnsigned, _, Some(u32::MAX)) | (Binary::BoolAnd | Binary::BoolEqual, _, Some(1)) => {
            same(a)
        }
        (Binary::BoolOr, Some(1), _) | (Binary::BoolOr, _, Some(1)) => Some(Simple::Constant(1)),
        (Binary::BoolEqual, Some(0), _) => Some(Simple::Op(Op::Unary(Unary::Not, b))),
        (Binary::BoolEqual, _, Some(0)) => Some(Simple::Op(Op::Unary(Unary::Not, a))),
        (Binary::DivideUnsigned, _, Some(c)) if c.is_power_of_two() => {
            Some(Simple::Bits(Binary::ShiftRightUnsigned, a, c.trailing_zeros()))
        }
        (Binary::RemainderUnsigned, _, Some(c)) if c.is_power_of_two() => Some(Simple::Bits(Binary::And, a, c - 1)),
        (Binary::MinUnsigned, _, Some(c)) if left.max <= c => same(a),
        (Binary::MinUnsigned, Some(c), _) if right.max <= c => same(b),
        (Binary::LessUnsigned, _, Some(c)) if left.max < c => Some(Simple::Constant(1)),
        _ if a == b => match op {
            Binary::Subtract | Binary::Xor => zero,
            Binary::And
            | Binary::Or
            | Binary::MinSigned
            | Binary::MinUnsigned
            | Binary::MaxSigned
            | Binary::MaxUnsigned
            | Binary::BoolAnd
            | Binary::BoolOr => same(a),
            Binary::Equal | Binary::BoolEqual => Some(Simple::Constant(1)),
            Binary::LessSigned | Binary::LessUnsigned => zero,
            _ => None,
        },
        _ => None,
    }
}

/// The bits of an operation whose operands are known. Constants themselves are none.
fn evaluate(op: &Op, constant: impl Fn(Value) -> Option<u32>) -> Option<u32> {
    Some(match op {
        Op::Constant(_) | Op::Builtin(_) | Op::Length(_) => return None,
        Op::Unary(op, a) => eval::unary(*op, constant(*a)?),
        Op::Binary(op, a, b) => eval::binary(*op, constant(*a)?, constant(*b)?),
        Op::Fma(a, b, c) => eval::fma(constant(*a)?, constant(*b)?, constant(*c)?),
        Op::Clamp { index, last, .. } => constant(*index)?.min(constant(*last)?),
        Op::Select { condition, accept, reject } => {
            if constant(*condition)? == 0 {
                constant(*reject)?
            } else {
                constant(*accept)?
            }
        }
        Op::Math(function, args) => {
            let args: Option<Vec<u32>> = args.iter().map(|&arg| constant(arg)).collect();
            crate::math::native(*function, &args?)
        }
    })
}
