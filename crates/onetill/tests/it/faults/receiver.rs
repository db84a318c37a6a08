//! A merchant's server that is notified of payments and top-ups. It fails now and then, so that
//! some notifications come twice.

use crate::support::process::Merchant;
use axum::{
    Router,
    extract::{RawQuery, State},
    http::StatusCode,
};
use bytes::Bytes;
use std::{
    collections::HashMap,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::{net::TcpListener, task::JoinHandle};
use wire::opengateway::{QueryString, received::Received, sign};

/// Every so many deliveries is answered with HTTP 500.
const FAILS_EVERY: usize = 29;

/// The server.
pub struct Receiver {
    address: SocketAddr,
    heard: Arc<Heard>,
    serving: JoinHandle<()>,
}

struct Heard {
    merchant: Merchant,
    /// How often each of the merchant's serials, or phones topped up, was acknowledged.
    acknowledged: Mutex<HashMap<String, usize>>,
    count: AtomicUsize,
}

impl Receiver {
    /// A server on a free port.
    pub async fn start() -> Self {
        let heard = Arc::new(Heard {
            merchant: Merchant::demo(),
            acknowledged: Mutex::default(),
            count: AtomicUsize::new(0),
        });
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let router = Router::new()
            .fallback(receive)
            .with_state(Arc::clone(&heard));
        let serving = tokio::spawn(async move {
            drop(axum::serve(listener, router).await);
        });
        Self {
            address,
            heard,
            serving,
        }
    }

    /// Where it wants to be notified.
    pub fn url(&self) -> String {
        format!("http://{}/paid?pid=7", self.address)
    }

    /// How often it acknowledged the sale, or the phone, `number`.
    pub fn acknowledged(&self, number: &str) -> usize {
        let all = self.heard.acknowledged.lock().expect("no panic");
        all.get(number).copied().unwrap_or_default()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn receive(
    State(heard): State<Arc<Heard>>,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> StatusCode {
    match heard.read(query.as_deref().unwrap_or_default(), &body) {
        Some(_) if heard.count.fetch_add(1, Ordering::Relaxed) % FAILS_EVERY == FAILS_EVERY - 1 => {
            StatusCode::INTERNAL_SERVER_ERROR
        }
        Some(number) => {
            let mut all = heard.acknowledged.lock().expect("no panic");
            *all.entry(number).or_default() += 1;
            StatusCode::OK
        }
        None => StatusCode::FORBIDDEN,
    }
}

impl Heard {
    /// What a notification that is signed as it must be is about: the merchant's serial, or the
    /// phone of a top-up.
    fn read(&self, query: &str, body: &[u8]) -> Option<String> {
        let query = QueryString::parse(query).ok()?;
        sign::verify(self.merchant.key(), &query.sign?, body).ok()?;
        let received = Received::decode(body).ok()?;
        let serial = received.field("CHARGE_CODE");
        serial.or_else(|| received.field("flow.phoneNo"))
    }
}
