//! The budget of loop iterations: what counts, and how the end of it shows. Each start of a loop's body counts, of all
//! loops of an invocation together, anew in each dispatch.

use samebit_wgsl::Admission;

use super::lab::{Failure, Lab, expect, expect_words};
use crate::{BufferId, Device, FinishError, KernelId, ReadError};

const LIMIT: u32 = 1000;

/// Repeats as often as the first word says, in one loop or in a nest of loops and a function.
const TEXT: &str = "
    struct Plan { rounds: u32, inner: u32, in_function: u32, who: u32 }
    @group(0) @binding(0) var<storage> plan: Plan;
    @group(0) @binding(1) var<storage, read_write> out: array<u32>;
    fn again(n: u32) -> u32 {
        var k = 0u;
        loop { if n == 0u { break; } k += 1u; continuing { break if k >= n; } }
        return k;
    }
    @compute @workgroup_size(8) fn main(@builtin(local_invocation_index) i: u32) {
        var sum = 0u;
        if plan.rounds > 0u && i == plan.who % 8u || plan.who > 8u {
            var n = 0u;
            loop {
                var k = 0u;
                if plan.inner > 0u { loop { k += 1u; continuing { break if k == plan.inner; } } }
                if plan.in_function > 0u { k += again(plan.in_function); }
                sum += k + 1u;
                continuing { n += 1u; break if n == plan.rounds; }
            }
        }
        out[i] = sum;
    }";

struct Bench {
    lab: Lab,
    kernel: KernelId,
    out: BufferId,
}

impl Bench {
    async fn open(device: &dyn Device) -> Result<Self, Failure> {
        let mut lab = Lab::open_with(device, Admission::Exact, LIMIT).await?;
        let kernel = lab.kernel(TEXT)?;
        let out = lab.zeros(8)?;
        Ok(Self { lab, kernel, out })
    }

    fn run(&mut self, plan: [u32; 4]) -> Result<(), Failure> {
        let plan = self.lab.buffer(&plan)?;
        self.lab.run(self.kernel, &[plan, self.out], [1, 1, 1])
    }

    /// How reading ends, and then how finishing does.
    async fn ends(&mut self) -> Result<(bool, bool), Failure> {
        let range = crate::BufferRange { buffer: self.out, offset: 0, size: 32 };
        let mut bytes = 0;
        let mut sink = |piece: &[u8]| {
            bytes += piece.len();
            Ok(())
        };
        let read = match self.lab.gpu.buffer_read(range, &mut sink).await {
            Ok(()) => false,
            Err(ReadError::BudgetSpent) => true,
            Err(error) => return Err(error.into()),
        };
        expect("the bytes that were handed out", bytes, if read { 0 } else { 32 })?;
        match self.lab.gpu.finish().await {
            Ok(()) => Ok((read, false)),
            Err(FinishError::BudgetSpent) => Ok((read, true)),
            Err(error) => Err(error.into()),
        }
    }
}

pub(super) async fn allows_what_is_in_it(device: &dyn Device) -> Result<(), Failure> {
    // 1000 iterations each: of one loop, of loops inside it, of a loop in a function.
    for plan in [[1000, 0, 0, 0], [100, 9, 0, 3], [50, 0, 19, 7], [100, 4, 5, 9]] {
        let mut bench = Bench::open(device).await?;
        // Every dispatch has its own.
        for _ in 0..3 {
            bench.run(plan)?;
        }
        let mut expected = [0; 8];
        for (i, expected) in expected.iter_mut().enumerate() {
            if plan[3] > 8 || i as u32 == plan[3] {
                *expected = LIMIT;
            }
        }
        expect_words(&format!("the iterations of {plan:?}"), &bench.lab.words(bench.out).await?, &expected)?;
        expect("how it ends", bench.ends().await?, (false, false))?;
    }
    Ok(())
}

pub(super) async fn ends_what_is_over_it(device: &dyn Device) -> Result<(), Failure> {
    for plan in [[1001, 0, 0, 5], [1, 1000, 0, 0], [100, 0, 10, 2], [101, 4, 5, 9], [u32::MAX, 0, 0, 9], [0, 0, 0, 9]] {
        let mut bench = Bench::open(device).await?;
        bench.run([1, 0, 0, 1])?;
        expect_words("what was before", &bench.lab.words(bench.out).await?, &[0, 1, 0, 0, 0, 0, 0, 0])?;
        bench.run(plan)?;
        // What is queued after it does not hide it, and every other call goes on.
        bench.run([1, 0, 0, 1])?;
        let other = bench.lab.buffer(&[1, 2])?;
        bench.lab.gpu.settle().await?;
        expect(&format!("how {plan:?} ends"), bench.ends().await?, (true, true))?;
        bench.lab.write(other, 0, &[3])?;
        expect("how it goes on", bench.ends().await?, (true, true))?;
    }
    Ok(())
}

/// A loop that tests before it begins spends one for the test that ends it.
pub(super) async fn counts_every_start(device: &dyn Device) -> Result<(), Failure> {
    const TEXT: &str = "
        @group(0) @binding(0) var<storage> n: array<u32>;
        @group(0) @binding(1) var<storage, read_write> out: array<u32>;
        @compute @workgroup_size(1) fn main() {
            for (var i = 0u; i < n[0]; i++) { if i % 2u == 0u { continue; } out[0] += 1u; }
            var i = 0u;
            while i < n[1] { i += 1u; }
            out[1] = i;
        }";
    for (rounds, is_spent) in
        [([998, 0], false), ([0, 998], false), ([500, 498], false), ([999, 0], true), ([500, 499], true)]
    {
        let mut lab = Lab::open_with(device, Admission::Exact, LIMIT).await?;
        let kernel = lab.kernel(TEXT)?;
        let n = lab.buffer(&rounds)?;
        let out = lab.zeros(2)?;
        lab.run(kernel, &[n, out], [1, 1, 1])?;
        match lab.gpu.finish().await {
            Ok(()) if !is_spent => {
                expect_words("the rounds", &lab.words(out).await?, &[rounds[0] / 2, rounds[1]])?;
            }
            Err(FinishError::BudgetSpent) if is_spent => {}
            found => return Err(Failure(format!("{rounds:?} rounds of {LIMIT}: found {found:?}"))),
        }
    }
    Ok(())
}
