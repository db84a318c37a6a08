//! What a terminal asks for, made into messages.

use super::{
    journal::{Entry, Used},
    terminal::{Message, Till, TillError},
};
use wire::jpos::{
    Amount, BatchNo, Operation, Pin, PinBlock, Request, SerialNo, TraceNo, Track2,
    person::{IdType, TicketKind},
    request::{
        Card, CardActive, CardQuery, Consume, Original, Piece, SendVerifyCode, TakeBack,
        TicketConsume,
    },
};
use zeroize::Zeroizing;

/// A card at the terminal. No `Debug`: the track is the card.
#[derive(Clone)]
pub struct Swipe {
    /// Its number.
    pub card_no: String,
    /// Its track 2, if it was swiped.
    pub track2: Option<Track2>,
}

impl Swipe {
    /// A card whose number was typed in.
    #[must_use]
    pub fn typed(card_no: impl Into<String>) -> Self {
        Self {
            card_no: card_no.into(),
            track2: None,
        }
    }

    fn card(&self) -> Card {
        Card {
            track2: self.track2.clone(),
            ..Card::typed(self.card_no.as_str())
        }
    }
}

/// A sale. No `Debug`: see [`Swipe`].
#[derive(Clone)]
pub struct Purchase {
    /// The card.
    pub card: Swipe,
    /// The PIN, where the card has one and points are spent.
    pub pin: Option<Pin>,
    /// What is paid in points, in yuan.
    pub point_amount: Amount,
    /// What is paid otherwise.
    pub cash_amount: Amount,
    /// Vouchers, by number and pieces.
    pub vouchers: Vec<(i64, u32)>,
    /// How the card was read; made of what is there when absent.
    pub entry_mode: Option<String>,
    /// The till's receipt.
    pub register_trace_no: Option<String>,
}

impl Purchase {
    /// A sale for cash.
    #[must_use]
    pub const fn new(card: Swipe) -> Self {
        Self {
            card,
            pin: None,
            point_amount: Amount::ZERO,
            cash_amount: Amount::ZERO,
            vouchers: Vec::new(),
            entry_mode: None,
            register_trace_no: None,
        }
    }

    /// As card terminals name it: 01 typed, 02 swiped; 1 with a PIN, 2 without.
    fn entry_mode(&self) -> String {
        let read = if self.card.track2.is_some() {
            "02"
        } else {
            "01"
        };
        let pin = if self.pin.is_some() { "1" } else { "2" };
        let made = || format!("{read}{pin}");
        self.entry_mode.clone().unwrap_or_else(made)
    }
}

/// How something is taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TakeBackKind {
    /// A sale, within its batch.
    Void,
    /// A sale, at any time later.
    Return,
    /// A return, within its batch.
    ReturnVoid,
}

impl TakeBackKind {
    /// What is asked.
    #[must_use]
    pub const fn operation(self) -> Operation {
        match self {
            Self::Void => Operation::Cancel,
            Self::Return => Operation::Refund,
            Self::ReturnVoid => Operation::RefundCancel,
        }
    }

    const fn takes_back(self) -> Operation {
        match self {
            Self::Void | Self::Return => Operation::Consume,
            Self::ReturnVoid => Operation::Refund,
        }
    }
}

/// Which message is taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// The last one of its kind that still stands.
    Newest,
    /// By its number; in the newest batch that has it unless one is named.
    Trace(TraceNo, Option<BatchNo>),
    /// By the gateway's number of it.
    Serial(String),
}

impl Which {
    fn names(&self, entry: &Entry) -> bool {
        match self {
            Self::Newest => true,
            Self::Trace(trace_no, batch_no) => {
                let is_batch = batch_no.is_none_or(|it| it == entry.batch_no);
                entry.trace_no == *trace_no && is_batch
            }
            Self::Serial(serial) => {
                let serial_no = entry.serial_no.as_ref().map(SerialNo::to_string);
                serial_no.as_ref() == Some(serial)
            }
        }
    }

