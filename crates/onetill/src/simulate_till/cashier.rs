//! One terminal's day.

use super::{
    books::{self, Balances},
    line::{Heard, Line},
    report::{Closing, Planted, Tally},
    roster::{Member, Seat},
};
use crate::{
    simulate::dice::Dice,
    till::{Fate, Message, Purchase, Swipe, TakeBackKind, Till, TillError, Which},
};
use indicatif::ProgressBar;
use std::sync::Arc;
use wire::jpos::{Amount, Body, Key, Operation, Reply, Status, TraceNo};

/// The operator's number at all of them.
pub const OPERATOR: &str = "001";
/// Most cash of a sale, in fen.
const CASH_MAX: u64 = 20_000;
/// Most that a sale pays in points, in fen.
const POINTS_MAX: u64 = 300;

/// A terminal and the person at it.
pub struct Cashier {
    pub(super) till: Till,
    pub(super) line: Line,
    pub(super) dice: Dice,
    master: Key,
    members: Arc<[Member]>,
}

/// What a customer wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wish {
    Look,
    Cash,
    Points,
    Voucher,
    Ticket,
    TakeBack(TakeBackKind),
}

/// Of a thousand customers; the others pay cash.
const WISHES: [(u64, Wish); 7] = [
    (60, Wish::Look),
    (250, Wish::Points),
    (40, Wish::Voucher),
    (40, Wish::Ticket),
    (80, Wish::TakeBack(TakeBackKind::Void)),
    (60, Wish::TakeBack(TakeBackKind::Return)),
    (20, Wish::TakeBack(TakeBackKind::ReturnVoid)),
];

impl Cashier {
    /// Somebody at a terminal.
    #[must_use]
    pub fn new(seat: Seat, line: Line, members: Arc<[Member]>, dice: Dice) -> Self {
        let mut it = Self {
            till: Till::new(&seat.store_no, &seat.terminal_no),
            line,
            dice,
            master: seat.master,
            members,
        };
        it.line.tally.terminal = format!("{}/{}", seat.store_no, seat.terminal_no);
        it
    }

    /// The cards that customers show.
    #[must_use]
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// The terminal, for who serves the customers in another way.
    pub const fn till(&mut self) -> &mut Till {
        &mut self.till
    }

    /// Checks in, into a batch of its own: an open one that others began is closed first.
    ///
    /// # Errors
    /// When the gateway refuses.
    pub async fn open(mut self) -> Result<Self, String> {
        self.check_in().await?;
        self.clear().await?;
        self.check_in().await?;
        Ok(self)
    }

    async fn check_in(&mut self) -> Result<(), String> {
        let reply = self.line.ask(&self.till.check_in(OPERATOR)).await?;
        self.checked_in(&reply)
    }

    /// Takes over what a check-in brought.
    ///
    /// # Errors
    /// When the gateway refused, or the keys do not open.
    pub fn checked_in(&mut self, reply: &Reply) -> Result<(), String> {
        let (Body::Checkin(keys), Fate::Done) = (&reply.body, fate(reply)) else {
            return Err(self.refused("the check-in", reply));
        };
        let taken = self.till.checked_in(keys, &self.master);
        taken
            .map(drop)
            .map_err(|error| format!("{}: {error}", self.line.tally.terminal))
    }

    /// Closes the open batch, whatever is in it.
    async fn clear(&mut self) -> Result<(), String> {
        loop {
            // What was done in it is not known, nor which numbers are taken.
            let trace = u32::try_from(self.dice.within(900_000..999_990)).unwrap_or(900_000);
            self.till
                .set_next_trace(TraceNo::new(trace).unwrap_or(TraceNo::FIRST));
            let settle = self.made(Till::settle)?;
            let reply = self.line.ask(&settle).await?;
            self.till.answered(&reply);
            if self.till.batch_no().is_none() {
                return Ok(());
            }
            if reply.outcome.status() == Status::DuplicateTrace {
                continue;
            }
            if fate(&reply) != Fate::Done {
                return Err(self.refused("the settlement of the batch before", &reply));
            }
            let journal = self.made(Till::send_journal)?;
            let reply = self.line.ask(&journal).await?;
            self.till.answered(&reply);
            self.line.tally.found_open = true;
            if self.till.batch_no().is_none() {
                return Ok(());
            }
        }
    }

