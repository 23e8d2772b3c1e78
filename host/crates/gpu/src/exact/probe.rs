//! Finds out how a device is made exact: the battery on it, with another method for each operation that fails, until all of
//! it is right.
//!
//! The short form finds the methods, since a wrong one shows at once. The whole battery then proves them together, and
//! starts over if it finds one more. What it has proven is how the programs of jobs are written, nothing else.

use samebit_device::battery::{self, Miss, Test};
use samebit_device::{DeviceError, Session};

use super::{Arithmetic, Exactness, Method, Operation, Way};
use crate::GpuDevice;

/// Random operands of each test of the whole battery. A build for development computes what is expected of them so slowly
/// that nobody would wait for all.
pub(crate) const RANDOM: u32 = if cfg!(debug_assertions) { 1 << 12 } else { battery::RANDOM };

/// How much a device is asked before it is believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// The short form of the battery: for a device that is proven again each time, as nobody remembers.
    Short,
    /// All of it.
    Whole,
}

/// How the device is made exact, or why it cannot be.
pub(crate) async fn find(device: &GpuDevice, extent: Extent) -> Result<Result<Exactness, Operation>, DeviceError> {
    let mut exactness = Exactness { way: way(device), arithmetic: Arithmetic::NATIVE };
    loop {
        let mut misses = short(device, exactness).await?;
        if misses.is_empty() && extent == Extent::Whole {
            misses = whole(device, exactness).await?;
        }
        if misses.is_empty() {
            tracing::debug!(?exactness, ?extent, "the device is exact");
            return Ok(Ok(exactness));
        }
        for miss in &misses {
            tracing::debug!(test = %miss.test, %miss, "the device is not exact as it is");
        }
        let has = |arithmetic| device.features().contains(Exactness { arithmetic, ..exactness }.features());
        match corrected(exactness.arithmetic, &misses, has) {
            Ok(arithmetic) => exactness.arithmetic = arithmetic,
            Err(operation) => return Ok(Err(operation)),
        }
    }
}

/// Whether the short form finds nothing wrong with a device that is made exact in this way.
pub(crate) async fn holds(device: &GpuDevice, exactness: Exactness) -> Result<bool, DeviceError> {
    Ok(short(device, exactness).await?.is_empty())
}

/// In which way programs are written for the device.
pub(crate) fn way(device: &GpuDevice) -> Way {
    if device.features().contains(wgpu::Features::PASSTHROUGH_SHADERS) && device.is_vulkan() {
        Way::Vulkan
    } else {
        Way::Portable
    }
}

async fn short(device: &GpuDevice, exactness: Exactness) -> Result<Vec<Miss>, DeviceError> {
    let mut session = device.open_with(battery::OPTIONS, exactness).await?;
    let misses = battery::run_short(session.as_mut()).await?;
    device.advance();
    session.close().await;
    Ok(misses)
}

async fn whole(device: &GpuDevice, exactness: Exactness) -> Result<Vec<Miss>, DeviceError> {
    let mut session: Box<dyn Session> = device.open_with(battery::OPTIONS, exactness).await?;
    let mut misses = Vec::new();
    for test in Test::ALL {
        misses.extend(battery::run_with(session.as_mut(), test, RANDOM).await?);
        device.advance();
    }
    session.close().await;
    Ok(misses)
}

/// The next method for each operation that failed, or an operation that has none left.
fn corrected(
    arithmetic: Arithmetic,
    misses: &[Miss],
    has: impl Fn(Arithmetic) -> bool,
) -> Result<Arithmetic, Operation> {
    let held = |is_alone| misses.iter().map(|miss| tested(miss.test)).filter(move |(_, alone)| *alone == is_alone);
    // Programs of several operations are held against one of them only when each is right by itself.
    let is_alone = held(true).next().is_some();
    let mut failed: Vec<Operation> = held(is_alone).map(|(operation, _)| operation).collect();
    failed.sort_unstable();
    failed.dedup();
    failed.into_iter().try_fold(arithmetic, |arithmetic, operation| {
        next(arithmetic, operation, &has).map(|method| arithmetic.with(operation, method)).ok_or(operation)
    })
}

/// The method to try after one that failed.
fn next(arithmetic: Arithmetic, operation: Operation, has: impl Fn(Arithmetic) -> bool) -> Option<Method> {
    let failed = arithmetic.of(operation);
    let later = operation.methods().iter().copied().skip_while(|method| *method != failed).skip(1);
    later.into_iter().find(|method| has(arithmetic.with(operation, *method)))
}

/// The operation that a test is held against, and whether the test is of it alone.
fn tested(test: Test) -> (Operation, bool) {
    match test {
        Test::Add | Test::Subtract => (Operation::Add, true),
        Test::Reassociate => (Operation::Add, false),
        Test::Multiply => (Operation::Multiply, true),
        Test::Contract | Test::Fold => (Operation::Multiply, false),
        Test::Divide => (Operation::Divide, true),
        Test::Sqrt => (Operation::Sqrt, true),
        Test::Fma => (Operation::Fma, true),
        Test::Min | Test::Max | Test::Compare => (Operation::Compare, true),
        Test::Floor | Test::Ceil | Test::Trunc | Test::Round => (Operation::Round, true),
        Test::ToSigned | Test::ToUnsigned => (Operation::ToInteger, true),
        Test::FromSigned | Test::FromUnsigned => (Operation::FromInteger, true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missed(tests: &[Test]) -> Vec<Miss> {
        let miss = |test: &Test| Miss { test: *test, expression: "", operands: [0; 3], found: 1, expected: 0 };
        tests.iter().map(miss).collect()
    }

    #[test]
    fn an_operation_that_fails_gets_its_next_method_once() {
        let misses = missed(&[Test::Divide, Test::Floor, Test::Round]);
        let next = corrected(Arithmetic::NATIVE, &misses, |_| true);
        let expected =
            Arithmetic::NATIVE.with(Operation::Divide, Method::Corrected).with(Operation::Round, Method::Integer);
        assert_eq!(next, Ok(expected));
    }

    #[test]
    fn a_method_that_the_driver_lacks_is_passed_over() {
        let next = corrected(Arithmetic::NATIVE, &missed(&[Test::Fma]), |arithmetic| !arithmetic.needs_doubles());
        assert_eq!(next, Ok(Arithmetic::NATIVE.with(Operation::Fma, Method::Integer)));
    }

    #[test]
    fn what_several_operations_get_wrong_waits_for_each_of_them() {
        // `x / x` is among the folds, and says nothing about products.
        let next = corrected(Arithmetic::NATIVE, &missed(&[Test::Fold, Test::Divide]), |_| true);
        assert_eq!(next, Ok(Arithmetic::NATIVE.with(Operation::Divide, Method::Corrected)));
        let next = corrected(Arithmetic::NATIVE, &missed(&[Test::Fold]), |_| true);
        assert_eq!(next, Ok(Arithmetic::NATIVE.with(Operation::Multiply, Method::Integer)));
    }

    #[test]
    fn an_operation_without_a_method_left_is_named() {
        let worst = Arithmetic::INTEGER;
        assert_eq!(corrected(worst, &missed(&[Test::Sqrt]), |_| true), Err(Operation::Sqrt));
    }
}
