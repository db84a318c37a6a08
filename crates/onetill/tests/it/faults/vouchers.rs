//! Partners of dialect 3 while gateways are killed: each activates and voids reels of its own, sends
//! what got no answer again at whichever gateway answers, and holds them to what it was told. Tills
//! pay with the codes meanwhile, many with the same.

use super::{
    fleet::Fleet,
    sale::{Sale, Told},
    till::Till,
};
use crate::support::process::{Client, HttpReply, Process};
use domain::{
    money::Fen,
    voucher::{
        stock::Shape,
        ticket::{Terms, Validity},
    },
};
use onetill::admin::{
    Request as Asked, socket,
    voucher::{
        self,
        boxes::{BoxEnd, BoxKey, Contents, ExportPage, NewBox},
        demo,
        tickets::NewTicket,
    },
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{sync::watch, task::JoinSet};
use wire::{
    opengateway::call::Call,
    voucher::{
        Action, CodeStatus, Request, ReturnCode, TraceKind,
        reply::{Reply, Tree},
        request::{Activate, Codes, ExtendData, Item, Items, ResultQuery, TraceQuery},
    },
};

const PARTNERS: usize = 3;
/// What one use of a code pays, in fen; the wallet's part ends in the same two digits as the price.
pub const FACE_FEN: i64 = 100;
/// How often a code may be used.
const USES: u32 = 2;
const SHAPE: Shape = Shape {
    packages: 10,
    reels: 40,
    codes: 5,
};
const TICKET: u32 = 500_900;
const ACTIVITY: u32 = 500_706;
/// Tills draw from the codes that were activated last.
const SHOWN: usize = 40;
/// Between two changes of a partner: tills are to have the gateways too.
const PAUSE: Duration = Duration::from_millis(40);
/// How often a partner may find no gateway before it says so.
const TRIES_MAX: u32 = 1_500;

/// Codes that customers hold.
#[derive(Clone, Default)]
pub struct Pool(Arc<Mutex<Vec<String>>>);

/// A reel by its name, with its codes.
#[derive(Clone, Debug)]
struct Reel {
    name: String,
    codes: Vec<String>,
}

/// A change that a partner asked for.
#[derive(Clone, Debug)]
struct Change {
    action: Action,
    number: String,
    names: Vec<String>,
    /// The codes that it changes.
    codes: Vec<String>,
    told: Option<ReturnCode>,
    order_no: Option<String>,
    round: u32,
}

/// A partner's middleware.
struct Partner {
    number: usize,
    gateways: Vec<SocketAddr>,
    at: usize,
    client: Client,
    pool: Pool,
    /// Reels that are not sold yet.
    stock: Vec<Reel>,
    changes: Vec<Change>,
    round: u32,
}

/// The partners, and the codes they sold.
pub struct Vouchers {
    all: Vec<Partner>,
    /// What tills draw from.
    pub pool: Pool,
}

/// What they did, and what was found of it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    /// Activations and voids that were acknowledged.
    pub changed: usize,
    /// Voids that were refused, because a payment has or had a code.
    pub in_use: usize,
    /// Uses that paid and stand.
    pub used: usize,
    /// Uses that came back.
    pub given_back: usize,
}

impl Pool {
    /// A code that somebody shows; the same ones are shown at many tills.
    pub fn draw(&self, roll: u64) -> Option<String> {
        let codes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let shown = &codes[codes.len().saturating_sub(SHOWN)..];
        let count = u64::try_from(shown.len()).expect("a short list");
        let index = roll.checked_rem(count)?;
        Some(shown[usize::try_from(index).expect("an index")].clone())
    }

    fn add(&self, codes: &[String]) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.extend_from_slice(codes);
    }
}

impl Vouchers {
    /// Issues a box of the demo's partner, which its desks share out among themselves.
    pub async fn open(fleet: &Fleet) -> Self {
        let reels = issue(&fleet.gateways[0]).await;
        let addresses: Vec<_> = fleet.gateways.iter().map(|it| it.recipe.address).collect();
        let pool = Pool::default();
        let all = (0..PARTNERS).map(|number| {
            let theirs = reels.iter().skip(number).step_by(PARTNERS);
            Partner {
                number,
                client: Client::new(addresses[number % addresses.len()]),
                gateways: addresses.clone(),
                at: number,
                pool: pool.clone(),
                stock: theirs.cloned().collect(),
                changes: Vec::new(),
                round: 0,
            }
        });
        let all = all.collect();
        Self { all, pool }
    }

