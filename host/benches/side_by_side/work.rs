//! The folder of a bench run: inputs made once, a store for each side to use.

use std::io::Write;
use std::path::{Path, PathBuf};

/// The folder.
pub(crate) struct Work {
    dir: PathBuf,
    owned: Option<tempfile::TempDir>,
}

/// Bytes of the transfer and hashing inputs.
pub(crate) const LARGE_BYTES: usize = 256 << 20;
/// Rows and columns of the matrices.
pub(crate) const MATRIX: usize = 1024;
/// Width and height of the picture.
pub(crate) const PICTURE: [u32; 2] = [2048, 1536];

impl Work {
    /// A new folder with all inputs in it, deleted at the end.
    pub(crate) fn create() -> Self {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let work = Self { dir: dir.path().to_owned(), owned: Some(dir) };
        work.write("large", &noise(LARGE_BYTES, 1));
        for (name, seed) in [("a.npy", 2), ("b.npy", 3)] {
            work.write(name, &matrix(seed));
        }
        work.write("picture.png", &picture());
        work.write("empty.wasm", &wat::parse_str(EMPTY_JOB).expect("valid text"));
        work
    }

    /// The folder that another process made.
    pub(crate) fn open(dir: PathBuf) -> Self {
        Self { dir, owned: None }
    }

    pub(crate) fn dir(&self) -> &Path {
        self.owned.as_ref().map_or(&self.dir, |dir| dir.path())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir().join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.path(name), bytes).expect("the temporary folder is writable");
    }
}

/// A built module, as `cargo xtask plugins` leaves it, or from the folder that `SAMEBIT_PLUGINS` names.
pub(crate) fn module(name: &str) -> PathBuf {
    let built = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/plugins");
    let path = std::env::var_os("SAMEBIT_PLUGINS").map_or_else(built, PathBuf::from).join(name);
    assert!(path.is_file(), "{} is missing: run `cargo xtask plugins` first", path.display());
    path
}

/// The machine, in a line.
pub(crate) fn machine() -> String {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model =
        cpu.lines().find_map(|line| line.strip_prefix("model name")?.split(':').nth(1)).unwrap_or("unknown CPU");
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let adapters = samebit_gpu::Adapters::enumerate().list();
    let adapter = adapters.first().map_or("no adapter".to_owned(), |info| format!("{} ({})", info.name, info.driver));
    format!("{cores} cores of {}, {adapter}", model.trim())
}

/// Bytes that follow from a seed: splitmix64.
pub(crate) fn noise(size: usize, seed: u64) -> Vec<u8> {
    let mut state = seed;
    let mut bytes = Vec::with_capacity(size + 8);
    while bytes.len() < size {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = state;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bytes.extend_from_slice(&(word ^ (word >> 31)).to_le_bytes());
    }
    bytes.truncate(size);
    bytes
}

/// A square matrix of numbers between -1 and 1, as NumPy stores it.
fn matrix(seed: u64) -> Vec<u8> {
    let header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({MATRIX}, {MATRIX}), }}");
    let mut bytes = b"\x93NUMPY\x01\x00\x76\x00".to_vec();
    writeln!(bytes, "{header:<117}").expect("writing to memory");
    for word in noise(MATRIX * MATRIX * 2, seed).chunks_exact(2) {
        let number = f32::from(i16::from_le_bytes([word[0], word[1]])) / 32_768.0;
        bytes.extend_from_slice(&number.to_le_bytes());
    }
    bytes
}

/// A picture with gradients, edges and grain.
fn picture() -> Vec<u8> {
    let [width, height] = PICTURE;
    let grain = noise((width * height) as usize, 4);
    let mut pixels = Vec::with_capacity((width * height * 3) as usize);
    for (index, grain) in grain.iter().enumerate() {
        let (x, y) = (index as u32 % width, index as u32 / width);
        let edge = if (x / 96 + y / 96) % 2 == 0 { 60 } else { 0 };
        let shade = |value: u32| (value + edge + u32::from(grain % 16)).min(255) as u8;
        pixels.extend([shade(x * 180 / width), shade(y * 180 / height), shade((x + y) * 90 / (width + height))]);
    }
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Rgb);
    let mut writer = encoder.write_header().expect("writing to memory");
    writer.write_image_data(&pixels).expect("writing to memory");
    writer.finish().expect("writing to memory");
    bytes
}

const EMPTY_JOB: &str = r#"(component
    (core module $m
        (memory (export "memory") 1)
        (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
        (func (export "run") (param i32 i32) (result i32) (i32.const 16)))
    (core instance $i (instantiate $m))
    (func (export "run") (param "args" (list string)) (result (result (error string)))
        (canon lift (core func $i "run") (memory (core memory $i "memory")) (realloc (core func $i "realloc")))))"#;
