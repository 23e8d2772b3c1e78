//! The analyses over kernels built by hand.

use super::check;
use crate::lowered::{
    At, AtomicOp, Binary, Block, Builtin, Case, Label, Lowered, Memory, Op, Place, Stmt, Term, Type, Value, Variable,
};
use crate::{Admission, BindingDecl, BindingKind, Interface, RefusalReason};

/// Values of every test: constants 0 and 1, a uniform and a differing condition, and an index of the invocation.
const ZERO: Value = Value(0);
const ONE: Value = Value(1);
const SAME: Value = Value(2);
const DIFFERS: Value = Value(3);
const INDEX: Value = Value(4);
/// The first value that a test may define.
const FREE: u32 = 5;

const BARRIER: Stmt = Stmt::Barrier(At(7));
const X: Variable = Variable(0);
const Y: Variable = Variable(1);

/// A kernel of four variables and one writable and one read-only buffer.
fn kernel(body: Block) -> Lowered {
    let decl = |binding, kind| BindingDecl { group: 0, binding, kind, size_min_bytes: 4 };
    let mut start = vec![
        Stmt::Let(INDEX, Op::Builtin(Builtin::LocalIndex)),
        Stmt::Let(DIFFERS, Op::Binary(Binary::Equal, INDEX, ZERO)),
    ];
    start.extend(body);
    Lowered {
        interface: Interface {
            bindings: vec![
                decl(0, BindingKind::Storage { writable: true }),
                decl(1, BindingKind::Storage { writable: false }),
            ],
            workgroup_size: [64, 1, 1],
            workgroup_memory_bytes: 1024,
        },
        workgroup_bytes: 1024,
        variables: vec![Type::Bool; 4],
        arrays: vec![64],
        values: vec![Type::Int; 64],
        preamble: vec![(ZERO, Op::Constant(0)), (ONE, Op::Constant(1)), (SAME, Op::Binary(Binary::Equal, ZERO, ONE))],
        body: start,
    }
}

fn when(condition: Value, accept: Block) -> Stmt {
    Stmt::If { condition, accept, reject: Vec::new() }
}

fn scope(label: u32, body: Block) -> Stmt {
    Stmt::Scope { label: Label(label), body }
}

fn repeat(label: u32, body: Block, break_if: Option<Value>) -> Stmt {
    Stmt::Loop { label: Label(label), body, continuing: Vec::new(), break_if, at: At::UNKNOWN }
}

fn leave(label: u32) -> Stmt {
    Stmt::Leave(Label(label))
}

fn place(memory: Memory, constant: u32, terms: &[(Value, u32)]) -> Place {
    let terms = terms.iter().map(|(index, stride)| Term { index: *index, stride: *stride }).collect();
    Place { memory, constant, terms, at: At(3) }
}

/// Reads one word into a value.
fn load(first: u32, place: Place) -> Stmt {
    Stmt::Load { first: Value(first), count: 1, place, is_uniform: false }
}

fn atomic(op: AtomicOp, place: Place) -> Stmt {
    let operand = (op != AtomicOp::Load).then_some(ONE);
    Stmt::Atomic { result: (op == AtomicOp::Load).then_some(Value(60)), op, place, operand }
}

/// What is refused of a body, if anything: the message.
fn refused(body: Block, admission: Admission) -> Option<String> {
    check(&kernel(body), "let a = b; {}\n", admission).err().map(|refusal| {
        let reason = match admission {
            Admission::Native => RefusalReason::Invalid,
            Admission::Exact => RefusalReason::Unsupported,
        };
        assert_eq!(refusal.reason, reason, "{refusal}");
        refusal.message
    })
}

#[track_caller]
fn meets(body: Block) {
    assert_eq!(refused(body, Admission::Native), None);
}

#[track_caller]
fn splits(body: Block) {
    assert!(refused(body, Admission::Native).is_some());
}

#[test]
fn a_barrier_meets_where_all_invocations_come() {
    meets(vec![BARRIER]);
    meets(vec![when(SAME, vec![BARRIER]), BARRIER]);
    meets(vec![when(DIFFERS, vec![Stmt::Set(X, ONE)]), BARRIER]);
    meets(vec![repeat(0, vec![BARRIER], Some(SAME)), BARRIER]);
    meets(vec![repeat(0, vec![], Some(DIFFERS)), BARRIER]);
    splits(vec![when(DIFFERS, vec![BARRIER])]);
    splits(vec![Stmt::If { condition: DIFFERS, accept: vec![], reject: vec![when(SAME, vec![BARRIER])] }]);
    splits(vec![repeat(0, vec![BARRIER], Some(DIFFERS))]);
    splits(vec![repeat(0, vec![when(DIFFERS, vec![leave(0)]), BARRIER], None)]);
    // The first iteration is met by all, the second not.
    splits(vec![repeat(0, vec![BARRIER, when(DIFFERS, vec![leave(0)])], None)]);
}

