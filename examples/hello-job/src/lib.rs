//! Doubles numbers on the GPU.
//!
//! Input `numbers` and output `doubled` are little-endian `f32`s, one after another.

use samebit_guest::prelude::*;

#[samebit_guest::job]
fn run(_args: Vec<String>) -> Result<(), Error> {
    let numbers = Buffer::<f32>::from_input(&input("numbers"))?;
    let doubled = Buffer::<f32>::zeroed(numbers.len())?;
    info!("doubling {} numbers", numbers.len());

    // Workgroups are counted in three dimensions, 65,535 along each; a row of this many invocations uses two.
    let rows = numbers.len().div_ceil(ROW);
    let double = kernel!("kernels/double.wgsl", "main").bind("numbers", &numbers).bind("doubled", &doubled);
    double.dispatch_for([ROW as u32, rows as u32, 1])?;

    output("doubled").append_buffer(&doubled)
}

/// Invocations of a row, as `kernels/double.wgsl` has it.
const ROW: usize = 4096;

#[cfg(test)]
mod tests {
    use super::run;
    use samebit_guest::testing::Host;

    fn bytes(numbers: &[f32]) -> Vec<u8> {
        numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
    }

    #[test]
    fn doubles() {
        let outcome = Host::new()
            .input("numbers", &bytes(&[1.0, -2.5, 0.0]))
            .kernel("main", |call| {
                assert_eq!(call.workgroups(), [64, 1, 1]);
                let numbers: Vec<f32> = call.read("numbers");
                let doubled: Vec<f32> = numbers.iter().map(|number| 2.0 * number).collect();
                call.write("doubled", &doubled);
            })
            .run(run, &[]);
        assert_eq!(outcome.result, Ok(()));
        assert_eq!(outcome.output("doubled"), bytes(&[2.0, -5.0, 0.0]));
    }

    #[test]
    fn refuses_half_a_number() {
        let outcome = Host::new().input("numbers", &[1, 2, 3, 4, 5]).run(run, &[]);
        assert!(outcome.error().starts_with("input `numbers` has 5 bytes"), "{}", outcome.error());
    }
}
