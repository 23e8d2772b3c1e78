//! One answer, wherever a kernel runs: the conformance suite's kernels and those of the benches, on the reference device and
//! on the driver in each way of emission, by hashes of all that they leave. And with the driver's stock way of writing
//! kernels, to show that the same comparison can fail.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use samebit_device::wgsl::{Admission, Kernel, Source, parse};
use samebit_device::{
    BindingIndex, BoxFuture, BufferCopy, BufferId, BufferRange, Checked, Device, DeviceError, DeviceInfo, Dispatch,
    FinishError, Grid, KernelFault, KernelId, Program, ReadError, Session, SessionOptions, Sink, conformance,
};
use samebit_gpu::exact::Way;
use samebit_reference::ReferenceDevice;

use crate::cases;
use crate::exact::{closed, device};
use crate::suite::Case;

/// What a session has read, hashed.
type Reads = Arc<Mutex<blake3::Hasher>>;

/// A device that keeps in mind what its sessions read, and may write kernels in the driver's stock way.
struct Watched<'a> {
    device: &'a dyn Device,
    is_stock: bool,
    sessions: Mutex<Vec<Reads>>,
}

impl<'a> Watched<'a> {
    fn new(device: &'a dyn Device, is_stock: bool) -> Self {
        Self { device, is_stock, sessions: Mutex::default() }
    }

    /// For each session in the order of their opening, the hash of what it read.
    fn hashes(&self) -> Vec<String> {
        let sessions = self.sessions.lock().expect("nobody panicked");
        sessions.iter().map(|reads| short(&reads.lock().expect("nobody panicked"))).collect()
    }
}

fn short(hasher: &blake3::Hasher) -> String {
    hasher.finalize().to_hex().chars().take(12).collect()
}

impl Device for Watched<'_> {
    fn info(&self) -> &DeviceInfo {
        self.device.info()
    }

    fn open(&self, options: SessionOptions) -> BoxFuture<'_, Result<Box<dyn Session>, DeviceError>> {
        let reads = Reads::default();
        self.sessions.lock().expect("nobody panicked").push(reads.clone());
        let admission = if self.is_stock { Admission::Native } else { options.admission };
        Box::pin(async move {
            let session = self.device.open(SessionOptions { admission, ..options }).await?;
            let sources = self.is_stock.then(BTreeMap::new);
            Ok(Box::new(WatchedSession { session, reads, sources }) as Box<dyn Session>)
        })
    }
}

struct WatchedSession {
    session: Box<dyn Session>,
    reads: Reads,
    /// What kernels were written as, if they are to be compiled from that.
    sources: Option<BTreeMap<KernelId, Program>>,
}

impl Session for WatchedSession {
    fn buffer_create(&mut self, id: BufferId, size_bytes: u64) -> Result<(), DeviceError> {
        self.session.buffer_create(id, size_bytes)
    }

    fn buffer_drop(&mut self, id: BufferId) {
        self.session.buffer_drop(id);
    }

    fn buffer_write(&mut self, id: BufferId, offset: u64, bytes: &[u8]) -> Result<(), DeviceError> {
        self.session.buffer_write(id, offset, bytes)
    }

    fn buffer_fill(&mut self, range: BufferRange, word: u32) -> Result<(), DeviceError> {
        self.session.buffer_fill(range, word)
    }

    fn buffer_copy(&mut self, copy: BufferCopy) -> Result<(), DeviceError> {
        self.session.buffer_copy(copy)
    }

    fn buffer_read<'a>(&'a mut self, range: BufferRange, sink: Sink<'a>) -> BoxFuture<'a, Result<(), ReadError>> {
        let reads = self.reads.clone();
        Box::pin(async move {
            let mut watched = |piece: &[u8]| {
                reads.lock().expect("nobody panicked").update(piece);
                sink(piece)
            };
            self.session.buffer_read(range, &mut watched).await
        })
    }

    fn kernel_source(&mut self, id: KernelId, kernel: &Kernel, text: &str) {
        if let Some(sources) = &mut self.sources {
            sources.insert(id, Program::Native { kernel: Arc::new(kernel.clone()), text: text.into() });
        }
    }

    fn kernel_create(&mut self, id: KernelId, program: Program) -> Result<(), KernelFault> {
        let source = self.sources.as_mut().and_then(|sources| sources.remove(&id));
        self.session.kernel_create(id, source.unwrap_or(program))
    }

    fn kernel_drop(&mut self, id: KernelId) {
        self.session.kernel_drop(id);
    }

    fn dispatch(&mut self, dispatch: &Dispatch) -> Result<(), DeviceError> {
        self.session.dispatch(dispatch)
    }

    fn is_congested(&self) -> bool {
        self.session.is_congested()
    }