    /// Sends them all to work until told to stop; [`Vouchers::come_back`] takes them back.
    pub fn work(&mut self, round: u32, stopped: &watch::Receiver<bool>) -> JoinSet<Working> {
        let mut working = JoinSet::new();
        for mut partner in self.all.drain(..) {
            let mut stopped = stopped.clone();
            partner.round = round;
            working.spawn(async move {
                tokio::select! {
                    () = partner.work() => {}
                    _ = stopped.wait_for(|it| *it) => {}
                }
                Working(partner)
            });
        }
        working
    }

    /// They are back from work.
    pub fn come_back(&mut self, all: Vec<Working>) {
        self.all = all.into_iter().map(|it| it.0).collect();
        self.all.sort_by_key(|it| it.number);
    }

    /// Everything this round brought is asked about and sent again, at another gateway: each change
    /// is told as it was told first.
    pub async fn ask_again(&mut self) -> usize {
        let asking = self.all.iter_mut().map(Partner::ask_again);
        let asked = futures_util::future::join_all(asking).await;
        asked.into_iter().sum()
    }

    /// Each code that was sold is used as its tills were told, and no more often than it may be;
    /// what is void is used by nobody.
    pub async fn compare(&mut self, tills: &[Till]) -> Tally {
        let mut told: BTreeMap<&str, Vec<&Sale>> = BTreeMap::new();
        for sale in tills.iter().flat_map(|till| &till.sales) {
            if let Some(code) = &sale.code {
                told.entry(code).or_default().push(sale);
            }
        }
        let comparing = self.all.iter_mut().map(|it| it.compare(&told));
        let compared = futures_util::future::join_all(comparing).await;
        let mut all = Tally::default();
        for tally in compared {
            all.changed += tally.changed;
            all.in_use += tally.in_use;
            all.used += tally.used;
            all.given_back += tally.given_back;
        }
        all
    }
}

/// A partner that is at work.
pub struct Working(Partner);

