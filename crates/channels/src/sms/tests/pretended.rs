//! A pretended service on this machine. It knows nothing of our signer: it takes each request
//! apart as it came in over the wire, and checks its signature with another implementation of the
//! algorithms.

use super::{CODE, MOBILE, NOW};
use ring::{digest, hmac};
use std::{
    collections::{BTreeMap, HashSet},
    sync::{Arc, Mutex},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
};
use tokio_rustls::TlsAcceptor;

pub(super) const KEY_ID: &str = "LTAI5tPretended";
pub(super) const SECRET: &str = "a-secret-of-the-test";

/// What the service does with a request whose signature is right.
#[derive(Clone, Copy)]
pub(super) enum Says {
    /// Takes the message.
    Ok,
    /// Answers this code with HTTP 200, and repeats number and code in its message.
    Code(&'static str),
    /// Writes this, as it stands, and hangs up.
    Raw(&'static str),
    /// Answers with more than anybody should read.
    TooMuch,
    /// Keeps the connection and says nothing.
    Nothing,
}

/// A request that came in with a right signature.
pub(super) struct Asked {
    pub(super) query: BTreeMap<String, String>,
    pub(super) nonce: String,
    /// Which connection it came over, from 0.
    pub(super) connection: usize,
}

/// The service; it ends with the test.
pub(super) struct Pretended {
    pub(super) port: u16,
    pub(super) asked: mpsc::UnboundedReceiver<Asked>,
}

/// What the service remembers.
struct Desk {
    port: u16,
    says: Says,
    nonces: Mutex<HashSet<String>>,
    asked: mpsc::UnboundedSender<Asked>,
}

impl Pretended {
    pub(super) async fn saying(says: Says) -> Self {
        Self::start(says, None).await
    }

    pub(super) async fn over_tls(says: Says, tls: TlsAcceptor) -> Self {
        Self::start(says, Some(tls)).await
    }

    async fn start(says: Says, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, asked) = mpsc::unbounded_channel();
        let nonces = Mutex::default();
        let desk = Arc::new(Desk {
            port,
            says,
            nonces,
            asked: sender,
        });
        tokio::spawn(async move {
            for connection in 0.. {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(meet(stream, connection, tls.clone(), Arc::clone(&desk)));
            }
        });
        Self { port, asked }
    }

    pub(super) fn was_asked(&mut self) -> bool {
        self.asked.try_recv().is_ok()
    }
}

async fn meet(stream: TcpStream, connection: usize, tls: Option<TlsAcceptor>, desk: Arc<Desk>) {
    match tls {
        None => desk.serve(stream, connection).await,
        // A client that does not trust us ends the handshake.
        Some(tls) => {
            if let Ok(stream) = tls.accept(stream).await {
                desk.serve(stream, connection).await;
            }
        }
    }
}

impl Desk {
    async fn serve(&self, mut stream: impl AsyncRead + AsyncWrite + Unpin, connection: usize) {
        while let Some(head) = read_head(&mut stream).await {
            let request = Request::parse(&head);
            if let Some(code) = self.refuses(&request) {
                let _ = stream.write_all(json(400, code, "").as_bytes()).await;
                continue;
            }
            let nonce = request.headers["x-acs-signature-nonce"].clone();
            let query = request.parameters();
            let asked = Asked {
                query,
                nonce,
                connection,
            };
            self.asked.send(asked).unwrap();
            let answer = match self.says {
                Says::Ok => json(200, "OK", r#","BizId":"9006197469364984400^0""#),
                Says::Code(code) => json(200, code, ""),
                Says::Raw(text) => text.to_owned(),
                Says::TooMuch => json(200, "OK", &too_much()),
                Says::Nothing => std::future::pending().await,
            };
            stream.write_all(answer.as_bytes()).await.unwrap();
            if matches!(self.says, Says::Raw(_)) {
                return;
            }
        }
    }

    /// The code that the service's gateway refuses with, in its order.
    fn refuses(&self, request: &Request) -> Option<&'static str> {
        let header = |name: &str| request.headers.get(name).map_or("", String::as_str);
        if header("x-acs-action") != "SendSms" || header("x-acs-version") != "2017-05-25" {
            return Some("InvalidAction.NotFound");
        }
        let Ok(date) = header("x-acs-date").parse::<jiff::Timestamp>() else {
            return Some("InvalidTimeStamp.Format");
        };
        if (date.as_millisecond() - NOW.0).abs() > 15 * 60_000 {
            return Some("InvalidTimeStamp.Expired");
        }
        if !header("host").ends_with(&format!(":{}", self.port)) || !request.is_signed() {
            return Some("SignatureDoesNotMatch");
        }
        let nonce = header("x-acs-signature-nonce").to_owned();
        (!self.nonces.lock().unwrap().insert(nonce)).then_some("SignatureNonceUsed")
    }
}

async fn read_head(stream: &mut (impl AsyncRead + Unpin)) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    Some(String::from_utf8(head).unwrap())
}

