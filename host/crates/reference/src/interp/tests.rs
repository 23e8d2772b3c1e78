//! What the interpreter makes of statements, orders, barriers and budgets.

use samebit_wgsl::{Admission, Source, lower, parse};

use super::*;

fn lowered(text: &str) -> Lowered {
    let kernel = parse(&Source { text, entry_point: "main", constants: &[] }).expect("the text is valid");
    lower(&kernel, text, Admission::Native).expect("it can be lowered")
}

fn words(bytes: &[u8]) -> Vec<u32> {
    bytes.as_chunks().0.iter().map(|word| u32::from_le_bytes(*word)).collect()
}

const ORDERS: [Order; 6] = [
    Order::InOrder,
    Order::Reversed,
    Order::Shuffled(1),
    Order::Shuffled(2),
    Order::Interleaved(1),
    Order::Interleaved(2),
];

/// What a kernel leaves in binding 0, an array of so many words, in whatever order.
fn output(text: &str, size_words: usize, workgroups: [u32; 3]) -> Vec<u32> {
    let lowered = lowered(text);
    let run = |order| {
        let mut buffers = [vec![0; size_words * 4]];
        let options = Options { order, ..Options::default() };
        let ended = run(&lowered, &mut buffers, workgroups, &options).expect("it is well-formed");
        assert_eq!(ended, Ended::Done, "{order:?}");
        words(&buffers[0])
    };
    let first = run(ORDERS[0]);
    for order in ORDERS {
        assert_eq!(run(order), first, "{order:?}");
    }
    first
}

#[test]
fn invocations_know_who_they_are() {
    let text = "@group(0) @binding(0) var<storage, read_write> out: array<u32>;
        @compute @workgroup_size(2, 3, 2) fn main(@builtin(global_invocation_id) g: vec3u,
            @builtin(local_invocation_id) l: vec3u, @builtin(workgroup_id) w: vec3u,
            @builtin(num_workgroups) n: vec3u, @builtin(local_invocation_index) i: u32) {
            let group = w.x + n.x * (w.y + n.y * w.z);
            out[group * 12u + i] = g.x | g.y << 4u | g.z << 8u | l.x << 12u | l.y << 16u | l.z << 20u;
        }";
    let out = output(text, 12 * 12, [3, 2, 2]);
    let mut expected = Vec::new();
    for (w, l) in (0..12).flat_map(|w| (0..12).map(move |l| (w, l))) {
        let (w, l) = ([w % 3, w / 3 % 2, w / 6], [l % 2, l / 2 % 3, l / 6]);
        let g = [w[0] * 2 + l[0], w[1] * 3 + l[1], w[2] * 2 + l[2]];
        expected.push(g[0] | g[1] << 4 | g[2] << 8 | l[0] << 12 | l[1] << 16 | l[2] << 20);
    }
    assert_eq!(out, expected);
}

#[test]
fn control_flow_goes_where_it_should() {
    let text = "@group(0) @binding(0) var<storage, read_write> out: array<u32>;
        fn f(i: u32) -> u32 {
            var sum = 0u;
            for (var j = 0u; j < 10u; j++) {
                if j == 2u { continue; }
                if j > i { break; }
                switch j { case 1u, 3u: { sum += 100u; } case 4u: { if i == 5u { return sum; } } default: { sum += j; } }
            }
            loop { sum += 1000u; continuing { sum += 10000u; break if sum > 30000u; } }
            return sum;
        }
        @compute @workgroup_size(8) fn main(@builtin(local_invocation_index) i: u32) { out[i] = f(i); }";
    let expected = |i: u32| {
        let mut sum = 0;
        for j in (0..10).filter(|j| *j != 2) {
            if j > i {
                break;
            }
            match j {
                1 | 3 => sum += 100,
                4 if i == 5 => return sum,
                4 => {}
                j => sum += j,
            }
        }
        loop {
            sum += 11_000;
            if sum > 30_000 {
                return sum;
            }
        }
    };
    assert_eq!(output(text, 8, [1, 1, 1]), (0..8).map(expected).collect::<Vec<_>>());
}

