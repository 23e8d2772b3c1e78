//! Small guests in WebAssembly text: how a job ends, what it costs, what is refused before it runs.

use samebit_engine::spec::{Limit, Status, Trap};
use samebit_engine::{CacheUse, CompileError, ModuleKind};

use crate::support::{ENGINE, Guest, job};

#[test]
fn a_job_that_does_nothing_succeeds() {
    let ran = Guest::new(&job("", "", "i32.const 16")).run().expect("an outcome");
    assert_eq!(ran.status, Status::Ok);
    assert!(ran.outputs.is_empty() && ran.log.is_empty() && ran.gpu.is_none());
    assert!(ran.fuel > 0 && ran.fuel < 100, "{}", ran.fuel);
    assert_eq!(ran.memory_peak_bytes, 65_536);
}

#[test]
fn a_job_that_fails_says_why() {
    let ran = Guest::new(&job("", "", "i32.const 32")).run().expect("an outcome");
    assert_eq!(ran.status, Status::Failed("it failed".to_owned()));
}

#[test]
fn every_way_to_stop_is_its_own_outcome() {
    let cases: [(&str, &str, Status); 11] = [
        ("", "unreachable", Status::Trapped(Trap::Unreachable)),
        ("", "(i32.load (i32.const 65536))", Status::Trapped(Trap::MemoryOutOfBounds)),
        ("", "(i32.div_s (i32.const 1) (i32.const 0))", Status::Trapped(Trap::IntegerDivisionByZero)),
        ("", "(i32.div_s (i32.const 0x80000000) (i32.const -1))", Status::Trapped(Trap::IntegerOverflow)),
        ("", "(i32.trunc_f32_s (f32.const nan))", Status::Trapped(Trap::BadConversionToInteger)),
        ("(table 1 funcref)", "(call_indirect (result i32) (i32.const 0))", Status::Trapped(Trap::IndirectCallToNull)),
        ("(table 1 funcref)", "(call_indirect (result i32) (i32.const 9))", Status::Trapped(Trap::TableOutOfBounds)),
        (
            "(table funcref (elem $f)) (func $f)",
            "(call_indirect (result i32) (i32.const 0))",
            Status::Trapped(Trap::BadSignature),
        ),
        ("(func $f (result i32) call $f)", "call $f", Status::Trapped(Trap::StackOverflow)),
        ("", "(loop $l br $l) unreachable", Status::Exceeded(Limit::Fuel)),
        ("", "i32.const 99", Status::Trapped(Trap::BrokenContract)),
    ];
    for (items, body, expected) in cases {
        let guest = Guest::new(&job("", items, body)).limits(|limits| limits.fuel = 1_000_000);
        let (one, two) = (guest.run().expect("an outcome"), guest.run().expect("an outcome"));
        assert_eq!(one.status, expected, "{body}");
        assert_eq!((one.fuel, &one.log), (two.fuel, &two.log), "{body}");
        match one.status {
            Status::Exceeded(Limit::Fuel) => assert_eq!(one.fuel, 1_000_000),
            Status::Trapped(Trap::StackOverflow) => assert_eq!(one.fuel, 0),
            _ => assert!(one.fuel < 1_000),
        }
    }
}

#[test]
fn memory_that_is_refused_is_named_when_the_guest_gives_up() {
    let grow = "(if (i32.eq (memory.grow (i32.const 100)) (i32.const -1)) (then unreachable)) i32.const 16";
    let guest = Guest::new(&job("", "", grow));
    assert_eq!(guest.run().expect("an outcome").status, Status::Ok);
    let tight = guest.limits(|limits| limits.memory_bytes = 1 << 20);
    assert_eq!(tight.run().expect("an outcome").status, Status::Exceeded(Limit::Memory));
    let content = "(drop (memory.grow (i32.const 100))) i32.const 16";
    let content = Guest::new(&job("", "", content)).limits(|limits| limits.memory_bytes = 1 << 20);
    assert_eq!(content.run().expect("an outcome").status, Status::Ok, "a guest may make do with less");
}

#[test]
fn instances_over_the_limit_are_an_outcome() {
    let guest = Guest::new(&job("", "", "i32.const 16")).limits(|limits| limits.instances = 0);
    assert_eq!(guest.run().expect("an outcome").status, Status::Exceeded(Limit::Instances));
}

