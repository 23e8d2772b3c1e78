//! Parses and validates a kernel's text, and reads off what the SDK wants to know about its entry point.
//!
//! Holds the text to WGSL as naga validates it without any extension, and to the limits in `wit/gpu.wit`. Does not
//! repeat what a host's profile may forbid beyond that.

use crate::fault::Fault;
use naga::compact::{KeepUnused, compact};
use naga::valid::{Capabilities, FunctionInfo, ModuleInfo, ValidationFlags, Validator};
use naga::{AddressSpace, EntryPoint, Module, ShaderStage, StorageAccess};
use std::ops::Range;

/// Bytes that a host accepts as a kernel's text.
const TEXT_BYTES: usize = 1 << 20;
/// Storage bindings, uniform bindings, groups, binding indices, invocations of a workgroup: as in `wit/gpu.wit`.
const STORAGE_BINDINGS: usize = 8;
const UNIFORM_BINDINGS: usize = 12;
const GROUPS: u32 = 4;
const BINDING_INDICES: u32 = 1_000;
const WORKGROUP_SIZE: [u32; 3] = [256, 256, 64];
const WORKGROUP_INVOCATIONS: u32 = 256;
const WORKGROUP_BYTES: u32 = 16_384;

/// What is known about one entry point once its text has been checked.
#[derive(Debug, PartialEq)]
pub(crate) struct Checked {
    /// `None` if it depends on override constants.
    pub(crate) workgroup_size: Option<[u32; 3]>,
    /// What the entry point uses, by group and binding.
    pub(crate) bindings: Vec<Binding>,
    /// All override constants of the text.
    pub(crate) constants: Vec<Constant>,
}

/// One override constant.
#[derive(Debug, PartialEq)]
pub(crate) struct Constant {
    pub(crate) name: String,
    pub(crate) id: Option<u16>,
    /// Whether the entry point uses it and it has no default.
    pub(crate) required: bool,
}

/// One variable that a dispatch has to bind.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Binding {
    pub(crate) group: u32,
    pub(crate) binding: u32,
    pub(crate) name: String,
    /// Whether the kernel may write it.
    pub(crate) writable: bool,
}

/// Why there is no [`Checked`].
#[derive(Debug, PartialEq)]
pub(crate) enum Refusal {
    /// The text is at fault.
    Text(Fault),
    /// The text is fine, but has no compute entry point of that name; it has these.
    EntryPoint(Vec<String>),
}

/// Checks `text` and its entry point.
pub(crate) fn check(text: &str, entry_point: &str) -> Result<Checked, Refusal> {
    if text.len() > TEXT_BYTES {
        let message = format!("the text has {} bytes: a kernel may have {TEXT_BYTES}", text.len());
        return Err(Refusal::Text(Fault::new(message, None)));
    }
    let module = naga::front::wgsl::parse_str(text).map_err(|error| Refusal::Text(parse_fault(&error)))?;
    let info = Validator::new(ValidationFlags::all(), Capabilities::empty())
        .validate(&module)
        .map_err(|error| Refusal::Text(validation_fault(&error)))?;

    let index = module
        .entry_points
        .iter()
        .position(|entry| entry.stage == ShaderStage::Compute && entry.name == entry_point)
        .ok_or_else(|| Refusal::EntryPoint(compute_entry_points(&module)))?;
    describe(&module, &info, index).map_err(Refusal::Text)
}

fn compute_entry_points(module: &Module) -> Vec<String> {
    let compute = module.entry_points.iter().filter(|entry| entry.stage == ShaderStage::Compute);
    compute.map(|entry| entry.name.clone()).collect()
}

/// Reads off what the SDK needs, and holds it to the limits.
fn describe(module: &Module, info: &ModuleInfo, index: usize) -> Result<Checked, Fault> {
    let entry = &module.entry_points[index];
    let workgroup_size = entry.workgroup_size_overrides.is_none().then_some(entry.workgroup_size);
    if let Some(size) = workgroup_size {
        check_workgroup_size(entry, size)?;
    }
    let bindings = bindings(module, info.get_entry_point(index))?;
    Ok(Checked { workgroup_size, bindings, constants: constants(module, entry) })
}

fn constants(module: &Module, entry: &EntryPoint) -> Vec<Constant> {
    // What the entry point uses is what is left when it is alone.
    let mut used = module.clone();
    used.entry_points.retain(|other| other.stage == entry.stage && other.name == entry.name);
    compact(&mut used, KeepUnused::No);
    let is_used = |name: &Option<String>| used.overrides.iter().any(|(_, constant)| constant.name == *name);
    let describe = |constant: &naga::Override| Constant {
        name: constant.name.clone().unwrap_or_default(),
        id: constant.id,
        required: constant.init.is_none() && is_used(&constant.name),
    };
    module.overrides.iter().map(|(_, constant)| describe(constant)).collect()
}

