//! Each rule of vouchers finds what breaks it.

use super::*;
use crate::contract::VoucherReader;
use domain::{
    ledger,
    loyalty::{
        document::{Document, DocumentKey},
        rows::LoyaltyChanges,
    },
    voucher::{
        code_use::{CodeAct, CodeEvent, CodeUse},
        rows::VoucherChanges,
        span::{Span, Stage},
    },
};

/// The stored rows, to doctor.
struct Stored(Memory);

fn voucher(voucher: VoucherChanges) -> Changes {
    Changes {
        voucher,
        ..Changes::default()
    }
}

fn put_span(span: Span) -> Changes {
    voucher(VoucherChanges {
        spans: vec![span],
        ..VoucherChanges::default()
    })
}

fn put_use(code_use: CodeUse) -> Changes {
    voucher(VoucherChanges {
        uses: vec![code_use],
        ..VoucherChanges::default()
    })
}

fn add_use(code_use: CodeUse) -> Changes {
    voucher(VoucherChanges {
        uses_added: vec![code_use],
        ..VoucherChanges::default()
    })
}

fn add_event(event: CodeEvent) -> Changes {
    voucher(VoucherChanges {
        events: vec![event],
        ..VoucherChanges::default()
    })
}

fn put_document(document: Document) -> Changes {
    Changes {
        loyalty: LoyaltyChanges {
            documents: vec![document],
            ..LoyaltyChanges::default()
        },
        ..Changes::default()
    }
}

fn remove_document(key: DocumentKey) -> Changes {
    Changes {
        loyalty: LoyaltyChanges {
            documents_removed: vec![key],
            ..LoyaltyChanges::default()
        },
        ..Changes::default()
    }
}

fn put_payment(payment: Payment) -> Changes {
    Changes {
        payments: vec![payment],
        ..Changes::default()
    }
}

fn put_refund(refund: Refund) -> Changes {
    Changes {
        refunds: vec![refund],
        ..Changes::default()
    }
}

/// A use that moves from one account to another.
fn posting(subject: i64, movement: Movement, amount: i64) -> Posting {
    Posting {
        tenant: TENANT,
        subject: Serial(subject),
        movement,
        debit: Account::UsesSpent(CASH),
        credit: Account::UsesActive(CASH),
        amount,
        unit: ledger::Unit::Use,
        at: NOW,
    }
}

fn post(posting: Posting) -> Changes {
    Changes {
        postings: vec![posting],
        ..Changes::default()
    }
}

fn event(code: CodeNo, number: u32) -> CodeEvent {
    CodeEvent {
        tenant: TENANT,
        code,
        number,
        act: CodeAct::Used,
        at: NOW,
        subject: Serial(USES),
        before: None,
        scene: None,
    }
}

impl Stored {
    async fn payment(&self, serial: i64) -> Payment {
        let found = self.0.payment_of_any(Serial(serial)).await;
        found.unwrap().unwrap()
    }

    async fn with_part(&self, serial: i64, change: impl FnOnce(&mut VoucherPart)) -> Changes {
        let mut payment = self.payment(serial).await;
        change(payment.details.voucher.as_mut().unwrap());
        put_payment(payment)
    }

    async fn with_money(&self, serial: i64, change: impl FnOnce(&mut Paid)) -> Changes {
        let mut payment = self.payment(serial).await;
        change(payment.paid_mut().unwrap());
        put_payment(payment)
    }

    async fn with_refund(&self, n: i64, change: impl FnOnce(&mut Refund)) -> Changes {
        let found = self.0.refund(TENANT, Serial(REFUND + n)).await;
        let mut refund = found.unwrap().unwrap();
        change(&mut refund);
        put_refund(refund)
    }

    async fn carton(&self, serial: i64) -> Box<Carton> {
        let key = DocumentKey::carton(TENANT, Serial(serial));
        match self.0.document(key).await.unwrap() {
            Some(Document::Carton(it)) => it,
            other => panic!("{other:?}"),
        }
    }

    async fn with_carton(&self, serial: i64, change: impl FnOnce(&mut Carton)) -> Changes {
        let mut carton = self.carton(serial).await;
        change(&mut carton);
        put_document(Document::Carton(carton))
    }

