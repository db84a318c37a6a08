//! Reversals, until they are through.

use super::{Asked, Away, Line, Phase, Terminal, answers::is_decided, name, purse::Bounds};
use store::gate::Heard;
use wire::jpos::Status;

/// Of a thousand approved messages, so many are reversed although they were answered.
const JAMS: u64 = 50;

impl<L: Line> Terminal<L> {
    /// The printer jams: what was approved is reversed all the same.
    pub(super) fn may_jam(&mut self, asked: Asked, changed: i64) {
        if self.till.reverse().is_err() || !self.dice.per_mille(JAMS) {
            return;
        }
        self.count += 1;
        let id = (self.index, self.count);
        let back = Bounds::exactly(-changed);
        self.model.purses.begin(&asked.card, id, back);
        // From here on it may stand or not.
        self.note(asked.place, Heard::Nothing);
        self.last = Some(Asked {
            id,
            phase: Phase::UndoingApproved(changed),
            ..asked
        });
    }

    /// Reverses the last message.
    pub(super) async fn undo(&mut self) -> Result<(), Away> {
        let message = self.made(|till| till.reverse())?;
        let Some(place) = self.last.as_ref().map(|it| it.place) else {
            return Ok(());
        };
        self.model.answers.is_being_reversed(place);
        let sent = self.line.send(None, &message).await;
        let status = sent.reply.ok_or(Away)?.outcome.status();
        let (what, code) = (name(place), status.code());
        self.line
            .log(&format!("the reversal of {what} is answered {code}"));
        self.must_check_in |= status == Status::MacFailed;
        if status == Status::CheckinNeeded {
            self.line
                .fail(&format!("the reversal of {what} is refused for its batch"));
        }
        if !is_decided(status) {
            return Err(Away);
        }
        if let Some(asked) = self.last.take() {
            self.undone(&asked, status);
        }
        Ok(())
    }

    /// A reversal is through, if its answer is one that ends it.
    fn undone(&mut self, asked: &Asked, status: Status) {
        let decline = self.decline(asked);
        let explained = self.explained_reversals(asked, decline);
        let ends = self.till.reversed(status);
        if !ends || !explained.contains(&status) {
            let (what, code) = (name(asked.place), status.code());
            self.line.fail(&format!(
                "the reversal of {what}: {code}; {explained:?} is explained"
            ));
        }
        self.model.answers.is_reversed(asked.place);
        let first = if status == Status::NotAllowed {
            self.note(asked.place, Heard::Refused);
            decline.unwrap_or(status)
        } else {
            self.note(asked.place, Heard::Undone);
            status
        };
        self.count_pins(asked.forecast.pin, first);
        self.tally.undone += 1;
        let changed = match asked.phase {
            Phase::Asking | Phase::Undoing => 0,
            Phase::UndoingApproved(changed) => -changed,
        };
        self.forget(asked, changed);
    }

    /// How the message itself may have been declined.
    fn decline(&self, asked: &Asked) -> Option<Status> {
        let held = self.model.purses.held(&asked.card, asked.id);
        let explained = asked.forecast.explained(held, self.wrong_pins);
        explained.into_iter().find(|it| *it != Status::Approved)
    }

    /// What the reversal may be answered: what was never sent, or answered that nothing is recorded,
    /// was never seen.
    fn explained_reversals(&self, asked: &Asked, decline: Option<Status>) -> Vec<Status> {
        if asked.phase != Phase::Asking && asked.phase != Phase::Undoing {
            return vec![Status::Approved];
        }
        let missing = vec![Status::OriginalMissing];
        if !asked.may_stand {
            return missing;
        }
        let held = self.model.purses.held(&asked.card, asked.id);
        let approved = asked.forecast.explained(held, self.wrong_pins);
        let approved = approved.into_iter().filter(|it| *it == Status::Approved);
        let declined = decline.map(|_| Status::NotAllowed);
        missing
            .into_iter()
            .chain(approved)
            .chain(declined)
            .collect()
    }
}