#[test]
fn barriers_keep_variables_arrays_and_the_workgroups_memory() {
    let text = "@group(0) @binding(0) var<storage, read_write> out: array<u32>;
        var<workgroup> tile: array<u32, 16>;
        @compute @workgroup_size(16) fn main(@builtin(local_invocation_index) i: u32, @builtin(workgroup_id) w: vec3u) {
            var mine: array<u32, 4>;
            for (var k = 0u; k < 4u; k++) { mine[(i + k) % 4u] = i * 10u + k; }
            var sum = i;
            for (var step = 1u; step < 16u; step *= 2u) {
                tile[i] = sum;
                workgroupBarrier();
                sum += tile[(i + step) % 16u];
                workgroupBarrier();
            }
            out[w.x * 16u + i] = sum + mine[i % 4u] + w.x;
        }";
    let expected = |n: u32| {
        let (w, i) = (n / 16, n % 16);
        // The sum of all, and `mine` where k is 0.
        120 + i * 10 + w
    };
    assert_eq!(output(text, 64, [4, 1, 1]), (0..64).map(expected).collect::<Vec<_>>());
}

#[test]
fn every_invocation_starts_at_zero() {
    let text = "@group(0) @binding(0) var<storage, read_write> out: array<u32>;
        var<private> p: array<u32, 9>;
        var<private> q: u32;
        @compute @workgroup_size(4) fn main(@builtin(global_invocation_id) g: vec3u) {
            p[g.x % 9u] += 1u;
            q += 1u;
            out[g.x] = p[g.x % 9u] + q * 10u;
        }";
    assert_eq!(output(text, 16, [4, 1, 1]), [11; 16]);
}

#[test]
fn atomics_do_what_they_say() {
    let text = "@group(0) @binding(0) var<storage, read_write> out: array<atomic<u32>>;
        @compute @workgroup_size(64) fn main(@builtin(local_invocation_index) i: u32) {
            atomicAdd(&out[0], i);
            atomicMax(&out[1], i);
            atomicOr(&out[2], 1u << (i % 32u));
            atomicXor(&out[3], i);
            atomicSub(&out[4], 1u);
            if i == 9u {
                let was = atomicCompareExchangeWeak(&out[5], 0u, 7u);
                atomicStore(&out[6], was.old_value + u32(was.exchanged));
                atomicStore(&out[7], atomicExchange(&out[5], 8u) + atomicLoad(&out[5]));
            }
        }";
    let sum = (0..64).sum::<u32>();
    assert_eq!(output(text, 8, [1, 1, 1]), [sum, 63, u32::MAX, 0, 64_u32.wrapping_neg(), 8, 1, 15]);
}

#[test]
fn a_budget_is_exact_and_counts_all_loops() {
    let text = "@group(0) @binding(0) var<storage, read_write> out: array<u32>;
        @compute @workgroup_size(4) fn main(@builtin(local_invocation_index) i: u32) {
            for (var j = 0u; j < i; j++) { for (var k = 0u; k < 2u; k++) { out[i] += 1u; } }
        }";
    let lowered = lowered(text);
    // Of the last: 4 starts of the outer body, and 3 times 3 of the inner one; the last of each only to leave.
    for (loop_iterations, is_enough) in [(12, false), (13, true)] {
        let mut buffers = [vec![0; 16]];
        let options = Options { loop_iterations, ..Options::default() };
        let ended = run(&lowered, &mut buffers, [1, 1, 1], &options).expect("it is well-formed");
        match ended {
            Ended::Done => assert!(is_enough),
            Ended::BudgetSpent(who, at) => {
                assert!(!is_enough);
                assert_eq!(who, Who { workgroup: 0, local: 3 });
                assert!(text[at.0 as usize..].starts_with("for (var j"), "{}", &text[at.0 as usize..]);
            }
            Ended::Stopped => panic!("it has no limit of steps"),
        }
    }
}

