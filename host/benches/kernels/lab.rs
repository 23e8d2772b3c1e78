//! The devices, and a case's buffers and kernels on one of them.

use std::time::{Duration, Instant};

use samebit_device::wgsl::{Admission, Source, parse};
use samebit_device::{BindingIndex, BufferId, BufferRange, Checked, Device, Grid, KernelId, SessionOptions};
use samebit_gpu::exact::{Exactness, Way};
use samebit_gpu::{Choice, GpuDevice};
use samebit_reference::ReferenceDevice;

use crate::suite::{Case, Words};

/// Memory that a session may use.
const MEMORY_BYTES: u64 = 1 << 31;
/// Iterations that an invocation may run: the default of a job.
const LOOP_ITERATIONS: u32 = 1 << 24;

/// The devices that are compared.
pub(crate) struct Sides {
    /// The reference device.
    pub(crate) reference: ReferenceDevice,
    /// The first GPU of this machine, or its driver in software.
    pub(crate) driver: Option<GpuDevice>,
    /// The same, with exact programs written in each way.
    pub(crate) exact: Vec<(Way, GpuDevice)>,
}

impl Sides {
    /// Finds the devices.
    pub(crate) fn open(with_gpu: bool) -> Self {
        let driver = if with_gpu { GpuDevice::select(&Choice::Default).ok() } else { None };
        let exact = if driver.is_some() { [Way::Portable, Way::Vulkan].map(exact).into() } else { Vec::new() };
        let exact = exact.into_iter().flatten().collect();
        Self { reference: ReferenceDevice::new().expect("this CPU runs kernels"), driver, exact }
    }

    /// The machine, in a line.
    pub(crate) fn machine(&self) -> String {
        let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = cpu.lines().find_map(|line| line.strip_prefix("model name")?.split(':').nth(1));
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        let driver = self
            .driver
            .as_ref()
            .map_or("no driver".to_owned(), |device| format!("{} ({})", device.info().name, device.info().driver));
        format!("{cores} cores of {}, {driver}", model.unwrap_or("unknown CPU").trim())
    }
}

/// The first GPU, with exact programs written in one way, if it takes that.
fn exact(way: Way) -> Option<(Way, GpuDevice)> {
    let device = GpuDevice::select(&Choice::Default).ok()?;
    let found = pollster::block_on(device.exactness()).ok()?;
    if way == Way::Vulkan && found.way != way {
        return None;
    }
    let device = GpuDevice::select(&Choice::Default).ok()?;
    device.set_exactness(Ok(Exactness { way, ..found }));
    Some((way, device))
}

/// A session, short-spoken.
pub(crate) struct Lab {
    pub(crate) gpu: Checked,
}

impl Lab {
    /// Opens a device for programs of that kind.
    pub(crate) fn open(device: &dyn Device, admission: Admission) -> Self {
        let options = SessionOptions { admission, loop_iterations: LOOP_ITERATIONS };
        let session = pollster::block_on(device.open(options)).expect("the device opens");
        Self { gpu: Checked::new(session, MEMORY_BYTES, admission) }
    }

    /// A buffer of these words.
    pub(crate) fn buffer(&mut self, words: &[u32]) -> BufferId {
        let id = self.gpu.buffer_create(words.len() as u64 * 4).expect("the buffer fits");
        self.write(id, words);
        id
    }

    /// Writes the words of a whole buffer, in pieces that no session queues too many of.
    pub(crate) fn write(&mut self, id: BufferId, words: &[u32]) {
        for (index, piece) in words.chunks(1 << 20).enumerate() {
            let offset = (index as u64) << 22;
            self.gpu.buffer_write(id, offset, bytemuck::cast_slice(piece)).expect("the words are in range");
            pollster::block_on(self.gpu.settle()).expect("the device settles");
        }
    }

    /// The words of a whole buffer.
    pub(crate) fn read(&mut self, id: BufferId) -> Words {
        let size = self.gpu.buffer_size(id);
        let mut bytes = Vec::with_capacity(size as usize);
        let mut sink = |piece: &[u8]| {
            bytes.extend_from_slice(piece);
            Ok(())
        };
        let range = BufferRange { buffer: id, offset: 0, size };
        pollster::block_on(self.gpu.buffer_read(range, &mut sink)).expect("the buffer is read");
        bytemuck::pod_collect_to_vec(&bytes)
    }

    /// A kernel, or why there is none.
    pub(crate) fn kernel(
        &mut self,
        text: &str,
        entry_point: &str,
        constants: &[(String, f64)],
    ) -> Result<KernelId, String> {
        let kernel = parse(&Source { text, entry_point, constants }).map_err(|error| error.to_string())?;
        self.gpu.kernel_create(kernel, text).map_err(|error| error.to_string())
    }

    /// Launches a kernel.
    pub(crate) fn launch(&mut self, kernel: KernelId, bindings: &[(u32, BufferId)], grid: [u32; 3]) {
        let bind = |(binding, id): &(u32, BufferId)| (BindingIndex { group: 0, binding: *binding }, *id, 0, None);
        let bindings: Vec<_> = bindings.iter().map(bind).collect();
        self.gpu.dispatch(kernel, &bindings, Grid::Direct(grid)).expect("the launch is valid");
    }

    /// Waits until everything is done.
    pub(crate) fn finish(&mut self) {
        pollster::block_on(self.gpu.finish()).expect("the device finishes");
    }

    /// Frees everything.
    pub(crate) fn close(self) {
        pollster::block_on(self.gpu.close());
    }
}

/// What a launch is on a device: a kernel, the buffers it is bound to, and how many workgroups.
type Ready = (KernelId, Vec<(u32, BufferId)>, [u32; 3]);

/// A case ready to run on a device.
pub(crate) struct Bench {
    lab: Lab,
    buffers: Vec<BufferId>,
    launches: Vec<Ready>,
}

impl Bench {
    /// Makes buffers and kernels.
    pub(crate) fn new(case: &Case, device: &dyn Device, admission: Admission) -> Result<Self, String> {
        let mut lab = Lab::open(device, admission);
        let buffers: Vec<_> = case.buffers.iter().map(|words| lab.buffer(words)).collect();
        let mut kernels = std::collections::BTreeMap::new();
        let mut launches = Vec::new();
        for launch in &case.launches {
            let kernel = match kernels.get(launch.entry) {
                Some(kernel) => *kernel,
                None => lab.kernel(case.text, launch.entry, &launch.constants)?,
            };
            kernels.insert(launch.entry, kernel);
            let bindings = launch.bindings.iter().map(|(binding, buffer)| (*binding, buffers[*buffer])).collect();
            launches.push((kernel, bindings, launch.grid));
        }
        lab.finish();
        Ok(Self { lab, buffers, launches })
    }

    /// Runs the case once, and says how long it took from the first launch to the end of the last.
    pub(crate) fn run(&mut self, case: &Case) -> Duration {
        for index in &case.restored {
            self.lab.write(self.buffers[*index], &case.buffers[*index]);
        }
        self.lab.finish();
        let start = Instant::now();
        for (kernel, bindings, grid) in &self.launches {
            self.lab.launch(*kernel, bindings, *grid);
        }
        self.lab.finish();
        start.elapsed()
    }

    /// A buffer's words.
    pub(crate) fn read(&mut self, index: usize) -> Words {
        self.lab.read(self.buffers[index])
    }

    /// Frees everything.
    pub(crate) fn close(self) {
        self.lab.close();
    }
}