    async fn with_change(
        &self,
        kind: ChangeKind,
        n: i64,
        change: impl FnOnce(&mut Change),
    ) -> Changes {
        let id = ChangeId::of_partner(PARTNER, kind, &n.to_string());
        let key = DocumentKey::change(TENANT, &id);
        let Some(Document::Change(mut it)) = self.0.document(key).await.unwrap() else {
            panic!("{n}");
        };
        change(&mut it);
        put_document(Document::Change(it))
    }

    /// The span in which a code lies.
    async fn span(&self, code: CodeNo) -> Span {
        let spans = VoucherReader::spans(&self.0, code.range(), None, 1).await;
        spans.unwrap().remove(0)
    }

    async fn code_use(&self, code: CodeNo) -> CodeUse {
        let uses = VoucherReader::code_uses(&self.0, code.range(), 1).await;
        uses.unwrap().remove(0)
    }
}

/// The rules that are broken once `changes` are written over a clean history.
async fn broken_by(store: Stored, changes: Changes) -> Vec<Rule> {
    let mut store = store.0;
    store.commit(changes).await.unwrap();
    broken(&store).await
}

async fn broken(store: &Memory) -> Vec<Rule> {
    let report = report(store).await;
    let mut rules: Vec<Rule> = report.violations.iter().map(|it| it.rule).collect();
    rules.sort_unstable();
    rules.dedup();
    rules
}

/// One test: `store` is a clean history, the expression doctors it, and exactly these rules are
/// broken.
macro_rules! planted {
    ($($name:ident: |$store:ident| $changes:expr => [$($rule:ident),+];)+) => { $(
        #[tokio::test]
        async fn $name() {
            let $store = Stored(history().await);
            let changes: Changes = $changes;
            assert_eq!(broken_by($store, changes).await, [$(Rule::$rule),+]);
        }
    )+ };
}

