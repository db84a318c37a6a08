//! Reading without stopping a writer: a few connections, shared by all.

use super::{
    Doubts, backup,
    columns::{MERCHANT_COLUMNS, Stored, get, read_all, read_merchant, read_tenant},
    error::classify,
    loyalty,
    pool::{CONNECTIONS, Params, Plans, Pool},
    queries,
    snapshot::PostgresSnapshot,
};
use crate::{
    contract::{
        BoxFuture, DocumentMark, DueJob, NamedValue, PaymentFilter, Reader, Snapshot, StoreError,
        StoreFigures,
    },
    flat::{listing, may_be_due},
};
use domain::{
    channel::ChannelNo,
    ids::{MerchantNo, Serial, TenantId},
    loyalty::{
        document::{Document, DocumentKey, DocumentKind},
        terminal::BatchNo,
        trans::{Place, Trans, TransNo},
    },
    merchant::{Merchant, Tenant},
    notification::Notification,
    payment::Payment,
    recharge::Recharge,
    refund::Refund,
    rows::PaymentRef,
    time::UnixMs,
};
use std::{path::PathBuf, sync::Arc};
use tokio_postgres::{Config, Row, types::ToSql};

/// Looks at stored rows over a few shared connections, which are made when first needed.
pub struct PostgresReader {
    pool: Arc<Pool>,
    /// For rows that are looked up by their keys.
    by_key: Arc<Pool>,
    pub(super) doubts: Doubts,
}

impl PostgresReader {
    pub(super) fn new(config: Arc<Config>, doubts: Doubts) -> Self {
        Self {
            by_key: Arc::new(Pool::new(Arc::clone(&config), Plans::Kept)),
            pool: Arc::new(Pool::new(config, Plans::Anew)),
            doubts,
        }
    }

    /// Reading may be repeated: a connection that breaks on the way costs another attempt. When a
    /// server ends, all connections break.
    pub(super) async fn rows(&self, sql: &str, params: Params<'_>) -> Result<Vec<Row>, StoreError> {
        ask(&self.pool, sql, params).await
    }

    /// The same, for a statement that finds its rows by keys, in one way whatever is asked for.
    pub(super) async fn rows_by_key(
        &self,
        sql: &str,
        params: Params<'_>,
    ) -> Result<Vec<Row>, StoreError> {
        ask(&self.by_key, sql, params).await
    }

    async fn all<T: Stored>(&self, sql: &str, params: Params<'_>) -> Result<Vec<T>, StoreError> {
        read_all(&self.rows(sql, params).await?)
    }

    async fn one<T: Stored>(&self, sql: &str, params: Params<'_>) -> Result<Option<T>, StoreError> {
        self.rows(sql, params)
            .await?
            .first()
            .map(T::read)
            .transpose()
    }

    async fn by_key<T: Stored>(
        &self,
        tenant: TenantId,
        key: Serial,
    ) -> Result<Option<T>, StoreError> {
        self.one(&queries::by_key::<T>(), &[&tenant.0, &key.0])
            .await
    }

    async fn read_due_jobs(
        &self,
        now: UnixMs,
        limit: u32,
        except: Vec<Option<ChannelNo>>,
    ) -> Result<Vec<DueJob>, StoreError> {
        let except = except
            .iter()
            .map(|asks| asks.map_or(-1, |it| i16::from(it.0)));
        let except: Vec<i16> = except.collect();
        let params: Params<'_> = &[&now.0, &i64::from(limit), &except];
        let rows = self.rows(queries::DUE_JOBS, params).await?;
        rows.iter().map(due_job).collect()
    }

    async fn read_figures(&self) -> Result<StoreFigures, StoreError> {
        let rows = self.rows(queries::FIGURES, &[]).await?;
        let row = rows
            .first()
            .ok_or_else(|| StoreError::Corrupt("no figures".to_owned()))?;
        let count = |index| get::<i64>(row, index).map(i64::unsigned_abs);
        let time = |index| get::<Option<i64>>(row, index).map(|at| at.map(UnixMs));
        Ok(StoreFigures {
            jobs: count(0)?,
            oldest_job_due_at: time(1)?,
            notifications_due: count(2)?,
            notifications_dead: count(3)?,
            oldest_notification_due_at: time(4)?,
            oldest_card_due_at: time(5)?,
            work_items: count(6)?,
        })
    }

