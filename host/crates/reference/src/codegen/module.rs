//! The module around the code: what it imports and exports, and the loop over workgroups.

use super::emit::{Emitter, Places};
use super::flow::Flow;
use super::flow::ROOT;
use super::function::{FunctionBuilder, PART_LANES, word};
use super::layout::Layout;
use super::math::MathFunctions;
use super::plan::Plan;
use super::shapes::Shapes;
use super::{Code, CodegenError, Status, params};
use samebit_wgsl::lowered::Lowered;
use wasm_encoder::{
    CodeSection, EntityType, ExportKind, ExportSection, FunctionSection, ImportSection, MemoryType, Module,
    TypeSection, ValType,
};

/// Pages of 64 KiB in 4 GiB.
const PAGES: u64 = 1 << 16;
/// Parameters of `run`.
const PARAMS: u32 = 6;
/// Most parameters of a float function.
const MATH_PARAMS: usize = 2;

/// Generates a kernel's module.
pub(super) fn generate(kernel: &Lowered) -> Result<Code, CodegenError> {
    let flow = Flow::new(&kernel.body);
    let parts = parts(kernel);
    let shapes = Shapes::new(kernel, &flow, parts * PART_LANES);
    let mut layout = Layout::new(kernel, parts, 0, false)?;
    let plan = flow.block(ROOT).has_barrier.then(|| Plan::new(kernel, &flow, &shapes, layout.arrays_bytes));
    if let Some(plan) = &plan {
        layout = Layout::new(kernel, parts, plan.end - layout.arrays_bytes, true)?;
    }
    let (run, math) = run(kernel, &flow, &shapes, &layout, plan.as_ref());
    let mut functions = FunctionSection::new();
    let mut code = CodeSection::new();
    functions.function(0);
    code.function(&run);
    for (params, function) in math.generate() {
        functions.function(params as u32);
        code.function(&function);
    }
    let mut module = Module::new();
    module.section(&types()).section(&imports()).section(&functions);
    module.section(ExportSection::new().export("run", ExportKind::Func, 0)).section(&code);
    Ok(Code { wasm: module.finish(), scratch_bytes: layout.scratch_bytes })
}

/// How many parts a gang has: two where the rows of a workgroup are so long, so that what all lanes have in common is
/// done once for eight of them, and waiting for one part is spent on the other.
fn parts(kernel: &Lowered) -> u32 {
    let size = kernel.interface.workgroup_size;
    let row = size.into_iter().find(|n| *n > 1).unwrap_or(1);
    if row.is_multiple_of(2 * PART_LANES) { 2 } else { 1 }
}

/// Type 0 is that of `run`; type n is that of a float function of n operands.
fn types() -> TypeSection {
    let mut types = TypeSection::new();
    types.ty().function([ValType::I32; PARAMS as usize], [ValType::I32]);
    for params in 1..=MATH_PARAMS {
        types.ty().function(vec![ValType::V128; params], [ValType::V128]);
    }
    types
}

fn imports() -> ImportSection {
    let mut imports = ImportSection::new();
    let memory = MemoryType { minimum: 0, maximum: Some(PAGES), memory64: false, shared: true, page_size_log2: None };
    imports.import("samebit", "memory", EntityType::Memory(memory));
    imports
}

fn run<'a>(
    kernel: &'a Lowered,
    flow: &'a Flow<'a>,
    shapes: &'a Shapes,
    layout: &'a Layout,
    plan: Option<&'a Plan<'a>>,
) -> (wasm_encoder::Function, MathFunctions) {
    let mut f = FunctionBuilder::new(PARAMS, layout.lanes / PART_LANES);
    let [index, gang] = [(); 2].map(|()| f.local(ValType::I32));
    let buffers = (0..kernel.interface.bindings.len() as u32)
        .map(|binding| {
            f.ins().local_get(0).i32_load(word(params::BINDINGS + binding * params::BINDING_BYTES));
            f.keep(ValType::I32)
        })
        .collect();
    let places = Places { params: 0, scratch: 1, group: [2, 3, 4], index, gang };
    let math = MathFunctions::new(1);
    let mut emitter = Emitter::new(f, kernel, flow, shapes, layout, math, places, buffers, plan);
    emitter.end = Some(emitter.f.block_of_i32());
    for (value, op) in &kernel.preamble {
        if emitter.is_used(*value) {
            emitter.let_(*value, op);
        }
    }
    if flow.last_loop.is_some() {
        let counts = flow.blocks.iter().enumerate().any(|(index, block)| {
            block.role == super::flow::Role::Shell && shapes.counts_lanes(flow, super::flow::BlockId(index))
        });
        emitter.open_budget(counts || plan.is_some_and(|plan| plan.mask.is_some()));
        emitter.open_workgroup();
    }
    workgroups(&mut emitter);
    emitter.f.i32(Status::Done as u32);
    emitter.f.end();
    (emitter.f.finish(), emitter.math)
}

/// Runs workgroups until `count` is 0.
fn workgroups(emitter: &mut Emitter<'_>) {
    const COUNT: u32 = 5;
    let layout = emitter.layout;
    let Places { params: block, scratch, group: [x, y, z], gang, .. } = emitter.places;
    emitter.f.ins().local_get(scratch).i32_const(layout.gangs.cast_signed()).i32_add().local_set(gang);
    let done = emitter.f.block();
    emitter.f.ins().local_get(COUNT).i32_eqz();
    emitter.f.br_if(done);
    let head = emitter.f.loop_();
    emitter.check_cancel();
    emitter.zero(scratch, 0, emitter.kernel.workgroup_bytes.next_multiple_of(16));
    emitter.run_workgroup();
    // The next id: x first, then y, then z.
    let f = &mut emitter.f;
    for axis in [x, y] {
        f.ins().local_get(axis).i32_const(1).i32_add().local_tee(axis);
        f.ins().local_get(block).i32_load(word(params::NUM_WORKGROUPS + 4 * (axis - x))).i32_eq();
        f.if_();
        f.i32(0);
        f.set(axis);
    }
    f.ins().local_get(z).i32_const(1).i32_add().local_set(z);
    f.end();
    f.end();
    f.ins().local_get(COUNT).i32_const(1).i32_sub().local_tee(COUNT);
    f.br_if(head);
    f.end();
    f.end();
}
