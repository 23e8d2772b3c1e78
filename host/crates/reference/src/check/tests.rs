//! Kernels with one fault each, and what is found in them; and kernels without any.

mod clean;

use std::sync::Arc;

use samebit_wgsl::{Admission, Source as Text, lower, parse};

use super::*;

/// Checks the kernel `main` over buffers of zeros.
fn check_with(text: &str, sizes: &[usize], workgroups: [u32; 3], options: &Options) -> KernelReport {
    let kernel = parse(&Text { text, entry_point: "main", constants: &[] }).expect("the text is valid");
    let lowered = lower(&kernel, text, Admission::Native).expect("it can be lowered");
    let mut checker =
        Checker::new(Arc::new(lowered), Origin::new("test.wgsl", &kernel, text)).expect("it is well-formed");
    let mut buffers: Vec<Vec<u8>> = sizes.iter().map(|size| vec![0; *size]).collect();
    checker.dispatch(&mut buffers, workgroups, options, &|_| true).expect("the buffers fit");
    checker.report()
}

fn check(text: &str, sizes: &[usize], workgroups: [u32; 3]) -> KernelReport {
    check_with(text, sizes, workgroups, &Options::default())
}

/// Kind, and the lines of all its places.
fn found(report: &KernelReport) -> Vec<(&'static str, Vec<u32>)> {
    let lines = |detail: &Detail| match detail {
        Detail::DataRace { first, second, .. } | Detail::AtomicOrder { first, second, .. } => {
            vec![first.place.line, second.place.line]
        }
        Detail::OutOfRange { place, .. }
        | Detail::BudgetSpent { place, .. }
        | Detail::BarrierDivergence { place, .. } => vec![place.line],
        Detail::Uninitialized { reader, .. } => vec![reader.place.line],
        Detail::OrderDependent(_) | Detail::EndDependent { .. } => Vec::new(),
    };
    report.findings.iter().map(|finding| (finding.detail.kind(), lines(&finding.detail))).collect()
}

#[test]
fn two_invocations_that_write_one_word_race() {
    let text = "@group(0) @binding(0) var<storage, read_write> out: array<u32>;
@compute @workgroup_size(4)
fn main(@builtin(global_invocation_id) id: vec3u) {
    out[id.x / 2u] = id.x;
}";
    let report = check(text, &[16], [1, 1, 1]);
    assert_eq!(found(&report), [("data-race", vec![4, 4]), ("order-dependent", vec![])]);
    let Detail::DataRace { region, first, second } = &report.findings[0].detail else { panic!("{report:?}") };
    assert_eq!(*region, Region::Buffer { group: 0, binding: 0, byte: 0 });
    assert_eq!((first.action, second.action), (Action::Writes, Action::Writes));
    assert_eq!((first.invocation.global, second.invocation.global), ([0, 0, 0], [1, 0, 0]));
    assert_eq!(report.findings[0].count, 2);
}

const NO_BARRIER: &str = "@group(0) @binding(0) var<storage, read_write> out: array<u32>;
var<workgroup> tile: array<u32, 8>;
@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) i: u32) {
    tile[i] = i;

    out[i] = tile[(i + 1u) % 8u];
}";

#[test]
fn a_missing_barrier_is_a_race_on_workgroup_memory() {
    let report = check(NO_BARRIER, &[32], [1, 1, 1]);
    let found = found(&report);
    assert!(found.contains(&("data-race", vec![7, 5])), "{found:?}");
    assert!(found.contains(&("uninitialized", vec![7])), "{found:?}");
    let report = check(&NO_BARRIER.replace("i;\n\n", "i;\n workgroupBarrier();\n"), &[32], [1, 1, 1]);
    assert_eq!(self::found(&report), []);
}

#[test]
fn a_barrier_orders_a_workgroup_and_not_two() {
    let text = "@group(0) @binding(0) var<storage, read_write> out: array<u32>;
@compute @workgroup_size(4)
fn main(@builtin(global_invocation_id) id: vec3u) {
    out[id.x] = id.x;
    storageBarrier();
    let other = out[(id.x + 1u) % 8u];
    storageBarrier();
    out[id.x] = other;
}";
    let report = check(text, &[32], [2, 1, 1]);
    let races = found(&report);
    assert!(races.contains(&("data-race", vec![6, 4])), "{races:?}");
    assert!(report.findings.iter().all(|finding| match &finding.detail {
        Detail::DataRace { first, second, .. } => first.invocation.workgroup != second.invocation.workgroup,
        detail => detail.kind() == "order-dependent",
    }));
    // Within one workgroup, all is in order.
    assert_eq!(found(&check(&text.replace("% 8u", "% 4u"), &[16], [1, 1, 1])), []);
}

