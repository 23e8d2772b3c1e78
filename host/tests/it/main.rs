//! The program as its users meet it: every test starts the real one.

#[cfg(unix)]
mod chaining;
mod checking;
#[cfg(unix)]
mod example;
#[cfg(unix)]
mod fetching;
mod guests;
#[cfg(unix)]
mod hosting;
mod interrupting;
#[cfg(unix)]
mod keeping;
#[cfg(unix)]
mod liar;
mod looking;
mod making;
mod plugins;
#[cfg(unix)]
mod publishing;
#[cfg(all(unix, feature = "relay"))]
mod relaying;
mod running;
#[cfg(unix)]
mod spreading;
mod support;
mod tolerating;
mod verifying;
mod vulkan_workers;
