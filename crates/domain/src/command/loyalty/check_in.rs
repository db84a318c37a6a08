//! A terminal checks in (source: 签到), and messages under right and wrong MACs.

use crate::{
    command::Command,
    ids::TenantId,
    loyalty::{
        document::{Document, DocumentKey},
        sealed::Sealed,
        store::StoreNo,
        terminal::{
            Batch, BatchNo, CheckedIn, KeyGeneration, MAC_FAILURES_MAX, Terminal, TerminalNo,
            WorkingKeys,
        },
        totals::Totals,
        trans::Refusal,
    },
    rows::{Inconsistent, Plan, Rows},
    time::UnixMs,
};

/// Working keys that have no number yet.
#[derive(Clone, Debug)]
pub struct NewKeys {
    /// The PIN key.
    pub pin_key: Sealed,
    /// Its check value, in hex.
    pub pin_key_check: String,
    /// The MAC key.
    pub mac_key: Sealed,
    /// Its check value, in hex.
    pub mac_key_check: String,
}

/// Opens the terminal's batch, or finds it open, and gives it new keys. The keys before stay
/// valid until a message under the new ones has come.
#[derive(Clone, Debug)]
pub struct CheckIn {
    /// Whose terminal.
    pub tenant: TenantId,
    /// Its store.
    pub store: StoreNo,
    /// Its number on the wire.
    pub terminal: TerminalNo,
    /// The operator at the till.
    pub operator: String,
    /// The new keys.
    pub keys: NewKeys,
    /// The keys under which the check-in's MAC was right, if it carried one: it needs none.
    pub under: Option<KeyGeneration>,
}

/// What a terminal checked in to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckedInto {
    /// The open batch.
    pub batch: BatchNo,
    /// Which set of keys it now has.
    pub generation: KeyGeneration,
}

impl Command for CheckIn {
    type Reply = Result<CheckedInto, Refusal>;

    fn plan<'a>(&'a self, plan: &mut Plan<'a>) {
        let terminal = DocumentKey::terminal(self.tenant, &self.store, &self.terminal);
        plan.loyalty.documents.push(terminal);
    }

    fn decide(&self, rows: &mut Rows, now: UnixMs) -> Result<Self::Reply, Inconsistent> {
        let found = rows
            .loyalty
            .terminal(self.tenant, &self.store, &self.terminal);
        let Some(mut terminal) = found.cloned() else {
            return Ok(Err(Refusal::UnknownTerminal));
        };
        if terminal.blocked {
            return Ok(Err(Refusal::TerminalInvalid));
        }
        if self.under.is_some_and(|it| terminal.keys_of(it).is_some()) {
            terminal.heard_under(self.under);
        }
        let generation = terminal.renew_keys(&self.keys);
        let batch = terminal.ensure_batch(now);
        terminal.check_in = Some(CheckedIn {
            at: now,
            operator: self.operator.clone(),
        });
        rows.loyalty
            .put_document(Document::Terminal(Box::new(terminal)));
        Ok(Ok(CheckedInto { batch, generation }))
    }
}

impl Terminal {
    /// Of two check-ins in a row whose new keys no message used, the older keys that were proven
    /// to work stay valid: the terminal may have heard neither answer.
    fn renew_keys(&mut self, keys: &NewKeys) -> KeyGeneration {
        self.key_count += 1;
        let generation = KeyGeneration(self.key_count);
        let newest = self.keys.replace(WorkingKeys {
            generation,
            pin_key: keys.pin_key.clone(),
            pin_key_check: keys.pin_key_check.clone(),
            mac_key: keys.mac_key.clone(),
            mac_key_check: keys.mac_key_check.clone(),
        });
        if self.keys_before.is_none() {
            self.keys_before = newest;
        }
        self.mac_failures = 0;
        generation
    }

    fn ensure_batch(&mut self, now: UnixMs) -> BatchNo {
        if let Some(open) = self.open_batch() {
            return open.number;
        }
        let number = self.batch.map_or(BatchNo::FIRST, |it| it.number.next());
        self.batch = Some(Batch {
            number,
            opened_at: now,
            closed_at: None,
            totals: Totals::default(),
            entries: 0,
        });
        number
    }
}

/// Notes that a message's MAC was right or wrong, where the message itself changes nothing. After
/// too many wrong ones in a row the terminal has to check in again.
#[derive(Clone, Debug)]
pub struct NoteMac {
    /// Whose terminal.
    pub tenant: TenantId,
    /// Its store.
    pub store: StoreNo,
    /// Its number on the wire.
    pub terminal: TerminalNo,
    /// The keys under which it was right; `None` when it was wrong.
    pub right: Option<KeyGeneration>,
}

impl Command for NoteMac {
    type Reply = ();

    fn plan<'a>(&'a self, plan: &mut Plan<'a>) {
        let terminal = DocumentKey::terminal(self.tenant, &self.store, &self.terminal);
        plan.loyalty.documents.push(terminal);
    }

    fn decide(&self, rows: &mut Rows, _now: UnixMs) -> Result<(), Inconsistent> {
        let found = rows
            .loyalty
            .terminal(self.tenant, &self.store, &self.terminal);
        let Some(mut terminal) = found.cloned() else {
            return Ok(());
        };
        match self.right {
            Some(_) => terminal.heard_under(self.right),
            None => terminal.note_wrong_mac(),
        }
        rows.loyalty
            .put_document(Document::Terminal(Box::new(terminal)));
        Ok(())
    }
}

impl Terminal {
    fn note_wrong_mac(&mut self) {
        self.mac_failures = self.mac_failures.saturating_add(1);
        if self.mac_failures >= MAC_FAILURES_MAX {
            self.keys = None;
            self.keys_before = None;
        }
    }
}
