//! Requests in, pages and answers out, on 127.0.0.1 alone.

use super::bench::{Asked, Workbench};
use super::guard::{Token, admit};
use super::page;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// Every lever of a large law, moved.
const BODY_BYTES: usize = 1 << 20;
const HEADER_BYTES: usize = 16 << 10;
const MOST_HEADERS: usize = 64;
/// Connections at a time; a browser opens six.
const CONNECTIONS: usize = 64;
/// For the headers, and for the body.
const PATIENCE: Duration = Duration::from_secs(10);

/// Nothing from elsewhere, nothing kept, nothing framed.
const HEADERS: [(&str, &str); 8] = [
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("cache-control", "no-store"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
];

/// A port of this machine, taken.
#[derive(Debug)]
pub struct Door {
    listener: TcpListener,
    port: u16,
}

impl Door {
    /// Takes a port of 127.0.0.1; zero is any that is free.
    ///
    /// # Errors
    /// When it is taken.
    pub fn open(port: u16) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        listener.set_nonblocking(true)?;
        let port = listener.local_addr()?.port();
        Ok(Self { listener, port })
    }

    /// The address to open.
    #[must_use]
    pub fn url(&self, token: &Token) -> String {
        format!("http://127.0.0.1:{}/{token}/", self.port)
    }
}

/// Serves the page until the program is ended.
///
/// # Errors
/// When the system gives no more connections.
pub fn serve(door: Door, token: Token, bench: Workbench) -> io::Result<Infallible> {
    let served = Arc::new(Served {
        port: door.port,
        token,
        html: page::html(bench.texts()),
        bench: Arc::new(bench),
        desk: Arc::new(Semaphore::new(1)),
    });
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
    runtime.block_on(listen(door.listener, served))
}

struct Served {
    port: u16,
    token: Token,
    html: String,
    bench: Arc<Workbench>,
    /// One answer at a time: each takes all threads.
    desk: Arc<Semaphore>,
}

async fn listen(listener: TcpListener, served: Arc<Served>) -> io::Result<Infallible> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return Err(io::Error::other("no place for a connection"));
        };
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            // Whoever knocked has gone.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => continue,
            Err(error) => return Err(error),
        };
        let served = Arc::clone(&served);
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let served = Arc::clone(&served);
                async move { Ok::<_, Infallible>(answered(request, &served).await) }
            });
            let mut builder = http1::Builder::new();
            builder
                .timer(TokioTimer::new())
                .header_read_timeout(PATIENCE)
                .max_buf_size(HEADER_BYTES)
                .max_headers(MOST_HEADERS);
            // A connection that breaks concerns nobody but the page that held it.
            let _ = builder.serve_connection(TokioIo::new(stream), service).await;
            drop(place);
        });
    }
}

async fn answered(request: Request<Incoming>, served: &Served) -> Response<Full<Bytes>> {
    let (parts, body) = request.into_parts();
    let found = match admit(&parts, served.port, &served.token) {
        Err(status) => Err(status),
        Ok(name) if parts.method == Method::GET => get(&name, served),
        Ok(name) => {
            let is_json =
                parts.headers.get(CONTENT_TYPE).is_some_and(|of| of == "application/json");
            if is_json {
                post(&name, body, served).await
            } else {
                Err(StatusCode::UNSUPPORTED_MEDIA_TYPE)
            }
        }
    };
    let (status, kind, content) = match found {
        Ok((kind, content)) => (StatusCode::OK, kind, content),
        Err(status) => {
            let reason = status.canonical_reason().unwrap_or_default();
            (status, "text/plain; charset=utf-8", Bytes::from_static(reason.as_bytes()))
        }
    };
    let mut response = Response::new(Full::new(content));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

type Found = Result<(&'static str, Bytes), StatusCode>;

const JSON: &str = "application/json";

fn get(name: &str, served: &Served) -> Found {
    match name {
        "" => Ok(("text/html; charset=utf-8", Bytes::from(served.html.clone()))),
        "desk.json" => Ok((JSON, Bytes::from(served.bench.told().to_string()))),
        name => page::file(name)
            .map(|(kind, text)| (kind, Bytes::from_static(text.as_bytes())))
            .ok_or(StatusCode::NOT_FOUND),
    }
}

async fn post(name: &str, body: Incoming, served: &Served) -> Found {
    if !matches!(name, "answer.json" | "overlay.toml") {
        return Err(StatusCode::NOT_FOUND);
    }
    let read = Limited::new(body, BODY_BYTES).collect();
    let body = match tokio::time::timeout(PATIENCE, read).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(_)) => return Err(StatusCode::PAYLOAD_TOO_LARGE),
        Err(_) => return Err(StatusCode::REQUEST_TIMEOUT),
    };
    let asked: Asked = serde_json::from_slice(&body).map_err(|_| StatusCode::BAD_REQUEST)?;
    if name == "overlay.toml" {
        return Ok(("application/toml", Bytes::from(served.bench.overlay(&asked))));
    }
    let bench = Arc::clone(&served.bench);
    let turn = Arc::clone(&served.desk).acquire_owned().await;
    let answer = tokio::task::spawn_blocking(move || {
        let answer = bench.answer(&asked).to_string();
        drop(turn);
        answer
    });
    match answer.await {
        Ok(answer) => Ok((JSON, Bytes::from(answer))),
        Err(_) => Err(StatusCode::INTERNAL_SERVER_ERROR),
    }
}