#[test]
fn what_is_left_early_comes_together_behind_the_label() {
    let early = |label| when(DIFFERS, vec![leave(label)]);
    meets(vec![scope(0, vec![BARRIER, early(0)])]);
    meets(vec![scope(0, vec![early(0), Stmt::Set(X, ONE)]), BARRIER]);
    meets(vec![scope(1, vec![scope(0, vec![early(0)]), BARRIER])]);
    meets(vec![scope(0, vec![when(SAME, vec![leave(0)]), BARRIER])]);
    splits(vec![scope(0, vec![early(0), BARRIER])]);
    splits(vec![scope(1, vec![scope(0, vec![early(1)]), BARRIER])]);
    splits(vec![scope(1, vec![repeat(0, vec![early(1)], Some(SAME)), BARRIER])]);
    splits(vec![scope(1, vec![repeat(0, vec![when(SAME, vec![BARRIER]), early(1)], Some(SAME))])]);
}

#[test]
fn continuing_is_reached_by_those_who_skipped_the_body() {
    let body = vec![when(DIFFERS, vec![Stmt::Continue(Label(0))]), Stmt::Set(X, ONE)];
    let with =
        |body, continuing| Stmt::Loop { label: Label(0), body, continuing, break_if: Some(SAME), at: At::UNKNOWN };
    meets(vec![with(body.clone(), vec![BARRIER]), BARRIER]);
    splits(vec![with([body, vec![BARRIER]].concat(), vec![])]);
}

#[test]
fn a_case_differs_with_its_selector() {
    let switch = |selector, body| Stmt::Switch {
        label: Label(0),
        selector,
        cases: vec![Case { values: vec![1], body }],
        default: vec![],
    };
    meets(vec![switch(ONE, vec![BARRIER]), BARRIER]);
    meets(vec![switch(INDEX, vec![leave(0)]), BARRIER]);
    splits(vec![switch(INDEX, vec![BARRIER])]);
    splits(vec![switch(ONE, vec![when(DIFFERS, vec![leave(0)]), BARRIER])]);
}

/// Reads a variable, and has a barrier under it.
fn under(variable: Variable) -> Block {
    vec![Stmt::Get(Value(FREE), variable), when(Value(FREE), vec![BARRIER])]
}

#[test]
fn a_variable_is_what_was_assigned_last() {
    let set = |variable, value| Stmt::Set(variable, value);
    let then = |mut body: Block, variable| {
        body.extend(under(variable));
        body
    };
    meets(then(vec![set(X, DIFFERS), set(X, SAME)], X));
    meets(then(vec![set(X, DIFFERS), set(Y, SAME)], Y));
    splits(then(vec![set(X, SAME), set(X, DIFFERS)], X));
    splits(then(vec![when(DIFFERS, vec![set(X, SAME)])], X));
    splits(then(vec![when(SAME, vec![set(X, DIFFERS)])], X));
    meets(then(vec![when(SAME, vec![set(X, SAME)])], X));
    // Both ways assign anew.
    let both = Stmt::If { condition: SAME, accept: vec![set(X, SAME)], reject: vec![set(X, ONE)] };
    meets(then(vec![set(X, DIFFERS), both], X));
    // The way that differs does not come back.
    meets(vec![scope(0, vec![when(SAME, vec![set(X, DIFFERS), leave(0)]), under(X)[0].clone(), under(X)[1].clone()])]);
    splits(then(vec![scope(0, vec![set(X, SAME), when(DIFFERS, vec![leave(0)]), set(X, ONE)])], X));
    meets(then(vec![scope(0, vec![set(X, SAME), when(DIFFERS, vec![leave(0)]), set(Y, ONE)])], X));
}

