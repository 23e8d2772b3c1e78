//! How much work a module may be for the compiler.
//!
//! Compiling happens before any of a job's limits applies, and takes time by what a module declares, not by its length:
//! fifty thousand local variables are six bytes. So what costs time is counted first, in one pass over the bytes. The
//! numbers are far above what large programs have (a Python interpreter: some 20,000 functions), and are the same
//! everywhere: a module that one host compiles, every host does.

use wasmparser::{FunctionBody, Operator, Parser, Payload};

use crate::CompileError;

/// The most functions of all core modules together.
const FUNCTIONS_MAX: u64 = 100_000;

/// The most local variables of all functions together.
const LOCALS_MAX: u64 = 2_000_000;

/// The most bytes of one function.
const FUNCTION_BYTES_MAX: usize = 1 << 20;

/// The sum, over all blocks of all functions, of how many blocks each lies in. Compiling takes time in proportion.
const NESTING_MAX: u64 = 50_000_000;

/// Refuses a module that would keep the compiler busy for long. One that does not parse is left to the compiler, which
/// says why.
pub(crate) fn check(bytes: &[u8]) -> Result<(), CompileError> {
    let (mut functions, mut locals, mut nesting) = (0_u64, 0_u64, 0_u64);
    for payload in Parser::new(0).parse_all(bytes) {
        let Ok(payload) = payload else { return Ok(()) };
        let Payload::CodeSectionEntry(body) = payload else { continue };
        functions += 1;
        if functions > FUNCTIONS_MAX {
            return Err(too_much(format!("it has more than {FUNCTIONS_MAX} functions")));
        }
        if body.range().len() > FUNCTION_BYTES_MAX {
            return Err(too_much(format!("a function has more than {FUNCTION_BYTES_MAX} bytes")));
        }
        let Ok(groups) = body.get_locals_reader() else { return Ok(()) };
        for group in groups {
            let Ok((count, _)) = group else { return Ok(()) };
            locals += u64::from(count);
        }
        if locals > LOCALS_MAX {
            return Err(too_much(format!("its functions have more than {LOCALS_MAX} local variables")));
        }
        let Some(deeper) = nesting_of(&body) else { return Ok(()) };
        nesting += deeper;
        if nesting > NESTING_MAX {
            return Err(too_much("its blocks nest too deep".to_owned()));
        }
    }
    Ok(())
}

/// The sum, over all blocks of a function, of how many blocks each lies in; `None` if it does not parse.
fn nesting_of(body: &FunctionBody<'_>) -> Option<u64> {
    let (mut depth, mut sum) = (0_u64, 0_u64);
    let mut operators = body.get_operators_reader().ok()?;
    while !operators.eof() {
        match operators.read().ok()? {
            Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } => {
                sum += depth;
                depth += 1;
            }
            Operator::End => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    Some(sum)
}

fn too_much(why: String) -> CompileError {
    CompileError::Invalid(format!("{why}, which no host compiles; split it up"))
}
