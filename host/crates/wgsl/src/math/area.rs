//! `asinh`, `acosh` and `atanh`: logarithms of 1 + u.

use super::logarithm::{SQRT_HALF, log_of, split_normal};
use super::steps::{INFINITY, NAN, ONE, Steps};
use crate::lowered::{Ops, Unary};

/// From here on, asinh and acosh are log(2 a).
const FAR: f32 = 8192.0;

/// The inverse hyperbolic sine.
pub(super) fn asinh<O: Ops>(o: &mut O, x: O::V) -> O::V {
    let a = o.abs(x);
    let sign = o.sign_of(x);
    let one = o.bits(ONE);
    let near = o.at_most(a, FAR);
    // u = a + a² / (1 + √(1 + a²)).
    let square = o.mul(near, near);
    let root = o.add(one, square);
    let root = o.unary(Unary::Sqrt, root);
    let divisor = o.add(one, root);
    let more = o.div(square, divisor);
    let u = o.add(near, more);
    let back = o.sub(u, near);
    let low = o.sub(more, back);
    let y = log_one_plus(o, a, u, low);
    o.flip(y, sign)
}

/// The inverse hyperbolic cosine; NaN below 1.
pub(super) fn acosh<O: Ops>(o: &mut O, x: O::V) -> O::V {
    let one = o.bits(ONE);
    let near = o.at_most(x, FAR);
    // u = t + √(2 t + t²), where t = x - 1.
    let t = o.sub(near, one);
    let twice = o.add(t, t);
    let square = o.fma(t, t, twice);
    let root = o.unary(Unary::Sqrt, square);
    let u = o.add(root, t);
    let back = o.sub(u, root);
    let low = o.sub(t, back);
    let y = log_one_plus(o, x, u, low);
    let nan = o.bits(NAN);
    let outside = o.less(x, one);
    o.select(outside, nan, y)
}

/// The inverse hyperbolic tangent; NaN outside of [-1, 1].
pub(super) fn atanh<O: Ops>(o: &mut O, x: O::V) -> O::V {
    let a = o.abs(x);
    let sign = o.sign_of(x);
    let one = o.bits(ONE);
    let zero = o.bits(0);
    // u = 2 a / (1 - a).
    let divisor = o.sub(one, a);
    let back = o.sub(one, divisor);
    let divisor_low = o.sub(back, a);
    let twice = o.add(a, a);
    let u = o.div(twice, divisor);
    let minus_u = o.neg(u);
    let rest = o.fma(minus_u, divisor, twice);
    let rest = o.fma(minus_u, divisor_low, rest);
    let low = o.div(rest, divisor);
    let y = log_one_plus(o, zero, u, low);
    let half = o.f(0.5);
    let y = o.mul(y, half);
    let infinity = o.bits(INFINITY);
    let nan = o.bits(NAN);
    let inside = o.less(a, one);
    let edge = o.equal(a, one);
    let y = o.select(inside, y, nan);
    let y = o.select(edge, infinity, y);
    o.flip(y, sign)
}

/// log(1 + u + `low`) for u that is not negative; but log(2 a) if a is far.
fn log_one_plus<O: Ops>(o: &mut O, a: O::V, u: O::V, low: O::V) -> O::V {
    let one = o.bits(ONE);
    let zero = o.bits(0);
    let h = o.add(one, u);
    // 1 + u - h, whichever is the greater.
    let above = o.sub(h, u);
    let lost_one = o.sub(one, above);
    let below = o.sub(h, one);
    let lost_u = o.sub(u, below);
    let small = o.less(u, one);
    let lost = o.select(small, lost_u, lost_one);
    let low = o.add(lost, low);
    let extra = o.div(low, h);
    let limit = o.f(FAR);
    let far = o.less(limit, a);
    let h = o.select(far, a, h);
    let extra = o.select(far, zero, extra);
    let [m, e] = split_normal(o, h, 0, SQRT_HALF);
    let doubled = o.add(e, one);
    let e = o.select(far, doubled, e);
    let y = log_of(o, m, e, Some(extra));
    // Infinity, and NaN, are what they were.
    let infinity = o.bits(INFINITY);
    let finite = o.less(h, infinity);
    o.select(finite, y, h)
}
