//! A proxy that loses what a network can lose.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Notify,
};

/// What happens to the next request.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// It passes, and so does its answer.
    Pass,
    /// It reaches the server; the connection breaks before the answer comes.
    LoseAnswer,
    /// The connection breaks before it reaches the server.
    LoseRequest,
    /// As `LoseRequest` for the client, but the request lies in a buffer on the way and reaches
    /// the server after [`Proxy::release`].
    DelayRequest,
}

/// Stands between a store and its server. A mode other than `Pass` holds for one request.
pub(super) struct Proxy {
    pub(super) addr: SocketAddr,
    mode: Arc<Mutex<(u32, Mode)>>,
    release: Arc<Notify>,
    refuses: Arc<AtomicBool>,
}

impl Proxy {
    pub(super) async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = Self {
            addr: listener.local_addr().unwrap(),
            mode: Arc::new(Mutex::new((0, Mode::Pass))),
            release: Arc::new(Notify::new()),
            refuses: Arc::default(),
        };
        let (mode, release) = (Arc::clone(&proxy.mode), Arc::clone(&proxy.release));
        let refuses = Arc::clone(&proxy.refuses);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                if refuses.load(Ordering::Relaxed) {
                    continue;
                }
                let server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                tokio::spawn(carry(
                    client,
                    server,
                    Arc::clone(&mode),
                    Arc::clone(&release),
                ));
            }
        });
        proxy
    }

    pub(super) fn next(&self, mode: Mode) {
        self.after(0, mode);
    }

    /// Lets `passing` requests through first.
    pub(super) fn after(&self, passing: u32, mode: Mode) {
        *self.mode.lock().unwrap() = (passing, mode);
    }

    /// Whether new connections are closed at once.
    pub(super) fn refuse(&self, refuses: bool) {
        self.refuses.store(refuses, Ordering::Relaxed);
    }

    pub(super) fn release(&self) {
        self.release.notify_one();
    }
}

async fn carry(
    mut client: TcpStream,
    mut server: TcpStream,
    mode: Arc<Mutex<(u32, Mode)>>,
    release: Arc<Notify>,
) {
    let (mut up, mut down) = (vec![0; 1 << 20], vec![0; 1 << 20]);
    loop {
        tokio::select! {
            read = client.read(&mut up) => {
                let Ok(n @ 1..) = read else { return };
                let now = take(&mut mode.lock().unwrap());
                match now {
                    Mode::Pass => server.write_all(&up[..n]).await.unwrap(),
                    Mode::LoseRequest => return,
                    Mode::LoseAnswer => {
                        server.write_all(&up[..n]).await.unwrap();
                        // Close only when the server has answered, and so committed.
                        let _answer = server.read(&mut down).await;
                        return;
                    }
                    Mode::DelayRequest => {
                        drop(client);
                        release.notified().await;
                        drop(server.write_all(&up[..n]).await);
                        while matches!(server.read(&mut down).await, Ok(1..)) {}
                        return;
                    }
                }
            }
            read = server.read(&mut down) => {
                let Ok(n @ 1..) = read else { return };
                if client.write_all(&down[..n]).await.is_err() {
                    return;
                }
            }
        }
    }
}

fn take((passing, mode): &mut (u32, Mode)) -> Mode {
    if *passing > 0 {
        *passing -= 1;
        return Mode::Pass;
    }
    std::mem::replace(mode, Mode::Pass)
}
