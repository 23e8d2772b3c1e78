//! What the device says of itself.

use samebit_device::{Device, limits};

use crate::support::device;

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
