//! `samebit inspect`.

use std::path::Path;

use samebit_runner::engine::{CompileError, Module};
use samebit_runner::spec::{BlobRef, Hash, RECEIPT_MAGIC, Receipt};
use samebit_runner::store::Blob;
use serde_json::{Value, json};

use crate::cli::files;
use crate::cli::job::JobArgs;
use crate::cli::job_file::{Source, is_job_file, source};
use crate::cli::report::{blob_text, job_json, job_text, measured_text, outcome_text, receipt_json};
use crate::config::Config;
use crate::error::{Exit, Failure};
use crate::machine::{engine, open_store};
use crate::output::{GOOD, Output, Text};

/// The most of a file that is read: more than any module that the engine takes.
const FILE_BYTES_MAX: usize = 256 << 20;

/// The interface whose version a module was built for.
const INTERFACES: &str = "samebit:job/";

const AFTER: &str = "\
Exit codes:
  0    it is a module that this host runs, a receipt whose signature is good, or a valid job file
  2    it is none of these, or a module that is refused; what is known of it is printed
  3    this machine could not tell

Examples:
  samebit inspect filter.wasm
  samebit inspect photo.receipt --json
  samebit inspect job.toml";

/// Arguments of `samebit inspect`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    /// A module, receipt or job.toml, or the hash of a blob in the store
    #[arg(value_name = "FILE|HASH")]
    what: String,
}

/// Runs the command.
pub(crate) async fn run(args: &Args, config: &Config, output: &Output) -> Result<Exit, Failure> {
    let bytes = match source(&args.what, Path::new("")) {
        Source::File(path) if is_job_file(&path) => return job(&args.what, output),
        Source::File(path) => read(&path)?,
        Source::Blob(hash) => from_store(&hash, config, output).await?,
    };
    if bytes.starts_with(RECEIPT_MAGIC) {
        return receipt(&bytes, output);
    }
    if bytes.starts_with(b"\0asm") {
        return module(bytes, config, output).await;
    }
    let why = "it begins neither like a WebAssembly module nor like a receipt; a job file's name ends in .toml";
    Err(Failure::usage("unknown", format!("{} cannot be inspected: {why}", args.what)))
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let failed =
        |why: &dyn std::fmt::Display| Failure::usage("input", format!("{} cannot be read: {why}", path.display()));
    let bytes = files::read_bounded(path, FILE_BYTES_MAX).map_err(|error| failed(&error))?;
    if bytes.len() > FILE_BYTES_MAX {
        return Err(failed(&format_args!("it is longer than {FILE_BYTES_MAX} bytes, as no module or receipt is")));
    }
    Ok(bytes)
}

async fn from_store(hash: &Hash, config: &Config, output: &Output) -> Result<Vec<u8>, Failure> {
    let store = open_store(config.store(), output).await?;
    let blob = store.open_blob(hash).await;
    let bytes = match blob {
        Ok(Blob::Bytes(bytes)) => Ok(bytes.to_vec()),
        Ok(Blob::File(file)) => read(file.path()),
        Err(error) => Err(error.into()),
    };
    store.close().await?;
    bytes
}

fn job(path: &str, output: &Output) -> Result<Exit, Failure> {
    let job = JobArgs::of_file(path).draft()?.hash()?;
    job.check().map_err(|error| Failure::usage("job", format!("the job is invalid: {error}")))?;
    output.answer(|| json!({ "kind": "job", "job": job_json(&job) }), |text| job_text(&job, text));
    Ok(Exit::Ok)
}

fn receipt(bytes: &[u8], output: &Output) -> Result<Exit, Failure> {
    let receipt = Receipt::decode(bytes)?;
    let json = || {
        let mut value = receipt_json(&receipt);
        if let Value::Object(fields) = &mut value {
            fields.insert("kind".to_owned(), "receipt".into());
        }
        value
    };
    output.answer(json, |text| {
        text.headline(GOOD, "receipt", &format!(" {}, signature good", receipt.id()));
        text.field("host", receipt.host);
        job_text(&receipt.job, text);
        outcome_text(&receipt.outcome, text);
        measured_text(&receipt.measured, text);
    });
    Ok(Exit::Ok)
}

async fn module(bytes: Vec<u8>, config: &Config, output: &Output) -> Result<Exit, Failure> {
    let blob = BlobRef::of(&bytes);
    let config = config.clone();
    let compile = move || Ok::<_, Failure>(engine(&config)?.compile(&bytes));
    let compiled = tokio::task::spawn_blocking(compile).await.map_err(|error| Failure::panicked(&error))??;
    match compiled {
        Ok(module) => {
            output.answer(|| module_json(&blob, &module), |text| module_text(&blob, &module, text));
            Ok(Exit::Ok)
        }
        Err(error @ CompileError::Compiler(_)) => Err(Failure::host("compiler", error.to_string())),
        Err(error) => Err(Failure::usage("module", format!("module {}: {error}", blob_text(&blob)))),
    }
}

/// The version of the interfaces that a module imports, `None` if it imports none.
pub(crate) fn interface_version(module: &Module) -> Option<&str> {
    module.imports().iter().find_map(|name| name.strip_prefix(INTERFACES)?.split_once('@')).map(|(_, version)| version)
}

fn module_json(blob: &BlobRef, module: &Module) -> Value {
    json!({
        "kind": "module",
        "module": module.kind().to_string(),
        "hash": blob.hash.to_string(),
        "size_bytes": blob.size_bytes,
        "uses_gpu": module.uses_gpu(),
        "interface_version": interface_version(module),
        "imports": module.imports(),
        "exports": module.exports(),
    })
}

fn module_text(blob: &BlobRef, module: &Module, text: &mut Text) {
    text.headline(GOOD, "module", &format!(" {}", blob_text(blob)));
    text.field("kind", module.kind());
    text.field("uses a GPU", if module.uses_gpu() { "yes" } else { "no" });
    if let Some(version) = interface_version(module) {
        text.field("interfaces", format_args!("{INTERFACES}*@{version}"));
    }
    for name in module.imports() {
        text.field("import", name);
    }
    for name in module.exports() {
        text.field("export", name);
    }
}
