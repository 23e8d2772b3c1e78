//! Ctrl-C, and what a service manager sends instead.

/// Returns when the user asks the program to stop. Never, if that cannot be listened for.
pub(crate) async fn requested() {
    if let Err(error) = tokio::signal::ctrl_c().await {
        tracing::warn!("Ctrl-C cannot be listened for: {error}");
        std::future::pending::<()>().await;
    }
}

/// Returns when somebody asks the program to end in its own time: by Ctrl-C, or by SIGTERM.
#[cfg(unix)]
pub(crate) async fn ended() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => tokio::select! {
            () = requested() => {}
            _ = terminate.recv() => {}
        },
        Err(error) => {
            tracing::warn!("SIGTERM cannot be listened for: {error}");
            requested().await;
        }
    }
}

/// Returns when somebody asks the program to end in its own time, by Ctrl-C.
#[cfg(not(unix))]
pub(crate) async fn ended() {
    requested().await;
}
