//! The way from a till to a gateway and back: the dialect's own bytes, in this process.

use super::{
    node::{Life, Nodes},
    wallet::Wallet,
    world::World,
};
use axum::{
    body::Body,
    extract::ConnectInfo,
    http::{Request, header},
};
use domain::ids::{MerchantNo, TenantId};
use http_body_util::BodyExt;
use hyper::service::Service;
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use store::gate::Acknowledged;
use tokio::sync::oneshot;
use wire::opengateway::{
    Encryption, Format, MerchantKey,
    call::{Call, Caller},
    received::Received,
};

/// A merchant of the run.
pub struct Shop {
    /// What callers know it by.
    pub code: String,
    /// Its key.
    pub key: MerchantKey,
    /// Its account.
    pub owner: (TenantId, MerchantNo),
    /// Identical requests get the first one's answer.
    pub replays: bool,
}

impl Shop {
    /// What its calls have in common.
    #[must_use]
    pub fn caller<'a>(&'a self, timestamp: &'a str) -> Caller<'a> {
        Caller {
            busi_code: &self.code,
            key: &self.key,
            timestamp,
            format: Format::Json,
            encryption: Encryption::None,
        }
    }
}

/// Where tills stand: what they reach, and what they were told.
pub struct Counter {
    /// The world.
    pub world: Arc<World>,
    /// The payers' wallet.
    pub wallet: Arc<Wallet>,
    /// The gateways.
    pub nodes: Arc<Nodes>,
    told: Mutex<Acknowledged>,
}

/// What became of a request.
pub enum Exchange<T> {
    /// No gateway was there to connect to.
    Unsent,
    /// No reply came.
    Unanswered,
    /// The status, and what came with it.
    Reply(u16, T),
}

impl Counter {
    /// A counter in front of `nodes`.
    #[must_use]
    pub fn new(world: &Arc<World>, nodes: &Arc<Nodes>, wallet: &Arc<Wallet>) -> Arc<Self> {
        Arc::new(Self {
            world: Arc::clone(world),
            wallet: Arc::clone(wallet),
            nodes: Arc::clone(nodes),
            told: Mutex::default(),
        })
    }

    /// What tills asked for and were told.
    pub fn told(&self) -> MutexGuard<'_, Acknowledged> {
        // A panic in between leaves whole facts.
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends a merchant's `call` and waits for the document, if the reply is one.
    pub async fn exchange(&self, call: Call) -> Exchange<Option<Received>> {
        match self.send(call).await {
            Exchange::Unsent => Exchange::Unsent,
            Exchange::Unanswered => Exchange::Unanswered,
            Exchange::Reply(status, body) => Exchange::Reply(status, Received::decode(&body).ok()),
        }
    }

    /// Sends `call` and waits for the reply, not for ever.
    pub async fn send(&self, call: Call) -> Exchange<Vec<u8>> {
        self.send_as(call, None).await
    }

    /// The same, showing a token.
    pub async fn send_as(&self, call: Call, token: Option<&str>) -> Exchange<Vec<u8>> {
        let world = &self.world;
        world.count(|it| it.requests += 1);
        let Some(life) = self.nodes.pick(world) else {
            return Exchange::Unsent;
        };
        let on_the_way = world.strikes(world.mix.till_lost);
        let on_the_way_back = world.strikes(world.mix.till_lost);
        let impatient = world.strikes(world.mix.impatient);
        let patience_ms = world.within(if impatient { 1..3_000 } else { 15_000..110_000 });
        let answered = async {
            if on_the_way {
                return None;
            }
            let patience = Duration::from_millis(patience_ms);
            let reply = tokio::time::timeout(patience, handled(&life, call, token));
            life.pulse.through(reply).await?.ok()?
        };
        match answered.await {
            Some((status, body)) if !on_the_way_back => Exchange::Reply(status, body),
            Some(_) | None => {
                world.count(|it| it.unanswered += 1);
                Exchange::Unanswered
            }
        }
    }
}

/// The reply of a gateway, which handles the request to its end whatever its client does.
async fn handled(life: &Arc<Life>, call: Call, token: Option<&str>) -> Option<(u16, Vec<u8>)> {
    let (answer, answered) = oneshot::channel();
    let request = request(call, token);
    let life = Arc::clone(life);
    tokio::spawn(async move {
        life.pulse.touch("before a request").await;
        let Some(request) = request else { return };
        let Ok(response) = life.router.call(request).await;
        let (parts, body) = response.into_parts();
        let Ok(body) = body.collect().await else {
            return;
        };
        life.pulse.touch("before a reply").await;
        // The client may have gone.
        let _ = answer.send((parts.status.as_u16(), body.to_bytes().to_vec()));
    });
    answered.await.ok()
}

fn request(call: Call, token: Option<&str>) -> Option<Request<Body>> {
    let peer = ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 9)));
    let mut request = Request::builder().method(call.method).uri(call.target);
    if let Some(token) = token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    request.extension(peer).body(Body::from(call.body)).ok()
}
