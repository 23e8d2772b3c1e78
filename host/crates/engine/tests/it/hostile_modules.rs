//! Modules that are made to break the compiler: each is refused or compiled, in bounded time, and nothing panics.

use std::time::{Duration, Instant};

use samebit_engine::CompileError;
use samebit_engine::spec::{Limit, Status};

use crate::support::{ENGINE, Guest, job};

/// What any module here may take. They take a fraction of it; the rest is for slow machines.
const PATIENCE: Duration = Duration::from_secs(60);

/// A number as WebAssembly writes it.
fn leb(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = (number & 0x7f) as u8;
        number >>= 7;
        bytes.push(if number > 0 { low | 0x80 } else { low });
        if number == 0 {
            return bytes;
        }
    }
}

fn section(id: u8, content: &[u8]) -> Vec<u8> {
    [&[id], leb(content.len()).as_slice(), content].concat()
}

fn vector(items: &[Vec<u8>]) -> Vec<u8> {
    [leb(items.len()), items.concat()].concat()
}

/// A core module of functions without parameters, each given by its locals and code.
fn module(bodies: &[Vec<u8>]) -> Vec<u8> {
    let bodies: Vec<Vec<u8>> = bodies.iter().map(|body| [leb(body.len()).as_slice(), body].concat()).collect();
    [
        b"\0asm\x01\0\0\0".to_vec(),
        section(1, &[1, 0x60, 0, 0]),
        section(3, &vector(&vec![vec![0]; bodies.len()])),
        section(10, &vector(&bodies)),
    ]
    .concat()
}

/// A component around a core module (section 1) or a component (section 4).
fn component(id: u8, content: &[u8]) -> Vec<u8> {
    [b"\0asm\x0d\0\x01\0".to_vec(), section(id, content)].concat()
}

/// Code without locals.
fn code(parts: &[&[u8]]) -> Vec<u8> {
    [&[0], parts.concat().as_slice(), &[0x0b]].concat()
}

/// Compiles what exports nothing, so that it is refused at the latest when its entry is looked for. Gives why.
fn refused(what: &str, bytes: &[u8]) -> CompileError {
    let began = Instant::now();
    let error = ENGINE.compile(bytes).map(drop).expect_err("there is no entry");
    let took = began.elapsed();
    assert!(took < PATIENCE, "{what} kept the compiler busy for {took:?}");
    error
}

#[test]
fn many_functions() {
    refused("functions", &component(1, &module(&vec![code(&[]); 10_000])));
    let error = refused("too many functions", &component(1, &module(&vec![code(&[]); 100_001])));
    assert!(error.to_string().contains("functions"), "{error}");
}

#[test]
fn many_locals() {
    // One group of 50,000 locals of four bytes each, in six bytes of module.
    let locals = [vec![1], leb(50_000), vec![0x7f, 0x0b]].concat();
    refused("locals", &component(1, &module(&vec![locals.clone(); 40])));
    let error = refused("many times many locals", &component(1, &module(&vec![locals; 2_000])));
    assert!(error.to_string().contains("local variables"), "{error}");
    let too_many = [vec![1], leb(50_001), vec![0x7f, 0x0b]].concat();
    let error = refused("too many locals", &component(1, &module(&[too_many])));
    assert!(matches!(error, CompileError::Invalid(_)));
}

#[test]
fn deep_and_long_code() {
    let (block, end) = ([0x02, 0x40], [0x0b]);
    let deep = |depth: usize| code(&[&block.repeat(depth), &end.repeat(depth)]);
    refused("blocks", &component(1, &module(&[deep(9_000)])));
    let error = refused("too many blocks", &component(1, &module(&[deep(300_000)])));
    assert!(error.to_string().contains("nest too deep"), "{error}");
    let error = refused("many times many blocks", &component(1, &module(&vec![deep(9_000); 2])));
    assert!(error.to_string().contains("nest too deep"), "{error}");
    let error = refused("a long function", &component(1, &module(&[deep(500_000)])));
    assert!(error.to_string().contains("a function has more than"), "{error}");
    let loops = code(&[&[0x03, 0x40].repeat(2_000), &end.repeat(2_000)]);
    refused("loops", &component(1, &module(&vec![loops; 50])));
    let long = code(&[&[0x41, 1, 0x1a].repeat(300_000)]);
    refused("constants", &component(1, &module(&[long])));
    let wide = code(&[&[0x41, 1].repeat(200_000), &[0x6a].repeat(199_999), &[0x1a]]);
    refused("a sum", &component(1, &module(&[wide])));
    let targets = code(&[&block, &[0x41, 0, 0x0e], &leb(1_000_000), &vec![0; 1_000_001], &end]);
    refused("br_table", &component(1, &module(&[targets])));
    let calls = code(&[&[0x10, 0].repeat(200_000)]);
    refused("calls", &component(1, &module(&[calls])));
}

