//! The device on a real driver: the conformance suite, random programs, and what only this device does.

mod battery;
#[path = "../../../../benches/kernels/for_tests.rs"]
#[allow(dead_code, reason = "the benches run more of it")]
mod benches;
mod differential;
mod exact;
mod table;
mod vulkan;
mod vulkan_worker;
mod worker;

use benches::{cases, random, suite};