    /// What can be said of a message that the journal does not have.
    fn unknown(&self) -> Result<Original, TillError> {
        match self {
            Self::Newest => Err(TillError::NoOriginal),
            Self::Trace(trace_no, batch_no) => Ok(original(None, *batch_no, Some(*trace_no))),
            Self::Serial(serial) => Ok(original(Some(serial.clone()), None, None)),
        }
    }
}

const fn original(
    serial_no: Option<String>,
    batch_no: Option<BatchNo>,
    trace_no: Option<TraceNo>,
) -> Original {
    Original {
        serial_no,
        batch_no,
        trace_no,
        trans_time: None,
        trans_date: None,
        register_trace_no: None,
    }
}

/// Who a stocked card is given to. No `Debug`: the code proves it.
#[derive(Clone)]
pub struct NewHolder {
    /// Mobile number.
    pub mobile_no: String,
    /// The code that was sent to it.
    pub verify_code: Zeroizing<String>,
    /// Kind of identity paper.
    pub id_type: IdType,
    /// Its number.
    pub id_no: Option<String>,
}

impl Till {
    /// A question about a card: its holder, points and vouchers.
    ///
    /// # Errors
    /// When the terminal is not checked in.
    pub fn ask_card(&mut self, card: &Swipe) -> Result<Message, TillError> {
        let query = self.card_query(card)?;
        Ok(self.question(&Request::Cards(query)))
    }

    /// A question about a card's tickets.
    ///
    /// # Errors
    /// When the terminal is not checked in.
    pub fn ask_tickets(&mut self, card: &Swipe) -> Result<Message, TillError> {
        let query = self.card_query(card)?;
        Ok(self.question(&Request::Tickets(query)))
    }

    fn card_query(&mut self, card: &Swipe) -> Result<CardQuery, TillError> {
        Ok(CardQuery {
            head: self.head()?,
            card: card.card(),
        })
    }

    /// A sale.
    ///
    /// # Errors
    /// When the terminal is not ready, or does not know what a voucher is worth.
    pub fn sell(&mut self, sale: &Purchase) -> Result<Message, TillError> {
        let batch_no = self.ready()?;
        let vouchers = sale.vouchers.iter().map(|&(id, num)| {
            let face = self.face(true, id);
            let face = face.ok_or_else(|| TillError::NoFace(format!("voucher {id}"), "card"))?;
            Ok(Used {
                id,
                num,
                kind: None,
                face,
            })
        });
        let vouchers = vouchers.collect::<Result<Vec<_>, TillError>>()?;
        let seal = |pin: &Pin| -> Result<PinBlock, TillError> {
            Ok(PinBlock::seal(self.pin_key()?, pin, &sale.card.card_no)?)
        };
        let password = sale.pin.as_ref().map(seal).transpose()?;
        let head = self.head()?;
        let trace_no = head.trace_no;
        let entry = Entry {
            point_amount: sale.point_amount,
            cash_amount: sale.cash_amount,
            vouchers,
            ..entry(Operation::Consume, batch_no, trace_no, &sale.card.card_no)
        };
        let request = Request::Consume(Consume {
            head,
            card: sale.card.card(),
            password,
            consume_type: sale.entry_mode(),
            point_amount: sale.point_amount,
            cash_amount: sale.cash_amount,
            vouchers: pieces(&entry.vouchers),
            register_trace_no: sale.register_trace_no.clone(),
        });
        Ok(self.keep(&request, trace_no, Some(entry)))
    }

    /// A redemption of tickets, by number, kind and pieces.
    ///
    /// # Errors
    /// When the terminal is not ready, or does not know what a ticket is worth.
    pub fn redeem(
        &mut self,
        card: &Swipe,
        tickets: &[(i64, Option<TicketKind>, u32)],
    ) -> Result<Message, TillError> {
        let batch_no = self.ready()?;
        let tickets = tickets.iter().map(|&(id, kind, num)| {
            let face = self.face(false, id);
            let face = face.ok_or_else(|| TillError::NoFace(format!("ticket {id}"), "tickets"))?;
            Ok(Used {
                id,
                num,
                kind,
                face,
            })
        });
        let tickets = tickets.collect::<Result<Vec<_>, TillError>>()?;
        let head = self.head()?;
        let trace_no = head.trace_no;
        let entry = Entry {
            tickets,
            ..entry(Operation::TicketConsume, batch_no, trace_no, &card.card_no)
        };
        let request = Request::TicketConsume(TicketConsume {
            head,
            card: card.card(),
            tickets: pieces(&entry.tickets),
        });
        Ok(self.keep(&request, trace_no, Some(entry)))
    }

