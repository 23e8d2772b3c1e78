//! From what the user named to a job: files become blobs, and blobs get their hashes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use samebit_runner::spec::{BlobRef, Hash, JobSpec, Limits, Name, Profile, Tolerance};
use samebit_runner::store::{ImportBy, Pin, Store};

use crate::cli::job_file::{JobFile, Source, is_job_file, source};
use crate::cli::limits::LimitArgs;
use crate::cli::named;
use crate::error::Failure;

/// What a job is made of.
#[derive(Debug, clap::Args)]
pub(crate) struct JobArgs {
    /// The module: a .wasm file, the hash of a blob in the store, or a job.toml
    #[arg(value_name = "MODULE")]
    pub(crate) module: String,
    /// Give a file as the input NAME (repeatable); instead of PATH also the hash of a blob in the store
    #[arg(short, long = "input", value_name = "NAME=PATH", value_parser = named)]
    inputs: Vec<(Name, PathBuf)>,
    /// Give the guest an argument (repeatable, in order); replaces those of a job.toml
    #[arg(short, long = "arg", value_name = "ARG", allow_hyphen_values = true)]
    args: Vec<String>,
    /// Which bits floats have: `exact`, the same on any device, or `native`, whatever the device gives [default: exact]
    #[arg(long, value_name = "PROFILE", value_parser = profile)]
    profile: Option<Profile>,
    /// How far the output NAME may be from that of another class of device, in the profile native: `absolute:0.001`,
    /// `relative:1e-5` or `ulp:4` for little-endian 32-bit floats, or `compare`, which asks the module (repeatable)
    #[arg(long = "tolerance", value_name = "NAME=TOLERANCE", value_parser = tolerance)]
    tolerances: Vec<(Name, Tolerance)>,
    #[command(flatten)]
    limits: LimitArgs,
}

/// A job whose parts are named but not yet hashed.
#[derive(Debug)]
pub(crate) struct Draft {
    module: Source,
    inputs: BTreeMap<Name, Source>,
    args: Vec<String>,
    limits: Limits,
    profile: Profile,
    tolerances: BTreeMap<Name, Tolerance>,
}

/// A job with what holds its blobs in the store.
pub(crate) struct Imported {
    /// The job.
    pub(crate) job: JobSpec,
    /// Dropped once a receipt holds the blobs.
    pub(crate) pins: Vec<Pin>,
}

impl JobArgs {
    /// A job file without any flags over it.
    pub(crate) fn of_file(path: &str) -> Self {
        let module = path.to_owned();
        let (inputs, args, tolerances) = (Vec::new(), Vec::new(), Vec::new());
        Self { module, inputs, args, profile: None, tolerances, limits: LimitArgs::default() }
    }

    /// Of a kernel's text instead of a module: the profile and the budget of loop iterations, which are all that matters.
    pub(crate) fn of_kernel(&self) -> Result<(Profile, u64), Failure> {
        if !self.inputs.is_empty() || !self.args.is_empty() || !self.tolerances.is_empty() {
            let why = "--input, --arg and --tolerance are for modules: a kernel is given buffers with --bind";
            return Err(Failure::usage("usage", why));
        }
        let limits = self.limits.over(Limits::default());
        Ok((self.profile.unwrap_or(Profile::Exact), limits.loop_iterations))
    }

