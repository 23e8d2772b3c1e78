//! What a kernel of the suite is.

/// The words of a buffer.
pub(crate) type Words = Vec<u32>;

/// A kernel, what it works on, and the same in Rust.
pub(crate) struct Case {
    /// What it is called.
    pub(crate) name: &'static str,
    /// How much it has to do.
    pub(crate) size: &'static str,
    /// The WGSL.
    pub(crate) text: &'static str,
    /// The buffers as they are before a run.
    pub(crate) buffers: Vec<Words>,
    /// What a run launches, in order.
    pub(crate) launches: Vec<Launch>,
    /// The buffers that hold the answer.
    pub(crate) outputs: Vec<usize>,
    /// The buffers that a run reads and changes, so that they are restored before the next.
    pub(crate) restored: Vec<usize>,
    /// Does in Rust what the launches do, on the same buffers.
    pub(crate) rust: fn(&mut [Words]),
    /// How equal the answers are.
    pub(crate) agreement: Agreement,
}

/// One launch of an entry point.
#[derive(Clone)]
pub(crate) struct Launch {
    /// Which.
    pub(crate) entry: &'static str,
    /// The override constants.
    pub(crate) constants: Vec<(String, f64)>,
    /// For each binding of group 0 which buffer is bound.
    pub(crate) bindings: Vec<(u32, usize)>,
    /// How many workgroups.
    pub(crate) grid: [u32; 3],
}

/// How equal the answers of different sides are.
#[derive(Clone, Copy)]
pub(crate) enum Agreement {
    /// Rust and the reference device in every bit, and the driver too: no float that a driver may round otherwise.
    Everywhere,
    /// Rust and the reference device in every bit. The driver's words may differ, in this part of them.
    Bits { driver_part: f64 },
    /// Words, up to this part of them, since floats that are rounded otherwise decide otherwise.
    Words { part: f64 },
    /// Floats, by so much of the largest one.
    Close(f32),
}

impl Launch {
    /// Without constants, with the buffers bound in their order from binding 0 on.
    pub(crate) fn new(entry: &'static str, buffers: &[usize], grid: [u32; 3]) -> Self {
        let bindings = (0..).zip(buffers.iter().copied()).collect();
        Self { entry, constants: Vec::new(), bindings, grid }
    }

    /// With a constant.
    pub(crate) fn with(mut self, name: &str, value: usize) -> Self {
        self.constants.push((name.to_owned(), value as f64));
        self
    }
}

impl Agreement {
    /// What is wrong with the reference device's answer, if anything.
    pub(crate) fn check_reference(self, found: &[u32], rust: &[u32]) -> Result<(), String> {
        match self {
            Self::Everywhere | Self::Bits { .. } => part_at_most(found, rust, 0.0),
            Self::Words { part } => part_at_most(found, rust, part),
            Self::Close(tolerance) => close(found, rust, tolerance),
        }
    }

    /// What is wrong with the driver's answer, if anything.
    pub(crate) fn check_driver(self, found: &[u32], rust: &[u32]) -> Result<(), String> {
        match self {
            Self::Everywhere => part_at_most(found, rust, 0.0),
            Self::Bits { driver_part } => part_at_most(found, rust, driver_part),
            Self::Words { part } => part_at_most(found, rust, part),
            Self::Close(tolerance) => close(found, rust, tolerance),
        }
    }
}

fn part_at_most(found: &[u32], expected: &[u32], part: f64) -> Result<(), String> {
    let different = found.iter().zip(expected).filter(|(found, expected)| found != expected).count();
    if found.len() == expected.len() && different as f64 <= part * expected.len() as f64 {
        return Ok(());
    }
    let first = found.iter().zip(expected).position(|(found, expected)| found != expected).unwrap_or(0);
    let (a, b) = (found[first], expected[first]);
    Err(format!("{different} of {} words differ, first word {first}: {a:#010x}, Rust has {b:#010x}", expected.len()))
}

fn close(found: &[u32], expected: &[u32], tolerance: f32) -> Result<(), String> {
    let [found, expected]: [&[f32]; 2] = [bytemuck::cast_slice(found), bytemuck::cast_slice(expected)];
    let scale = expected.iter().fold(0.0f32, |scale, value| scale.max(value.abs()));
    // Not `>`, so that NaN is not close.
    let is_close = |(found, expected): (&f32, &f32)| (found - expected).abs() <= tolerance * scale;
    match found.iter().zip(expected).position(|pair| !is_close(pair)) {
        None if found.len() == expected.len() => Ok(()),
        None => Err("the lengths differ".to_owned()),
        Some(at) => Err(format!("word {at} is {}, Rust has {} (the largest is {scale})", found[at], expected[at])),
    }
}
