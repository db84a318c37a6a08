//! Rows of tables to and from the program's own.

use crate::{
    contract::StoreError,
    flat::{
        FlatJob, FlatNotification, FlatPayment, FlatPosting, FlatRecharge, FlatRefund, FlatState,
    },
};
use domain::{
    channel::ChannelNo,
    ids::{MerchantNo, TenantId},
    job::Job,
    ledger::Posting,
    merchant::{Merchant, Tenant},
    notification::Notification,
    payment::Payment,
    recharge::Recharge,
    refund::Refund,
    time::UnixMs,
};
use tokio_postgres::{Row, types::FromSql};

/// A stored thing: where its rows are and how one is read.
pub(super) trait Stored: Sized + Send {
    /// The table.
    const TABLE: &'static str;
    /// The column that numbers its rows within a tenant.
    const KEY: &'static str;
    /// The columns [`Stored::read`] expects, in order; the second is [`Stored::KEY`].
    const COLUMNS: &'static str;

    /// Reads a row of [`Stored::COLUMNS`].
    fn read(row: &Row) -> Result<Self, StoreError>;
}

/// A column of a row.
pub(super) fn get<'r, T: FromSql<'r>>(row: &'r Row, index: usize) -> Result<T, StoreError> {
    row.try_get(index)
        .map_err(|error| StoreError::Corrupt(error.to_string()))
}

fn claim(bytes: &[u8]) -> Result<[u8; 16], StoreError> {
    bytes
        .try_into()
        .map_err(|_| StoreError::Corrupt(format!("a claim of {} bytes", bytes.len())))
}

/// Reads all of `rows`.
pub(super) fn read_all<T: Stored>(rows: &[Row]) -> Result<Vec<T>, StoreError> {
    rows.iter().map(T::read).collect()
}

impl Stored for Payment {
    const TABLE: &'static str = "payments";
    const KEY: &'static str = "serial";
    const COLUMNS: &'static str = "tenant, serial, merchant, claim, merchant_serial, flow, \
        channel, amount, created_at, expires_at, details, state, end_code, ended_at, flags, \
        refunded, refunding, receipt, credential";

    fn read(row: &Row) -> Result<Self, StoreError> {
        let flat = FlatPayment {
            tenant: get(row, 0)?,
            serial: get(row, 1)?,
            merchant: get(row, 2)?,
            claim: claim(get(row, 3)?)?,
            merchant_serial: get(row, 4)?,
            flow: get(row, 5)?,
            channel: get(row, 6)?,
            amount: get(row, 7)?,
            created_at: get(row, 8)?,
            expires_at: get(row, 9)?,
            details: get(row, 10)?,
            state: FlatState {
                state: get(row, 11)?,
                end_code: get(row, 12)?,
                ended_at: get(row, 13)?,
                flags: get(row, 14)?,
                refunded: get(row, 15)?,
                refunding: get(row, 16)?,
                receipt: get(row, 17)?,
                credential: get(row, 18)?,
            },
        };
        flat.read()
    }
}

impl Stored for Refund {
    const TABLE: &'static str = "refunds";
    const KEY: &'static str = "serial";
    const COLUMNS: &'static str = "tenant, serial, payment, merchant, origin, claim, \
        merchant_serial, amount, voucher_back, created_at, state, ended_at, failure, first_answer";

    fn read(row: &Row) -> Result<Self, StoreError> {
        let flat = FlatRefund {
            tenant: get(row, 0)?,
            serial: get(row, 1)?,
            payment: get(row, 2)?,
            merchant: get(row, 3)?,
            origin: get(row, 4)?,
            claim: get::<Option<&[u8]>>(row, 5)?.map(claim).transpose()?,
            merchant_serial: get(row, 6)?,
            amount: get(row, 7)?,
            voucher_back: get(row, 8)?,
            created_at: get(row, 9)?,
            state: get(row, 10)?,
            ended_at: get(row, 11)?,
            failure: get(row, 12)?,
            first_answer: get(row, 13)?,
        };
        flat.read()
    }
}

impl Stored for Recharge {
    const TABLE: &'static str = "recharges";
    const KEY: &'static str = "serial";
    const COLUMNS: &'static str = "tenant, serial, merchant, claim, phone, data_mb, reach, \
        notify_url, created_at, state, provider_serial, ended_at";