planted! {
    a_gap_between_spans: |store| {
        let span = store.span(code(CASH_BOX, 70)).await;
        let range = range(CASH_BOX, 65, 80);
        put_span(Span { range, ..span })
    } => [CartonSpans, TicketUses];
    spans_that_overlap: |store| {
        let span = store.span(code(CASH_BOX, 70)).await;
        put_span(Span { range: range(CASH_BOX, 80, 89), ..span })
    } => [CartonSpans, TicketUses];
    a_last_span_that_is_too_short: |store| {
        let mut span = store.span(code(CASH_BOX, 99)).await;
        span.range.last -= 1;
        put_span(span)
    } => [CartonSpans, TicketUses];
    a_box_that_does_not_begin: |store| {
        voucher(VoucherChanges {
            spans_removed: vec![store.span(code(CASH_BOX, 0)).await.range].into_iter()
                .map(|it| CodeNo { carton: it.carton, index: it.first }).collect(),
            ..VoucherChanges::default()
        })
    } => [CartonSpans, TicketUses, VoucherLiability];
    a_span_of_a_box_that_is_not_ready: |store| {
        let span = store.span(code(CASH_BOX, 70)).await;
        put_span(Span { range: range(UNFINISHED_BOX, 0, 99), ..span })
    } => [CartonSpans, TicketUses];
    a_span_of_no_box: |store| {
        let span = store.span(code(CASH_BOX, 70)).await;
        put_span(Span { range: range(9_999, 0, 99), ..span })
    } => [CartonSpans];
    a_span_of_another_tenant: |store| {
        let span = store.span(code(CASH_BOX, 70)).await;
        put_span(Span { tenant: TenantId(2), ..span })
    } => [CartonSpans];

    a_box_of_more_codes_than_are_stored: |store| {
        store.with_carton(GOODS_BOX, |it| it.codes += 1).await
    } => [CartonSpans, CartonStock, StockPosting, TicketUses];
    a_box_of_more_reels_than_are_stored: |store| {
        store.with_carton(GOODS_BOX, |it| it.shape.as_mut().unwrap().packages = 2).await
    } => [CartonStock];

    a_box_that_was_never_finished_and_is_posted: |store| {
        post(posting(UNFINISHED_BOX, Movement::UsesFromStock, 1))
    } => [StockPosting, TicketUses];
    a_box_whose_terms_changed: |store| {
        store.with_carton(GOODS_BOX, |it| it.terms.uses = 2).await
    } => [StockPosting, VoucherUse, TicketUses];
    a_change_of_more_uses_than_posted: |store| {
        store.with_change(ChangeKind::Activate, ACTIVATION, |it| {
            if let Verdict::Done(parts) = &mut it.verdict {
                parts[0].uses_from_stock += 1;
            }
        }).await
    } => [StockPosting];
    a_change_that_was_forgotten: |store| {
        let id = ChangeId::of_partner(PARTNER, ChangeKind::Void, &VOIDING.to_string());
        remove_document(DocumentKey::change(TENANT, &id))
    } => [PostingSubject];
    a_change_that_was_never_posted: |store| {
        store.with_change(ChangeKind::Activate, OF_BOTH, |it| {
            if let Verdict::Done(parts) = &mut it.verdict {
                parts[0].serial = Serial(8_888);
            }
        }).await
    } => [StockPosting, PostingSubject];
    a_refused_change_that_is_posted: |store| {
        post(posting(CONFLICT + PARTS, Movement::UsesFromStock, 1))
    } => [TicketUses, PostingSubject];
    a_box_with_the_number_of_a_payment: |store| {
        let carton = store.carton(UNFINISHED_BOX).await;
        let carton = Box::new(Carton { serial: Serial(OPEN), ..*carton });
        Changes {
            loyalty: LoyaltyChanges {
                documents_added: vec![Document::Carton(carton)],
                ..LoyaltyChanges::default()
            },
            ..Changes::default()
        }
    } => [OneSubject];
    two_changes_of_one_number: |store| {
        store.with_change(ChangeKind::Void, VOIDING, |it| {
            if let Verdict::Done(parts) = &mut it.verdict {
                parts[0].serial = Serial(ACTIVATION + PARTS);
            }
        }).await
    } => [OneSubject, StockPosting, PostingSubject];

    a_use_that_was_let_go_and_is_posted: |store| {
        post(posting(ENDS, Movement::UsesFromActive, 1))
    } => [VoucherPosting, TicketUses];
    a_use_of_a_payment_without_a_voucher: |store| {
        post(posting(PAID, Movement::UsesFromActive, 1))
    } => [VoucherPosting, TicketUses];
    a_use_that_paid_more_than_posted: |store| {
        store.with_part(NEEDS_NO_CHANNEL, |it| it.pays = Fen::new(601)).await
    } => [VoucherPosting];
    a_use_that_is_not_given_back: |store| {
        store.with_money(GIVES_BACK, |it| it.voucher = VoucherFate::Used).await
    } => [VoucherPosting, VoucherUse, CodeUses];

    a_use_that_no_refund_gives_back: |store| {
        store.with_money(USES, |it| it.voucher = VoucherFate::Returning).await
    } => [VoucherUse];
    a_refund_that_gives_back_what_was_not_used: |store| {
        store.with_refund(3, |it| it.voucher_back = false).await
    } => [VoucherUse];
    a_refund_that_gives_back_a_voucher_of_none: |store| {
        let found = store.0.refund(TENANT, Serial(REFUND_DONE)).await;
        put_refund(Refund { voucher_back: true, ..found.unwrap().unwrap() })
    } => [VoucherUse];
    a_use_on_other_terms: |store| {
        store.with_part(RESERVES, |it| it.uses = 3).await
    } => [VoucherUse];
    a_use_of_a_code_that_is_not_there: |store| {
        store.with_part(RESERVES, |it| it.code.index = 100).await
    } => [VoucherUse, CodeUses];

    a_use_that_its_row_forgot: |store| {
        put_use(CodeUse { used: 1, ..store.code_use(code(CASH_BOX, 1)).await })
    } => [CodeUses, TicketUses, VoucherLiability];
    a_hold_that_its_row_forgot: |store| {
        put_use(CodeUse { reserved: 0, ..store.code_use(code(CASH_BOX, 0)).await })
    } => [CodeUses];
    a_hold_of_no_payment: |store| {
        add_use(CodeUse { reserved: 1, ..CodeUse::untouched(TENANT, code(CASH_BOX, 30)) })
    } => [CodeUses];
    a_code_in_use_that_is_in_stock: |store| {
        add_use(CodeUse { used: 1, ..CodeUse::untouched(TENANT, code(CASH_BOX, 80)) })
    } => [CodeUses, TicketUses];
    a_code_of_another_tenant: |store| {
        add_use(CodeUse::untouched(TenantId(2), code(CASH_BOX, 30)))
    } => [CodeUses];
    a_code_in_no_box: |store| {
        add_use(CodeUse::untouched(TENANT, code(9_999, 30)))
    } => [CartonSpans];
    an_event_of_no_use: |store| add_event(event(code(CASH_BOX, 0), 0)) => [CodeUses];
    an_event_of_a_code_without_a_row: |store| {
        add_event(event(code(CASH_BOX, 30), 0))
    } => [CodeUses];
    an_event_that_nothing_leads_to: |store| {
        put_use(CodeUse { events: 3, ..store.code_use(code(CASH_BOX, 1)).await })
    } => [CodeUses];
    a_code_that_leads_to_another_event_than_its_newest: |store| {
        put_use(CodeUse { last: Some(Serial(USES)), ..store.code_use(code(CASH_BOX, 1)).await })
    } => [CodeUses];
    a_kept_event_that_its_row_forgot: |store| {
        put_use(CodeUse { kept: None, ..store.code_use(code(CASH_BOX, 1)).await })
    } => [CodeUses];
    a_kept_event_of_another_kind: |store| {
        let mut code_use = store.code_use(code(CASH_BOX, 1)).await;
        code_use.kept.as_mut().unwrap().act = CodeAct::GivenBack;
        put_use(code_use)
    } => [CodeUses];
    a_kept_event_that_leads_to_another_than_the_one_before: |store| {
        let mut code_use = store.code_use(code(CASH_BOX, 1)).await;
        code_use.kept.as_mut().unwrap().before = Some(Serial(9_998));
        put_use(code_use)
    } => [CodeUses];
    an_event_of_no_payment: |store| {
        add_event(CodeEvent { subject: Serial(9_998), ..event(code(CASH_BOX, 1), 2) })
    } => [CodeUses];

    uses_that_were_posted_twice: |store| {
        post(Posting { debit: Account::UsesExpired(GOODS), credit: Account::UsesActive(GOODS),
            ..posting(EXPIRY, Movement::UsesBack, 1) })
    } => [StockPosting, TicketUses];
    a_liability_of_nothing: |store| {
        post(Posting { debit: Account::VoucherSales(PARTNER), unit: ledger::Unit::Fen,
            credit: Account::VoucherLiability(GOODS),
            ..posting(ACTIVATION + PARTS, Movement::VoucherBreakage, 5) })
    } => [StockPosting, VoucherLiability];
    a_span_that_is_said_to_be_in_stock: |store| {
        put_span(Span { stage: Stage::InStock, ..store.span(code(GOODS_BOX, 30)).await })
    } => [TicketUses];
}

