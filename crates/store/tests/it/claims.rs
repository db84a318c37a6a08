//! A merchant serial names one payment for ever.

use crate::{
    fixture::{Fixture, engine_on, in_one_batch, on_each_store, run},
    samples::{AMOUNT, MERCHANT, TENANT, payment, payment_named, recharge, serial},
};
use domain::{
    command::{
        Began, BeginPayment, BeginRecharge, BeginRefund, Cancel, CancelMode, CancelReply, GiveUp,
        RechargeBegan, RefundReply,
    },
    ids::{ClaimKey, MerchantNo, TenantId},
    payment::{Payment, PaymentStatus},
    rows::PaymentRef,
};

fn begin(payment: &Payment) -> BeginPayment {
    BeginPayment {
        payment: Box::new(payment.clone()),
        code: None,
    }
}

fn exists(payment: &Payment) -> Began {
    Began::Exists(Box::new(payment.clone()))
}

async fn twins_in_one_batch_make_one_payment(store: impl Fixture) {
    let (first, twin) = (payment_named(2, "same"), payment_named(1, "same"));
    let other = payment_named(3, "other");
    let commands = [&first, &twin, &other].map(begin).into();
    let answers = in_one_batch(&store, commands).await;
    assert_eq!(
        answers,
        [
            Ok(Began::New(None)),
            Ok(exists(&first)),
            Ok(Began::New(None))
        ]
    );
    let reader = store.reader();
    assert_eq!(reader.payment_of_any(twin.serial).await, Ok(None));
    let stored = reader.payment(PaymentRef::Key(TENANT, twin.key)).await;
    assert_eq!(stored, Ok(Some(first)));
}

async fn twins_in_two_batches_make_one_payment(store: impl Fixture) {
    let (first, twin) = (payment_named(1, "same"), payment_named(2, "same"));
    let mut writer = store.writer().await;
    assert_eq!(run(&mut writer, begin(&first)).await, Began::New(None));
    assert_eq!(run(&mut writer, begin(&twin)).await, exists(&first));
    // Not even with all else different, or after a restart of the writer.
    let engine = engine_on(&store).await;
    let mut different = payment_named(3, "same");
    different.amount = domain::money::Fen::new(1);
    assert_eq!(engine.run(begin(&different)).await, Ok(exists(&first)));
    assert_eq!(store.reader().figures().await.unwrap().jobs, 1);
}

async fn the_same_number_of_two_merchants_is_two_payments(store: impl Fixture) {
    let first = payment_named(1, "same");
    let mut other = payment_named(2, "same");
    other.merchant = MerchantNo(8);
    other.key = ClaimKey([9; 16]);
    let commands = vec![begin(&first), begin(&other)];
    let answers = in_one_batch(&store, commands).await;
    assert_eq!(answers, [Ok(Began::New(None)), Ok(Began::New(None))]);
}

async fn a_new_payment_is_seen_by_later_commands_of_its_batch(store: impl Fixture) {
    let new = payment(1);
    let mut writer = store.writer().await;
    let begin = begin(&new);
    let cancel = Cancel {
        payment: PaymentRef::Key(TENANT, new.key),
        merchant: MERCHANT,
        mode: CancelMode::Direct,
        refund_serial: serial(2),
    };
    let reply = run(&mut writer, Both(begin, cancel)).await;
    assert!(
        matches!(reply, (Began::New(None), CancelReply::Reverse(_))),
        "{reply:?}"
    );
    let stored = store.reader().payment_of_any(new.serial).await;
    let status = stored.unwrap().unwrap().status();
    assert_eq!(status, PaymentStatus::Cancelled);
}

/// Two commands in one transaction.
struct Both<A, B>(A, B);

impl<A: domain::command::Command, B: domain::command::Command> domain::command::Command
    for Both<A, B>
{
    type Reply = (A::Reply, B::Reply);

    fn plan<'a>(&'a self, plan: &mut domain::rows::Plan<'a>) {
        self.0.plan(plan);
        self.1.plan(plan);
    }

    fn decide(
        &self,
        rows: &mut domain::rows::Rows,
        now: domain::time::UnixMs,
    ) -> Result<Self::Reply, domain::rows::Inconsistent> {
        Ok((self.0.decide(rows, now)?, self.1.decide(rows, now)?))
    }
}

async fn a_repeated_top_up_is_made_once(store: impl Fixture) {
    let mut twin = recharge(2);
    twin.key = recharge(1).key;
    let begin = |recharge| BeginRecharge {
        recharge: Box::new(recharge),
    };
    let exists = || Ok(RechargeBegan::Exists(Box::new(recharge(1))));
    let commands = vec![begin(recharge(1)), begin(twin.clone())];
    let answers = in_one_batch(&store, commands).await;
    assert_eq!(answers, [Ok(RechargeBegan::New), exists()]);
    let answers = in_one_batch(&store, vec![begin(twin.clone())]).await;
    assert_eq!(answers, [exists()]);
    let stored = store.reader().recharge(TENANT, twin.serial).await;
    assert_eq!(stored, Ok(None));
}

async fn a_payment_of_another_tenant_does_not_exist(store: impl Fixture) {
    let mut writer = store.writer().await;
    run(&mut writer, begin(&payment(1))).await;
    let stranger = TenantId(2);
    let by_serial = PaymentRef::Serial(stranger, serial(1));
    let refund = BeginRefund {
        tenant: stranger,
        payment: by_serial,
        merchant: MerchantNo(8),
        serial: serial(2),
        key: ClaimKey([1; 16]),
        merchant_serial: None,
        amount: AMOUNT,
    };
    assert_eq!(run(&mut writer, refund).await, RefundReply::NotFound);
    let reader = store.reader();
    assert_eq!(reader.payment(by_serial).await, Ok(None));
    let by_key = PaymentRef::Key(stranger, payment(1).key);
    assert_eq!(reader.payment(by_key).await, Ok(None));
    let give_up = GiveUp {
        tenant: TENANT,
        serial: serial(1),
    };
    let status = run(&mut writer, give_up).await.status();
    assert_eq!(status, PaymentStatus::Closed);
}

on_each_store! {
    twins_in_one_batch_make_one_payment,
    twins_in_two_batches_make_one_payment,
    the_same_number_of_two_merchants_is_two_payments,
    a_new_payment_is_seen_by_later_commands_of_its_batch,
    a_repeated_top_up_is_made_once,
    a_payment_of_another_tenant_does_not_exist,
}
