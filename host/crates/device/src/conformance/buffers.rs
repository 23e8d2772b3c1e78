//! Memory by itself: no kernel runs here.

use super::lab::{Failure, Lab, expect, expect_words};
use crate::{BufferCopy, BufferRange, Device};

pub(super) async fn starts_at_zero(device: &dyn Device) -> Result<(), Failure> {
    let mut lab = Lab::open(device).await?;
    for words in [1, 2, 3, 64, 100_003] {
        let buffer = lab.zeros(words)?;
        expect_words("a fresh buffer", &lab.words(buffer).await?, &vec![0; words])?;
    }
    Ok(())
}

pub(super) async fn reads_what_was_written(device: &dyn Device) -> Result<(), Failure> {
    let mut lab = Lab::open(device).await?;
    let buffer = lab.zeros(8)?;
    lab.write(buffer, 2, &[1, 2, 3])?;
    lab.write(buffer, 4, &[u32::MAX, 5])?;
    expect_words("two overlapping writes", &lab.words(buffer).await?, &[0, 0, 1, 2, u32::MAX, 5, 0, 0])?;
    lab.write(buffer, 0, &[9])?;
    expect_words("a write after a read", &lab.words(buffer).await?, &[9, 0, 1, 2, u32::MAX, 5, 0, 0])?;
    lab.gpu.buffer_write(buffer, 32, &[])?;
    expect("reading nothing at the end", lab.bytes(buffer, 32, 0).await?, vec![])
}

pub(super) async fn reads_any_range(device: &dyn Device) -> Result<(), Failure> {
    let mut lab = Lab::open(device).await?;
    let all: Vec<u8> = (1..=64).collect();
    let buffer = lab.zeros(16)?;
    lab.gpu.buffer_write(buffer, 0, &all)?;
    for offset in 0..9 {
        for size in [1, 2, 3, 4, 5, 31, 55, 64 - offset] {
            let found = lab.bytes(buffer, offset as u64, size as u64).await?;
            expect(&format!("{size} bytes from {offset}"), found, all[offset..offset + size].to_vec())?;
        }
    }
    Ok(())
}

pub(super) async fn pads_partial_words_with_zero(device: &dyn Device) -> Result<(), Failure> {
    let mut lab = Lab::open(device).await?;
    for size in 1..8 {
        let buffer = lab.buffer(&[u32::MAX; 4])?;
        lab.gpu.buffer_write(buffer, 4, &[7; 8][..size])?;
        let mut expected = [0xff; 16];
        expected[4..4 + size].fill(7);
        expected[4 + size..(4 + size).next_multiple_of(4)].fill(0);
        expect(&format!("{size} bytes"), lab.bytes(buffer, 0, 16).await?, expected.to_vec())?;
    }
    Ok(())
}

pub(super) async fn fills_with_words(device: &dyn Device) -> Result<(), Failure> {
    const WORDS: usize = 600_001;
    let mut lab = Lab::open(device).await?;
    let buffer = lab.zeros(WORDS)?;
    let mut expected = vec![0; WORDS];
    for (from, until, word) in [(0, WORDS, 0xdead_beef), (5, 500_000, 0x0102_0304), (7, 9, 0), (8, 8, 1), (9, 10, 3)] {
        let range = BufferRange { buffer, offset: from as u64 * 4, size: (until - from) as u64 * 4 };
        lab.gpu.buffer_fill(range, word)?;
        expected[from..until].fill(word);
    }
    expect_words("fills", &lab.words(buffer).await?, &expected)
}

pub(super) async fn copies_between_buffers(device: &dyn Device) -> Result<(), Failure> {
    let mut lab = Lab::open(device).await?;
    let source = lab.buffer(&[1, 2, 3, 4])?;
    let target = lab.buffer(&[9; 4])?;
    let range = BufferRange { buffer: target, offset: 8, size: 8 };
    lab.gpu.buffer_copy(BufferCopy { source, source_offset: 4, target: range })?;
    expect_words("the target of a copy", &lab.words(target).await?, &[9, 9, 2, 3])?;
    expect_words("its source", &lab.words(source).await?, &[1, 2, 3, 4])?;
    let fresh = lab.zeros(4)?;
    let range = BufferRange { buffer: target, offset: 0, size: 16 };
    lab.gpu.buffer_copy(BufferCopy { source: fresh, source_offset: 0, target: range })?;
    expect_words("a copy of a fresh buffer", &lab.words(target).await?, &[0; 4])
}

/// Larger than any piece that a device may read in, and at odd ends.
pub(super) async fn reads_large_ranges(device: &dyn Device) -> Result<(), Failure> {
    const BYTES: usize = (20 << 20) + 12;
    let mut lab = Lab::open(device).await?;
    // A length that no piece is a multiple of, so that pieces in the wrong place show.
    let bytes: Vec<u8> = (0..=250).cycle().take(BYTES).collect();
    let buffer = lab.zeros(BYTES / 4)?;
    lab.gpu.buffer_write(buffer, 0, &bytes)?;
    for (offset, end) in [(0, BYTES), (3, BYTES - 2), (BYTES / 2 + 1, BYTES)] {
        let found = lab.bytes(buffer, offset as u64, (end - offset) as u64).await?;
        if found != bytes[offset..end] {
            let wrong = found.iter().zip(&bytes[offset..end]).position(|(found, expected)| found != expected);
            return Err(Failure(format!("{} bytes of {offset}..{end}; the first wrong one is {wrong:?}", found.len())));
        }
    }
    Ok(())
}
