//! Provisioning steps, each a transaction of its own.

use super::{
    columns::{get, read_tenant},
    error::classify,
    link::{BEGIN, Link, answered},
    session::{Param, Step, pipeline},
    stock,
    writer::PostgresWriter,
};
use crate::contract::{AdminOp, AdminReply, StoreError};
use domain::{
    ids::{NODES_MAX, TenantId},
    merchant::{Merchant, Tenant},
    time::UnixMs,
};
use std::collections::BTreeMap;
use tokio_postgres::Row;

/// Provisioning is marked under no tenant in particular.
pub(super) const NOBODY: TenantId = TenantId(0);

/// Runs one step. When the connection or only the answer is lost, the step runs once more: each of
/// them asks for a state, so doing it twice changes nothing (a second lease only leaves the first
/// to run out). Added stock is the exception: where nobody knows whether it is there, its caller
/// hears so.
pub(super) async fn run(
    writer: &mut PostgresWriter,
    op: &AdminOp,
) -> Result<AdminReply, StoreError> {
    match Box::pin(run_once(writer, op)).await {
        Err(StoreError::Unknown(why)) if !asks_for_a_state(op) => Err(StoreError::Unknown(why)),
        Err(StoreError::Unknown(_) | StoreError::Down(_)) => Box::pin(run_once(writer, op)).await,
        result => result,
    }
}

const fn asks_for_a_state(op: &AdminOp) -> bool {
    match op {
        AdminOp::AddTenant(_)
        | AdminOp::PutMerchant(_)
        | AdminOp::PutIfAbsent { .. }
        | AdminOp::LeaseNode { .. }
        | AdminOp::RenewNode { .. }
        | AdminOp::RemoveStock { .. } => true,
        AdminOp::AddUnits(_) | AdminOp::AddCodes(_) | AdminOp::AddDigests(_) => false,
    }
}

async fn run_once(writer: &mut PostgresWriter, op: &AdminOp) -> Result<AdminReply, StoreError> {
    match op {
        AdminOp::AddTenant(tenant) => add_tenant(writer, tenant).await,
        AdminOp::PutMerchant(merchant) => put_merchant(writer, merchant).await,
        AdminOp::PutIfAbsent { name, value } => put_if_absent(writer, name, value).await,
        AdminOp::LeaseNode { now, until, owner } => lease(writer, *now, *until, *owner).await,
        AdminOp::RenewNode { node, owner, until } => renew(writer, *node, *owner, *until).await,
        AdminOp::AddUnits(units) => stock::add_units(writer, units).await,
        AdminOp::AddCodes(codes) => stock::add_codes(writer, codes).await,
        AdminOp::AddDigests(digests) => stock::add_digests(writer, digests).await,
        AdminOp::RemoveStock { carton, limit } => stock::remove(writer, *carton, *limit).await,
    }
}

