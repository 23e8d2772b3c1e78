//! Where things are in a thread's scratch memory: the workgroup's memory, then an area for each gang.

use super::CodegenError;
use super::function::PART_LANES;
use samebit_wgsl::lowered::{Array, Lowered};

/// Offsets in bytes.
#[derive(Debug)]
pub(super) struct Layout {
    /// How many invocations a workgroup has.
    pub invocations: u32,
    /// Where the first gang's area is.
    pub gangs: u32,
    /// How many lanes a gang has.
    pub lanes: u32,
    /// Size of a gang's area. Gangs share one if nothing is kept between regions.
    pub gang_bytes: u32,
    /// Size of a part's area in it: one part after the other.
    pub part_bytes: u32,
    /// Where each array is in a part's area.
    arrays: Vec<u32>,
    /// Size of all arrays of a part, which come first.
    pub arrays_bytes: u32,
    /// Size of everything.
    pub scratch_bytes: u32,
}

impl Layout {
    /// Lays out the memory of a kernel, with `slot_bytes` for each part of a gang to keep between regions.
    pub(super) fn new(kernel: &Lowered, parts: u32, slot_bytes: u32, keeps: bool) -> Result<Self, CodegenError> {
        let invocations: u32 = kernel.interface.workgroup_size.iter().product();
        let lanes = parts * PART_LANES;
        let gang_count = if keeps { u64::from(invocations.div_ceil(lanes)) } else { 1 };
        let gangs = u64::from(kernel.workgroup_bytes).next_multiple_of(16);
        let mut arrays_bytes = 0u64;
        let mut arrays = Vec::new();
        for bytes in &kernel.arrays {
            arrays.push(arrays_bytes);
            arrays_bytes += u64::from(*bytes) * u64::from(PART_LANES);
        }
        let part_bytes = (arrays_bytes + u64::from(slot_bytes)).next_multiple_of(16);
        let gang_bytes = part_bytes * u64::from(parts);
        let total = gangs + gang_bytes * gang_count;
        let fits = |bytes: u64| u32::try_from(bytes).ok().filter(|bytes| *bytes < 1 << 31);
        let scratch_bytes = fits(total).ok_or(CodegenError::Scratch(total))?;
        let small = |bytes: u64| fits(bytes).ok_or(CodegenError::Scratch(total));
        Ok(Self {
            invocations,
            lanes,
            gangs: small(gangs)?,
            gang_bytes: small(gang_bytes)?,
            part_bytes: small(part_bytes)?,
            arrays: arrays.into_iter().map(small).collect::<Result<_, _>>()?,
            arrays_bytes: small(arrays_bytes)?,
            scratch_bytes,
        })
    }

    /// Where an array is in a gang's area.
    pub(super) fn array(&self, array: Array) -> u32 {
        self.arrays[array.0 as usize]
    }

    /// Whether the last gang has fewer invocations than others.
    pub(super) fn is_partial(&self) -> bool {
        !self.invocations.is_multiple_of(self.lanes)
    }
}