    /// Puts flags over the job file, if one is named.
    pub(crate) fn draft(self) -> Result<Draft, Failure> {
        let file = match source(&self.module, Path::new("")) {
            Source::File(path) if is_job_file(&path) => Some(JobFile::read(&path)?),
            _ => None,
        };
        let mut draft = match &file {
            Some(file) => Draft {
                module: file.module(),
                inputs: file.inputs(),
                args: file.args.clone(),
                limits: file.limits.over(Limits::default()),
                profile: file.profile.unwrap_or(Profile::Exact),
                tolerances: file.tolerances(),
            },
            None => Draft {
                module: source(&self.module, Path::new("")),
                inputs: BTreeMap::new(),
                args: Vec::new(),
                limits: Limits::default(),
                profile: Profile::Exact,
                tolerances: BTreeMap::new(),
            },
        };
        let mut given = BTreeSet::new();
        for (name, path) in self.inputs {
            if !given.insert(name.clone()) {
                return Err(Failure::usage("input", format!("input {name} is given twice: give it once")));
            }
            let text = path.to_str().map(|text| source(text, Path::new("")));
            draft.inputs.insert(name, text.unwrap_or(Source::File(path)));
        }
        if !self.args.is_empty() {
            draft.args = self.args;
        }
        draft.limits = self.limits.over(draft.limits);
        draft.profile = self.profile.unwrap_or(draft.profile);
        let mut given = BTreeSet::new();
        for (name, tolerance) in self.tolerances {
            if !given.insert(name.clone()) {
                return Err(Failure::usage("tolerance", format!("output {name} is given two tolerances: give it one")));
            }
            draft.tolerances.insert(name, tolerance);
        }
        Ok(draft)
    }
}

impl Draft {
    /// Imports the files. Modules are copied: they are small, and the next build replaces the file.
    pub(crate) async fn import(self, store: &Store) -> Result<Imported, Failure> {
        let mut pins = Vec::new();
        let module = import(store, &self.module, ImportBy::Copy, &mut pins).await?;
        let mut inputs = BTreeMap::new();
        for (name, source) in &self.inputs {
            inputs.insert(name.clone(), import(store, source, ImportBy::Auto, &mut pins).await?);
        }
        Ok(Imported { job: self.job(module, inputs), pins })
    }

    /// The job, made without a store: every part must be a file.
    pub(crate) fn hash(self) -> Result<JobSpec, Failure> {
        let module = hash(&self.module)?;
        let inputs = self.inputs.iter().map(|(name, source)| Ok((name.clone(), hash(source)?)));
        let inputs = inputs.collect::<Result<_, Failure>>()?;
        Ok(self.job(module, inputs))
    }

    /// The job, of named parts.
    fn job(self, module: BlobRef, inputs: BTreeMap<Name, BlobRef>) -> JobSpec {
        let Self { args, limits, profile, tolerances, .. } = self;
        JobSpec { module, args, inputs, limits, profile, tolerances }
    }
}

async fn import(store: &Store, source: &Source, by: ImportBy, pins: &mut Vec<Pin>) -> Result<BlobRef, Failure> {
    match source {
        Source::File(path) => {
            let (blob, pin) = store.import_file(path, by).await?;
            pins.push(pin);
            Ok(blob)
        }
        Source::Blob(hash) => Ok(BlobRef { hash: *hash, size_bytes: store.open_blob(hash).await?.size_bytes() }),
    }
}

fn hash(source: &Source) -> Result<BlobRef, Failure> {
    match source {
        Source::File(path) => hash_file(path)
            .map_err(|error| Failure::usage("input", format!("{} cannot be read: {error}", path.display()))),
        Source::Blob(hash) => {
            let why =
                format!("blob {hash} is named by its hash: the job's id needs its size too; name the file instead");
            Err(Failure::usage("input", why))
        }
    }
}

/// The name of a file's bytes.
pub(crate) fn hash_file(path: &Path) -> std::io::Result<BlobRef> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(std::io::Error::other("it is not a regular file"));
    }
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(std::fs::File::open(path)?)?;
    Ok(BlobRef { hash: Hash::from_bytes(*hasher.finalize().as_bytes()), size_bytes: hasher.count() })
}

/// Reads a profile.
pub(crate) fn profile(text: &str) -> Result<Profile, String> {
    match text {
        "exact" => Ok(Profile::Exact),
        "native" => Ok(Profile::Native),
        _ => Err("expected `exact` or `native`".to_owned()),
    }
}

/// Reads `NAME=TOLERANCE`.
fn tolerance(text: &str) -> Result<(Name, Tolerance), String> {
    let (name, tolerance) = text.split_once('=').ok_or("expected NAME=TOLERANCE, such as c.npy=ulp:4")?;
    Ok((name.parse().map_err(text_of)?, tolerance.parse().map_err(text_of)?))
}

fn text_of(error: impl std::fmt::Display) -> String {
    error.to_string()
}