    fn settle(&mut self) -> BoxFuture<'_, Result<(), DeviceError>> {
        self.session.settle()
    }

    fn finish(&mut self) -> BoxFuture<'_, Result<(), FinishError>> {
        self.session.finish()
    }

    fn close(self: Box<Self>) -> BoxFuture<'static, ()> {
        self.session.close()
    }
}

/// Workgroups of a bench's launch along an axis, at most: fewer than the bench has, to be quick.
const WORKGROUPS: u32 = 4;

/// Runs a bench's launches and hashes all of its buffers.
async fn run(case: &Case, device: &dyn Device) -> String {
    let options = SessionOptions { admission: Admission::Exact, loop_iterations: 1 << 24 };
    let mut gpu = Checked::new(device.open(options).await.expect("it opens"), 1 << 31, Admission::Exact);
    let mut buffers = Vec::new();
    for words in &case.buffers {
        let id = gpu.buffer_create(words.len() as u64 * 4).expect("it fits");
        for (index, piece) in words.chunks(1 << 20).enumerate() {
            gpu.buffer_write(id, (index as u64) << 22, bytemuck::cast_slice(piece)).expect("it is in range");
            gpu.settle().await.expect("it settles");
        }
        buffers.push(id);
    }
    for launch in &case.launches {
        let source = Source { text: case.text, entry_point: launch.entry, constants: &launch.constants };
        let kernel = gpu.kernel_create(parse(&source).expect("the text is valid"), case.text).expect("it compiles");
        let bind = |(binding, buffer): &(u32, usize)| {
            (BindingIndex { group: 0, binding: *binding }, buffers[*buffer], 0, None)
        };
        let given: Vec<_> = launch.bindings.iter().map(bind).collect();
        let grid = launch.grid.map(|count| count.min(WORKGROUPS));
        gpu.dispatch(kernel, &given, Grid::Direct(grid)).expect("it is valid");
        gpu.kernel_drop(kernel);
    }
    let mut hasher = blake3::Hasher::new();
    for (buffer, words) in buffers.iter().zip(&case.buffers) {
        let range = BufferRange { buffer: *buffer, offset: 0, size: words.len() as u64 * 4 };
        let mut sink = |piece: &[u8]| {
            hasher.update(piece);
            Ok(())
        };
        gpu.buffer_read(range, &mut sink).await.expect("it is in range");
    }
    gpu.close().await;
    short(&hasher)
}

/// A row of the table.
struct Row {
    name: String,
    hashes: [String; 3],
}

impl Row {
    fn is_one(&self) -> bool {
        self.hashes.iter().all(|hash| *hash == self.hashes[0])
    }
}

/// The rows of the benches and of the conformance suite, one for each session that it opens.
fn rows(devices: [&dyn Device; 3]) -> Vec<Row> {
    let mut rows = Vec::new();
    for make in cases::ALL {
        let case = make();
        let hashes = devices.map(|device| pollster::block_on(run(&case, device)));
        rows.push(Row { name: case.name.to_owned(), hashes });
    }
    let columns = devices.map(|device| {
        let watched = Watched::new(device, false);
        let report = pollster::block_on(conformance::exact(&watched));
        assert_eq!(report.failed, []);
        watched.hashes()
    });
    assert!(columns[0].len() > 40 && columns.iter().all(|column| column.len() == columns[0].len()));
    for number in 0..columns[0].len() {
        let hashes = columns.each_ref().map(|column| column[number].clone());
        rows.push(Row { name: format!("conformance, session {number}"), hashes });
    }
    rows
}

#[test]
fn vulkan_gives_one_answer_in_each_way() {
    let reference = ReferenceDevice::new().expect("this CPU runs kernels");
    let ways = [Way::Portable, Way::Vulkan].map(|way| device(way, |found| found));
    let devices: [&dyn Device; 3] = [&reference, &ways[0], &ways[1]];
    let rows = rows(devices);
    let [portable, vulkan] = ways;
    drop(portable);
    closed(vulkan);
    println!("| kernel | reference | portable | vulkan |\n|---|---|---|---|");
    for row in &rows {
        println!("| {} | {} |", row.name, row.hashes.join(" | "));
    }
    let differ: Vec<_> = rows.iter().filter(|row| !row.is_one()).map(|row| &row.name).collect();
    assert!(differ.is_empty(), "kernels that have more than one answer: {differ:?}");
}

#[test]
fn vulkan_fails_the_same_suite_with_the_stock_way_of_writing_kernels() {
    let driver = device(Way::Vulkan, |found| found);
    let report = pollster::block_on(conformance::exact(&Watched::new(&driver, true)));
    closed(driver);
    let failed: Vec<_> = report.failed.iter().map(|(name, _)| *name).collect();
    for case in ["floats::computes", "floats::shows_one_nan"] {
        assert!(failed.contains(&case), "{case} passed; what failed is {failed:?}");
    }
}
