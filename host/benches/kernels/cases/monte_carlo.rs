//! The price of an option by chance: an integer generator, and log, cos and exp.

use std::f32::consts::TAU;

use rayon::prelude::*;

use super::{each, floats_mut};
use crate::suite::{Agreement, Case, Launch, Words};

const DRAWERS: usize = 1 << 15;
const PATHS: u32 = 64;
const PRICE: f32 = 100.0;
const STRIKE: f32 = 105.0;
const DRIFT: f32 = -0.025;
const DEVIATION: f32 = 0.3;

/// The case.
pub(crate) fn case() -> Case {
    Case {
        name: "monte carlo",
        size: "2 Mi paths",
        text: include_str!("monte_carlo.wgsl"),
        buffers: vec![[PRICE, STRIKE, DRIFT, DEVIATION].map(f32::to_bits).to_vec(), vec![0; DRAWERS]],
        launches: vec![Launch::new("main", &[0, 1], [(DRAWERS / 64) as u32, 1, 1])],
        outputs: vec![1],
        restored: vec![],
        rust,
        agreement: Agreement::Close(1e-3),
    }
}

fn rust(buffers: &mut [Words]) {
    let [_, payoffs] = each(buffers);
    floats_mut(payoffs).par_chunks_mut(256).enumerate().for_each(|(task, payoffs)| {
        for (index, payoff) in payoffs.iter_mut().enumerate() {
            *payoff = price((task * 256 + index) as u32);
        }
    });
}

fn price(index: u32) -> f32 {
    let mut seed = index.wrapping_mul(2_654_435_761).wrapping_add(12_345);
    let mut random = || {
        seed = seed.wrapping_mul(747_796_405).wrapping_add(2_891_336_453);
        let word = ((seed >> ((seed >> 28) + 4)) ^ seed).wrapping_mul(277_803_737);
        ((((word >> 22) ^ word) >> 8) + 1) as f32 / 16_777_216.0
    };
    let mut sum = 0.0;
    for _ in 0..PATHS {
        let radius = (-2.0 * random().ln()).sqrt();
        let normal = radius * (TAU * random()).cos();
        sum += (PRICE * (DRIFT + DEVIATION * normal).exp() - STRIKE).max(0.0);
    }
    sum / PATHS as f32
}
