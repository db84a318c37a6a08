//! One keep-alive connection, with the least work a client can do: the generator shares its
//! cores with the gateway, and whatever it spends is missing there.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use wire::opengateway::call::Call;

/// Replies are small; a larger one is a fault.
const REPLY_BYTES_MAX: usize = 1024 * 1024;
/// The `Content-Type` of dialects 1 and 3.
pub(super) const JSON: &str = "application/json";
/// Before the code of a reply of dialect 1.
const CODE: &str = "\"CODE\":\"";
/// Before that of dialect 2.
const STATUS: &str = "\"status\":\"";
/// Before that of dialect 3.
const RETURN_CODE: &str = "\"returnCode\":\"";

/// The header line that tells what bodies are.
pub(super) fn content_type(of: &str) -> String {
    format!("Content-Type: {of}\r\n")
}

/// What is looked at of a reply.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reply<'a> {
    /// The HTTP status.
    pub(super) status: u16,
    /// The body.
    pub(super) body: &'a str,
    /// Whether the server keeps the connection.
    is_kept: bool,
    /// Bytes of head and body.
    length: usize,
}

/// A connection to the gateway, opened when it is needed. No `Debug`: its headers may let a partner in.
pub(super) struct WireClient {
    address: SocketAddr,
    headers: String,
    stream: Option<TcpStream>,
    sent: Vec<u8>,
    received: Vec<u8>,
}

impl WireClient {
    /// A connection on which requests with a body have these header lines, each with its end.
    pub(super) fn new(address: SocketAddr, headers: String) -> Self {
        Self {
            address,
            headers,
            stream: None,
            sent: Vec::with_capacity(2048),
            received: Vec::with_capacity(4096),
        }
    }

    /// Whether the next exchange has to connect first.
    pub(super) const fn is_closed(&self) -> bool {
        self.stream.is_none()
    }

    /// Sends a request and hands its reply to `look`. Any trouble closes the connection.
    pub(super) async fn exchange<T>(
        &mut self,
        call: &Call,
        look: impl FnOnce(&Reply<'_>) -> T,
    ) -> io::Result<T> {
        let mut stream = self.open().await?;
        self.write_request(call);
        stream.write_all(&self.sent).await?;
        self.received.clear();
        loop {
            if let Some(reply) = parse(&self.received)? {
                let seen = look(&reply);
                if reply.is_kept && reply.length == self.received.len() {
                    self.stream = Some(stream);
                }
                return Ok(seen);
            }
            if self.received.len() > REPLY_BYTES_MAX {
                return Err(io::Error::other("the reply is too long"));
            }
            if stream.read_buf(&mut self.received).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    async fn open(&mut self) -> io::Result<TcpStream> {
        if let Some(stream) = self.stream.take() {
            return Ok(stream);
        }
        let stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    fn write_request(&mut self, call: &Call) {
        self.sent.clear();
        let mut put = |text: &str| self.sent.extend_from_slice(text.as_bytes());
        put(call.method);
        put(" ");
        put(&call.target);
        put(" HTTP/1.1\r\nHost: gateway\r\n");
        if call.method == "POST" {
            put(&self.headers);
            put("Content-Length: ");
            put(&call.body.len().to_string());
            put("\r\n");
        }
        put("\r\n");
        self.sent.extend_from_slice(&call.body);
    }
}

/// The reply at the front of `bytes`; `None` while some of it is missing.
fn parse(bytes: &[u8]) -> io::Result<Option<Reply<'_>>> {
    let Some(head_length) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
        return Ok(None);
    };
    let head = bytes.get(..head_length).unwrap_or_default();
    let head = std::str::from_utf8(head).map_err(|_| malformed())?;
    let (status, length, is_kept) = read_head(head).ok_or_else(malformed)?;
    let length = head_length.saturating_add(4).saturating_add(length);
    let Some(body) = bytes.get(head_length.saturating_add(4)..length) else {
        return Ok(None);
    };
    let body = std::str::from_utf8(body).map_err(|_| malformed())?;
    Ok(Some(Reply {
        status,
        body,
        is_kept,
        length,
    }))
}

/// Status, length of the body, and whether the connection is kept.
fn read_head(head: &str) -> Option<(u16, usize, bool)> {
    let mut lines = head.split("\r\n");
    let status = lines
        .next()?
        .strip_prefix("HTTP/1.1 ")?
        .get(..3)?
        .parse()
        .ok()?;
    let mut length = None;
    let mut is_kept = true;
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().ok();
        } else if name.eq_ignore_ascii_case("connection") {
            is_kept = !value.trim().eq_ignore_ascii_case("close");
        }
    }
    Some((status, length?, is_kept))
}

fn malformed() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        "not a reply with a Content-Length",
    )
}

impl Reply<'_> {
    /// `CODE`, or the HTTP status of a reply that has none.
    pub(super) fn code(&self) -> String {
        self.told(CODE)
    }

    /// `status`, or the HTTP status of a reply that has none.
    pub(super) fn status_code(&self) -> String {
        self.told(STATUS)
    }

    /// `returnCode`, or the HTTP status of a reply that has none.
    pub(super) fn return_code(&self) -> String {
        self.told(RETURN_CODE)
    }

    fn told(&self, start: &str) -> String {
        match self.value(start) {
            Some(code) if self.status == 200 => code.to_owned(),
            Some(_) | None => format!("HTTP_{}", self.status),
        }
    }

    /// Whether the HTTP status is 200.
    pub(super) const fn is_ok(&self) -> bool {
        self.status == 200
    }

    /// Whether `CODE` is `code`.
    pub(super) fn has_code(&self, code: &str) -> bool {
        self.has(CODE, code)
    }

    /// Whether `status` is `code`.
    pub(super) fn has_status(&self, code: &str) -> bool {
        self.has(STATUS, code)
    }

    /// Whether `returnCode` is `code`.
    pub(super) fn has_return_code(&self, code: &str) -> bool {
        self.has(RETURN_CODE, code)
    }

    /// The gateway's serial.
    pub(super) fn gateway_serial(&self) -> Option<&str> {
        self.value("\"CHARGE_DOWN_CODE\":\"")
    }

    fn has(&self, start: &str, code: &str) -> bool {
        self.status == 200 && self.value(start) == Some(code)
    }

    /// The text between `start` and the next quote.
    fn value(&self, start: &str) -> Option<&str> {
        let (_, rest) = self.body.split_once(start)?;
        rest.split_once('"').map(|(value, _)| value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 20\r\ndate: now\r\n\r\n\
        {\"CODE\":\"SUCCESS\"}  ";

    #[test]
    fn waits_for_all_of_a_reply() {
        for end in 0..OK.len() {
            assert_eq!(parse(&OK[..end]).unwrap(), None);
        }
        let reply = parse(OK).unwrap().unwrap();
        assert!(reply.has_code("SUCCESS") && reply.is_kept && reply.length == OK.len());
    }

    #[test]
    fn tells_status_and_code_apart() {
        let busy = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        let reply = parse(busy).unwrap().unwrap();
        assert_eq!((reply.code().as_str(), reply.is_kept), ("HTTP_503", false));
        let refused =
            b"HTTP/1.1 200 OK\r\nContent-Length: 28\r\n\r\n{\"status\":\"51\",\"message\":\"\"}";
        let reply = parse(refused).unwrap().unwrap();
        assert!(reply.has_status("51") && !reply.has_status("00"));
        assert_eq!((&*reply.status_code(), &*reply.code()), ("51", "HTTP_200"));
        assert!(parse(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
        assert!(parse(b"SSH-2.0\r\n\r\n").is_err());
    }
}
