//! The use of a code that pays a part of a payment: held while the payment is undecided, then
//! spent or let go, and given back with a full refund.

use crate::{
    ids::{Serial, TenantId},
    ledger::Posting,
    payment::{Payment, PaymentState, VoucherPart},
    rows::{Inconsistent, Rows},
    time::UnixMs,
    voucher::{
        code_use::{CodeAct, CodeUse},
        postings,
        status::{CodeStatus, standing},
    },
};

/// Holds the use of a code that pays a part of a new payment; the code's status where it cannot be
/// used.
///
/// # Errors
/// When the code's span was not loaded.
pub(in crate::command) fn reserve(
    rows: &mut Rows,
    (tenant, payment): (TenantId, Serial),
    part: &VoucherPart,
    now: UnixMs,
) -> Result<Result<(), CodeStatus>, Inconsistent> {
    let mut code_use = rows.voucher.code_use(tenant, part.code);
    let span = rows.voucher.span_of(tenant, part.code)?;
    let standing = standing(span, Some(&code_use), part.uses, now);
    if standing.status != CodeStatus::Active {
        return Ok(Err(standing.status));
    }
    code_use.reserved += 1;
    code_use.newest = Some(payment);
    rows.voucher.put_use(code_use);
    Ok(Ok(()))
}

/// What becomes of the held use now that its payment is no longer undecided; nothing while it is.
///
/// # Errors
/// As [`spend`].
pub(in crate::command) fn follow(
    rows: &mut Rows,
    payment: &Payment,
    now: UnixMs,
) -> Result<(), Inconsistent> {
    match payment.state {
        PaymentState::Open { .. } | PaymentState::Ending(_) => Ok(()),
        PaymentState::Paid(_) => spend(rows, payment, now),
        PaymentState::Ended { .. } => release(rows, payment, now),
    }
}

/// The held use is gone.
///
/// # Errors
/// When the payment holds none, or the code's rows were not loaded.
pub(in crate::command) fn spend(
    rows: &mut Rows,
    payment: &Payment,
    now: UnixMs,
) -> Result<(), Inconsistent> {
    let Some((part, mut code_use)) = held(rows, payment)? else {
        return Ok(());
    };
    code_use.reserved -= 1;
    code_use.used += 1;
    note(rows, payment, &mut code_use, CodeAct::Used, now);
    rows.voucher.put_use(code_use);
    post(rows, postings::of_use(payment, &part, now));
    Ok(())
}

/// The held use is free again; written off where its term ended meanwhile.
fn release(rows: &mut Rows, payment: &Payment, now: UnixMs) -> Result<(), Inconsistent> {
    let Some((part, mut code_use)) = held(rows, payment)? else {
        return Ok(());
    };
    code_use.reserved -= 1;
    rows.voucher.put_use(code_use);
    let span = rows.voucher.span_of(payment.tenant, part.code)?;
    if span.is_written_off() {
        post(rows, postings::of_late_expiry(payment, &part, now));
    }
    Ok(())
}

/// A use that was gone comes back; written off where its term ended meanwhile.
///
/// # Errors
/// When the code has no use that could come back, or its rows were not loaded.
pub(in crate::command) fn give_back(
    rows: &mut Rows,
    payment: &Payment,
    now: UnixMs,
) -> Result<(), Inconsistent> {
    let part = payment.details.voucher;
    let part = part.ok_or(Inconsistent(payment.serial))?;
    let mut code_use = rows.voucher.code_use(payment.tenant, part.code);
    let used = code_use.used.checked_sub(1);
    code_use.used = used.ok_or(Inconsistent(payment.serial))?;
    note(rows, payment, &mut code_use, CodeAct::GivenBack, now);
    rows.voucher.put_use(code_use);
    let span = rows.voucher.span_of(payment.tenant, part.code)?;
    let expired = span.is_written_off();
    post(rows, postings::of_give_back(payment, &part, expired, now));
    Ok(())
}

/// The voucher of a payment and its code, which must be held.
fn held(rows: &Rows, payment: &Payment) -> Result<Option<(VoucherPart, CodeUse)>, Inconsistent> {
    let Some(part) = payment.details.voucher else {
        return Ok(None);
    };
    let code_use = rows.voucher.code_use(payment.tenant, part.code);
    if code_use.reserved == 0 {
        return Err(Inconsistent(payment.serial));
    }
    Ok(Some((part, code_use)))
}

fn note(rows: &mut Rows, payment: &Payment, code_use: &mut CodeUse, act: CodeAct, at: UnixMs) {
    if let Some(former) = code_use.keep(act, at, payment.serial) {
        rows.voucher.put_event(former);
    }
}

fn post(rows: &mut Rows, postings: Vec<Posting>) {
    postings.into_iter().for_each(|it| rows.post(it));
}
