//! `samebit key`.

use clap::Subcommand;
use serde_json::json;

use crate::config::Config;
use crate::error::{Exit, Failure};
use crate::key;
use crate::machine::open_store;
use crate::output::Output;

const AFTER: &str = "\
The key lies in the store's folder, in the file `key`, which only its owner can read. `samebit
run` makes one when it first needs one.

Exit codes:
  0    done
  2    there is no key to show, or one to be replaced
  3    the key cannot be read or written

Examples:
  samebit key show
  samebit key export --secret > key.backup";

/// Arguments of `samebit key`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

/// What to do with the key.
#[derive(Debug, Subcommand)]
enum What {
    /// Make this host's key
    Create,
    /// Show the public key, and where the key is
    Show,
    /// Print the public key alone
    Export {
        /// Print the secret key instead. Whoever has it can sign receipts as this host
        #[arg(long)]
        secret: bool,
    },
}

/// Runs the command.
pub(crate) async fn run(args: &Args, config: &Config, output: &Output) -> Result<Exit, Failure> {
    let path = config.key();
    let key = match args.what {
        What::Create if path.exists() => return Err(key::KeyError::Exists(path).into()),
        What::Create => {
            // The store makes its folder itself, and refuses one that holds something else already.
            let store = open_store(config.store(), output).await?;
            let key = key::create(&path);
            store.close().await?;
            key?
        }
        What::Show | What::Export { .. } => key::load(&path)?,
    };
    if let What::Export { secret } = args.what {
        let text = if secret { key::secret_text(&key) } else { key.public().to_string() };
        if secret {
            output.note("warning: whoever has this key can sign receipts as this host; keep it to yourself");
        }
        let name = if secret { "secret" } else { "public" };
        output.answer(|| json!({ name: text }), |lines| lines.line(&text));
        return Ok(Exit::Ok);
    }
    output.answer(
        || json!({ "public": key.public().to_string(), "path": path.display().to_string() }),
        |text| {
            text.field("host", key.public());
            text.field("key", path.display());
        },
    );
    Ok(Exit::Ok)
}
