//! Whatever is emitted is valid, in both ways, with every method.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use samebit_device::random::{Floats, program};
use samebit_device::wgsl::lowered::Lowered;
use samebit_device::wgsl::{Admission, Source, lower, parse};

use super::elements::Elements;
use super::{Arithmetic, Method, Operation, pipeline};

/// How many random programs are tried.
const PROGRAMS: u64 = 60;

/// All that differs in what is emitted.
fn arithmetics() -> [Arithmetic; 4] {
    let corrected =
        Arithmetic::NATIVE.with(Operation::Divide, Method::Corrected).with(Operation::Sqrt, Method::Corrected);
    [Arithmetic::NATIVE, corrected, corrected.with(Operation::Fma, Method::Double), Arithmetic::INTEGER]
}

/// A kernel's names, and the kernel.
struct Sample {
    name: String,
    kernel: Lowered,
}

fn lowered(name: &str, text: &str, entry_point: &str) -> Sample {
    // Constants that have to be given get a small number.
    let undecided = text.split("override ").skip(1).filter_map(|rest| rest.split(';').next());
    let undecided = undecided.filter(|rest| !rest.contains('=')).filter_map(|rest| rest.split(':').next());
    let constants: Vec<_> = undecided.map(|name| (name.trim().to_owned(), 16.0)).collect();
    let kernel =
        parse(&Source { text, entry_point, constants: &constants }).unwrap_or_else(|why| panic!("{name}: {why}"));
    let kernel = lower(&kernel, text, Admission::Exact).unwrap_or_else(|why| panic!("{name}: {why}"));
    Sample { name: format!("{name} {entry_point}"), kernel }
}

/// The WGSL files of a folder and of those inside.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() && entry.file_name() != "target" && entry.file_name() != "testing" {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "wgsl") {
            found.push(path);
        }
    }
}

/// The entry points that a text declares.
fn entry_points(text: &str) -> Vec<&str> {
    let declared = text.split("@compute").skip(1);
    declared.filter_map(|rest| rest.split_once("fn ")?.1.split('(').next()).map(str::trim).collect()
}

/// Every kernel of this repository's plugins, examples and benches, and random ones.
fn samples() -> Vec<Sample> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
    let mut found = Vec::new();
    for folder in ["plugins", "examples", "host/benches"] {
        files(&root.join(folder), &mut found);
    }
    found.sort();
    assert!(found.len() > 20, "only {} files were found", found.len());
    let mut samples = Vec::new();
    for path in found {
        let text = std::fs::read_to_string(&path).expect("it is a text");
        let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        samples.extend(entry_points(&text).into_iter().map(|entry_point| lowered(&name, &text, entry_point)));
    }
    let random = (0..PROGRAMS).map(|seed| lowered(&format!("seed {seed}"), &program(seed, Floats::Any).text, "main"));
    samples.extend(random);
    samples
}

/// What spirv-val says against a module; nothing if there is no spirv-val.
fn complaint(words: &[u32]) -> Option<String> {
    let mut command = Command::new("spirv-val");
    command.args(["--target-env", "vulkan1.1", "-"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().ok()?;
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    child.stdin.take().expect("it is piped").write_all(&bytes).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    (!output.status.success()).then(|| String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn spirv_is_valid() {
    if Command::new("spirv-val").arg("--version").stdout(Stdio::null()).status().is_err() {
        return;
    }
    for sample in samples() {
        for arithmetic in arithmetics() {
            let elements = Elements::new(&sample.kernel);
            let words = pipeline::vulkan(&sample.kernel, elements, arithmetic).expect("it is emitted");
            if let Some(complaint) = complaint(&words) {
                panic!("{}, {arithmetic:?}: {complaint}", sample.name);
            }
        }
    }
}

#[test]
fn spirv_val_would_complain() {
    if Command::new("spirv-val").arg("--version").stdout(Stdio::null()).status().is_err() {
        return;
    }
    let sample = &lowered("seed 0", &program(0, Floats::Any).text, "main");
    let elements = Elements::new(&sample.kernel);
    let mut words = pipeline::vulkan(&sample.kernel, elements, Arithmetic::NATIVE).expect("it is emitted");
    words.truncate(words.len() - 1);
    assert!(complaint(&words).is_some());
}

#[test]
fn naga_takes_what_is_emitted() {
    use naga::valid::{Capabilities, ValidationFlags, Validator};
    let capabilities = Capabilities::FLOAT64 | Capabilities::SHADER_INT64;
    for sample in samples() {
        for arithmetic in arithmetics() {
            let elements = Elements::new(&sample.kernel);
            let module = pipeline::portable(&sample.kernel, elements, arithmetic).expect("it is emitted");
            let info = Validator::new(ValidationFlags::all(), capabilities).validate(&module);
            let info = info.unwrap_or_else(|why| panic!("{}, {arithmetic:?}: {}", sample.name, why.emit_to_string("")));
            let options = naga::back::spv::Options { lang_version: (1, 3), ..naga::back::spv::Options::default() };
            naga::back::spv::write_vec(&module, &info, &options, None)
                .unwrap_or_else(|why| panic!("{}, {arithmetic:?}: {why}", sample.name));
        }
    }
}
