//! Rows made of any columns, for fuzzing: they are read or refused, never worse.

use super::{
    FlatCodeEvent, FlatDocument, FlatJob, FlatNotification, FlatPayment, FlatPosting, FlatRecharge,
    FlatRefund, FlatSpan, FlatState, FlatTrans, FlatUnit, FlatUse,
};
use domain::loyalty::document::DocumentKind;

/// What may lie in the columns of a row; missing ones are zero or empty.
pub struct Columns {
    /// Numbers in the order of the table's columns.
    pub numbers: [Option<i64>; 16],
    /// Texts likewise.
    pub texts: Vec<String>,
}

impl Columns {
    fn maybe(&self, at: usize) -> Option<i64> {
        self.numbers.get(at).copied().flatten()
    }

    fn number(&self, at: usize) -> i64 {
        self.maybe(at).unwrap_or(0)
    }

    fn code(&self, at: usize) -> i16 {
        i16::try_from(self.number(at)).unwrap_or(i16::MIN)
    }

    fn maybe_code(&self, at: usize) -> Option<i16> {
        self.maybe(at).map(|_| self.code(at))
    }

    fn count(&self, at: usize) -> i32 {
        i32::try_from(self.number(at)).unwrap_or(i32::MIN)
    }

    fn text(&self, at: usize) -> String {
        self.maybe_text(at).unwrap_or_default()
    }

    fn maybe_text(&self, at: usize) -> Option<String> {
        self.texts.get(at).filter(|text| !text.is_empty()).cloned()
    }
}

/// Reads a row of the table that `kind` chooses. What is read is written as what reads the same.
///
/// # Panics
/// When it does not.
pub fn read_row(kind: u8, columns: &Columns) {
    match kind {
        236 => return unit(columns),
        237 => return span(columns),
        238 => return code_use(columns),
        239 => return code_event(columns),
        240..=247 => return documents(columns),
        248.. => return trans(columns),
        0..=235 => {}
    }
    match kind % 6 {
        0 => payment(columns),
        1 => refund(columns),
        2 => recharge(columns),
        3 => job(columns),
        4 => notification(columns),
        _ => posting(columns),
    }
}

fn payment(c: &Columns) {
    let state = FlatState {
        state: c.code(0),
        end_code: c.maybe_code(1),
        ended_at: c.maybe(2),
        flags: c.code(3),
        refunded: c.number(4),
        refunding: c.number(5),
        receipt: c.maybe_text(0),
        credential: c.maybe_text(1),
    };
    let flat = FlatPayment {
        tenant: c.number(6),
        serial: c.number(7),
        merchant: c.number(8),
        claim: [0; 16],
        merchant_serial: c.text(2),
        flow: c.code(9),
        channel: c.code(10),
        amount: c.number(11),
        created_at: c.number(12),
        expires_at: c.number(13),
        details: c.text(3),
        state,
    };
    if let Ok(payment) = flat.read() {
        let again = FlatPayment::of(&payment).and_then(FlatPayment::read);
        assert_eq!(again.ok(), Some(payment));
    }
}

fn refund(c: &Columns) {
    let flat = FlatRefund {
        tenant: c.number(0),
        serial: c.number(1),
        payment: c.number(2),
        merchant: c.number(3),
        origin: c.code(4),
        claim: c.maybe(5).map(|_| [0; 16]),
        merchant_serial: c.maybe_text(0),
        amount: c.number(6),
        voucher_back: c.number(12) != 0,
        created_at: c.number(7),
        state: c.code(8),
        ended_at: c.maybe(9),
        failure: c.maybe_code(10),
        first_answer: c.maybe_code(11),
    };
    if let Ok(refund) = flat.read() {
        let again = FlatRefund::of(&refund).read();
        assert_eq!(again.ok(), Some(refund));
    }
}

fn recharge(c: &Columns) {
    let flat = FlatRecharge {
        tenant: c.number(0),
        serial: c.number(1),
        merchant: c.number(2),
        claim: [0; 16],
        phone: c.text(0),
        data_mb: c.number(3),
        reach: c.code(4),
        notify_url: c.maybe_text(1),
        created_at: c.number(5),
        state: c.code(6),
        provider_serial: c.maybe_text(2),
        ended_at: c.maybe(7),
    };
    if let Ok(recharge) = flat.read() {
        let again = FlatRecharge::of(&recharge).read();
        assert_eq!(again.ok(), Some(recharge));
    }
}

