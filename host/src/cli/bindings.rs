//! A kernel and what it is launched with, as flags: what `samebit kernel` and `samebit check` share.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use samebit_runner::engine::device::wgsl::{self, BindingDecl, BindingKind, Kernel, ParseError};
use samebit_runner::engine::device::{BindingIndex, limits};

use crate::cli::{files, limits as numbers, npy};
use crate::error::Failure;

/// What a kernel is launched with.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Launch")]
pub(crate) struct LaunchArgs {
    /// The entry point [default: the only one]
    #[arg(short, long, value_name = "NAME")]
    pub(crate) entry: Option<String>,
    /// Workgroups along x, y and z; what is left out is 1
    #[arg(short, long, value_name = "X[,Y[,Z]]", value_parser = groups)]
    pub(crate) groups: Option<Groups>,
    /// Bind a file, `zero:BYTES` of zeros, or the elements of `npy:FILE` to @group(G) @binding(B) (repeatable). Sizes
    /// that are no multiple of 4 are padded with zeros
    #[arg(short, long = "bind", value_name = "G:B=SOURCE", value_parser = bind)]
    pub(crate) binds: Vec<(At, Source)>,
    /// Set an override constant, by name or @id (repeatable); booleans are 0 and 1
    #[arg(long = "const", value_name = "NAME=VALUE", value_parser = constant, allow_hyphen_values = true)]
    pub(crate) constants: Vec<(String, f64)>,
}

/// How many workgroups there are along x, y and z.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Groups(pub(crate) [u32; 3]);

/// A binding's place, written `G:B`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct At(pub(crate) BindingIndex);

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.0.group, self.0.binding)
    }
}

/// Where a binding's bytes come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// A file, as it is.
    File(PathBuf),
    /// So many bytes of zeros.
    Zeros(u64),
    /// The elements of a NumPy array.
    Npy(PathBuf),
}

/// A kernel with all that it is launched with.
pub(crate) struct Launch {
    /// The kernel's text.
    pub(crate) text: String,
    /// The kernel.
    pub(crate) kernel: Kernel,
    /// How many workgroups.
    pub(crate) groups: [u32; 3],
    /// What is bound, in the order of the kernel's interface.
    pub(crate) bindings: Vec<Bound>,
}

/// A binding and what is bound to it.
pub(crate) struct Bound {
    /// What the kernel declares.
    pub(crate) decl: BindingDecl,
    /// The variable's name.
    pub(crate) name: Option<String>,
    /// The bytes that are not zeros at the end.
    pub(crate) bytes: Vec<u8>,
    /// How large the binding is: a multiple of 4.
    pub(crate) size_bytes: u64,
    /// How large what was given is.
    pub(crate) given_bytes: u64,
}

impl Bound {
    /// Where it is bound.
    pub(crate) fn at(&self) -> At {
        at(&self.decl)
    }

    /// How the kernel may use it.
    pub(crate) fn access(&self) -> &'static str {
        access(self.decl.kind)
    }

    /// What to tell about a size that had to be padded.
    pub(crate) fn note(&self) -> Option<String> {
        let (at, given, size) = (self.at(), self.given_bytes, self.size_bytes);
        (given != size).then(|| format!("binding {at}: {given} bytes were padded with zeros to {size}"))
    }
}

impl LaunchArgs {
    /// Whether any of them was given.
    pub(crate) fn is_given(&self) -> bool {
        self.entry.is_some() || self.groups.is_some() || !self.binds.is_empty() || !self.constants.is_empty()
    }

    /// Reads the kernel at `path` and what is to be bound. Blocks.
    pub(crate) fn prepare(self, path: &Path) -> Result<Launch, Failure> {
        let why = "--groups is missing: say how many workgroups to launch, such as `--groups 64` or `--groups 8,8,1`";
        let Groups(groups) = self.groups.ok_or_else(|| Failure::usage("groups", why))?;
        let text = read_text(path)?;
        let entry = match self.entry {
            Some(entry) => entry,
            None => only_entry(path, &text)?,
        };
        let source = wgsl::Source { text: &text, entry_point: &entry, constants: &self.constants };
        let kernel = wgsl::parse(&source).map_err(|error| refused(path, &error))?;
        let bindings = bind_all(&kernel, self.binds)?;
        Ok(Launch { text, kernel, groups, bindings })
    }
}

