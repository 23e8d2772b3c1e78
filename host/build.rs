//! Compiles the program again when a file is added to what `samebit new` is made of: the compiler itself only notices
//! changes to files that were there.

fn main() {
    for folder in ["examples/hello-job", "guest-sdk", "wit"] {
        // Folders are looked through by cargo.
        println!("cargo::rerun-if-changed=../{folder}");
    }
}