/// Runs `steps` in one transaction; returns the first row of the last one.
async fn transact(
    writer: &mut PostgresWriter,
    steps: Vec<(&'static str, Vec<Param>)>,
) -> Result<Option<Row>, StoreError> {
    let link = writer.idle_link().await?;
    let steps = prepare(&link, steps).await?;
    let mut rows = writer
        .conclude(link, Some(BEGIN), steps, Some(NOBODY))
        .await?
        .ok_or_else(lost)?;
    Ok(rows.pop().and_then(|last| last.into_iter().next()))
}

pub(super) async fn prepare(
    link: &Link,
    steps: Vec<(&'static str, Vec<Param>)>,
) -> Result<Vec<Step>, StoreError> {
    let mut prepared = Vec::with_capacity(steps.len());
    for (sql, params) in steps {
        let statement = answered(link.session.client.prepare(sql)).await?;
        prepared.push(Step::new(&statement.map_err(|e| classify(&e))?, params));
    }
    Ok(prepared)
}

pub(super) fn lost() -> StoreError {
    StoreError::Unknown("the change was recorded, its answer was lost".to_owned())
}

async fn add_tenant(
    writer: &mut PostgresWriter,
    tenant: &Tenant,
) -> Result<AdminReply, StoreError> {
    let insert = "INSERT INTO tenants (tenant, name) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING";
    let select = "SELECT tenant, name FROM tenants WHERE name = $1";
    let steps: Vec<(_, Vec<Param>)> = vec![
        (
            insert,
            vec![Box::new(tenant.id.0), Box::new(tenant.name.clone())],
        ),
        (select, vec![Box::new(tenant.name.clone())]),
    ];
    let row = transact(writer, steps).await?.ok_or_else(lost)?;
    Ok(AdminReply::Tenant(read_tenant(&row)?))
}

async fn put_merchant(
    writer: &mut PostgresWriter,
    merchant: &Merchant,
) -> Result<AdminReply, StoreError> {
    const PUT: &str = "INSERT INTO merchants (tenant, no, code, name, sealed_key, channels,
            suspended, settings, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        ON CONFLICT (tenant, no) DO UPDATE SET code = excluded.code, name = excluded.name,
            sealed_key = excluded.sealed_key, channels = excluded.channels,
            suspended = excluded.suspended, settings = excluded.settings,
            updated_at = excluded.updated_at";
    transact(writer, vec![(PUT, merchant_params(merchant)?)]).await?;
    Ok(AdminReply::Done)
}

fn merchant_params(merchant: &Merchant) -> Result<Vec<Param>, StoreError> {
    let settings = serde_json::to_string(&merchant.settings)
        .map_err(|error| StoreError::Corrupt(error.to_string()))?;
    let channels: Vec<i16> = merchant.channels.iter().map(|it| i16::from(it.0)).collect();
    Ok(vec![
        Box::new(merchant.tenant.0),
        Box::new(merchant.no.0),
        Box::new(merchant.code.clone()),
        Box::new(merchant.name.clone()),
        Box::new(merchant.sealed_key.clone()),
        Box::new(channels),
        Box::new(merchant.suspended),
        Box::new(settings),
        Box::new(merchant.updated_at.0),
    ])
}

async fn put_if_absent(
    writer: &mut PostgresWriter,
    name: &str,
    value: &[u8],
) -> Result<AdminReply, StoreError> {
    let insert = "INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING";
    let select = "SELECT value FROM settings WHERE name = $1";
    let steps: Vec<(_, Vec<Param>)> = vec![
        (
            insert,
            vec![Box::new(name.to_owned()), Box::new(value.to_vec())],
        ),
        (select, vec![Box::new(name.to_owned())]),
    ];
    let row = transact(writer, steps).await?.ok_or_else(lost)?;
    Ok(AdminReply::Value(get(&row, 0)?))
}

/// Takes the lowest free node number. The rows are locked while the choice is made; whoever
/// loses a race for a number without a row chooses again.
async fn lease(
    writer: &mut PostgresWriter,
    now: UnixMs,
    until: UnixMs,
    owner: i64,
) -> Result<AdminReply, StoreError> {
    const TAKE: &str = "INSERT INTO nodes (node, lease_until, owner) VALUES ($1, $2, $3)
        ON CONFLICT (node) DO UPDATE SET lease_until = excluded.lease_until,
            owner = excluded.owner
        WHERE nodes.lease_until <= $4 RETURNING node";
    for _ in 0..NODES_MAX {
        let link = writer.idle_link().await?;
        let ends = lease_ends(&link).await?;
        let end = |node: &i64| ends.get(node).copied().unwrap_or(0);
        let Some(node) = (0..NODES_MAX).find(|node| end(node) <= now.0) else {
            // Dropping the connection takes the transaction, and the locks in it, back.
            return Err(StoreError::Refused("all node numbers are taken".to_owned()));
        };
        let params = [node, until.0, owner, now.0];
        let params: Vec<Param> = params.map(|it| Box::new(it) as Param).into();
        let steps = prepare(&link, vec![(TAKE, params)]).await?;
        let taken = writer.conclude(link, None, steps, Some(NOBODY)).await?;
        if taken.ok_or_else(lost)?.iter().any(|rows| !rows.is_empty()) {
            let issued_until = UnixMs(end(&node));
            return Ok(AdminReply::Lease { node, issued_until });
        }
    }
    Err(StoreError::Conflict(
        "node numbers are being taken".to_owned(),
    ))
}

/// Opens a transaction and reads, locked, when each lease ends.
async fn lease_ends(link: &Link) -> Result<BTreeMap<i64, i64>, StoreError> {
    let select = "SELECT node, lease_until FROM nodes ORDER BY node FOR UPDATE";
    let steps = prepare(link, vec![(select, Vec::new())]).await?;
    let pipelined = pipeline(&link.session.client, Some(BEGIN), &steps, None);
    let pipelined = answered(pipelined).await?;
    let mut ends = BTreeMap::new();
    for answer in pipelined.answers {
        for row in answer.map_err(|error| classify(&error))? {
            ends.insert(get(&row, 0)?, get(&row, 1)?);
        }
    }
    Ok(ends)
}

async fn renew(
    writer: &mut PostgresWriter,
    node: i64,
    owner: i64,
    until: UnixMs,
) -> Result<AdminReply, StoreError> {
    let update = "UPDATE nodes SET lease_until = $3 WHERE node = $1 AND owner = $2 RETURNING node";
    let params: Vec<Param> = [node, owner, until.0]
        .map(|it| Box::new(it) as Param)
        .into();
    let renewed = transact(writer, vec![(update, params)]).await?.is_some();
    Ok(AdminReply::Renewed(renewed))
}
