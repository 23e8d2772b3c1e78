//! The suite that every device must pass.

use std::num::NonZeroUsize;

use samebit_device::{Device, conformance, limits};
use samebit_reference::ReferenceDevice;

use crate::support::device;

fn device_with(threads: usize) -> ReferenceDevice {
    let threads = NonZeroUsize::new(threads).expect("a device has threads");
    ReferenceDevice::with_threads(threads).expect("it runs everywhere")
}

#[test]
fn serial_the_device_conforms_in_the_native_profile() {
    for threads in [1, 2, 7] {
        let report = pollster::block_on(conformance::run(&device_with(threads)));
        assert!(report.failed.is_empty(), "on {threads} threads: {:#?}", report.failed);
    }
}

#[test]
fn serial_the_device_conforms_in_the_exact_profile() {
    for threads in [1, 2, 7] {
        let report = pollster::block_on(conformance::exact(&device_with(threads)));
        assert!(report.failed.is_empty(), "on {threads} threads: {:#?}", report.failed);
    }
}

#[test]
fn it_describes_itself() {
    let device = device();
    let info = device.info();
    assert_eq!((info.name.as_str(), info.backend.as_str()), ("reference", "cpu"));
    assert!(info.driver.starts_with("samebit 0."), "{}", info.driver);
    assert_eq!(info.unsuitable, None);
    assert_eq!(info.limits["maxBufferSize"], limits::BUFFER_BYTES);
    assert_eq!(info.limits.len(), 15);
}