    async fn read_durability(&self) -> Result<Vec<String>, StoreError> {
        let rows = self.rows(queries::DURABILITY, &[]).await?;
        let mut lines = Vec::with_capacity(rows.len());
        let mut unsafe_settings = Vec::new();
        for row in &rows {
            let (name, value): (&str, &str) = (get(row, 0)?, get(row, 1)?);
            let line = format!("{name} = {value}");
            if value == "off" {
                unsafe_settings.push(line.clone());
            }
            lines.push(line);
        }
        if unsafe_settings.is_empty() {
            return Ok(lines);
        }
        let settings = unsafe_settings.join(", ");
        Err(StoreError::Refused(format!(
            "an acknowledged payment could be lost: {settings}"
        )))
    }
}

async fn ask(pool: &Arc<Pool>, sql: &str, params: Params<'_>) -> Result<Vec<Row>, StoreError> {
    for _ in 0..=CONNECTIONS {
        if let Some(answer) = pool.ask(sql, params).await? {
            return answer.map_err(|error| classify(&error));
        }
    }
    Err(StoreError::Down("each connection broke".to_owned()))
}

fn due_job(row: &Row) -> Result<DueJob, StoreError> {
    let asks: Option<i16> = get(row, 2)?;
    let channel = |number| {
        let number = u8::try_from(number).map(ChannelNo);
        number.map_err(|_| StoreError::Corrupt(format!("a channel numbered {asks:?}")))
    };
    Ok(DueJob {
        tenant: TenantId(get(row, 0)?),
        subject: Serial(get(row, 1)?),
        asks: asks.map(channel).transpose()?,
    })
}

/// "There is none" is a promise: it is not made while a commit is in doubt, as it was before the
/// look.
pub(super) fn unless_in_doubt<T>(
    found: Option<T>,
    may_appear: bool,
) -> Result<Option<T>, StoreError> {
    if found.is_none() && may_appear {
        let text = "it was not found, but what became of a commit is not known yet";
        return Err(StoreError::Unknown(text.to_owned()));
    }
    Ok(found)
}

impl PostgresReader {
    async fn all_documents(
        &self,
        kind: DocumentKind,
        sql: &str,
        params: Params<'_>,
    ) -> Result<Vec<Document>, StoreError> {
        let rows = self.rows(sql, params).await?;
        rows.iter()
            .map(|row| loyalty::read_document(kind, row))
            .collect()
    }

    /// The event whose column holds `value`.
    fn trans_by(
        &self,
        column: &'static str,
        tenant: TenantId,
        value: i64,
    ) -> BoxFuture<'_, Result<Option<Trans>, StoreError>> {
        Box::pin(async move {
            let may_appear = self.doubts.are_there();
            let sql = loyalty::trans_by_sql(column);
            let rows = self.rows_by_key(&sql, &[&tenant.0, &value]).await?;
            let found = rows.first().map(Trans::read).transpose()?;
            unless_in_doubt(found, may_appear)
        })
    }
}

