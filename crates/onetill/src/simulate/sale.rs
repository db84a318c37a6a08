//! One sale: asked for, asked about, given back, cancelled, in any order and at the same time;
//! and its merchant's memory of what it was told.

use super::{
    counter::{Counter, Exchange, Shop},
    model::{Code, Kind, Model, Op, Said},
    voucher::{
        book::Flight,
        code::{Contradiction, Phase, Stand},
        market::{Market, Named},
    },
};
use domain::{ids::Serial, money::Fen};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use store::gate::{Answer, Fact};
use tokio::task::JoinSet;
use wire::opengateway::{
    ChannelType, Operation, Order, PreOrder, Refund, ReturnCode, SerialType, State,
    call::Call,
    received::Received,
    request::{DynamicIdType, TradeType},
};

/// How many requests about one sale are under way at the same time, or one more: what explains
/// their replies grows with every one.
const AT_ONCE_MAX: usize = 4;

/// A sale.
pub struct Sale {
    counter: Arc<Counter>,
    shop: Arc<Shop>,
    kind: Kind,
    /// The merchant's number.
    number: String,
    /// The log's name for it.
    tag: String,
    fen: i64,
    timestamp: String,
    model: Mutex<Model>,
    market: Arc<Market>,
    no: u64,
    /// What it names for a voucher's code.
    voucher: Option<Named>,
    /// The payer of an order has its link.
    has_payer: Mutex<bool>,
}

impl Sale {
    /// The sale numbered `no` of `shop`, not asked for yet.
    #[must_use]
    pub fn new(
        no: u64,
        counter: &Arc<Counter>,
        shop: &Arc<Shop>,
        market: &Arc<Market>,
    ) -> Arc<Self> {
        let world = &counter.world;
        let by_code = world.chooses(600);
        let fen = i64::try_from(world.within(2..5_000)).unwrap_or(2);
        let named = market.named_by_sale(world, shop.owner.0, (fen, by_code));
        let (voucher, code) = named.map_or((None, Code::None), |(it, code)| (Some(it), code));
        let kind = Kind {
            by_code,
            replays: shop.replays,
            code,
        };
        Arc::new(Self {
            counter: Arc::clone(counter),
            shop: Arc::clone(shop),
            kind,
            number: format!("S{no}"),
            tag: format!("[S{no}]"),
            fen,
            market: Arc::clone(market),
            no,
            voucher,
            timestamp: world.now().0.to_string(),
            model: Mutex::new(Model::new(kind)),
            has_payer: Mutex::new(false),
        })
    }

    /// The log's name for it.
    #[must_use]
    pub fn tag(&self) -> &str {
        &self.tag
    }

    /// All that is done to it, until everybody has their reply or went away.
    pub async fn run(self: Arc<Self>) {
        let world = Arc::clone(&self.counter.world);
        let mut asking = JoinSet::new();
        self.start(&mut asking, Op::Pay { fen: self.fen });
        for _ in 0..world.within(0..7) {
            let most_ms = if world.chooses(400) { 200 } else { 25_000 };
            world.pass_ms(0..most_ms).await;
            let op = self.choose();
            self.start(&mut asking, op);
            if world.chooses(500) || asking.len() >= AT_ONCE_MAX {
                asking.join_next().await;
            }
        }
        while asking.join_next().await.is_some() {}
    }

    /// Asks what became of it, in the end.
    pub async fn ask_at_last(&self) {
        self.ask(Op::Query).await;
        self.rest();
        let lost = u64::from(self.model().is_lost());
        self.counter.world.count(|it| it.unfollowed += lost);
    }

    /// Nothing of it is open any more, so it holds no code.
    fn rest(&self) {
        let code = self.voucher.as_ref().and_then(|it| it.code);
        let stands = self.model().stands();
        if let (Some(code), Some(mut stands)) = (code, stands) {
            stands.remove(&Stand::Held);
            if let Err(Contradiction(why)) = self.market.book.narrow(code, self.no, &stands) {
                let text = format!("its code is held at rest: {why}");
                self.counter.world.fail(Some(&self.tag), &text);
            }
        }
    }