#[test]
fn a_variable_of_a_loop_differs_once_iterations_do() {
    let set = |variable, value| Stmt::Set(variable, value);
    let counted = |condition| {
        let add = Stmt::Let(Value(10), Op::Binary(Binary::Add, Value(9), ONE));
        repeat(0, vec![Stmt::Get(Value(9), X), add, set(X, Value(10)), when(condition, vec![leave(0)])], None)
    };
    meets([vec![counted(SAME)], under(X)].concat());
    splits([vec![counted(DIFFERS)], under(X)].concat());
    meets([vec![counted(DIFFERS)], under(Y)].concat());
    // It differs from the second iteration on.
    splits(vec![repeat(0, [under(X), vec![set(X, DIFFERS)]].concat(), Some(SAME))]);
    meets(vec![repeat(0, [vec![set(X, SAME)], under(X), vec![set(X, DIFFERS)]].concat(), Some(SAME))]);
    // Assigned before the loop is left for good, though it left after different iterations.
    splits([vec![repeat(0, vec![set(X, ONE), when(DIFFERS, vec![leave(0)]), set(X, ZERO)], None)], under(X)].concat());
}

#[test]
fn memory_is_the_same_if_nobody_writes_it() {
    let read = |memory, index| {
        let value = place(memory, 0, &[(index, 4)]);
        vec![load(FREE, value), when(Value(FREE), vec![BARRIER])]
    };
    meets(read(Memory::Buffer(1), ONE));
    splits(read(Memory::Buffer(1), INDEX));
    splits(read(Memory::Buffer(0), ONE));
    splits(read(Memory::Workgroup, ONE));
    let message = refused(read(Memory::Workgroup, ONE), Admission::Native).unwrap_or_default();
    assert!(message.contains("1:8") && message.contains("on what is read at 1:4"), "{message}");
    let shared =
        Stmt::Load { first: Value(FREE), count: 1, place: place(Memory::Workgroup, 0, &[(ONE, 4)]), is_uniform: true };
    meets(vec![shared, when(Value(FREE), vec![BARRIER])]);
    let array = Memory::Array(crate::lowered::Array(0));
    let store = |value, index| Stmt::Store { place: place(array, 0, &[(index, 4)]), values: vec![value] };
    meets([vec![store(SAME, ONE)], read(array, ONE)].concat());
    splits([vec![store(SAME, ONE)], read(array, INDEX)].concat());
    splits([vec![store(DIFFERS, ONE)], read(array, ONE)].concat());
    splits([vec![store(SAME, INDEX)], read(array, ONE)].concat());
    splits([vec![when(DIFFERS, vec![store(SAME, ONE)])], read(array, ONE)].concat());
}

#[track_caller]
fn has_order(body: Block) {
    assert!(refused(body, Admission::Exact).is_some());
}

#[track_caller]
fn has_none(body: Block) {
    assert_eq!(refused(body, Admission::Exact), None);
}

const SHARED: Memory = Memory::Workgroup;
const BUFFER: Memory = Memory::Buffer(0);

#[test]
fn results_and_exchanges_show_the_order() {
    let word = || place(BUFFER, 0, &[]);
    let with_result = |op| Stmt::Atomic { result: Some(Value(20)), op, place: word(), operand: Some(ONE) };
    has_none(vec![with_result(AtomicOp::Add)]);
    has_order(vec![with_result(AtomicOp::Add), Stmt::Set(X, Value(20))]);
    has_order(vec![atomic(AtomicOp::Exchange, word())]);
    has_order(vec![with_result(AtomicOp::CompareExchange(ONE))]);
    assert_eq!(refused(vec![with_result(AtomicOp::Add), Stmt::Set(X, Value(20))], Admission::Native), None);
    has_none(vec![atomic(AtomicOp::Load, word()), Stmt::Set(X, Value(60))]);
}

#[test]
fn kinds_do_not_mix_on_one_word() {
    let word = |at| place(BUFFER, at, &[]);
    has_none(vec![atomic(AtomicOp::Add, word(0)), atomic(AtomicOp::Subtract, word(0))]);
    has_none(vec![atomic(AtomicOp::Add, word(0)), atomic(AtomicOp::MaxSigned, word(4))]);
    has_order(vec![atomic(AtomicOp::Add, word(0)), atomic(AtomicOp::MaxSigned, word(0))]);
    has_order(vec![atomic(AtomicOp::Store, word(0)), atomic(AtomicOp::Or, word(0))]);
    has_none(vec![atomic(AtomicOp::Store, word(0)), atomic(AtomicOp::Store, word(0))]);
    // A barrier does not help between workgroups.
    has_order(vec![atomic(AtomicOp::Add, word(0)), BARRIER, atomic(AtomicOp::Load, word(0))]);
}