impl Reader for PostgresReader {
    fn payment(&self, by: PaymentRef) -> BoxFuture<'_, Result<Option<Payment>, StoreError>> {
        Box::pin(async move {
            let may_appear = self.doubts.are_there();
            let found = match by {
                PaymentRef::Serial(tenant, serial) => self.by_key(tenant, serial).await?,
                PaymentRef::Key(tenant, key) => {
                    let params: Params<'_> = &[&tenant.0, &key.0.as_slice()];
                    self.one(&queries::payment_by_claim(), params).await?
                }
            };
            unless_in_doubt(found, may_appear)
        })
    }

    fn payments_by_serial(
        &self,
        serials: Vec<(TenantId, Serial)>,
    ) -> BoxFuture<'_, Result<Vec<Payment>, StoreError>> {
        Box::pin(async move {
            let (tenants, serials): (Vec<i64>, Vec<i64>) = serials
                .iter()
                .map(|(tenant, serial)| (tenant.0, serial.0))
                .unzip();
            self.all(&queries::payments_by_serial(), &[&tenants, &serials])
                .await
        })
    }

    fn payment_of_any(&self, serial: Serial) -> BoxFuture<'_, Result<Option<Payment>, StoreError>> {
        Box::pin(async move { self.one(&queries::payment_of_any(), &[&serial.0]).await })
    }

    fn payments(
        &self,
        filter: PaymentFilter,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Payment>, StoreError>> {
        Box::pin(async move {
            let before = filter.before.map_or(i64::MAX, |serial| serial.0);
            let tenant = filter.tenant.map(|it| it.0);
            let merchant = filter.merchant.map(|it| it.0);
            let sql = queries::payments(&filter);
            self.all(&sql, &[&before, &i64::from(limit), &tenant, &merchant])
                .await
        })
    }

    fn refunds_of(
        &self,
        tenant: TenantId,
        payment: Serial,
    ) -> BoxFuture<'_, Result<Vec<Refund>, StoreError>> {
        Box::pin(async move {
            self.all(&queries::refunds_of(), &[&tenant.0, &payment.0])
                .await
        })
    }

    fn refund(
        &self,
        tenant: TenantId,
        serial: Serial,
    ) -> BoxFuture<'_, Result<Option<Refund>, StoreError>> {
        Box::pin(self.by_key(tenant, serial))
    }

    fn recharge(
        &self,
        tenant: TenantId,
        serial: Serial,
    ) -> BoxFuture<'_, Result<Option<Recharge>, StoreError>> {
        Box::pin(self.by_key(tenant, serial))
    }

    fn due_jobs(
        &self,
        now: UnixMs,
        limit: u32,
        except: Vec<Option<ChannelNo>>,
    ) -> BoxFuture<'_, Result<Vec<DueJob>, StoreError>> {
        Box::pin(self.read_due_jobs(now, limit, except))
    }

    fn due_notifications(
        &self,
        now: UnixMs,
        limit: u32,
        except: Vec<(TenantId, MerchantNo)>,
    ) -> BoxFuture<'_, Result<Vec<Notification>, StoreError>> {
        Box::pin(async move {
            let (tenants, merchants): (Vec<i64>, Vec<i64>) =
                except.iter().map(|(tenant, no)| (tenant.0, no.0)).unzip();
            let params: Params<'_> = &[&now.0, &i64::from(limit), &tenants, &merchants];
            self.all(&queries::due_notifications(), params).await
        })
    }

    fn notification(
        &self,
        tenant: TenantId,
        subject: Serial,
    ) -> BoxFuture<'_, Result<Option<Notification>, StoreError>> {
        Box::pin(self.by_key(tenant, subject))
    }

    fn dead_notifications(
        &self,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Notification>, StoreError>> {
        Box::pin(async move {
            self.all(&queries::dead_notifications(), &[&i64::from(limit)])
                .await
        })
    }

    fn document(&self, key: DocumentKey) -> BoxFuture<'_, Result<Option<Document>, StoreError>> {
        Box::pin(async move {
            let may_appear = self.doubts.are_there();
            let sql = loyalty::by_key_sql(key.kind);
            let params: Params<'_> = &[&key.tenant.0, &key.key];
            let rows = self.rows_by_key(&sql, params).await?;
            let found = rows
                .first()
                .map(|row| loyalty::read_document(key.kind, row));
            unless_in_doubt(found.transpose()?, may_appear)
        })
    }

    fn documents_by_key(
        &self,
        keys: Vec<DocumentKey>,
    ) -> BoxFuture<'_, Result<Vec<Document>, StoreError>> {
        Box::pin(async move {
            if keys.is_empty() {
                return Ok(Vec::new());
            }
            let may_appear = self.doubts.are_there();
            let sql = loyalty::by_keys_sql(keys.iter().map(|it| it.kind));
            let mut params: Vec<&(dyn ToSql + Sync)> = Vec::with_capacity(2 * keys.len());
            for key in &keys {
                params.push(&key.tenant.0);
                params.push(&key.key);
            }
            let rows = self.rows_by_key(&sql, &params).await?;
            let found = rows.iter().map(|row| {
                let which: i32 = get(row, 3)?;
                let key = usize::try_from(which).ok().and_then(|it| keys.get(it));
                let key = key.ok_or_else(|| StoreError::Corrupt("no such key".to_owned()))?;
                loyalty::read_document(key.kind, row)
            });
            let found: Vec<Document> = found.collect::<Result<_, _>>()?;
            let is_all = found.len() == keys.len();
            unless_in_doubt(is_all.then_some(()), may_appear)?;
            Ok(found)
        })
    }

    fn documents(
        &self,
        kind: DocumentKind,
        tenant: Option<TenantId>,
        after: Option<DocumentMark>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Document>, StoreError>> {
        Box::pin(async move {
            let (from, key, last) = listing(tenant, after);
            let params: Params<'_> = &[&from, &key, &last, &i64::from(limit)];
            let sql = loyalty::listing_sql(kind);
            self.all_documents(kind, &sql, params).await
        })
    }

    fn due_documents(
        &self,
        kind: DocumentKind,
        now: UnixMs,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Document>, StoreError>> {
        Box::pin(async move {
            if !may_be_due(kind) {
                return Ok(Vec::new());
            }
            let params: Params<'_> = &[&now.0, &i64::from(limit)];
            self.all_documents(kind, &loyalty::due_sql(kind), params)
                .await
        })
    }

    fn trans(
        &self,
        tenant: TenantId,
        serial: Serial,
    ) -> BoxFuture<'_, Result<Option<Trans>, StoreError>> {
        self.trans_by("serial", tenant, serial.0)
    }

    fn trans_at(
        &self,
        tenant: TenantId,
        place: Place,
    ) -> BoxFuture<'_, Result<Option<Trans>, StoreError>> {
        self.trans_by("place", tenant, place.get())
    }

    fn trans_by_number(
        &self,
        tenant: TenantId,
        number: TransNo,
    ) -> BoxFuture<'_, Result<Option<Trans>, StoreError>> {
        self.trans_by("number", tenant, number.get())
    }

    fn trans_of_batch(
        &self,
        tenant: TenantId,
        terminal: i64,
        batch: BatchNo,
        after: Option<Place>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Trans>, StoreError>> {
        Box::pin(async move {
            let (first, last) = Place::of_batch(terminal, batch);
            let after = after.map_or(i64::MIN, Place::get);
            let (first, last, limit) = (first.get(), last.get(), i64::from(limit));
            let params: Params<'_> = &[&tenant.0, &first, &last, &after, &limit];
            self.all(&loyalty::trans_between_sql(), params).await
        })
    }

    fn tenants(&self) -> BoxFuture<'_, Result<Vec<Tenant>, StoreError>> {
        Box::pin(async move {
            let rows = self
                .rows("SELECT tenant, name FROM tenants ORDER BY tenant", &[])
                .await?;
            rows.iter().map(read_tenant).collect()
        })
    }

    fn merchants(&self) -> BoxFuture<'_, Result<Vec<Merchant>, StoreError>> {
        Box::pin(async move {
            let sql = format!("SELECT {MERCHANT_COLUMNS} FROM merchants ORDER BY no, tenant");
            self.rows(&sql, &[])
                .await?
                .iter()
                .map(read_merchant)
                .collect()
        })
    }

    fn figures(&self) -> BoxFuture<'_, Result<StoreFigures, StoreError>> {
        Box::pin(self.read_figures())
    }

    fn open_payments(&self, since: Serial) -> BoxFuture<'_, Result<u64, StoreError>> {
        Box::pin(async move {
            let rows = self.rows(queries::OPEN_PAYMENTS, &[&since.0]).await?;
            let count = rows.first().map(|row| get::<i64>(row, 0)).transpose()?;
            Ok(count.unwrap_or(0).unsigned_abs())
        })
    }

    fn values(
        &self,
        prefix: String,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<NamedValue>, StoreError>> {
        Box::pin(async move {
            let params: Params<'_> = &[&prefix, &i64::from(limit)];
            let rows = self.rows(queries::VALUES, params).await?;
            let read = |row: &Row| Ok((get(row, 0)?, get(row, 1)?));
            rows.iter().map(read).collect()
        })
    }

    fn durability(&self) -> BoxFuture<'_, Result<Vec<String>, StoreError>> {
        Box::pin(self.read_durability())
    }

    fn snapshot(&self) -> BoxFuture<'_, Result<Box<dyn Snapshot>, StoreError>> {
        Box::pin(async move {
            let snapshot = PostgresSnapshot::open(self.pool.config()).await?;
            Ok(Box::new(snapshot) as Box<dyn Snapshot>)
        })
    }

    fn backup(&self, to: PathBuf) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(backup::dump(Arc::clone(self.pool.config()), to))
    }
}