    fn start(self: &Arc<Self>, asking: &mut JoinSet<()>, op: Op) {
        let world = &self.counter.world;
        let times = 1 + u64::from(world.strikes(world.mix.duplicates));
        for _ in 0..times {
            let sale = Arc::clone(self);
            asking.spawn(async move { sale.ask(op).await });
        }
        if times > 1 {
            world.count(|it| it.duplicates += 1);
        }
    }

    fn choose(&self) -> Op {
        let world = &self.counter.world;
        let ops = &world.mix.ops;
        let all = ops.query + ops.refund + ops.cancel + ops.again;
        let drawn = world.within(0..all);
        if drawn < ops.query {
            Op::Query
        } else if drawn < ops.query + ops.refund {
            self.choose_refund()
        } else if drawn < ops.query + ops.refund + ops.cancel {
            Op::Cancel
        } else {
            world.count(|it| it.duplicates += 1);
            let other = i64::from(world.chooses(300));
            Op::Pay {
                fen: self.fen + other,
            }
        }
    }

    /// One of few numbers, so that some are used again, now and then with another amount.
    fn choose_refund(&self) -> Op {
        let world = &self.counter.world;
        let number = u8::try_from(world.within(1..4)).unwrap_or(1);
        let part = self.fen / i64::from(number) - i64::from(world.chooses(200));
        let fen = if world.chooses(200) { self.fen } else { part };
        Op::Refund {
            number,
            fen: fen.max(1),
        }
    }

    async fn ask(&self, op: Op) {
        let world = &self.counter.world;
        let id = self.model().sent(op);
        let flight = self.names_code(op);
        world.log(&self.tag, &format!("asks #{id} {op:?}"));
        match self.counter.exchange(self.call(op)).await {
            Exchange::Unsent => {
                world.log(&self.tag, &format!("#{id} finds nobody"));
                self.model().withdrawn(id);
                if let Err(Contradiction(why)) = self.end_flight(flight, &[Phase::Sent]) {
                    world.fail(Some(&self.tag), &format!("#{id} {op:?}: its code: {why}"));
                }
            }
            Exchange::Unanswered => {
                world.log(&self.tag, &format!("#{id} has no reply"));
                self.model().left(id);
                self.forget(flight);
                self.note(op, Answer::Nothing, None);
            }
            Exchange::Reply(status, reply) => {
                self.hear((id, flight), op, status, reply.as_ref());
            }
        }
    }

    fn hear(
        &self,
        (id, flight): (u32, Option<Flight>),
        op: Op,
        status: u16,
        reply: Option<&Received>,
    ) {
        let world = &self.counter.world;
        let Some(said) = said(op, status, reply, self.voucher.is_some()) else {
            let code = reply.and_then(Received::code_text);
            let text = format!("#{id} {op:?}: nobody expected {status} {code:?}");
            return world.fail(Some(&self.tag), &text);
        };
        world.log(&self.tag, &format!("#{id} is told {said:?}"));
        if let Err(contradiction) = self.model().answered(id, said) {
            let text = format!("#{id} {op:?}: {contradiction}");
            world.fail(Some(&self.tag), &text);
        }
        if let Err(Contradiction(why)) = self.hear_of_code(flight, said) {
            let text = format!("#{id} {op:?} {said:?}: its code: {why}");
            world.fail(Some(&self.tag), &text);
        }
        let serial = reply.and_then(|it| it.field("CHARGE_DOWN_CODE"));
        let serial = serial.and_then(|text| Serial::parse(&text));
        self.note(
            op,
            self.answer(op, said),
            serial.filter(|_| op != Op::Query),
        );
        if let Said::State(state) = said
            && shows_money(state)
        {
            self.tell(Fact::Paid);
        }
        if let (Op::Pay { .. }, Said::Success, Some(serial)) = (op, said, serial) {
            self.send_payer(serial);
        }
    }

    /// Its code's model learns what is about to be asked.
    fn names_code(&self, op: Op) -> Option<Flight> {
        let code = self.voucher.as_ref()?.code?;
        match op {
            Op::Pay { .. } => Some(self.market.book.pays(code, self.no)),
            Op::Refund { .. } | Op::Cancel => {
                self.market.book.may_come_back(code, self.no);
                None
            }
            Op::Query => None,
        }
    }

