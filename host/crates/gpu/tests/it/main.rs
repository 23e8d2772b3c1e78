//! The device on a real driver: the conformance suite, and what only this device does.

mod vulkan;
