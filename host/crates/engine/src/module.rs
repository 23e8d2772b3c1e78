//! From bytes to something that can run: recognize, adapt, compile or load, and check what it asks for.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use samebit_spec::Hash;
use wasmtime::component::types::{ComponentFunc, ComponentItem, Type};
use wasmtime::component::{Component, ComponentExportIndex, InstancePre};

use crate::config::MODULE_BYTES_MAX;
use crate::state::State;
use crate::{CompileError, Engine, adapt, bounds};

/// What a module is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModuleKind {
    /// A component of world `samebit:job/job`.
    Job,
    /// A component that exports `wasi:cli/run`.
    Command,
    /// A core module for WASI preview 1, adapted on the fly.
    CommandPreview1,
}

impl std::fmt::Display for ModuleKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Job => "job component",
            Self::Command => "WASI 0.2 command component",
            Self::CommandPreview1 => "WASI preview 1 command",
        })
    }
}

/// Where the compiled code came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CacheUse {
    /// From the cache.
    Hit,
    /// Compiled, and kept in the cache.
    Compiled,
    /// Compiled, there being no cache.
    Off,
}

/// A compiled module. Cheap to clone, and good for any number of runs.
#[derive(Clone)]
pub struct Module(Arc<Inner>);

struct Inner {
    hash: Hash,
    kind: ModuleKind,
    pre: InstancePre<State>,
    entry: ComponentExportIndex,
    compare: Option<ComponentExportIndex>,
    imports: Vec<String>,
    exports: Vec<String>,
    cache_use: CacheUse,
}

impl Module {
    /// The hash of the bytes it was made from.
    pub fn hash(&self) -> Hash {
        self.0.hash
    }

    /// What it is.
    pub fn kind(&self) -> ModuleKind {
        self.0.kind
    }

    /// True if it imports the GPU interface, whether or not it comes to use it.
    pub fn uses_gpu(&self) -> bool {
        self.0.imports.iter().any(|name| name.starts_with("samebit:job/gpu@"))
    }

    /// The names of its imports, sorted.
    pub fn imports(&self) -> &[String] {
        &self.0.imports
    }

    /// The names of its exports, sorted.
    pub fn exports(&self) -> &[String] {
        &self.0.exports
    }

    /// Where its compiled code came from.
    pub fn cache_use(&self) -> CacheUse {
        self.0.cache_use
    }

    /// True if it exports a `compare` of the world `comparing`.
    pub fn compares(&self) -> bool {
        self.0.compare.is_some()
    }

    pub(crate) fn pre(&self) -> &InstancePre<State> {
        &self.0.pre
    }

    pub(crate) fn entry(&self) -> &ComponentExportIndex {
        &self.0.entry
    }

    pub(crate) fn compare(&self) -> Option<&ComponentExportIndex> {
        self.0.compare.as_ref()
    }

    /// Compiles a module, or takes it from the cache, and checks that this host can give it what it imports.
    pub(crate) fn compile(engine: &Engine, bytes: &[u8]) -> Result<Self, CompileError> {
        let core = recognize(bytes)?;
        let hash = Hash::of(bytes);
        let (component, cache_use) = match engine.load_cached(&hash) {
            Some(component) => (component, CacheUse::Hit),
            None => {
                let component = compile(engine, bytes, core)?;
                (
                    component.clone(),
                    if engine.save_cached(&hash, &component) { CacheUse::Compiled } else { CacheUse::Off },
                )
            }
        };
        let ty = component.component_type();
        let names = |names: Vec<String>| {
            let mut names = names;
            names.sort();
            names
        };
        let imports = names(ty.imports(engine.wasmtime()).map(|(name, _)| name.to_owned()).collect());
        let exports = names(ty.exports(engine.wasmtime()).map(|(name, _)| name.to_owned()).collect());
        let (kind, entry) = find_entry(engine, &component, core)?;
        let compare = find_compare(engine, &component);
        let pre = engine
            .linker()
            .instantiate_pre(&component)
            .map_err(|error| CompileError::Import(first_line(&format!("{error:#}"))))?;
        Ok(Self(Arc::new(Inner { hash, kind, pre, entry, compare, imports, exports, cache_use })))
    }
}