fn check_workgroup_size(entry: &EntryPoint, size: [u32; 3]) -> Result<(), Fault> {
    let product = size.iter().try_fold(1u32, |product, side| product.checked_mul(*side));
    let fits = size.iter().zip(WORKGROUP_SIZE).all(|(side, limit)| (1..=limit).contains(side))
        && product.is_some_and(|product| product <= WORKGROUP_INVOCATIONS);
    if fits {
        return Ok(());
    }
    let [x, y, z] = size;
    let [limit_x, limit_y, limit_z] = WORKGROUP_SIZE;
    Err(Fault::new(
        format!(
            "the workgroup size of `{}` is {x} × {y} × {z}: at most {limit_x}, {limit_y} and {limit_z}, and \
             {WORKGROUP_INVOCATIONS} invocations in all",
            entry.name
        ),
        None,
    ))
}

/// The variables that an entry point uses, sorted by group and binding.
fn bindings(module: &Module, entry: &FunctionInfo) -> Result<Vec<Binding>, Fault> {
    let mut bindings = Vec::new();
    let (mut storage, mut uniform, mut workgroup_bytes) = (0, 0, 0u32);
    for (handle, variable) in module.global_variables.iter() {
        if entry[handle].is_empty() {
            continue;
        }
        let place = module.global_variables.get_span(handle).to_range();
        let fault = |message: String| Fault::new(message, place.clone());
        let name = variable.name.clone().unwrap_or_default();
        let writable = match variable.space {
            AddressSpace::Storage { access } => {
                storage += 1;
                access.contains(StorageAccess::STORE)
            }
            AddressSpace::Uniform => {
                uniform += 1;
                false
            }
            AddressSpace::WorkGroup => {
                let size = module.types[variable.ty].inner.try_size(module.to_ctx()).unwrap_or(u32::MAX);
                workgroup_bytes = workgroup_bytes.saturating_add(size);
                if workgroup_bytes > WORKGROUP_BYTES {
                    return Err(fault(format!("workgroup memory is over {WORKGROUP_BYTES} bytes with `{name}`")));
                }
                continue;
            }
            AddressSpace::Function | AddressSpace::Private => continue,
            _ => return Err(fault(format!("`{name}` is no buffer: kernels work on storage and uniform buffers only"))),
        };
        if storage > STORAGE_BINDINGS || uniform > UNIFORM_BINDINGS {
            return Err(fault(format!(
                "`{name}` is one binding too many: a kernel has up to {STORAGE_BINDINGS} storage and \
                 {UNIFORM_BINDINGS} uniform bindings"
            )));
        }
        let Some(at) = variable.binding else {
            return Err(fault(format!("`{name}` has no `@group` and `@binding`")));
        };
        if at.group >= GROUPS || at.binding >= BINDING_INDICES {
            return Err(fault(format!(
                "`{name}` is bound at @group({}) @binding({}): groups are less than {GROUPS}, bindings less than \
                 {BINDING_INDICES}",
                at.group, at.binding
            )));
        }
        bindings.push(Binding { group: at.group, binding: at.binding, name, writable });
    }
    bindings.sort();
    Ok(bindings)
}

fn parse_fault(error: &naga::front::wgsl::ParseError) -> Fault {
    let labels: Vec<_> = error.labels().collect();
    let place = labels.iter().find_map(|(span, _)| span.to_range());
    let mut notes: Vec<String> =
        labels.iter().map(|(_, label)| (*label).to_owned()).filter(|label| !label.is_empty()).collect();
    notes.extend(error.notes().map(str::to_owned));
    Fault { message: error.message().to_owned(), place, notes }
}

