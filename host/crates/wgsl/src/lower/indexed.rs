//! Which variables and values are indexed by what is only known when the kernel runs.
//!
//! Those need memory; all others come apart into scalars. It is decided for a variable as a whole, over all functions
//! that a pointer into it reaches.

use naga::{Arena, Block, Expression, Function, GlobalVariable, Handle, LocalVariable, Module, Statement};
use std::collections::BTreeSet;

/// What one function indexes.
#[derive(Debug, Default)]
pub(super) struct Indexed {
    /// Of its variables.
    pub(super) locals: BTreeSet<Handle<LocalVariable>>,
    /// Of its parameters that are pointers, by their number.
    pub(super) parameters: BTreeSet<u32>,
    /// Of its expressions, those that are no pointers.
    pub(super) values: BTreeSet<Handle<Expression>>,
}

/// What the functions of a module index.
#[derive(Debug, Default)]
pub(super) struct Analysis {
    /// The functions of the module in their order, then the entry point.
    pub(super) functions: Vec<Indexed>,
    /// Module-scope variables.
    pub(super) globals: BTreeSet<Handle<GlobalVariable>>,
}

/// What a pointer or a composite is part of.
#[derive(Clone, Copy)]
enum Root {
    Local(Handle<LocalVariable>),
    Global(Handle<GlobalVariable>),
    Parameter(u32),
    Value(Handle<Expression>),
}

/// Analyzes all functions of `module`.
pub(super) fn analyze(module: &Module) -> Analysis {
    let mut analysis = Analysis::default();
    // Callees come before callers.
    let functions = module.functions.iter().map(|(_, function)| function);
    for function in functions.chain(module.entry_points.iter().map(|entry| &entry.function)) {
        let indexed = analyze_function(module, function, &mut analysis);
        analysis.functions.push(indexed);
    }
    analysis
}

fn analyze_function(module: &Module, function: &Function, analysis: &mut Analysis) -> Indexed {
    let mut roots = Vec::with_capacity(function.expressions.len());
    let mut found = Vec::new();
    for (handle, expression) in function.expressions.iter() {
        let root = match expression {
            Expression::LocalVariable(local) => Root::Local(*local),
            Expression::GlobalVariable(global) => Root::Global(*global),
            Expression::FunctionArgument(index) if is_pointer(module, function, *index) => Root::Parameter(*index),
            Expression::Access { base, index } => {
                let root = roots.get(base.index()).copied().unwrap_or(Root::Value(*base));
                // Where a part of a value is indexed, only that part needs memory.
                let root = if let Root::Value(_) = root { Root::Value(*base) } else { root };
                if !is_constant(&function.expressions, *index) {
                    found.push(root);
                }
                if let Root::Value(_) = root { Root::Value(handle) } else { root }
            }
            Expression::AccessIndex { base, .. } => match roots.get(base.index()) {
                Some(Root::Value(_)) | None => Root::Value(handle),
                Some(root) => *root,
            },
            _ => Root::Value(handle),
        };
        roots.push(root);
    }
    of_calls(&function.body, &mut |callee, arguments| {
        let Some(callee) = analysis.functions.get(callee) else { return };
        for (index, argument) in (0..).zip(arguments) {
            if let Some(root) = roots.get(argument.index()).filter(|_| callee.parameters.contains(&index)) {
                found.push(*root);
            }
        }
    });
    let mut indexed = Indexed::default();
    for root in found {
        match root {
            Root::Local(local) => drop(indexed.locals.insert(local)),
            Root::Parameter(index) => drop(indexed.parameters.insert(index)),
            Root::Value(value) => drop(indexed.values.insert(value)),
            Root::Global(global) => drop(analysis.globals.insert(global)),
        }
    }
    indexed
}

/// Whether a parameter is a pointer.
fn is_pointer(module: &Module, function: &Function, index: u32) -> bool {
    let parameter = function.arguments.get(index as usize);
    parameter.is_some_and(|parameter| module.types[parameter.ty].inner.pointer_space().is_some())
}

/// Whether an index is known.
pub(super) fn is_constant(expressions: &Arena<Expression>, index: Handle<Expression>) -> bool {
    !expressions[index].is_dynamic_index()
}

/// Looks at each call in a block. How deep blocks nest is bounded.
fn of_calls(block: &Block, look: &mut impl FnMut(usize, &[Handle<Expression>])) {
    for statement in block {
        match statement {
            Statement::Call { function, arguments, .. } => look(function.index(), arguments),
            Statement::Block(block) => of_calls(block, look),
            Statement::If { accept, reject, .. } => {
                of_calls(accept, look);
                of_calls(reject, look);
            }
            Statement::Loop { body, continuing, .. } => {
                of_calls(body, look);
                of_calls(continuing, look);
            }
            Statement::Switch { cases, .. } => cases.iter().for_each(|case| of_calls(&case.body, look)),
            _ => {}
        }
    }
}