/// True for a core module, false for a component.
fn recognize(bytes: &[u8]) -> Result<bool, CompileError> {
    if bytes.len() as u64 > MODULE_BYTES_MAX {
        return Err(CompileError::TooLarge { size_bytes: bytes.len() as u64, max_bytes: MODULE_BYTES_MAX });
    }
    if !bytes.starts_with(b"\0asm") {
        return Err(CompileError::NotWasm);
    }
    Ok(wasmparser::Parser::is_core_wasm(bytes))
}

fn compile(engine: &Engine, bytes: &[u8], core: bool) -> Result<Component, CompileError> {
    bounds::check(bytes)?;
    let adapted;
    let bytes = if core {
        adapted = adapt::component_from_core(bytes)?;
        &adapted
    } else {
        bytes
    };
    // A compiler that panics on a stranger's module must not take the host along.
    match catch_unwind(AssertUnwindSafe(|| Component::from_binary(engine.wasmtime(), bytes))) {
        Ok(Ok(component)) => Ok(component),
        Ok(Err(error)) => Err(CompileError::Invalid(first_line(&format!("{error:#}")))),
        Err(_) => Err(CompileError::Compiler("it panicked".to_owned())),
    }
}

fn find_entry(
    engine: &Engine,
    component: &Component,
    core: bool,
) -> Result<(ModuleKind, ComponentExportIndex), CompileError> {
    let ty = component.component_type();
    let mut command = None;
    for (name, export) in ty.exports(engine.wasmtime()) {
        match export.ty {
            ComponentItem::ComponentFunc(func) if name == "run" && is_run(&func) => {
                let entry = component.get_export_index(None, name).ok_or(CompileError::NotAJob)?;
                return Ok((ModuleKind::Job, entry));
            }
            ComponentItem::ComponentInstance(_) if name.starts_with("wasi:cli/run@0.2.") => {
                let instance = component.get_export_index(None, name);
                command = instance.and_then(|instance| component.get_export_index(Some(&instance), "run"));
            }
            _ => {}
        }
    }
    let kind = if core { ModuleKind::CommandPreview1 } else { ModuleKind::Command };
    command.map(|entry| (kind, entry)).ok_or(CompileError::NotAJob)
}

/// True for `func(args: list<string>) -> result<_, string>`.
fn is_run(func: &ComponentFunc) -> bool {
    takes(func, |ty| matches!(ty, Type::List(list) if list.ty() == Type::String)) && gives_result(func)
}

/// The export `compare: func(name: string) -> result<_, string>`, if there is one.
fn find_compare(engine: &Engine, component: &Component) -> Option<ComponentExportIndex> {
    let ty = component.component_type();
    let is_compare = |func: &ComponentFunc| takes(func, |ty| *ty == Type::String) && gives_result(func);
    let mut exports = ty.exports(engine.wasmtime());
    exports
        .any(|(name, export)| {
            name == "compare" && matches!(export.ty, ComponentItem::ComponentFunc(func) if is_compare(&func))
        })
        .then(|| component.get_export_index(None, "compare"))
        .flatten()
}

/// True for a function of one parameter, which is such a type.
fn takes(func: &ComponentFunc, is_wanted: impl Fn(&Type) -> bool) -> bool {
    let mut params = func.params();
    params.next().is_some_and(|(_, ty)| is_wanted(&ty)) && params.next().is_none()
}

/// True for a function that returns `result<_, string>`.
fn gives_result(func: &ComponentFunc) -> bool {
    let mut results = func.results();
    let is_result = matches!(results.next(), Some(Type::Result(result))
        if result.ok().is_none() && result.err() == Some(Type::String));
    is_result && results.next().is_none()
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().chars().take(500).collect()
}
