//! Kernels written by hand, for the interface between generated code and whoever runs it.

/// A module around the body of `run`.
fn module(body: &str) -> Vec<u8> {
    let text = format!(
        "(module
            (import \"samebit\" \"memory\" (memory $memory 1 65536 shared))
            (func $index (param $params i32) (param $x i32) (param $y i32) (param $z i32) (result i32)
                local.get $x
                (i32.load (local.get $params))
                local.get $y
                (i32.load offset=4 (local.get $params))
                local.get $z
                i32.mul i32.add i32.mul i32.add)
            (func (export \"run\")
                (param $params i32) (param $scratch i32) (param $x i32) (param $y i32) (param $z i32) (param $count i32)
                (result i32)
                (local $at i32) (local $turns i32)
                {body}))"
    );
    wat::parse_str(text).expect("the text is valid")
}

/// A kernel that does something for each workgroup, whose number is in `$at` times 4.
fn each(body: &str) -> Vec<u8> {
    module(&format!(
        "(loop $next
            (if (i32.load offset=12 (local.get $params)) (then (return (i32.const 2))))
            (local.set $at (i32.mul (i32.const 4)
                (call $index (local.get $params) (local.get $x) (local.get $y) (local.get $z))))
            {body}
            (local.set $x (i32.add (local.get $x) (i32.const 1)))
            (if (i32.eq (local.get $x) (i32.load (local.get $params))) (then
                (local.set $x (i32.const 0))
                (local.set $y (i32.add (local.get $y) (i32.const 1)))
                (if (i32.eq (local.get $y) (i32.load offset=4 (local.get $params))) (then
                    (local.set $y (i32.const 0))
                    (local.set $z (i32.add (local.get $z) (i32.const 1)))))))
            (br_if $next (local.tee $count (i32.sub (local.get $count) (i32.const 1)))))
         i32.const 0"
    ))
}

/// Adds 1 to the first binding's word of the workgroup's number.
pub(super) fn count() -> Vec<u8> {
    each("(drop (i32.atomic.rmw.add (i32.add (local.get $at) (i32.load offset=32 (local.get $params))) (i32.const 1)))")
}

/// Writes the budget, the grid and the lengths of two bindings into the first of them.
pub(super) fn tell() -> Vec<u8> {
    let store = |at: u32, from: u32| {
        format!("(i32.store offset={at} (local.get $at) (i32.load offset={from} (local.get $params)))")
    };
    let stores: String =
        [16, 0, 4, 8, 36, 44].into_iter().enumerate().map(|(at, from)| store(at as u32 * 4, from)).collect();
    module(&format!("(local.set $at (i32.load offset=32 (local.get $params))) {stores} i32.const 0"))
}

/// Writes its number to scratch memory a few hundred times, and adds 1 to the binding's first word each time it finds
/// another one there.
pub(super) fn scratch() -> Vec<u8> {
    each(
        "(local.set $turns (i32.const 300))
         (loop $again
            (i32.store (local.get $scratch) (local.get $at))
            (i32.store offset=4092 (local.get $scratch) (local.get $at))
            (if (i32.or (i32.ne (i32.load offset=4092 (local.get $scratch)) (local.get $at))
                        (i32.ne (i32.load (local.get $scratch)) (local.get $at)))
                (then (drop (i32.atomic.rmw.add (i32.load offset=32 (local.get $params)) (i32.const 1)))))
            (br_if $again (local.tee $turns (i32.sub (local.get $turns) (i32.const 1)))))",
    )
}

/// Runs until it is told to stop.
pub(super) fn spin() -> Vec<u8> {
    module("(loop $again (br_if $again (i32.eqz (i32.load offset=12 (local.get $params))))) i32.const 2")
}

/// Spends its budget.
pub(super) fn spend() -> Vec<u8> {
    module("i32.const 1")
}

/// Does what no kernel should.
pub(super) fn trap() -> Vec<u8> {
    module("unreachable")
}

/// Does nothing for each workgroup.
pub(super) fn nothing() -> Vec<u8> {
    each("")
}
