//! Column lists, and how a result row becomes a flat one. The order of a list is the order of
//! its `read_` function and of its `INSERT`.

use crate::flat::{
    FlatJob, FlatNotification, FlatPayment, FlatPosting, FlatRecharge, FlatRefund, FlatState,
};
use rusqlite::{Result, Row};

pub(super) const PAYMENT: &str = "tenant, serial, merchant, claim, merchant_serial, flow, channel, \
     amount, created_at, expires_at, details, state, end_code, ended_at, flags, refunded, \
     refunding, receipt, credential";

pub(super) fn payment(row: &Row<'_>) -> Result<FlatPayment> {
    Ok(FlatPayment {
        tenant: row.get(0)?,
        serial: row.get(1)?,
        merchant: row.get(2)?,
        claim: row.get(3)?,
        merchant_serial: row.get(4)?,
        flow: row.get(5)?,
        channel: row.get(6)?,
        amount: row.get(7)?,
        created_at: row.get(8)?,
        expires_at: row.get(9)?,
        details: row.get(10)?,
        state: FlatState {
            state: row.get(11)?,
            end_code: row.get(12)?,
            ended_at: row.get(13)?,
            flags: row.get(14)?,
            refunded: row.get(15)?,
            refunding: row.get(16)?,
            receipt: row.get(17)?,
            credential: row.get(18)?,
        },
    })
}

pub(super) const REFUND: &str = "tenant, serial, payment, merchant, origin, claim, \
     merchant_serial, amount, voucher_back, created_at, state, ended_at, failure, first_answer";

pub(super) fn refund(row: &Row<'_>) -> Result<FlatRefund> {
    Ok(FlatRefund {
        tenant: row.get(0)?,
        serial: row.get(1)?,
        payment: row.get(2)?,
        merchant: row.get(3)?,
        origin: row.get(4)?,
        claim: row.get(5)?,
        merchant_serial: row.get(6)?,
        amount: row.get(7)?,
        voucher_back: row.get(8)?,
        created_at: row.get(9)?,
        state: row.get(10)?,
        ended_at: row.get(11)?,
        failure: row.get(12)?,
        first_answer: row.get(13)?,
    })
}

pub(super) const RECHARGE: &str = "tenant, serial, merchant, claim, phone, data_mb, reach, \
     notify_url, created_at, state, provider_serial, ended_at";

pub(super) fn recharge(row: &Row<'_>) -> Result<FlatRecharge> {
    Ok(FlatRecharge {
        tenant: row.get(0)?,
        serial: row.get(1)?,
        merchant: row.get(2)?,
        claim: row.get(3)?,
        phone: row.get(4)?,
        data_mb: row.get(5)?,
        reach: row.get(6)?,
        notify_url: row.get(7)?,
        created_at: row.get(8)?,
        state: row.get(9)?,
        provider_serial: row.get(10)?,
        ended_at: row.get(11)?,
    })
}

pub(super) const JOB: &str = "tenant, subject, kind, due_at, attempts";

pub(super) fn job(row: &Row<'_>) -> Result<FlatJob> {
    Ok(FlatJob {
        tenant: row.get(0)?,
        subject: row.get(1)?,
        kind: row.get(2)?,
        due_at: row.get(3)?,
        attempts: row.get(4)?,
    })
}

pub(super) const NOTIFICATION: &str = "tenant, subject, merchant, topic, attempts, state, at";

pub(super) fn notification(row: &Row<'_>) -> Result<FlatNotification> {
    Ok(FlatNotification {
        tenant: row.get(0)?,
        subject: row.get(1)?,
        merchant: row.get(2)?,
        topic: row.get(3)?,
        attempts: row.get(4)?,
        state: row.get(5)?,
        at: row.get(6)?,
    })
}

pub(super) const POSTING: &str = "tenant, number, debit, credit, amount, unit, at";

pub(super) fn posting(row: &Row<'_>) -> Result<FlatPosting> {
    Ok(FlatPosting {
        tenant: row.get(0)?,
        number: row.get(1)?,
        debit: row.get(2)?,
        credit: row.get(3)?,
        amount: row.get(4)?,
        unit: row.get(5)?,
        at: row.get(6)?,
    })
}
