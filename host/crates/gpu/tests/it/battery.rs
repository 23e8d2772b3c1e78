//! The battery of arithmetic on a driver: exact programs pass in each way of emission, and an instruction that is not
//! what it should be does not.

use std::time::Instant;

use samebit_device::battery::{self, Test};
use samebit_device::{Device, Session};
use samebit_gpu::exact::{Method, Operation, Way, remembered};
use samebit_gpu::{Choice, GpuDevice};

use crate::exact::{closed, device};

/// Random operands of each test. `SAMEBIT_BATTERY` sets another number; the whole battery has [`battery::RANDOM`].
fn random() -> u32 {
    std::env::var("SAMEBIT_BATTERY").ok().and_then(|text| text.parse().ok()).unwrap_or(1 << 12)
}

fn session(device: &GpuDevice) -> Box<dyn Session> {
    pollster::block_on(device.open(battery::OPTIONS)).expect("it opens")
}

#[test]
fn vulkan_passes_the_battery_in_each_way() {
    for way in [Way::Vulkan, Way::Portable] {
        let device = device(way, |found| found);
        let mut session = session(&device);
        let started = Instant::now();
        for test in Test::ALL {
            let miss = pollster::block_on(battery::run_with(session.as_mut(), test, random())).expect("it runs");
            assert_eq!(miss, None, "{way:?}, {test}");
        }
        let whole = started.elapsed();
        let started = Instant::now();
        assert_eq!(pollster::block_on(battery::run_short(session.as_mut())).expect("it runs"), []);
        println!("{way:?}: {} random operands each took {whole:?}, the short form {:?}", random(), started.elapsed());
        pollster::block_on(session.close());
        closed(device);
    }
}

/// Lavapipe's `fma` is a product and a sum, and nothing in its name says so.
#[test]
fn vulkan_fails_the_battery_where_its_fma_rounds_twice() {
    let device = device(Way::Vulkan, |found| found.with(Operation::Fma, Method::Native));
    if device.info().name.contains("llvmpipe") {
        let mut session = session(&device);
        let miss = pollster::block_on(battery::run_with(session.as_mut(), Test::Fma, 0)).expect("it runs");
        println!("{}", miss.expect("it rounds twice"));
        let short = pollster::block_on(battery::run_short(session.as_mut())).expect("it runs");
        assert_eq!(short.into_iter().map(|miss| miss.test).collect::<Vec<_>>(), [Test::Fma]);
        pollster::block_on(session.close());
    }
    closed(device);
}

#[test]
fn vulkan_remembers_what_the_battery_came_to() {
    let folder = std::env::temp_dir().join(format!("samebit-batteries-{}", std::process::id()));
    let opened = || {
        let device = GpuDevice::select(&Choice::Default).expect("a Vulkan driver is installed");
        let device = device.remembering(folder.clone());
        assert_eq!(device.info().battery, None, "it was not asked yet");
        let started = Instant::now();
        pollster::block_on(session(&device).close());
        let took = started.elapsed();
        let battery = device.info().battery.clone().expect("it was put to it");
        assert_eq!(remembered(&folder, device.info()), Some(battery.clone()));
        closed(device);
        (battery, took)
    };
    let (first, whole) = opened();
    let (second, short) = opened();
    std::fs::remove_dir_all(&folder).expect("it was made");
    assert_eq!(first, second);
    println!("{first}the whole battery took {whole:?}, and opening by its record {short:?}");
}
