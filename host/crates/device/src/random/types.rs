//! The types that random programs use.

use super::Rng;

/// A scalar type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scalar {
    Bool,
    I32,
    U32,
    F32,
}

impl Scalar {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::I32 => "i32",
            Self::U32 => "u32",
            Self::F32 => "f32",
        }
    }
}

/// A type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Type {
    Scalar(Scalar),
    /// Of 2 to 4 components.
    Vector(u32, Scalar),
    /// Of 2 to 4 columns of 2 to 4 rows of `f32`.
    Matrix(u32, u32),
    /// Of 1 to 7 elements.
    Array(Box<Type>, u32),
    /// By its number.
    Struct(usize),
}

impl Type {
    pub(super) const BOOL: Self = Self::Scalar(Scalar::Bool);
    pub(super) const I32: Self = Self::Scalar(Scalar::I32);
    pub(super) const U32: Self = Self::Scalar(Scalar::U32);

    /// As WGSL writes it.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Scalar(scalar) => scalar.name().to_owned(),
            Self::Vector(size, scalar) => format!("vec{size}<{}>", scalar.name()),
            Self::Matrix(columns, rows) => format!("mat{columns}x{rows}f"),
            Self::Array(element, length) => format!("array<{}, {length}>", element.name()),
            Self::Struct(number) => format!("S{number}"),
        }
    }

    /// Any scalar type.
    pub(super) fn any_scalar(rng: &mut Rng) -> Scalar {
        *rng.pick(&[
            Scalar::Bool,
            Scalar::I32,
            Scalar::I32,
            Scalar::U32,
            Scalar::U32,
            Scalar::F32,
            Scalar::F32,
            Scalar::F32,
        ])
    }

    /// A scalar or vector type.
    pub(super) fn any_small(rng: &mut Rng) -> Self {
        let scalar = Self::any_scalar(rng);
        if rng.one_in(2) { Self::Scalar(scalar) } else { Self::Vector(2 + rng.below(3), scalar) }
    }

    /// Any type; structures are those numbered below `structs`.
    pub(super) fn any(rng: &mut Rng, structs: usize, depth: u32) -> Self {
        match rng.below(if depth == 0 { 6 } else { 10 }) {
            0..=4 => Self::any_small(rng),
            5 => Self::Matrix(2 + rng.below(3), 2 + rng.below(3)),
            6 | 7 if structs > 0 => Self::Struct(rng.below(structs as u32) as usize),
            _ => Self::Array(Box::new(Self::any(rng, structs, depth.saturating_sub(1))), 1 + rng.below(7)),
        }
    }
}
