//! Many connections at once, from many addresses of the loopback.

use super::PATIENCE;
use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};

/// How many connections share an address.
const PER_ADDRESS: usize = 500;

/// Connections that stay open until it is dropped.
pub struct Crowd(Vec<Option<TcpStream>>);

async fn connect(to: SocketAddr, number: usize) -> TcpStream {
    let host = u8::try_from(2 + number / PER_ADDRESS).expect("few addresses");
    for _ in 0..200 {
        let socket = TcpSocket::new_v4().expect("a socket");
        let from = SocketAddr::from((Ipv4Addr::new(127, 0, 1, host), 0));
        socket.bind(from).expect("an address of the loopback");
        if let Ok(stream) = socket.connect(to).await {
            stream.set_nodelay(true).expect("a socket");
            return stream;
        }
        // The queue of those who wait to be accepted was full.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("no connection to {to}");
}

impl Crowd {
    /// `count` connections of which each says `text` and waits. What a server that refuses to
    /// listen does not take is not said.
    pub async fn saying(to: SocketAddr, count: usize, text: &[u8]) -> Self {
        let mut crowd = Vec::with_capacity(count);
        for number in 0..count {
            let mut stream = connect(to, number).await;
            let said = stream.write_all(text);
            let _ = tokio::time::timeout(Duration::from_millis(200), said).await;
            crowd.push(Some(stream));
        }
        Self(crowd)
    }

    /// `count` connections that each had one answer and are kept.
    pub async fn keeping(to: SocketAddr, count: usize) -> Self {
        let request = b"GET /health/live HTTP/1.1\r\nhost: t\r\n\r\n";
        let mut crowd = Self::saying(to, count, request).await;
        for stream in crowd.0.iter_mut().flatten() {
            let mut reply = Vec::new();
            while !reply.ends_with(b"live\n") {
                let read = tokio::time::timeout(PATIENCE, stream.read_buf(&mut reply)).await;
                let bytes = read.expect("an answer").expect("an answer");
                assert!(bytes > 0, "closed");
            }
        }
        crowd
    }

    /// Each says more, if anybody still listens.
    pub async fn say(&mut self, text: &[u8]) {
        for stream in self.0.iter_mut().flatten() {
            let _ = stream.write_all(text).await;
        }
    }

    /// Whether the server has ended all of them.
    pub async fn all_ended(&mut self) -> bool {
        for place in &mut self.0 {
            if let Some(stream) = place {
                let mut buffer = [0; 1024];
                let ended = match stream.try_read(&mut buffer) {
                    Ok(bytes) => bytes == 0,
                    Err(error) => error.kind() != std::io::ErrorKind::WouldBlock,
                };
                if ended {
                    *place = None;
                }
            }
        }
        tokio::task::yield_now().await;
        self.0.iter().all(Option::is_none)
    }
}

/// Sends `bytes` one by one; what is answered until the server closes.
pub async fn in_single_bytes(to: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = connect(to, 0).await;
    for byte in bytes {
        stream.write_all(&[*byte]).await.expect("a listener");
        tokio::task::yield_now().await;
    }
    rest(stream).await
}

/// Sends `bytes`, as many as are taken, and nothing more; what is answered until the server closes.
pub async fn exchange(to: SocketAddr, bytes: &[u8]) -> String {
    let (mut read, mut write) = connect(to, 0).await.into_split();
    let said = async {
        // A server that has heard enough closes: that is no failure of this test.
        let _ = write.write_all(bytes).await;
        let _ = write.shutdown().await;
    };
    let mut reply = Vec::new();
    let heard = async {
        let _ = read.read_to_end(&mut reply).await;
    };
    let both = async { tokio::join!(said, heard) };
    tokio::time::timeout(PATIENCE, both).await.expect("an end");
    String::from_utf8_lossy(&reply).into_owned()
}

async fn rest(mut stream: TcpStream) -> String {
    let mut reply = Vec::new();
    let read = stream.read_to_end(&mut reply);
    let _ = tokio::time::timeout(PATIENCE, read).await.expect("an end");
    String::from_utf8_lossy(&reply).into_owned()
}
