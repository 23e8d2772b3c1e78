//! What can go wrong in a job, in words for whoever reads the outcome.
//!
//! The text of the [`Error`] that a job returns becomes part of its outcome. It says what the job was doing, why it was
//! refused, and, where the job's author can act on it, what to do.

use std::fmt::Display;

/// Why a job ended early.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An operation on buffers was refused.
    #[error("{operation}: {reason}")]
    Gpu {
        /// What the job was doing.
        operation: String,
        /// Why the host refused it.
        reason: GpuError,
    },
    /// A kernel was refused.
    #[error("{}", kernel_text(path, entry_point, reason))]
    Kernel {
        /// The kernel's file, as `kernel!` names it.
        path: String,
        /// Its entry point.
        entry_point: String,
        /// Why the host refused it.
        reason: KernelError,
    },
    /// An operation on an input or output was refused.
    #[error("{operation}: {reason}")]
    Data {
        /// What the job was doing.
        operation: String,
        /// Why the host refused it.
        reason: DataError,
    },
    /// Anything else, in the job's own words.
    #[error("{0}")]
    Message(String),
}

/// Why an operation on buffers was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GpuError {
    /// A range ends past the end of a buffer or input.
    #[error("the range ends past the end")]
    OutOfRange,
    /// An offset or size is not a multiple of what the operation demands.
    #[error(
        "an offset or size is not a multiple of what the operation demands: 256 bytes for the offset of a binding, 4 \
         bytes elsewhere"
    )]
    Misaligned,
    /// A size is zero, or over the interface's limit.
    #[error(
        "a size is zero or over a limit: a buffer has up to 268435456 bytes, a storage binding 134217728, a uniform \
         binding 65536, a dispatch 65535 workgroups along each axis"
    )]
    InvalidSize,
    /// The job's limit on GPU memory leaves no room.
    #[error("the job's limit on GPU memory leaves no room; drop buffers earlier, or raise the limit")]
    OutOfMemory,
    /// The job has no input of that name.
    #[error("the job has no such input; give it with --input NAME=PATH")]
    UnknownInput,
    /// A buffer is on both sides of a copy, or a dispatch writes it and uses it elsewhere.
    #[error(
        "the same buffer is on both sides of a copy, or written by a dispatch that also uses it elsewhere; use two \
         buffers"
    )]
    Aliased,
    /// The bindings are not those that the kernel declares.
    #[error(
        "the binding at @group({group}) @binding({binding}) is missing, unknown, given twice, or smaller than its type"
    )]
    BindingMismatch {
        /// `@group`
        group: u32,
        /// `@binding`
        binding: u32,
    },
}

/// Why a kernel was refused. Lines and columns count from 1; 0 where no place is known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KernelError {
    /// The text is not valid WGSL by the host's validation.
    #[error("the host found the kernel invalid; does it use another version of WGSL than this SDK checked?")]
    Invalid {
        /// The line of the text.
        line: u32,
        /// The column, in bytes.
        column: u32,
    },
    /// The text uses something outside the interface.
    #[error("the kernel uses something that the host's profile does not admit")]
    Unsupported {
        /// The line of the text.
        line: u32,
        /// The column, in bytes.
        column: u32,
    },
    /// No compute entry point has that name.
    #[error("no compute entry point has that name")]
    UnknownEntryPoint,
    /// An override constant is unknown, does not fit its type, or is missing.
    #[error(
        "the override constant `{0}` is unknown, does not fit its type, or has no default and was not given; set it \
         with `Kernel::constant`"
    )]
    BadConstant(String),
    /// The text is longer, or nests deeper, than the limits allow.
    #[error("the kernel is longer than 1048576 bytes or nests too deep")]
    TooLarge,
}

/// Why an operation on an input or output was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DataError {
    /// The job has no input of that name.
    #[error("the job has no such input; give it with --input NAME=PATH")]
    UnknownInput,
    /// A range ends past the end of an input or buffer.
    #[error("the range ends past the end")]
    OutOfRange,
    /// The text is not a name.
    #[error("a name has 1 to 128 of the characters A-Z a-z 0-9 . _ - and starts with a letter or digit")]
    InvalidName,
    /// The job has 4,096 outputs already.
    #[error("the job has 4096 outputs already")]
    TooManyOutputs,
}

