//! A whole gateway in this process, with a clock to set and teeth at its end.

use super::{eventually, http, till::Till};
use channels::sandbox::Held;
use domain::{ids::Serial, notification::Delivery, payment::Payment, time::UnixMs};
use onetill::{
    admin::{
        self, Request, demo, loyalty::demo as cards, merchants::MerchantChange, orders::OrderName,
    },
    app::{
        Gateway,
        compose::{Composed, compose},
        pay::payment_key,
        serials::LEASE_MS,
    },
    config::Options,
    inbound,
    outbound::{ATTEMPT_TIMEOUT, Sender},
    server::{Drained, Server},
    workers::{Workers, chase::Chaser, deliver::Deliverer, expiry},
};
use serde_json::Value;
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};
use store::{audit::AuditReport, contract::Snapshot};
use tempfile::TempDir;
use tokio::{sync::oneshot, task::JoinHandle};

/// When every test begins: 2026-11-22 07:50:00 in Shanghai.
pub const START: UnixMs = UnixMs(1_795_305_000_000);
/// The clock moves in steps shorter than the node's lease.
const STEP_MS: i64 = 10_000;

type Rig = Box<dyn FnOnce(&mut Gateway) + Send>;

/// Where the rows of a test live.
#[derive(Clone, Copy)]
pub enum Rows {
    Sqlite,
    Postgres,
}

/// How a gateway is to be set up: the demo with the sandbox unless told otherwise.
pub struct Setup {
    options: Options,
    rows: Rows,
    rig: Option<Rig>,
    attempt_timeout: Duration,
    cards: bool,
}

impl Setup {
    /// Loads the demo's stores, terminals and cards too.
    pub fn cards(mut self) -> Self {
        self.cards = true;
        self
    }

    /// Changes settings.
    pub fn options(mut self, change: impl FnOnce(&mut Options)) -> Self {
        change(&mut self.options);
        self
    }

    /// Keeps the rows elsewhere.
    pub fn rows(mut self, rows: Rows) -> Self {
        self.rows = rows;
        self
    }

    /// Changes the gateway itself, demo data loaded, before anybody can ask it.
    pub fn rig(mut self, rig: impl FnOnce(&mut Gateway) + Send + 'static) -> Self {
        self.rig = Some(Box::new(rig));
        self
    }

    /// Gives up an attempt to notify after this time.
    pub fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.attempt_timeout = timeout;
        self
    }

    /// Starts the gateway.
    pub async fn open(self) -> House {
        let dir = tempfile::tempdir().unwrap();
        let mut options = self.options;
        options.listen = Some(SocketAddr::from(([127, 0, 0, 1], 0)));
        options.data = Some(dir.path().to_owned());
        options.store = match self.rows {
            Rows::Sqlite => None,
            Rows::Postgres => Some(
                tokio::task::spawn_blocking(store::testing::database)
                    .await
                    .unwrap()
                    .unwrap(),
            ),
        };
        let time = Arc::new(AtomicI64::new(START.0));
        let mut config = options.check().unwrap();
        let server = Server::bind(config.server.clone()).await.unwrap();
        let address = server.addresses().http;
        let https = server.addresses().https;
        config.server.listen = address;
        let clock: store::Clock = {
            let time = Arc::clone(&time);
            Arc::new(move || UnixMs(time.load(Ordering::SeqCst)))
        };
        let mut composed = compose(&config, clock).await.unwrap();
        demo::load_merchants(&composed.gateway).await.unwrap();
        if self.cards {
            cards::load(&composed.gateway).await.unwrap();
        }
        if let Some(rig) = self.rig {
            rig(Arc::get_mut(&mut composed.gateway).unwrap());
        }
        let gateway = Arc::clone(&composed.gateway);
        let sender = Sender::new(config.rules.targets.clone(), self.attempt_timeout, None).unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let router = inbound::router(&gateway, config.failures);
        let server = tokio::spawn(server.run(router, async {
            let _ = stopped.await;
        }));
        House {
            address,
            https,
            time,
            running: Some(Running {
                workers: Workers::start(&gateway, sender.clone()),
                chaser: Chaser::new(Arc::clone(&gateway)),
                deliverer: Arc::new(Deliverer::new(Arc::clone(&gateway), sender)),
                composed,
                gateway,
                server,
                stop,
                _dir: dir,
            }),
        }
    }
}

struct Running {
    gateway: Arc<Gateway>,
    composed: Composed,
    workers: Workers,
    chaser: Chaser,
    deliverer: Arc<Deliverer>,
    server: JoinHandle<Drained>,
    stop: oneshot::Sender<()>,
    _dir: TempDir,
}

/// A running gateway. A test must [`end`](House::end) it, which proves its books.
pub struct House {
    /// Where it listens.
    pub address: SocketAddr,
    /// Where it speaks TLS, if it does.
    pub https: Option<SocketAddr>,
    time: Arc<AtomicI64>,
    running: Option<Running>,
}