#[test]
fn nothing_runs_for_ever() {
    let text = "@group(0) @binding(0) var<storage, read_write> out: array<u32>;
        @compute @workgroup_size(1) fn main() { out[0] += 1u; }";
    let lowered = lowered(text);
    for order in ORDERS {
        let options = Options { order, steps: 1000, ..Options::default() };
        let mut buffers = [vec![0; 4]];
        let ended = run(&lowered, &mut buffers, [65_535; 3], &options);
        assert_eq!(ended, Ok(Ended::Stopped), "{order:?}");
        assert_eq!(run(&lowered, &mut buffers, [65_535, 0, 65_535], &options), Ok(Ended::Done), "{order:?}");
    }
}

#[test]
fn bindings_are_checked() {
    let text = "@group(0) @binding(0) var<storage, read_write> out: array<vec4u>;
        @compute @workgroup_size(1) fn main() { out[0].x = 1u; }";
    let lowered = lowered(text);
    let options = Options::default();
    for buffers in [vec![], vec![vec![0; 12]], vec![vec![0; 18]], vec![vec![0; 16]; 2]] {
        let error = run(&lowered, &mut buffers.clone(), [1, 1, 1], &options);
        assert!(matches!(error, Err(InterpError::Buffers { .. })), "{buffers:?}");
    }
}

#[test]
fn a_barrier_that_not_all_reach_is_an_error() {
    use samebit_wgsl::lowered::{Binary, Builtin, Op, Stmt, Type, Value};
    // Lowering does not make such a thing.
    let mut lowered = lowered("@compute @workgroup_size(2) fn main() {}");
    let first = u32::try_from(lowered.values.len()).expect("few");
    let [id, limit, condition] = [0, 1, 2].map(|n| Value(first + n));
    lowered.values.extend([Type::Int, Type::Int, Type::Bool]);
    let none: &mut [Vec<u8>] = &mut [];
    for (count, order) in (0..=2).flat_map(|count| ORDERS.map(|order| (count, order))) {
        lowered.body = vec![
            Stmt::Let(id, Op::Builtin(Builtin::LocalIndex)),
            Stmt::Let(limit, Op::Constant(count)),
            Stmt::Let(condition, Op::Binary(Binary::LessUnsigned, id, limit)),
            Stmt::If { condition, accept: vec![Stmt::Barrier(At(7))], reject: Vec::new() },
        ];
        let options = Options { order, ..Options::default() };
        let ended = run(&lowered, none, [1, 1, 1], &options);
        if count == 1 {
            let [waits, other] = [0, 1].map(|local| Who { workgroup: 0, local });
            assert_eq!(ended, Err(InterpError::Divergence { waits, barrier: At(7), other }));
        } else {
            assert_eq!(ended, Ok(Ended::Done));
        }
    }
}

#[test]
fn what_lowering_never_makes_is_an_error_and_no_panic() {
    use samebit_wgsl::lowered::{Array, Label, Memory, Op, Place, Stmt, Type, Unary, Value, Variable};
    let place = |memory, constant| Place { memory, constant, terms: Vec::new(), at: At::UNKNOWN };
    let load =
        |memory, constant| Stmt::Load { first: Value(0), count: 4, place: place(memory, constant), is_uniform: false };
    let bodies = [
        Stmt::Let(Value(0), Op::Unary(Unary::Not, Value(1))),
        Stmt::Let(Value(0), Op::Unary(Unary::Not, Value(0))),
        Stmt::Let(Value(9), Op::Constant(0)),
        Stmt::Get(Value(0), Variable(0)),
        Stmt::Leave(Label(3)),
        load(Memory::Buffer(0), 0),
        load(Memory::Workgroup, u32::MAX),
        load(Memory::Array(Array(0)), 0),
        Stmt::Store { place: place(Memory::Workgroup, 0), values: vec![Value(1); 4] },
    ];
    let none: &mut [Vec<u8>] = &mut [];
    for statement in bodies {
        let mut lowered = lowered("@compute @workgroup_size(2) fn main() {}");
        lowered.preamble.clear();
        lowered.values = vec![Type::Int; 4];
        lowered.body = vec![statement];
        let ended = run(&lowered, none, [1, 1, 1], &Options::default());
        assert!(matches!(ended, Err(InterpError::Malformed(_))), "{ended:?}\n{:?}", lowered.body);
    }
}
