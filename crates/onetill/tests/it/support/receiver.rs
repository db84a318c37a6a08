//! A merchant's server that is notified, and behaves as it is told.

use super::{eventually, till::Answer};
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use wire::opengateway::{MerchantKey, query::QueryString, seal, sign};

/// What the receiver does with a message.
#[derive(Clone)]
pub enum Manner {
    /// Answers with this status.
    Status(u16),
    /// Sends the caller elsewhere.
    Redirect(String),
    /// Says nothing.
    Hang,
}

/// A message as it arrived.
#[derive(Clone, Debug)]
pub struct Message {
    /// Path and query.
    pub target: String,
    /// The request's head.
    pub head: String,
    /// The body.
    pub body: Vec<u8>,
}

impl Message {
    /// The plaintext, once its signature is proved as the source tells receivers to.
    pub fn opened(&self, key: &MerchantKey) -> Vec<u8> {
        let (_, query) = self.target.split_once('?').unwrap();
        let query = QueryString::parse(query).unwrap();
        let plaintext = match query.encryption {
            wire::opengateway::Encryption::None => self.body.clone(),
            wire::opengateway::Encryption::TripleDes => seal::open(key, &self.body).unwrap(),
        };
        let given = query.sign.unwrap();
        assert_eq!(sign::verify(key, &given, &plaintext), Ok(()));
        plaintext
    }

    /// The document, proved.
    pub fn read(&self, key: &MerchantKey) -> Answer {
        Answer::read(&self.opened(key))
    }
}

/// The receiver.
pub struct Receiver {
    address: SocketAddr,
    messages: Arc<Mutex<Vec<Message>>>,
    serving: JoinHandle<()>,
}

impl Receiver {
    /// A receiver that does with its `n`th message (from 0) what `manner` says.
    pub async fn start(manner: impl Fn(usize) -> Manner + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let messages = Arc::new(Mutex::new(Vec::new()));
        let (kept, manner) = (Arc::clone(&messages), Arc::new(manner));
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (kept, manner) = (Arc::clone(&kept), Arc::clone(&manner));
                tokio::spawn(async move { serve(stream, &kept, &*manner).await });
            }
        });
        Self {
            address,
            messages,
            serving,
        }
    }

    /// A receiver that takes everything.
    pub async fn polite() -> Self {
        Self::start(|_| Manner::Status(200)).await
    }

    /// Its address with a path and a query.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// What has arrived.
    pub fn messages(&self) -> Vec<Message> {
        self.messages.lock().unwrap().clone()
    }

    /// The first `count` messages, as soon as there are so many.
    pub async fn receive(&self, count: usize) -> Vec<Message> {
        eventually(&format!("{count} messages"), async || {
            let messages = self.messages();
            (messages.len() >= count).then_some(messages)
        })
        .await
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(
    mut stream: TcpStream,
    kept: &Mutex<Vec<Message>>,
    manner: &(dyn Fn(usize) -> Manner + Send + Sync),
) {
    let Some(message) = read(&mut stream).await else {
        return;
    };
    let number = {
        let mut kept = kept.lock().unwrap();
        kept.push(message);
        kept.len() - 1
    };
    let reply = match manner(number) {
        Manner::Status(status) => {
            format!("HTTP/1.1 {status} Told\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        }
        Manner::Redirect(to) => format!(
            "HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        ),
        Manner::Hang => {
            // The caller hangs up.
            let _ = stream.read(&mut [0]).await;
            return;
        }
    };
    let _ = stream.write_all(reply.as_bytes()).await;
}

async fn read(stream: &mut TcpStream) -> Option<Message> {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let count = stream.read(&mut chunk).await.ok().filter(|it| *it > 0)?;
        bytes.extend_from_slice(&chunk[..count]);
        let Some(end) = bytes.windows(4).position(|it| it == b"\r\n\r\n") else {
            continue;
        };
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length")
                .then(|| value.trim().parse::<usize>().unwrap())
        });
        if bytes.len() >= end + 4 + length.unwrap_or(0) {
            return Some(Message {
                target: head.split(' ').nth(1).unwrap().to_owned(),
                body: bytes[end + 4..].to_vec(),
                head,
            });
        }
    }
}
