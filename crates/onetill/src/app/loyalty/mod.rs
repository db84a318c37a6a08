//! The use cases of member cards: points, tickets, terminals and their batches.
//!
//! | module | holds |
//! |---|---|
//! | [`documents`] | rows found by a key, by what they are |
//! | [`estate`] | stores and programs, kept in memory |
//! | [`programs`] | a program's versions |
//! | [`keys`] | terminals' keys, sealed and opened |
//! | [`pins`] | PINs against their hashes |
//! | [`codes`] | verify codes: made, digested, sent |
//! | [`messages`] | a terminal's message, from its sender to its answer |
//! | [`remembered`] | terminals as they were a moment ago |
//! | [`check_in`] | a terminal checks in |
//! | [`look`] | what a card shows |
//! | [`spend`] | purchases and tickets |
//! | [`give_back`] | cancels, refunds, refunds undone |
//! | [`reverse`] | messages whose answer was lost |
//! | [`activate`] | cards given to members |
//! | [`settle`], [`journal`] | the end of a batch, and its comparison line by line |

pub mod activate;
pub mod check_in;
pub mod codes;
pub mod documents;
pub mod estate;
pub mod give_back;
pub mod journal;
pub mod keys;
pub mod look;
pub mod messages;
pub mod pins;
pub mod programs;
pub mod remembered;
pub mod reverse;
pub mod settle;
pub mod spend;

pub use messages::{Caller, Heading, Rejection, Verdict, Wrong};

use crate::vault::Vault;
use channels::sms::{SmsProvider, sandbox::SandboxSms};
use codes::Codes;
use estate::Estate;
use keys::KeyRing;
use pins::Pins;
use remembered::Remembered;
use std::sync::Arc;

/// What the use cases of member cards work with, beside what all do.
pub struct Loyalty {
    /// Stores and programs.
    pub estate: Estate,
    /// Terminals' keys.
    pub keys: KeyRing,
    /// PINs.
    pub pins: Pins,
    /// Verify codes.
    pub codes: Codes,
    /// Terminals as they were a moment ago.
    pub remembered: Remembered,
    /// Whether terminals of any store may speak from this machine: only in the demo.
    pub admits_loopback: bool,
}

/// Who sends text messages.
#[derive(Clone, Default)]
pub enum Sms {
    /// Nobody: no code can be sent.
    #[default]
    Off,
    /// The sandbox, which shows them to the operator.
    Sandbox(Arc<SandboxSms>),
    /// A provider.
    Provider(Arc<dyn SmsProvider>),
}

impl Loyalty {
    /// With keys of `vault`, stores and programs not read yet.
    #[must_use]
    pub fn new(vault: &Vault, sms: Sms, admits_loopback: bool) -> Self {
        Self {
            estate: Estate::default(),
            keys: KeyRing::new(vault.clone()),
            pins: Pins::new(vault),
            codes: Codes::new(vault, sms),
            remembered: Remembered::default(),
            admits_loopback,
        }
    }
}
