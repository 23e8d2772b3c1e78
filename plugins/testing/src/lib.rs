//! What the guests in `guests/` share: the raw bindings to the world `job`, and the glue of a guest.
//!
//! The bindings are used as they are generated, not through the SDK: a guest that misbehaves has to be able to pass what
//! the SDK would never pass.

pub mod bindings;
pub mod gpu;

use bindings::samebit::job::data;

/// Makes a function `fn(Vec<String>) -> Result<(), String>` the job, and another, `fn(&str) -> Result<(), String>`, its
/// comparison of outputs.
#[macro_export]
macro_rules! guest {
    ($run:path) => {
        struct Job;

        impl $crate::bindings::Guest for Job {
            fn run(args: Vec<String>) -> Result<(), String> {
                $run(args)
            }
        }

        $crate::bindings::export!(Job with_types_in $crate::bindings);
    };
    ($run:path, $compare:path) => {
        $crate::guest!($run);

        impl $crate::bindings::comparing::Guest for Job {
            fn compare(name: String) -> Result<(), String> {
                $compare(&name)
            }
        }

        $crate::bindings::comparing::export!(Job with_types_in $crate::bindings::comparing);
    };
}

/// Ends the guest with what was found if the two differ.
pub fn expect<T: std::fmt::Debug>(what: &str, found: T, expected: &str) -> Result<(), String> {
    let found = format!("{found:?}");
    if found == expected { Ok(()) } else { Err(format!("{what}: found {found}, expected {expected}")) }
}

/// Puts text out under a name.
pub fn put(name: &str, text: &str) -> Result<(), String> {
    data::output_append(name, text.as_bytes()).map_err(|error| format!("{name}: {error:?}"))
}