fn json(status: u16, code: &str, more: &str) -> String {
    let body = format!(
        r#"{{"Message":"{MOBILE} {CODE}","RequestId":"F655A8D5-B967","Code":"{code}"{more}}}"#
    );
    let length = body.len();
    format!("HTTP/1.1 {status} X\r\ncontent-length: {length}\r\n\r\n{body}")
}

/// What would be a good answer, were it shorter.
fn too_much() -> String {
    format!(r#","BizId":"1","Advice":"{}""#, "9".repeat(70_000))
}

/// A request as it came in.
struct Request {
    method: String,
    path: String,
    raw_query: String,
    headers: BTreeMap<String, String>,
}

impl Request {
    fn parse(head: &str) -> Self {
        let mut lines = head.trim_end().split("\r\n");
        let mut first = lines.next().unwrap().split(' ');
        let (method, target) = (first.next().unwrap(), first.next().unwrap());
        let (path, raw_query) = target.split_once('?').unwrap();
        let headers = lines.map(|line| {
            let (name, value) = line.split_once(':').unwrap();
            (name.to_ascii_lowercase(), value.trim().to_owned())
        });
        Self {
            method: method.to_owned(),
            path: path.to_owned(),
            raw_query: raw_query.to_owned(),
            headers: headers.collect(),
        }
    }

    /// Whether the request is signed with [`SECRET`] as [`KEY_ID`], and signs what it must.
    fn is_signed(&self) -> bool {
        let given = &self.headers["authorization"];
        let given = given.strip_prefix("ACS3-HMAC-SHA256 ").unwrap();
        let given: BTreeMap<_, _> = given
            .split(',')
            .map(|part| part.split_once('=').unwrap())
            .collect();
        let names: Vec<_> = given["SignedHeaders"].split(';').collect();
        let ours = self.headers.keys().filter(|name| {
            name.starts_with("x-acs-") || matches!(name.as_str(), "host" | "content-type")
        });
        let all_signed = ours.eq(&names);
        let body_hash = encoded(digest::digest(&digest::SHA256, b"").as_ref());
        let hash_named = self.headers["x-acs-content-sha256"] == body_hash;
        let is_empty = self
            .headers
            .get("content-length")
            .is_none_or(|it| it == "0");
        let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
        let expected = hmac::sign(&key, self.string_to_sign(&names, &body_hash).as_bytes());
        all_signed
            && hash_named
            && is_empty
            && given["Credential"] == KEY_ID
            && given["Signature"] == encoded(expected.as_ref())
    }

    fn string_to_sign(&self, names: &[&str], body_hash: &str) -> String {
        let mut parameters: Vec<_> = self.raw_query.split('&').collect();
        parameters.sort_unstable();
        let mut text = vec![self.method.clone(), self.path.clone(), parameters.join("&")];
        text.extend(
            names
                .iter()
                .map(|name| format!("{name}:{}", self.headers[*name])),
        );
        text.extend([String::new(), names.join(";"), body_hash.to_owned()]);
        let hash = digest::digest(&digest::SHA256, text.join("\n").as_bytes());
        format!("ACS3-HMAC-SHA256\n{}", encoded(hash.as_ref()))
    }

    fn parameters(&self) -> BTreeMap<String, String> {
        let pairs = self
            .raw_query
            .split('&')
            .map(|pair| pair.split_once('=').unwrap());
        pairs
            .map(|(name, value)| (decoded(name), decoded(value)))
            .collect()
    }
}

fn encoded(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn decoded(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), text.bytes());
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let digits = [rest.next().unwrap(), rest.next().unwrap()];
                u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
            }
            plain => plain,
        });
    }
    String::from_utf8(bytes).unwrap()
}
