//! A worker for tests, which does what no test can make a real one do.
//!
//! `plain` is a worker as it should be. `gpu` is one with this machine's GPUs too, and `memory` one whose device needs no
//! driver and runs no kernel: in both, a dispatch of certain numbers of workgroups is no dispatch but a misfortune. The
//! others are no workers at all.

mod memory;
mod misfortune;

use std::io::{Read, Write};

use samebit_device::{Device, DeviceInfo};
use samebit_gpu::worker::{Source, serve_source};
use samebit_gpu::{Adapters, Choice, GpuDevice, SelectError};

fn main() {
    match std::env::args().nth(1).as_deref() {
        Some("plain") => samebit_gpu::worker::serve(std::env::args_os().nth(2).map(Into::into)),
        Some("gpu") => serve_source(&Gpus),
        Some("memory") => serve_source(&Memory),
        Some("exits") => std::process::exit(7),
        Some("aborts") => {
            // As a driver does that crashes when it is loaded: it was asked, and says something on the way.
            read(1);
            drop(std::io::stderr().write_all(b"\x1b[31mdriver: out of luck\n"));
            std::process::abort()
        }
        Some("silent") => loop {
            std::thread::park();
        },
        Some("babbles") => {
            read(1);
            drop(std::io::stdout().write_all(&[0xa5; 1 << 16]));
            loop {
                std::thread::park();
            }
        }
        // An answer to a question that was not asked: `Opened(Ok(None))`.
        Some("confuses") => {
            read(1);
            let mut out = std::io::stdout();
            drop(out.write_all(&[3, 0, 0, 0, 2, 0, 0]).and_then(|()| out.flush()));
            loop {
                std::thread::park();
            }
        }
        _ => std::process::exit(2),
    }
}

fn read(bytes: usize) {
    drop(std::io::stdin().read_exact(&mut vec![0; bytes]));
}

struct Gpus;

impl Source for Gpus {
    fn list(&self) -> Vec<DeviceInfo> {
        Adapters::enumerate().list()
    }

    fn select(&self, choice: &Choice) -> Result<Box<dyn Device>, SelectError> {
        Ok(Box::new(misfortune::Gpu(GpuDevice::select(choice)?)))
    }
}

struct Memory;

impl Source for Memory {
    fn list(&self) -> Vec<DeviceInfo> {
        vec![memory::info()]
    }

    fn select(&self, _: &Choice) -> Result<Box<dyn Device>, SelectError> {
        Ok(Box::new(misfortune::Memory(memory::Memory::default())))
    }
}