fn job(c: &Columns) {
    let flat = FlatJob {
        tenant: c.number(0),
        subject: c.number(1),
        kind: c.code(2),
        due_at: c.number(3),
        attempts: c.count(4),
    };
    if let Ok(job) = flat.read() {
        assert_eq!(FlatJob::of(&job).read().ok(), Some(job));
    }
}

fn notification(c: &Columns) {
    let flat = FlatNotification {
        tenant: c.number(0),
        subject: c.number(1),
        merchant: c.number(2),
        topic: c.code(3),
        attempts: c.count(4),
        state: c.code(5),
        at: c.number(6),
    };
    if let Ok(notification) = flat.read() {
        let again = FlatNotification::of(&notification).read();
        assert_eq!(again.ok(), Some(notification));
    }
}

fn posting(c: &Columns) {
    let flat = FlatPosting {
        tenant: c.number(0),
        number: c.number(1),
        debit: c.number(2),
        credit: c.number(3),
        amount: c.number(4),
        unit: c.code(5),
        at: c.number(6),
    };
    if let Ok(posting) = flat.read() {
        let again = FlatPosting::of(&posting);
        assert_eq!((again.number, again.debit), (flat.number, flat.debit));
        assert_eq!(again.read().ok(), Some(posting));
    }
}

/// Bodies are JSON: one text is tried as each kind of document.
fn documents(c: &Columns) {
    for kind in DocumentKind::ALL {
        if let Ok(document) = FlatDocument::read(kind, c.number(0), c.text(0), &c.text(1)) {
            let flat = FlatDocument::of(&document).map(|it| (it.tenant, it.key, it.body));
            let again = flat.and_then(|(tenant, key, body)| {
                assert_eq!((tenant, &key), (c.number(0), &c.text(0)));
                FlatDocument::read(kind, tenant, key, &body)
            });
            assert_eq!(again.ok(), Some(document));
        }
    }
}

fn trans(c: &Columns) {
    let flat = FlatTrans {
        tenant: c.number(0),
        serial: c.number(1),
        place: c.maybe(2),
        number: c.maybe(3),
        body: c.text(0),
    };
    if let Ok(trans) = flat.read() {
        let again = FlatTrans::of(&trans).and_then(FlatTrans::read);
        assert_eq!(again.ok(), Some(trans));
    }
}

fn unit(c: &Columns) {
    let flat = FlatUnit {
        tenant: c.number(0),
        id: c.text(0),
        level: c.code(1),
        carton: c.number(2),
        first: c.number(3),
        last: c.number(4),
        sale_channel_order_id: c.maybe_text(1),
    };
    if let Ok(unit) = flat.read() {
        assert_eq!(FlatUnit::of(&unit).read().ok(), Some(unit));
    }
}

fn span(c: &Columns) {
    let flat = FlatSpan {
        tenant: c.number(0),
        carton: c.number(1),
        first: c.number(2),
        last: c.number(3),
        due_at: c.maybe(4),
        body: c.text(0),
    };
    if let Ok(span) = flat.read() {
        let again = FlatSpan::of(&span).and_then(FlatSpan::read);
        assert_eq!(again.ok(), Some(span));
    }
}

fn code_use(c: &Columns) {
    let flat = FlatUse {
        tenant: c.number(0),
        carton: c.number(1),
        idx: c.number(2),
        used: c.number(3),
        reserved: c.number(4),
        events: c.number(5),
        newest: c.maybe(6),
        last: c.maybe(7),
        act: c.maybe_code(8),
        at: c.maybe(9),
        before: c.maybe(10),
    };
    if let Ok(code_use) = flat.read() {
        assert_eq!(FlatUse::of(&code_use).read().ok(), Some(code_use));
    }
}

fn code_event(c: &Columns) {
    let flat = FlatCodeEvent {
        tenant: c.number(0),
        subject: c.number(1),
        carton: c.number(2),
        idx: c.number(3),
        number: c.number(4),
        before: c.maybe(5),
        body: c.text(0),
    };
    if let Ok(event) = flat.read() {
        let again = FlatCodeEvent::of(&event).and_then(FlatCodeEvent::read);
        assert_eq!(again.ok(), Some(event));
    }
}
