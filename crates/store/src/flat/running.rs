//! What a till's messages change of cards and terminals, without what lasts: the smaller part of both.
//!
//! Such parts outlive a version of the program in SQLite's log. A field that joins one later has to leave
//! its document as it is where a part does not have it.

use super::loyalty::{table, unread, write};
use crate::contract::StoreError;
use domain::{
    loyalty::{
        card::{Card, DayUse, HeldCode, Holding, Lot, MonthSpending},
        document::{Document, DocumentKey},
        is_default,
        points::Points,
        terminal::{Batch, Terminal},
    },
    time::UnixMs,
};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// A terminal's running part. Names are short, since there is a part for each message, and were long once.
#[derive(Serialize, Deserialize)]
struct RunningTerminal<'a> {
    #[serde(
        rename = "f",
        alias = "mac_failures",
        default,
        skip_serializing_if = "is_default"
    )]
    mac_failures: u8,
    #[serde(
        rename = "b",
        alias = "batch",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    batch: Option<Batch>,
    #[serde(rename = "n", alias = "trans_count")]
    trans_count: i64,
    #[serde(
        rename = "d",
        alias = "today",
        default,
        skip_serializing_if = "is_default"
    )]
    today: DayUse,
    #[serde(
        rename = "s",
        alias = "codes_sent_at",
        default,
        skip_serializing_if = "<[_]>::is_empty"
    )]
    codes_sent_at: Cow<'a, [UnixMs]>,
}

/// A card's running part.
#[derive(Serialize, Deserialize)]
struct RunningCard<'a> {
    #[serde(rename = "g", alias = "grade")]
    grade: u8,
    #[serde(
        rename = "l",
        alias = "lots",
        default,
        skip_serializing_if = "<[_]>::is_empty"
    )]
    lots: Cow<'a, [Lot]>,
    #[serde(
        rename = "o",
        alias = "owed",
        default,
        skip_serializing_if = "is_default"
    )]
    owed: Points,
    #[serde(
        rename = "t",
        alias = "tickets",
        default,
        skip_serializing_if = "<[_]>::is_empty"
    )]
    tickets: Cow<'a, [Holding]>,
    #[serde(
        rename = "c",
        alias = "codes",
        default,
        skip_serializing_if = "<[_]>::is_empty"
    )]
    codes: Cow<'a, [HeldCode]>,
    #[serde(
        rename = "d",
        alias = "today",
        default,
        skip_serializing_if = "is_default"
    )]
    today: DayUse,
    #[serde(
        rename = "m",
        alias = "spending",
        default,
        skip_serializing_if = "<[_]>::is_empty"
    )]
    spending: Cow<'a, [MonthSpending]>,
}

impl<'a> RunningTerminal<'a> {
    /// The running part, and what lasts.
    fn split(terminal: &'a Terminal) -> (Self, impl PartialEq + 'a) {
        // Each field is named, so that a new one is put on one side or the other.
        let Terminal {
            tenant,
            store,
            number,
            index,
            blocked,
            profile,
            master_key,
            keys,
            keys_before,
            key_count,
            mac_failures,
            check_in,
            batch,
            trans_count,
            today,
            codes_sent_at,
            updated_at,
        } = terminal;
        let running = Self {
            mac_failures: *mac_failures,
            batch: *batch,
            trans_count: *trans_count,
            today: *today,
            codes_sent_at: Cow::Borrowed(codes_sent_at),
        };
        let named = (tenant, store, number, index, blocked, profile);
        let keyed = (master_key, keys, keys_before, key_count);
        (running, (named, keyed, check_in, updated_at))
    }

    fn enter(self, terminal: &mut Terminal) {
        let Self {
            mac_failures,
            batch,
            trans_count,
            today,
            codes_sent_at,
        } = self;
        terminal.mac_failures = mac_failures;
        terminal.batch = batch;
        terminal.trans_count = trans_count;
        terminal.today = today;
        terminal.codes_sent_at = codes_sent_at.into_owned();
    }
}

impl<'a> RunningCard<'a> {
    /// The running part, and what lasts.
    fn split(card: &'a Card) -> (Self, impl PartialEq + 'a) {
        let Card {
            tenant,
            number,
            account,
            status,
            expires_at,
            expiry_yymm,
            holder,
            grade,
            pin,
            lots,
            owed,
            tickets,
            codes,
            today,
            spending,
        } = card;
        let running = Self {
            grade: *grade,
            lots: Cow::Borrowed(lots),
            owed: *owed,
            tickets: Cow::Borrowed(tickets),
            codes: Cow::Borrowed(codes),
            today: *today,
            spending: Cow::Borrowed(spending),
        };
        let named = (tenant, number, account, status);
        (running, (named, expires_at, expiry_yymm, holder, pin))
    }

    fn enter(self, card: &mut Card) {
        let Self {
            grade,
            lots,
            owed,
            tickets,
            codes,
            today,
            spending,
        } = self;
        card.grade = grade;
        card.lots = lots.into_owned();
        card.owed = owed;
        card.tickets = tickets.into_owned();
        card.codes = codes.into_owned();
        card.today = today;
        card.spending = spending.into_owned();
    }
}

/// The running part of a card or terminal, if that is all in which it differs from what it was before.
pub(crate) fn running_part(
    before: &Document,
    after: &Document,
) -> Result<Option<String>, StoreError> {
    let running = match (before, after) {
        (Document::Terminal(before), Document::Terminal(after)) => {
            let (running, lasting) = RunningTerminal::split(after);
            (RunningTerminal::split(before).1 == lasting).then(|| write(&running))
        }
        (Document::Card(before), Document::Card(after)) => {
            let (running, lasting) = RunningCard::split(after);
            (RunningCard::split(before).1 == lasting).then(|| write(&running))
        }
        _ => None,
    };
    let running = running.transpose();
    running.map_err(|error| {
        let text = format!("{} cannot be written: {error}", named(after));
        StoreError::Corrupt(text)
    })
}

fn named(document: &Document) -> String {
    let DocumentKey { kind, tenant, key } = document.key();
    format!(
        "the running part of {} {key} of tenant {}",
        table(kind),
        tenant.0
    )
}

/// Enters a running part in its document.
pub(crate) fn enter_running(document: &mut Document, text: &str) -> Result<(), StoreError> {
    let entered = if let Document::Terminal(it) = document {
        serde_json::from_str(text).map(|running| RunningTerminal::enter(running, it))
    } else if let Document::Card(it) = document {
        serde_json::from_str(text).map(|running| RunningCard::enter(running, it))
    } else {
        let text = format!("{}: there is no such thing", named(document));
        return Err(StoreError::Corrupt(text));
    };
    entered.map_err(|error| unread(&named(document), &error))
}

#[cfg(test)]
mod tests;