#[test]
fn words_are_told_apart_by_stride_and_range() {
    let of = |constant, terms: &[(Value, u32)]| place(SHARED, constant, terms);
    // Members of an array of structures.
    has_none(vec![atomic(AtomicOp::Add, of(0, &[(INDEX, 8)])), atomic(AtomicOp::Or, of(4, &[(INDEX, 8)]))]);
    has_order(vec![atomic(AtomicOp::Add, of(0, &[(INDEX, 8)])), atomic(AtomicOp::Or, of(8, &[(INDEX, 8)]))]);
    has_order(vec![atomic(AtomicOp::Add, of(0, &[(INDEX, 8)])), atomic(AtomicOp::Or, of(4, &[(INDEX, 4)]))]);
    // The index is below 64, so what follows 256 bytes later is apart.
    has_none(vec![atomic(AtomicOp::Add, of(0, &[(INDEX, 4)])), atomic(AtomicOp::Or, of(256, &[]))]);
    has_order(vec![atomic(AtomicOp::Add, of(0, &[(INDEX, 4)])), atomic(AtomicOp::Or, of(252, &[]))]);
    // An unknown index may be anything, a clamped one not.
    let unknown = load(30, place(Memory::Buffer(1), 0, &[]));
    let clamp = Stmt::Let(Value(31), Op::Clamp { index: Value(30), last: ONE, at: At::UNKNOWN });
    let both = |index| [atomic(AtomicOp::Add, of(0, &[(index, 4)])), atomic(AtomicOp::Or, of(8, &[]))];
    has_order([vec![unknown.clone()], both(Value(30)).to_vec()].concat());
    has_none([vec![unknown, clamp], both(Value(31)).to_vec()].concat());
}

#[test]
fn a_barrier_divides_what_is_done_to_workgroup_memory() {
    let word = || place(SHARED, 0, &[]);
    let (add, read) = (atomic(AtomicOp::Add, word()), atomic(AtomicOp::Load, word()));
    has_none(vec![add.clone(), BARRIER, read.clone()]);
    has_order(vec![add.clone(), read.clone()]);
    has_order(vec![Stmt::If { condition: DIFFERS, accept: vec![add.clone()], reject: vec![read.clone()] }]);
    has_none(vec![add.clone(), scope(0, vec![BARRIER]), read.clone()]);
    // Without the barrier on one way.
    has_order(vec![add.clone(), when(SAME, vec![BARRIER]), read.clone()]);
    has_order(vec![add.clone(), scope(0, vec![when(SAME, vec![leave(0)]), BARRIER]), read.clone()]);
    // Around the loop, the load meets the next iteration's addition.
    has_order(vec![repeat(0, vec![add.clone(), BARRIER, read.clone()], Some(SAME))]);
    has_none(vec![repeat(0, vec![add.clone(), BARRIER, read.clone(), BARRIER], Some(SAME))]);
    has_none(vec![repeat(0, vec![BARRIER, add.clone(), BARRIER, read.clone()], Some(SAME))]);
    has_order(vec![repeat(0, vec![add, BARRIER], Some(SAME)), read]);
}

/// Nested and long kernels end soon, in an answer or in a refusal of their size.
#[test]
fn hostile_kernels_end() {
    let start = std::time::Instant::now();
    let mut nested = vec![BARRIER];
    for label in 0..300 {
        nested = vec![Stmt::Get(Value(9), X), Stmt::Set(X, Value(9)), repeat(label, nested, Some(SAME))];
    }
    meets(nested);
    let many = 20_000;
    let mut body = Vec::new();
    let mut big = kernel(Vec::new());
    for i in 0..many {
        body.push(Stmt::Set(Variable(i), ONE));
        body.push(when(SAME, vec![leave(0)]));
    }
    big.variables = vec![Type::Bool; many as usize];
    big.body = vec![Stmt::Let(INDEX, Op::Builtin(Builtin::LocalIndex)), scope(0, body), BARRIER];
    let refusal = check(&big, "", Admission::Exact).expect_err("too much to analyze");
    assert_eq!(refusal.reason, RefusalReason::TooLarge);
    let regions: Block = (0..many)
        .flat_map(|i| {
            [atomic(AtomicOp::Add, place(SHARED, 4 * i, &[])), atomic(AtomicOp::Load, place(SHARED, 4 * i, &[]))]
        })
        .collect();
    has_order(regions);
    assert!(start.elapsed() < std::time::Duration::from_secs(60), "{:?}", start.elapsed());
}