/// More uses than a code has, whoever says so.
#[tokio::test]
async fn more_uses_than_a_code_has() {
    let store = Stored(history().await);
    let mut again = store.payment(USES_AGAIN).await;
    again.serial = Serial(499);
    again.merchant_serial = "M499".to_owned();
    let mut changes = put_payment(again.clone());
    let part = again.details.voucher.unwrap();
    let used = domain::voucher::postings::of_use(&again, &part, NOW);
    changes.postings = used;
    changes.postings.push(Posting::payment(&again, NOW));
    let mut code_use = store.code_use(part.code).await;
    let former = code_use.keep(CodeAct::Used, NOW, again.serial);
    changes.voucher.uses.push(CodeUse {
        used: 3,
        ..code_use
    });
    changes.voucher.events.extend(former);
    changes.notifications.push(Notification {
        tenant: TENANT,
        subject: again.serial,
        merchant: MERCHANT,
        topic: Topic::PaymentPaid,
        attempts: 0,
        delivery: Delivery::Due(NOW),
    });
    assert_eq!(broken_by(store, changes).await, [Rule::CodeUses]);
}

#[tokio::test]
async fn a_code_that_is_not_stored_is_missed() {
    let mut store = history().await;
    let carton = Serial(CASH_BOX);
    let limit = 1;
    let removed = store.admin(&AdminOp::RemoveStock { carton, limit }).await;
    assert!(removed.is_ok());
    assert_eq!(broken(&store).await, [Rule::CartonStock]);
}