/// A kernel that is refused is bad input.
pub(crate) fn refused(path: &Path, error: &ParseError) -> Failure {
    match error {
        ParseError::Refused(refusal) => Failure::usage("kernel", format!("{}: {refusal}", path.display())),
        error => Failure::host("kernel", error.to_string()),
    }
}

fn read_text(path: &Path) -> Result<String, Failure> {
    let failed = |why: &dyn fmt::Display| Failure::usage("input", format!("{} cannot be read: {why}", path.display()));
    let bytes = files::read_bounded(path, wgsl::limits::TEXT_BYTES).map_err(|error| failed(&error))?;
    if bytes.len() > wgsl::limits::TEXT_BYTES {
        return Err(failed(&format_args!("a kernel's text has at most {} bytes", wgsl::limits::TEXT_BYTES)));
    }
    String::from_utf8(bytes).map_err(|error| failed(&format_args!("it is not UTF-8: {error}")))
}

fn only_entry(path: &Path, text: &str) -> Result<String, Failure> {
    let mut entries = wgsl::entry_points(text).map_err(|error| refused(path, &error))?;
    match entries.len() {
        1 => Ok(entries.remove(0)),
        0 => {
            Err(Failure::usage("entry", format!("{} has no compute entry point: mark one `@compute`", path.display())))
        }
        _ => {
            let why =
                format!("{} has several entry points: choose one with --entry: {}", path.display(), entries.join(", "));
            Err(Failure::usage("entry", why))
        }
    }
}

/// Pairs what is declared with what is given, and reads the files.
fn bind_all(kernel: &Kernel, given: Vec<(At, Source)>) -> Result<Vec<Bound>, Failure> {
    let mut sources = BTreeMap::new();
    for (at, source) in given {
        if sources.insert(at, source).is_some() {
            return Err(Failure::usage("bind", format!("binding {at} is given twice: give it once")));
        }
    }
    let declared = &kernel.interface().bindings;
    let describe = |decl: &BindingDecl| {
        let name = kernel.binding_name(decl.group, decl.binding).unwrap_or("unnamed");
        format!("{} ({name}, {}, at least {} bytes)", at(decl), access(decl.kind), decl.size_min_bytes)
    };
    if let Some(unknown) = sources.keys().find(|given| !declared.iter().any(|decl| at(decl) == **given)) {
        let known: Vec<_> = declared.iter().map(describe).collect();
        let known = if known.is_empty() { "it binds nothing".to_owned() } else { known.join(", ") };
        let entry = kernel.entry_point();
        return Err(Failure::usage("bind", format!("entry point {entry} uses no binding {unknown}: {known}")));
    }
    let missing: Vec<_> = declared.iter().filter(|decl| !sources.contains_key(&at(decl))).collect();
    if let Some(first) = missing.first() {
        let all: Vec<_> = missing.iter().map(|decl| describe(decl)).collect();
        let (at, size) = (at(first), first.size_min_bytes);
        let todo = format!("give a file with `--bind {at}=FILE`, or zeros with `--bind {at}=zero:{size}`");
        return Err(Failure::usage("bind", format!("nothing is bound to {}; {todo}", all.join(", "))));
    }
    let bound = |decl: &BindingDecl| {
        let name = kernel.binding_name(decl.group, decl.binding).map(str::to_owned);
        load(decl.clone(), name, &sources[&at(decl)])
    };
    declared.iter().map(bound).collect()
}

