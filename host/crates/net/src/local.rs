//! The daemon's local socket: a Unix socket in the store's folder, which the file system keeps to its owner.
//!
//! Everybody who can open it is the user, so a connection is [`Peer::Local`](crate::Peer::Local) without further proof. Each connection is
//! one stream of the protocol. Other platforms have no local socket yet, and commands there work without the daemon.

use std::io;
use std::path::Path;

#[cfg(unix)]
pub use unix::{LocalListener, open};

#[cfg(not(unix))]
pub use elsewhere::open;

/// The socket's name in the store's folder.
pub const SOCKET_NAME: &str = "daemon.sock";

/// A client of the daemon whose socket is at `path`. Whether it answers shows with the first question.
pub fn client(path: &Path) -> crate::Client {
    crate::Client::new(crate::client::Link::Socket(path.into()))
}

#[cfg(unix)]
mod unix {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::path::PathBuf;
    use std::sync::Arc;

    use tokio::net::{UnixListener, UnixStream};

    use super::{Path, io};
    use crate::{Peer, Server};

    /// Accepts programs of this user's. The socket is removed when this is dropped.
    #[derive(Debug)]
    pub struct LocalListener {
        listener: UnixListener,
        path: PathBuf,
    }

    impl LocalListener {
        /// Listens at `path`, for its owner alone. A socket that a dead daemon left there is replaced, so the caller
        /// must hold the store that it stands for.
        pub fn bind(path: &Path) -> io::Result<Self> {
            match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let listener = UnixListener::bind(path)?;
            fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
            Ok(Self { listener, path: path.to_owned() })
        }

        /// Serves until the server stops.
        pub async fn serve(&self, server: Server) {
            loop {
                let stream = tokio::select! {
                    accepted = self.listener.accept() => match accepted {
                        Ok((stream, _)) => stream,
                        Err(error) => {
                            // Out of file descriptors, most likely: others must end first.
                            tracing::warn!("the local socket cannot accept: {error}");
                            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                            continue;
                        }
                    },
                    () = server.stopped() => return,
                };
                match server.connect(Peer::Local) {
                    Ok(connection) => {
                        tokio::spawn(async move {
                            let (incoming, outgoing) = stream.into_split();
                            Arc::new(connection).serve(incoming, outgoing).await;
                        });
                    }
                    Err(refusal) => tracing::warn!("a local program was turned away: {refusal}"),
                }
            }
        }
    }

    impl Drop for LocalListener {
        fn drop(&mut self) {
            let _ = fs::remove_file(&self.path);
        }
    }

    /// Opens a stream to the daemon.
    pub async fn open(path: &Path) -> io::Result<UnixStream> {
        UnixStream::connect(path).await
    }
}

#[cfg(not(unix))]
mod elsewhere {
    use super::{Path, io};

    /// There is no daemon to open a stream to.
    pub async fn open(_path: &Path) -> io::Result<tokio::io::DuplexStream> {
        Err(io::ErrorKind::Unsupported.into())
    }
}
