//! What no compiler writes: forged handles, use after drop, and lies about memory, in WebAssembly text.
//!
//! All of it breaks the component model's rules, which wasmtime enforces, and all of it is one outcome: the guest broke
//! its contract. That is the same on every host, so it verifies.

use std::time::{Duration, Instant};

use samebit_engine::spec::{Limit, Status, Trap};

use crate::fake_device::fake;
use crate::support::{Guest, job};

const BROKEN: Status = Status::Trapped(Trap::BrokenContract);

/// A job with the host's functions at hand. Its memory has `pages` pages; `body` is the core of `run`, with `$h` a
/// local to keep a handle in, and leaves the address of its result: 16 holds a success.
fn raw(pages: u32, realloc: &str, body: &str) -> Guest {
    let text = format!(
        r#"(component
            (import "samebit:job/gpu@0.1.0" (instance $gpu
                (type $index-type (record (field "group" u32) (field "binding" u32)))
                (export "binding-index" (type $index (eq $index-type)))
                (type $error-type (variant (case "out-of-range") (case "misaligned") (case "invalid-size")
                    (case "out-of-memory") (case "unknown-input") (case "aliased") (case "binding-mismatch" $index)))
                (export "gpu-error" (type $error (eq $error-type)))
                (type $at-type (record (field "line" u32) (field "column" u32)))
                (export "source-location" (type $at (eq $at-type)))
                (type $refusal-type (variant (case "invalid" $at) (case "unsupported" $at) (case "unknown-entry-point")
                    (case "bad-constant" string) (case "too-large")))
                (export "kernel-error" (type $refusal (eq $refusal-type)))
                (type $desc-type (record (field "wgsl" string) (field "entry-point" string)
                    (field "constants" (list (tuple string float64)))))
                (export "kernel-descriptor" (type $desc (eq $desc-type)))
                (export "buffer" (type $buffer (sub resource)))
                (export "kernel" (type $kernel (sub resource)))
                (type $binding-type (record (field "group" u32) (field "binding" u32) (field "buffer" (borrow $buffer))
                    (field "offset" u64) (field "size" (option u64))))
                (export "binding" (type $binding (eq $binding-type)))
                (type $grid-type (record (field "x" u32) (field "y" u32) (field "z" u32)))
                (export "workgroups" (type $grid (eq $grid-type)))
                (export "[static]buffer.create" (func (param "size" u64) (result (result (own $buffer) (error $error)))))
                (export "[method]buffer.size" (func (param "self" (borrow $buffer)) (result u64)))
                (export "[static]kernel.create" (func (param "desc" $desc)
                    (result (result (own $kernel) (error $refusal)))))
                (export "dispatch" (func (param "kernel" (borrow $kernel)) (param "bindings" (list $binding))
                    (param "workgroups" $grid) (result (result (error $error)))))))
            (import "samebit:job/report@0.1.0" (instance $report
                (type $level-type (enum "error" "warn" "info" "debug" "trace"))
                (export "level" (type $level (eq $level-type)))
                (export "log" (func (param "level" $level) (param "message" string)))))
            (import "wasi:io/poll@0.2.12" (instance $poll
                (export "pollable" (type $pollable (sub resource)))
                (export "poll" (func (param "in" (list (borrow $pollable))) (result (list u32))))))
            (alias export $poll "pollable" (type $pollable))
            (import "wasi:clocks/monotonic-clock@0.2.12" (instance $clock
                (alias outer 1 $pollable (type $p))
                (export "pollable" (type $pollable (eq $p)))
                (export "subscribe-instant" (func (param "when" u64) (result (own $pollable))))))
            (alias export $gpu "buffer" (type $buffer))
            (alias export $gpu "kernel" (type $kernel))
            (core module $base (memory (export "memory") {pages})
                (func (export "realloc") (param i32 i32 i32 i32) (result i32) {realloc}))
            (core instance $base (instantiate $base))
            (alias core export $base "memory" (core memory $memory))
            (alias core export $base "realloc" (core func $realloc))
            (core func $create (canon lower (func $gpu "[static]buffer.create") (memory $memory)))
            (core func $size (canon lower (func $gpu "[method]buffer.size")))
            (core func $kernel (canon lower (func $gpu "[static]kernel.create") (memory $memory)
                (realloc $realloc)))
            (core func $dispatch (canon lower (func $gpu "dispatch") (memory $memory)))
            (core func $log (canon lower (func $report "log") (memory $memory)))
            (core func $poll (canon lower (func $poll "poll") (memory $memory) (realloc $realloc)))
            (core func $timer (canon lower (func $clock "subscribe-instant")))
            (core func $drop-buffer (canon resource.drop $buffer))
            (core func $drop-kernel (canon resource.drop $kernel))
            (core module $m
                (import "h" "memory" (memory {pages}))
                (import "h" "create" (func $create (param i64 i32)))
                (import "h" "size" (func $size (param i32) (result i64)))
                (import "h" "kernel" (func $kernel (param i32 i32 i32 i32 i32 i32 i32)))
                (import "h" "dispatch" (func $dispatch (param i32 i32 i32 i32 i32 i32 i32)))
                (import "h" "log" (func $log (param i32 i32 i32)))
                (import "h" "poll" (func $poll (param i32 i32 i32)))
                (import "h" "timer" (func $timer (param i64) (result i32)))
                (import "h" "drop-buffer" (func $drop-buffer (param i32)))
                (import "h" "drop-kernel" (func $drop-kernel (param i32)))
                (data (i32.const 16) "\00")
                (data (i32.const 64) "\ff\fe not text \c0")
                (data (i32.const 128) "{COPY}")
                (data (i32.const 400) "main")
                (func $buffer (result i32) (call $create (i64.const 256) (i32.const 32)) (i32.load (i32.const 36)))
                (func $copy (result i32)
                    (call $kernel (i32.const 128) (i32.const {copy_len}) (i32.const 400) (i32.const 4) (i32.const 0)
                        (i32.const 0) (i32.const 32))
                    (i32.load (i32.const 36)))
                (func (export "run") (param i32 i32) (result i32) (local $h i32) (local $n i32) {body}))
            (core instance $i (instantiate $m (with "h" (instance
                (export "memory" (memory $memory)) (export "create" (func $create)) (export "size" (func $size))
                (export "kernel" (func $kernel)) (export "dispatch" (func $dispatch)) (export "log" (func $log))
                (export "poll" (func $poll)) (export "timer" (func $timer))
                (export "drop-buffer" (func $drop-buffer)) (export "drop-kernel" (func $drop-kernel))))))
            (func (export "run") (param "args" (list string)) (result (result (error string)))
                (canon lift (core func $i "run") (memory $memory) (realloc $realloc))))"#,
        copy_len = COPY.len(),
    );
    let mut guest = Guest::new(text.as_bytes()).limits(|limits| limits.fuel = 300_000_000);
    guest.device = fake();
    guest
}