    /// Takes a sale or a return back. `card_no` is needed where the journal does not have it.
    ///
    /// # Errors
    /// When the terminal is not ready, or it is not known which message of which card is meant.
    pub fn take_back(
        &mut self,
        kind: TakeBackKind,
        which: &Which,
        card_no: Option<&str>,
    ) -> Result<Message, TillError> {
        let batch_no = self.ready()?;
        let found = self.standing(kind.takes_back(), which).cloned();
        let named = match &found {
            Some(it) => {
                let serial_no = it.serial_no.map(|no| no.to_string());
                original(serial_no, Some(it.batch_no), Some(it.trace_no))
            }
            None => which.unknown()?,
        };
        let known = found.as_ref().map(|it| it.card_no.as_str());
        let card = Card::typed(card_no.or(known).ok_or(TillError::NoOriginal)?);
        let head = self.head()?;
        let trace_no = head.trace_no;
        let bare = entry(kind.operation(), batch_no, trace_no, &card.card_no);
        let entry = found.map_or(bare.clone(), |it| Entry {
            point_amount: it.point_amount,
            cash_amount: it.cash_amount,
            vouchers: it.vouchers.clone(),
            takes_back: Some(it.original()),
            ..bare
        });
        let message = TakeBack {
            head,
            card,
            original: named,
        };
        let request = match kind {
            TakeBackKind::Void => Request::Cancel(message),
            TakeBackKind::Return => Request::Refund(message),
            TakeBackKind::ReturnVoid => Request::RefundCancel(message),
        };
        Ok(self.keep(&request, trace_no, Some(entry)))
    }

    /// The newest message of a kind that `which` names; an unnamed one must still stand.
    fn standing(&self, operation: Operation, which: &Which) -> Option<&Entry> {
        let mut entries = self.journal.newest_first();
        entries.find(|it| {
            let is_free = || !self.journal.is_taken_back(&it.original());
            let is_meant = *which != Which::Newest || is_free();
            it.operation == operation && which.names(it) && is_meant
        })
    }

    /// Has a code sent to a mobile phone.
    ///
    /// # Errors
    /// When the terminal is not checked in.
    pub fn send_code(&mut self, mobile_no: &str) -> Result<Message, TillError> {
        let head = self.head()?;
        Ok(self.question(&Request::SendVerifyCode(SendVerifyCode {
            terminal: head.terminal,
            mobile_no: mobile_no.to_owned(),
            trace_no: Some(head.trace_no),
            batch_no: head.batch_no,
        })))
    }

    /// Gives a stocked card to a member.
    ///
    /// # Errors
    /// When the terminal is not ready.
    pub fn activate(&mut self, card: &Swipe, holder: NewHolder) -> Result<Message, TillError> {
        let batch_no = self.ready()?;
        let head = self.head()?;
        let trace_no = head.trace_no;
        let entry = entry(Operation::CardActive, batch_no, trace_no, &card.card_no);
        let request = Request::CardActive(CardActive {
            head,
            card: card.card(),
            mobile_no: holder.mobile_no,
            verify_code: holder.verify_code,
            id_type: holder.id_type,
            id_no: holder.id_no,
        });
        Ok(self.keep(&request, trace_no, Some(entry)))
    }
}

fn entry(operation: Operation, batch_no: BatchNo, trace_no: TraceNo, card_no: &str) -> Entry {
    Entry {
        operation,
        batch_no,
        trace_no,
        serial_no: None,
        card_no: card_no.to_owned(),
        point_amount: Amount::ZERO,
        cash_amount: Amount::ZERO,
        vouchers: Vec::new(),
        tickets: Vec::new(),
        takes_back: None,
    }
}

fn pieces(used: &[Used]) -> Vec<Piece> {
    let piece = |it: &Used| Piece {
        id: it.id,
        num: it.num,
        kind: it.kind,
    };
    used.iter().map(piece).collect()
}
