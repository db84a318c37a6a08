//! The admin socket: a Unix socket in the data directory that only its owner can open. One
//! request a connection: a line of JSON each way.

use super::{AdminError, Request, handle};
use crate::app::Gateway;
use serde_json::Value;
use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{UnixListener, UnixStream},
    sync::watch,
};

/// The socket's name in the data directory.
pub const SOCKET_FILE: &str = "admin.sock";
/// The longest request, in bytes.
const REQUEST_BYTES_MAX: u64 = 1024 * 1024;
/// How long a caller may take to send its request.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// The socket of the data directory `data`.
#[must_use]
pub fn path(data: &Path) -> PathBuf {
    data.join(SOCKET_FILE)
}

/// Listens for requests. The caller holds the data directory's lock or knows that nobody else
/// listens.
///
/// # Errors
/// When the socket cannot be made.
pub fn bind(data: &Path) -> io::Result<UnixListener> {
    let path = path(data);
    match fs::remove_file(&path) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let listener = UnixListener::bind(&path)?;
    #[cfg(unix)]
    fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    Ok(listener)
}

/// Serves requests until told to stop.
pub async fn serve(
    listener: UnixListener,
    gateway: Arc<Gateway>,
    mut stopped: watch::Receiver<bool>,
) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopped.changed() => return,
        };
        match accepted {
            Ok((stream, _)) => {
                let gateway = Arc::clone(&gateway);
                tokio::spawn(async move {
                    if let Err(error) = answer(stream, &gateway).await {
                        tracing::debug!(%error, "an admin request broke off");
                    }
                });
            }
            Err(error) => {
                tracing::warn!(%error, "the admin socket");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn answer(stream: UnixStream, gateway: &Arc<Gateway>) -> io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut line = String::new();
    let mut reader = BufReader::new(read.take(REQUEST_BYTES_MAX));
    tokio::time::timeout(REQUEST_TIMEOUT, reader.read_line(&mut line)).await??;
    let result = match serde_json::from_str::<Request>(&line) {
        Ok(request) => handle(gateway, request).await,
        Err(error) => Err(AdminError::new(format!(
            "the request is not understood ({error}); is this command from another version?"
        ))),
    };
    let mut reply = serde_json::to_vec(&result)?;
    reply.push(b'\n');
    write.write_all(&reply).await
}

/// Sends `request` to the gateway that runs on `data`; `None` when none does.
///
/// # Errors
/// When the gateway broke off.
pub async fn call(data: &Path, request: &Request) -> io::Result<Option<Result<Value, AdminError>>> {
    let stream = match UnixStream::connect(path(data)).await {
        Ok(stream) => stream,
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused
            ) =>
        {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    let (read, mut write) = stream.into_split();
    let mut line = serde_json::to_vec(request)?;
    line.push(b'\n');
    write.write_all(&line).await?;
    let mut reply = String::new();
    BufReader::new(read).read_line(&mut reply).await?;
    Ok(Some(serde_json::from_str(&reply)?))
}
