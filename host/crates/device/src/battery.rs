//! Puts a device's arithmetic to the test: does it compute what the lowered form defines?
//!
//! A driver may contract, reassociate, flush, approximate and fold, and says so nowhere. So each [`Test`] runs a small
//! exact program on the device, and compares every bit of what comes out with [`eval`]. What it is given are boundaries,
//! subnormals, infinities, NaNs, operands whose results are hard to round, and random numbers from a seed.
//!
//! # Promises
//! - A device that passes has computed each operation right for each operand of the battery; no more can be tested.
//! - The same battery has the same operands everywhere, so its result is a fact about the device.
//!
//! What it leaves out: deciding what to do about an operation that fails, and remembering it. That is the device's.
//!
//! [`eval`]: samebit_wgsl::lowered::eval

mod inputs;
mod programs;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use samebit_wgsl::{Admission, Source, lower, parse};

use crate::{
    Binding, BufferId, BufferRange, DeviceError, Dispatch, Grid, KernelId, Program, ReadError, Session, SessionOptions,
};
use inputs::Triple;
use programs::Row;

pub use programs::Test;

/// What a session is opened with to be put to the test.
pub const OPTIONS: SessionOptions = SessionOptions { admission: Admission::Exact, loop_iterations: 1 };

/// Random operands for each test of the whole battery.
pub const RANDOM: u32 = 1 << 20;
/// Random operands for each test of the short form.
const RANDOM_SHORT: u32 = 1 << 11;
/// The seed of random operands.
const SEED: u64 = 0x5a6d_6562_6974_0001;
/// Invocations of one launch, and so operands on the device at once.
const LAUNCH: usize = 1 << 18;

/// The version of the battery: what programs there are, and what they are given. Results of one are none of another.
pub const VERSION: u32 = 1;

/// The first wrong answer of a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Miss {
    /// Whose.
    pub test: Test,
    /// What was computed of `x`, `y` and `z`, or of their bits `i`, `j` and `k`.
    pub expression: &'static str,
    /// The bits of the three.
    pub operands: [u32; 3],
    /// What the device gave.
    pub found: u32,
    /// What it should have given.
    pub expected: u32,
}

impl fmt::Display for Miss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ([x, y, z], expression) = (self.operands, self.expression);
        write!(f, "{expression} of {x:#010x}, {y:#010x}, {z:#010x} gave {:#010x} ", self.found)?;
        write!(f, "instead of {:#010x}", self.expected)
    }
}

/// Runs one test with all its operands: boundaries, hard cases, and [`RANDOM`] random ones.
///
/// The session is one that was opened with [`OPTIONS`], for nothing else.
///
/// # Errors
/// If the device fails.
pub async fn run(session: &mut dyn Session, test: Test) -> Result<Option<Miss>, DeviceError> {
    run_with(session, test, RANDOM).await
}

/// Runs one test with so many random operands.
///
/// # Errors
/// If the device fails.
pub async fn run_with(session: &mut dyn Session, test: Test, random: u32) -> Result<Option<Miss>, DeviceError> {
    let triples = inputs::of(test, SEED, random);
    let rows: Vec<(Test, Row)> = test.rows().iter().map(|row| (test, *row)).collect();
    Ok(Bench::new(session, test as u32, rows)?.compare(&triples).await?.into_iter().next())
}

/// Runs the short form: all tests in one program, with boundaries and few random operands. Gives the first wrong answer of
/// each test that fails.
///
/// # Errors
/// If the device fails.
pub async fn run_short(session: &mut dyn Session) -> Result<Vec<Miss>, DeviceError> {
    let rows: Vec<(Test, Row)> =
        Test::ALL.iter().flat_map(|test| test.rows().first().map(|row| (*test, *row))).collect();
    let triples = inputs::short(SEED, RANDOM_SHORT);
    Bench::new(session, Test::ALL.len() as u32, rows)?.compare(&triples).await
}

/// A program that computes rows of expressions, on a device.
struct Bench<'a> {
    session: &'a mut dyn Session,
    kernel: KernelId,
    rows: Vec<(Test, Row)>,
    operands: BufferId,
    results: BufferId,
}

