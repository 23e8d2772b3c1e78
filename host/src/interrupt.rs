//! Ctrl-C.

/// Returns when the user asks the program to stop. Never, if that cannot be listened for.
pub(crate) async fn requested() {
    if let Err(error) = tokio::signal::ctrl_c().await {
        tracing::warn!("Ctrl-C cannot be listened for: {error}");
        std::future::pending::<()>().await;
    }
}