#[test]
fn many_memories_and_tables() {
    let memories = |count: usize| [b"\0asm\x01\0\0\0".to_vec(), section(5, &vector(&vec![vec![0, 1]; count]))].concat();
    for count in [5, 100, 1_000] {
        refused("memories", &component(1, &memories(count)));
    }
    let tables =
        |count: usize| [b"\0asm\x01\0\0\0".to_vec(), section(4, &vector(&vec![vec![0x70, 0, 1]; count]))].concat();
    for count in [17, 100, 1_000] {
        refused("tables", &component(1, &tables(count)));
    }
}

#[test]
fn nested_components() {
    let mut nested = component(1, &module(&[]));
    for depth in 1..=2_000 {
        nested = component(4, &nested);
        if [10, 100, 2_000].contains(&depth) {
            refused("nesting", &nested);
        }
    }
    let many = [b"\0asm\x0d\0\x01\0".to_vec(), section(4, &component(1, &module(&[]))).repeat(2_000)].concat();
    refused("components", &many);
}

#[test]
fn large_data() {
    let with = |segments: &[Vec<u8>]| {
        [b"\0asm\x01\0\0\0".to_vec(), section(5, &[1, 0, 0]), section(11, &vector(segments))].concat()
    };
    // Passive segments: their length and their bytes.
    refused("data", &component(1, &with(&[[vec![1], leb(32 << 20), vec![7; 32 << 20]].concat()])));
    refused("segments", &component(1, &with(&vec![vec![1, 0]; 100_000])));
    let error = refused("too large", &component(1, &vec![0; 65 << 20]));
    assert!(matches!(error, CompileError::TooLarge { .. }));
}

#[test]
fn what_is_declared_is_limited_like_what_grows() {
    let memory = |pages: u32| Guest::new(&job("", &format!("(memory {pages})"), "i32.const 16")).run();
    assert_eq!(memory(65_536).expect("an outcome").status, Status::Exceeded(Limit::Memory));
    let table = |elements: u32| Guest::new(&job("", &format!("(table {elements} funcref)"), "i32.const 16"));
    assert_eq!(table(100_001).run().expect("an outcome").status, Status::Exceeded(Limit::Table));
    let over_any = job("", "(table 3000000 funcref)", "i32.const 16");
    let error = ENGINE.compile(&wat::parse_bytes(&over_any).expect("valid text")).map(drop).expect_err("refused");
    assert!(matches!(error, CompileError::Invalid(_)), "{error}");
}

/// Damages a module at every place in every way that one bit allows.
#[test]
fn damaged_modules() {
    let bytes = wat::parse_bytes(&job("", "(table 1 funcref)", "i32.const 16")).expect("valid text").into_owned();
    let mut usable = (0..bytes.len()).filter(|end| ENGINE.compile(&bytes[..*end]).is_ok()).count();
    // Names, at the end, may be missing.
    assert!(usable < 3, "{usable} pieces of a module are modules");
    for place in 8..bytes.len() {
        for bit in 0..8 {
            let mut damaged = bytes.clone();
            damaged[place] ^= 1 << bit;
            usable += usize::from(ENGINE.compile(&damaged).is_ok());
        }
    }
    assert!(usable < bytes.len() * 4, "{usable} damaged modules are modules all the same");
}

#[test]
fn core_modules_that_the_adapter_cannot_take() {
    let started = r#"(module (memory (export "memory") 1) (func (export "_start")) "#;
    for (what, text) in [
        ("an unknown import", r#"(import "env" "system" (func (param i32) (result i32)))"#),
        ("an unknown function", r#"(import "wasi_snapshot_preview1" "exec" (func))"#),
        ("a wrong type", r#"(import "wasi_snapshot_preview1" "fd_write" (func))"#),
    ] {
        let text = started.replace("(module ", &format!("(module {text} ")) + ")";
        let error = refused(what, &wat::parse_str(&text).expect("valid text"));
        assert!(matches!(error, CompileError::NotACommand(_) | CompileError::Invalid(_)), "{what}: {error}");
    }
    for count in [0, 10_000] {
        refused("no start", &module(&vec![code(&[]); count]));
    }
}
