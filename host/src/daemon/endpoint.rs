//! One page over HTTP on this machine: the metrics. Just enough of the protocol for a scraper, and bounded.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// The longest request, in bytes.
const REQUEST_BYTES_MAX: usize = 8 << 10;
/// How long a request and its answer may take.
const TIME: Duration = Duration::from_secs(5);
/// Requests at once.
const REQUESTS_MAX: usize = 8;

/// Serves `text` at `/metrics` until the runtime ends.
pub(crate) async fn serve(
    address: SocketAddr,
    text: impl Fn() -> String + Send + Sync + 'static,
) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    let (text, room) = (Arc::new(text), Arc::new(Semaphore::new(REQUESTS_MAX)));
    tokio::spawn(async move {
        while let Ok(permit) = room.clone().acquire_owned().await {
            let Ok((stream, _)) = listener.accept().await else {
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            };
            let text = text.clone();
            tokio::spawn(async move {
                // A scraper that goes away in the middle has seen enough.
                let _ = timeout(TIME, answer(stream, &*text)).await;
                drop(permit);
            });
        }
    });
    Ok(address)
}

async fn answer(mut stream: TcpStream, text: &(dyn Fn() -> String + Send + Sync)) -> io::Result<()> {
    let mut request = Vec::new();
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        if request.len() > REQUEST_BYTES_MAX || stream.read_buf(&mut request).await? == 0 {
            return Ok(());
        }
    }
    let (status, body) = match request.strip_prefix(b"GET /metrics".as_slice()) {
        Some([b' ' | b'?', ..]) => ("200 OK", text()),
        _ => ("404 Not Found", "metrics are at /metrics\n".to_owned()),
    };
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await?;
    stream.shutdown().await
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn ask(address: SocketAddr, request: &str) -> String {
        let mut stream = TcpStream::connect(address).await.expect("connected");
        stream.write_all(request.as_bytes()).await.expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("read");
        answer
    }

    #[tokio::test]
    async fn one_page_and_no_other() {
        let address = serve(([127, 0, 0, 1], 0).into(), || "samebit_x 1\n".to_owned()).await.expect("bound");
        let page = ask(address, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").await;
        assert!(page.starts_with("HTTP/1.1 200 OK\r\n") && page.ends_with("\r\n\r\nsamebit_x 1\n"), "{page}");
        assert!(ask(address, "GET /metricsx HTTP/1.1\r\n\r\n").await.starts_with("HTTP/1.1 404"));
        assert_eq!(ask(address, &"x".repeat(REQUEST_BYTES_MAX + 100)).await, "");
    }
}