fn load(decl: BindingDecl, name: Option<String>, source: &Source) -> Result<Bound, Failure> {
    let at = at(&decl);
    let size_max = match decl.kind {
        BindingKind::Uniform => limits::UNIFORM_BINDING_BYTES,
        BindingKind::Storage { .. } => limits::STORAGE_BINDING_BYTES,
    };
    let failed = |why: &dyn fmt::Display| Failure::usage("bind", format!("binding {at}: {why}"));
    let read = |path: &Path, extra: usize| {
        files::read_bounded(path, size_max as usize + extra)
            .map_err(|error| failed(&format_args!("{} cannot be read: {error}", path.display())))
    };
    let (bytes, given_bytes) = match source {
        Source::Zeros(size) => (Vec::new(), *size),
        Source::File(path) => {
            let bytes = read(path, 0)?;
            let size = bytes.len() as u64;
            (bytes, size)
        }
        Source::Npy(path) => {
            let file = read(path, npy::HEADER_BYTES_MAX)?;
            let bytes = npy::elements(file).map_err(|error| failed(&format_args!("{}: {error}", path.display())))?;
            let size = bytes.len() as u64;
            (bytes, size)
        }
    };
    let size_bytes = given_bytes.checked_next_multiple_of(4).unwrap_or(u64::MAX);
    if given_bytes == 0 {
        return Err(failed(&"it is empty, and a binding has at least 4 bytes"));
    }
    if size_bytes > size_max {
        return Err(failed(&format_args!(
            "it is too large: a {} binding has at most {size_max} bytes",
            access(decl.kind)
        )));
    }
    if size_bytes < decl.size_min_bytes {
        let wanted = decl.size_min_bytes;
        return Err(failed(&format_args!("{given_bytes} bytes are too few: the kernel needs at least {wanted}")));
    }
    Ok(Bound { decl, name, bytes, size_bytes, given_bytes })
}

fn at(decl: &BindingDecl) -> At {
    At(BindingIndex { group: decl.group, binding: decl.binding })
}

fn access(kind: BindingKind) -> &'static str {
    match kind {
        BindingKind::Uniform => "uniform",
        BindingKind::Storage { writable: false } => "read",
        BindingKind::Storage { writable: true } => "read_write",
    }
}

fn groups(text: &str) -> Result<Groups, String> {
    let mut counts = [1; 3];
    let given: Vec<_> = text.split(',').collect();
    if given.len() > 3 {
        return Err("expected one to three counts, such as 64 or 8,8,1".to_owned());
    }
    for (count, text) in counts.iter_mut().zip(given) {
        *count = text.parse().map_err(|_| "expected counts such as 64 or 8,8,1".to_owned())?;
        if *count > limits::WORKGROUPS {
            return Err(format!("{count} is too many: at most {} workgroups along an axis", limits::WORKGROUPS));
        }
    }
    Ok(Groups(counts))
}

/// Splits `G:B=REST`.
pub(crate) fn placed(text: &str) -> Result<(At, &str), String> {
    const WANTED: &str = "expected G:B=..., such as 0:1=data.bin for @group(0) @binding(1)";
    let (place, rest) = text.split_once('=').ok_or(WANTED)?;
    let (group, binding) = place.split_once(':').ok_or(WANTED)?;
    let number = |text: &str| text.parse().map_err(|_| WANTED.to_owned());
    if rest.is_empty() {
        return Err("what follows `=` is empty".to_owned());
    }
    Ok((At(BindingIndex { group: number(group)?, binding: number(binding)? }), rest))
}

fn bind(text: &str) -> Result<(At, Source), String> {
    let (at, source) = placed(text)?;
    let source = match source.split_once(':') {
        Some(("zero", size)) => Source::Zeros(numbers::bytes(size)?),
        Some(("npy", "")) => return Err("the path after `npy:` is empty".to_owned()),
        Some(("npy", path)) => Source::Npy(path.into()),
        _ => Source::File(source.into()),
    };
    Ok((at, source))
}

fn constant(text: &str) -> Result<(String, f64), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    let value = match value {
        "true" => 1.0,
        "false" => 0.0,
        value => value.parse().map_err(|_| format!("`{value}` is not a number"))?,
    };
    Ok((name.to_owned(), value))
}

