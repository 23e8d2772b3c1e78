//! `cargo xtask test`: everything that must pass before a merge, but for formatting and lints.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::command::{capture, cargo, run as run_command};
use crate::terminal::step;
use crate::workspace::Workspace;
use crate::{plugins, setup};

const EXAMPLES: &str = "\
Without arguments for the runner, the examples in the documentation run as well.

Examples:
  cargo xtask test                          everything
  cargo xtask test -p samebit-engine        one crate
  cargo xtask test -E 'test(vulkan)'        by a filter of cargo-nextest
  cargo xtask test --vulkan                 fail, rather than skip, what needs a GPU driver";

/// Arguments of `cargo xtask test`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Run the tests that need a Vulkan driver even if none is found
    #[arg(long)]
    vulkan: bool,
    /// Arguments for `cargo nextest run`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    nextest: Vec<OsString>,
}

/// Sets up, builds the modules and runs the tests. The runner's summary is the last thing printed.
pub(crate) fn run(workspace: &Workspace, args: &Args) -> Result<()> {
    setup::run(workspace)?;
    plugins::build_all(workspace)?;
    // Building the tests also builds the program that they start, with the very same features: nothing is built twice.
    run_command(cargo(workspace.root()).args(["nextest", "run", "--workspace", "--no-run"]))?;
    let profile = profile(workspace, args.vulkan)?;
    let documented = if args.nextest.is_empty() {
        run_command(cargo(workspace.root()).args(["test", "--workspace", "--doc"]))
    } else {
        Ok(())
    };
    let mut nextest = cargo(workspace.root());
    nextest.args(["nextest", "run", "--profile", profile]);
    if !names_packages(&args.nextest) {
        nextest.arg("--workspace");
    }
    run_command(nextest.args(&args.nextest))?;
    documented.context("the tests passed, but examples in the documentation failed; see above")
}

/// Chooses what runs, and says so.
fn profile(workspace: &Workspace, is_forced: bool) -> Result<&'static str> {
    if is_forced {
        step("all tests run, those that need a Vulkan driver among them");
        return Ok("vulkan");
    }
    let devices = devices(&workspace.samebit())?;
    if devices == 0 {
        step(
            "no GPU driver is found: the tests that need one are skipped (on Debian: apt-get install mesa-vulkan-drivers)",
        );
        return Ok("default");
    }
    step(&format!("{devices} GPU adapter(s) found: all tests run"));
    Ok("vulkan")
}

/// How many adapters `samebit devices` sees. That there is none is an answer; anything that is not one is an error,
/// since tests would be skipped in silence.
fn devices(samebit: &Path) -> Result<usize> {
    let output = capture(Command::new(samebit).args(["devices", "--json"]))?;
    let text = String::from_utf8_lossy(&output.stdout);
    count(&text).with_context(|| format!("`samebit devices --json` answered `{}` ({})", text.trim(), output.status))
}

/// How many GPUs of a list can be used: they have an index, which the reference device has not.
fn count(answer: &str) -> Result<usize> {
    let value: Value = serde_json::from_str(answer).context("not JSON")?;
    let list = value.as_array().context("no list of devices")?;
    Ok(list.iter().filter(|device| device["index"].is_number() && device["unsuitable"].is_null()).count())
}

fn names_packages(args: &[OsString]) -> bool {
    args.iter().any(|arg| {
        let arg = arg.to_string_lossy();
        arg.starts_with("-p") || arg == "--package" || arg.starts_with("--package=") || arg == "--workspace"
    })
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    #[test]
    fn what_follows_is_for_the_runner() {
        let args = Line::parse_from(["test", "--vulkan", "-E", "test(limit)", "--vulkan"]).args;
        assert!(args.vulkan);
        assert_eq!(args.nextest, ["-E", "test(limit)", "--vulkan"]);
    }

    #[test]
    fn devices_are_counted_and_nonsense_is_not_zero() {
        assert_eq!(count("[]").expect("a list"), 0);
        assert_eq!(count(r#"[{"index": null}, {"index": 0}]"#).expect("a list"), 1);
        assert_eq!(
            count(r#"[{"index": 0, "unsuitable": null}, {"index": 1, "unsuitable": "too small"}]"#).expect("a list"),
            1
        );
        count("").expect_err("nothing");
        count(r#"{"error": "x"}"#).expect_err("no list");
    }

    #[test]
    fn packages_are_seen_among_the_arguments() {
        assert!(names_packages(&["-p".into(), "samebit-spec".into()]));
        assert!(names_packages(&["--package=samebit-spec".into()]));
        assert!(!names_packages(&["-E".into(), "test(limit)".into()]));
    }
}
