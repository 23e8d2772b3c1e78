//! Makes a WASI preview 1 core module a component, with the adapter that the Bytecode Alliance publishes for it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER,
};
use wit_component::ComponentEncoder;

use crate::CompileError;

/// The component that runs a preview 1 command.
pub(crate) fn component_from_core(module: &[u8]) -> Result<Vec<u8>, CompileError> {
    // The encoder takes any bytes a stranger sends; a panic in it is a refused module, not the end of the host.
    let encoded = catch_unwind(AssertUnwindSafe(|| {
        ComponentEncoder::default()
            .module(module)?
            .adapter(WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER)?
            .encode()
    }));
    match encoded {
        Ok(Ok(component)) => Ok(component),
        Ok(Err(error)) => Err(CompileError::NotACommand(format!("{error:#}"))),
        Err(_) => Err(CompileError::NotACommand("the adapter failed on it".to_owned())),
    }
}