impl Partner {
    async fn work(&mut self) {
        // What the last round left open.
        self.finish().await;
        loop {
            self.step().await;
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Two of three reels are sold; the third is voided, or what was sold is.
    async fn step(&mut self) {
        let count = self.changes.len();
        let (action, names, codes) = match count % 6 {
            3 => {
                let Some(reel) = self.stock.pop() else { return };
                (Action::DelVoucher, vec![reel.name], reel.codes)
            }
            5 => {
                // Somebody paid with one of them, or is about to.
                let sold = self.changes.iter().rev();
                let mut sold = sold.filter(|it| it.is_done(Action::ActiveVoucher));
                let Some(sold) = sold.nth(1) else {
                    return;
                };
                (Action::DelVoucher, sold.names.clone(), sold.codes.clone())
            }
            2 => {
                let Some(reel) = self.stock.pop() else { return };
                (Action::ActiveVoucher, reel.codes.clone(), reel.codes)
            }
            _ => {
                let Some(reel) = self.stock.pop() else { return };
                (Action::ActiveVoucher, vec![reel.name], reel.codes)
            }
        };
        self.changes.push(Change {
            action,
            number: format!("K{}-{count}", self.number),
            names,
            codes,
            told: None,
            order_no: None,
            round: self.round,
        });
        self.finish().await;
    }

    /// Sends the last change until it is answered.
    async fn finish(&mut self) {
        for _ in 0..TRIES_MAX {
            let Some(change) = self.changes.last().filter(|it| it.told.is_none()) else {
                return;
            };
            let change = change.clone();
            self.send(self.changes.len() - 1, &change).await;
        }
        assert!(self.changes.last().is_none_or(|it| it.told.is_some()));
    }

    async fn send(&mut self, index: usize, change: &Change) {
        let Some(reply) = self.exchange(&change.request()).await else {
            return;
        };
        let Reply::Codes { reply, .. } = reply else {
            panic!("{change:?}");
        };
        let known = &mut self.changes[index];
        if let Some(told) = known.told {
            let same = (told, &known.order_no) == (reply.code, &reply.order_no);
            assert!(same, "told otherwise: {known:?}, {reply:?}");
            return;
        }
        let may_be: &[ReturnCode] = if change.action == Action::DelVoucher {
            &[ReturnCode::Voided, ReturnCode::NotVoidable]
        } else {
            &[ReturnCode::Activating]
        };
        assert!(may_be.contains(&reply.code), "{known:?}, {reply:?}");
        (known.told, known.order_no) = (Some(reply.code), reply.order_no);
        known.round = self.round;
        if reply.code == ReturnCode::Activating {
            self.pool.add(&change.codes);
        }
    }

    async fn ask_again(&mut self) -> usize {
        self.go_on();
        self.finish().await;
        let mut asked = 0;
        for index in 0..self.changes.len() {
            let change = self.changes[index].clone();
            if change.round != self.round {
                continue;
            }
            asked += 1;
            self.send(index, &change).await;
            if change.action == Action::ActiveVoucher {
                let query = Request::ActiveResultQuery(ResultQuery {
                    trace_no: "q".to_owned(),
                    original_trace_no: change.number.clone(),
                    business_type: None,
                });
                let Some(Reply::Codes { reply, .. }) = self.exchange(&query).await else {
                    panic!("gateways that are ready answer");
                };
                assert_eq!(reply.code, ReturnCode::AllActive, "{change:?}");
            }
        }
        asked
    }

    async fn compare(&mut self, told: &BTreeMap<&str, Vec<&Sale>>) -> Tally {
        self.go_on();
        let mut tally = Tally::default();
        let mut void: BTreeSet<String> = BTreeSet::new();
        for change in self.changes.clone() {
            tally.changed += usize::from(change.told != Some(ReturnCode::NotVoidable));
            tally.in_use += usize::from(change.told == Some(ReturnCode::NotVoidable));
            if change.is_done(Action::DelVoucher) {
                void.extend(change.codes);
            }
        }
        for change in self.changes.clone() {
            if !change.is_done(Action::ActiveVoucher) {
                continue;
            }
            let look = Request::QueryVerifyInfo(change.listed());
            let Some(Reply::Codes { tree, .. }) = self.exchange(&look).await else {
                panic!("gateways that are ready answer");
            };
            let shown = tree.as_ref().map(Tree::codes).unwrap_or_default();
            assert_eq!(shown.len(), change.codes.len(), "{change:?}");
            for (_, shown) in shown {
                let code: &str = &shown.code;
                let sales = told.get(code).map(Vec::as_slice).unwrap_or_default();
                let (used, given_back) = self.compare_uses(code, sales).await;
                tally.used += used - given_back;
                tally.given_back += given_back;
                let left = u32::try_from(used - given_back).expect("a small number");
                let left = USES.checked_sub(left).expect("no more uses than it has");
                let is_void = void.contains(code);
                let expected = match left {
                    _ if is_void => (CodeStatus::Void, 0),
                    0 => (CodeStatus::UsedUp, 0),
                    left => (CodeStatus::Active, left),
                };
                assert_eq!((shown.status, shown.remain_times), expected, "{code}");
                assert!(!is_void || used == given_back, "{code} is void and used");
            }
        }
        tally
    }

    /// How often a code was used and given back: by sales that named it only, each once, and by
    /// those whose merchants know that they are paid.
    async fn compare_uses(&mut self, code: &str, sales: &[&Sale]) -> (usize, usize) {
        if sales.is_empty() {
            // Its uses are all left, or it would be shown otherwise.
            return (0, 0);
        }
        let item = Item::parse(code).expect("a code");
        let request_id = "q".to_owned();
        let query = Request::QueryCodeTrace(TraceQuery { request_id, item });
        let Some(Reply::Trace(history)) = self.exchange(&query).await else {
            panic!("gateways that are ready answer");
        };
        let of_kind = |kind| {
            let entries = history.entries.iter().filter(move |it| it.kind == kind);
            entries.map(|it| it.swift.as_str()).collect::<Vec<_>>()
        };
        let (used, back) = (of_kind(TraceKind::Used), of_kind(TraceKind::UseReversed));
        let named: BTreeSet<&str> = sales.iter().map(|it| it.number.as_str()).collect();
        for list in [&used, &back] {
            let once: BTreeSet<&str> = list.iter().copied().collect();
            assert_eq!(once.len(), list.len(), "{code}: {list:?}");
            assert!(once.is_subset(&named), "{code}: {list:?}");
        }
        for sale in sales {
            let number = sale.number.as_str();
            let is_used = used.contains(&number) && !back.contains(&number);
            if sale.is_known_paid() {
                assert!(used.contains(&number), "paid without its code: {sale:?}");
            }
            let is_over = matches!(sale.told, Told::Refused | Told::NotRecorded)
                || sale.cancel == Some(Told::Done);
            assert!(!is_used || !is_over, "over, and its code is used: {sale:?}");
            let is_whole = sale.refunds.is_empty() && sale.cancel.is_none();
            let came_back = back.contains(&number);
            assert!(!came_back || !is_whole, "came back unasked: {sale:?}");
        }
        (used.len(), back.len())
    }

    /// What is answered, unless nobody answers; then the next try goes to another gateway.
    async fn exchange(&mut self, request: &Request) -> Option<Reply> {
        let action = request.action();
        let call = Call {
            method: "POST",
            target: format!("/ebuyweb-posp/api/{}", action.name()),
            body: request.to_json().into_bytes(),
        };
        match self.client.call_as(&call, demo::TOKEN).await {
            Ok(HttpReply { status: 200, body }) => {
                let reply = Reply::decode(action, &body);
                Some(reply.expect("a reply of the dialect"))
            }
            Ok(HttpReply { status, .. }) => {
                assert!(matches!(status, 500 | 503), "HTTP {status}");
                tokio::time::sleep(PAUSE).await;
                None
            }
            Err(_) => {
                self.go_on();
                tokio::time::sleep(PAUSE).await;
                None
            }
        }
    }

    /// Goes on at another gateway, if there is one, over a new connection.
    fn go_on(&mut self) {
        self.at += 1;
        self.client = Client::new(self.gateways[self.at % self.gateways.len()]);
    }
}

impl Change {
    fn is_done(&self, action: Action) -> bool {
        self.action == action && self.told == ReturnCode::success(action)
    }

    fn listed(&self) -> Codes {
        let items = self.names.iter().map(|it| Item::parse(it).expect("a name"));
        Codes {
            trace_no: self.number.clone(),
            items: Items::new(items.collect()).expect("names"),
            business_type: None,
        }
    }

    fn request(&self) -> Request {
        let listed = self.listed();
        if self.action == Action::DelVoucher {
            return Request::DelVoucher(listed);
        }
        Request::ActiveVoucher(Activate {
            trace_no: listed.trace_no,
            items: listed.items,
            total_amount_fen: 100,
            business_type: None,
            extend_data: ExtendData::default(),
        })
    }
}

/// Issues a box as an operator; its reels.
async fn issue(gateway: &Process) -> Vec<Reel> {
    ask(
        gateway,
        voucher::Request::PutTicket(NewTicket {
            tenant: "demo".to_owned(),
            number: TICKET,
            name: "one yuan".to_owned(),
            terms: Terms {
                uses: USES,
                face_value: Fen::new(FACE_FEN),
                validity: Validity::Forever,
            },
            replace: false,
        }),
    )
    .await;
    let opened = ask(
        gateway,
        voucher::Request::OpenBox(NewBox {
            partner: demo::PARTNER,
            activity: ACTIVITY,
            ticket: TICKET,
            contents: Contents::Made(SHAPE),
            cards: None,
            by: "test".to_owned(),
        }),
    );
    let serial = opened.await["serial"].as_i64().expect("a number");
    loop {
        let filled = ask(gateway, voucher::Request::FillBox(BoxKey { serial })).await;
        if filled["done"] == filled["of"] {
            break;
        }
    }
    let mut reels: Vec<Reel> = Vec::new();
    let mut from = 0;
    loop {
        let page = voucher::Request::ExportPage(ExportPage {
            partner: demo::PARTNER,
            serial,
            from,
        });
        let page = ask(gateway, page).await;
        let lines = page.as_str().expect("lines");
        if lines.is_empty() {
            break;
        }
        from += u32::try_from(lines.lines().count()).expect("a page");
        for line in lines.lines() {
            let mut fields = line.split(',').skip(1).map(str::to_owned);
            let (name, code) = (fields.next(), fields.next());
            let (name, code) = (name.expect("a reel"), code.expect("a code"));
            match reels.last_mut().filter(|it| it.name == name) {
                Some(reel) => reel.codes.push(code),
                None => reels.push(Reel {
                    name,
                    codes: vec![code],
                }),
            }
        }
    }
    let exported_by = Some("test".to_owned());
    let end = BoxEnd {
        serial,
        exported_by,
    };
    ask(gateway, voucher::Request::FinishBox(end)).await;
    reels
}

/// Asks a gateway as its operator.
async fn ask(gateway: &Process, request: voucher::Request) -> Value {
    let request = Asked::Voucher(request);
    let answer = socket::call(&gateway.recipe.data, &request).await;
    let answer = answer.expect("an answer").expect("a running gateway");
    answer.unwrap_or_else(|error| panic!("{}", error.0))
}
