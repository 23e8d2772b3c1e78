//! Guests in WebAssembly text, for WASI preview 1: small, and none of them needs a GPU.

/// Copies standard input to standard output, and says `copied` in the log.
pub(crate) const CAT: &str = r#"(module
    (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 2)
    (data (i32.const 512) "copied \1b[31m\n")
    (func $copy (loop $again
        (i32.store (i32.const 0) (i32.const 1024))
        (i32.store (i32.const 4) (i32.const 65536))
        (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 16)))
        (if (i32.eqz (i32.load (i32.const 16))) (then return))
        (i32.store (i32.const 4) (i32.load (i32.const 16)))
        (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 20)))
        (br $again)))
    (func (export "_start")
        (call $copy)
        (i32.store (i32.const 0) (i32.const 512))
        (i32.store (i32.const 4) (i32.const 13))
        (drop (call $write (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 20)))))"#;

/// Writes `partial` to standard output, then never ends.
pub(crate) const SPIN: &str = r#"(module
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 512) "partial")
    (func (export "_start")
        (i32.store (i32.const 0) (i32.const 512))
        (i32.store (i32.const 4) (i32.const 7))
        (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 20)))
        (loop $l br $l)))"#;

/// Exits with code 7.
pub(crate) const EXIT_7: &str = r#"(module
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 1)
    (func (export "_start") (call $exit (i32.const 7))))"#;

/// Traps.
pub(crate) const TRAP: &str = r#"(module (memory (export "memory") 1) (func (export "_start") unreachable))"#;

/// Returns at once.
pub(crate) const EMPTY: &str = r#"(module (memory (export "memory") 1) (func (export "_start")))"#;
