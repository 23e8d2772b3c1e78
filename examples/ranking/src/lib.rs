//! Scores numbers on the GPU, and says itself which scores are as good as each other.
//!
//! Input `numbers` and output `scores` are little-endian `f32`s, one after another. In the profile native each GPU has an
//! `exp` of its own, so the last digits of a score differ from one to the next. What matters of scores is who is ahead.

use samebit_guest::prelude::*;

#[samebit_guest::job]
fn run(_args: Vec<String>) -> Result<(), Error> {
    let numbers = Buffer::<f32>::from_input(&input("numbers"))?;
    let scores = Buffer::<f32>::zeroed(numbers.len())?;
    let rows = numbers.len().div_ceil(ROW);
    let score = kernel!("kernels/score.wgsl", "main").bind("numbers", &numbers).bind("scores", &scores);
    score.dispatch_for([ROW as u32, rows as u32, 1])?;
    output("scores").append_buffer(&scores)
}

/// Two lists of scores are as good as each other if nobody is clearly behind whom they were ahead of.
#[samebit_guest::compare]
fn same_ranking(_name: &str) -> Result<(), Error> {
    let (claimed, replayed) = (scores("claimed")?, scores("replayed")?);
    if claimed.len() != replayed.len() {
        bail!("{} scores were claimed, {} are right", claimed.len(), replayed.len());
    }
    let mut order: Vec<usize> = (0..claimed.len()).collect();
    order.sort_by(|a, b| claimed[*a].total_cmp(&claimed[*b]));
    for pair in order.windows(2) {
        let [behind, ahead] = [replayed[pair[0]], replayed[pair[1]]];
        if behind > ahead + CLOSE || behind.is_nan() || ahead.is_nan() {
            bail!("number {} was claimed to be ahead of number {}, but is behind it", pair[1], pair[0]);
        }
    }
    Ok(())
}

fn scores(name: &str) -> Result<Vec<f32>, Error> {
    let bytes = input(name).read()?;
    let (words, rest) = bytes.as_chunks::<4>();
    if !rest.is_empty() {
        bail!("the scores have {} bytes, which is no multiple of four", bytes.len());
    }
    Ok(words.iter().map(|word| f32::from_le_bytes(*word)).collect())
}

/// Invocations of a row, as `kernels/score.wgsl` has it.
const ROW: usize = 4096;
/// Scores that are as close as this are a tie.
const CLOSE: f32 = 1e-6;

#[cfg(test)]
mod tests {
    use super::{run, same_ranking};
    use samebit_guest::testing::Host;

    fn bytes(numbers: &[f32]) -> Vec<u8> {
        numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
    }

    fn compared(claimed: &[f32], replayed: &[f32]) -> Result<(), String> {
        let host = Host::new().input("claimed", &bytes(claimed)).input("replayed", &bytes(replayed));
        host.run(|_| same_ranking("scores"), &[]).result
    }

    #[test]
    fn scores() {
        let outcome = Host::new()
            .input("numbers", &bytes(&[0.0, 1.0]))
            .kernel("main", |call| {
                let numbers: Vec<f32> = call.read("numbers");
                let scores: Vec<f32> = numbers.iter().map(|number| 1.0 / (1.0 + (-number).exp())).collect();
                call.write("scores", &scores);
            })
            .run(run, &[]);
        assert_eq!(outcome.result, Ok(()));
        assert_eq!(outcome.output("scores")[..4], 0.5_f32.to_le_bytes());
    }

    #[test]
    fn digits_may_differ_and_ranks_may_not() {
        let right = [0.1, 0.9, 0.5];
        assert_eq!(compared(&[0.100_000_1, 0.9, 0.500_000_1], &right), Ok(()));
        assert_eq!(compared(&[0.2, 0.8, 0.4], &right), Ok(()), "only the order is compared");
        assert!(
            compared(&[0.1, 0.5, 0.9], &right).is_err_and(|why| why.contains("number 2 was claimed to be ahead of"))
        );
        assert!(compared(&[0.1, 0.9], &right).is_err());
        assert!(compared(&right, &[0.1, f32::NAN, 0.5]).is_err());
    }
}
