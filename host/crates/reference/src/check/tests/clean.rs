//! Kernels that are as they should be: nothing may be found.

use samebit_device::random::{self, Floats};
use samebit_device::{BufferCopy, BufferRange, Checked, FinishError, Grid, ReadError, SessionOptions};

use super::*;

fn check_bytes(text: &str, entry_point: &str, mut buffers: Vec<Vec<u8>>, workgroups: [u32; 3]) -> KernelReport {
    let constants: &[(String, f64)] =
        if text.contains("override AMOUNT") { &[("AMOUNT".to_owned(), 0.5)] } else { &[] };
    let kernel = parse(&Text { text, entry_point, constants }).expect("the text is valid");
    let lowered = lower(&kernel, text, Admission::Exact).expect("it is admitted");
    let mut checker =
        Checker::new(Arc::new(lowered), Origin::new("test.wgsl", &kernel, text)).expect("it is well-formed");
    let options = Options { orders: 2, ..Options::default() };
    let ended = checker.dispatch(&mut buffers, workgroups, &options, &|_| true).expect("the buffers fit");
    assert_eq!(ended, Ended::Done);
    checker.report()
}

fn assert_clean(name: &str, report: KernelReport) {
    assert!(report.work.accesses > 0 && report.work.orders_compared == 4, "{name}: {:?}", report.work);
    assert!(report.is_clean(), "{name}:\n{}", Report { kernels: vec![report] }.text(false));
}

fn words(words: impl IntoIterator<Item = u32>) -> Vec<u8> {
    words.into_iter().flat_map(u32::to_le_bytes).collect()
}

#[test]
fn the_shipped_kernels_are_clean() {
    let mandelbrot = include_str!("../../../../../../plugins/mandelbrot/kernels/mandelbrot.wgsl");
    let band = words([(-0.5_f32).to_bits(), 0, 0.1_f32.to_bits(), 50, 19, 13, 2, 11]);
    assert_clean("mandelbrot", check_bytes(mandelbrot, "draw", vec![band, vec![0; 19 * 11 * 4]], [3, 2, 1]));

    let picture = || words((0..20 * 18).map(|n: u32| n.wrapping_mul(0x0101_0307)));
    let band = || words([20, 18, 0, 18]);
    let blur = include_str!("../../../../../../plugins/image-filter/kernels/blur.wgsl");
    let weights = || words([0.5_f32, 0.2, 0.05].map(f32::to_bits));
    let between = || vec![0; 20 * 18 * 16];
    let bindings = |result: &[u8]| vec![band(), weights(), picture(), between(), result.to_vec()];
    let rows = bindings(&[0; 20 * 18 * 4]);
    assert_clean("blur", check_bytes(blur, "along_rows", rows[..4].to_vec(), [2, 2, 1]));
    let columns = vec![rows[0].clone(), rows[1].clone(), rows[3].clone(), rows[4].clone()];
    assert_clean("blur", check_bytes(blur, "along_columns", columns, [2, 2, 1]));
    for (name, entry_point, text) in [
        ("edges", "edges", include_str!("../../../../../../plugins/image-filter/kernels/edges.wgsl")),
        ("sharpen", "sharpen", include_str!("../../../../../../plugins/image-filter/kernels/sharpen.wgsl")),
    ] {
        assert_clean(name, check_bytes(text, entry_point, vec![band(), picture(), vec![0; 20 * 18 * 4]], [2, 2, 1]));
    }

    let gemm = include_str!("../../../../../../plugins/gemm/kernels/gemm.wgsl");
    let matrix = || words((0..33 * 33).map(|n| (n as f32 * 0.25).to_bits()));
    let shape = words([33, 33, 33, 0, 33, 1, 1, 33]);
    assert_clean("gemm", check_bytes(gemm, "gemm", vec![shape, matrix(), matrix(), vec![0; 33 * 33 * 4]], [1, 1, 1]));
}

#[test]
fn random_kernels_without_races_have_none_and_one_answer() {
    for (seed, floats) in (0..60).flat_map(|seed| [(seed, Floats::Any), (seed, Floats::Exact)]) {
        let program = random::program(seed, floats);
        let kernel = parse(&Text { text: &program.text, entry_point: "main", constants: &[] }).expect("it is valid");
        // Which bindings a program uses is its own choice.
        let used: Vec<usize> = kernel.interface().bindings.iter().map(|binding| binding.binding as usize).collect();
        let mut buffers: Vec<Vec<u8>> = used.iter().map(|n| words(program.buffers[*n].iter().copied())).collect();
        let lowered = match lower(&kernel, &program.text, Admission::Native) {
            Ok(lowered) => Arc::new(lowered),
            Err(error) => panic!("seed {seed}: {error}"),
        };
        let mut checker =
            Checker::new(lowered, Origin::new("random.wgsl", &kernel, &program.text)).expect("well-formed");
        let options = Options { orders: 1, ..Options::default() };
        let ended = checker.dispatch(&mut buffers, program.workgroups, &options, &|_| true);
        assert_eq!(ended, Ok(Ended::Done), "seed {seed}");
        let mut report = checker.report();
        // Some index past the end on purpose.
        report.findings.retain(|finding| finding.severity == Severity::Error);
        assert!(report.is_clean(), "seed {seed}, {floats:?}:\n{}", Report { kernels: vec![report] }.text(false));
    }
}

