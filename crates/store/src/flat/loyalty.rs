//! Cards, terminals and their events as columns: keys and what is searched for stand in columns
//! of their own, the rest is one JSON text, since it is read and written whole (but for SQLite's log: see
//! [`super::running`]).

use crate::contract::StoreError;
use domain::{
    ids::{Serial, TenantId},
    loyalty::{
        document::{Document, DocumentKey, DocumentKind},
        trans::{Place, Trans, TransNo},
    },
};
use serde::{Serialize, de::DeserializeOwned};

/// The table of a kind of document.
pub(crate) const fn table(kind: DocumentKind) -> &'static str {
    match kind {
        DocumentKind::Store => "stores",
        DocumentKind::Terminal => "terminals",
        DocumentKind::Card => "cards",
        DocumentKind::VerifyCodes => "verify_codes",
        DocumentKind::WorkItem => "work_items",
        DocumentKind::Partner => "partners",
        DocumentKind::VoucherTicket => "voucher_tickets",
        DocumentKind::Activity => "activities",
        DocumentKind::Carton => "cartons",
        DocumentKind::Change => "stock_changes",
    }
}

/// The column that tables of some kinds have for [`FlatDocument::own`].
pub(crate) const fn own_column(kind: DocumentKind) -> Option<&'static str> {
    match kind {
        DocumentKind::Terminal => Some("no"),
        DocumentKind::Card | DocumentKind::VerifyCodes => Some("due_at"),
        DocumentKind::Store
        | DocumentKind::WorkItem
        | DocumentKind::Partner
        | DocumentKind::VoucherTicket
        | DocumentKind::Activity
        | DocumentKind::Carton
        | DocumentKind::Change => None,
    }
}

/// What [`own_column`] holds of a document.
pub(crate) fn own(document: &Document) -> Option<i64> {
    match document {
        Document::Terminal(it) => Some(it.index),
        Document::Card(_) | Document::VerifyCodes(_) => document.due_at().map(|at| at.0),
        Document::Store(_)
        | Document::WorkItem(_)
        | Document::Partner(_)
        | Document::VoucherTicket(_)
        | Document::Activity(_)
        | Document::Carton(_)
        | Document::Change(_) => None,
    }
}

/// What `body` holds of a document.
pub(crate) fn body(document: &Document) -> Result<String, StoreError> {
    let body = match document {
        Document::Store(it) => write(it),
        Document::Terminal(it) => write(it),
        Document::Card(it) => write(it),
        Document::VerifyCodes(it) => write(it),
        Document::WorkItem(it) => write(it),
        Document::Partner(it) => write(it),
        Document::VoucherTicket(it) => write(it),
        Document::Activity(it) => write(it),
        Document::Carton(it) => write(it),
        Document::Change(it) => write(it),
    };
    body.map_err(|error| {
        let DocumentKey { kind, key, .. } = document.key();
        let text = format!("{} {key} cannot be written: {error}", table(kind));
        StoreError::Corrupt(text)
    })
}

/// Whether documents of a kind are ever due.
pub(crate) const fn may_be_due(kind: DocumentKind) -> bool {
    match kind {
        DocumentKind::Card | DocumentKind::VerifyCodes => true,
        DocumentKind::Store
        | DocumentKind::Terminal
        | DocumentKind::WorkItem
        | DocumentKind::Partner
        | DocumentKind::VoucherTicket
        | DocumentKind::Activity
        | DocumentKind::Carton
        | DocumentKind::Change => false,
    }
}

/// Where a listing of documents by tenant and key starts (exclusive), and its last tenant.
pub(crate) fn listing(
    tenant: Option<TenantId>,
    after: Option<(TenantId, String)>,
) -> (i64, String, i64) {
    let first = tenant.map_or(i64::MIN, |it| it.0);
    let last = tenant.map_or(i64::MAX, |it| it.0);
    // No key is empty.
    let (from, key) = after.map_or((first, String::new()), |(it, key)| (it.0, key));
    if from < first {
        (first, String::new(), last)
    } else {
        (from, key, last)
    }
}

