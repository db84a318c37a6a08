//! A terminal of the demo's store: it checks in, numbers its messages, makes MACs and PIN blocks.

use crate::support::{
    house::House,
    http::{self, Reply},
};
use onetill::admin::loyalty::demo::{CARD, MAC_TERMINAL, MASTER_KEY, STORE, TERMINAL};
use serde_json::Value;
use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
};
use wire::jpos::{Form, Key, Mac, Pin, PinBlock, WorkingKeys, name};

/// A field of a message.
pub type Field<'f> = (&'static str, &'f str);
/// The fields of a message.
pub type Fields<'f> = &'f [Field<'f>];

/// A terminal.
pub struct Pos<'a> {
    house: &'a House,
    store: &'static str,
    terminal: &'static str,
    keys: RefCell<Option<WorkingKeys>>,
    makes_mac: bool,
    trace: Cell<u32>,
}

/// What the gateway answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The HTTP status.
    pub http: u16,
    /// The reply.
    pub json: Value,
    /// The reply as it came.
    pub text: String,
}

impl Answer {
    /// Reads a reply.
    pub fn read(reply: &Reply) -> Self {
        let text = reply.text();
        let json = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {reply:?}"));
        Self {
            http: reply.status,
            json,
            text,
        }
    }

    /// Of each line of `list` its number and what was found.
    pub fn found(&self, list: &str) -> Vec<(&str, &str)> {
        let lines = self.json[list].as_array().unwrap().iter();
        lines
            .map(|it| {
                (
                    it["traceNo"].as_str().unwrap(),
                    it["result"].as_str().unwrap(),
                )
            })
            .collect()
    }

    /// `status`.
    pub fn code(&self) -> &str {
        self.json["status"].as_str().unwrap()
    }

    /// A text that must be there.
    pub fn text_of(&self, member: &str) -> String {
        let found = self.json[member].as_str();
        found
            .unwrap_or_else(|| panic!("no {member} in {}", self.text))
            .to_owned()
    }

    /// A number that must be there, as it is written.
    pub fn number(&self, member: &str) -> String {
        let found = &self.json[member];
        assert!(found.is_number(), "no {member} in {}", self.text);
        found.to_string()
    }

    /// The answer, if its status is this one.
    pub fn expect(self, code: &str) -> Self {
        assert_eq!(self.code(), code, "{}", self.text);
        self
    }
}

impl<'a> Pos<'a> {
    /// The demo's terminal without MACs.
    pub fn new(house: &'a House) -> Self {
        Self::named(house, STORE, TERMINAL, false)
    }

    /// The demo's terminal with MACs.
    pub fn with_mac(house: &'a House) -> Self {
        Self::named(house, STORE, MAC_TERMINAL, true)
    }

    /// Another terminal.
    pub fn named(
        house: &'a House,
        store: &'static str,
        terminal: &'static str,
        makes_mac: bool,
    ) -> Self {
        Self {
            house,
            store,
            terminal,
            keys: RefCell::default(),
            makes_mac,
            trace: Cell::new(0),
        }
    }

    /// A terminal that has checked in.
    pub async fn open(house: &'a House) -> Self {
        let pos = Self::new(house);
        pos.check_in().await;
        pos
    }

    /// Checks in, takes the keys over and gives the batch's number.
    pub async fn check_in(&self) -> String {
        let answer = self
            .post("terminal/checkin", &[("operatorNo", "001")])
            .await;
        let answer = answer.expect("00");
        let master = Key::parse_hex(MASTER_KEY).unwrap();
        let keys = WorkingKeys::unwrap(&master, &answer.text_of("workingKey")).unwrap();
        self.keys.replace(Some(keys));
        answer.text_of("batchNo")
    }

