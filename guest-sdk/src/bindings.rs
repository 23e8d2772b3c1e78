//! Bindings to the world `guest`, generated from `wit/`.
//!
//! The rest of this crate is a friendlier face of these. They are public for what it does not cover, and for jobs that
//! test a host.

#![allow(missing_docs, unsafe_code, unreachable_pub, unused_qualifications, reason = "generated code")]

wit_bindgen::generate!({
    path: "../wit",
    world: "guest",
    pub_export_macro: true,
    default_bindings_module: "samebit_guest::bindings",
});

/// The world `comparing`, which a job with a comparison of its own exports too.
pub mod comparing {
    wit_bindgen::generate!({
        path: "../wit",
        world: "comparing",
        pub_export_macro: true,
        default_bindings_module: "samebit_guest::bindings::comparing",
    });
}
