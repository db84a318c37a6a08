//! What a terminal makes of the answer to its last message.

use super::{Asked, Away, Line, Phase, Terminal, answers::is_decided, forecast::PinSent, name};
use crate::{simulate_till::books::moved, till::told};
use wire::jpos::{
    Body, Operation, Reply, Status,
    reply::{EntryResult, SettleFlag, Verdict},
};

impl<L: Line> Terminal<L> {
    /// Takes the answer to the last message.
    pub(super) fn take(&mut self, reply: &Reply) -> Result<(), Away> {
        let status = reply.outcome.status();
        self.must_check_in |= matches!(status, Status::CheckinNeeded | Status::MacFailed);
        if let Some(asked) = self.last.as_mut().filter(|_| status == Status::PinFormat) {
            // Its block is under keys that are gone: it can only be reversed.
            asked.phase = Phase::Undoing;
        }
        if !is_decided(status) {
            return Err(Away);
        }
        let Some(asked) = self.last.take() else {
            return Ok(());
        };
        let changed = self.judge(&asked, reply);
        self.note(asked.place, told::heard(reply));
        self.till.answered(reply);
        self.forget(&asked, changed);
        if status == Status::Approved {
            self.tally.approved += 1;
            self.may_jam(asked, changed);
        } else {
            self.tally.declined += 1;
        }
        Ok(())
    }

    /// Whether the answer is explained; what it changed about the card's points.
    fn judge(&mut self, asked: &Asked, reply: &Reply) -> i64 {
        let (forecast, status) = (&asked.forecast, reply.outcome.status());
        let held = self.model.purses.held(&asked.card, asked.id);
        let explained = forecast.explained(held, self.wrong_pins);
        let is_approved = status == Status::Approved;
        let changed = if is_approved { self.changed(reply) } else { 0 };
        let is_right = !is_approved || forecast.explains(held, changed, &reply.body);
        if !explained.contains(&status) || !is_right {
            let (what, code) = (name(asked.place), status.code());
            self.line.fail(&format!(
                "{what}: {code}, changed {changed}; {explained:?} is explained, the card held \
                 {held:?}, {forecast:?}"
            ));
        }
        self.count_pins(forecast.pin, status);
        self.check_settled(asked, &reply.body);
        changed
    }

    fn changed(&self, reply: &Reply) -> i64 {
        let is_void = matches!(self.till.last(), Some((Operation::Cancel, ..)));
        moved(&reply.body, is_void)
    }

    pub(super) fn count_pins(&mut self, pin: PinSent, status: Status) {
        if pin == PinSent::Right && status == Status::Approved {
            self.wrong_pins = 0;
        }
        if pin == PinSent::Wrong && status == Status::WrongPin {
            self.wrong_pins += 1;
        }
    }

    fn check_settled(&mut self, asked: &Asked, body: &Body) {
        let (what, difference) = match body {
            Body::Settle(reply) if reply.flag != Some(SettleFlag::Balanced) => {
                ("does not balance", format!("{:?}", reply.differences))
            }
            Body::SettleDetails(lines) => {
                let differs = |it: &&EntryResult| it.verdict != Verdict::Matched;
                match lines.iter().find(differs) {
                    Some(line) => ("has another journal", format!("{line:?}")),
                    None => return self.tally.settled += 1,
                }
            }
            Body::Settle(_) => return self.tally.settled += 1,
            Body::Checkin(_)
            | Body::Cards(_)
            | Body::Consume(_)
            | Body::Cancel(_)
            | Body::Refund(_)
            | Body::Tickets(_)
            | Body::TicketConsume(_)
            | Body::CardActive(_)
            | Body::Plain => return,
        };
        let text = format!("{} {what}: {difference}", name(asked.place));
        self.line.fail(&text);
    }
}
