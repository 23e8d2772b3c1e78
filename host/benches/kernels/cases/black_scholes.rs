//! Prices of options by the formula: log, exp, sqrt and divisions over long vectors.

use rayon::prelude::*;

use super::{each, floats, floats_mut};
use crate::random::Random;
use crate::suite::{Agreement, Case, Launch, Words};

const OPTIONS: usize = 1 << 20;
const RATE: f32 = 0.02;
const VOLATILITY: f32 = 0.3;
/// Options of a task.
const TASK: usize = 4096;

/// The case.
pub(crate) fn case() -> Case {
    let mut random = Random::new(15);
    let mut inputs = |low, high| random.floats(OPTIONS, low, high);
    let buffers = vec![inputs(5.0, 30.0), inputs(1.0, 100.0), inputs(0.25, 10.0), vec![0; OPTIONS], vec![0; OPTIONS]];
    Case {
        name: "black-scholes",
        size: "1 Mi options",
        text: include_str!("black_scholes.wgsl"),
        buffers,
        launches: vec![Launch::new("main", &[0, 1, 2, 3, 4], [(OPTIONS / 64) as u32, 1, 1])],
        outputs: vec![3, 4],
        restored: vec![],
        rust,
        agreement: Agreement::Close(1e-4),
    }
}

fn rust(buffers: &mut [Words]) {
    let [prices, strikes, years, calls, puts] = each(buffers);
    let inputs =
        floats(prices).par_chunks(TASK).zip(floats(strikes).par_chunks(TASK)).zip(floats(years).par_chunks(TASK));
    let outputs = floats_mut(calls).par_chunks_mut(TASK).zip(floats_mut(puts).par_chunks_mut(TASK));
    inputs.zip(outputs).for_each(|(((prices, strikes), years), (calls, puts))| {
        for index in 0..prices.len() {
            (calls[index], puts[index]) = price(prices[index], strikes[index], years[index]);
        }
    });
}

#[inline]
fn price(price: f32, strike: f32, time: f32) -> (f32, f32) {
    let deviation = VOLATILITY * time.sqrt();
    let d1 = ((price / strike).ln() + (RATE + 0.5 * VOLATILITY * VOLATILITY) * time) / deviation;
    let discounted = strike * (-RATE * time).exp();
    let (n1, n2) = (distribution(d1), distribution(d1 - deviation));
    (price * n1 - discounted * n2, discounted * (1.0 - n2) - price * (1.0 - n1))
}

/// The normal distribution up to `x`: Abramowitz and Stegun, 26.2.17.
#[inline]
fn distribution(x: f32) -> f32 {
    let k = 1.0 / (1.0 + 0.231_641_9 * x.abs());
    let sum = k * (0.319_381_53 + k * (-0.356_563_78 + k * (1.781_477_9 + k * (-1.821_256 + k * 1.330_274_5))));
    let tail = 0.398_942_3 * (-0.5 * x * x).exp() * sum;
    if x > 0.0 { 1.0 - tail } else { tail }
}