/// Reads a budget of loop iterations.
pub(crate) fn loop_iterations(text: &str) -> Result<u32, String> {
    let count = numbers::count(text)?;
    let fits = u32::try_from(count).ok().filter(|count| u64::from(*count) <= samebit_runner::spec::LOOP_ITERATIONS_MAX);
    fits.ok_or_else(|| format!("at most {} are allowed", samebit_runner::spec::LOOP_ITERATIONS_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "@group(0) @binding(1) var<storage, read_write> data: array<u32>;
        @group(2) @binding(0) var<uniform> scale: vec4u;
        @compute @workgroup_size(1) fn main() { data[0] = scale.x; }
        @compute @workgroup_size(1) fn other() { data[0] = 1; }";

    fn args(binds: &[&str]) -> LaunchArgs {
        let binds = binds.iter().map(|text| bind(text).expect("a binding")).collect();
        let groups = Some(Groups([1; 3]));
        LaunchArgs { entry: Some("main".to_owned()), groups, binds, constants: Vec::new() }
    }

    fn prepare(args: LaunchArgs) -> Result<Launch, String> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("kernel.wgsl");
        std::fs::write(&path, TEXT).expect("written");
        args.prepare(&path).map_err(|failure| failure.message().to_owned())
    }

    #[test]
    fn flags_are_read_or_say_what_was_expected() {
        assert_eq!(groups("64"), Ok(Groups([64, 1, 1])));
        assert_eq!(groups("1,2,65535"), Ok(Groups([1, 2, 65_535])));
        for text in ["", "1,", "1,2,3,4", "-1", "65536", "1x2"] {
            groups(text).expect_err(text);
        }
        let place = |group, binding| At(BindingIndex { group, binding });
        assert_eq!(bind("0:1=a=b"), Ok((place(0, 1), Source::File("a=b".into()))));
        assert_eq!(bind("2:0=zero:4KiB"), Ok((place(2, 0), Source::Zeros(4096))));
        assert_eq!(bind("2:0=npy:a.npy"), Ok((place(2, 0), Source::Npy("a.npy".into()))));
        for text in ["", "0=a", "0:1", "0:1=", "0:1=zero:x", "a:1=b", "0:1=npy:"] {
            bind(text).expect_err(text);
        }
        assert_eq!(constant("n=-1.5"), Ok(("n".to_owned(), -1.5)));
        assert_eq!(constant("n=true"), Ok(("n".to_owned(), 1.0)));
        constant("n=x").expect_err("no number");
        assert_eq!(loop_iterations("2G"), Ok(2_000_000_000));
        loop_iterations("3G").expect_err("over 2^31");
    }

    #[test]
    fn bindings_are_paired_and_padded() {
        let launch = prepare(args(&["2:0=zero:16", "0:1=zero:6"])).expect("complete");
        assert_eq!(launch.bindings.iter().map(|bound| bound.at().to_string()).collect::<Vec<_>>(), ["0:1", "2:0"]);
        assert_eq!(launch.bindings[0].size_bytes, 8);
        assert_eq!(launch.bindings[0].name.as_deref(), Some("data"));
        assert!(launch.bindings[0].note().expect("it was padded").contains("6 bytes"));
        assert_eq!(launch.bindings[1].note(), None);
    }

    #[test]
    fn what_does_not_fit_is_named() {
        for (binds, wanted) in [
            (&["0:1=zero:4"][..], "2:0 (scale, uniform, at least 16 bytes)"),
            (&["0:1=zero:4", "2:0=zero:16", "1:1=zero:4"], "uses no binding 1:1: 0:1 (data, read_write"),
            (&["0:1=zero:4", "0:1=zero:4"], "given twice"),
            (&["0:1=zero:4", "2:0=zero:12"], "12 bytes are too few: the kernel needs at least 16"),
            (&["0:1=zero:0", "2:0=zero:16"], "it is empty"),
            (&["0:1=zero:1GiB", "2:0=zero:16"], "too large"),
            (&["0:1=zero:17000000000GiB", "2:0=zero:16"], "too large"),
            (&["0:1=/no/such/file", "2:0=zero:16"], "cannot be read"),
        ] {
            let message = prepare(args(binds)).err().expect(wanted);
            assert!(message.contains(wanted), "{message}");
        }
    }

    #[test]
    fn the_only_entry_point_need_not_be_named() {
        let message = prepare(LaunchArgs { entry: None, ..args(&[]) }).err().expect("there are two");
        assert!(message.contains("--entry: main, other"), "{message}");
        let message = prepare(LaunchArgs { groups: None, ..args(&[]) }).err().expect("nothing is said");
        assert!(message.contains("--groups is missing"), "{message}");
        let message = prepare(LaunchArgs { entry: Some("none".to_owned()), ..args(&[]) }).err().expect("unknown");
        assert!(message.contains("no such entry point"), "{message}");
    }
}