const COPY: &str = "@compute @workgroup_size(1) fn main() {}";
const REALLOC: &str = "(i32.const 4096)";

/// Runs a guest twice, and a guest that behaves after it.
fn ended(guest: &Guest) -> Status {
    let [one, two] = [(); 2].map(|()| guest.run().expect("an outcome"));
    assert_eq!((&one.status, one.fuel, &one.log), (&two.status, two.fuel, &two.log));
    let next = Guest::new(&job("", "", "i32.const 16")).run().expect("an outcome");
    assert_eq!(next.status, Status::Ok);
    one.status
}

#[test]
fn handles_that_are_held_work() {
    for body in [
        "(drop (call $size (call $buffer)))",
        "(call $drop-buffer (call $buffer))",
        "(call $drop-kernel (call $copy))",
        "(call $dispatch (call $copy) (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 1) (i32.const 1) (i32.const 48))
            (if (i32.load8_u (i32.const 48)) (then unreachable))",
        "(loop $l (drop (call $buffer)) (br_if $l (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 100))))",
    ] {
        assert_eq!(ended(&raw(1, REALLOC, &format!("{body} i32.const 16"))), Status::Ok, "{body}");
    }
}

#[test]
fn forged_handles_and_use_after_drop() {
    let dispatch = |kernel: &str, list: &str| {
        let list = if list.is_empty() { "(i32.const 0) (i32.const 0)" } else { list };
        format!("(call $dispatch {kernel} {list} (i32.const 1) (i32.const 1) (i32.const 1) (i32.const 48))")
    };
    let after_drop = "(local.set $h (call $buffer)) (call $drop-buffer (local.get $h))";
    let mut bodies: Vec<String> = ["0", "1", "2", "12345", "-1", "0x7fffffff", "0x10000000"]
        .iter()
        .flat_map(|handle| {
            [
                format!("(drop (call $size (i32.const {handle})))"),
                format!("(call $drop-buffer (i32.const {handle}))"),
                format!("(call $drop-kernel (i32.const {handle}))"),
                dispatch(&format!("(i32.const {handle})"), ""),
            ]
        })
        .collect();
    bodies.extend([
        format!("{after_drop} (drop (call $size (local.get $h)))"),
        format!("{after_drop} (call $drop-buffer (local.get $h))"),
        "(drop (call $size (call $copy)))".to_owned(),
        "(drop (call $size (call $timer (i64.const 0))))".to_owned(),
        "(call $drop-buffer (call $copy))".to_owned(),
        "(call $drop-kernel (call $buffer))".to_owned(),
        dispatch("(call $buffer)", ""),
        // A binding of zeros: buffer 0.
        dispatch("(call $copy)", "(i32.const 1024) (i32.const 1)"),
        format!("(call $drop-kernel (local.tee $h (call $copy))) {}", dispatch("(local.get $h)", "")),
        "(i32.store (i32.const 1024) (call $buffer)) (call $poll (i32.const 1024) (i32.const 1) (i32.const 48))"
            .to_owned(),
    ]);
    for body in bodies {
        assert_eq!(ended(&raw(1, REALLOC, &format!("{body} i32.const 16"))), BROKEN, "{body}");
    }
}

