//! Kernels and their dispatch.
//!
//! [`kernel!`](crate::kernel!) makes a [`Kernel`] of a WGSL file; [`Kernel::bind`] starts a [`Launch`], which binds the
//! kernel's variables by name and dispatches it. The host compiles a kernel when it is first dispatched, once for each
//! set of constants, and keeps it until the job ends.
//!
//! A kernel with an error does not compile, and the message names its line:
//!
//! ```compile_fail
//! samebit_guest::kernel!(inline "@compute @workgroup_size(1) fn main() { let x = y; }", "main");
//! // error: inline kernel:1:49: no definition in scope for identifier: `y`
//! ```

use crate::{Buffer, BufferSlice, Error, host};
use bytemuck::Pod;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// One compute entry point with its override constants.
#[derive(Debug, Clone)]
pub struct Kernel {
    source: &'static Source,
    /// Name and value, in the order they were set.
    constants: Vec<(String, f64)>,
}

/// What [`kernel!`](crate::kernel!) found out about a kernel at compile time. Written by the macro only.
#[derive(Debug)]
pub struct Source {
    /// The file, for messages.
    pub path: &'static str,
    /// The text.
    pub wgsl: &'static str,
    /// The name of the compute entry point.
    pub entry_point: &'static str,
    /// `None` if it depends on override constants.
    pub workgroup_size: Option<[u32; 3]>,
    /// What the entry point uses.
    pub variables: &'static [Variable],
    /// The override constants of the text.
    pub constants: &'static [Constant],
}

/// A variable of the kernel that a dispatch has to bind.
#[derive(Debug)]
pub struct Variable {
    /// `@group`
    pub group: u32,
    /// `@binding`
    pub binding: u32,
    /// Its name in the WGSL.
    pub name: &'static str,
    /// Whether the kernel may write it.
    pub writable: bool,
}

/// An override constant.
#[derive(Debug)]
pub struct Constant {
    /// Its name in the WGSL.
    pub name: &'static str,
    /// `@id`
    pub id: Option<u16>,
    /// Whether the entry point uses it and it has no default.
    pub required: bool,
}

impl Constant {
    /// Whether a job that sets `key` means this one: by name, or by `@id` in decimal.
    pub(crate) fn is(&self, key: &str) -> bool {
        self.name == key || self.id.is_some_and(|id| id.to_string() == key)
    }
}

impl Kernel {
    #[doc(hidden)]
    pub fn new(source: &'static Source) -> Self {
        Self { source, constants: Vec::new() }
    }

    /// Sets an override constant, by name or by `@id` in decimal. Booleans are 0 and 1. Setting it again replaces it.
    #[must_use]
    pub fn constant(mut self, name: &str, value: impl Into<f64>) -> Self {
        let value = value.into();
        match self.constants.iter_mut().find(|(known, _)| known == name) {
            Some((_, old)) => *old = value,
            None => self.constants.push((name.to_owned(), value)),
        }
        self
    }

    /// Invocations of a workgroup along x, y and z, unless they depend on override constants.
    pub fn workgroup_size(&self) -> Option<[u32; 3]> {
        self.source.workgroup_size
    }

    /// Binds a buffer, or a [slice](Buffer::slice) of one, to the variable of this name.
    pub fn bind<'a>(&self, variable: &str, buffer: impl Into<BufferSlice<'a>>) -> Launch<'a> {
        self.launch().bind(variable, buffer)
    }

    /// Binds a copy of `value`, in a buffer of its own, to the variable of this name. For a kernel's parameters.
    pub fn value<'a, T: Pod>(&self, variable: &str, value: &T) -> Launch<'a> {
        self.launch().value(variable, value)
    }

    /// A launch without bindings yet.
    pub fn launch<'a>(&self) -> Launch<'a> {
        Launch { kernel: self.clone(), bound: Vec::new(), fault: None }
    }

    /// The host's handle.
    fn instantiate(&self) -> Result<Rc<host::Kernel>, Error> {
        thread_local! {
            static CREATED: RefCell<BTreeMap<Key, Rc<host::Kernel>>> = const { RefCell::new(BTreeMap::new()) };
        }
        /// Which `static` it came from, and the bits of its constants, sorted.
        type Key = (usize, Vec<(String, u64)>);

        let mut constants: Vec<_> =
            self.constants.iter().map(|(name, value)| (name.clone(), value.to_bits())).collect();
        constants.sort();
        let key = (std::ptr::from_ref(self.source).addr(), constants);
        if let Some(kernel) = CREATED.with_borrow(|created| created.get(&key).cloned()) {
            return Ok(kernel);
        }
        self.check_constants()?;
        let kernel = host::Kernel::create(self.source, &self.constants).map_err(|reason| Error::Kernel {
            path: self.source.path.to_owned(),
            entry_point: self.source.entry_point.to_owned(),
            reason,
        })?;
        let kernel = Rc::new(kernel);
        CREATED.with_borrow_mut(|created| created.insert(key, Rc::clone(&kernel)));
        Ok(kernel)
    }

    /// Says which constants there are, where the host could only say which one is wrong.
    fn check_constants(&self) -> Result<(), Error> {
        let known = self.source.constants;
        if let Some((name, _)) = self.constants.iter().find(|(name, _)| !known.iter().any(|known| known.is(name))) {
            let names = known.iter().map(|known| known.name);
            return Err(self.fault(format_args!("no override constant `{name}`: it has {}", list(names))));
        }
        Ok(())
    }

    fn fault(&self, what: impl std::fmt::Display) -> Error {
        Error::Message(format!("{} ({}): {what}", self.source.path, self.source.entry_point))
    }
}

