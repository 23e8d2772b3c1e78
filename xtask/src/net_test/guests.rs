//! The modules that travel: small, for WASI preview 1, and none of them needs a GPU.

/// Copies standard input to standard output, then counts for about half a second.
pub(super) const WORK: &str = r#"(module
    (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 2)
    (func $copy (loop $again
        (i32.store (i32.const 0) (i32.const 1024))
        (i32.store (i32.const 4) (i32.const 65536))
        (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 16)))
        (if (i32.eqz (i32.load (i32.const 16))) (then return))
        (i32.store (i32.const 4) (i32.load (i32.const 16)))
        (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 20)))
        (br $again)))
    (func $count (local $n i64) (loop $l
        (local.set $n (i64.add (local.get $n) (i64.const 1)))
        (br_if $l (i64.lt_u (local.get $n) (i64.const 150000000)))))
    (func (export "_start") (call $copy) (call $count)))"#;
