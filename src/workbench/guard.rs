//! Who is let in: this machine's own page, by the token in the address, and nobody else.

use crate::domain::hex;
use hyper::header::{HOST, HeaderMap, ORIGIN};
use hyper::http::request::Parts;
use hyper::{Method, StatusCode};
use std::fmt;
use subtle::ConstantTimeEq as _;

/// What nobody can guess: 256 bits, the first piece of every path.
#[derive(Clone)]
pub struct Token(String);

impl Token {
    /// A token of random bytes; the library draws none.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(hex(&bytes))
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Token {
    /// Not the token: it enters no message.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token")
    }
}

/// The name of what is asked for, below the token.
///
/// # Errors
/// The status to answer with: the request is not of our own page.
pub(super) fn admit(parts: &Parts, port: u16, token: &Token) -> Result<String, StatusCode> {
    let forbidden = Err(StatusCode::FORBIDDEN);
    // Another name that leads to this machine is somebody else's page (DNS rebinding).
    let names = [format!("127.0.0.1:{port}"), format!("localhost:{port}")];
    let Some(host) = only(&parts.headers, HOST.as_str()) else { return forbidden };
    if !names.iter().any(|name| name == host) || parts.uri.authority().is_some() {
        return forbidden;
    }
    if parts.headers.contains_key(ORIGIN)
        && only(&parts.headers, ORIGIN.as_str()) != Some(&*format!("http://{host}"))
    {
        return forbidden;
    }
    // `none` is the address typed or opened from outside; anything but our own page may only do that.
    let site = parts.headers.contains_key("sec-fetch-site");
    let site = if site { only(&parts.headers, "sec-fetch-site").or(Some("")) } else { None };
    let is_opening = parts.method == Method::GET;
    if !matches!((site, is_opening), (None | Some("same-origin"), _) | (Some("none"), true)) {
        return forbidden;
    }
    let path = parts.uri.path().strip_prefix('/').unwrap_or_default();
    let Some((given, name)) = path.split_once('/') else { return forbidden };
    if !bool::from(given.as_bytes().ct_eq(token.0.as_bytes())) {
        return forbidden;
    }
    if parts.method != Method::GET && parts.method != Method::POST {
        return Err(StatusCode::METHOD_NOT_ALLOWED);
    }
    Ok(name.to_owned())
}

/// The value of a header that stands exactly once.
fn only<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    if values.next().is_some() { None } else { value.to_str().ok() }
}