    /// Serves so many customers.
    ///
    /// # Errors
    /// When the gateway stays away.
    pub(super) async fn work(
        mut self,
        transactions: u64,
        progress: ProgressBar,
    ) -> Result<Self, String> {
        for _ in 0..transactions {
            let wish = self.wish();
            self.serve(wish).await?;
            progress.inc(1);
        }
        Ok(self)
    }

    fn wish(&mut self) -> Wish {
        let mut rest = self.dice.within(0..1000);
        for (share, wish) in WISHES {
            match rest.checked_sub(share) {
                None => return wish,
                Some(left) => rest = left,
            }
        }
        Wish::Cash
    }

    async fn serve(&mut self, wish: Wish) -> Result<(), String> {
        let Some(member) = self.member() else {
            return Err("no cards take part".to_owned());
        };
        let card = Swipe::typed(member.card_no.as_str());
        let sale = Purchase::new(card.clone());
        match wish {
            Wish::Look => self.look(&card).await.map(drop),
            Wish::Cash => self.cash(sale).await,
            Wish::Points => {
                let sale = Purchase {
                    pin: member.pin.clone(),
                    point_amount: self.fen(POINTS_MAX),
                    cash_amount: self.fen(CASH_MAX),
                    ..sale
                };
                self.transact(|till| till.sell(&sale)).await
            }
            Wish::Voucher => self.voucher(sale).await,
            Wish::Ticket => self.ticket(sale).await,
            Wish::TakeBack(kind) => {
                let known = self.make(|till| till.take_back(kind, &Which::Newest, None));
                match known {
                    Ok(message) => self.conclude(message).await,
                    // Nothing stands that could be taken back.
                    Err(TillError::NoOriginal) => self.cash(sale).await,
                    Err(error) => Err(error.to_string()),
                }
            }
        }
    }

    async fn cash(&mut self, sale: Purchase) -> Result<(), String> {
        let cash_amount = self.fen(CASH_MAX);
        let sale = Purchase {
            cash_amount,
            ..sale
        };
        self.transact(|till| till.sell(&sale)).await
    }

    /// Spends a voucher that the card holds, if it holds one.
    async fn voucher(&mut self, sale: Purchase) -> Result<(), String> {
        let reply = self.look(&sale.card).await?;
        let held = if let Body::Cards(card) = &reply.body {
            let mut vouchers = card.vouchers.iter();
            vouchers.find(|it| it.num > 0).map(|it| it.id)
        } else {
            None
        };
        let sale = Purchase {
            vouchers: held.map(|id| (id, 1)).into_iter().collect(),
            ..sale
        };
        self.cash(sale).await
    }

    /// Redeems a ticket that the card holds, if it holds one.
    async fn ticket(&mut self, sale: Purchase) -> Result<(), String> {
        let card = sale.card.clone();
        let message = self.made(|till| till.ask_tickets(&card))?;
        let reply = self.line.ask(&message).await?;
        self.till.learn(&reply.body);
        let held = if let Body::Tickets(held) = &reply.body {
            held.tickets.iter().find(|it| it.num > 0).cloned()
        } else {
            None
        };
        match held {
            Some(it) => {
                let tickets = [(it.id, Some(it.kind), 1)];
                self.transact(|till| till.redeem(&card, &tickets)).await
            }
            None => self.cash(sale).await,
        }
    }

    async fn look(&mut self, card: &Swipe) -> Result<Reply, String> {
        let message = self.made(|till| till.ask_card(card))?;
        let reply = self.line.ask(&message).await?;
        self.till.learn(&reply.body);
        if fate(&reply) != Fate::Done {
            let text = self.refused("a card", &reply);
            self.line.tally.disagree(text);
        }
        Ok(reply)
    }

    async fn transact(
        &mut self,
        make: impl FnOnce(&mut Till) -> Result<Message, TillError>,
    ) -> Result<(), String> {
        let message = self.made(make)?;
        self.conclude(message).await
    }

    /// Sends a message and sees it through: answered, asked again, or undone.
    async fn conclude(&mut self, message: Message) -> Result<(), String> {
        self.line.tally.transactions += 1;
        match self.line.say(&message).await? {
            Heard::Answer(reply) if fate(&reply) != Fate::Unknown => {
                self.take(&reply);
                Ok(())
            }
            Heard::Answer(_) | Heard::Broken(_) => self.undo(None).await,
            Heard::AnswerLost(really) if self.dice.per_mille(300) => self.repeat(&really).await,
            Heard::AnswerLost(really) => self.undo(undoing(&really)).await,
            Heard::RequestLost => {
                self.undo(Some(Status::OriginalMissing)).await?;
                self.arrive_late(&message).await
            }
        }
    }

