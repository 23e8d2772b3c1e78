//! What the battery came to on a device, kept in a file for the next start.
//!
//! A file is named after what it is about: adapter, driver, this program and this battery. Another driver is another file,
//! so nothing has to be thrown away.
//!
//! # Promises
//! - What is read is what was written for this very device: a file that is damaged, cut short, foreign, of another version
//!   or of another [`EMISSION`] is no record, and the battery is run again.
//! - A record is there as a whole or not at all, whatever ends the process that writes it.
//!
//! What it leaves out: whether the device still is what the record says. Who opens it asks it with the short form.

use std::fmt::Write;
use std::io;
use std::path::{Path, PathBuf};

use samebit_device::{Battery, DeviceInfo, battery};

use super::probe::RANDOM;
use super::{Arithmetic, EMISSION, Exactness, Method, Operation, Way};

/// What keeps records of devices apart from other hashes.
const CONTEXT: &str = "samebit 2026 battery record v1";
/// Longer than any record.
const RECORD_BYTES: u64 = 4 << 10;
/// What a record says of an operation that is wrong, however it is computed.
const FAILED: &str = "failed";

/// How a device is made exact, or the operation that it gets wrong.
pub(crate) type Found = Result<Exactness, Operation>;

/// What the record in a folder says of a device, if it has one.
pub fn remembered(folder: &Path, info: &DeviceInfo) -> Option<Battery> {
    read(folder, info).map(|found| summary(&found))
}

/// The record of a device.
pub(crate) fn read(folder: &Path, info: &DeviceInfo) -> Option<Found> {
    let path = path(folder, info);
    if std::fs::metadata(&path).ok()?.len() > RECORD_BYTES {
        return None;
    }
    let text = std::fs::read_to_string(&path).ok()?;
    let found = parse(&text)?;
    // Every byte is what we would write, or none of it counts.
    (render(info, &found) == text).then_some(found)
}

/// Keeps the record of a device.
pub(crate) fn write(folder: &Path, info: &DeviceInfo, found: &Found) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let path = path(folder, info);
    let partial = path.with_extension(format!("partial-{}", std::process::id()));
    let written = std::fs::write(&partial, render(info, found)).and_then(|()| std::fs::rename(&partial, &path));
    if written.is_err() {
        // It may not be there.
        let _ = std::fs::remove_file(&partial);
    }
    written
}

/// For people, and for the digest in receipts.
pub(crate) fn summary(found: &Found) -> Battery {
    let operations = match found {
        Ok(exactness) => {
            let line = |operation: Operation| (operation.to_string(), exactness.arithmetic.of(operation).to_string());
            Operation::ALL.into_iter().map(line).collect()
        }
        Err(operation) => vec![(operation.to_string(), FAILED.to_owned())],
    };
    Battery { version: battery::VERSION, random: RANDOM, operations }
}

/// What a record is about.
fn subject(info: &DeviceInfo) -> String {
    let DeviceInfo { name, driver, backend, .. } = info;
    // Escaped, so that no name can look like another line.
    let version = env!("CARGO_PKG_VERSION");
    format!("samebit {version}\nemission {EMISSION}\nadapter {name:?}\ndriver {driver:?}\nbackend {backend:?}\n")
}

fn path(folder: &Path, info: &DeviceInfo) -> PathBuf {
    let subject = format!("{}battery {} {RANDOM}\n", subject(info), battery::VERSION);
    let name = blake3::derive_key(CONTEXT, subject.as_bytes());
    folder.join(hex(&name[..16]))
}

fn render(info: &DeviceInfo, found: &Found) -> String {
    let mut text = subject(info);
    if let Ok(exactness) = found {
        text.push_str(match exactness.way {
            Way::Portable => "way portable\n",
            Way::Vulkan => "way vulkan\n",
        });
    }
    // Writing to a string cannot fail.
    let _ = write!(text, "{}", summary(found));
    let check = blake3::derive_key(CONTEXT, text.as_bytes());
    let _ = writeln!(text, "check {}", hex(&check));
    text
}

/// What a text says, if it says something. It may say more, and wrongly.
fn parse(text: &str) -> Option<Found> {
    let said = |of: &str| text.lines().find_map(|line| line.strip_prefix(of)?.strip_prefix(' '));
    if let Some(operation) = Operation::ALL.into_iter().find(|operation| said(&operation.to_string()) == Some(FAILED)) {
        return Some(Err(operation));
    }
    let way = match said("way")? {
        "portable" => Way::Portable,
        "vulkan" => Way::Vulkan,
        _ => return None,
    };
    let arithmetic = Operation::ALL.into_iter().try_fold(Arithmetic::NATIVE, |arithmetic, operation| {
        let name = said(&operation.to_string())?;
        let is_named = |method: &Method| method.to_string() == name;
        Some(arithmetic.with(operation, operation.methods().iter().copied().find(is_named)?))
    });
    Some(Ok(Exactness { way, arithmetic: arithmetic? }))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use samebit_device::DeviceKind;

    use super::*;

    fn info(driver: &str) -> DeviceInfo {
        DeviceInfo {
            name: "Card \"One\"\n".into(),
            driver: driver.into(),
            backend: "vulkan".into(),
            kind: DeviceKind::Discrete,
            limits: Default::default(),
            features: Vec::new(),
            unsuitable: None,
            battery: None,
        }
    }

    fn found() -> Found {
        let arithmetic =
            Arithmetic::NATIVE.with(Operation::Fma, Method::Double).with(Operation::ToInteger, Method::Integer);
        Ok(Exactness { way: Way::Vulkan, arithmetic })
    }

    /// A folder of its own for each test, gone after it.
    struct Folder(PathBuf);

    impl Folder {
        fn new(test: &str) -> Self {
            Self(std::env::temp_dir().join(format!("samebit-records-{}-{test}", std::process::id())))
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn what_was_found_is_remembered_of_that_device_alone() {
        let folder = Folder::new("alone");
        for found in [found(), Err(Operation::FromInteger)] {
            write(&folder.0, &info("1.0"), &found).expect("it is written");
            assert_eq!(read(&folder.0, &info("1.0")), Some(found));
            assert_eq!(read(&folder.0, &info("1.1")), None);
        }
        assert_eq!(std::fs::read_dir(&folder.0).expect("it is there").count(), 1, "no other file is left");
    }

    #[test]
    fn a_record_with_any_byte_changed_or_missing_is_none() {
        let folder = Folder::new("damaged");
        write(&folder.0, &info("1.0"), &found()).expect("it is written");
        let path = path(&folder.0, &info("1.0"));
        let whole = std::fs::read(&path).expect("it is there");
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 1;
            std::fs::write(&path, &damaged).expect("it is written");
            assert_eq!(read(&folder.0, &info("1.0")), None, "byte {at}");
            std::fs::write(&path, &whole[..at]).expect("it is written");
            assert_eq!(read(&folder.0, &info("1.0")), None, "cut at {at}");
        }
    }

    #[test]
    fn a_record_of_another_device_in_its_place_is_none() {
        let folder = Folder::new("foreign");
        write(&folder.0, &info("1.0"), &found()).expect("it is written");
        let [here, there] = ["1.0", "1.1"].map(|driver| path(&folder.0, &info(driver)));
        std::fs::rename(here, there).expect("it is moved");
        assert_eq!(read(&folder.0, &info("1.1")), None);
    }
}
