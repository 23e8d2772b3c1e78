//! Bindings to the world `job`, WASI included, generated from `wit/`.

#![allow(missing_docs, unsafe_code, unreachable_pub, unused_qualifications, reason = "generated code")]

wit_bindgen::generate!({
    path: "../../wit",
    world: "job",
    generate_all,
    pub_export_macro: true,
    default_bindings_module: "samebit_plugin_testing::bindings",
});

/// The world `comparing`.
pub mod comparing {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "comparing",
        pub_export_macro: true,
        default_bindings_module: "samebit_plugin_testing::bindings::comparing",
    });
}
