//! What tills did with one code.

use super::code::CodeNo;
use crate::{
    ids::{MerchantNo, Serial, TenantId},
    payment::Payment,
    time::UnixMs,
};
use serde::{Deserialize, Serialize};

/// A code that a till has touched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeUse {
    /// Whose.
    pub tenant: TenantId,
    /// Which code.
    pub code: CodeNo,
    /// How many of its uses are gone.
    pub used: u32,
    /// How many of its uses open payments hold.
    pub reserved: u32,
    /// How many events it has.
    pub events: u32,
    /// The newest payment that held it.
    pub newest: Option<Serial>,
    /// The subject of its newest event.
    pub last: Option<Serial>,
    /// What else there is to its newest event, where it is kept here.
    pub kept: Option<KeptEvent>,
}

/// A code's newest event where a payment made it: the code's row keeps it, and it becomes a row of its own
/// when another one follows. Most codes are used once, and need none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptEvent {
    /// What happened.
    pub act: CodeAct,
    /// When.
    pub at: UnixMs,
    /// The subject of the code's event before it; the first has none.
    pub before: Option<Serial>,
}

impl CodeUse {
    /// A code that no till has touched yet.
    #[must_use]
    pub const fn untouched(tenant: TenantId, code: CodeNo) -> Self {
        Self {
            tenant,
            code,
            used: 0,
            reserved: 0,
            events: 0,
            newest: None,
            last: None,
            kept: None,
        }
    }

    /// Whether any of its uses is gone or held.
    #[must_use]
    pub const fn is_busy(&self) -> bool {
        self.used > 0 || self.reserved > 0
    }

    /// Where its newest event is found.
    #[must_use]
    pub fn newest_event(&self) -> Option<EventLink> {
        let number = self.events.checked_sub(1)?;
        self.last.map(|subject| EventLink { subject, number })
    }

    /// Its newest event, where it is kept here.
    #[must_use]
    pub fn kept_event(&self) -> Option<CodeEvent> {
        let (KeptEvent { act, at, before }, link) = (self.kept?, self.newest_event()?);
        Some(CodeEvent {
            tenant: self.tenant,
            code: self.code,
            number: link.number,
            act,
            at,
            subject: link.subject,
            before,
            scene: None,
        })
    }

    /// Keeps what a payment did to it as its newest event, which leads to the one before. Gives the event
    /// that was kept until now: it is to be recorded.
    #[must_use]
    pub fn keep(&mut self, act: CodeAct, at: UnixMs, payment: Serial) -> Option<CodeEvent> {
        let former = self.kept_event();
        let before = self.last.replace(payment);
        self.kept = Some(KeptEvent { act, at, before });
        self.events += 1;
        former
    }

    /// Counts what happened to it elsewhere as its newest event. Gives what is to be recorded: this event,
    /// and before it the one that was kept until now.
    pub fn note(
        &mut self,
        act: CodeAct,
        at: UnixMs,
        subject: Serial,
        scene: Scene,
    ) -> impl Iterator<Item = CodeEvent> + use<> {
        let former = self.kept_event();
        self.kept = None;
        let event = CodeEvent {
            tenant: self.tenant,
            code: self.code,
            number: self.events,
            act,
            at,
            subject,
            before: self.last.replace(subject),
            scene: Some(scene),
        };
        self.events += 1;
        former.into_iter().chain([event])
    }
}

/// Where an event of a code is found. Subjects are time-ordered, so events found by them are written
/// side by side, whatever codes they are of; from a code they are found one behind the other, the
/// newest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EventLink {
    /// Its subject.
    pub subject: Serial,
    /// Its number among the events of the code: one subject may have several.
    pub number: u32,
}

/// A use of a code, or its reversal. As text it has short names and nothing of what it is found by, like
/// [`Trans`](crate::loyalty::trans::Trans).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeEvent {
    /// Whose.
    #[serde(skip)]
    pub tenant: TenantId,
    /// Which code.
    #[serde(skip)]
    pub code: CodeNo,
    /// Its number among the events of the code, from 0.
    #[serde(skip)]
    pub number: u32,
    /// What happened.
    #[serde(rename = "a", alias = "act")]
    pub act: CodeAct,
    /// When.
    #[serde(rename = "t", alias = "at")]
    pub at: UnixMs,
    /// The payment, refund or event on a card that did it.
    #[serde(skip)]
    pub subject: Serial,
    /// The subject of the code's event before it; the first has none.
    #[serde(
        rename = "b",
        alias = "before",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub before: Option<Serial>,
    /// Where; a payment's event has none, since the payment tells. Former versions wrote it there, too.
    #[serde(
        rename = "s",
        alias = "scene",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub scene: Option<Scene>,
}

impl CodeEvent {
    /// Where it is found.
    #[must_use]
    pub const fn link(&self) -> EventLink {
        EventLink {
            subject: self.subject,
            number: self.number,
        }
    }

    /// Where the code's event before it is found.
    #[must_use]
    pub fn earlier(&self) -> Option<EventLink> {
        let number = self.number.checked_sub(1)?;
        self.before.map(|subject| EventLink { subject, number })
    }
}

/// What happened to a use of a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum CodeAct {
    /// It was used.
    #[serde(rename = "U", alias = "Used")]
    Used,
    /// It came back.
    #[serde(rename = "G", alias = "GivenBack")]
    GivenBack,
}

/// Where a code was used.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scene {
    /// The account that sold.
    #[serde(rename = "m", default, skip_serializing_if = "Option::is_none")]
    pub merchant: Option<MerchantNo>,
    /// The store, as the till named it.
    #[serde(rename = "s", default, skip_serializing_if = "String::is_empty")]
    pub store: String,
    /// The till, as it named itself.
    #[serde(rename = "t", default, skip_serializing_if = "String::is_empty")]
    pub terminal: String,
    /// The till's own number of the sale.
    #[serde(rename = "n", default, skip_serializing_if = "String::is_empty")]
    pub sale: String,
}

impl Scene {
    /// Where a payment was taken.
    #[must_use]
    pub fn of_payment(payment: &Payment) -> Self {
        let details = &payment.details;
        Self {
            merchant: Some(payment.merchant),
            store: details.store_id.clone().unwrap_or_default(),
            terminal: details.device_id.clone(),
            sale: payment.merchant_serial.clone(),
        }
    }
}