impl<'a> Bench<'a> {
    /// Makes the program; `number` keeps it apart from others in the session.
    fn new(session: &'a mut dyn Session, number: u32, rows: Vec<(Test, Row)>) -> Result<Self, DeviceError> {
        let failed = |why: &dyn fmt::Display| DeviceError::Failed(format!("its arithmetic could not be tested: {why}"));
        let text = text(&rows);
        let source = Source { text: &text, entry_point: "main", constants: &[] };
        let kernel = parse(&source).map_err(|why| failed(&why))?;
        let lowered = lower(&kernel, &text, Admission::Exact).map_err(|why| failed(&why))?;
        let id = KernelId(number);
        session.kernel_create(id, Program::Exact(Arc::new(lowered))).map_err(|why| failed(&why))?;
        Ok(Self { session, kernel: id, rows, operands: BufferId(2 * number), results: BufferId(2 * number + 1) })
    }

    /// The first wrong answer in each row.
    async fn compare(mut self, triples: &[Triple]) -> Result<Vec<Miss>, DeviceError> {
        let launch = LAUNCH.min(triples.len()).max(1);
        self.session.buffer_create(self.operands, 12 * launch as u64)?;
        self.session.buffer_create(self.results, 4 * (launch * self.rows.len()) as u64)?;
        let mut misses = vec![None; self.rows.len()];
        for triples in triples.chunks(launch) {
            let found = self.launch(triples).await?;
            for (triple, found) in triples.iter().zip(found.chunks(self.rows.len())) {
                for ((miss, (test, row)), found) in misses.iter_mut().zip(&self.rows).zip(found) {
                    let expected = (row.expected)(*triple);
                    if *found != expected && miss.is_none() {
                        let (test, expression, operands, found) = (*test, row.expression, *triple, *found);
                        *miss = Some(Miss { test, expression, operands, found, expected });
                    }
                }
            }
        }
        self.session.buffer_drop(self.operands);
        self.session.buffer_drop(self.results);
        self.session.kernel_drop(self.kernel);
        Ok(misses.into_iter().flatten().collect())
    }

    async fn launch(&mut self, triples: &[Triple]) -> Result<Vec<u32>, DeviceError> {
        let bytes: Vec<u8> = triples.as_flattened().iter().flat_map(|word| word.to_le_bytes()).collect();
        let size = 4 * (triples.len() * self.rows.len()) as u64;
        self.session.buffer_write(self.operands, 0, &bytes)?;
        let bind =
            |binding, buffer, size| Binding { group: 0, binding, range: BufferRange { buffer, offset: 0, size } };
        self.session.dispatch(&Dispatch {
            kernel: self.kernel,
            bindings: vec![bind(0, self.operands, bytes.len() as u64), bind(1, self.results, size)],
            grid: Grid::Direct([triples.len().div_ceil(64) as u32, 1, 1]),
        })?;
        let mut words = Vec::with_capacity(triples.len() * self.rows.len());
        let mut sink = |piece: &[u8]| {
            words.extend(piece.as_chunks::<4>().0.iter().map(|word| u32::from_le_bytes(*word)));
            Ok(())
        };
        let range = BufferRange { buffer: self.results, offset: 0, size };
        match self.session.buffer_read(range, &mut sink).await {
            Ok(()) if words.len() as u64 * 4 == size => Ok(words),
            Ok(()) => Err(DeviceError::Failed("it gave fewer bytes than were asked for".to_owned())),
            Err(ReadError::Device(error)) => Err(error),
            Err(error) => Err(DeviceError::Failed(format!("its arithmetic could not be tested: {error}"))),
        }
    }
}

/// The program of some rows.
fn text(rows: &[(Test, Row)]) -> String {
    let count = rows.len();
    let stores: String = (0..)
        .zip(rows)
        .map(|(at, (_, row))| format!("    results[n * {count}u + {at}u] = {};\n", row.expression))
        .collect();
    format!(
        "@group(0) @binding(0) var<storage> operands: array<u32>;
@group(0) @binding(1) var<storage, read_write> results: array<u32>;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {{
    let n = id.x;
    if 3u * n >= arrayLength(&operands) {{ return; }}
    let i = operands[3u * n]; let j = operands[3u * n + 1u]; let k = operands[3u * n + 2u];
    let x = bitcast<f32>(i); let y = bitcast<f32>(j); let z = bitcast<f32>(k);
{stores}}}"
    )
}