/// A document as columns. Has no `Debug`: bodies hold sealed keys and hashed PINs.
pub(crate) struct FlatDocument {
    pub tenant: i64,
    pub key: String,
    /// Cards and verify codes: when a worker has to look at it. Terminals: the index.
    pub own: Option<i64>,
    pub body: String,
}

impl FlatDocument {
    pub(crate) fn of(document: &Document) -> Result<Self, StoreError> {
        let DocumentKey { tenant, key, .. } = document.key();
        Ok(Self {
            tenant: tenant.0,
            key,
            own: own(document),
            body: body(document)?,
        })
    }

    /// Reads a row of the table of `kind`. What other columns hold follows from the body and may
    /// be worked out differently by the next version of the program.
    pub(crate) fn read(
        kind: DocumentKind,
        tenant: i64,
        key: String,
        body: &str,
    ) -> Result<Document, StoreError> {
        let read = match kind {
            DocumentKind::Store => read(body).map(Document::Store),
            DocumentKind::Terminal => read(body).map(Document::Terminal),
            DocumentKind::Card => read(body).map(Document::Card),
            DocumentKind::VerifyCodes => read(body).map(Document::VerifyCodes),
            DocumentKind::WorkItem => read(body).map(Document::WorkItem),
            DocumentKind::Partner => read(body).map(Document::Partner),
            DocumentKind::VoucherTicket => read(body).map(Document::VoucherTicket),
            DocumentKind::Activity => read(body).map(Document::Activity),
            DocumentKind::Carton => read(body).map(Document::Carton),
            DocumentKind::Change => read(body).map(Document::Change),
        };
        let named = format!("{} {key} of tenant {tenant}", table(kind));
        let document = read.map_err(|error| unread(&named, &error))?;
        let tenant = TenantId(tenant);
        if document.key() == (DocumentKey { kind, tenant, key }) {
            return Ok(document);
        }
        Err(StoreError::Corrupt(format!(
            "{named}: its body is another's"
        )))
    }
}

/// An event as columns.
pub(crate) struct FlatTrans {
    pub tenant: i64,
    pub serial: i64,
    pub place: Option<i64>,
    pub number: Option<i64>,
    pub body: String,
}

impl FlatTrans {
    pub(crate) fn of(trans: &Trans) -> Result<Self, StoreError> {
        let body = write(trans).map_err(|error| {
            let text = format!("event {} cannot be written: {error}", trans.serial);
            StoreError::Corrupt(text)
        })?;
        Ok(Self {
            tenant: trans.tenant.0,
            serial: trans.serial.0,
            place: trans.place.map(|it| it.get()),
            number: trans.number.map(|it| it.get()),
            body,
        })
    }

    pub(crate) fn read(self) -> Result<Trans, StoreError> {
        let named = || format!("event {} of tenant {}", self.serial, self.tenant);
        let trans: Trans = read(&self.body).map_err(|error| unread(&named(), &error))?;
        Ok(Trans {
            tenant: TenantId(self.tenant),
            serial: Serial(self.serial),
            place: self.place.map(Place::from_stored),
            number: self.number.map(TransNo::from_stored),
            ..trans
        })
    }
}

pub(super) fn write<T: Serialize>(value: &T) -> Result<String, serde_json::Error> {
    serde_json::to_string(value)
}

pub(super) fn read<T: DeserializeOwned>(text: &str) -> Result<T, serde_json::Error> {
    serde_json::from_str(text)
}

