//! A gateway with a store in memory, a sandbox and one merchant, and the page's routes before it.

use super::super::router;
use crate::{
    app::{
        Gateway, Rules,
        contradictions::Contradictions,
        directory::Directory,
        loyalty::{Loyalty, Sms},
        pay::{NewPayment, PayReply},
        payer_code::PayerCodes,
        serials::{NodeLease, SerialIssuer},
        settlements::Settlements,
        voucher::Vouchers,
    },
    outbound::TargetPolicy,
    vault::Vault,
};
use axum::{
    Router,
    body::Body,
    http::{HeaderMap, HeaderName, Request, StatusCode},
};
use channels::{
    Channels,
    sandbox::{InMemory, Sandbox, SandboxConfig},
};
use domain::{
    channel::ChannelNo,
    ids::{ClaimKey, MerchantNo, Serial, TenantId},
    merchant::{Merchant, MerchantSettings},
    money::Fen,
    payment::{Credential, Details, Flow, Payment, PaymentState},
    time::UnixMs,
};
use http_body_util::BodyExt;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use jiff::tz::{TimeZone, offset};
use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};
use store::{Clock, Engine, memory::Memory};

/// The time at the start of a test.
pub(super) const START_MS: i64 = 1_000_000_000;
pub(super) const ORDER_WINDOW_S: u32 = 300;
pub(super) const NAME: &str = "茶馆 \"<Tea>\"";
const SUBJECT: &str = "<script>alert('茶')</script> & {{style}}";
const CHANNEL: ChannelNo = ChannelNo(1);
/// What a browser sends.
pub(super) const HTML: &[(&str, &str)] = &[("accept", "text/html,*/*;q=0.8")];

pub(super) struct Rig {
    pub(super) gateway: Arc<Gateway>,
    pub(super) router: Router,
    now_ms: Arc<AtomicI64>,
}

pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) body: String,
    headers: HeaderMap,
}

impl Rig {
    pub(super) async fn new() -> Self {
        let now_ms = Arc::new(AtomicI64::new(START_MS));
        let time = Arc::clone(&now_ms);
        let clock: Clock = Arc::new(move || UnixMs(time.load(Ordering::Relaxed)));
        let memory = Arc::new(InMemory::default());
        let sandbox = Sandbox::new(Arc::clone(&clock), SandboxConfig::default(), memory);
        let sandbox = Arc::new(sandbox.unwrap());
        let gateway = Arc::new(gateway(&clock, &sandbox));
        Self {
            router: router(Arc::clone(&gateway), sandbox),
            gateway,
            now_ms,
        }
    }

    pub(super) fn pass_ms(&self, ms: i64) {
        self.now_ms.fetch_add(ms, Ordering::Relaxed);
    }

    /// An order that waits for its payer.
    pub(super) async fn order(&self, flow: Flow) -> Serial {
        self.order_as(flow, "M-0001 <b>").await
    }

    /// An order under a number of the merchant's own.
    pub(super) async fn order_as(&self, flow: Flow, merchant_serial: &str) -> Serial {
        let account = self.gateway.directory.find("tea").unwrap();
        let new = NewPayment {
            merchant_serial: merchant_serial.to_owned(),
            flow,
            channel: CHANNEL,
            price: Fen::new(123_450),
            voucher_code: None,
            window_s: None,
            details: Details {
                subject: SUBJECT.to_owned(),
                ..Details::default()
            },
        };
        match self.gateway.pay(&account, new).await.unwrap() {
            PayReply::Payment(payment) => payment.serial,
            PayReply::Repeat(_) => panic!("the number is used for the first time"),
            PayReply::NoVoucher(why) => panic!("no voucher was named: {why:?}"),
        }
    }

    pub(super) fn path(&self, serial: Serial) -> String {
        format!("/sandbox/pay/{serial}")
    }

    pub(super) async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Reply {
        self.send("GET", path, headers, "").await
    }

    pub(super) async fn post(&self, path: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        self.send("POST", path, headers, body).await
    }

    async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        let request = Request::builder().method(method).uri(path);
        let request = headers
            .iter()
            .fold(request, |it, (name, value)| it.header(*name, *value));
        let request = request.body(Body::from(body.to_owned())).unwrap();
        let service = TowerToHyperService::new(self.router.clone());
        let (parts, body) = service.call(request).await.unwrap().into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let body = String::from_utf8(body.to_vec()).unwrap();
        Reply {
            status: parts.status,
            headers: parts.headers,
            body,
        }
    }
}

impl Reply {
    pub(super) fn header(&self, name: HeaderName) -> String {
        self.headers.get(name).unwrap().to_str().unwrap().to_owned()
    }

    pub(super) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub(super) fn state(&self) -> String {
        self.json()["state"].as_str().unwrap().to_owned()
    }
}

/// A payment whose payer was given `link`.
pub(super) fn payment_with(link: &str, serial: Serial) -> Payment {
    Payment {
        tenant: TenantId(1),
        serial,
        merchant: MerchantNo(1),
        key: ClaimKey([0; 16]),
        merchant_serial: String::new(),
        flow: Flow::MerchantCode,
        channel: CHANNEL,
        amount: Fen::new(1),
        created_at: UnixMs(0),
        expires_at: UnixMs(1),
        details: Details::default(),
        credential: Some(Credential::Link(link.to_owned())),
        state: PaymentState::Open {
            cancel_requested: false,
        },
    }
}

fn gateway(clock: &Clock, sandbox: &Arc<Sandbox>) -> Gateway {
    let (engine, queue) = Engine::new(Arc::clone(clock));
    let memory = Memory::new();
    tokio::spawn(queue.serve(memory.clone()));
    Gateway {
        engine,
        reader: Arc::new(memory),
        channels: Channels::new().with(CHANNEL, Arc::clone(sandbox) as Arc<dyn channels::Channel>),
        recharge: None,
        sandbox: Some(Arc::clone(sandbox)),
        remote_sandbox: None,
        directory: directory(),
        loyalty: Loyalty::new(&vault(), Sms::Off, false),
        vouchers: Vouchers::new(&vault()),
        serials: SerialIssuer::new(
            NodeLease { node: 0, owner: 1 },
            UnixMs(0),
            UnixMs(i64::MAX),
            8 * 3600,
        ),
        settlements: Settlements::default(),
        owed: tokio::sync::Notify::new(),
        contradictions: Contradictions::default(),
        clock: Arc::clone(clock),
        rules: Rules {
            zone: TimeZone::fixed(offset(0)),
            window_s: 30,
            order_window_s: ORDER_WINDOW_S,
            payer_codes: PayerCodes::default(),
            voucher_prefix: String::new(),
            targets: TargetPolicy::default(),
        },
    }
}

fn vault() -> Vault {
    let dir = tempfile::tempdir().unwrap();
    Vault::open(dir.path()).unwrap()
}

fn directory() -> Directory {
    let vault = vault();
    let sealed_key = Directory::new(vault.clone()).seal_key("tea", "key");
    let merchant = Merchant {
        tenant: TenantId(1),
        no: MerchantNo(1),
        code: "tea".to_owned(),
        name: NAME.to_owned(),
        sealed_key: sealed_key.unwrap(),
        channels: vec![CHANNEL],
        suspended: false,
        settings: MerchantSettings::default(),
        updated_at: UnixMs(0),
    };
    Directory::of(vault, vec![merchant])
}