impl House {
    /// A gateway to be set up.
    pub fn setup() -> Setup {
        let options = Options {
            demo: true,
            ..Options::default()
        };
        Setup {
            options,
            rows: Rows::Sqlite,
            rig: None,
            attempt_timeout: ATTEMPT_TIMEOUT,
            cards: false,
        }
    }

    /// A gateway as `serve --demo` starts it.
    pub async fn open() -> Self {
        Self::setup().open().await
    }

    /// A gateway with the demo's stores, terminals and cards.
    pub async fn with_cards() -> Self {
        Self::setup().cards().open().await
    }

    /// A gateway that waits for payers' codes for only 10 s.
    pub async fn impatient() -> Self {
        Self::setup()
            .options(|it| it.window_s = Some(10))
            .open()
            .await
    }

    fn running(&self) -> &Running {
        self.running.as_ref().unwrap()
    }

    /// The gateway.
    pub fn gateway(&self) -> &Arc<Gateway> {
        &self.running().gateway
    }

    /// The demo merchant's till, which speaks JSON.
    pub fn till(&self) -> Till<'_> {
        Till::new(self, demo::MERCHANT, demo::KEY)
    }

    /// The till of the other tenant's merchant.
    pub fn other_till(&self) -> Till<'_> {
        Till::new(self, demo::OTHER_MERCHANT, demo::OTHER_KEY)
    }

    /// The present.
    pub fn now(&self) -> UnixMs {
        UnixMs(self.time.load(Ordering::SeqCst))
    }

    /// Lets time pass at once, and the workers look at what is due now.
    pub async fn advance_s(&self, seconds: i64) {
        let mut left_ms = seconds * 1000;
        while left_ms > 0 {
            let step_ms = left_ms.min(STEP_MS);
            self.time.fetch_add(step_ms, Ordering::SeqCst);
            self.hold_lease();
            tokio::task::yield_now().await;
            left_ms -= step_ms;
        }
        self.nudge().await;
    }

    /// Sets the clock back.
    pub fn set_back_s(&self, seconds: i64) {
        self.time.fetch_sub(seconds * 1000, Ordering::SeqCst);
    }

    /// What the upkeep does every two real seconds, which are many when the clock is set.
    fn hold_lease(&self) {
        let until = self.now().plus_ms(LEASE_MS);
        self.gateway().serials.renewed(until);
    }

    /// Has the workers look now rather than within 200 ms.
    pub async fn nudge(&self) {
        self.running().chaser.run_once().await;
        self.running().deliverer.run_once().await;
        expiry::run_once(self.gateway()).await;
    }

    /// Does `work` while the clock runs thirty times as fast.
    pub async fn passing<T>(&self, work: impl Future<Output = T>) -> T {
        tokio::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return done,
                () = tokio::time::sleep(Duration::from_millis(33)) => self.advance_s(1).await,
            }
        }
    }

    /// The payer pays or declines on the order's page; gives the page's status.
    pub async fn payer(&self, serial: &str, action: &str) -> u16 {
        let path = format!("/sandbox/pay/{serial}");
        let call = http::post(&path, format!("action={action}"));
        http::send(self.address, &call).await.status
    }

    /// Changes the demo merchant.
    pub async fn set_merchant(&self, change: impl FnOnce(&mut MerchantChange)) {
        let mut wanted = MerchantChange {
            code: demo::MERCHANT.to_owned(),
            ..MerchantChange::default()
        };
        change(&mut wanted);
        self.admin(Request::SetMerchant(wanted)).await.unwrap();
    }

    /// Carries out an operator's request.
    pub async fn admin(&self, request: Request) -> Result<Value, String> {
        admin::handle(self.gateway(), request)
            .await
            .map_err(|error| error.0)
    }

    /// The demo merchant's payment as an operator names it.
    pub fn named(charge_code: &str) -> OrderName {
        OrderName {
            serial: charge_code.to_owned(),
            merchant: Some(demo::MERCHANT.to_owned()),
        }
    }

    /// An operator decides on a requested cancellation.
    pub async fn decide(&self, charge_code: &str, approve: bool) -> Result<Value, String> {
        let order = Self::named(charge_code);
        self.admin(Request::DecideOrder { order, approve }).await
    }

    /// The demo merchant's payment `charge_code` as it is stored.
    pub async fn stored(&self, charge_code: &str) -> Option<Payment> {
        let account = self.gateway().directory.find(demo::MERCHANT).unwrap();
        let key = payment_key(&account, charge_code);
        self.gateway().reader.payment(key).await.unwrap()
    }

    /// The payment once it satisfies `is_there`.
    pub async fn until(&self, charge_code: &str, is_there: impl Fn(&Payment) -> bool) -> Payment {
        eventually(&format!("{charge_code} as wanted"), async || {
            self.nudge().await;
            self.stored(charge_code).await.filter(&is_there)
        })
        .await
    }

    /// Waits until the payment's notification has been tried so often.
    pub async fn until_attempts(&self, charge_code: &str, attempts: usize) {
        let payment = self.stored(charge_code).await.unwrap();
        eventually(&format!("{attempts} attempts"), async || {
            self.nudge().await;
            let reader = &self.gateway().reader;
            let found = reader.notification(payment.tenant, payment.serial).await;
            let tried = usize::try_from(found.unwrap()?.attempts).unwrap();
            (tried == attempts).then_some(())
        })
        .await;
    }

    /// What the sandbox took and gave back for a payment.
    pub fn held(&self, serial: Serial) -> Option<Held> {
        self.gateway().sandbox.as_ref()?.held(serial)
    }

    /// What the sandbox still holds of the demo merchant's payment, in fen.
    pub async fn holds_fen(&self, charge_code: &str) -> i64 {
        let serial = self.stored(charge_code).await.unwrap().serial;
        self.held(serial).map_or(0, kept_fen)
    }

    /// All rows, proved.
    pub async fn audit(&self) -> AuditReport {
        let mut snapshot = self.gateway().reader.snapshot().await.unwrap();
        store::audit::audit(&mut *snapshot, &mut |_| {})
            .await
            .unwrap()
    }

    /// How many payments, refunds, top-ups, postings, jobs and notifications there are.
    pub async fn counts(&self) -> store::audit::Counts {
        self.audit().await.counts
    }

    /// Lets time pass until no work is left over.
    pub async fn drain(&self) {
        for _ in 0..4_000 {
            let figures = self.gateway().reader.figures().await.unwrap();
            let now = self.now();
            match figures.oldest_job_due_at {
                None => return,
                // Orders that nobody paid wait for hours: their time is over at once.
                Some(_) if self.opens_orders().await => self.advance_s(7_300).await,
                Some(due) if due > now => self.advance_s(due.since_ms(now) / 1000 + 1).await,
                Some(_) => {
                    self.nudge().await;
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
            }
        }
        panic!("work is left over: {:?}", self.counts().await);
    }

    async fn opens_orders(&self) -> bool {
        let now = self.now();
        let payments = all_payments(self).await;
        payments.iter().any(|it| {
            let open = matches!(it.state, domain::payment::PaymentState::Open { .. });
            open && it.expires_at > now
        })
    }

    /// Stops the gateway once no work is left over, and proves its books against the sandbox's.
    pub async fn end(self) {
        self.drain().await;
        let still_due = eventually_none(&self).await;
        assert_eq!(still_due, 0, "notifications have not ended");
        self.end_with_open_work().await;
    }

    /// Stops the gateway as it is, and proves its books.
    pub async fn end_with_open_work(mut self) {
        let report = self.audit().await;
        assert!(report.is_clean(), "{:#?}", report.violations);
        if report.counts.jobs == 0 {
            assert_books_agree(&self).await;
        }
        self.close().await;
    }

    /// Stops the gateway without a look at its store, which a test has broken.
    pub async fn close(&mut self) {
        let running = self.running.take().unwrap();
        let _ = running.stop.send(());
        assert_eq!(running.server.await.unwrap(), Drained::Clean);
        running.workers.stop().await;
        drop((running.chaser, running.deliverer, running.gateway));
        running.composed.close().await;
    }
}