fn kernel_text(path: &str, entry_point: &str, reason: &KernelError) -> String {
    match reason {
        KernelError::Invalid { line, column } | KernelError::Unsupported { line, column } if *line > 0 => {
            format!("{path}:{line}:{column}: {reason}")
        }
        _ => format!("{path} ({entry_point}): {reason}"),
    }
}

impl Error {
    pub(crate) fn gpu(operation: impl Display) -> impl FnOnce(GpuError) -> Self {
        move |reason| Self::Gpu { operation: operation.to_string(), reason }
    }

    pub(crate) fn data(operation: impl Display) -> impl FnOnce(DataError) -> Self {
        move |reason| Self::Data { operation: operation.to_string(), reason }
    }
}

impl From<String> for Error {
    fn from(message: String) -> Self {
        Self::Message(message)
    }
}

impl From<&str> for Error {
    fn from(message: &str) -> Self {
        Self::Message(message.to_owned())
    }
}

/// `?` on the errors that jobs meet most; [`Context`] takes any other.
macro_rules! from_errors {
    ($($error:ty),* $(,)?) => {
        $(impl From<$error> for Error {
            fn from(error: $error) -> Self {
                Self::Message(error.to_string())
            }
        })*
    };
}

from_errors!(
    Box<dyn std::error::Error>,
    Box<dyn std::error::Error + Send + Sync>,
    std::array::TryFromSliceError,
    std::fmt::Error,
    std::io::Error,
    std::num::ParseFloatError,
    std::num::ParseIntError,
    std::num::TryFromIntError,
    std::str::Utf8Error,
    std::string::FromUtf8Error,
);

/// Says what was being done when something failed, and makes an [`Error`] of it.
///
/// ```
/// use samebit_guest::{Context, Error};
///
/// fn radius(text: &str) -> Result<u32, Error> {
///     text.parse().context(format!("the radius `{text}`"))
/// }
/// assert_eq!(radius("x").unwrap_err().to_string(), "the radius `x`: invalid digit found in string");
/// assert_eq!(None::<u8>.context("no pixels").unwrap_err().to_string(), "no pixels");
/// ```
pub trait Context<T> {
    /// Puts `what: ` before the error's text. For an `Option`, `what` is the text.
    ///
    /// # Errors
    /// The error, or the absence, that was there before.
    fn context(self, what: impl Display) -> Result<T, Error>;
}

impl<T, E: Display> Context<T> for Result<T, E> {
    fn context(self, what: impl Display) -> Result<T, Error> {
        self.map_err(|error| Error::Message(format!("{what}: {error}")))
    }
}

impl<T> Context<T> for Option<T> {
    fn context(self, what: impl Display) -> Result<T, Error> {
        self.ok_or_else(|| Error::Message(what.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_kernel_names_its_line() {
        let refused = |reason| Error::Kernel { path: "kernels/a.wgsl".into(), entry_point: "main".into(), reason };
        let text = refused(KernelError::Unsupported { line: 3, column: 5 }).to_string();
        assert!(text.starts_with("kernels/a.wgsl:3:5: "), "{text}");
        let text = refused(KernelError::Invalid { line: 0, column: 0 }).to_string();
        assert!(text.starts_with("kernels/a.wgsl (main): "), "{text}");
        let text = refused(KernelError::BadConstant("N".into())).to_string();
        assert!(text.starts_with("kernels/a.wgsl (main): the override constant `N` "), "{text}");
    }

    #[test]
    fn common_errors_convert() {
        fn parse(text: &str) -> Result<u32, Error> {
            Ok(text.parse::<u32>()?)
        }
        assert_eq!(parse("12"), Ok(12));
        assert_eq!(parse("x"), Err(Error::Message("invalid digit found in string".into())));
        assert_eq!(Error::from("plain").to_string(), "plain");
    }
}
