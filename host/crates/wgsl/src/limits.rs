//! What a kernel may be at most. The first group is the table of `wit/gpu.wit`, which guests rely on; the second is
//! WGSL's own section "Limits", which lets a compiler refuse what exceeds it; the third is ours.
//!
//! None of these depends on the machine. Changing one changes which jobs are accepted, and so their outcomes.

/// Longest text of a kernel.
pub const TEXT_BYTES: usize = 1 << 20;
/// Most storage buffers that a kernel may bind.
pub const STORAGE_BINDINGS: usize = 8;
/// Most uniform buffers that a kernel may bind.
pub const UNIFORM_BINDINGS: usize = 12;
/// Bind groups: `@group` must be less.
pub const BIND_GROUPS: u32 = 4;
/// Binding indices: `@binding` must be less.
pub const BINDING_INDICES: u32 = 1_000;
/// Largest workgroup along x, y and z.
pub const WORKGROUP_SIZE: [u32; 3] = [256, 256, 64];
/// Most invocations in a workgroup.
pub const WORKGROUP_INVOCATIONS: u32 = 256;
/// Most workgroup memory that a kernel may declare, each variable rounded up to 16 bytes.
pub const WORKGROUP_MEMORY_BYTES: u64 = 16_384;
/// Largest range of a storage buffer that can be bound; a variable's type must fit.
pub const STORAGE_BINDING_BYTES: u64 = 134_217_728;
/// Largest range of a uniform buffer that can be bound; a variable's type must fit.
pub const UNIFORM_BINDING_BYTES: u64 = 65_536;

/// Most memory of all private variables of a kernel (WGSL: 8192 bytes).
pub const PRIVATE_MEMORY_BYTES: u64 = 8_192;
/// Most memory of all variables that one function declares (WGSL: 8192 bytes).
pub const FUNCTION_MEMORY_BYTES: u64 = 8_192;
/// Most members of a structure (WGSL: 1023).
pub const STRUCT_MEMBERS: usize = 1_023;
/// Deepest nesting of composite types (WGSL: 15).
pub const TYPE_DEPTH: u32 = 15;
/// Most parameters of a function (WGSL: 255).
pub const FUNCTION_PARAMETERS: usize = 255;
/// Most values of all cases of one `switch` (WGSL: 1023).
pub const SWITCH_CASES: usize = 1_023;
/// Deepest nesting of braces (WGSL: 127).
pub const BRACE_DEPTH: usize = 127;
/// Most elements of an array that is a value, not a variable in memory (WGSL: 2047).
pub const ARRAY_VALUE_ELEMENTS: u32 = 2_047;

/// Deepest nesting of parentheses and square brackets.
pub const BRACKET_DEPTH: usize = 127;
/// Deepest expression: operators and selectors that may have to be evaluated inside one another.
pub const EXPRESSION_DEPTH: u32 = 512;
/// Deepest nesting of blocks, where each `else if` nests inside the one before.
pub const BLOCK_DEPTH: u32 = 256;
/// Most words, numbers and symbols of a text. naga takes time quadratic in the size of a function, so both are bounded.
pub const TOKENS: usize = 1 << 18;
/// Most words, numbers and symbols of one function.
pub const FUNCTION_TOKENS: usize = 1 << 15;
/// Most functions of a text. naga keeps a table of functions by variables.
pub const FUNCTIONS: usize = 1_024;
/// Most module-scope variables of a text.
pub const VARIABLES: usize = 1_024;
/// Most structures of a text.
pub const STRUCTS: usize = 1_024;
/// Most words and numbers of one declaration, after each constant is replaced by its value: naga copies a constant array
/// wherever it is mentioned.
pub const EXPANDED_DECLARATION: u64 = 1 << 18;
/// Most words and numbers of a text, after each constant is replaced by its value.
pub const EXPANDED_TEXT: u64 = 1 << 20;
/// Most expressions and statements of a kernel, after each call is replaced by its function: drivers inline.
pub const EXPANDED_CALLS: u64 = 1 << 20;
/// Largest value that is not in a variable, such as a whole array that is loaded or returned.
pub const VALUE_BYTES: u64 = 131_072;
/// Most statements, operations and operands of a lowered kernel.
pub const LOWERED_SIZE: u32 = 1 << 15;
/// What values that a lowered kernel keeps across its branches and loops may come to: compilers take time for each. A
/// value counts once for each branch between its definition and its last use, and 16 times for each loop and barrier.
pub const LOWERED_SPANS: u64 = 1 << 23;
/// Most scalars that lowering looks at to get there: parts of composite values, again and again.
pub const LOWERED_WORK: u64 = 1 << 24;
/// Most bytes of an invocation's arrays, indexed by what is not known before.
pub const LOWERED_ARRAY_BYTES: u32 = 1 << 16;
/// Deepest nesting of a lowered kernel: blocks and calls inside one another.
pub const LOWERED_DEPTH: u32 = 512;
