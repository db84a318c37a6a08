//! The gateway, if one runs on this data directory.

use super::Finding;
use crate::{admin::socket, cli::call::Http, config::Config};
use std::{io::ErrorKind, time::Duration};
use tokio::net::UnixStream;
use wire::opengateway::call::Call;

const PATIENCE: Duration = Duration::from_secs(5);

/// Whether a gateway runs, as which process, and whether it is ready.
pub(super) async fn examine(config: &Config) -> (Option<i32>, Vec<Finding>) {
    let path = socket::path(&config.data);
    let connected = UnixStream::connect(&path).await;
    let peer = connected.as_ref().ok().and_then(|it| it.peer_cred().ok());
    let findings = match connected {
        Ok(_) => vec![
            Finding::ok("gateway: one runs on this data directory"),
            ready(config).await,
        ],
        Err(error) if error.kind() == ErrorKind::PermissionDenied => vec![Finding::warn(
            format!("gateway: {}: {error}", path.display()),
            "run this as the user that the gateway runs as",
        )],
        Err(_) => vec![Finding::ok("gateway: none runs on this data directory")],
    };
    (peer.and_then(|peer| peer.pid()), findings)
}

/// Asks the address of the settings, which a gateway with other flags need not have.
async fn ready(config: &Config) -> Finding {
    let listen = config.server.listen;
    let host = if listen.ip().is_unspecified() {
        "127.0.0.1".to_owned()
    } else {
        match listen.ip() {
            std::net::IpAddr::V4(ip) => ip.to_string(),
            std::net::IpAddr::V6(ip) => format!("[{ip}]"),
        }
    };
    let url = format!("http://{host}:{}/health/ready", listen.port());
    let advice = format!("if it listens elsewhere, add --listen; else see its log ({url})");
    let call = Call {
        method: "GET",
        target: String::new(),
        body: Vec::new(),
    };
    let Ok(http) = url.parse().map(|parsed| Http::new(&parsed, PATIENCE, None)) else {
        return Finding::warn("gateway: its address is odd", advice);
    };
    let answer = match http {
        Ok(http) => http.send(&url, &call).await,
        Err(error) => return Finding::warn(format!("gateway: {error}"), advice),
    };
    match answer {
        Ok(answer) if answer.status == 200 => Finding::ok(format!("gateway: ready at {listen}")),
        Ok(answer) => {
            let text = String::from_utf8_lossy(&answer.body).trim().to_owned();
            let what = format!("gateway: HTTP {} ({text})", answer.status);
            Finding::fail(what, "see its log")
        }
        Err(_) => Finding::warn(format!("gateway: not reached at {listen}"), advice),
    }
}