/// Says where the body is wrong, not what stands there: it may be a key.
pub(super) fn unread(what: &str, error: &serde_json::Error) -> StoreError {
    let column = error.column();
    StoreError::Corrupt(format!(
        "{what}: its body cannot be read from character {column} on"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{
        loyalty::{
            terminal::BatchNo,
            work_item::{Matter, WorkItem},
        },
        time::UnixMs,
    };

    fn item() -> WorkItem {
        WorkItem {
            tenant: TenantId(1),
            subject: Serial(20_779_000_000_000_001),
            at: UnixMs(5),
            terminal: 3,
            matter: Matter::ReversedAfterSettlement {
                batch: BatchNo::FIRST,
                number: TransNo::from_stored(30_000_001),
            },
            done: None,
        }
    }

    #[test]
    fn a_body_under_the_key_of_another_is_corrupt() {
        let flat = FlatDocument::of(&Document::WorkItem(Box::new(item()))).unwrap();
        let read = |tenant, key: &str| {
            FlatDocument::read(DocumentKind::WorkItem, tenant, key.to_owned(), &flat.body)
        };
        assert_eq!(read(1, &flat.key), Ok(Document::WorkItem(Box::new(item()))));
        for (tenant, key) in [(2, flat.key.as_str()), (1, "20261122000000000742")] {
            assert!(
                matches!(read(tenant, key), Err(StoreError::Corrupt(_))),
                "{key}"
            );
        }
    }

    #[test]
    fn what_cannot_be_read_is_not_told() {
        let body = r#"{"tenant":1,"number":"12345678","account":"$argon2id$secret"}"#;
        let read = FlatDocument::read(DocumentKind::Card, 1, "12345678".to_owned(), body);
        let Err(StoreError::Corrupt(text)) = read else {
            panic!("{read:?}");
        };
        assert!(
            !text.contains("argon2id") && text.contains("12345678"),
            "{text}"
        );
    }

    #[test]
    fn an_event_is_what_its_columns_and_its_text_say() {
        let text = r#"{"k":"Consume","st":"Approved","s":"102100099990001","sa":7,"c":"8800000000836400","ca":8,"t":9,"d":10,"m":"012","ad":"x","e":{"v":72,"p":[{"l":{"e":1859212800000},"n":7200}],"c":9511,"e":9511,"l":{"a":3,"e":1859212800000}},"b":{"t":544894,"a":544893}}"#;
        // As former versions wrote it.
        let long = r#"{"tenant":1,"serial":2,"place":3,"number":4,"kind":"Consume","state":"Approved",
            "store":"102100099990001","store_account":7,"card":"8800000000836400","card_account":8,"at":9,
            "content":10,"entry_mode":"012","advertisement":"x","effect":{"point_amount":72,
            "points":[{"lot":{"available_at":0,"expires_at":1859212800000},"points":7200}],"cash":9511,
            "earned":9511,"earned_lot":{"available_at":3,"expires_at":1859212800000}},
            "balance":{"total":544894,"available":544893}}"#;
        let flat = |body: &str| FlatTrans {
            tenant: 1,
            serial: 2,
            place: Some(3),
            number: Some(4),
            body: body.to_owned(),
        };
        let trans = flat(text).read().unwrap();
        assert_eq!(flat(long).read(), Ok(trans.clone()));
        let written = FlatTrans::of(&trans).unwrap();
        assert_eq!(written.body, text);
        assert_eq!(
            (
                written.tenant,
                written.serial,
                written.place,
                written.number
            ),
            (1, 2, Some(3), Some(4))
        );
        assert_eq!(trans.place, Some(Place::from_stored(3)));
    }

    #[test]
    fn digests_of_all_128_bits_survive() {
        for content in [0, 1, u128::from(u64::MAX) + 1, u128::MAX] {
            let text = write(&content).unwrap();
            assert_eq!(read::<u128>(&text).unwrap(), content);
        }
        let flat = FlatTrans {
            tenant: 1,
            serial: 1,
            place: Some(Place::from_stored(1).get()),
            number: None,
            body: "{}".to_owned(),
        };
        assert!(matches!(flat.read(), Err(StoreError::Corrupt(_))));
    }
}