    /// Its code's model learns that nobody waits any more.
    fn forget(&self, flight: Option<Flight>) {
        let code = self.voucher.as_ref().and_then(|it| it.code);
        if let (Some(code), Some(flight)) = (code, flight) {
            self.market.book.left(&[code], flight);
        }
    }

    /// Its code's model learns what came of a request for the payment.
    fn end_flight(&self, flight: Option<Flight>, phases: &[Phase]) -> Result<(), Contradiction> {
        let code = self.voucher.as_ref().and_then(|it| it.code);
        match (code, flight) {
            (Some(code), Some(flight)) => self.market.book.paid(code, flight, phases),
            (Some(_) | None, _) => Ok(()),
        }
    }

    /// Its code's model learns what follows from what was told.
    fn hear_of_code(&self, flight: Option<Flight>, said: Said) -> Result<(), Contradiction> {
        let phases: &[Phase] = match said {
            Said::NoCode => &[Phase::Useless],
            Said::NotRecorded => &[Phase::Sent],
            Said::Unknown => &[Phase::Sent, Phase::Landed, Phase::Useless],
            Said::Success
            | Said::State(_)
            | Said::Fail
            | Said::Repeat
            | Said::Revoked
            | Said::Amount
            | Said::Nonexistent
            | Said::CodeGone => &[Phase::Landed],
        };
        self.end_flight(flight, phases)?;
        let code = self.voucher.as_ref().and_then(|it| it.code);
        match (code, self.model().stands()) {
            (Some(code), Some(stands)) => self.market.book.narrow(code, self.no, &stands),
            (Some(_) | None, _) => Ok(()),
        }
    }

    /// The payer of an order comes once, in time, too late or never.
    fn send_payer(&self, serial: Serial) {
        let mut has_payer = self
            .has_payer
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if self.kind.by_code || std::mem::replace(&mut has_payer, true) {
            return;
        }
        let is_late = self.counter.world.chooses(100);
        let most_ms = if is_late { 150_000 } else { 30_000 };
        self.counter.wallet.payer_comes(serial, 200..most_ms);
    }

    fn note(&self, op: Op, answer: Answer, serial: Option<Serial>) {
        match op {
            Op::Query => {}
            Op::Pay { fen } => self.tell(Fact::Pay {
                amount: Fen::new(fen),
                answer,
                serial,
            }),
            Op::Refund { number, fen } => self.tell(Fact::Refund {
                number: self.refund_number(number),
                amount: Fen::new(fen),
                answer,
            }),
            Op::Cancel => self.tell(Fact::Cancel(answer)),
        }
    }

    fn tell(&self, fact: Fact) {
        let mut told = self.counter.told();
        told.note(self.shop.owner, &self.number, fact);
    }

    /// What the merchant may rely on once it was told so.
    fn answer(&self, op: Op, said: Said) -> Answer {
        match (op, said) {
            (Op::Pay { .. }, Said::Success) if self.kind.by_code => Answer::Done,
            (_, Said::Success | Said::State(_)) => Answer::Accepted,
            (_, Said::Fail | Said::CodeGone) => Answer::Refused,
            (Op::Pay { .. }, Said::Repeat) | (Op::Cancel, Said::Revoked) => Answer::Repeat,
            (Op::Refund { .. }, Said::Repeat) => Answer::Repeat,
            (
                _,
                Said::Revoked | Said::Amount | Said::Nonexistent | Said::NotRecorded | Said::NoCode,
            )
            | (Op::Query | Op::Cancel, Said::Repeat) => Answer::NotRecorded,
            (_, Said::Unknown) => Answer::Nothing,
        }
    }

    fn call(&self, op: Op) -> Call {
        let caller = self.shop.caller(&self.timestamp);
        match op {
            Op::Pay { fen } if self.kind.by_code => {
                caller.post(Operation::PreOrder, self.pre_order(fen).as_bytes())
            }
            Op::Pay { fen } => caller.post(Operation::Order, self.order(fen).as_bytes()),
            Op::Query => caller.query(&self.number, SerialType::Merchant, true),
            Op::Refund { number, fen } => {
                caller.post(Operation::Refund, self.refund(number, fen).as_bytes())
            }
            Op::Cancel => caller.cancel(&self.number, false),
        }
    }

