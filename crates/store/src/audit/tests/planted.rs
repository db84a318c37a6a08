//! Each rule finds what breaks it.

use super::*;
use crate::audit::Rule;

/// The stored rows, to doctor.
struct Stored(Memory);

impl Stored {
    async fn payment(&self, serial: i64) -> Payment {
        let found = self.0.payment_of_any(Serial(serial)).await;
        found.unwrap().unwrap()
    }

    async fn refund(&self, serial: i64) -> Refund {
        let found = self.0.refund(TENANT, Serial(serial)).await;
        found.unwrap().unwrap()
    }

    async fn recharge(&self, serial: i64) -> Recharge {
        let found = self.0.recharge(TENANT, Serial(serial)).await;
        found.unwrap().unwrap()
    }

    /// The payment with its money changed.
    async fn with_money(&self, serial: i64, change: impl FnOnce(&mut Paid)) -> Changes {
        let mut payment = self.payment(serial).await;
        change(payment.paid_mut().unwrap());
        put_payment(payment)
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

fn put_recharge(recharge: Recharge) -> Changes {
    Changes {
        recharges: vec![recharge],
        ..Changes::default()
    }
}

fn post(posting: Posting) -> Changes {
    Changes {
        postings: vec![posting],
        ..Changes::default()
    }
}

fn put_job(subject: i64, kind: JobKind) -> Changes {
    Changes {
        jobs: vec![Job::new(TENANT, Serial(subject), kind, NOW)],
        ..Changes::default()
    }
}

fn remove_job(subject: i64) -> Changes {
    Changes {
        jobs_removed: vec![(TENANT, Serial(subject))],
        ..Changes::default()
    }
}

fn notify(subject: i64, merchant: MerchantNo, topic: Topic) -> Changes {
    Changes {
        notifications: vec![Notification {
            tenant: TENANT,
            subject: Serial(subject),
            merchant,
            topic,
            attempts: 0,
            delivery: Delivery::Due(NOW),
        }],
        ..Changes::default()
    }
}

/// The rules that are broken once `changes` are written over a clean history.
async fn broken_by(store: Stored, changes: Changes) -> Vec<Rule> {
    let mut store = store.0;
    store.commit(changes).await.unwrap();
    let report = report(&store).await;
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
    a_number_of_two_subjects: |store| {
        let recharge = store.recharge(TOP_UP_DONE).await;
        put_recharge(Recharge { serial: Serial(ENDED), state: RechargeState::Failed(None, NOW),
            notify_url: None, ..recharge })
    } => [OneSubject, RechargeJob];

    a_paid_payment_without_its_posting: |store| {
        let mut payment = store.payment(ENDED).await;
        payment.state = PaymentState::Paid(Paid::new(receipt()));
        payment.details.notify_url = None;
        Changes { jobs_removed: vec![(TENANT, payment.serial)], ..put_payment(payment) }
    } => [PaymentPosting];

    a_posting_of_another_amount: |store| {
        let mut payment = store.payment(PAID).await;
        payment.amount = Fen::new(999);
        payment.paid_mut().unwrap().receipt.bills[0].amount = Fen::new(999);
        put_payment(payment)
    } => [PaymentPosting];

    a_posting_to_another_merchant: |store| {
        let mut payment = store.payment(PAID).await;
        payment.merchant = MerchantNo(8);
        Changes { payments: vec![payment], ..notify(PAID, MerchantNo(8), Topic::PaymentPaid) }
    } => [PaymentPosting];

    a_posting_of_an_unpaid_payment: |store| {
        post(Posting::payment(&store.payment(OPEN).await, NOW))
    } => [PaymentPosting];

    a_reversal_of_a_payment_that_stays_paid: |store| {
        let reversal = Posting::reversal(&store.payment(PAID).await, NOW);
        let changes = store.with_money(PAID, |paid| paid.refunded = AMOUNT).await;
        Changes { postings: vec![reversal], ..changes }
    } => [ReversalPosting];

    a_reversal_nobody_counted: |store| {
        store.with_money(REVERSED, |paid| paid.refunded = Fen::ZERO).await
    } => [Refunded, Ended];

    more_given_back_than_refunds_say: |store| {
        store.with_money(REFUNDED, |paid| paid.refunded = Fen::new(301)).await
    } => [Refunded];

    more_on_its_way_than_refunds_say: |store| {
        store.with_money(REFUNDED, |paid| paid.refunding = Fen::new(199)).await
    } => [Refunding];

    more_given_back_than_was_paid: |store| {
        let refund = store.refund(REFUND_UNDER_WAY).await;
        let payment = store.with_money(REFUNDED, |paid| paid.refunding = Fen::new(701)).await;
        Changes { refunds: vec![Refund { amount: Fen::new(701), ..refund }], ..payment }
    } => [OverRefunded];

    money_of_an_ended_payment_that_nobody_gives_back: |store| {
        let mut payment = store.payment(ENDED).await;
        let posting = Posting::payment(&payment, NOW);
        let end = payment.end_when_given_up();
        payment.state = PaymentState::Ended { end, at: NOW, paid: Some(Paid::new(receipt())) };
        let jobs_removed = vec![(TENANT, payment.serial)];
        Changes { postings: vec![posting], jobs_removed, ..put_payment(payment) }
    } => [Ended];

    a_cancellation_that_left_its_payment_paid: |store| {
        let mut payment = store.payment(CANCELLED).await;
        payment.state = PaymentState::Paid(payment.paid().unwrap().clone());
        put_payment(payment)
    } => [Ended];

    an_order_paid_and_not_in_the_outbox: |store| {
        let mut payment = store.payment(OPEN).await;
        let posting = Posting::payment(&payment, NOW);
        payment.state = PaymentState::Paid(Paid::new(receipt()));
        let jobs_removed = vec![(TENANT, payment.serial)];
        Changes { postings: vec![posting], jobs_removed, ..put_payment(payment) }
    } => [PaymentNotification];

    a_message_of_a_paid_order_without_an_address: |store| {
        let mut payment = store.payment(PAID).await;
        payment.details.notify_url = None;
        put_payment(payment)
    } => [PaymentNotification];

    a_receipt_of_another_sum: |store| {
        store.with_money(PAID, |paid| paid.receipt.bills[0].amount = Fen::new(999)).await
    } => [ReceiptParts];

    an_open_payment_without_work: |store| remove_job(OPEN) => [PaymentJob];
    a_payment_given_up_without_work: |store| remove_job(ENDING) => [PaymentJob];
    a_payment_with_the_work_of_another_state: |store| {
        put_job(ENDING, JobKind::SettlePayment)
    } => [PaymentJob];
    a_paid_payment_with_work: |store| put_job(PAID, JobKind::ReversePayment) => [PaymentJob];
    returned_money_with_work: |store| put_job(LATE, JobKind::ConfirmReversal) => [PaymentJob];

    a_payment_nobody_was_told_of: |store| {
        let mut payment = store.payment(REVERSED).await;
        payment.state = PaymentState::Paid(Paid { refunded: AMOUNT, ..Paid::new(receipt()) });
        put_payment(payment)
    } => [ReversalPosting, PaymentNotification];

    a_notification_of_a_payer_code: |store| {
        put_payment(Payment { flow: Flow::PayerCode, ..store.payment(PAID).await })
    } => [PaymentNotification];

    a_notification_of_money_that_came_too_late: |store| {
        notify(LATE, MERCHANT, Topic::PaymentPaid)
    } => [PaymentNotification];

    a_refund_of_no_payment: |store| {
        let refund = store.refund(REFUND_FAILED).await;
        put_refund(Refund { payment: Serial(NOWHERE), ..refund })
    } => [RefundSubject];

    a_refund_of_anothers_payment: |store| {
        let refund = store.refund(REFUND_FAILED).await;
        put_refund(Refund { payment: Serial(PAID), merchant: MerchantNo(8), ..refund })
    } => [RefundSubject];

    refunds_of_two_owners: |store| {
        let refund = store.refund(REFUND_FAILED).await;
        put_refund(Refund { merchant: MerchantNo(8), ..refund })
    } => [RefundSubject];

    a_refund_done_without_its_posting: |store| {
        let refund = store.refund(REFUND_UNDER_WAY).await;
        let payment = store.with_money(REFUNDED, |paid| {
            paid.refunding = Fen::ZERO;
            paid.refunded = Fen::new(500);
        }).await;
        let refunds = vec![Refund { state: RefundState::Done(NOW), ..refund }];
        let jobs_removed = vec![(TENANT, Serial(REFUND_UNDER_WAY))];
        Changes { refunds, jobs_removed, ..payment }
    } => [RefundPosting];

    a_posting_of_a_refund_that_failed: |store| {
        let refund = store.refund(REFUND_FAILED).await;
        post(Posting::refund(&store.payment(REFUNDED).await, &refund, NOW))
    } => [RefundPosting];

    a_refund_through_another_channel_than_its_payment: |store| {
        put_payment(Payment { channel: ChannelNo(2), ..store.payment(REFUNDED).await })
    } => [PaymentPosting, RefundPosting];

    a_refund_under_way_without_work: |store| remove_job(REFUND_UNDER_WAY) => [RefundJob];
    a_finished_refund_with_work: |store| {
        put_job(REFUND_DONE, JobKind::FinishRefund)
    } => [RefundJob];

    a_top_up_done_without_its_posting: |store| {
        let recharge = store.recharge(TOP_UP_FAILED).await;
        put_recharge(Recharge { state: RechargeState::Done("N2".to_owned(), NOW), ..recharge })
    } => [RechargePosting];

    a_posting_of_a_top_up_that_failed: |store| {
        post(Posting::recharge(&store.recharge(TOP_UP_FAILED).await, NOW))
    } => [RechargePosting];

    a_top_up_under_way_without_work: |store| remove_job(TOP_UP_CREATED) => [RechargeJob];
    a_finished_top_up_with_work: |store| {
        put_job(TOP_UP_DONE, JobKind::FinishRecharge)
    } => [RechargeJob];

    a_notification_of_a_top_up_under_way: |store| {
        notify(TOP_UP_CREATED, MERCHANT, Topic::RechargeEnded)
    } => [RechargeNotification];

    a_posting_of_nothing_stored: |store| {
        let payment = store.payment(PAID).await;
        post(Posting { subject: Serial(NOWHERE), ..Posting::payment(&payment, NOW) })
    } => [PostingSubject];

    a_posting_of_the_wrong_kind: |store| {
        let payment = store.payment(PAID).await;
        post(Posting { movement: Movement::Recharge, ..Posting::payment(&payment, NOW) })
    } => [PostingSubject];

    a_posting_of_nothing: |store| {
        let payment = store.payment(OPEN).await;
        post(Posting { amount: 0, ..Posting::payment(&payment, NOW) })
    } => [PaymentPosting, PostingAmount];

    a_posting_to_the_same_account: |store| {
        let posting = Posting::payment(&store.payment(OPEN).await, NOW);
        post(Posting { credit: posting.debit, ..posting })
    } => [PaymentPosting, PostingAccounts];

    work_on_nothing_stored: |store| put_job(NOWHERE, JobKind::SettlePayment) => [JobSubject];

    a_notification_of_nothing_stored: |store| {
        notify(NOWHERE, MERCHANT, Topic::PaymentPaid)
    } => [NotificationSubject];

    a_notification_to_another_merchant: |store| {
        notify(PAID, MerchantNo(8), Topic::PaymentPaid)
    } => [NotificationSubject];
}