/// A kernel with bindings, ready to dispatch, any number of times.
///
/// A mistake in a binding is reported by the dispatch.
#[derive(Debug)]
#[must_use = "a launch does nothing until it is dispatched"]
pub struct Launch<'a> {
    kernel: Kernel,
    bound: Vec<(&'static Variable, Bound<'a>)>,
    fault: Option<Error>,
}

#[derive(Debug)]
enum Bound<'a> {
    Slice(BufferSlice<'a>),
    Value(host::Buffer),
}

impl<'a> Launch<'a> {
    /// Binds a buffer, or a [slice](Buffer::slice) of one, to the variable of this name.
    pub fn bind(mut self, variable: &str, buffer: impl Into<BufferSlice<'a>>) -> Self {
        let slice = buffer.into();
        self.add(variable, || Ok(Bound::Slice(slice)));
        self
    }

    /// Binds a copy of `value`, in a buffer of its own, to the variable of this name. For a kernel's parameters.
    pub fn value<T: Pod>(mut self, variable: &str, value: &T) -> Self {
        self.add(variable, || {
            Buffer::from_slice(std::slice::from_ref(value)).map(|buffer| Bound::Value(buffer.into_raw()))
        });
        self
    }

    fn add(&mut self, name: &str, bound: impl FnOnce() -> Result<Bound<'a>, Error>) {
        if self.fault.is_some() {
            return;
        }
        let variables = self.kernel.source.variables;
        let Some(variable) = variables.iter().find(|variable| variable.name == name) else {
            let names = variables.iter().map(|variable| variable.name);
            self.fault = Some(self.kernel.fault(format_args!("no variable `{name}` to bind: it uses {}", list(names))));
            return;
        };
        if self.bound.iter().any(|(known, _)| known.name == name) {
            self.fault = Some(self.kernel.fault(format_args!("the variable `{name}` is bound twice")));
            return;
        }
        match bound() {
            Ok(bound) => self.bound.push((variable, bound)),
            Err(error) => self.fault = Some(error),
        }
    }

    /// Runs the kernel on a grid of workgroups along x, y and z. A count of zero runs nothing.
    ///
    /// # Errors
    /// A binding is wrong or missing, the host refuses the kernel, or a count is over 65,535.
    pub fn dispatch(&self, workgroups: [u32; 3]) -> Result<(), Error> {
        let kernel = self.ready()?;
        host::dispatch(&kernel, &self.bindings(), workgroups).map_err(self.refused())
    }

    /// Runs the kernel with at least this many invocations along x, y and z: the counts of workgroups are rounded up,
    /// so that the kernel has to check its bounds.
    ///
    /// # Errors
    /// As for [`Launch::dispatch`], and if the workgroup size depends on override constants.
    pub fn dispatch_for(&self, invocations: [u32; 3]) -> Result<(), Error> {
        let Some(size) = self.kernel.workgroup_size() else {
            let what = "its workgroup size depends on override constants: use `dispatch` with counts of workgroups";
            return Err(self.kernel.fault(what));
        };
        self.dispatch(std::array::from_fn(|axis| invocations[axis].div_ceil(size[axis].max(1))))
    }

    /// Runs the kernel on a grid whose counts are the three elements of `counts` from index `at`, read when the GPU
    /// gets there. If one of them is over 65,535, nothing runs.
    ///
    /// # Errors
    /// As for [`Launch::dispatch`], and if the three elements are not inside the buffer.
    pub fn dispatch_indirect(&self, counts: &Buffer<u32>, at: usize) -> Result<(), Error> {
        let kernel = self.ready()?;
        let offset = (at as u64).saturating_mul(4);
        host::dispatch_indirect(&kernel, &self.bindings(), counts.raw(), offset).map_err(self.refused())
    }

    fn ready(&self) -> Result<Rc<host::Kernel>, Error> {
        if let Some(fault) = &self.fault {
            return Err(fault.clone());
        }
        let is_bound = |variable: &Variable| self.bound.iter().any(|(bound, _)| bound.name == variable.name);
        let missing = self.kernel.source.variables.iter().filter(|variable| !is_bound(variable));
        let missing: Vec<_> = missing.map(|variable| variable.name).collect();
        if !missing.is_empty() {
            return Err(self.kernel.fault(format_args!("not bound yet: {}", list(missing.into_iter()))));
        }
        self.kernel.instantiate()
    }

    fn bindings(&self) -> Vec<host::Binding<'_>> {
        let bindings = self.bound.iter().map(|(variable, bound)| {
            let (buffer, offset, size) = match bound {
                Bound::Slice(slice) => (slice.raw, slice.offset, slice.size),
                Bound::Value(buffer) => (buffer, 0, None),
            };
            host::Binding { group: variable.group, binding: variable.binding, buffer, offset, size }
        });
        bindings.collect()
    }

    fn refused(&self) -> impl FnOnce(crate::GpuError) -> Error {
        let Source { path, entry_point, .. } = self.kernel.source;
        Error::gpu(format!("dispatching {path} ({entry_point})"))
    }
}

fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<_> = names.map(|name| format!("`{name}`")).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}