    fn pre_order(&self, fen: i64) -> String {
        let request = PreOrder {
            busi_id: None,
            oper_id: "001".to_owned(),
            dev_id: "T01".to_owned(),
            merchant_para: None,
            register_id: None,
            amount_yuan: yuan(fen),
            time_expire_s: None,
            channel_type: ChannelType::Alipay,
            dynamic_id_type: DynamicIdType::Barcode,
            dynamic_id: "284214903060794755".to_owned(),
            charge_code: self.number.clone(),
            pay_subject: self.tag.clone(),
            goods: Vec::new(),
            verify_code: self.voucher.as_ref().map(|it| it.text.clone()),
        };
        request.to_json()
    }

    fn order(&self, fen: i64) -> String {
        let request = Order {
            busi_id: None,
            oper_id: "001".to_owned(),
            dev_id: "T01".to_owned(),
            merchant_para: None,
            register_id: None,
            amount_yuan: yuan(fen),
            time_expire_s: None,
            channel_type: ChannelType::Alipay,
            trade_type: TradeType::Native,
            sub_appid: None,
            sub_openid: None,
            charge_code: self.number.clone(),
            notify_url: Some(format!("http://shop.example/{}", self.number)),
            pay_subject: self.tag.clone(),
            goods: Vec::new(),
            verify_code: self.voucher.as_ref().map(|it| it.text.clone()),
        };
        request.to_json()
    }

    fn refund(&self, number: u8, fen: i64) -> String {
        let request = Refund {
            busi_id: None,
            oper_id: "001".to_owned(),
            dev_id: "T01".to_owned(),
            refund_yuan: yuan(fen),
            refund_subject: "Returned".to_owned(),
            charge_code: Some(self.number.clone()),
            charge_down_code: None,
            out_refund_no: Some(self.refund_number(number)),
        };
        request.to_json()
    }

    fn refund_number(&self, number: u8) -> String {
        format!("{}R{number}", self.number)
    }

    fn model(&self) -> MutexGuard<'_, Model> {
        // A panic in between leaves whole states.
        self.model.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a reply says, or `None` when no reply to this request may say so.
fn said(op: Op, status: u16, reply: Option<&Received>, names_code: bool) -> Option<Said> {
    if status == 503 {
        return Some(Said::NotRecorded);
    }
    let reply = reply.filter(|_| status == 200)?;
    Some(match reply.code()? {
        ReturnCode::Success if op == Op::Query => Said::State(reply.field("STATE")?.parse().ok()?),
        ReturnCode::Success => Said::Success,
        ReturnCode::Fail
        | ReturnCode::ServiceUnavailable
        | ReturnCode::HttpException
        | ReturnCode::IoException
        | ReturnCode::CreateSecurityConnectionError => Said::Fail,
        ReturnCode::SerialRepeat => Said::Repeat,
        ReturnCode::AreadyRevoked => Said::Revoked,
        ReturnCode::AmtError => Said::Amount,
        ReturnCode::ChargeNonexistent => Said::Nonexistent,
        ReturnCode::DatabaseError => Said::NotRecorded,
        ReturnCode::Exception => Said::Unknown,
        ReturnCode::IllegalParameter if names_code && matches!(op, Op::Pay { .. }) => {
            let is_recorded = reply.field("CHARGE_DOWN_CODE").is_some();
            if is_recorded {
                Said::CodeGone
            } else {
                Said::NoCode
            }
        }
        ReturnCode::IllegalParameter
        | ReturnCode::InvalidSign
        | ReturnCode::InvalidContract
        | ReturnCode::UnregisteredBusi => return None,
    })
}

/// Whether a payment in this state was paid and still is, if perhaps given back.
fn shows_money(state: u8) -> bool {
    match State::from_code(state) {
        Some(
            State::Paid
            | State::PartlyRefunded
            | State::Refunded
            | State::Refunding
            | State::RefundFailed,
        ) => true,
        Some(
            State::Unpaid
            | State::Cancelled
            | State::CancelRequested
            | State::Closed
            | State::Reserved,
        )
        | None => false,
    }
}

fn yuan(fen: i64) -> String {
    format!("{}.{:02}", fen / 100, fen % 100)
}
