//! Answers to `GET /metrics`, `/healthz` and `/readyz`. Of HTTP it speaks what Prometheus and health
//! checks need: one request a connection, no bodies.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use crate::metrics::{Metrics, Source};
use crate::wire::address::HostPort;
use crate::wire::{Error, server};

/// The most requests at once; more wait.
const AT_ONCE: usize = 8;
/// The longest request.
const MAX_REQUEST: usize = 8 * 1024;
/// How long a client may take over its request, we over the answer, and it over reading that.
const WITHIN: Duration = Duration::from_secs(10);
/// How long to wait when no connection can be taken, say for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

const TEXT: &str = "text/plain; charset=utf-8";
const FIGURES: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const INDEX: &str = "twinkle: /metrics, /healthz, /readyz\n";

/// Serves the figures there from now on, until told to stop.
///
/// # Errors
/// If the address cannot be listened on.
pub async fn start<S: Source>(
    address: &HostPort,
    metrics: Arc<Metrics>,
    source: S,
    stop: CancellationToken,
) -> Result<(), Error> {
    // What is told here opens no door.
    let listener = server::bind(address, true).await?;
    let address = listener.local_addr()?;
    info!("figures at http://{address}/metrics, health at /healthz and /readyz");
    if !address.ip().is_loopback() {
        warn!("whoever can reach {address} can read which devices there are, and how they fare");
    }
    tokio::spawn(serve(listener, metrics, Arc::new(source), stop));
    Ok(())
}

async fn serve<S: Source>(
    listener: TcpListener,
    metrics: Arc<Metrics>,
    source: Arc<S>,
    stop: CancellationToken,
) {
    let places = Arc::new(Semaphore::new(AT_ONCE));
    loop {
        let place = Arc::clone(&places).acquire_owned().await;
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => return,
        };
        let Ok((stream, address)) = accepted else {
            sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let (metrics, source) = (Arc::clone(&metrics), Arc::clone(&source));
        tokio::spawn(async move {
            let _place = place;
            match timeout(WITHIN, answer(stream, &metrics, &source)).await {
                Ok(Ok(())) => (),
                Ok(Err(cause)) => debug!("{address}: {cause}"),
                Err(_elapsed) => debug!("{address}: too slow"),
            }
        });
    }
}

async fn answer<S: Source>(
    mut stream: TcpStream,
    metrics: &Arc<Metrics>,
    source: &Arc<S>,
) -> io::Result<()> {
    let request = read_request(&mut stream).await?;
    let mut words = request.lines().next().unwrap_or_default().split(' ');
    let (method, target) = (words.next(), words.next().unwrap_or_default());
    let path = target.split('?').next().unwrap_or_default();
    let (status, kind, body) = match (method, path) {
        (Some("GET" | "HEAD"), "/metrics") => {
            let (metrics, source) = (Arc::clone(metrics), Arc::clone(source));
            // It may have to read the database, and flashes must not wait for that.
            let text = spawn_blocking(move || {
                source.refresh();
                metrics.text()
            });
            ("200 OK", FIGURES, text.await.map_err(io::Error::other)?)
        }
        (Some("GET" | "HEAD"), "/healthz") => verdict(source.alive().map(|()| "ok".to_owned())),
        (Some("GET" | "HEAD"), "/readyz") => verdict(source.ready().await),
        (Some("GET" | "HEAD"), "/") => ("200 OK", TEXT, INDEX.to_owned()),
        (Some("GET" | "HEAD"), _) => ("404 Not Found", TEXT, INDEX.to_owned()),
        _ => ("405 Method Not Allowed", TEXT, INDEX.to_owned()),
    };
    let length = body.len();
    let mut text = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\
         Cache-Control: no-store\r\nConnection: close\r\n\r\n"
    );
    if method != Some("HEAD") {
        text.push_str(&body);
    }
    stream.write_all(text.as_bytes()).await?;
    stream.shutdown().await
}

fn verdict(so: Result<String, String>) -> (&'static str, &'static str, String) {
    let (status, text) = match so {
        Ok(text) => ("200 OK", text),
        Err(text) => ("503 Service Unavailable", text),
    };
    (status, TEXT, text + "\n")
}

/// The request up to the empty line that ends it.
async fn read_request(stream: &mut TcpStream) -> io::Result<String> {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") && !bytes.ends_with(b"\n\n") {
        if bytes.len() >= MAX_REQUEST {
            return Err(io::Error::other("a request of more than 8 KiB"));
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