#[test]
fn the_device_keeps_buffers_and_their_budget() {
    let text = "@group(0) @binding(0) var<storage, read_write> out: array<u32>;
        @compute @workgroup_size(1) fn main(@builtin(global_invocation_id) id: vec3u) {
            for (var n = 0u; n < out[7]; n++) { out[id.x] += n; }
        }";
    let device = CheckingDevice::new(Options { orders: 1, ..Options::default() }, |_| true);
    let options = SessionOptions { admission: Admission::Exact, loop_iterations: 100 };
    pollster::block_on(async {
        let session = samebit_device::Device::open(&device, options).await.expect("it opens");
        let mut gpu = Checked::new(session, 1 << 20, Admission::Exact);
        let buffers = [(); 2].map(|()| gpu.buffer_create(1024).expect("it fits"));
        let range = |buffer, offset, size| BufferRange { buffer, offset, size };
        gpu.buffer_write(buffers[0], 28, &5_u32.to_le_bytes()).expect("it is inside");
        gpu.buffer_fill(range(buffers[1], 0, 4), 3).expect("it is inside");
        let target = range(buffers[0], 24, 4);
        gpu.buffer_copy(BufferCopy { source: buffers[1], source_offset: 0, target }).expect("both are inside");
        let counts: Vec<u8> = [4_u32, 1, 1].into_iter().flat_map(u32::to_le_bytes).collect();
        gpu.buffer_write(buffers[1], 0, &counts).expect("it is inside");
        let kernel = parse(&Text { text, entry_point: "main", constants: &[] }).expect("the text is valid");
        let kernel = gpu.kernel_create(kernel, text).expect("it is admitted");
        let index = samebit_device::BindingIndex { group: 0, binding: 0 };
        let grid = Grid::Indirect { buffer: buffers[1], offset: 0 };
        gpu.dispatch(kernel, &[(index, buffers[0], 0, None)], grid).expect("it runs");
        let mut words = Vec::new();
        let mut sink = |bytes: &[u8]| {
            words.extend(bytes.as_chunks().0.iter().map(|word| u32::from_le_bytes(*word)));
            Ok(())
        };
        gpu.buffer_read(range(buffers[0], 0, 32), &mut sink).await.expect("it is done");
        assert_eq!(words, [10, 10, 10, 10, 0, 0, 3, 5]);
        gpu.buffer_write(buffers[0], 28, &100_u32.to_le_bytes()).expect("it is inside");
        gpu.dispatch(kernel, &[(index, buffers[0], 0, None)], grid).expect("it runs");
        assert!(matches!(gpu.finish().await, Err(FinishError::BudgetSpent)));
        let read = gpu.buffer_read(range(buffers[0], 0, 32), &mut |_| Ok(())).await;
        assert!(matches!(read, Err(ReadError::BudgetSpent)));
    });
    assert_eq!(found(&device.report().kernels[0]), [("budget-spent", vec![3])]);
}

#[test]
fn the_device_reports_each_kernel_once_with_its_text() {
    let text = "@group(0) @binding(0) var<storage, read_write> out: array<u32>;
        @compute @workgroup_size(2) fn main(@builtin(local_invocation_index) i: u32) { out[0] = i; }";
    let device = CheckingDevice::new(Options::default(), |_| true);
    pollster::block_on(async {
        for admission in [Admission::Exact, Admission::Native, Admission::Exact] {
            let session = samebit_device::Device::open(&device, SessionOptions { admission, loop_iterations: 9 }).await;
            let mut gpu = Checked::new(session.expect("it opens"), 1 << 20, admission);
            let buffer = gpu.buffer_create(4).expect("it fits");
            let kernel = parse(&Text { text, entry_point: "main", constants: &[] }).expect("the text is valid");
            let kernel = gpu.kernel_create(kernel, text).expect("it is admitted");
            let index = samebit_device::BindingIndex { group: 0, binding: 0 };
            for _ in 0..2 {
                let grid = Grid::Direct([1, 1, 1]);
                gpu.dispatch(kernel, &[(index, buffer, 0, None)], grid).expect("it runs");
            }
            gpu.finish().await.expect("it is done");
        }
    });
    let report = device.report();
    assert_eq!(report.kernels.len(), 1);
    assert_eq!(report.kernels[0].work.dispatches, 6);
    let races = found(&report.kernels[0]);
    assert_eq!(races, [("data-race", vec![2, 2]), ("order-dependent", vec![])]);
    assert!(report.text(false).contains("--> <main>:2:88"), "{}", report.text(false));
}