impl Drop for House {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert!(self.running.is_none(), "a test must end its house");
        }
    }
}

fn kept_fen(held: Held) -> i64 {
    held.charged.get() - held.given_back.get()
}

/// How many notifications are still to be delivered, after a moment for those under way.
async fn eventually_none(house: &House) -> usize {
    let mut left = usize::MAX;
    for _ in 0..200 {
        house.nudge().await;
        let mut snapshot = house.gateway().reader.snapshot().await.unwrap();
        let all = snapshot.notifications(None, 1_000).await.unwrap();
        let is_due = |it: &&domain::notification::Notification| match it.delivery {
            Delivery::Due(_) => true,
            Delivery::Delivered(_) | Delivery::Dead(_) => false,
        };
        left = all.iter().filter(is_due).count();
        if left == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    left
}

async fn all_payments(house: &House) -> Vec<Payment> {
    let mut snapshot: Box<dyn Snapshot> = house.gateway().reader.snapshot().await.unwrap();
    snapshot.payments(None, 10_000).await.unwrap()
}

/// What the books say was kept is what the pretended wallet took and did not give back.
async fn assert_books_agree(house: &House) {
    for payment in all_payments(house).await {
        let books_fen = payment
            .paid()
            .map_or(0, |paid| payment.amount.get() - paid.refunded.get());
        let held_fen = house.held(payment.serial).map_or(0, kept_fen);
        let (code, state) = (&payment.merchant_serial, &payment.state);
        assert_eq!(held_fen, books_fen, "{code}: {state:?}");
    }
}
