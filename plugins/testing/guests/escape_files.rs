//! Tries to reach the host's files. Outcome: ok; output `files` says what it saw.

use std::fmt::Write;
use std::fs;

use samebit_plugin_testing::bindings::wasi::filesystem::preopens::get_directories;
use samebit_plugin_testing::put;

samebit_plugin_testing::guest!(run);

fn run(_args: Vec<String>) -> Result<(), String> {
    let mut seen = String::new();
    let _ = writeln!(seen, "preopens {}", get_directories().len());
    for path in ["/etc/passwd", "/proc/self/maps", "/dev/null", ".", "..", "file", "C:\\Windows", ""] {
        let reached = [
            fs::read(path).is_ok(),
            fs::metadata(path).is_ok(),
            fs::read_dir(path).is_ok(),
            fs::write(path, "x").is_ok(),
            fs::create_dir(path).is_ok(),
            fs::remove_file(path).is_ok(),
            fs::rename(path, "other").is_ok(),
        ];
        let _ = writeln!(seen, "{path} {}", reached.iter().filter(|reached| **reached).count());
    }
    put("files", &seen)
}
