//! The device on a real driver: the conformance suite, random programs, and what only this device does.

mod differential;
mod vulkan;
mod vulkan_worker;
mod worker;