#[test]
fn lies_about_memory() {
    for body in [
        // Text that is none, outside of memory, past its end, longer than it.
        "(call $log (i32.const 2) (i32.const 64) (i32.const 12))",
        "(call $log (i32.const 2) (i32.const 65537) (i32.const 1))",
        "(call $log (i32.const 2) (i32.const 65530) (i32.const 7))",
        "(call $log (i32.const 2) (i32.const -1) (i32.const -1))",
        "(call $log (i32.const 2) (i32.const 0) (i32.const -1))",
        // A level that is none.
        "(call $log (i32.const 5) (i32.const 0) (i32.const 1))",
        "(call $log (i32.const -1) (i32.const 0) (i32.const 1))",
        // Lists that are misaligned, past the end, or whose size overflows.
        "(call $poll (i32.const 1025) (i32.const 1) (i32.const 48))",
        "(call $poll (i32.const 65532) (i32.const 2) (i32.const 48))",
        "(call $poll (i32.const 1024) (i32.const -1) (i32.const 48))",
        "(call $poll (i32.const 1024) (i32.const 0x40000001) (i32.const 48))",
        // A place for a result that is misaligned, or past the end.
        "(call $create (i64.const 256) (i32.const 33))",
        "(call $create (i64.const 256) (i32.const 65532))",
        // Results of the job itself.
        "(return (i32.const 17))",
        "(return (i32.const 65536))",
        "(return (i32.const -4))",
        "(i32.store8 (i32.const 16) (i32.const 2))",
        "(i32.store8 (i32.const 16) (i32.const 1)) (i32.store (i32.const 24) (i32.const -1))",
        "(i32.store8 (i32.const 16) (i32.const 1)) (i32.store (i32.const 20) (i32.const 64))
            (i32.store (i32.const 24) (i32.const 12))",
    ] {
        assert_eq!(ended(&raw(1, REALLOC, &format!("{body} i32.const 16"))), BROKEN, "{body}");
    }
}

#[test]
fn an_allocator_that_lies() {
    let with_argument = |realloc: &str| ended(&raw(1, realloc, "i32.const 16").args(&["an argument"]));
    assert_eq!(with_argument(REALLOC), Status::Ok);
    for realloc in ["(i32.const -1)", "(i32.const 65533)", "(i32.const 3)", "(i32.const 65536)"] {
        assert_eq!(with_argument(realloc), BROKEN, "{realloc}");
    }
    assert_eq!(with_argument("unreachable"), Status::Trapped(Trap::Unreachable));
    assert_eq!(with_argument("(loop $l br $l) unreachable"), Status::Exceeded(Limit::Fuel));
    assert_eq!(with_argument("(drop (memory.grow (i32.const 70000))) (i32.const -1)"), BROKEN);
}

