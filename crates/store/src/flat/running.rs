//! What a till's messages change of cards and terminals, without what lasts: a quarter of a terminal,
//! half of a card.

use super::loyalty::{unread, write};
use crate::contract::StoreError;
use domain::{
    loyalty::{
        card::{Card, DayUse, HeldCode, Holding, Lot, MonthSpending},
        document::Document,
        points::Points,
        terminal::{Batch, Terminal},
    },
    time::UnixMs,
};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// A terminal's running part.
#[derive(Serialize, Deserialize)]
struct RunningTerminal<'a> {
    mac_failures: u8,
    batch: Option<Batch>,
    trans_count: i64,
    today: DayUse,
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    codes_sent_at: Cow<'a, [UnixMs]>,
}

/// A card's running part.
#[derive(Serialize, Deserialize)]
struct RunningCard<'a> {
    grade: u8,
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    lots: Cow<'a, [Lot]>,
    owed: Points,
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    tickets: Cow<'a, [Holding]>,
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    codes: Cow<'a, [HeldCode]>,
    today: DayUse,
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
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
        terminal.mac_failures = self.mac_failures;
        terminal.batch = self.batch;
        terminal.trans_count = self.trans_count;
        terminal.today = self.today;
        terminal.codes_sent_at = self.codes_sent_at.into_owned();
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
        card.grade = self.grade;
        card.lots = self.lots.into_owned();
        card.owed = self.owed;
        card.tickets = self.tickets.into_owned();
        card.codes = self.codes.into_owned();
        card.today = self.today;
        card.spending = self.spending.into_owned();
    }
}

/// The running part of a card or terminal, if that is all in which it differs from what it was before.
pub(crate) fn ran_on(before: &Document, after: &Document) -> Result<Option<String>, StoreError> {
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
    running.map_err(|error| StoreError::Corrupt(error.to_string()))
}

/// Enters a running part in its document.
pub(crate) fn run_on(document: &mut Document, text: &str) -> Result<(), StoreError> {
    let entered = if let Document::Terminal(it) = document {
        serde_json::from_str(text).map(|running| RunningTerminal::enter(running, it))
    } else if let Document::Card(it) = document {
        serde_json::from_str(text).map(|running| RunningCard::enter(running, it))
    } else {
        let key = document.key().key;
        return Err(StoreError::Corrupt(format!("{key} has no running part")));
    };
    entered.map_err(|error| unread(&document.key().key, &error))
}

#[cfg(test)]
mod tests;