#[test]
fn a_read_long_ago_of_another_workgroup_races_with_a_write() {
    let text = "@group(0) @binding(0) var<storage, read_write> data: array<u32>;
@group(0) @binding(1) var<storage, read_write> out: array<u32>;
@compute @workgroup_size(4)
fn main(@builtin(global_invocation_id) id: vec3u) {
    out[id.x] = data[0];
    storageBarrier();
    if id.x == 11u { data[0] = 1u; }
}";
    let report = check(text, &[4, 48], [3, 1, 1]);
    let Some(Detail::DataRace { first, second, .. }) =
        report.findings.iter().map(|finding| &finding.detail).find(|d| d.kind() == "data-race")
    else {
        panic!("{report:?}")
    };
    assert_eq!((first.action, first.place.line, first.invocation.global), (Action::Reads, 5, [0, 0, 0]));
    assert_eq!((second.action, second.place.line, second.invocation.global), (Action::Writes, 7, [11, 0, 0]));
}

#[test]
fn atomics_do_not_race_but_their_order_may_show() {
    let text = |first: &str, second: &str| {
        format!(
            "@group(0) @binding(0) var<storage, read_write> n: atomic<u32>;
@compute @workgroup_size(4)
fn main(@builtin(local_invocation_index) i: u32) {{
    {first}
    {second}
}}"
        )
    };
    let found = |first, second| found(&check(&text(first, second), &[4], [2, 1, 1]));
    assert_eq!(found("atomicAdd(&n, i);", "atomicSub(&n, 1u);"), []);
    assert_eq!(found("atomicStore(&n, 7u);", ""), []);
    let order = found("atomicStore(&n, i);", "");
    assert!(order.contains(&("atomic-order", vec![4, 4])), "{order:?}");
    let order = found("atomicStore(&n, 7u);", "atomicAdd(&n, 1u);");
    assert!(order.contains(&("atomic-order", vec![5, 4])), "{order:?}");
    // One invocation may do as it likes.
    assert_eq!(found("if i == 9u { atomicStore(&n, 7u); }", "if i == 9u { atomicStore(&n, 8u); }"), []);
}

#[test]
fn an_index_past_the_end_is_found_where_it_is() {
    let text = "@group(0) @binding(0) var<storage, read_write> out: array<u32>;
@compute @workgroup_size(4)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let x = out[id.x + 2u] +
        1u;
    if x == 77u { out[9] = 1u; }
}";
    let report = check(text, &[16], [1, 1, 1]);
    assert_eq!(found(&report), [("out-of-range", vec![4])]);
    let Detail::OutOfRange { index, length, invocation, place } = &report.findings[0].detail else { panic!() };
    assert_eq!((*index, *length, invocation.global, place.column), (4, 4, [2, 0, 0], 13));
    assert_eq!(report.findings[0].count, 2);
}

#[test]
fn an_index_that_is_the_same_for_all_is_found_only_where_it_is_used() {
    let text = |count: u32| {
        format!(
            "@group(0) @binding(0) var<storage, read_write> out: array<u32>;
@compute @workgroup_size(1)
fn main() {{
    if arrayLength(&out) >= {count}u {{ out[{count} - 1] = 1u; }}
}}"
        )
    };
    assert_eq!(found(&check(&text(4), &[16], [1, 1, 1])), []);
    assert_eq!(found(&check(&text(9), &[16], [1, 1, 1])), []);
    let wrong = text(9).replace(">=", "<=");
    assert_eq!(found(&check(&wrong, &[16], [1, 1, 1])), [("out-of-range", vec![4])]);
}

#[test]
fn a_spent_budget_names_the_loop_and_the_invocation() {
    let text = "@group(0) @binding(0) var<storage, read_write> out: array<u32>;
@compute @workgroup_size(4)
fn main(@builtin(global_invocation_id) id: vec3u) {
    for (var i = 0u; i < 10u; i++) { out[id.x] += i; }
    while id.x == 2u { out[id.x] += 1u; }
}";
    let options = Options { loop_iterations: 1_000, ..Options::default() };
    let report = check_with(text, &[16], [1, 1, 1], &options);
    assert_eq!(found(&report), [("budget-spent", vec![5])]);
    let Detail::BudgetSpent { limit, invocation, .. } = &report.findings[0].detail else { panic!() };
    assert_eq!((*limit, invocation.global), (1_000, [2, 0, 0]));
}

