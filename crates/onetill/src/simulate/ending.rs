//! The end of a run: faults stop, time goes on, everything must end, and the books must agree.

use super::{
    counter::Counter,
    node::{Nodes, Surroundings},
    reader::on_the_spot,
    receiver::Receiver,
    rows::Rows,
    sale::Sale,
    terminals::Terminals,
    voucher::Vouchers,
    wallet::{Wallet, book::Book},
    world::World,
};
use domain::{
    channel::RechargeOutcome,
    notification::{Delivery, Notification},
    payment::Payment,
    recharge::{Recharge, RechargeState},
    time::UnixMs,
};
use std::{collections::BTreeSet, sync::Arc};
use store::{
    Reader, StoreError,
    gate::{Moment, gate},
};

/// How many looks at work that does not end are enough.
const LOOKS_MAX: u32 = 5_000;
/// How many rows a page holds.
const PAGE_LEN: u32 = 1_000;

/// Lets all end, and says what did not keep its word.
pub async fn end<R: Rows>(
    around: &Surroundings<R>,
    counter: &Counter,
    sales: &[Arc<Sale>],
    mut terminals: Terminals,
    vouchers: &Vouchers,
) {
    let world = &around.world;
    world.be_quiet();
    let reader = around.rows.reader();
    if let Err(text) = rest(world, &around.nodes, reader.as_ref()).await {
        world.fail(None, &text);
    }
    for sale in sales {
        sale.ask_at_last().await;
    }
    terminals.close(counter).await;
    let judged = vouchers.close(reader.as_ref()).await;
    let judged = judged.and_then(|()| judge(around, counter, reader.as_ref()));
    if let Err(error) = judged.and_then(|()| terminals.compare(world, reader.as_ref())) {
        world.fail(None, &format!("the rows cannot be read: {error}"));
    }
}

/// Lets time pass until nothing is left to be done. Where the next work is far away, the clock
/// is set forward.
async fn rest(world: &World, nodes: &Nodes, reader: &dyn Reader) -> Result<(), String> {
    for _ in 0..LOOKS_MAX {
        world.pass_ms(500..1_000).await;
        let figures = on_the_spot(reader.figures()).map_err(|error| error.to_string())?;
        let due = [
            figures.oldest_job_due_at,
            figures.oldest_notification_due_at,
        ];
        match due.into_iter().flatten().min() {
            // The last to die before faults stopped may still be away.
            None if !world.is_busy() && nodes.any() => return Ok(()),
            Some(due) => wait_for(world, due),
            None => {}
        }
    }
    let figures = on_the_spot(reader.figures()).map_err(|error| error.to_string())?;
    Err(format!(
        "work does not end: {figures:?}, at {:?}",
        world.now()
    ))
}

fn wait_for(world: &World, due: UnixMs) {
    let ahead_ms = due.since_ms(world.now());
    if ahead_ms > 2_000 {
        world.jump(ahead_ms - 1_000);
    }
}

fn judge<R: Rows>(
    around: &Surroundings<R>,
    counter: &Counter,
    reader: &dyn Reader,
) -> Result<(), StoreError> {
    let world = &around.world;
    let mut snapshot = on_the_spot(reader.snapshot())?;
    let told = counter.told().clone();
    let report = on_the_spot(gate(snapshot.as_mut(), &told, Moment::AtRest))?;
    if let Some(broken) = report.broken.first() {
        let sale = told_sale(&broken.subject);
        world.fail(sale.as_deref(), &format!("the gate:\n{report}"));
    } else if !report.is_clean() {
        world.fail(None, &format!("the gate:\n{report}"));
    }
    let snapshot = snapshot.as_mut();
    let payments = all(
        |after| on_the_spot(snapshot.payments(after, PAGE_LEN)),
        |it| it.serial,
    )?;
    let recharges = all(
        |after| on_the_spot(snapshot.recharges(after, PAGE_LEN)),
        |it| it.serial,
    )?;
    let notifications = all(
        |after| on_the_spot(snapshot.notifications(after, PAGE_LEN)),
        |it| it.subject,
    )?;
    compare_payments(world, &around.wallet, &payments);
    compare_top_ups(world, &around.wallet.book(), &recharges);
    compare_notifications(world, &around.receiver, &notifications);
    Ok(())
}

/// All rows of a table.
fn all<T, K: Copy>(
    mut page: impl FnMut(Option<K>) -> Result<Vec<T>, StoreError>,
    key: impl Fn(&T) -> K,
) -> Result<Vec<T>, StoreError> {
    let mut rows: Vec<T> = Vec::new();
    loop {
        let next = page(rows.last().map(&key))?;
        if next.is_empty() {
            return Ok(rows);
        }
        rows.extend(next);
    }
}

/// The sale in `payment S12 of merchant 3`, as the log tags it.
fn told_sale(subject: &str) -> Option<String> {
    let number = subject.strip_prefix("payment ")?.split(' ').next()?;
    Some(format!("[{number}]"))
}

/// What the books say was kept is what the wallet took and did not give back, to the fen.
fn compare_payments(world: &World, wallet: &Wallet, payments: &[Payment]) {
    let book = wallet.book();
    for payment in payments {
        let books_fen = payment
            .paid()
            .map_or(0, |paid| payment.amount.get() - paid.refunded.get());
        let held_fen = book.accounts.get(&payment.serial).map_or(0, |it| it.held());
        if books_fen != held_fen {
            let Payment { serial, state, .. } = payment;
            let text = format!("{serial}: books {books_fen} fen, wallet {held_fen}: {state:?}");
            world.fail(Some(&payment.details.subject), &text);
        }
    }
    let stored: BTreeSet<_> = payments.iter().map(|it| it.serial).collect();
    for (serial, account) in &book.accounts {
        if account.held() != 0 && !stored.contains(serial) {
            let text = format!("{serial}: charged, and in no book");
            world.fail(Some(&account.sale), &text);
        }
    }
}

fn compare_top_ups(world: &World, book: &Book, recharges: &[Recharge]) {
    for recharge in recharges {
        let said = book.top_ups.get(&recharge.serial);
        let agree = match (&recharge.state, said) {
            (RechargeState::Done(number, _), Some(RechargeOutcome::Done(said))) => number == said,
            (RechargeState::Failed(..), None | Some(RechargeOutcome::Failed)) => true,
            (
                RechargeState::Done(..)
                | RechargeState::Failed(..)
                | RechargeState::Created
                | RechargeState::AtProvider(_),
                _,
            ) => false,
        };
        if !agree {
            let text = format!(
                "top-up {}: {:?}, provider {said:?}",
                recharge.serial, recharge.state
            );
            world.fail(None, &text);
        }
    }
}

fn compare_notifications(world: &World, receiver: &Receiver, notifications: &[Notification]) {
    for it in notifications {
        let taken = receiver.has_taken(&it.subject.to_string());
        let kept = match it.delivery {
            Delivery::Delivered(_) => taken,
            Delivery::Dead(_) => true,
            Delivery::Due(_) => false,
        };
        if !kept {
            let text = format!("{}: {:?}, acknowledged: {taken}", it.subject, it.delivery);
            world.fail(None, &text);
        }
    }
}
