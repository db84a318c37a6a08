//! Rows that are found by one key and read whole: each is stored as its key, the time at which
//! something has to be done about it, and its content. Rows of vouchers that are kept so stand
//! here too.

use super::{
    card::{Card, CardNo},
    store::{Store, StoreNo},
    terminal::{Terminal, TerminalNo},
    verify_code::VerifyCodes,
    work_item::WorkItem,
};
use crate::{
    ids::{Serial, TenantId},
    time::UnixMs,
    voucher::{
        change::{Change, ChangeId},
        partner::{Partner, PartnerNo},
        stock::Carton,
        ticket::{Activity, ActivityNo, VoucherTicket, VoucherTicketNo},
    },
};

/// What kind of row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DocumentKind {
    /// A store.
    Store,
    /// A terminal.
    Terminal,
    /// A member's card.
    Card,
    /// The verify codes of a mobile number.
    VerifyCodes,
    /// What waits for an operator's eyes.
    WorkItem,
    /// Who sells voucher codes.
    Partner,
    /// A type of voucher codes.
    VoucherTicket,
    /// What voucher codes are sold under.
    Activity,
    /// A box of voucher codes.
    Carton,
    /// A change of ranges of voucher codes.
    Change,
}

impl DocumentKind {
    /// All kinds, in the order in which rows are locked.
    pub const ALL: [Self; 10] = [
        Self::Store,
        Self::Terminal,
        Self::Card,
        Self::VerifyCodes,
        Self::WorkItem,
        Self::Partner,
        Self::VoucherTicket,
        Self::Activity,
        Self::Carton,
        Self::Change,
    ];
}

/// Which row.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DocumentKey {
    /// Of which kind.
    pub kind: DocumentKind,
    /// Whose.
    pub tenant: TenantId,
    /// Its key among them.
    pub key: String,
}

impl DocumentKey {
    /// A store.
    #[must_use]
    pub fn store(tenant: TenantId, number: &StoreNo) -> Self {
        Self::new(DocumentKind::Store, tenant, number.as_str().to_owned())
    }

    /// A terminal of a store.
    #[must_use]
    pub fn terminal(tenant: TenantId, store: &StoreNo, number: &TerminalNo) -> Self {
        let key = format!("{}/{}", store.as_str(), number.as_str());
        Self::new(DocumentKind::Terminal, tenant, key)
    }

    /// A card.
    #[must_use]
    pub fn card(tenant: TenantId, number: &CardNo) -> Self {
        Self::new(DocumentKind::Card, tenant, number.as_str().to_owned())
    }

    /// The verify codes of a mobile number.
    #[must_use]
    pub fn verify_codes(tenant: TenantId, mobile: &str) -> Self {
        Self::new(DocumentKind::VerifyCodes, tenant, mobile.to_owned())
    }

    /// What an event raised for an operator.
    #[must_use]
    pub fn work_item(tenant: TenantId, subject: Serial) -> Self {
        Self::new(DocumentKind::WorkItem, tenant, subject.to_string())
    }

    /// Who sells voucher codes.
    #[must_use]
    pub fn partner(tenant: TenantId, number: PartnerNo) -> Self {
        Self::new(DocumentKind::Partner, tenant, number.to_string())
    }

    /// A type of voucher codes.
    #[must_use]
    pub fn voucher_ticket(tenant: TenantId, number: VoucherTicketNo) -> Self {
        Self::new(DocumentKind::VoucherTicket, tenant, number.0.to_string())
    }

    /// What voucher codes are sold under.
    #[must_use]
    pub fn activity(tenant: TenantId, number: ActivityNo) -> Self {
        Self::new(DocumentKind::Activity, tenant, number.0.to_string())
    }

    /// A box of voucher codes.
    #[must_use]
    pub fn carton(tenant: TenantId, serial: Serial) -> Self {
        Self::new(DocumentKind::Carton, tenant, serial.to_string())
    }

    /// A change of ranges of voucher codes.
    #[must_use]
    pub fn change(tenant: TenantId, id: &ChangeId) -> Self {
        Self::new(DocumentKind::Change, tenant, id.as_str().to_owned())
    }

    const fn new(kind: DocumentKind, tenant: TenantId, key: String) -> Self {
        Self { kind, tenant, key }
    }
}

/// A row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Document {
    /// A store.
    Store(Box<Store>),
    /// A terminal.
    Terminal(Box<Terminal>),
    /// A member's card.
    Card(Box<Card>),
    /// The verify codes of a mobile number.
    VerifyCodes(Box<VerifyCodes>),
    /// What waits for an operator's eyes.
    WorkItem(Box<WorkItem>),
    /// Who sells voucher codes.
    Partner(Box<Partner>),
    /// A type of voucher codes.
    VoucherTicket(Box<VoucherTicket>),
    /// What voucher codes are sold under.
    Activity(Box<Activity>),
    /// A box of voucher codes.
    Carton(Box<Carton>),
    /// A change of ranges of voucher codes.
    Change(Box<Change>),
}

impl Document {
    /// Which row it is.
    #[must_use]
    pub fn key(&self) -> DocumentKey {
        match self {
            Self::Store(it) => DocumentKey::store(it.tenant, &it.number),
            Self::Terminal(it) => DocumentKey::terminal(it.tenant, &it.store, &it.number),
            Self::Card(it) => DocumentKey::card(it.tenant, &it.number),
            Self::VerifyCodes(it) => DocumentKey::verify_codes(it.tenant, &it.mobile),
            Self::WorkItem(it) => DocumentKey::work_item(it.tenant, it.subject),
            Self::Partner(it) => DocumentKey::partner(it.tenant, it.number),
            Self::VoucherTicket(it) => DocumentKey::voucher_ticket(it.tenant, it.number),
            Self::Activity(it) => DocumentKey::activity(it.tenant, it.number),
            Self::Carton(it) => DocumentKey::carton(it.tenant, it.serial),
            Self::Change(it) => DocumentKey::change(it.tenant, &it.id),
        }
    }

    /// When a worker has to look at it: a card when points or tickets of it expire next, verify
    /// codes when nothing of them counts any more.
    #[must_use]
    pub fn due_at(&self) -> Option<UnixMs> {
        match self {
            Self::Card(card) => card.next_expiry(),
            Self::VerifyCodes(codes) => Some(codes.useless_at()),
            Self::Store(_)
            | Self::Terminal(_)
            | Self::WorkItem(_)
            | Self::Partner(_)
            | Self::VoucherTicket(_)
            | Self::Activity(_)
            | Self::Carton(_)
            | Self::Change(_) => None,
        }
    }
}