    /// Takes an answer over.
    pub(super) fn take(&mut self, reply: &Reply) {
        let last = self.till.journal.entries().len();
        self.till.answered(reply);
        let tally = &mut self.line.tally;
        match fate(reply) {
            Fate::Done => {
                tally.approved += 1;
                if let Some(entry) = self.till.journal.entries().get(last) {
                    let takes_back = entry.operation == Operation::Cancel;
                    let moved = books::moved(&reply.body, takes_back);
                    *tally.moved.entry(entry.card_no.clone()).or_default() += moved;
                }
            }
            Fate::Refused => {
                tally.declined += 1;
                if !is_foreseen(reply.outcome.status()) {
                    let text = self.refused("a transaction", reply);
                    self.line.tally.disagree(text);
                }
            }
            Fate::Unknown => {}
        }
    }

    /// What each card of its share holds: every `shares`th, from the one at `share` on.
    pub(super) async fn balances(
        mut self,
        share: usize,
        shares: usize,
    ) -> Result<(Self, Balances), String> {
        let mut balances = Balances::new();
        let members = Arc::clone(&self.members);
        for member in members.iter().skip(share).step_by(shares.max(1)) {
            let reply = self.look(&Swipe::typed(member.card_no.as_str())).await?;
            if let Body::Cards(card) = &reply.body {
                let total = card.balances.map(|it| it.total.get());
                balances.extend(total.map(|it| (member.card_no.clone(), it)));
            }
        }
        Ok((self, balances))
    }

    /// Forgets a transaction, if there is one.
    pub(super) fn forget(&mut self, dice: &mut Dice) -> Option<Planted> {
        let entries = self.till.journal.entries();
        let index = usize::try_from(dice.within(0..entries.len() as u64)).ok()?;
        let trace_no = entries.get(index)?.trace_no;
        let entry = self.till.journal.take_out(trace_no)?;
        Some(Planted {
            terminal: self.line.tally.terminal.clone(),
            operation: entry.operation,
            trace_no,
        })
    }

    /// Settles; brings what was counted on the way.
    ///
    /// # Errors
    /// When the gateway refuses or stays away.
    pub async fn close(mut self) -> Result<(Tally, Closing), String> {
        let closing = self.settle().await?;
        Ok((self.line.tally, closing))
    }

    fn member(&mut self) -> Option<Member> {
        let index = usize::try_from(self.dice.within(0..self.members.len() as u64)).ok()?;
        self.members.get(index).cloned()
    }

    fn fen(&mut self, max: u64) -> Amount {
        Amount::new(i64::try_from(self.dice.within(1..max + 1)).unwrap_or(1))
    }

    pub(super) fn make(
        &mut self,
        make: impl FnOnce(&mut Till) -> Result<Message, TillError>,
    ) -> Result<Message, TillError> {
        make(&mut self.till)
    }

    pub(super) fn made(
        &mut self,
        make: impl FnOnce(&mut Till) -> Result<Message, TillError>,
    ) -> Result<Message, String> {
        let made = self.make(make);
        made.map_err(|error| format!("{}: {error}", self.line.tally.terminal))
    }

    pub(super) fn refused(&self, what: &str, reply: &Reply) -> String {
        format!(
            "{}: {what} was answered {} ({})",
            self.line.tally.terminal,
            reply.outcome.status().code(),
            reply.outcome.message(),
        )
    }
}

pub(super) fn fate(reply: &Reply) -> Fate {
    Fate::of(reply.outcome.status())
}

/// How the reversal of a message that was answered so must end.
fn undoing(really: &Reply) -> Option<Status> {
    match fate(really) {
        Fate::Done => Some(Status::Approved),
        Fate::Refused => Some(Status::NotAllowed),
        Fate::Unknown => None,
    }
}

/// What happens on any day: a card has too little, or a limit is reached.
fn is_foreseen(status: Status) -> bool {
    matches!(
        status,
        Status::TooLittle | Status::OverLimit | Status::TooMany
    )
}
