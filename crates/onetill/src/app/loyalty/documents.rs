//! What kind of row a document is: asked for by a key of one kind, it is of that kind.

use domain::{
    loyalty::{
        card::Card, document::Document, store::Store, terminal::Terminal, work_item::WorkItem,
    },
    voucher::{
        change::Change,
        partner::Partner,
        stock::Carton,
        ticket::{Activity, VoucherTicket},
    },
};

/// Makes a function that takes a document as one kind of row.
macro_rules! kinds {
    ($( $(#[$meta:meta])* $name:ident: $kind:ident; )+) => {
        $(
            $(#[$meta])*
            #[must_use]
            pub fn $name(document: Document) -> Option<$kind> {
                if let Document::$kind(it) = document {
                    Some(*it)
                } else {
                    None
                }
            }
        )+
    };
}

kinds! {
    /// The store, if it is one.
    store: Store;
    /// The terminal, if it is one.
    terminal: Terminal;
    /// The card, if it is one.
    card: Card;
    /// What waits for an operator's eyes, if it does.
    work_item: WorkItem;
    /// The partner, if it is one.
    partner: Partner;
    /// The type of voucher codes, if it is one.
    voucher_ticket: VoucherTicket;
    /// What voucher codes are sold under, if it is that.
    activity: Activity;
    /// The box of voucher codes, if it is one.
    carton: Carton;
    /// The change of voucher codes, if it is one.
    change: Change;
}