fn validation_fault(error: &naga::WithSpan<naga::valid::ValidationError>) -> Fault {
    // The outermost message names the function or variable; the chain below it says what is wrong. Of its places, which
    // enclose each other, the shortest says most.
    let place: Option<Range<usize>> =
        error.spans().filter_map(|(span, _)| span.to_range()).min_by_key(ExactSizeIterator::len);
    let mut messages = vec![error.as_inner().to_string()];
    let mut cause: &dyn std::error::Error = error.as_inner();
    while let Some(next) = cause.source() {
        messages.push(next.to_string());
        cause = next;
    }
    Fault::new(messages.join(": "), place)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOUBLE: &str = "\
override FACTOR: f32;
@id(7) override BIAS: f32 = 0.0;
@group(0) @binding(1) var<storage, read_write> target_: array<f32>;
@group(0) @binding(0) var<storage, read> source: array<f32>;
@group(1) @binding(0) var<uniform> unused: vec4f;

@compute @workgroup_size(64, 2)
fn main(@builtin(global_invocation_id) id: vec3u) {
    target_[id.x] = source[id.x] * FACTOR + BIAS;
}
";

    fn fault_of(text: &str) -> String {
        match check(text, "main") {
            Err(Refusal::Text(fault)) => fault.render("k.wgsl", text),
            other => panic!("expected a fault, got {other:?}"),
        }
    }

    #[test]
    fn describes_the_entry_point() {
        let checked = check(DOUBLE, "main").expect("is valid");
        assert_eq!(checked.workgroup_size, Some([64, 2, 1]));
        let binding = |binding, name: &str, writable| Binding { group: 0, binding, name: name.into(), writable };
        assert_eq!(checked.bindings, [binding(0, "source", false), binding(1, "target_", true)]);
        let constant = |name: &str, id, required| Constant { name: name.into(), id, required };
        let constants = [constant("FACTOR", None, true), constant("BIAS", Some(7), false)];
        assert_eq!(checked.constants, constants);

        let other = format!("{DOUBLE}@compute @workgroup_size(1) fn other() {{}}");
        let checked = check(&other, "other").expect("is valid");
        assert_eq!(checked.bindings, []);
        assert!(checked.constants.iter().all(|constant| !constant.required));
    }

    #[test]
    fn a_workgroup_size_may_depend_on_constants() {
        let checked = check("override N = 4u; @compute @workgroup_size(N) fn main() {}", "main").expect("is valid");
        assert_eq!(checked.workgroup_size, None);
    }

    #[test]
    fn names_the_line_of_a_syntax_error() {
        let fault = fault_of("fn helper() {}\n\n@compute @workgroup_size(1)\nfn main() {\n    let x = ;\n}\n");
        assert!(fault.starts_with("k.wgsl:5:13: expected expression"), "{fault}");
        assert!(fault.contains("5 |     let x = ;"), "{fault}");
    }

    #[test]
    fn names_the_line_of_an_unknown_identifier() {
        let fault = fault_of("@compute @workgroup_size(1)\nfn main() {\n    let x = foo;\n}\n");
        assert!(fault.starts_with("k.wgsl:3:13: "), "{fault}");
        assert!(fault.contains("foo"), "{fault}");
        assert!(fault.contains("  |             ^^^"), "{fault}");
    }

    #[test]
    fn names_the_line_of_a_validation_error() {
        let text = "@group(0) @binding(0) var<storage, read> a: array<f32>;\n@compute @workgroup_size(1)\nfn main() {\n    \
                    a[0] = 1.0;\n}\n";
        let fault = fault_of(text);
        assert!(fault.starts_with("k.wgsl:4:"), "{fault}");
    }

    #[test]
    fn refuses_what_is_outside_the_interface() {
        let texture = "@group(0) @binding(0) var t: texture_2d<f32>;\n\
                       @compute @workgroup_size(1) fn main() { _ = textureDimensions(t); }";
        assert!(fault_of(texture).contains("k.wgsl:1:"), "{}", fault_of(texture));
        assert!(fault_of(texture).contains("storage and uniform buffers only"));

        let large = "@compute @workgroup_size(16, 16, 2) fn main() {}";
        assert!(fault_of(large).contains("16 × 16 × 2"), "{}", fault_of(large));

        let memory = "var<workgroup> tile: array<f32, 4097>;\n\
                      @compute @workgroup_size(1) fn main() { tile[0] = 1.0; }";
        assert!(fault_of(memory).contains("16384 bytes with `tile`"), "{}", fault_of(memory));

        let group = "@group(4) @binding(0) var<storage> a: u32;\n@compute @workgroup_size(1) fn main() { _ = a; }";
        assert!(fault_of(group).contains("@group(4) @binding(0)"), "{}", fault_of(group));

        assert!(fault_of("enable f16;\n@compute @workgroup_size(1) fn main() { var x = 1h; }").starts_with("k.wgsl"));
        assert!(fault_of(&" ".repeat(TEXT_BYTES + 1)).contains("1048577 bytes"));
    }

    #[test]
    fn counts_the_bindings() {
        let mut text = String::new();
        for binding in 0..9 {
            text += &format!("@group(0) @binding({binding}) var<storage> b{binding}: u32;\n");
        }
        let sum = |count| (0..count).map(|binding| format!("b{binding}")).collect::<Vec<_>>().join(" + ");
        let eight = format!("{text}@compute @workgroup_size(1) fn main() {{ _ = {}; }}", sum(8));
        assert_eq!(check(&eight, "main").map(|checked| checked.bindings.len()), Ok(8));
        let nine = format!("{text}@compute @workgroup_size(1) fn main() {{ _ = {}; }}", sum(9));
        assert!(fault_of(&nine).contains("`b8` is one binding too many"), "{}", fault_of(&nine));
    }

    #[test]
    fn lists_the_entry_points_there_are() {
        let text = "@compute @workgroup_size(1) fn blur() {}\n@fragment fn main() {}";
        assert_eq!(check(text, "main"), Err(Refusal::EntryPoint(vec!["blur".into()])));
    }
}
