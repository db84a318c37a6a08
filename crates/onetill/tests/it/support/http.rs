//! The smallest HTTP client: it sends exactly the bytes it is given, so that a test may send what
//! no library would.

use std::{net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use wire::opengateway::call::Call;

/// How long an answer is waited for: a test that would never end fails.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(120);

/// A reply.
#[derive(Debug)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// Status line and headers.
    pub head: String,
    /// The body.
    pub body: Vec<u8>,
}

impl Reply {
    /// Reads a whole reply.
    pub fn read(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|it| it == b"\r\n\r\n").unwrap();
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Self {
            status,
            head,
            body: bytes[end + 4..].to_vec(),
        }
    }

    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().skip(1);
        lines.find_map(|line| {
            let (known, value) = line.split_once(':')?;
            known.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }
}

/// A request's bytes: its line, the headers that must be, `headers` (each ending in CR LF), and
/// its body.
pub fn request(call: &Call, headers: &str) -> Vec<u8> {
    let (method, target) = (call.method, &call.target);
    let mut bytes = format!(
        "{method} {target} HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\
         Content-Length: {}\r\n{headers}\r\n",
        call.body.len()
    )
    .into_bytes();
    bytes.extend_from_slice(&call.body);
    bytes
}

/// Sends a call and reads the whole reply.
pub async fn send(address: SocketAddr, call: &Call) -> Reply {
    exchange(address, &request(call, "")).await
}

/// Sends bytes and reads the whole reply.
pub async fn exchange(address: SocketAddr, bytes: &[u8]) -> Reply {
    let whole = async {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        let mut reply = Vec::new();
        stream.read_to_end(&mut reply).await.unwrap();
        Reply::read(&reply)
    };
    timeout(ANSWER_TIMEOUT, whole).await.expect("an answer")
}

/// A GET of `target`.
pub fn get(target: &str) -> Call {
    Call {
        method: "GET",
        target: target.to_owned(),
        body: Vec::new(),
    }
}

/// A POST of `body` to `target`.
pub fn post(target: &str, body: impl Into<Vec<u8>>) -> Call {
    Call {
        method: "POST",
        target: target.to_owned(),
        body: body.into(),
    }
}