#[test]
fn the_worst_use_of_the_budget_is_told() {
    let text = "@group(0) @binding(0) var<storage, read_write> out: array<u32>;
@compute @workgroup_size(4)
fn main(@builtin(global_invocation_id) id: vec3u) {
    for (var i = 0u; i < 3u; i++) { out[id.x] += i; }
    for (var i = 0u; i < id.x * 10u; i++) { out[id.x] += i; }
}";
    let report = check(text, &[32], [2, 1, 1]);
    assert_eq!(found(&report), []);
    let budget = report.budget.expect("it has loops");
    assert_eq!((budget.iterations, budget.invocation.global), (75, [7, 0, 0]));
    let loops: Vec<(u32, u32)> = budget.loops.iter().map(|l| (l.place.line, l.iterations)).collect();
    assert_eq!(loops, [(5, 71), (4, 4)]);
}

#[test]
fn an_order_that_shows_is_found_by_comparing_bytes() {
    // The old value is used: each order gives other places.
    let text = "@group(0) @binding(0) var<storage, read_write> count: atomic<u32>;
@group(0) @binding(1) var<storage, read_write> out: array<u32>;
@compute @workgroup_size(8)
fn main(@builtin(global_invocation_id) id: vec3u) {
    out[atomicAdd(&count, 1u)] = id.x;
}";
    let report = check(text, &[4, 64], [2, 1, 1]);
    assert_eq!(found(&report), [("order-dependent", vec![])]);
    let Detail::OrderDependent(difference) = &report.findings[0].detail else { panic!() };
    assert_eq!(difference.region, Region::Buffer { group: 0, binding: 1, byte: 0 });
    assert_ne!(difference.hash_in_order, difference.hash_in_other);
}

#[test]
fn reports_are_the_same_every_time_and_can_be_json() {
    let report = || check(NO_BARRIER, &[32], [1, 1, 1]);
    let json = serde_json::to_value(report()).expect("it is plain data");
    assert_eq!(json, serde_json::to_value(report()).expect("it is plain data"));
    assert_eq!(json["findings"][0]["kind"], "data-race");
    assert_eq!(json["findings"][0]["region"]["memory"], "workgroup");
    assert_eq!(json["findings"][0]["first"]["action"], "reads");
    assert_eq!(json["findings"][0]["second"]["place"]["line"], 5);
}

#[test]
fn a_check_can_be_stopped() {
    let text = "@group(0) @binding(0) var<storage, read_write> out: array<u32>;
@compute @workgroup_size(1) fn main() { out[0] = 0u; }";
    let kernel = parse(&Text { text, entry_point: "main", constants: &[] }).expect("the text is valid");
    let lowered = lower(&kernel, text, Admission::Native).expect("it can be lowered");
    let mut checker =
        Checker::new(Arc::new(lowered), Origin::new("test.wgsl", &kernel, text)).expect("it is well-formed");
    let ended = checker.dispatch(&mut [vec![0; 4]], [65_535; 3], &Options::default(), &|_| false);
    assert_eq!(ended, Ok(Ended::Stopped));
    assert!(checker.report().is_stopped);
}

#[test]
fn shadow_memory_is_bounded_and_the_report_says_so() {
    let text = "@group(0) @binding(0) var<storage, read_write> out: array<u32>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) { out[id.x] = id.x; }";
    let options = Options { shadow_bytes: 1 << 16, ..Options::default() };
    let report = check_with(text, &[1 << 16], [256, 1, 1], &options);
    assert_eq!(found(&report), []);
    assert!(report.work.accesses_unchecked > 10_000);
    assert!(Report { kernels: vec![report] }.text(false).contains("not checked for races"));
}

#[test]
fn a_report_reads_well() {
    let report = Report { kernels: vec![check(NO_BARRIER, &[32], [1, 1, 1])] };
    assert_eq!(report.text(false), include_str!("tests/no_barrier.txt"), "{}", report.text(false));
    let colored = report.text(true);
    assert!(colored.contains("\x1b[1;31merror[data-race]\x1b[0m"));
}