    /// The gateway it speaks to.
    pub const fn house(&self) -> &'a House {
        self.house
    }

    /// The next number of a message.
    pub fn next_trace(&self) -> String {
        self.trace.set(self.trace.get() + 1);
        format!("{:06}", self.trace.get())
    }

    /// The PIN block of a PIN.
    pub fn pin_block(&self, pin: &str, card: &str) -> String {
        let keys = self.keys.borrow();
        let pin = Pin::parse(pin).unwrap();
        let block = PinBlock::seal(&keys.as_ref().unwrap().pin, &pin, card).unwrap();
        block.to_hex()
    }

    /// The working keys it has.
    pub fn keys(&self) -> WorkingKeys {
        self.keys.borrow().clone().unwrap()
    }

    /// Goes on with other keys, as a terminal that has not heard of newer ones.
    pub fn use_keys(&self, keys: WorkingKeys) {
        self.keys.replace(Some(keys));
    }

    /// The form of a message, with a MAC where the terminal makes them.
    pub fn form<'f>(&'f self, fields: Fields<'f>) -> Form<'f> {
        let mut form = Form::new();
        let mut sorted: BTreeMap<&'static str, &str> = BTreeMap::new();
        sorted.insert(name::STORE_NO, self.store);
        sorted.insert(name::TERMINAL_NO, self.terminal);
        sorted.extend(fields.iter().copied());
        for (name, value) in sorted {
            form.push(name, value);
        }
        let keys = self.keys.borrow();
        if let (true, Some(keys)) = (self.makes_mac, keys.as_ref()) {
            let mac = Mac::of(&keys.mac, &form).to_string();
            form.push(name::MAC, mac);
        }
        form
    }

    /// Sends fields to a function.
    pub async fn post(&self, function: &str, fields: Fields<'_>) -> Answer {
        self.post_form(function, &self.form(fields).encode()).await
    }

    /// Sends a body to a function.
    pub async fn post_form(&self, function: &str, body: &str) -> Answer {
        let call = http::post(&format!("/v1/jpos/{function}"), body);
        Answer::read(&http::send(self.house.address, &call).await)
    }

    /// A purchase with the demo's card, under the next number; see [`Pos::buys`].
    pub async fn buy(&self, points: &str, cash: &str) -> Answer {
        self.buys(&self.next_trace(), CARD, points, cash).await
    }

    /// A purchase.
    pub async fn buys(&self, trace: &str, card: &str, points: &str, cash: &str) -> Answer {
        self.post("trans/consume", &sale(trace, card, points, cash))
            .await
    }

    /// The reversal of a purchase.
    pub async fn unbuys(&self, trace: &str, card: &str, points: &str, cash: &str) -> Answer {
        self.post("trans/consumeReversal", &sale(trace, card, points, cash))
            .await
    }

    /// Cancels the transaction with this number of the host's.
    pub async fn cancel(&self, serial: &str) -> Answer {
        let trace = self.next_trace();
        self.post("trans/cancel", &take_back(&trace, CARD, serial))
            .await
    }

    /// Refunds it.
    pub async fn refund(&self, serial: &str) -> Answer {
        let trace = self.next_trace();
        self.post("refunds", &take_back(&trace, CARD, serial)).await
    }

    /// Undoes a refund.
    pub async fn refund_cancel(&self, serial: &str) -> Answer {
        let trace = self.next_trace();
        self.post("refunds/cancel", &take_back(&trace, CARD, serial))
            .await
    }

    /// All points of a card and those that may be spent, as they are written.
    pub async fn points(&self, card: &str) -> (String, String) {
        let trace = self.next_trace();
        let fields = [("traceNo", &*trace), ("cardNo", card)];
        let answer = self.post("cards", &fields).await.expect("00");
        let points = |member| answer.number(member);
        (points("pointBalance"), points("avaiablePointBalance"))
    }

    /// Pieces of a voucher or ticket of a card.
    pub async fn pieces(&self, function: &str, card: &str, id: i64) -> i64 {
        let trace = self.next_trace();
        let fields = [("traceNo", &*trace), ("cardNo", card)];
        let answer = self.post(function, &fields).await.expect("00");
        let list = if function == "cards" {
            "vaucher"
        } else {
            "ticket"
        };
        let lines = answer.json[list].as_array().unwrap().iter();
        let mut mine = lines.filter(|it| it["id"] == id);
        mine.next().map_or(0, |it| it["num"].as_i64().unwrap())
    }
}

/// The fields of a purchase.
pub fn sale<'f>(
    trace: &'f str,
    card: &'f str,
    points: &'f str,
    cash: &'f str,
) -> [(&'static str, &'f str); 5] {
    [
        ("traceNo", trace),
        ("cardNo", card),
        ("consumeType", "012"),
        ("pointAmount", points),
        ("cashAmount", cash),
    ]
}

/// The fields of a cancel, a refund, or a refund's cancel.
pub fn take_back<'f>(
    trace: &'f str,
    card: &'f str,
    serial: &'f str,
) -> [(&'static str, &'f str); 3] {
    [
        ("traceNo", trace),
        ("cardNo", card),
        ("oriSerialNo", serial),
    ]
}

/// `fields` with more.
pub fn plus<'f>(
    fields: &[(&'static str, &'f str)],
    more: &[(&'static str, &'f str)],
) -> Vec<(&'static str, &'f str)> {
    let kept = fields
        .iter()
        .filter(|(name, _)| more.iter().all(|(other, _)| other != name));
    kept.chain(more).copied().collect()
}

/// The fields of a settlement; what is not named is 0.
pub fn totals<'f>(
    trace: &'f str,
    batch: &'f str,
    named: &[(&'static str, &'f str)],
) -> Vec<(&'static str, &'f str)> {
    let zeros = [
        "pointDebitCount",
        "pointDebitAmount",
        "pointCeditCount",
        "pointCreditAmount",
        "ticketDebitCount",
        "ticketDebitAmount",
        "ticketCreditCount",
        "ticketCreditAmount",
        "totalTransCount",
        "cancelCount",
        "refundCount",
        "cardActiveCount",
    ];
    let zeros: Vec<_> = zeros.into_iter().map(|name| (name, "0")).collect();
    let mut fields = vec![("traceNo", trace), ("batchNo", batch)];
    fields.extend(plus(&zeros, named));
    fields
}