#[test]
fn more_than_a_call_may_carry() {
    let log = "(call $log (i32.const 2) (i32.const 0) (i32.const 150000000)) i32.const 16";
    assert_eq!(ended(&raw(3000, REALLOC, log).limits(|limits| limits.fuel = 1_000_000_000)), BROKEN);
    let polls = "(call $poll (i32.const 0) (i32.const 25000000) (i32.const 48)) i32.const 16";
    assert_eq!(ended(&raw(3000, REALLOC, polls).limits(|limits| limits.fuel = 1_000_000_000)), BROKEN);
}

/// A list is written once and handed over again and again: the work is the host's, and so must the price be.
#[test]
fn long_lists_are_paid_for() {
    let fill = |at: &str, bytes: u32, stride: u32, value: &str| {
        format!(
            "(local.set $h {value}) (local.set $n (i32.const 0))
            (loop $f (i32.store (i32.add (local.get $n) (i32.const {at})) (local.get $h))
                (br_if $f (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const {stride}))) (i32.const {bytes}))))"
        )
    };
    let polls = format!(
        "{} (loop $l (call $poll (i32.const 65536) (i32.const 50000) (i32.const 48)) br $l) unreachable",
        fill("65536", 200_000, 4, "(call $timer (i64.const 0))"),
    );
    let bindings = format!(
        "{} (local.set $h (call $copy)) (loop $l (call $dispatch (local.get $h) (i32.const 65536) (i32.const 50000)
            (i32.const 1) (i32.const 1) (i32.const 1) (i32.const 48)) br $l) unreachable",
        fill("65544", 2_000_000, 40, "(call $buffer)"),
    );
    let constants = "(loop $l (call $kernel (i32.const 128) (i32.const 40) (i32.const 400) (i32.const 4)
            (i32.const 65536) (i32.const 1000000) (i32.const 32)) br $l) unreachable";
    for (body, realloc) in [(polls, "(i32.const 40000000)"), (bindings, REALLOC), (constants.to_owned(), REALLOC)] {
        let began = Instant::now();
        let guest = raw(800, realloc, &body).limits(|limits| limits.fuel = 200_000_000);
        assert_eq!(ended(&guest), Status::Exceeded(Limit::Fuel), "{body}");
        assert!(began.elapsed() < Duration::from_secs(60), "{:?}: {body}", began.elapsed());
    }
}

#[test]
fn tables_are_bounded() {
    let grow = "(loop $l (br_if $l (i32.ne (table.grow (ref.null func) (i32.const 1000)) (i32.const -1))))";
    let polite = Guest::new(&job("", "(table 1 funcref)", &format!("{grow} i32.const 16")));
    assert_eq!(ended(&polite), Status::Ok, "a guest may make do with less");
    let rude = Guest::new(&job("", "(table 1 funcref)", &format!("{grow} unreachable")));
    assert_eq!(ended(&rude), Status::Exceeded(Limit::Table));
    let several = "(table 60000 funcref) (table 60000 funcref)";
    assert_eq!(ended(&Guest::new(&job("", several, "i32.const 16"))), Status::Exceeded(Limit::Table));
}

#[test]
fn memory_that_grows_past_what_it_can_be() {
    // Limits above what one memory can have: what it cannot be is refused by WebAssembly, not by this host.
    let body = "(if (i32.ne (memory.grow (i32.const 65536)) (i32.const -1)) (then unreachable))
        (if (i32.ne (memory.grow (i32.const -1)) (i32.const -1)) (then unreachable)) i32.const 16";
    let guest = Guest::new(&job("", "", body)).limits(|limits| {
        limits.memory_bytes = 1 << 40;
        // Growing costs fuel by the page, granted or not.
        limits.fuel = 1 << 41;
    });
    assert_eq!(ended(&guest), Status::Ok);
}
