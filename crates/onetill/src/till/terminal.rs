//! A terminal: its keys, its batch, its numbers, and the message that it sent last.

use super::{
    journal::{Entry, Journal},
    reply::Fate,
    written,
};
use serde::{Deserialize, Serialize};
use std::fmt;
use wire::jpos::{
    Amount, BatchNo, Body, Form, Key, Mac, Operation, Reply, Request, SerialNo, Status, TraceNo,
    WorkingKeys,
    key::SingleKey,
    name,
    reply::{CheckinReply, SettleFlag},
    request::{Checkin, Head, Terminal},
    working_keys::WorkingKeyError,
};

/// Why a terminal cannot ask this now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TillError {
    /// It has no open batch.
    #[error("the terminal is not checked in; run `onetill call checkin` first")]
    NotCheckedIn,
    /// The last message may have been carried out.
    #[error(
        "message {0} has no answer: `onetill call repeat` asks for it again, `onetill call reverse` \
         undoes it"
    )]
    Unanswered(TraceNo),
    /// There is nothing to be reversed or repeated.
    #[error("this terminal has sent nothing yet that could be {0}")]
    Nothing(&'static str),
    /// The last message has no reversal.
    #[error("{0} has no reversal; send it again with `onetill call repeat`")]
    NotReversible(&'static str),
    /// The original is not in the journal.
    #[error("the journal has no such message; name it with --serial and its card with --card")]
    NoOriginal,
    /// A voucher or ticket whose face value the terminal was not told.
    #[error("the face value of {0} is not known: ask the card first, with `onetill call {1}`")]
    NoFace(String, &'static str),
    /// The PIN or its card cannot be sealed.
    #[error(transparent)]
    Pin(#[from] wire::jpos::pin::PinError),
    /// The check-in brought no usable keys.
    #[error(transparent)]
    Keys(#[from] WorkingKeyError),
    /// The gateway checked the terminal in without a batch.
    #[error("the gateway answered the check-in without a batch number")]
    NoBatch,
}

/// A message as it is sent. No `Debug`: it may hold a PIN block or a card's track.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// What is asked.
    pub operation: Operation,
    /// The body.
    pub body: String,
}

/// The keys of a check-in. No `Debug`.
#[derive(Clone, Serialize, Deserialize)]
struct Keys {
    #[serde(with = "written")]
    pin: Key,
    #[serde(with = "written")]
    mac: SingleKey,
}

/// The last message that changes something, without its MAC. No `Debug`: see [`Message`].
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Last {
    #[serde(with = "written")]
    pub operation: Operation,
    #[serde(with = "written")]
    pub trace_no: TraceNo,
    pub body: String,
    /// What it does if it is approved; `None` for settlements.
    pub entry: Option<Entry>,
    pub is_answered: bool,
}

/// A face value that the gateway told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Face {
    is_voucher: bool,
    id: i64,
    #[serde(with = "written")]
    amount: Amount,
}

/// A terminal. Its `Debug` shows only which.
#[derive(Clone, Serialize, Deserialize)]
pub struct Till {
    /// Its store's number.
    pub store_no: String,
    /// Its own number.
    pub terminal_no: String,
    keys: Option<Keys>,
    #[serde(with = "written::maybe")]
    batch_no: Option<BatchNo>,
    #[serde(with = "written")]
    next_trace: TraceNo,
    pub(super) last: Option<Last>,
    #[serde(default)]
    faces: Vec<Face>,
    /// What it did.
    pub journal: Journal,
    /// Whether messages carry a MAC.
    #[serde(skip, default = "yes")]
    pub has_mac: bool,
}

const fn yes() -> bool {
    true
}

impl fmt::Debug for Till {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Till {}/{}", self.store_no, self.terminal_no)
    }
}

impl Till {
    /// A terminal out of its box.
    #[must_use]
    pub fn new(store_no: &str, terminal_no: &str) -> Self {
        Self {
            store_no: store_no.to_owned(),
            terminal_no: terminal_no.to_owned(),
            keys: None,
            batch_no: None,
            next_trace: TraceNo::FIRST,
            last: None,
            faces: Vec::new(),
            journal: Journal::default(),
            has_mac: true,
        }
    }

    /// The open batch.
    #[must_use]
    pub const fn batch_no(&self) -> Option<BatchNo> {
        self.batch_no
    }

    /// The number of its next message.
    #[must_use]
    pub const fn next_trace(&self) -> TraceNo {
        self.next_trace
    }

    /// Goes on from another number, where the terminal's memory was lost.
    pub const fn set_next_trace(&mut self, trace_no: TraceNo) {
        self.next_trace = trace_no;
    }

    /// The message that has no answer yet.
    #[must_use]
    pub fn unanswered(&self) -> Option<(Operation, TraceNo)> {
        let last = self.last.as_ref().filter(|last| !last.is_answered);
        last.map(|last| (last.operation, last.trace_no))
    }

    /// The last message that changes something: what it asks, its number, and what it does if it
    /// is approved.
    #[must_use]
    pub fn last(&self) -> Option<(Operation, TraceNo, Option<&Entry>)> {
        let last = self.last.as_ref()?;
        Some((last.operation, last.trace_no, last.entry.as_ref()))
    }

    /// A check-in.
    #[must_use]
    pub fn check_in(&self, operator_no: &str) -> Message {
        let request = Request::Checkin(Checkin {
            terminal: self.id(),
            operator_no: operator_no.to_owned(),
        });
        Message {
            operation: Operation::Checkin,
            body: request.to_form().encode(),
        }
    }

    /// Takes over what a check-in brought; says whether a batch began.
    ///
    /// # Errors
    /// When the keys do not open under `master`, or there is no batch.
    pub fn checked_in(&mut self, reply: &CheckinReply, master: &Key) -> Result<bool, TillError> {
        let keys = WorkingKeys::unwrap(master, &reply.working_key)?;
        let batch_no = reply.batch_no.ok_or(TillError::NoBatch)?;
        let is_new = self.batch_no != Some(batch_no);
        if is_new {
            self.journal.begin();
            self.next_trace = TraceNo::FIRST;
            self.last = None;
        }
        self.batch_no = Some(batch_no);
        self.keys = Some(Keys {
            pin: keys.pin,
            mac: keys.mac,
        });
        Ok(is_new)
    }

    /// The last message once more: the gateway answers as it did.
    ///
    /// # Errors
    /// When there is none.
    pub fn repeat(&self) -> Result<Message, TillError> {
        let last = self.last.as_ref().ok_or(TillError::Nothing("repeated"))?;
        Ok(self.signed(last.operation, &last.body))
    }

    /// An earlier message once more, under the newest keys.
    #[must_use]
    pub fn again(&self, message: &Message) -> Message {
        let mac = format!("&{}=", name::MAC);
        let body = message.body.rsplit_once(&mac);
        let body = body.map_or(message.body.as_str(), |(body, _)| body);
        self.signed(message.operation, body)
    }

    /// The reversal of the last message: the same form, sent elsewhere.
    ///
    /// # Errors
    /// When there is none, or it has no reversal.
    pub fn reverse(&self) -> Result<Message, TillError> {
        let last = self.last.as_ref().ok_or(TillError::Nothing("reversed"))?;
        let function = last.operation.function();
        let reversal = last.operation.reversal();
        let reversal = reversal.ok_or(TillError::NotReversible(function))?;
        Ok(self.signed(reversal, &last.body))
    }

    /// Takes the answer to the last message that changes something.
    pub fn answered(&mut self, reply: &Reply) {
        let fate = Fate::of(reply.outcome.status());
        if self.last.is_some() && fate == Fate::Done && closes_batch(&reply.body) {
            self.batch_no = None;
        }
        self.end(fate, serial_no(&reply.body));
    }

    /// As [`Till::answered`], for a sale of which only the fate was read.
    pub fn ended(&mut self, fate: Fate) {
        self.end(fate, None);
    }

    fn end(&mut self, fate: Fate, serial_no: Option<SerialNo>) {
        let Some(last) = self.last.as_mut() else {
            return;
        };
        let is_repeated = last.is_answered;
        last.is_answered = fate != Fate::Unknown;
        let entry = last.entry.as_ref().filter(|_| fate == Fate::Done);
        if let Some(entry) = entry.cloned() {
            if is_repeated {
                // It may be in the journal already.
                drop(self.journal.take_out(entry.trace_no));
            }
            self.journal.add(Entry { serial_no, ..entry });
        }
    }

    /// Takes the answer to a reversal; says whether it ended the matter.
    pub fn reversed(&mut self, status: Status) -> bool {
        let is_end = status.ends_reversal();
        if let Some(last) = self.last.as_mut().filter(|_| is_end) {
            last.is_answered = true;
            drop(self.journal.take_out(last.trace_no));
        }
        is_end
    }

    /// Remembers face values that an answer tells, to count them at settlement.
    pub fn learn(&mut self, body: &Body) {
        for face in told(body) {
            let same = |it: &Face| (it.is_voucher, it.id) == (face.is_voucher, face.id);
            self.faces.retain(|it| !same(it));
            self.faces.push(face);
        }
    }

    /// The face value of a voucher or ticket, if it was told.
    #[must_use]
    pub fn face(&self, is_voucher: bool, id: i64) -> Option<Amount> {
        let mut faces = self.faces.iter();
        let found = faces.find(|it| (it.is_voucher, it.id) == (is_voucher, id));
        found.map(|it| it.amount)
    }

    /// Sender and number of the next message.
    pub(super) fn head(&mut self) -> Result<Head, TillError> {
        let batch_no = self.batch_no.ok_or(TillError::NotCheckedIn)?;
        let trace_no = self.next_trace;
        self.next_trace = trace_no.next();
        Ok(Head {
            terminal: self.id(),
            trace_no,
            batch_no: Some(batch_no),
        })
    }

    /// Refuses to go on while a message has no answer.
    pub(super) fn ready(&self) -> Result<BatchNo, TillError> {
        if let Some((_, trace_no)) = self.unanswered() {
            return Err(TillError::Unanswered(trace_no));
        }
        self.batch_no.ok_or(TillError::NotCheckedIn)
    }

    pub(super) fn pin_key(&self) -> Result<&Key, TillError> {
        self.keys
            .as_ref()
            .map(|it| &it.pin)
            .ok_or(TillError::NotCheckedIn)
    }

    pub(super) fn id(&self) -> Terminal {
        Terminal {
            store_no: self.store_no.clone(),
            terminal_no: self.terminal_no.clone(),
        }
    }

    /// A message that changes nothing.
    pub(super) fn question(&self, request: &Request) -> Message {
        self.signed(request.operation(), &request.to_form().encode())
    }

    /// A message that changes something: it is remembered before it is sent.
    pub(super) fn keep(
        &mut self,
        request: &Request,
        trace_no: TraceNo,
        entry: Option<Entry>,
    ) -> Message {
        let (operation, body) = (request.operation(), request.to_form().encode());
        let message = self.signed(operation, &body);
        self.last = Some(Last {
            operation,
            trace_no,
            body,
            entry,
            is_answered: false,
        });
        message
    }

    /// The message with its MAC, under the newest key.
    fn signed(&self, operation: Operation, body: &str) -> Message {
        let mut body = body.to_owned();
        let form = Form::decode(body.as_bytes(), operation.body_bytes_max());
        let mac = match (&self.keys, form) {
            (Some(keys), Ok(form)) if self.has_mac => Some(Mac::of(&keys.mac, &form).to_string()),
            // Too long a journal goes without: the gateway refuses it and says so.
            (Some(_) | None, _) => None,
        };
        if let Some(mac) = mac {
            body.push_str(&format!("&{}={mac}", name::MAC));
        }
        Message { operation, body }
    }
}

fn closes_batch(body: &Body) -> bool {
    match body {
        Body::Settle(reply) => reply.flag == Some(SettleFlag::Balanced),
        Body::SettleDetails(_) => true,
        Body::Checkin(_)
        | Body::Cards(_)
        | Body::Consume(_)
        | Body::Cancel(_)
        | Body::Refund(_)
        | Body::Tickets(_)
        | Body::TicketConsume(_)
        | Body::CardActive(_)
        | Body::Plain => false,
    }
}

/// The face values that an answer tells, of vouchers or of tickets.
fn told(body: &Body) -> Vec<Face> {
    let face = |is_voucher, id, amount| Face {
        is_voucher,
        id,
        amount,
    };
    match body {
        Body::Cards(card) => {
            let vouchers = card.vouchers.iter();
            vouchers.map(|it| face(true, it.id, it.amount)).collect()
        }
        Body::Tickets(held) => {
            let tickets = held.tickets.iter();
            tickets.map(|it| face(false, it.id, it.amount)).collect()
        }
        Body::Checkin(_)
        | Body::Consume(_)
        | Body::Cancel(_)
        | Body::Refund(_)
        | Body::TicketConsume(_)
        | Body::CardActive(_)
        | Body::Settle(_)
        | Body::SettleDetails(_)
        | Body::Plain => Vec::new(),
    }
}

fn serial_no(body: &Body) -> Option<SerialNo> {
    match body {
        Body::Consume(reply) => reply.points.map(|it| it.serial_no),
        Body::Cancel(points) => points.map(|it| it.serial_no),
        Body::Refund(reply) => reply.0.map(|it| it.serial_no),
        Body::TicketConsume(reply) => reply.serial_no,
        Body::CardActive(serial_no) => *serial_no,
        Body::Checkin(_)
        | Body::Cards(_)
        | Body::Tickets(_)
        | Body::Settle(_)
        | Body::SettleDetails(_)
        | Body::Plain => None,
    }
}
