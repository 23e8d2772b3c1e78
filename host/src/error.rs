//! Every error that ends the program, with its exit code.
//!
//! Exit codes are part of the interface; they are documented with each command. Here, and nowhere else, an error of a
//! crate below becomes one of them.

use samebit_runner::engine::EngineError;
use samebit_runner::spec::ReceiptError;
use samebit_runner::store::{DatabaseError, ExportError, ImportError, OpenError, ReadError, ReceiptsError};
use samebit_runner::{CommitError, CompileError, FetchError, RunError, SignError};

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done; for `verify`, a match.
    Ok,
    /// The job ended in a failure that is an outcome; for `verify`, a mismatch.
    Negative,
    /// Bad usage or input; for `verify`, not a receipt.
    Usage,
    /// This machine could not; for `verify`, unchecked.
    Host,
    /// Ctrl-C.
    Interrupted,
}

impl Exit {
    /// The code.
    pub(crate) fn code(self) -> i32 {
        match self {
            Self::Ok => 0,
            Self::Negative => 1,
            Self::Usage => 2,
            Self::Host => 3,
            Self::Interrupted => 130,
        }
    }
}

/// Why a command came to nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    exit: Exit,
    kind: &'static str,
    message: String,
}

impl Failure {
    /// What the user gave cannot be used.
    pub(crate) fn usage(kind: &'static str, message: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, kind, message: message.into() }
    }

    /// What was asked for came to an end that every machine agrees is a bad one.
    pub(crate) fn negative(kind: &'static str, message: impl Into<String>) -> Self {
        Self { exit: Exit::Negative, kind, message: message.into() }
    }

    /// This machine could not do what was asked.
    pub(crate) fn host(kind: &'static str, message: impl Into<String>) -> Self {
        Self { exit: Exit::Host, kind, message: message.into() }
    }

    /// The user asked to stop.
    pub(crate) fn interrupted() -> Self {
        Self { exit: Exit::Interrupted, kind: "interrupted", message: "interrupted: no receipt was written".to_owned() }
    }

    /// The user asked to stop, and what was done by then is not lost.
    pub(crate) fn interrupted_after(message: impl Into<String>) -> Self {
        Self { exit: Exit::Interrupted, kind: "interrupted", message: message.into() }
    }

    /// A bug.
    pub(crate) fn panicked(error: &tokio::task::JoinError) -> Self {
        Self::host("bug", format!("the program failed: {error}; please report it"))
    }

    /// How the program ends.
    pub(crate) fn exit(&self) -> Exit {
        self.exit
    }

    /// A word for programs.
    pub(crate) fn kind(&self) -> &'static str {
        self.kind
    }

    /// What happened: why; what to do.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        Self::host("store", error.to_string())
    }
}

impl From<DatabaseError> for Failure {
    fn from(error: DatabaseError) -> Self {
        Self::host("store", error.to_string())
    }
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Missing(_) => Self::usage("missing", error.to_string()),
            _ => Self::host("store", error.to_string()),
        }
    }
}

impl From<ReceiptsError> for Failure {
    fn from(error: ReceiptsError) -> Self {
        Self::host("store", error.to_string())
    }
}

impl From<ImportError> for Failure {
    fn from(error: ImportError) -> Self {
        match error {
            ImportError::Missing(_)
            | ImportError::IsFolder(_)
            | ImportError::NotRegular(_)
            | ImportError::Permission(_)
            | ImportError::Changed(_)
            | ImportError::NotText(_) => Self::usage("input", error.to_string()),
            _ => Self::host("store", error.to_string()),
        }
    }
}

impl From<ExportError> for Failure {
    fn from(error: ExportError) -> Self {
        match error {
            ExportError::TargetIsFolder(_) => Self::usage("output", error.to_string()),
            _ => Self::host("output", error.to_string()),
        }
    }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        Self::host("engine", error.to_string())
    }
}

impl From<FetchError> for Failure {
    fn from(error: FetchError) -> Self {
        match error {
            FetchError::Job(_) => Self::usage("job", error.to_string()),
            FetchError::Limit(_) => Self::usage("limit", error.to_string()),
            FetchError::Missing(_) => Self::usage("missing", error.to_string()),
            FetchError::Size { .. } => Self::usage("input", error.to_string()),
            FetchError::ModuleTooLarge(_) => Self::usage("module", error.to_string()),
            _ => Self::host("store", error.to_string()),
        }
    }
}

impl From<CompileError> for Failure {
    fn from(error: CompileError) -> Self {
        match error {
            CompileError::Refused(_) | CompileError::NoCompare(_) => Self::usage("module", error.to_string()),
            _ => Self::host("compiler", error.to_string()),
        }
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        use samebit_runner::engine::RunError as Engine;
        let kind = match &error {
            RunError::Engine(Engine::Device(_)) => "device",
            RunError::Engine(Engine::WallTime(_)) => "wall-time",
            RunError::Engine(Engine::Memory(_)) => "memory",
            RunError::Engine(Engine::Output(_)) => "output",
            RunError::Engine(Engine::Input { .. }) | RunError::InputChanged { .. } => "input",
            _ => "bug",
        };
        Self::host(kind, error.to_string())
    }
}

impl From<CommitError> for Failure {
    fn from(error: CommitError) -> Self {
        Self::host("output", error.to_string())
    }
}

impl From<SignError> for Failure {
    fn from(error: SignError) -> Self {
        Self::host("receipt", error.to_string())
    }
}

impl From<ReceiptError> for Failure {
    fn from(error: ReceiptError) -> Self {
        Self::usage("receipt", error.to_string())
    }
}
