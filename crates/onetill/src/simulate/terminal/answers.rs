//! All answers to one message, whichever copy of it they answer: they must agree, and once its
//! reversal is through no copy may be carried out.

use domain::loyalty::trans::Place;
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};
use wire::jpos::{Body, Reply, Status};

/// Statuses of what was not decided: nothing is recorded, or nobody knows.
const UNDECIDED: [Status; 9] = [
    Status::CheckinNeeded,
    Status::MacFailed,
    Status::PinFormat,
    Status::IssuerDown,
    Status::Internal,
    Status::NoAnswer,
    Status::LateAnswer,
    Status::InProgress,
    Status::NoRoute,
];

/// Whether an answer is the last word on its message.
#[must_use]
pub fn is_decided(status: Status) -> bool {
    !UNDECIDED.contains(&status)
}

/// What was answered to the messages of terminals.
#[derive(Default)]
pub struct Answers(Mutex<BTreeMap<Place, Said>>);

/// What was answered to one message.
#[derive(Default)]
struct Said {
    approved: Option<Body>,
    refused: Option<Status>,
    reversal: Reversal,
}

/// How far a message's reversal is.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Reversal {
    #[default]
    None,
    Sent,
    Through,
}

impl Answers {
    /// A reversal of the message is sent.
    pub fn is_being_reversed(&self, place: Place) {
        self.at(place, |said| said.reversal = Reversal::Sent);
    }

    /// The reversal is through.
    pub fn is_reversed(&self, place: Place) {
        self.at(place, |said| said.reversal = Reversal::Through);
    }

    /// Whether a copy that is sent now comes too late.
    pub fn comes_too_late(&self, place: Place) -> bool {
        self.at(place, |said| said.reversal == Reversal::Through)
    }

    /// Takes an answer to a copy of the message; `was_late` is whether it was sent too late.
    ///
    /// # Errors
    /// When it does not agree with the others.
    pub fn heard(&self, place: Place, reply: &Reply, was_late: bool) -> Result<(), String> {
        let status = reply.outcome.status();
        if !is_decided(status) {
            return Ok(());
        }
        self.at(place, |said| {
            if status == Status::Approved {
                said.approves(&reply.body, was_late)
            } else {
                said.refuses(status)
            }
        })
    }

    fn at<T>(&self, place: Place, work: impl FnOnce(&mut Said) -> T) -> T {
        work(self.all().entry(place).or_default())
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<Place, Said>> {
        // Nothing panics while it is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Said {
    fn approves(&mut self, body: &Body, was_late: bool) -> Result<(), String> {
        if was_late {
            return Err("a copy is carried out after its reversal".to_owned());
        }
        if let Some(status) = self.refused {
            return Err(format!("approved, and {} before", status.code()));
        }
        match &self.approved {
            Some(before) if before != body => Err("approved, with other figures".to_owned()),
            Some(_) => Ok(()),
            None => {
                self.approved = Some(body.clone());
                Ok(())
            }
        }
    }

    /// What is being reversed is refused, whatever it was.
    fn refuses(&mut self, status: Status) -> Result<(), String> {
        if status == Status::NotAllowed && self.reversal != Reversal::None {
            return Ok(());
        }
        if self.approved.is_some() {
            return Err(format!("{}, and approved before", status.code()));
        }
        match self.refused {
            Some(before) if before != status => {
                Err(format!("{}, and {} before", status.code(), before.code()))
            }
            Some(_) => Ok(()),
            None => {
                self.refused = Some(status);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::loyalty::{terminal::BatchNo, trans::TraceNo};
    use wire::jpos::{
        Outcome, SerialNo,
        reply::{Balances, ConsumeReply, Points},
    };

    fn place() -> Place {
        Place::new(1, BatchNo::FIRST, TraceNo::new(1).unwrap())
    }

    fn approved(serial: u64) -> Reply {
        let points = Points {
            serial_no: SerialNo::new(serial).unwrap(),
            balances: Balances::default(),
            used: wire::jpos::Amount::ZERO,
            present: wire::jpos::Amount::ZERO,
        };
        let reply = ConsumeReply {
            points: Some(points),
            advertisement: String::new(),
        };
        Reply::approved(Body::Consume(reply), 0)
    }

    fn refused(status: Status) -> Reply {
        Reply {
            outcome: Outcome::new(status),
            ..approved(1)
        }
    }

    /// Which of a row of answers is the first that does not agree.
    fn first_wrong(replies: &[Reply]) -> Option<usize> {
        let answers = Answers::default();
        replies
            .iter()
            .position(|it| answers.heard(place(), it, false).is_err())
    }

    #[test]
    fn answers_to_one_message_agree_or_do_not() {
        let short = || refused(Status::TooLittle);
        assert_eq!(first_wrong(&[approved(1), approved(1)]), None);
        assert_eq!(first_wrong(&[approved(1), approved(2)]), Some(1));
        assert_eq!(first_wrong(&[approved(1), short()]), Some(1));
        assert_eq!(first_wrong(&[short(), approved(1)]), Some(1));
        assert_eq!(first_wrong(&[short(), refused(Status::WrongPin)]), Some(1));
        let unknown = refused(Status::NoAnswer);
        assert_eq!(first_wrong(&[unknown, approved(1), approved(1)]), None);
        assert_eq!(
            first_wrong(&[approved(1), refused(Status::NotAllowed)]),
            Some(1)
        );
    }

    #[test]
    fn what_is_reversed_is_not_carried_out_any_more() {
        let answers = Answers::default();
        let not_allowed = refused(Status::NotAllowed);
        assert!(answers.heard(place(), &approved(1), false).is_ok());
        answers.is_being_reversed(place());
        assert!(!answers.comes_too_late(place()));
        assert!(answers.heard(place(), &not_allowed, false).is_ok());
        assert!(answers.heard(place(), &approved(1), false).is_ok());
        answers.is_reversed(place());
        assert!(answers.comes_too_late(place()));
        assert!(answers.heard(place(), &not_allowed, true).is_ok());
        assert!(answers.heard(place(), &approved(1), true).is_err());
    }
}