    fn read(row: &Row) -> Result<Self, StoreError> {
        let flat = FlatRecharge {
            tenant: get(row, 0)?,
            serial: get(row, 1)?,
            merchant: get(row, 2)?,
            claim: claim(get(row, 3)?)?,
            phone: get(row, 4)?,
            data_mb: get(row, 5)?,
            reach: get(row, 6)?,
            notify_url: get(row, 7)?,
            created_at: get(row, 8)?,
            state: get(row, 9)?,
            provider_serial: get(row, 10)?,
            ended_at: get(row, 11)?,
        };
        flat.read()
    }
}

impl Stored for Job {
    const TABLE: &'static str = "jobs";
    const KEY: &'static str = "subject";
    const COLUMNS: &'static str = "tenant, subject, kind, due_at, attempts";

    fn read(row: &Row) -> Result<Self, StoreError> {
        let flat = FlatJob {
            tenant: get(row, 0)?,
            subject: get(row, 1)?,
            kind: get(row, 2)?,
            due_at: get(row, 3)?,
            attempts: get(row, 4)?,
        };
        flat.read()
    }
}

impl Stored for Notification {
    const TABLE: &'static str = "notifications";
    const KEY: &'static str = "subject";
    const COLUMNS: &'static str = "tenant, subject, merchant, topic, attempts, state, at";

    fn read(row: &Row) -> Result<Self, StoreError> {
        let flat = FlatNotification {
            tenant: get(row, 0)?,
            subject: get(row, 1)?,
            merchant: get(row, 2)?,
            topic: get(row, 3)?,
            attempts: get(row, 4)?,
            state: get(row, 5)?,
            at: get(row, 6)?,
        };
        flat.read()
    }
}

impl Stored for Posting {
    const TABLE: &'static str = "postings";
    const KEY: &'static str = "posting_no";
    const COLUMNS: &'static str = "tenant, posting_no, debit, credit, amount, unit, at";

    fn read(row: &Row) -> Result<Self, StoreError> {
        let flat = FlatPosting {
            tenant: get(row, 0)?,
            number: get(row, 1)?,
            debit: get(row, 2)?,
            credit: get(row, 3)?,
            amount: get(row, 4)?,
            unit: get(row, 5)?,
            at: get(row, 6)?,
        };
        flat.read()
    }
}

/// Reads a row `tenant, name`.
pub(super) fn read_tenant(row: &Row) -> Result<Tenant, StoreError> {
    Ok(Tenant {
        id: TenantId(get(row, 0)?),
        name: get(row, 1)?,
    })
}

/// The columns [`read_merchant`] expects, in order.
pub(super) const MERCHANT_COLUMNS: &str =
    "tenant, no, code, name, sealed_key, channels, suspended, settings, updated_at";

/// Reads a row of [`MERCHANT_COLUMNS`].
pub(super) fn read_merchant(row: &Row) -> Result<Merchant, StoreError> {
    let channels: Vec<i16> = get(row, 5)?;
    let settings: &str = get(row, 7)?;
    Ok(Merchant {
        tenant: TenantId(get(row, 0)?),
        no: MerchantNo(get(row, 1)?),
        code: get(row, 2)?,
        name: get(row, 3)?,
        sealed_key: get(row, 4)?,
        channels: channels
            .into_iter()
            .map(channel)
            .collect::<Result<_, _>>()?,
        suspended: get(row, 6)?,
        settings: serde_json::from_str(settings)
            .map_err(|error| StoreError::Corrupt(error.to_string()))?,
        updated_at: UnixMs(get(row, 8)?),
    })
}

fn channel(stored: i16) -> Result<ChannelNo, StoreError> {
    u8::try_from(stored)
        .map(ChannelNo)
        .map_err(|_| StoreError::Corrupt(format!("no channel is stored as {stored}")))
}
/// SQL for the text of a serial, which is the key of a box: its day as a date, then 12 digits.
pub(super) fn serial_text(serial: &str) -> String {
    format!(
        "to_char(DATE '1970-01-01' + ({serial} / 1000000000000)::integer, 'YYYYMMDD')
            || lpad(({serial} % 1000000000000)::text, 12, '0')"
    )
}