#[test]
fn a_start_that_needs_more_than_the_limits_is_an_outcome() {
    let guest = Guest::new(&job("", "", "i32.const 16")).limits(|limits| limits.memory_bytes = 65_535);
    assert_eq!(guest.run().expect("an outcome").status, Status::Exceeded(Limit::Memory));
    let guest = Guest::new(&job("", "(table 10 funcref)", "i32.const 16")).limits(|limits| limits.table_elements = 9);
    assert_eq!(guest.run().expect("an outcome").status, Status::Exceeded(Limit::Table));
}

#[test]
fn what_is_no_module_is_refused() {
    let refused = |bytes: &[u8]| ENGINE.compile(bytes).map(|_| ()).expect_err("refused");
    assert!(matches!(refused(b""), CompileError::NotWasm));
    assert!(matches!(refused(b"\x7fELF"), CompileError::NotWasm));
    assert!(matches!(refused(b"\0asm\x0d\0\x01\0\xff\xff"), CompileError::Invalid(_)));
    let text = |text: &str| wat::parse_str(text).expect("valid text");
    assert!(matches!(refused(&text("(component)")), CompileError::NotAJob));
    assert!(matches!(refused(&text("(module)")), CompileError::NotACommand(_)));
    let import = text(r#"(component (import "wasi:http/types@0.2.0" (instance (export "f" (func)))))"#);
    assert!(matches!(refused(&import), CompileError::Import(_) | CompileError::NotAJob));
    let threads = job("", r#"(memory $shared 1 1 shared)"#, "i32.const 16");
    assert!(matches!(refused(&wat::parse_bytes(&threads).expect("valid text")), CompileError::Invalid(_)));
}

#[test]
fn a_run_without_the_right_signature_is_no_job() {
    let wrong = r#"(component (core module $m (func (export "run"))) (core instance $i (instantiate $m))
        (func (export "run") (canon lift (core func $i "run"))))"#;
    let error = ENGINE.compile(&wat::parse_str(wrong).expect("valid text")).map(|_| ()).expect_err("refused");
    assert!(matches!(error, CompileError::NotAJob), "{error}");
}

#[test]
fn a_preview_1_module_is_adapted() {
    let module = r#"(module
        (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (memory (export "memory") 1)
        (data (i32.const 8) "hello\n")
        (func (export "_start")
            (i32.store (i32.const 0) (i32.const 8)) (i32.store (i32.const 4) (i32.const 6))
            (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 20)))
            (call $exit (i32.const 1))))"#;
    let guest = Guest::new(module.as_bytes());
    assert_eq!(guest.module.kind(), ModuleKind::CommandPreview1);
    let ran = guest.run().expect("an outcome");
    assert_eq!(ran.status, Status::Exited(1));
    let stdout = &ran.outputs[&"stdout".parse().expect("a name")];
    let mut text = String::new();
    std::io::Read::read_to_string(&mut stdout.reader().expect("readable"), &mut text).expect("text");
    assert_eq!(text, "hello\n");
}

#[test]
fn a_module_is_compiled_once_and_a_damaged_entry_again() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let compile = |key: [u8; 32]| {
        let cache = samebit_engine::Cache::new(dir.path().to_owned(), key);
        let engine = samebit_engine::Engine::new(Some(cache)).expect("an engine");
        let bytes = wat::parse_bytes(&job("", "", "i32.const 16")).expect("valid text").into_owned();
        engine.compile(&bytes).expect("a module").cache_use()
    };
    assert_eq!(compile([1; 32]), CacheUse::Compiled);
    assert_eq!(compile([1; 32]), CacheUse::Hit);
    assert_eq!(compile([2; 32]), CacheUse::Compiled, "an entry under another key is foreign");
    assert_eq!(compile([2; 32]), CacheUse::Hit);
    let entry = std::fs::read_dir(dir.path()).expect("a folder").next().expect("an entry").expect("an entry").path();
    let content = std::fs::read(&entry).expect("readable");
    for damage in [
        content[..content.len() / 2].to_vec(),
        Vec::new(),
        flipped(&content, 100),
        flipped(&content, content.len() - 1),
    ] {
        std::fs::write(&entry, &damage).expect("writable");
        assert_eq!(compile([2; 32]), CacheUse::Compiled);
        assert_eq!(compile([2; 32]), CacheUse::Hit);
    }
}

fn flipped(bytes: &[u8], at: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[at] ^= 1;
    bytes
}
