//! What a module can do and what it cannot, tried with guests written for the purpose.

mod basics;
mod comparing;
mod fake_device;
mod hostile;
mod hostile_devices;
mod hostile_handles;
mod hostile_modules;
mod hostile_suite;
mod support;
